#!/usr/bin/env bash
# A case is opened to an auditor, and a document of it to a court: sent,
# disclosed, revoked, agreed to again; then forged, in the ways that a party
# could.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
form_for uls
audit() { amparo-audit "$@"; }

step "a referral, more of it, a revocation, and a second consent"
consent=$(as ong consent record --form "$(consent_form)" --json | field .grant_id)
referral=$(as ong referral send --to uls --form "$scratch/referral-uls.json" --consent "$consent" --json | field .referral_id)
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 20
case_id=$(as ong referral show "$referral" --json | field .case_id)
check "uls accepts" as uls referral accept "$referral"
check "ong hears of it" as ong referral show "$referral" --wait accepted --timeout 20
check "it is revoked" as ong consent revoke "$consent"
check "and erased" as ong referral show "$referral" --wait erased --timeout 20
jq --arg c "$case_id" '.case = $c' "$(consent_form)" >"$scratch/again.json"
again=$(as ong consent record --form "$scratch/again.json" --json | field .grant_id)
check "by the new one" as ong referral disclose "$referral" --to uls --section needs
check "it arrives, too" until_ok bash -c "amparo --profile '$net/profiles/uls' referral show '$referral' --json | jq -e '[.sections[] | select(.section == \"needs_summary\" and .status == \"open\")] | length == 1'"

step "who may take it out: the supervisor, into a file of her own, on record"
check_exit 4 as ong case open "$case_id" --out "$scratch/no.json" --json
check_exit 4 as ong-admin referral evidence "$referral" --out "$scratch/no.json"
[ ! -e "$scratch/no.json" ] || { echo "a refused opening left a file"; exit 1; }
check "ong opens the case" as ong-supervisor case open "$case_id" --out "$scratch/ong.json" --json
equal "$(field '.unopened' <"$scratch/out")" 0
[ "$(field '.withheld' <"$scratch/out")" -ge 2 ] || { cat "$scratch/out"; exit 1; }
check "with its sections" as ong-supervisor case open "$case_id" --with-sections --out "$scratch/whole.json" --json
grep -q "what the sections say" "$scratch/err"
equal "$(field '.withheld' <"$scratch/out")" 0
check "uls opens it" as uls-supervisor case open "$case_id" --out "$scratch/uls.json"
equal "$(stat -c %a "$scratch/ong.json" "$scratch/whole.json" "$scratch/uls.json" | tr '\n' ' ')" "600 600 600 "
as ong-supervisor access-log --json >"$scratch/out"
equal "$(jq -c '[.records[] | select(.action == "case_opening") | .outcome] | length' "$scratch/out")" 2
# What the sections say is in none but the one that was asked for.
secret=$(jq -r '.sections.identity.family_name' "$forms/referral.json")
disclosed() { jq -r '.envelopes[].content.disclosures[]?' "$1" | tr '_-' '/+' | while read -r line; do echo "$line==" | base64 -d 2>/dev/null || true; done; }
disclosed "$scratch/whole.json" | grep -q "$secret"
! disclosed "$scratch/ong.json" | grep -q "$secret"
! disclosed "$scratch/uls.json" | grep -q "$secret"

step "the auditor finds all of it covered"
amparo-broker export --data "$net/broker" --out "$scratch/export" >/dev/null
pin=$(sed -n 's/^root = "\(.*\)"/\1/p' "$net/profiles/auditor/profile.toml")
replay() { audit replay --export "$scratch/export" --root "$pin" --json "$@"; }
check "with the sections it is proven" replay --case "$scratch/whole.json"
equal "$(jq -c '[.ok, .steps[8].ok, .steps[8].checked, .cases[0].unproven, .cases[0].one_sided]' "$scratch/out")" "[true,null,2,0,2]"
check "its purpose is proven by both ends" replay --case "$scratch/whole.json" --case "$scratch/uls.json"
equal "$(jq -c '[.ok, .cases[0].one_sided, (.cases[0].provisions > 0)]' "$scratch/out")" "[true,0,true]"
check "without them it says so" replay --case "$scratch/ong.json" --case "$scratch/uls.json"
equal "$(jq -c '[.ok, .steps[8].ok, .cases[0].members, (.cases[0].unproven > 0)]' "$scratch/out")" '[true,null,["ong","uls"],true]'
check "a page says it, too" audit replay --export "$scratch/export" --root "$pin" --no-timeline --case "$scratch/whole.json" --html "$scratch/report.html"
grep -q "Opened cases" "$scratch/report.html"
grep -q "opened by ong" "$scratch/out"
check_exit 2 replay --case "$scratch/ong.json" --state "$scratch/state"

