#!/usr/bin/env bash
# "We take in Casa 5": from the committee's word to mail that arrives, by
# documented verbs only, in a network that runs for long.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
form_for uls
enrol=$(jq -r .broker.enrol_address "$net/localnet.json")
charter() { amparo-charter "$@" --dir "$net/charter"; }
round() { # both institutions sign, then it is published
  check "the first signs" charter sign --yes
  check "the second signs" charter sign --yes
  check "publish" charter publish --broker "$enrol"
}
refused() { # STATUS CODE COMMAND...
  check_exit "$1" "${@:3}" --json
  equal "$(jq -r .code "$scratch/err")" "$2"
}
status_is() { as "$1" status --json | jq -e --arg s "$2" '.member_status == $s'; }
started=$SECONDS

step "who it is has to be right"
refused 2 usage charter add-member casa5:ngo
check "and the kinds are listed" jq -e '.expected | contains("shelter") and contains("police")' "$scratch/err"
refused 2 usage charter add-member Casa5:shelter
refused 1 conflict charter add-member uls:shelter
refused 3 unknown_member charter add-member casa5
check "it says how" jq -e '.hint | contains("casa5:KIND")' "$scratch/err"
refused 3 unknown_member amparo-broker invite casa5 --data "$net/broker"

step "the committee takes it in: invited, without keys"
check "add-member" charter add-member 'casa5:shelter:Casa 5'
check "in plain words" bash -c "amparo-charter diff --dir '$net/charter' | grep -q 'New: member casa5 (Casa 5, shelter), invited'"
round
refused 3 not_found charter add-member casa5 --broker "$enrol"  # it has not joined

step "it joins by one line, and waits"
until_ok amparo-broker invite casa5 --data "$net/broker"
invitation=$(amparo-broker invite casa5 --data "$net/broker")
data=$net/agents/casa5
check "join" amparo-agent join "$invitation" --data "$data" --unlock key_file --words-confirmed --json
told=$(jq -r .request_words "$scratch/out")
edit() { jq "$@" "$net/localnet.json" >"$scratch/state" && cp "$scratch/state" "$net/localnet.json"; }
setsid amparo-agent run --data "$data" >>"$net/logs/casa5.log" 2>&1 </dev/null &
pid=$!
disown "$pid"
edit --argjson pid "$pid" --arg started "$(sed 's/^.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" --arg s "$data/agent.sock" \
  '.members.casa5 = {pid: $pid, started: $started, socket: $s, kind: "shelter"}'
mkdir -p "$net/profiles/casa5" "$net/profiles/casa5-admin"
printf 'socket = "%s"\nofficer = "%s"\nmember = "casa5"\n' "$data/agent.sock" admin >"$net/profiles/casa5-admin/profile.toml"
printf 'socket = "%s"\nofficer = "%s"\nmember = "casa5"\n' "$data/agent.sock" officer >"$net/profiles/casa5/profile.toml"
until_ok as casa5-admin officer add officer --role officer --uid "$(id -u)"
until_ok status_is casa5 invited
doctor_of() { amparo-agent doctor --data "$data" --json >"$scratch/doctor" || true; }
doctor_of
check "the doctor says for whom it waits" jq -e '.checks[] | select(.check == "charter") | .hint | contains("committee takes members in")' "$scratch/doctor"

step "a line that was used is of no use"
check_exit 4 amparo-agent join "$invitation" --data "$scratch/thief" --unlock key_file --words-confirmed --json
equal "$(jq -r .code "$scratch/err")" invitation_used

step "by phone: the committee hears the words that the agent showed"
check "take its keys in" charter add-member casa5 --broker "$enrol" --words-confirmed --json
equal "$(jq -r .words "$scratch/out")" "$told"
check "its agent is a witness, too" charter set witness.quorum 2
round

step "it is on line"
reachable() { as "$1" directory show "$2" --json | jq -e .reachable; }
for other in ong uls; do
  until_ok reachable "$other" casa5
  until_ok reachable casa5 "$other"
done
until_ok status_is casa5 active
[ $((SECONDS - started)) -lt 300 ] || { echo "it took $((SECONDS - started)) s"; exit 1; }
doctor_of
equal "$(jq -r '[.checks[] | select(.result != "ok") | .check] | join(" ")' "$scratch/doctor")" ""

step "mail goes to it and comes from it"
jq '.recipients = {casa5: .recipients.uls} | .first_contact = "casa5"' "$forms/referral.json" >"$scratch/referral-casa5.json"
jq '.provisions |= (.[:1] | map(.recipients = [{member: "casa5"}])) | .exclusions = []' "$forms/consent.json" >"$scratch/casa5-consent.json"
consent=$(as ong consent record --form "$scratch/casa5-consent.json" --json | field .grant_id)
referral=$(as ong referral send --to casa5 --form "$scratch/referral-casa5.json" --consent "$consent" --json | field .referral_id)
check "delivered" as ong referral show "$referral" --wait delivered --timeout 30
check "accepted" as casa5 referral accept "$referral"
check "and ong sees it" as ong referral show "$referral" --wait accepted --timeout 30

step "who left does not come back by an old request"
check "withdraw" charter withdraw casa5
check "quorum" charter set witness.quorum 2
round
refused 1 invalid_state charter add-member casa5 --broker "$enrol" --words-confirmed
refused 1 conflict charter add-member casa5:shelter
until_ok status_is casa5 left
doctor_of
check "the doctor says that it left" jq -e '.checks[] | select(.check == "charter") | .hint | contains("for good")' "$scratch/doctor"
