#!/usr/bin/env bash
# The life of an agent's keys: rotated, revoked, with the broker away, and mail
# that flows after each.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
form_for uls
data=$net/agents/ong
keys() { amparo-agent "$@" --data "$data"; }
error_is() { equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$1"; }
flows() { # DESCRIPTION
  local referral
  referral=$(send_referral uls)
  check "$1: delivered" as ong referral show "$referral" --wait delivered --timeout 30
  check "$1: accepted" as uls referral accept "$referral"
  check "$1: answered" as ong referral show "$referral" --wait accepted --timeout 30
}
in_force() { keys keys --json | jq -r '.keys[] | select(.in_force) | .kid'; }

step "an admin replaces the keys, and the old one vouches"
first=$(in_force)
check_exit 4 keys rotate-keys --officer officer --json; error_is role_missing
check_exit 4 keys rotate-keys --officer nobody --json; error_is not_an_officer
check "rotate" keys rotate-keys --json
rotated=$(jq -r .signing.kid "$scratch/out")
equal "$(jq -r '[.schema, .signing.vouched_by, .words_needed, .revoked] | join(" ")' "$scratch/out")" "rotate_keys/1 $first false "
[ "$(jq .prekey.leaf "$scratch/out")" -gt "$(jq .signing.leaf "$scratch/out")" ]
equal "$(in_force)" "$rotated"
flows "after a rotation"
check "in the access log" bash -c "amparo --profile '$net/profiles/ong-supervisor' access-log --json | grep -q keys_rotate"

step "a key that was stolen is revoked"
check "revoke" keys revoke-key current --json
equal "$(jq -r '[.revoked.kid, .signing.vouched_by] | join(" ")' "$scratch/out")" "$rotated "
words=$(jq -r .key_words "$scratch/out")
until_ok equal "$(as uls directory show ong --json | field .key_words)" "$words"
flows "after a revocation"
check "an old one by its name" keys revoke-key "${first#sha256:}" --json
equal "$(jq -r .revoked.kid "$scratch/out")" "$first"
check "once more is no error" keys revoke-key "$first" --json
check_exit 3 keys revoke-key 0123456789 --json; error_is not_found
check_exit 2 keys revoke-key abc --json; error_is usage
check "in words" keys revoke-key
grep -q "^key words  " "$scratch/out"
equal "$(as ong status --json | jq -c .alarms)" '[]'

step "without the broker the order is kept"
broker=$(jq .broker.pid "$net/localnet.json")
kill -STOP "$broker"
away() { equal "$(as ong status --json | jq .broker.reachable)" false; }
check_exit 1 keys rotate-keys --timeout 0 --json; error_is timed_out
kill -CONT "$broker"
before=$(in_force)
check "the same command waits for it" keys rotate-keys --json
kill "$broker"
until_ok away
check_exit 5 keys revoke-key --timeout 0 --json; error_is broker_unreachable
check_exit 1 keys rotate-keys --timeout 0 --json; error_is invalid_state
check "the broker is back" "$root/deploy/localnet" up --dir "$net"
check "done by itself" keys revoke-key --json
flows "after an outage"

step "a restarted agent knows its own keys"
net_down "$net"; net_up "$net"
flows "after a restart"
equal "$(as ong status --json | jq -c .alarms)" '[]'
net_down "$net"
check_exit 5 keys keys --json; error_is agent_unreachable

step "doctor says what is wrong, and what to do"
check_exit 1 amparo-agent doctor --data "$scratch/none" --json
equal "$(jq -c '[.schema, .checks[0].check, .checks[0].result]' "$scratch/out")" '["doctor/1","joined","FAIL"]'
verdict() { jq -r --arg c "$1" '.checks[] | select(.check == $c) | .result' "$scratch/out"; }
text_of() { jq -r --arg c "$1" '.checks[] | select(.check == $c) | .text' "$scratch/out"; }
net_up "$net"
healthy() { keys doctor --json; }
until_ok healthy
check "green beside the running agent" keys doctor --json
equal "$(jq -r '[.checks[].result] | unique | join(" ")' "$scratch/out")" ok
check "in words" keys doctor
grep -q "^ok    agent  " "$scratch/out"
agent=$(jq .members.ong.pid "$net/localnet.json")
kill -STOP "$agent"
check_exit 1 keys doctor --json
kill -CONT "$agent"
equal "$(verdict agent)" FAIL
text_of agent | grep -q "does not answer"
chmod 644 "$data/keystore.pass"
check_exit 1 keys doctor --json
equal "$(verdict directory) $(verdict keystore)" "FAIL FAIL"
chmod 600 "$data/keystore.pass"
kill "$(jq .broker.pid "$net/localnet.json")"
until_ok away
check_exit 1 keys doctor --json
equal "$(verdict enrolment_port) $(verdict members_port) $(verdict clock) $(verdict keystore)" "FAIL FAIL warn ok"
text_of enrolment_port | grep -q "nobody listens"
net_down "$net"
check_exit 1 keys doctor --json
equal "$(verdict agent) $(verdict certificate) $(verdict disk)" "FAIL ok ok"
mv "$data/network.json" "$scratch/network.json"
for content in '{}' ''; do
  [ -z "$content" ] || echo "$content" >"$data/network.json"
  check_exit 2 amparo-agent run --data "$data" --json
  equal "$(tail -n1 "$scratch/err" | jq -r '[(.message | contains("network.json is")), (.hint | contains("put it back"))] | all')" true
  check_exit 1 keys doctor --json
  text_of joined | grep -q "network.json is"
  rm -f "$data/network.json"
done
mv "$scratch/network.json" "$data/network.json"
