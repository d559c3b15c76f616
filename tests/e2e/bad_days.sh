#!/usr/bin/env bash
# Crashes and outages: nothing acknowledged is lost, nothing arrives twice.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls
form_for uls
pid_of() { jq -r "$1.pid" "$net/localnet.json"; }
kill_hard() { # PID: returns when it is gone, or waits to be collected
  kill -KILL "$1"
  while grep -q ') [^ZX]' "/proc/$1/stat" 2>/dev/null; do sleep 0.05; done
}

step "a send while the broker is away succeeds and goes out when it is back"
kill_hard "$(pid_of .broker)"
referral=$(send_referral uls)
equal "$(as ong referral show "$referral" --json | jq -r '.recipients[0].delivery')" queued
net_up "$net"
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 30

step "the broker is killed while envelopes arrive: each arrives once"
sent=()
for i in 1 2 3 4 5; do
  sent+=("$(send_referral uls)")
  [ "$i" != 3 ] || kill_hard "$(pid_of .broker)"
done
net_up "$net"
for id in "${sent[@]}"; do
  check "$id arrives" as ong referral show "$id" --wait delivered --timeout 30
done
equal "$(as uls referral list --box in --json | jq '.referrals | length')" 6
equal "$(as uls status --json | jq .quarantined)" 0

step "an agent is killed while it receives: it goes on where it stopped"
referral=$(send_referral uls)
kill_hard "$(pid_of .members.uls)"
net_up "$net"
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 30
equal "$(as uls referral list --box in --json | jq '.referrals | length')" 7

step "a second agent with the same directory does not start"
check_exit 1 amparo-agent run --data "$net/agents/uls"

step "the auditor finds nothing wrong in all that"
root_hash=sha256:$(sha256sum "$net/charter/charter-1.json" | cut -d' ' -f1)
check "export" amparo-broker export --data "$net/broker" --out "$scratch/export"
check "replay" amparo-audit replay --export "$scratch/export" --root "$root_hash"
check "an independent reference makes the same root" /usr/bin/python3 "$root/tests/interop/tlog_reference.py" "$scratch/export"
check "online replay" amparo-audit replay --profile "$net/profiles/auditor"
