#!/usr/bin/env bash
# What a referral says is nowhere but with those it is for: not with the broker,
# on disk, in logs, metrics or memory; not in clear on any agent's disk.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
look() { /usr/bin/python3 -B "$root/tests/e2e/canary.py" "$@"; }
pid_of() { jq -r "$1.pid" "$net/localnet.json"; }
canary="Canario-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"

step "a referral with the canary in its sections is sent, delivered, opened"
form_for uls
form=$scratch/referral-uls.json
jq --arg c "$canary" '.sections.identity.family_name = $c | .sections.safe_contact.code_word = $c
  | .sections.health.injuries = $c | .sections.narrative.history = $c' "$form" >"$form.new" && mv "$form.new" "$form"
referral=$(send_referral uls)
check "it is delivered" as ong referral show "$referral" --wait delivered --timeout 30

step "control: the recipient's officer reads it, and the search finds it in the form"
as uls referral show "$referral" --section safe_contact --json >"$scratch/shown.json"
check_exit 1 look files "$canary" "$scratch/shown.json"
check_exit 1 look files "$canary" "$form"
for shift in "" a ab; do
  printf '%s' "$shift$canary." | base64 -w0 >"$scratch/base64"
  check_exit 1 look files "$canary" "$scratch/base64"
  tr '+/' '-_' <"$scratch/base64" >"$scratch/base64url"
  check_exit 1 look files "$canary" "$scratch/base64url"
done
step "control: the search finds it in the memory of a process that has it"
CANARY="$canary" sleep 60 & holder=$!
check_exit 1 look memory "$canary" "$holder"
kill "$holder"
check "it is opened" as ong referral show "$referral" --wait opened --timeout 30

step "the broker has it neither on disk, in metrics nor in memory"
check "broker's data" look files "$canary" "$net/broker"
metrics=$(cat "$net/broker/metrics.addr")
/usr/bin/python3 - "$metrics" >"$scratch/metrics" <<'EOT'
import sys, urllib.request
print(urllib.request.urlopen(f"http://{sys.argv[1]}/metrics").read().decode())
EOT
check "metrics are there" grep -q '^amparo' "$scratch/metrics"
check "metrics" look files "$canary" "$scratch/metrics"
# Not dumpable: only root reads it, and the test is worth nothing without.
check "broker's memory" look memory "$canary" "$(pid_of .broker)"

step "no log has it"
check "logs" look files "$canary" "$net/logs"

step "no agent has it in clear on its disk, running or stopped"
check "agents' data" look files "$canary" "$net/agents"
net_down "$net"
check "agents' data" look files "$canary" "$net/agents"
check "broker's data" look files "$canary" "$net/broker"
check "all else in the network's folder" look files "$canary" "$net"
