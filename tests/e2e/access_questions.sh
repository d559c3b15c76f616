#!/usr/bin/env bash
# What an auditor asks of access logs: what was opened after it was taken back,
# here and elsewhere; which disclosure without consent nobody reviewed; what an
# officer opened outside own cases.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
audit() { amparo-audit "$@"; }
ask() { # MEMBER FILTER...: how many records match
  local member=$1; shift
  audit access-log "$scratch/$member.jsonl" --export "$scratch/export" --root "$pin" --json "$@" >"$scratch/out"
  field .matched <"$scratch/out"
}
form_for uls

step "uls opens a referral; the consent is narrowed, then revoked"
referral=$(send_referral uls)
check "uls gets it" as uls referral show "$referral" --wait delivered --timeout 20
check "uls opens safe_contact" as uls referral show "$referral" --section safe_contact
consent=$(as ong consent list --json | field '.consents[0].grant_id')
check "narrowed" as ong consent revoke "$consent" --section risk --member uls
logged() { [ "$(as uls-supervisor access-log --json | field '[.records[] | select(.action == "consent_withdrawn")] | length')" -ge "$1" ]; }
until_ok logged 1
check "uls looks at what it may still see" as uls referral show "$referral" --section safe_contact
check "revoked" as ong consent revoke "$consent"
until_ok logged 3  # the new one, and the one before it

step "ong tells uls of another case without consent"
jq --arg p "$(jq -r .recipients.uls.purpose "$scratch/referral-uls.json")" '.purpose = $p' "$forms/reason.json" >"$scratch/reason.json"
jq '.legal_basis = ["A6-1-a"]' "$scratch/reason.json" >"$scratch/other.json"
check_exit 1 as ong referral send --to uls --form "$scratch/referral-uls.json" --basis imminent_danger_life --reason-file "$scratch/other.json"
grep -q "A6-1-d.*not A6-1-a" "$scratch/err"
check "sent" as ong referral send --to uls --form "$scratch/referral-uls.json" --basis imminent_danger_life --reason-file "$scratch/reason.json" --json
other=$(field .case_id <"$scratch/out")
rings() { as ong-supervisor status --json | jq -e '[.alarms[].code] | index("review_due")'; }
until_ok rings
equal "$(as ong status --json | field '[.alarms[].code] | index("review_due")')" null
check_exit 1 as ong-supervisor status --acknowledge review_due
check_exit 4 as ong review list
check "it is due" as ong-supervisor review list --json
equal "$(field '[.reviews[] | .outcome, .late] | tostring' <"$scratch/out")" '[null,false]'
basis=$(field '.reviews[0].basis_id' <"$scratch/out")
check "as text" as ong-supervisor review list
grep -q "${basis:0:8}" "$scratch/out"
check "its reasons" as ong-supervisor review show "${basis:0:8}"
grep -q "He is armed" "$scratch/out"
check_exit 4 as ong review record "$basis" --outcome justified
check_exit 2 as ong-supervisor review record "$basis" --outcome fine
echo "It could not wait." >"$scratch/note"
check "reviewed" as ong-supervisor review record "$basis" --outcome justified --note-file "$scratch/note" --json
equal "$(field .outcome <"$scratch/out")" justified
check_exit 1 as ong-supervisor review record "$basis" --outcome unjustified
quiet() { ! rings; }
until_ok quiet

step "an officer looks at a case in which it has no part"
check "a supervisor looks" as ong-supervisor consent show "$consent"

step "the export goes to a file of its own, and never over another"
for member in ong uls; do
  check "export" as "$member-supervisor" access-log --export --out "$scratch/$member.jsonl"
  equal "$(stat -c %a "$scratch/$member.jsonl")" 600
