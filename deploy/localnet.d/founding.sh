# Founding a local network, in the order in which a real one is founded
# (docs/OPERATIONS.md). Sourced by localnet; uses $dir, $bin, $members.

default_kind() {
  case $1 in
    gnr) echo police ;; mp) echo prosecutor ;; uls) echo health ;;
    cpcj) echo child_protection ;; ong) echo victim_support ;;
    *) return 1 ;;
  esac
}

# "ID:KIND" of each wanted member, a line each.
wanted_members() {
  local item id kind
  for item in ${members//,/ }; do
    id=${item%%:*}
    if [ "$item" = "$id" ]; then
      kind=$(default_kind "$id") || { echo "localnet: $id needs a kind: $id:KIND" >&2; return 2; }
    else
      kind=${item#*:}
    fi
    echo "$id:$kind"
  done
}

socket_of() { # MEMBER: where its agent listens; the system allows 107 bytes
  local path="$dir/agents/$1/agent.sock"
  if [ ${#path} -gt 107 ]; then
    [ -n "${socket_dir:-}" ] || socket_dir=$(mktemp -d /tmp/amparo.XXXXXX)
    path="$socket_dir/$1.sock"
  fi
  echo "$path"
}

write_profile() { # NAME MEMBER OFFICER SOCKET
  mkdir -p "$dir/profiles/$1"
  printf 'socket = "%s"\nofficer = "%s"\nmember = "%s"\n' "$4" "$3" "$2" >"$dir/profiles/$1/profile.toml"
}

charter() { "$bin/amparo-charter" "$@" --dir "$dir/charter" >>"$dir/logs/charter.log" 2>&1; }

# As many of the governance keys as the threshold asks for: more than half.
sign_and_publish() {
  local keys=("$dir"/charter/keys/*.key) i
  for ((i = 0; i < ${#keys[@]} / 2 + 1; i++)); do charter sign --yes; done
  charter publish --broker "$enrol"
}

# Runs a function for each member at once; fails when one of them did.
for_each_member() { # FUNCTION
  local item pids=() pid
  for item in $list; do "$1" "${item%%:*}" & pids+=($!); done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

join_member() { # MEMBER
  local invitation socket
  invitation=$("$bin/amparo-broker" invite "$1" --data "$dir/broker")
  "$bin/amparo-agent" join "$invitation" --data "$dir/agents/$1" --unlock key_file \
    --words-confirmed >>"$dir/logs/$1.log" 2>&1
  socket=$(jq -r --arg m "$1" '.members[$m].socket' "$dir/localnet.json")
  sed -i "s|^socket = .*|socket = \"$socket\"|" "$dir/agents/$1/agent.toml"
  write_profile "$1" "$1" officer "$socket"
  write_profile "$1-supervisor" "$1" supervisor "$socket"
  write_profile "$1-admin" "$1" admin "$socket"
}

add_officers() { # MEMBER
  local name
  until_answers "$1" "$bin/amparo" --profile "$dir/profiles/$1-admin" officer list
  for name in officer supervisor; do
    "$bin/amparo" --profile "$dir/profiles/$1-admin" officer add "$name" --role "$name" --uid "$(id -u)" >/dev/null
  done
}

found_network() {
  local list item args=() id n
  list=$(wanted_members)
  mkdir -p "$dir/logs" "$dir/agents" "$dir/charter"
  "$bin/amparo-broker" init --data "$dir/broker" --name local \
    --listen-members 127.0.0.1:0 --listen-enrol 127.0.0.1:0 \
    --public-members 127.0.0.1:0 --public-enrol 127.0.0.1:0 >"$dir/logs/charter.log"
  jq -n --arg now "$(date -u +%FT%TZ)" \
    '{schema:"localnet/1",network:"local",created_at:$now,broker:{pid:null,started:null},members:{}}' >"$dir/localnet.json"
  for item in $list; do
    id=${item%%:*}
    edit_state --arg m "$id" --arg k "${item#*:}" --arg s "$(socket_of "$id")" \
      '.members[$m] = {pid:null,started:null,socket:$s,kind:$k}'
    args+=(--member "$item")
  done
  start_broker
  enrol=$(jq -r .broker.enrol_address "$dir/localnet.json")

  charter init --network "$dir/broker/network.json" --local "${args[@]}" --member auditor:auditor
  sign_and_publish
  for_each_member join_member
  "$bin/amparo-audit" join "$("$bin/amparo-broker" invite auditor --data "$dir/broker")" \
    --profile "$dir/profiles/auditor" --words-confirmed >>"$dir/logs/charter.log" 2>&1
  for item in $list auditor; do
    charter add-member "${item%%:*}" --broker "$enrol" --words-confirmed
  done
  # Every member's agent is a witness; the protocol's formula for the quorum.
  n=$(wc -w <<<"$list")
  charter set witness.quorum $(((n + (n - 1) / 4) / 2 + 1))
  sign_and_publish
  for item in $list; do start_agent "${item%%:*}"; done
  for_each_member add_officers
}

# Every member active, every prekey known to every other agent.
wait_ready() {
  local member count
  count=$(jq '.members | length' "$dir/localnet.json")
  for member in $(member_ids); do
    until_answers "$member" sees_all "$member" "$count"
  done
}

# The same of a network that was founded before: whom the committee suspended
# since, or who left, is not waited for, and waits for nobody.
wait_again() {
  local member
  for member in $(member_ids); do
    until_answers "$member" "$bin/amparo" --profile "$dir/profiles/$member" status
  done
  for member in $(member_ids); do
    [ "$("$bin/amparo" --profile "$dir/profiles/$member" status --json | jq -r .member_status)" = active ] || continue
    until_answers "$member" sees_active "$member"
  done
}

sees_active() { # MEMBER
  "$bin/amparo" --profile "$dir/profiles/$1" directory list --json |
    jq -e '[.members[] | select(.status == "active" and .kind != "auditor")] | length > 0 and all(.reachable)' >/dev/null
}

sees_all() { # MEMBER COUNT
  [ "$("$bin/amparo" --profile "$dir/profiles/$1" directory list --json | jq '[.members[] | select(.reachable)] | length')" -ge "$2" ]
}
