#!/usr/bin/env bash
# Two local networks side by side; down by pid; a second up goes on.
. "$(dirname "$0")/lib.sh"
step "two networks run side by side"
net_up "$scratch/a" ong,uls
net_up "$scratch/b" ong,lar:shelter
check "a runs" "$root/deploy/localnet" status --dir "$scratch/a"
check "b runs" "$root/deploy/localnet" status --dir "$scratch/b"
check_exit 3 "$root/deploy/localnet" status --dir "$scratch/none"

step "a case crosses a"
net=$scratch/a
form_for uls
referral=$(send_referral uls)
check "uls gets it" as uls referral show "$referral" --wait delivered --timeout 20

step "one agent stops, and what is sent to it waits"
localnet=$root/deploy/localnet
check "stop" "$localnet" stop uls --dir "$scratch/a"
check_exit 1 "$localnet" status --dir "$scratch/a" --json
equal "$(jq -c '[.broker.running, .members.ong.running, .members.uls.running]' "$scratch/out")" "[true,true,false]"
check_exit 5 as uls inbox
waiting=$(send_referral uls)
check "it leaves" as ong referral show "$waiting" --wait submitted --timeout 20
check "start" "$localnet" start uls --dir "$scratch/a"
check "it arrives" as ong referral show "$waiting" --wait delivered --timeout 20
check "the broker, too" "$localnet" stop broker --dir "$scratch/a"
check "and again" "$localnet" start broker --dir "$scratch/a"
check "all run" "$localnet" status --dir "$scratch/a"
check_exit 3 "$localnet" stop gnr --dir "$scratch/a"
check_exit 2 "$localnet" stop --dir "$scratch/a"

step "an agent that does not start is named, and does not count as running"
check "stop" "$localnet" stop uls --dir "$scratch/a"
chmod 640 "$scratch/a/agents/uls/keystore.pass"
check_exit 1 "$localnet" start uls --dir "$scratch/a"
grep -q "uls ended: .*keystore.pass may be read by others" "$scratch/err"
check_exit 1 "$localnet" status --dir "$scratch/a" --json
equal "$(jq -c '[.members.ong.running, .members.uls.running]' "$scratch/out")" "[true,false]"
check_exit 1 "$localnet" up --dir "$scratch/a"
grep -q "read $scratch/a/logs/uls.log" "$scratch/err"
chmod 600 "$scratch/a/agents/uls/keystore.pass"
net_up "$scratch/a"

step "a value that is missing is named"
for verb in "up --dir" "up --dir --json" "up --dir $scratch/c --members"; do
  check_exit 2 $localnet $verb
  grep -q "needs a value" "$scratch/err"
done
for rest in "" --serve; do
  check_exit 2 "$root/deploy/quickstart" --dir $rest
  grep -q "quickstart: --dir needs a folder" "$scratch/err"
done

step "down ends a and leaves b alone"
net_down "$scratch/a"
check_exit 1 "$root/deploy/localnet" status --dir "$scratch/a" --json
equal "$(jq '[.broker.running, .members[].running] | any' "$scratch/out")" false
check "b still runs" "$root/deploy/localnet" status --dir "$scratch/b"
check_exit 5 as uls inbox

step "a second up goes on where it stopped"
net_up "$scratch/a"
check "the referral is still there" as uls referral accept "$referral"
check "the sender learns of it" as ong referral show "$referral" --wait accepted --timeout 20
equal "$(as uls case list --json | jq '.cases | length')" 2

step "it also goes on where the committee suspended a member, and one left"
net=$scratch/d
net_up "$net" ong,uls,gnr,mp
charter() { amparo-charter "$@" --dir "$net/charter"; }
enrol=$(jq -r .broker.enrol_address "$net/localnet.json")
check "quorum" charter set witness.quorum 2
check "suspend" charter suspend-member uls
check "withdraw" charter withdraw mp
for key in 1 2 3; do check "sign" charter sign --yes; done
check "publish" charter publish --broker "$enrol"
until_ok bash -c "amparo --profile '$net/profiles/uls' status --json | jq -e '.member_status == \"suspended\"'"
until_ok bash -c "amparo --profile '$net/profiles/mp' status --json | jq -e '.member_status == \"left\"'"
net_down "$net"
net_up "$net"
check "all run" "$localnet" status --dir "$net"
check "the others see each other" bash -c "amparo --profile '$net/profiles/ong' directory show gnr --json | jq -e .reachable"
