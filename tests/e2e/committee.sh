#!/usr/bin/env bash
# The life of a network, by a committee of five institutions whose keys are
# never together: each on a machine (directory) of its own.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
bin=$AMPARO_BIN
machines=$scratch/machines
at() { local machine=$1; shift; amparo-charter "$@" --dir "$machines/$machine"; }
version_of() { at "$1" verify --json | field .versions; }
pending() { ls "$machines/$1"/charter-*.pending.json; }
# The pending file goes from machine to machine, each signs; the first one,
# which holds the draft, gets it back and publishes; the others fetch.
sign_round() { # MACHINE...
  local last='' machine
  for machine in "$@"; do
    [ -z "$last" ] || check "$machine takes it in" at "$machine" merge "$(pending "$last")"
    check "$machine signs" at "$machine" sign --yes
    last=$machine
  done
  [ "$1" = "$last" ] || check "back to $1" at "$1" merge "$(pending "$last")"
}
publish_at() { # MACHINE
  check "publish" at "$1" publish --broker "$enrol"
  local machine
  for machine in gnr mp uls cpcj ong; do
    [ "$machine" = "$1" ] || check "$machine fetches" at "$machine" fetch --broker "$enrol"
  done
}
decide() { sign_round "$@"; publish_at "$1"; }
charter_version() { as "$1" status --json | jq .charter.version; }
follow() { # VERSION MEMBER...
  local want=$1 member; shift
  for member in "$@"; do until_ok bash -c "[ \"\$(amparo --profile '$net/profiles/$member' status --json | jq .charter.version)\" = $want ]"; done
}

# The command is refused with this exit status for this reason.
refused_as() { # STATUS CODE COMMAND...
  local want=$1 code=$2; shift 2
  check_exit "$want" "$@"
  equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$code"
}

step "each institution makes its key on its own machine"
key=0
for machine in gnr mp uls cpcj ong; do
  key=$((key + 1))
  check "G$key" at "$machine" new-key "G$key" "$machine" --local
  equal "$(ls "$machines/$machine/keys" | tr '\n' ' ')" "G$key.key G$key.pass G$key.public "
done
refused_as 1 conflict at gnr new-key G1 gnr --local --json

step "ong drafts, three of five sign, the network is founded"
. "$root/deploy/localnet.d/processes.sh"
. "$root/deploy/localnet.d/founding.sh"
dir=$net members=ong,uls
# As founding.sh founds a network, but by a committee of several machines.
charter() {
  local verb=$1 extra=(); shift
  if [ "$verb" = init ]; then
    set -- "${@/--local/--words-confirmed}" --member gnr:police --member mp:prosecutor --member cpcj:child_protection
    for machine in gnr mp uls cpcj ong; do extra+=(--governance-key "$(ls "$machines/$machine"/keys/*.public)"); done
  fi
  at ong "$verb" "$@" "${extra[@]}" >>"$dir/logs/charter.log"
  [ "$verb" != init ] || at ong set trust_delay_h 0 >>"$dir/logs/charter.log"
}
sign_and_publish() {
  for machine in gnr mp uls cpcj; do jq -c 'del(.founding_token)' "$dir/broker/network.json" >"$machines/$machine/network.json"; done
  decide ong gnr uls
}
nets+=("$net")
found_network 2>>"$scratch/founding.log"
wait_ready
equal "$(version_of mp)" 2
equal "$(find "$machines" -name '*.key' | sed 's|.*machines/||' | sort | tr '\n' ' ')" \
  "cpcj/keys/G4.key gnr/keys/G1.key mp/keys/G2.key ong/keys/G5.key uls/keys/G3.key "
form_for uls
check "mail flows" as ong referral show "$(send_referral uls)" --wait delivered --timeout 20
root_hash=$(at ong verify --json | field .root)

step "a member joins later"
check "join" amparo-agent join "$(amparo-broker invite gnr --data "$net/broker")" --data "$net/agents/gnr" --unlock key_file --words-confirmed
check "add" at ong add-member gnr --broker "$enrol" --words-confirmed
decide ong mp cpcj
follow 3 ong uls
equal "$(as ong directory show gnr --json | field .status)" active

step "uls is suspended: nothing goes to it, nothing comes from it"
before=$(send_referral uls)
check "what was sent before arrives" as ong referral show "$before" --wait delivered --timeout 20
check "suspend" at gnr suspend-member uls
check "gnr has no agent yet, so ong alone can witness" at gnr set witness.quorum 1
equal "$(at gnr diff --json | jq '[.changes[] | select(contains("nothing is sent to uls"))] | length')" 1
decide gnr mp ong
follow 4 ong
consent=$(as ong consent record --form "$(consent_form)" --json | field .grant_id)
send() { as ong referral send --to uls --form "$scratch/referral-uls.json" --consent "$consent" --json; }
check_exit 4 send
equal "$(jq -c '[.recipients[].sections[].reason] | unique' "$scratch/out")" '["suspended"]'
jq '.recipients = {ong: {purpose: "support"}} | .first_contact = "ong"' "$forms/referral.json" >"$scratch/back.json"
jq '.provisions |= (.[:1] | map(.recipients = [{member: "ong"}])) | .exclusions = []' "$forms/consent.json" >"$scratch/back-consent.json"
back=$(as uls consent record --form "$scratch/back-consent.json" --json | field .grant_id)
send_back() { as uls referral send --to ong --form "$scratch/back.json" --consent "$back" --json; }
refused_as 4 member_suspended send_back
refused_as 1 invalid_state at gnr suspend-member mp --json  # it has not joined
equal "$(as ong directory show uls --json | field .status)" suspended
amparo-agent doctor --data "$net/agents/uls" --json >"$scratch/doctor" || true
check "the doctor says the same of a charter" jq -e '.checks[] | select(.check == "charter" and .result == "warn") | .hint | contains("until the committee reinstates this member: call it; nothing here is wrong")' "$scratch/doctor"

