#!/usr/bin/env bash
# What the programs weigh and how fast they start: memory of idle agents, time
# of a command, a referral from one officer's command to the other's screen,
# and a broker and an agent with a long log. Usage: footprint.sh BUILD_DIR SCRATCH_DIR [ENTRIES]
# BUILD_DIR as `cmake --build --preset release --target bench` leaves it.
set -euo pipefail
build=$(cd "$1" && pwd) scratch=$2 entries=${3:-1000000}
. "$(dirname "$0")/../e2e/lib.sh" "$build/bin" "$scratch"
net=$scratch/net

memory() { # PID: resident memory, and its part that no file backs
  awk '/^VmRSS/ {rss = $2} /^RssAnon/ {anon = $2}
    END {printf "%.0f MB resident, %.0f MB of it its own\n", rss / 1024, anon / 1024}' "/proc/$1/status"
}
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
timed() { # NAME COMMAND...: 21 times; medians of wall and processor time
  local name=$1 i TIMEFORMAT='%R %U %S'; shift
  for ((i = 0; i < 21; i++)); do { time "$@" >/dev/null 2>&1; } 2>>"$scratch/times"; done
  printf '%s: wall %.0f ms, processor %.0f ms\n' "$name" \
    "$(awk '{print 1000 * $1}' "$scratch/times" | median)" \
    "$(awk '{print 1000 * ($2 + $3)}' "$scratch/times" | median)"
  rm "$scratch/times"
}

echo "load average $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
net_up "$net" ong,uls
sleep 5  # until they have settled; nothing waits for it
for member in ong uls; do
  echo "agent $member, idle: $(memory "$(jq -r --arg m "$member" '.members[$m].pid' "$net/localnet.json")")"
done
timed "amparo --version" amparo --version
timed "amparo directory list" as ong directory list --json
timed "amparo inbox" as ong inbox --json

# From the start of the sender's command to the recipient's line: two commands'
# own time, both agents, the broker, and the log's checkpoint.
form_for uls
consent=$(as ong consent record --form "$(consent_form)" --json | field .grant_id)
# Not `as`: a function in the background is a shell around it, which dies alone.
amparo --profile "$net/profiles/uls" inbox --watch --plain >"$scratch/watch" 2>&1 &
watch=$!
sleep 1
for ((i = 0; i < 7; i++)); do
  lines=$(wc -l <"$scratch/watch") start=$(now_ms)
  as ong referral send --to uls --form "$scratch/referral-uls.json" --consent "$consent" --json >/dev/null
  until [ "$(wc -l <"$scratch/watch")" -gt "$lines" ] || [ $(($(now_ms) - start)) -gt 20000 ]; do sleep 0.005; done
  echo $(($(now_ms) - start)) >>"$scratch/sent"
  sleep 1
done
kill "$watch"
echo "referral send to the other officer's line: $(median <"$scratch/sent") ms"
net_down "$net"

started=$(now_ms)
"$build/bench/bench_fill" --store "$net/broker/store" --entries "$entries"
echo "filled in $(($(now_ms) - started)) ms; store $(du -sm "$net/broker/store" | cut -f1) MB"
for round in 1 2 3; do
  : >"$scratch/journal" && start=$(now_ms)
  amparo-broker run --data "$net/broker" 2>"$scratch/journal" &
  broker=$!
  until grep -q broker_ready "$scratch/journal"; do kill -0 "$broker"; sleep 0.002; done
  echo "broker of $entries entries, start $round: $(($(now_ms) - start)) ms"
  sleep 2
  echo "broker of $entries entries, idle: $(memory "$broker")"
  kill "$broker" && wait "$broker"
done

# An agent that has never seen those entries, and then that has them all.
amparo-broker run --data "$net/broker" 2>>"$scratch/journal" &
broker=$!
has_all() {
  local size
  size=$(as ong status --json 2>/dev/null | jq -r .log.size)
  [ "${size:-0}" -ge "$entries" ]
}
for round in follow 1 2 3; do
  start=$(now_ms)
  amparo-agent run --data "$net/agents/ong" 2>"$scratch/agent" &
  agent=$!
  until has_all; do kill -0 "$agent"; sleep 0.05; done
  echo "agent, $entries entries, $round: has them all after $(($(now_ms) - start)) ms"
  sleep 2
  echo "agent, $entries entries, $round: $(memory "$agent"); disk $(du -sm "$net/agents/ong" | cut -f1) MB"
  kill "$agent" && wait "$agent"
done
start=$(now_ms)
amparo-agent export-mirror --data "$net/agents/ong" --out "$scratch/mirror" --without-openings --json >/dev/null
echo "export-mirror: $(($(now_ms) - start)) ms, $(du -sm "$scratch/mirror" | cut -f1) MB"
start=$(now_ms)
amparo-broker backup --data "$net/broker" --out "$scratch/backup" --json >/dev/null
echo "backup beside the running broker: $(($(now_ms) - start)) ms, $(du -sm "$scratch/backup" | cut -f1) MB"
kill "$broker" && wait "$broker"
start=$(now_ms)
amparo-broker check --data "$net/broker" --json >/dev/null
echo "check: $(($(now_ms) - start)) ms"
start=$(now_ms)
amparo-broker rebuild --data "$scratch/backup" --from "$scratch/mirror" --json >/dev/null
echo "rebuild from one mirror: $(($(now_ms) - start)) ms"
