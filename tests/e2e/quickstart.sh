#!/usr/bin/env bash
# The newcomer's first command, with programs that are built already.
. "$(dirname "$0")/lib.sh"
nets+=("$scratch/net")
"$root/deploy/quickstart" --dir "$scratch/net" >"$scratch/log" || { tail -30 "$scratch/log"; exit 1; }
step "everything it started is stopped"
check_exit 1 "$root/deploy/localnet" status --dir "$scratch/net"
step "it played the whole story"
for part in "Result: OK" "the first bad entry is" "erased: the consent for it was taken back" \
            "fits the digest" "the consent keeps safe_contact from police"; do
  check "the story says: $part" grep -q "$part" "$scratch/log"
done
