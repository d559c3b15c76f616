#!/usr/bin/env bash
# An agent's disk is lost after its backup: the restored agent shows again what
# was acknowledged since, with new keys; and a thief of the file has nothing.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net" ong,uls,gnr,cpcj  # a quorum without the lost one
form_for uls
data=$net/agents/uls
pass=$scratch/pass; (umask 077; echo "a passphrase of the backup" >"$pass")
wrong=$scratch/wrong; (umask 077; echo "another passphrase" >"$wrong")
file=$scratch/uls.backup
error_is() { equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$1"; }
flows() { # DESCRIPTION
  local referral
  referral=$(send_referral uls)
  check "$1: delivered" as ong referral show "$referral" --wait delivered --timeout 30
  check "$1: accepted" as uls referral accept "$referral"
  check "$1: answered" as ong referral show "$referral" --wait accepted --timeout 30
}

step "a backup beside the running agent"
flows "before the backup"
check_exit 4 amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --officer officer --json
error_is role_missing
short=$scratch/short.pass; (umask 077; echo "elevenchars" >"$short")
check_exit 2 amparo-agent backup --data "$data" --out "$file" --passphrase-file "$short" --json
error_is config
[ ! -e "$file" ]
check_exit 2 amparo-agent backup --data "$data" --out "$file" --json </dev/null
grep -q -- --passphrase-file "$scratch/err"
check "backup" amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --json
equal "$(jq -r '[.schema, .member, .keep_too] | join(" ")' "$scratch/out")" "backup/1 uls "
equal "$(stat -c %a "$file")" 600
[ ! -e "$data/store.copy" ]

step "without the passphrase it is noise"
for secret in keystore charter-1 case/event BEGIN; do
  check_exit 1 grep -qa "$secret/\|$secret " "$file"
done
restore() { amparo-agent restore "$1" --data "$2" --passphrase-file "$3" --json; }
check_exit 2 restore "$file" "$scratch/stolen" "$wrong"; error_is config
cp "$file" "$scratch/bent"; size=$(stat -c %s "$file")
printf '\xff\xff' | dd of="$scratch/bent" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
check_exit 1 restore "$scratch/bent" "$scratch/stolen" "$pass"; error_is storage
head -c $((size - 100)) "$file" >"$scratch/short"
check_exit 1 restore "$scratch/short" "$scratch/stolen" "$pass"; error_is storage
sed '1s/.*/amparo-backup\/9/' "$file" >"$scratch/later"
check_exit 2 restore "$scratch/later" "$scratch/stolen" "$pass"; error_is config
grep -q "another version" "$scratch/err"
check_exit 2 restore "$pass" "$scratch/stolen" "$pass"; error_is config
check_exit 1 restore "$file" "$data" "$pass"; error_is conflict
[ ! -e "$scratch/stolen" ] && [ ! -e "$scratch/stolen.restoring" ]

step "mail after the backup is acknowledged, and the disk is lost"
after=$(send_referral uls)
check "delivered" as ong referral show "$after" --wait delivered --timeout 30
check "read" as uls referral show "$after"
old=$(amparo-agent keys --data "$data" --json | jq -r '.keys[] | select(.in_force) | .kid')
kill -9 "$(jq -r '.agents.uls.pid // .members.uls.pid // (.agents[]? | select(.id == "uls") | .pid)' "$net/localnet.json")"
rm -rf "$data"
waiting=$(send_referral uls)

step "the restored agent comes back"
check "restore" restore "$file" "$data" "$pass"
equal "$(jq -r .schema "$scratch/out")" restore/1
check "up" "$root/deploy/localnet" up --dir "$net"
[ ! -e "$data/restored" ]
until_ok as uls referral show "$after"
check "what waited" as ong referral show "$waiting" --wait delivered --timeout 60
check "read" as uls referral show "$waiting"
[ "$(amparo-agent keys --data "$data" --json | jq -r '.keys[] | select(.in_force) | .kid')" != "$old" ]
check "accept" as uls referral accept "$after"
check "accepted" as ong referral show "$after" --wait accepted --timeout 30
flows "after the restore"
# The answer to what the lost agent said last, which nobody here remembers.
equal "$(as uls status --json | jq -c '[.alarms[].code]')" '["own_mail"]'
equal "$(as ong status --json | jq -c '[.alarms[].code]')" '[]'

step "without a running agent it works too"
net_down "$net"
check "backup" amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --json
check "restore" restore "$file" "$scratch/again" "$pass"

step "cut off, wherever: the last backup stays, and what is left of the new one is none"
rows=$(jq -r .rows "$scratch/out")
cp "$file" "$scratch/last"; size=$(stat -c %s "$file")
cut_off_at() { # KILOBYTES COMMAND...: it ends at once when a file of its grows beyond
  local status=0 limit=$1; shift
  (ulimit -c 0; ulimit -f "$limit"; "$@") >"$scratch/out" 2>"$scratch/err" || status=$?
  equal "$status" $((128 + $(kill -l XFSZ)))
}
backup() { exec amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --json; }
for limit in $((size / 1025)) $((size / 2048)) $((size / 8192)); do
  cut_off_at "$limit" backup
  cmp "$file" "$scratch/last"
  mv "$file".*.part "$scratch/part"
  check_exit 1 restore "$scratch/part" "$scratch/stolen" "$pass"; error_is storage
  grep -q "cut short" "$scratch/err"
  [ ! -e "$scratch/stolen" ] && [ ! -e "$scratch/stolen.restoring" ]
done
check "backup" amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --json
equal "$(jq -r .rows "$scratch/out")" "$rows"

step "a restore that was cut off, wherever, leaves no agent, and is done once more"
for limit in 1 4 $((size / 2048)); do
  cut_off_at "$limit" restore "$file" "$scratch/cut" "$pass"
  [ ! -e "$scratch/cut" ] && [ -e "$scratch/cut.restoring" ]
done
check "restore" restore "$file" "$scratch/cut" "$pass"
equal "$(jq -r .rows "$scratch/out")" "$rows"
[ ! -e "$scratch/cut.restoring" ]
check_exit 1 amparo-agent doctor --data "$scratch/cut" --json  # nothing runs
equal "$(jq -r '[.checks[] | select(.check == "directory" or .check == "keystore").result] | join(" ")' "$scratch/out")" "ok ok"

step "beside an agent that was started with a relative path, from elsewhere"
(cd "$net/agents" && exec timeout 120 amparo-agent run --data uls) >"$scratch/relative.log" 2>&1 &
relative=$!
until_ok as uls status
mirror=$scratch/mirror
# One that ended while it read the agent's copy is in nobody's way.
amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --json >/dev/null 2>&1 &
ended=$!
while kill -0 "$ended" 2>/dev/null && [ ! -e "$data/store.copy" ]; do sleep 0.01; done
kill -9 "$ended" 2>/dev/null || true; wait "$ended" || true
backed_up=0
amparo-agent backup --data "$data" --out "$file" --passphrase-file "$pass" --json >"$scratch/out" 2>&1 &&
  amparo-agent export-mirror --data "$data" --out "$mirror" --json >>"$scratch/out" 2>&1 || backed_up=$?
kill "$relative"; wait "$relative" || true
equal "$backed_up" 0 || { cat "$scratch/out"; exit 1; }
[ ! -e "$data/store.copy" ]
