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
step "a charter comes under the witnesses of the one before"
charter() { local verb=$1; shift; amparo-charter "$verb" --dir "$net/charter" "$@"; }
decide() {
  local key
  for key in 1 2 3; do check "sign" charter sign --yes; done
  check "publish" charter publish
}
follow() { until_ok status_of ong ".charter.version == $1"; until_ok status_of mp ".charter.version == $1"; }
base=$(as ong status --json | jq .charter.version)
check "all five shall cosign" charter set witness.quorum 5
decide
follow $((base + 1))
check "and four are enough again" charter set witness.quorum 4
decide
follow $((base + 2))
referral=$(send_referral uls)
until_ok witnessed "$referral"
export=$scratch/charters
check "export" amparo-broker export --data "$net/broker" --out "$export"
equal "$(ls "$export/charter-checkpoints" | tr '\n' ' ')" "$((base + 1)) $((base + 2)) "
for source in "--export $export" "--profile $net/profiles/auditor"; do
  check "replay $source" amparo-audit replay $source --root "$root_hash" --json
  equal "$(jq -c '[.ok, .charter_version, .quorum_charter, ([.steps[0, 3].ok] | all)]' "$scratch/out")" \
    "[true,$((base + 2)),$((base + 2)),true]"
done
check "a script of nobody's says so, too" bash -c '
  awk "/^\`\`\`python\$/{n++;next} /^\`\`\`\$/{n+=n%2} n==3" "$1/docs/EVIDENCE.md" >"$2/charters.py"
  /usr/bin/python3 "$2/charters.py" "$3" "$4"' - "$root" "$scratch" "$export" "$root_hash"
equal "$(grep -c "brought version" "$scratch/out")" 2

step "without them it is found at the charter"
leaf=$(amparo-audit replay --export "$export" --root "$root_hash" --json |
  jq "[.timeline[] | select(.detail == \"version $((base + 2))\")][0].index")
found_at() { # CODE: by the replay of $scratch/bad
  check_exit 6 amparo-audit replay --export "$scratch/bad" --root "$root_hash" --json
  equal "$(jq -c --arg c "$1" '[.findings[] | select(.code == $c) | .index][0]' "$scratch/out")" "$leaf"
}
bad() { rm -rf "$scratch/bad"; cp -r "$export" "$scratch/bad"; note=$scratch/bad/charter-checkpoints/$((base + 2)); }
bad; grep -v /witness/mp "$note" >"$scratch/note"; cp "$scratch/note" "$note"
found_at quorum_missing
bad; sed '3s/^...../AAAAA/' "$note" >"$scratch/note"; cp "$scratch/note" "$note"
found_at bad_checkpoint
bad; cp "$export/charter-checkpoints/$((base + 1))" "$note"
found_at quorum_missing
# An export that keeps them back shows no more than one that has none.
bad; rm -r "$scratch/bad/charter-checkpoints"
found_at quorum_missing

step "a log without its witnesses' word is not accepted"
grep -v "/witness/mp\|/witness/gnr" "$scratch/export/checkpoint" >"$scratch/fewer" && cp "$scratch/fewer" "$scratch/export/checkpoint"
check_exit 6 amparo-audit replay --export "$scratch/export" --root "$root_hash" --json
equal "$(jq '[.findings[].code] | index("quorum_missing") != null' "$scratch/out")" true
