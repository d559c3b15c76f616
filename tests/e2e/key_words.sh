#!/usr/bin/env bash
# A network that trusts no new key at once, as real ones do: nothing goes to a
# member, and nothing that it sent counts, until its key words were compared.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
form_for uls
charter_dir=$net/charter

step "the committee raises the delay for new keys to a day"
sed -i 's/^trust_delay_h *=.*/trust_delay_h = 24/' "$charter_dir/draft.toml"
check "a charter that says so" grep -q '^trust_delay_h = 24' "$charter_dir/draft.toml"
keys=("$charter_dir"/keys/*.key)
for ((i = 0; i < ${#keys[@]} / 2 + 1; i++)); do
  check "sign" amparo-charter sign --dir "$charter_dir" --yes
done
check "publish" amparo-charter publish --dir "$charter_dir" --broker "$(jq -r .broker.enrol_address "$net/localnet.json")"
follows() { equal "$(as "$1" status --json | jq .charter.version)" 3; }
until_ok follows ong
until_ok follows uls

step "ong may not send before it called uls"
consent=$(as ong consent record --form "$(consent_form)" --json | field .grant_id)
send() { as ong referral send --to uls --form "$scratch/referral-uls.json" --consent "$consent" --json; }
check_exit 4 send
equal "$(tail -n1 "$scratch/err" | jq -r .code)" key_too_new
equal "$(as ong directory show uls --json | jq .key_confirmed)" false
check_exit 1 bash -c "echo n | amparo --profile '$net/profiles/ong' directory confirm uls"
check_exit 4 as ong-admin directory confirm uls --words-confirmed
check "the call" bash -c "echo y | amparo --profile '$net/profiles/ong' directory confirm uls"
equal "$(grep -c "$(as uls directory show uls --json | field .key_words)" "$scratch/err")" 1  # shown
referral=$(send | field .referral_id)

step "what ong sent waits at uls, and says for whom"
check "it arrived" as ong referral show "$referral" --wait delivered --timeout 20
equal "$(as uls inbox --json | jq -c '[.items, .held[0].from, .held[0].priority]')" '[[],"ong","urgent"]'
check_exit 3 as uls referral show "$referral"
check "in words" bash -c "amparo --profile '$net/profiles/uls' inbox | grep -q 'directory confirm ong'"

step "the call lets it in"
check "the call" as uls directory confirm ong --words-confirmed
check "read" as uls referral show "$referral"
check "accept" as uls referral accept "$referral"
check "accepted" as ong referral show "$referral" --wait accepted --timeout 20
equal "$(as uls inbox --json | jq '.held | length')" 0
equal "$(as uls status --json | jq -c '[.held, .quarantined]')" '[0,0]'