step "uls is reinstated under the keys it has"
check "reinstate" at cpcj reinstate uls
decide cpcj gnr mp
follow 5 ong uls
until_ok bash -c "amparo --profile '$net/profiles/ong' directory show uls --json | jq -e .reachable"
check "mail flows again" as ong referral show "$(send | field .referral_id)" --wait delivered --timeout 20

sent_back=$(send_back | field .referral_id)
check "and back" as uls referral show "$sent_back" --wait delivered --timeout 20

step "in an emergency two institutions stop uls at once"
check "gnr signs" at gnr suspend-now uls --yes
refused_as 1 invalid_state at gnr publish-suspension uls --broker "$enrol" --json  # one is too few
check "mp takes it in" at mp merge "$machines/gnr/suspension-uls.pending.json"
check "mp signs" at mp suspend-now uls --yes
check "publish" at mp publish-suspension uls --broker "$enrol"
until_ok bash -c "amparo --profile '$net/profiles/ong' directory show uls --json | jq -e '.status == \"suspended\"'"
equal "$(as ong status --json | jq -r '[.alarms[] | .code + " " + .member] | join(",")')" "suspended uls"
check_exit 4 send
until_ok bash -c "amparo --profile '$net/profiles/uls' status --json | jq -e '.member_status == \"suspended\"'"
amparo-agent doctor --data "$net/agents/uls" --json >"$scratch/doctor" || true
equal "$(jq -r '[.checks[] | select(.result == "FAIL") | .check] | join(" ")' "$scratch/doctor")" ""
check "the doctor says whom to call" jq -e '.checks[] | select(.check == "suspended" and .result == "warn") | .hint | contains("until the committee reinstates this member: call it; nothing here is wrong")' "$scratch/doctor"
refused_as 4 member_suspended send_back
equal "$(charter_version ong)" 5  # no charter changed
# Nobody else beside it, and it not again.
check "gnr signs" at gnr suspend-now ong --yes
check "mp takes it in" at mp merge "$machines/gnr/suspension-ong.pending.json"
check "mp signs" at mp suspend-now ong --yes
refused_as 1 invalid_state at mp publish-suspension ong --broker "$enrol" --json
check "mp signs" at mp suspend-now uls --yes
check "gnr takes it in" at cpcj merge "$machines/mp/suspension-uls.pending.json"
check "cpcj signs" at cpcj suspend-now uls --yes
refused_as 1 invalid_state at cpcj publish-suspension uls --broker "$enrol" --json
tail -n1 "$scratch/err" | jq -e '.message | contains("uls is suspended already, until")' >/dev/null
equal "$(at mp show --json | jq -r '[.suspensions[].member] | join(" ")')" uls

step "the committee meets and lifts it"
# At gnr, where it was neither published nor kept.
[ ! -e "$machines/gnr/suspension-uls.json" ]
check "reinstate" at gnr reinstate uls
equal "$(at gnr diff --json | jq '[.changes[] | select(contains("ends a suspension of uls"))] | length')" 1
decide gnr mp cpcj
follow 6 ong uls
until_ok bash -c "amparo --profile '$net/profiles/ong' directory show uls --json | jq -e .reachable"
check "mail flows again" as ong referral show "$(send | field .referral_id)" --wait delivered --timeout 20
equal "$(as ong status --json | jq -c .alarms)" "[]"

step "mp lost its key: the others put another one in its place"
rm "$machines/mp/keys/G2.key"
refused_as 1 invalid_state at mp sign --yes --json
check "a new key" at mp new-key G6 mp --local
check "taken in" at ong add-key "$machines/mp/keys/G6.public" --replaces G2 --words-confirmed
decide ong gnr cpcj
check "set" at ong set title "Protocolo revisto"
check "a list grows" at ong set purposes --add statistics
check "another shrinks" at ong set bases --remove LED-8
check "in words" at ong set deadlines urgent decide 48h
decide ong mp uls  # G6 decides now
equal "$(at mp show --json | jq -c '.charter | [.purposes[-1], (.bases | index("LED-8")), .deadlines.urgent.decide_h]')" '["statistics",null,48]'
equal "$(at mp show --json | field '[.charter.governance.keys[].id] | join(" ")')" "G1 G6 G3 G4 G5"

