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