step "a forged opening is found at its entry"
first=$(jq '[.envelopes[] | select(.sections | length > 0)][0].leaf' "$scratch/ong.json")
last=$(jq '[.envelopes[] | select(.sections | length > 0)][-1].leaf' "$scratch/ong.json")
forge() { jq -c "$1" "$scratch/${2:-ong}.json" >"$scratch/forged.json"; }
found() { # CODE ENTRY
  check_exit 6 replay --case "$scratch/forged.json"
  equal "$(jq -c --arg c "$1" '[.findings[] | select(.code == $c) | .index] | .[0]' "$scratch/out")" "$2"
}
# A section that no consent covers.
forge "(.envelopes[] | select(.leaf == $first) | .sections) += [\"special\"]"
found not_covered "$first"
# Disclosed after the revocation: by the first consent alone it was.
grant_of() { # GRANT_ID: its place among the grants
  jq -r '.grants[] | split(".")[1]' "$scratch/ong.json" | tr '_-' '/+' | while read -r body; do
    while [ $((${#body} % 4)) != 0 ]; do body=$body=; done
    echo "$body" | base64 -d | jq -r .grant_id
  done | grep -n "$1" | cut -d: -f1
}
second=$(($(grant_of "$again") - 1))
forge ".grants[$second] as \$g | (\$g | split(\"~\")[0]) as \$jwt | .grants |= map(select(. != \$g)) | .anchors |= map(select(.document != \$jwt))"
found after_revocation "$last"
# No consent at all.
forge '.grants = [] | .anchors = []'
found not_covered "$first"
# Another document than the one that was sent, and another than was signed.
forge ".envelopes |= (.[0].document as \$d | map(.document = \$d))"
check_exit 6 replay --case "$scratch/forged.json"
forge "(.envelopes[] | select(.leaf == $first) | .content.disclosures) |= .[1:]" whole
found bad_signature "$first"
forge "(.envelopes[] | select(.leaf == $first) | .sections) |= .[1:]" whole
found bad_signature "$first"
# What it says that it cannot open is no envelope of its own.
forge '.unopened = [0]'
found bad_signature 0
# One end leaves an envelope out, or tells of other sections.
jq -c "del(.envelopes[] | select(.leaf == $first))" "$scratch/uls.json" >"$scratch/silent.json"
check_exit 6 replay --case "$scratch/ong.json" --case "$scratch/silent.json"
equal "$(jq -c '[.findings[] | select(.code == "opening_missing") | .index]' "$scratch/out")" "[$first]"
jq -c "(.envelopes[] | select(.leaf == $first) | .sections) |= .[1:]" "$scratch/uls.json" >"$scratch/less.json"
check_exit 6 replay --case "$scratch/ong.json" --case "$scratch/less.json"
echo "no case" >"$scratch/forged.json"
check_exit 1 replay --case "$scratch/ong.json" --case "$scratch/forged.json"
grep -q "forged.json" "$scratch/err"

step "a document for a court, from either end"
for end in ong uls; do
  check "$end takes it out" as "$end-supervisor" referral evidence "$referral" --out "$scratch/$end-document.json" --json
  entry=$(field .entry <"$scratch/out")
  check "prove" audit prove "$entry" --export "$scratch/export" --root "$pin" --document "$scratch/$end-document.json" --out "$scratch/$end-pack.json"
  check_exit 6 audit prove "$((entry - 1))" --export "$scratch/export" --root "$pin" --document "$scratch/$end-document.json" --out "$scratch/no.json"
  grep -q "the document is not what entry" "$scratch/err"
  check "verify" audit verify "$scratch/$end-pack.json" --root "$pin" --json
  equal "$(jq -c '[.ok, .document.signer, (.document.disclosed | length)]' "$scratch/out")" '[true,"ong",0]'
done
check "with a section" as ong-supervisor referral evidence "$referral" --section needs --out "$scratch/needs.json" --json
check "prove" audit prove "$(field .entry <"$scratch/out")" --export "$scratch/export" --root "$pin" --document "$scratch/needs.json" --out "$scratch/needs-pack.json"
check "verify" audit verify "$scratch/needs-pack.json" --root "$pin" --json
equal "$(jq -c '.document.disclosed | keys' "$scratch/out")" '["needs"]'
check_exit 3 as ong-supervisor referral evidence "$referral" --version 7 --out "$scratch/no.json"
if command -v python3 >/dev/null; then
  awk '/^```python$/{on=1;next} /^```$/{if (on) exit} on' "$root/docs/EVIDENCE.md" >"$scratch/check.py"
  check "public tools believe it" python3 "$scratch/check.py" "$scratch/needs-pack.json" "$pin"
  grep -q "the entry is about this document" "$scratch/out"
fi