step "the threshold goes up: as many as it asks for have to agree"
check "set" at ong set governance.threshold 4
sign_round ong gnr mp
refused_as 1 invalid_state at ong publish --broker "$enrol" --json  # three are enough for the old, not for the new
check "cpcj" at cpcj merge "$(pending ong)"
check "cpcj signs" at cpcj sign --yes
check "back" at ong merge "$(pending cpcj)"
publish_at ong
follow 9 ong uls

step "the broker refuses what the keys did not decide"
mkdir -p "$machines/fork/keys"
cp "$machines/ong/network.json" "$machines/fork/"
# A fork, by enough keys of version 1: a second version 2.
cp "$machines/ong/charter-1.json" "$machines/fork/"
cp "$machines"/{gnr,uls,cpcj,ong}/keys/* "$machines/fork/keys/"
cp "$machines/ong/draft.toml" "$machines/fork/draft.toml"
check "the draft of a fork" at fork set governance.threshold 1
for k in G1 G3 G4; do check "sign $k" at fork sign --key "$k" --yes; done
refused_as 1 conflict at fork publish --broker "$enrol" --json
equal "$(tail -n1 "$scratch/err" | jq -r '.message')" "version 2 was published with other content than this one"
tail -n1 "$scratch/err" | jq -e '.hint | contains("amparo-charter fetch")' >/dev/null
# Another committee's network of the same name and log.
check "forge" at forger init --network "$machines/ong/network.json" --local --member eve:police --member mal:health
for k in 1 2; do check "sign" at forger sign --yes; done
refused_as 1 conflict at forger publish --broker "$enrol" --json
# The next version, signed by one committee, called the other's.
cp "$machines/forger/charter-1.pending.json" "$machines/forger/charter-1.json"
check "the next" at forger set title Forged
for k in 1 2; do check "sign" at forger sign --yes; done
for version in 2 3 4 5 6 7 8 9; do
  [ "$version" = 2 ] || { check "on" at forger set title "Forged $version"; for k in 1 2; do check "sign" at forger sign --yes; done; }
  mv "$machines/forger/charter-$version.pending.json" "$machines/forger/charter-$version.json"
done
check "the tenth" at forger set title "Forged 10"
for k in 1 2; do check "sign" at forger sign --yes; done
refused_as 6 verification_failed at forger publish --broker "$enrol" --json
# A machine that is behind does not sign on an old version.
cp "$machines/fork"/charter-2.pending.json "$scratch/old.pending.json"
refused_as 1 conflict at ong merge "$scratch/old.pending.json" --json
# Nobody was moved by it.
equal "$(charter_version ong)" 9
equal "$(at gnr verify --root "$root_hash" --json | field .versions)" 9
check_exit 6 at gnr verify --root "sha256:$(printf '%064d' 0)"

step "uls leaves for good"
check "withdraw" at ong withdraw uls
check "its key goes with it" at ong remove-key G3
decide ong gnr mp cpcj
follow 10 ong
check_exit 3 send
refused_as 1 invalid_state at ong reinstate uls --json
equal "$(as ong referral show "$before" --json | jq -r '.recipients[0].member')" uls

step "a member that has left still proves what it sent"
until_ok bash -c "amparo --profile '$net/profiles/uls' status --json | jq -e '.member_status == \"left\"'"
check "its supervisor takes the document out" as uls-supervisor referral evidence "$sent_back" --section identity --out "$scratch/document.json" --json
entry=$(field .entry <"$scratch/out")
check "its own copy of the log" amparo-agent export-mirror --data "$net/agents/uls" --out "$scratch/mirror"
check "prove" amparo-audit prove "$entry" --document "$scratch/document.json" --export "$scratch/mirror" --root "$root_hash" --out "$scratch/left.json"
check "the message" amparo-audit prove "$(as uls referral show "$sent_back" --json | jq '.recipients[0].log_index')" --export "$scratch/mirror" --root "$root_hash" --out "$scratch/left-message.json"
for pack in left left-message; do
  check "verify" amparo-audit verify "$scratch/$pack.json" --root "$root_hash"
  grep -q "Result: OK" "$scratch/out"
  check_exit 1 grep -q "NOT TO BE BELIEVED" "$scratch/out"
done

step "the auditor replays the whole life"
check "export" amparo-broker export --data "$net/broker" --out "$scratch/export"
check "replay" amparo-audit replay --export "$scratch/export" --root "$root_hash"
# Also the charter that lifted the suspension, after it and by charters alone.
lifted=$(amparo-audit replay --export "$scratch/export" --root "$root_hash" --json | jq '.timeline[] | select(.event == "charter" and .detail == "version 6") | .index')
suspended=$(amparo-audit replay --export "$scratch/export" --root "$root_hash" --json | jq '[.timeline[] | select(.event == "suspension")][0].index')
[ "$suspended" -lt "$lifted" ]
for entry in "$suspended" "$lifted"; do
  check "prove $entry" amparo-audit prove "$entry" --export "$scratch/export" --root "$root_hash" --out "$scratch/pack.json"
  check "verify" amparo-audit verify "$scratch/pack.json" --root "$root_hash"
done