done
check_exit 1 as ong-supervisor access-log --export --out "$scratch/ong.jsonl"
cp "$scratch/ong.jsonl" "$scratch/before.jsonl"
check_exit 1 as ong-supervisor case open "$other" --out "$scratch/ong.jsonl"
check_exit 1 as ong-supervisor referral evidence "$referral" --out "$scratch/ong.jsonl"
cmp "$scratch/ong.jsonl" "$scratch/before.jsonl"
check_exit 2 as ong-supervisor access-log --out "$scratch/more.jsonl"
check_exit 2 as ong-supervisor access-log --export --out "$scratch/nowhere/ong.jsonl"
check_exit 2 as ong-supervisor case open "$other" --out "$scratch/nowhere/case.json"
grep -q "$scratch/nowhere/case.json" "$scratch/err"
check_exit 2 as ong-supervisor referral evidence "$referral" --out "$scratch"
net_down "$net"
amparo-broker export --data "$net/broker" --out "$scratch/export" >/dev/null
pin=$(sed -n 's/^root = "\(.*\)"/\1/p' "$net/profiles/auditor/profile.toml")

step "nobody looked at what was taken back, and the log would say so"
equal "$(ask uls --action consent_withdrawn)" 3
equal "$(field '.records[0] | [.supersedes == "'"$consent"'", .from, .officer, (.sections[0] | startswith("risk"))] | tostring' <"$scratch/out")" '[true,"ong","",true]'
equal "$(ask uls --after-revocation)" 0
equal "$(ask ong --after-revocation)" 0
equal "$(field .ok <"$scratch/out")" true
# As it would stand there if uls showed the section all the same.
/usr/bin/python3 - "$scratch/uls.jsonl" "$consent" >"$scratch/late.jsonl" <<'J'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
look = next(l for l in map(json.loads, lines) if l["action"] == "section_open")
look["seq"] = len(lines) - 1
look["sections"] = ["risk"]
assert look["grant_or_basis"] == sys.argv[2]
print("\n".join(lines[:-1] + [json.dumps(look), lines[-1]]))
J
check_exit 6 audit access-log "$scratch/late.jsonl" --after-revocation --json
equal "$(field '.matched' <"$scratch/out")" 1

step "the review is in time, and without it the time runs"
equal "$(ask ong --late-reviews)" 0
field .judged_by <"$scratch/out" | grep -qE "^(anchor|record)$"
ask ong --without-consent >/dev/null
equal "$(field '[.records[].reviewed | select(. != null) | .state, .outcome] | tostring' <"$scratch/out")" '["in_time","justified"]'
/usr/bin/python3 - "$scratch/ong.jsonl" >"$scratch/never.jsonl" <<'J'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
kept = [l for l in lines if '"without_consent_review"' not in l]
last = json.loads(kept[-2])
last["at"] = "2036-01-01T00:00:00Z"
print("\n".join(kept[:-2] + [json.dumps(last), kept[-1]]))
J
check_exit 6 audit access-log "$scratch/never.jsonl" --late-reviews
grep -q "not reviewed.*LATE" "$scratch/out"
grep -q "newest record" "$scratch/out"

step "looks outside own cases, by rule and by list"
id() { jq -r "select(.action == \"$1\") | .officer" "$scratch/ong.jsonl" | head -n 1; }
ana=$(id referral_send)
sofia=$(id consent_show)
equal "$(ask ong --officer "$ana" --outside-own-cases)" 0
[ "$(ask ong --officer "$sofia" --outside-own-cases)" -ge 1 ]
field '.records[].case' <"$scratch/out" | sort -u >"$scratch/cases"
equal "$(ask ong --officer "$sofia" --outside-own-cases --own-cases "$scratch/cases")" 0
refused() { local status=$1; shift; check_exit "$status" audit access-log "$scratch/ong.jsonl" --outside-own-cases "$@"; }
refused 2
refused 3 --officer o-zzzzzzzz
: >"$scratch/empty"
refused 2 --officer "$sofia" --own-cases "$scratch/empty"
echo "Maria" >"$scratch/names"
refused 2 --officer "$sofia" --own-cases "$scratch/names"
grep -q "line 1" "$scratch/err"
echo "OK"
