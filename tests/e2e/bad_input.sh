#!/usr/bin/env bash
# Wrong input: a clear message that names the field, an exit status of its own,
# and nothing sent or lost.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls,cpcj
form_for uls
consent=$(as ong consent record --form "$(consent_form cpcj)" --json | field .grant_id)
send() { as ong referral send --to "${to:-uls}" --form "$1" --consent "$consent" --json; }
says() { # CODE FIELD: what the last line of stderr is about
  equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$1"
  equal "$(tail -n1 "$scratch/err" | jq -r .field)" "$2"
  [ ! -s "$scratch/out" ] || { echo "stdout is not empty"; exit 1; }
}
bad() { jq "$1" "$scratch/referral-uls.json" >"$scratch/bad.json"; }

step "forms: the message names the field and what is expected"
bad '.sections.incident.date = "2026-02-30"'
check_exit 1 send "$scratch/bad.json"; says invalid_form /sections/incident/date
equal "$(tail -n1 "$scratch/err" | jq -r 'has("expected") and (.expected | test("YYYY-MM-DD"))')" true
bad '.sections.horoscope = {}'
check_exit 1 send "$scratch/bad.json"; says invalid_form /sections
equal "$(tail -n1 "$scratch/err" | jq -r '.expected | test("referral/1")')" true
bad '.sections.risk.strangulation = "yes"'
check_exit 1 send "$scratch/bad.json"; says invalid_form /sections/risk/strangulation
printf '{"schema":"referral_form/1",' >"$scratch/bad.json"
check_exit 1 send "$scratch/bad.json"
check "no plaintext in the error" bash -c "! grep -q 'Marta' '$scratch/err'"

step "people and consents"
to=nobody check_exit 3 send "$scratch/referral-uls.json"
jq 'del(.recipients, .first_contact)' "$scratch/referral-uls.json" >"$scratch/plain.json"
to=cpcj check_exit 4 send "$scratch/plain.json"
equal "$(jq -r '.allowed' "$scratch/out")" false
check_exit 3 as ong referral send --to uls --form "$scratch/referral-uls.json" --consent g-aaaaaaaa --json
check "revoke" as ong consent revoke "$consent"
check_exit 4 send "$scratch/referral-uls.json"
check_exit 3 as uls referral show r-aaaaaaaa
check_exit 2 as ong referral send --to uls
check_exit 2 amparo no-such-noun

step "nothing was sent"
equal "$(as ong referral list --json | jq '.referrals | length')" 0
equal "$(as uls referral list --json | jq '.referrals | length')" 0

step "invitations: damaged, used"
invitation=$(amparo-broker invite uls --new-identity --data "$net/broker")
join() { amparo-agent join "$1" --data "$2" --unlock key_file --words-confirmed --json; }
check_exit 1 join "${invitation%?}x" "$scratch/j1"; says invalid_invitation line
check "the whole line joins" join "$invitation" "$scratch/j2"
check_exit 4 join "$invitation" "$scratch/j3"
equal "$(tail -n1 "$scratch/err" | jq -r .code)" invitation_used
