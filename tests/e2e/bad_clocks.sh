#!/usr/bin/env bash
# Machines whose clock is a day off: nothing is lost, nothing wrong is sent, each
# says what is the matter, and goes on when its clock is set right.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
form_for uls
library=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -1)
[ -n "$library" ] || { echo "the package faketime is missing"; exit 1; }

set_clock() { # NAME OFFSET: takes effect at once, in the running program
  echo "$2" >"$scratch/$1.new" && mv "$scratch/$1.new" "$scratch/$1.clock"
}
# Starts a program of the network anew, by a clock of its own.
restart_with_clock() { # NAME JQ_PATH PROGRAM DATA OFFSET
  local pid started; pid=$(jq -r "$2.pid" "$net/localnet.json")
  kill -TERM "$pid"
  while grep -q ') [^ZX]' "/proc/$pid/stat" 2>/dev/null; do sleep 0.05; done
  set_clock "$1" "$5"
  env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$scratch/$1.clock" \
    FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \
    setsid "$3" run --data "$4" >>"$net/logs/$1.log" 2>&1 </dev/null &
  pid=$!
  disown "$pid"
  started=$(sed 's/^.*) //' "/proc/$pid/stat" | cut -d' ' -f20)
  jq --argjson pid "$pid" --arg started "$started" "$2.pid = \$pid | $2.started = \$started" \
    "$net/localnet.json" >"$scratch/state" && cp "$scratch/state" "$net/localnet.json"
}
until_status() { # MEMBER JQ_CONDITION: 60 s at most
  local deadline=$((SECONDS + 60))
  until as "$1" status --json 2>/dev/null | jq -e "$2" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "not so: $1: $2"; as "$1" status --json; exit 1; }
    sleep 0.1
  done
}
off='.sealing_waits_for == "clock" and ([.alarms[].code] | index("clock") != null)'
brokers='.sealing_waits_for == "clock" and ([.alarms[].code] | index("broker_clock") != null)'
right='.sealing_waits_for == null and .alarms == []'
delivery() { as ong referral show "$1" --json | jq -r '.recipients[0].delivery'; }

for offset in +6y -6y; do
  step "the doctor on a machine whose clock is $offset blames the clock first"
  check_exit 1 env LD_PRELOAD="$library" FAKETIME="$offset" FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \
    amparo-agent doctor --data "$net/agents/ong" --json
  equal "$(jq -r '[.checks[] | select(.result == "FAIL") | .check][0]' "$scratch/out")" clock
  equal "$(jq -r '.checks[] | select(.check == "certificate") | .result' "$scratch/out")" warn
  jq -e '.checks[] | select(.check == "certificate") | .text | contains("see clock above")' "$scratch/out" >/dev/null
  jq -e '[.checks[] | select(.check | endswith("_port")) | .hint == "see clock above"] | all' "$scratch/out" >/dev/null
done

for offset in +1d -1d; do
  step "the sender's clock is $offset: what it sends waits, and says so"
  restart_with_clock ong .members.ong amparo-agent "$net/agents/ong" "$offset"
  until_status ong "$off"
  referral=$(send_referral uls)
  equal "$(delivery "$referral")" queued
  check "people read it" bash -c "amparo --profile '$net/profiles/ong' status | grep -q 'NOTHING LEAVES'"
  equal "$(as uls status --json | jq -r '.alarms | length')" 0
  equal "$(as uls referral list --box in --json | jq --arg id "$referral" '[.referrals[] | select(.referral_id == $id)] | length')" 0
  set_clock ong +0
  check "it leaves when the clock is right" as ong referral show "$referral" --wait delivered --timeout 60
  until_status ong "$right"

  step "the recipient's clock is $offset: it is told, and loses nothing"
  restart_with_clock uls .members.uls amparo-agent "$net/agents/uls" "$offset"
  until_status uls "$off"
  referral=$(send_referral uls)
  check "it leaves" as ong referral show "$referral" --wait submitted --timeout 60
  set_clock uls +0
  check "it arrives" as ong referral show "$referral" --wait delivered --timeout 60
  until_status uls "$right and .quarantined == 0"

  step "the broker's clock is $offset: everybody waits"
  restart_with_clock broker .broker amparo-broker "$net/broker" "$offset"
  if [ "$offset" = +1d ]; then
    # The witnesses know whose clock it is.
    until_status ong "$brokers"
    until_status uls "$brokers"
    referral=$(send_referral uls)
    equal "$(delivery "$referral")" queued
  else
    # Its log's time stands still at the last entry: what is new soon no longer
    # fits, and until then nothing is wrong.
    referral=$(send_referral uls)
  fi
  set_clock broker +0
  check "it goes on" as ong referral show "$referral" --wait delivered --timeout 60
  until_status ong "$right"
  until_status uls "$right and .quarantined == 0"
done
equal "$(as uls referral list --box in --json | jq '.referrals | length')" 6

step "the auditor finds nothing wrong in all that"
root_hash=sha256:$(sha256sum "$net/charter/charter-1.json" | cut -d' ' -f1)
check "export" amparo-broker export --data "$net/broker" --out "$scratch/export"
check "replay" amparo-audit replay --export "$scratch/export" --root "$root_hash"
