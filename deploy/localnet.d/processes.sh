# Processes of a local network: start, find again by pid and start time, stop.
# Sourced by localnet; uses $dir, $bin.

network_name() { jq -r .network "$dir/localnet.json"; }
first_member() { jq -r '.members | keys[0]' "$dir/localnet.json"; }
member_ids() { jq -r '.members | keys[]' "$dir/localnet.json"; }
# The log to read first: of the process that ended or did not answer, else the
# newest. To be asked before the others are stopped: they write, too.
blame() { [ -e "$dir/logs/.blamed" ] || echo "$dir/logs/$1.log" >"$dir/logs/.blamed"; }
first_log() { cat "$dir/logs/.blamed" 2>/dev/null || ls -t "$dir"/logs/*.log 2>/dev/null | head -1; }

# The process's start time from the system (proc(5), field 22): a pid may be
# another process's by now. Nothing for one that has ended (Z, X).
started_of() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | grep -v '^[ZX]' | cut -d' ' -f20; }

is_running() { # PID STARTED
  # Without a start time it had ended before anybody looked.
  [ "$1" != null ] && [ -n "$2" ] && [ "$2" != null ] &&
    [ "$1" -gt 0 ] 2>/dev/null && [ "$(started_of "$1" || true)" = "$2" ]
}

# Changes localnet.json by a jq program, all or nothing.
edit_state() {
  local new; new=$(mktemp "$dir/localnet.json.XXXXXX")
  jq "$@" "$dir/localnet.json" >"$new" && mv "$new" "$dir/localnet.json"
}

# spawn LOG PROGRAM ARGS...: starts a daemon; its pid is in $spawned.
spawn() {
  local log=$1; shift
  setsid "$@" >>"$dir/logs/$log.log" 2>&1 </dev/null &
  spawned=$!
  disown "$spawned"
}

# Repeats a command until it succeeds, 30 s at most.
until_ok() {
  local deadline=$((SECONDS + 30))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "gave up on: $*" >&2; return 1; }
    sleep 0.05
  done
}

# until_ok for a command that asks NAME: it gives up as soon as that has ended.
until_answers() { # NAME COMMAND...
  local name=$1 deadline=$((SECONDS + 30)) pid started; shift
  read -r pid started < <(process_of "$name")
  until "$@" >/dev/null 2>&1; do
    if ! is_running "$pid" "$started"; then
      blame "$name"; echo "localnet: $name ended: $(tail -n 2 "$dir/logs/$name.log" | tr -s "\n " " ")" >&2; return 1
    fi
    [ "$SECONDS" -lt "$deadline" ] || { blame "$name"; echo "localnet: $name: gave up on: $*" >&2; return 1; }
    sleep 0.05
  done
}

start_broker() {
  spawn broker "$bin/amparo-broker" run --data "$dir/broker"
  edit_state --argjson pid "$spawned" --arg started "$(started_of "$spawned")" \
    '.broker.pid = $pid | .broker.started = $started'
  until_answers broker "$bin/amparo-broker" status --data "$dir/broker"
  edit_state --slurpfile listen "$dir/broker/listen.json" \
    '.broker.address = $listen[0].listen.members | .broker.enrol_address = $listen[0].listen.enrol'
}

start_agent() { # MEMBER
  spawn "$1" "$bin/amparo-agent" run --data "$dir/agents/$1"
  edit_state --arg member "$1" --argjson pid "$spawned" \
    --arg started "$(started_of "$spawned")" \
    '.members[$member].pid = $pid | .members[$member].started = $started'
}

start_all() {
  local pid started member
  read -r pid started < <(jq -r '"\(.broker.pid) \(.broker.started)"' "$dir/localnet.json")
  is_running "$pid" "$started" || start_broker
  for member in $(member_ids); do
    read -r pid started < <(jq -r --arg m "$member" '.members[$m] | "\(.pid) \(.started)"' "$dir/localnet.json")
    is_running "$pid" "$started" || start_agent "$member"
  done
}

# stop PID STARTED: SIGTERM, ten seconds, SIGKILL.
stop() {
  is_running "$1" "$2" || return 0
  kill -TERM "$1"
  local deadline=$((SECONDS + 10))
  while is_running "$1" "$2"; do
    if [ "$SECONDS" -ge "$deadline" ]; then kill -KILL "$1"; return 0; fi
    sleep 0.05
  done
}

known_names() { echo broker $(member_ids); }
is_known() { jq -e --arg n "$1" '$n == "broker" or .members[$n]' "$dir/localnet.json" >/dev/null; }

# PID STARTED of one of them, as localnet.json has it.
process_of() { # NAME
  jq -r --arg n "$1" '(if $n == "broker" then .broker else .members[$n] end) | "\(.pid) \(.started)"' "$dir/localnet.json"
}
stop_one() { # NAME
  local pid started
  read -r pid started < <(process_of "$1")
  stop "$pid" "$started"
}
start_one() { # NAME
  local pid started
  read -r pid started < <(process_of "$1")
  if ! is_running "$pid" "$started"; then
    if [ "$1" = broker ]; then start_broker; else start_agent "$1"; fi
  fi
  [ "$1" = broker ] || until_answers "$1" "$bin/amparo" --profile "$dir/profiles/$1" status
}

stop_all() {
  [ -e "$dir/localnet.json" ] || return 0
  local pid started
  # Agents first: each anchors its access log before it goes.
  while read -r pid started; do stop "$pid" "$started" & done \
    < <(jq -r '.members[] | "\(.pid) \(.started)"' "$dir/localnet.json")
  wait
  read -r pid started < <(jq -r '"\(.broker.pid) \(.broker.started)"' "$dir/localnet.json")
  stop "$pid" "$started"
}

show_status() {
  local out name pid started running all=0
  out=$(cat "$dir/localnet.json")
  while read -r name pid started; do
    running=false
    if is_running "$pid" "$started"; then running=true; else all=1; fi
    if [ "$name" = broker ]; then
      out=$(jq --argjson r $running '.broker.running = $r' <<<"$out")
    else
      out=$(jq --arg m "$name" --argjson r $running '.members[$m].running = $r' <<<"$out")
    fi
    [ "$json" = 1 ] || printf '%-8s %s\n' "$name" "$([ $running = true ] && echo "running, pid $pid" || echo stopped)"
  done < <(jq -r '"broker \(.broker.pid) \(.broker.started)", (.members | to_entries[] | "\(.key) \(.value.pid) \(.value.started)")' "$dir/localnet.json")
  [ "$json" = 0 ] || echo "$out"
  exit $all
}
