#!/usr/bin/env bash
# The broker's disk is lost after its backup: put back as it is, the agents
# refuse it; rebuilt from their mirrors it goes on, and no mail is lost.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net"
form_for uls
data=$net/broker
backup=$scratch/backup
mirrors=$scratch/mirrors; mkdir "$mirrors"
members="gnr mp uls cpcj ong"
error_is() { equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$1"; }
size() { as ong status --json | jq -r .log.size; }
has_alarm() { as "$1" status --json | jq -e --arg c "$2" '[.alarms[].code] | index($c)' >/dev/null; }
# A promise of its last moment that the lost broker never showed rings, too.
acknowledge() { local m c; for m in $members; do for c in log_rollback log_fork; do as "$m-admin" status --acknowledge "$c" >/dev/null 2>&1 || true; done; done; }
calm() { acknowledge; no_alarms; }
no_alarms() { local m; for m in $members; do equal "$(as "$m" status --json | jq -c '[.alarms[].code]')" '[]' || return 1; done; }
delivered() { # DESCRIPTION
  local referral; referral=$(send_referral uls)
  check "$1" as ong referral show "$referral" --wait delivered --timeout 30
  echo "$referral"
}
stop() { # MEMBER or broker
  local pid; pid=$(jq -r --arg m "$1" 'if $m == "broker" then .broker.pid else .members[$m].pid end' "$net/localnet.json")
  kill -9 "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
start() { check "up" "$root/deploy/localnet" up --dir "$net"; }
put_back() { rm -rf "$data"; cp -r "$backup" "$data"; }

step "a backup beside the running broker"
check "a mirror from before it" amparo-agent export-mirror --data "$net/agents/ong" --out "$scratch/early" --json
before=$(delivered "before the backup")
check "backup" amparo-broker backup --data "$data" --out "$backup" --json
equal "$(jq -r .schema "$scratch/out")" broker_backup/1
equal "$(stat -c %a "$backup" "$backup/log.key" "$backup/ca.key.pem" "$backup/backup.json" | sort -u | tr '\n' ' ')" "600 700 "
check_exit 1 amparo-broker backup --data "$data" --out "$backup" --json; error_is conflict
check "check" amparo-broker check --data "$data" --json
equal "$(jq -r '[.schema, .ok] | join(" ")' "$scratch/out")" "broker_check/1 true"
check "an export" amparo-broker export --data "$data" --out "$scratch/then"

step "mail after it: delivered, accepted, and one that is not delivered yet"
after=$(delivered "after the backup")
check "accept" as uls referral accept "$after"
check "accepted" as ong referral show "$after" --wait accepted --timeout 30
stop uls
waiting=$(send_referral uls)
check "submitted" as ong referral show "$waiting" --wait submitted --timeout 30
# Under a checkpoint: what was only promised would be a gap for the auditor.
leaf=$(as ong referral show "$waiting" --json | field '.recipients[0].log_index')
proven() { [ "$(size)" -gt "$leaf" ]; }
until_ok proven
was=$(size)

step "the broker is lost; a backup does not run"
stop broker
put_back
check_exit 1 amparo-broker run --data "$data" --json; error_is invalid_state
grep -q rebuild "$scratch/err"
check_exit 1 amparo-broker invite gnr --data "$data" --json; error_is invalid_state

step "who makes it run all the same is refused by every agent"
rm "$data/backup.json"
# The network's port is free, and the other agents still run.
amparo-broker run --data "$data" >/dev/null 2>"$scratch/forced.log" & forced=$!
trap 'kill "$forced" 2>/dev/null; cleanup' EXIT
for member in gnr mp cpcj ong; do until_ok has_alarm "$member" log_rollback; done
equal "$(as ong status --json | jq -r .sealing_waits_for)" log
as ong status --evidence log_rollback >"$scratch/rollback.notes" 2>/dev/null || true
kill "$forced"; wait "$forced" || true
trap cleanup EXIT

step "every member's mirror"
for member in $members; do
  check "mirror of $member" amparo-agent export-mirror --data "$net/agents/$member" --out "$mirrors/$member" --json
done
equal "$(jq -r '[.schema, .member] | join(" ")' "$scratch/out")" "export_mirror/1 ong"
check_exit 1 amparo-agent export-mirror --data "$net/agents/ong" --out "$mirrors/ong" --json; error_is conflict
# It is an export like the broker's.
check "a plain mirror" amparo-agent export-mirror --data "$net/agents/ong" --out "$scratch/plain" --without-openings
check "it replays" amparo-audit replay --export "$scratch/plain" --json --no-timeline
cp -r "$mirrors/ong" "$scratch/bent"
bundle=$(find "$scratch/bent/tile/entries" -type f | sort | tail -n1)
printf '\xff' | dd of="$bundle" bs=1 seek=20 conv=notrunc 2>/dev/null

step "what no mirror is: refused at once, and named"
spoil() { # FILE: a mirror of ong in which it may be replaced
  rm -rf "$scratch/odd"; cp -r "$mirrors/ong" "$scratch/odd"; rm -f "$scratch/odd/$1"
}
refused() { # about the mirror, and what it did not change still does not run
  check_exit 6 timeout 20 amparo-broker rebuild --data "$data" --from "$scratch/odd" --json; error_is tampered
  grep -q "$scratch/odd" "$scratch/err"
  [ ! -e "$data/store.rebuild" ] && [ -e "$data/backup.json" ]
}
put_back
openings=$(cd "$mirrors/ong" && find openings -type f | head -n1)
entries=$(cd "$mirrors/ong" && find tile/entries -type f | head -n1)
for file in checkpoint "$openings" "$entries"; do
  spoil "$file"; mkfifo "$scratch/odd/$file"; refused
  spoil "$file"; ln -s /dev/zero "$scratch/odd/$file"; refused
  spoil "$file"; head -c 40000000 /dev/zero >"$scratch/odd/$file"; refused
done

step "rebuild"
from=(); for member in $members; do from+=(--from "$mirrors/$member"); done
put_back
check_exit 6 amparo-broker rebuild --data "$data" --from "$scratch/bent" --json; error_is tampered
check_exit 3 amparo-broker rebuild --data "$data" --from "$scratch/nothing" --json; error_is not_found
# It says nothing of what came after the backup.
check_exit 1 amparo-broker rebuild --data "$data" --from "$scratch/early" --json; error_is invalid_state
grep -q -e --nothing-since "$scratch/err"
check_exit 1 amparo-broker run --data "$data" --json; error_is invalid_state
# Nor by what it claims: nobody signed that.
cp -r "$scratch/early" "$scratch/claims"
{ head -n1 "$scratch/early/checkpoint"; echo 1099511627776; sed -n 3,4p "$scratch/early/checkpoint"
  echo "— stranger $(head -c 68 /dev/urandom | base64 -w0)"; } >"$scratch/claims/newest"
check_exit 1 amparo-broker rebuild --data "$data" --from "$scratch/claims" --json; error_is invalid_state
# The operator's word stands in for what no mirror says, and for no more.
check_exit 6 amparo-broker rebuild --data "$data" --from "$scratch/early" --from "$scratch/bent" --nothing-since --json; error_is tampered
check_exit 1 amparo-broker rebuild --data "$data" --from "$scratch/early" --known "$mirrors/ong/checkpoint" --nothing-since --json; error_is invalid_state
check "by word" amparo-broker rebuild --data "$data" --from "$scratch/early" --nothing-since --json
equal "$(jq -r '[.by_word, .size == .size_before] | join(" ")' "$scratch/out")" "true true"
# It was wrong: whoever followed more still brings it, for nothing was logged.
check "then the mirrors" amparo-broker rebuild --data "$data" "${from[@]}" --json
equal "$(jq -r '[.by_word, .size > .size_before] | join(" ")' "$scratch/out")" "false true"
put_back
# One that is not sound is named, whatever stands beside it.
for order in "bent mirrors/gnr" "mirrors/gnr bent"; do
  check_exit 6 amparo-broker rebuild --data "$data" --from "$scratch/${order% *}" --from "$scratch/${order#* }" --json; error_is tampered
  grep -q "$scratch/bent" "$scratch/err"
done
# A snapshot of the disk bears no mark: a rebuild that is refused leaves none.
mv "$data/backup.json" "$scratch/mark"
check_exit 6 amparo-broker rebuild --data "$data" --from "$scratch/bent" --json; error_is tampered
[ ! -e "$data/backup.json" ]
mv "$scratch/mark" "$data/backup.json"
# Somebody saw more than this mirror has.
check_exit 1 amparo-broker rebuild --data "$data" --from "$scratch/then" --known "$mirrors/ong/checkpoint" --json
error_is invalid_state
# A mirror that comes late brings what nobody brought before.
check "without openings" amparo-broker rebuild --data "$data" --from "$scratch/plain" --json
[ "$(jq -r .unopened "$scratch/out")" -gt 0 ]
check "rebuild" amparo-broker rebuild --data "$data" "${from[@]}" --known "$mirrors/ong/checkpoint" --json
equal "$(jq -r '[.schema, .unopened] | join(" ")' "$scratch/out")" "broker_rebuild/1 0"
[ "$(jq -r .size "$scratch/out")" -ge "$was" ]
[ ! -e "$data/store.rebuild" ] && [ ! -e "$data/backup.json" ]
check "check" amparo-broker check --data "$data" --json

step "a rebuild that was cut off, at each step, does not run, and is done once more"
cut_off() { # DESCRIPTION
  check_exit 1 amparo-broker run --data "$data" --json; error_is invalid_state
  check "again, $1" amparo-broker rebuild --data "$data" "${from[@]}" --json
  [ ! -e "$data/store.rebuild" ] && [ ! -e "$data/backup.json" ]
  check "check" amparo-broker check --data "$data" --json
}
cp -r "$data" "$scratch/done"
put_back; mkdir "$data/store.rebuild"; cut_off "while the copy was written"
put_back; cp -r "$scratch/done/store" "$data/store.rebuild"; cut_off "before they changed places"
put_back; mv "$data/store" "$data/store.rebuild"; cp -r "$scratch/done/store" "$data/store"; cut_off "after that"
put_back; rm -rf "$data/store"; cp -r "$scratch/done/store" "$data/store"; cut_off "before the old one went"
cp "$backup/backup.json" "$data/backup.json"; cut_off "before the mark went"

step "a damaged store is found"
cp -r "$data" "$scratch/damaged"
for table in "$scratch"/damaged/store/*.sst; do
  printf '\xff\xff\xff\xff' | dd of="$table" bs=1 seek=100 conv=notrunc 2>/dev/null
done
if amparo-broker check --data "$scratch/damaged" --json >"$scratch/out" 2>"$scratch/err"; then echo "a damaged store passed"; exit 1; fi

step "the agents go on"
start
check "what waited arrives" as ong referral show "$waiting" --wait delivered --timeout 60
until_ok as uls referral show "$waiting"
check "what was accepted stays so" as ong referral show "$after" --wait accepted --timeout 5
again=$(delivered "after the rebuild")
check "accept" as uls referral accept "$again"
check "accepted" as ong referral show "$again" --wait accepted --timeout 30
until_ok calm
[ "$(size)" -gt "$was" ]
check_exit 5 amparo-broker rebuild --data "$data" "${from[@]}" --json; error_is broker_unreachable

step "an auditor finds one history, from before the loss to now"
check "replay" amparo-audit replay --profile "$net/profiles/auditor" --json --no-timeline
equal "$(jq -r .ok "$scratch/out")" true
equal "$(jq -r .counts.unopened "$scratch/out")" 0

step "and goes on from it; an export of before is named so, and accuses nobody"
check "replay" amparo-audit replay --profile "$net/profiles/auditor" --state "$scratch/audit.state" --no-timeline
check_exit 1 amparo-audit replay --export "$scratch/then" --profile "$net/profiles/auditor" --state "$scratch/audit.state" --json
error_is invalid_state
grep -q "older export" "$scratch/err"
