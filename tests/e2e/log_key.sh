#!/usr/bin/env bash
# The log's key changes while the network runs: the same tree and origin, both
# keys for a while, and nobody has to be told but by the charter.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
charter() { local verb=$1; shift; amparo-charter "$verb" --dir "$net/charter" "$@"; }
decide() {
  local key
  for key in 1 2; do check "sign" charter sign --yes; done
  check "publish" charter publish
}
version() { as "$1" status --json | jq .charter.version; }
follow() { # VERSION
  local member
  for member in ong uls; do until_ok bash -c "[ \"\$(amparo --profile '$net/profiles/$member' status --json | jq .charter.version)\" = $1 ]"; done
}
mail_flows() { check "mail flows" as ong referral show "$(send_referral uls)" --wait delivered --timeout 20; }
named() { jq -r .log_key "$net/broker/network.json"; }
signatures() { # of the newest checkpoint, by the log under its own name
  grep -c "^— local " "$net/broker/last-checkpoint"
}
refused() { # COMMAND...
  check_exit 1 "$@" --json
  equal "$(tail -n1 "$scratch/err" | jq -r .code)" invalid_state
}

step "a network under its first log key"
net_up "$net" ong,uls
form_for uls
mail_flows
first=$(named)
base=$(version ong)
root_hash=$(charter verify --json | field .root)
equal "$(signatures)" 1

step "a second key is made; the charter does not name it yet"
check "new key" amparo-broker new-log-key --data "$net/broker" --json
second=$(field .log_key <"$scratch/out")
check_exit 1 amparo-broker new-log-key --data "$net/broker" --json
grep -qF "$second" "$scratch/err"  # who lost the line finds it here
net_down "$net"
refused amparo-broker switch-log-key --data "$net/broker" --at-once  # it has signed nothing
net_up "$net" ong,uls
mail_flows
until_ok bash -c "[ \"\$(grep -c '^— local ' '$net/broker/last-checkpoint')\" = 2 ]"
equal "$(named)" "$first"
net_down "$net"
refused amparo-broker switch-log-key --data "$net/broker" --at-once  # the charter names one
net_up "$net" ong,uls

step "the charter names both: either may be believed"
check "add" charter set log.keys --add "$second"
decide
follow $((base + 1))
mail_flows
refused amparo-broker switch-log-key --data "$net/broker" --at-once  # beside the broker
grep -q "stop the broker" "$scratch/err"
net_down "$net"
refused amparo-broker switch-log-key --data "$net/broker"  # not for a week yet
check "the old one is lost" amparo-broker switch-log-key --data "$net/broker" --at-once
equal "$(named)" "$second"
refused amparo-broker switch-log-key --data "$net/broker" --at-once  # back to the lost one
grep -q older "$scratch/err"
equal "$(named)" "$second"
net_up "$net" ong,uls
mail_flows

step "the charter drops the old one"
# The broker takes no charter without the key that it signs with.
check "wrong way round" charter set log.keys "$first"
for key in 1 2; do check "sign" charter sign --yes; done
check_exit 1 charter publish --json
rm "$net/charter/charter-$((base + 2)).pending.json"
check "drop" charter set log.keys "$second"
decide
follow $((base + 2))
mail_flows
net_down "$net"
rm "$net/broker/log.key"
net_up "$net" ong,uls
mail_flows
until_ok bash -c "[ \"\$(grep -c '^— local ' '$net/broker/last-checkpoint')\" = 1 ]"
equal "$(as uls status --json | jq -c .alarms)" "[]"

step "the auditor replays the whole log"
check "export" amparo-broker export --data "$net/broker" --out "$scratch/export"
check "replay" amparo-audit replay --export "$scratch/export" --root "$root_hash"
