#!/usr/bin/env bash
# Five agents watch the log; four are a quorum. One that is away stops nobody,
# two keep new keys waiting and no mail; the auditor counts with them.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net"
form_for uls
status_of() { as "$1" status --json | jq -e "$2" >/dev/null; }
witnessed() { as ong referral show "$1" --json | jq -e '[.recipients[].witnessed] | all' >/dev/null; }
pid_of() { jq -r ".members[\"$1\"].pid" "$net/localnet.json"; }
end_agent() { kill "$(pid_of "$1")"; while kill -0 "$(pid_of "$1")" 2>/dev/null; do sleep 0.05; done; }

step "what leaves is seen by a quorum"
referral=$(send_referral uls)
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 20
until_ok witnessed "$referral"
until_ok status_of ong '.log.witnessed_size > 0 and .alarms == []'

step "one agent is down: the others go on"
end_agent mp
referral=$(send_referral uls)
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 20
until_ok witnessed "$referral"
check "a new key comes into force" amparo-agent rotate-keys --data "$net/agents/ong"

step "two are down: mail goes on, and says that nobody saw it"
end_agent gnr
referral=$(send_referral uls)
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 20
check_exit 1 witnessed "$referral"

step "they come back"
net_up "$net"
until_ok witnessed "$referral"
until_ok status_of gnr '.alarms == []'

step "the auditor counts the witnesses"
root_hash=sha256:$(sha256sum "$net/charter/charter-1.json" | cut -d' ' -f1)
check "export" amparo-broker export --data "$net/broker" --out "$scratch/export"
check "replay" amparo-audit replay --export "$scratch/export" --root "$root_hash" --json
equal "$(jq '.quorum == 4 and .cosignatures >= 4 and .ok' "$scratch/out")" true
check "from the broker, too" amparo-audit replay --profile "$net/profiles/auditor" --json
equal "$(jq '.quorum == 4 and .cosignatures >= 4 and .ok' "$scratch/out")" true
# A log without its witnesses' word is not accepted.
grep -v "/witness/mp\|/witness/gnr" "$scratch/export/checkpoint" >"$scratch/fewer" && cp "$scratch/fewer" "$scratch/export/checkpoint"
check_exit 6 amparo-audit replay --export "$scratch/export" --root "$root_hash" --json
equal "$(jq '[.findings[].code] | index("quorum_missing") != null' "$scratch/out")" true
