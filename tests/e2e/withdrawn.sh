#!/usr/bin/env bash
# A member leaves the network: nothing goes to it or comes from it any more, and
# with what its own agent holds it still proves what it sent.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
net_up "$net"
form_for uls
charter() { local verb=$1; shift; amparo-charter "$verb" --dir "$net/charter" "$@"; }
pin=$(sed -n 's/^root = "\(.*\)"/\1/p' "$net/profiles/auditor/profile.toml")
version=$(as uls status --json | jq .charter.version)

step "ong refers to uls"
referral=$(send_referral uls)
check "it arrives" as ong referral show "$referral" --wait delivered --timeout 20
entry=$(as ong referral show "$referral" --json | field '.recipients[0].log_index')

step "the committee lets ong go, and is told what that costs"
check "withdraw" charter withdraw ong
grep -q "every witness is needed, 4 of 4" "$scratch/out" "$scratch/err"
for key in 1 2 3; do check "sign" charter sign --yes; done
check "publish" charter publish
follows() { [ "$(as "$1" status --json | jq .charter.version)" -gt "$version" ]; }
until_ok follows uls
until_ok follows ong
check "uls knows" as uls directory show ong
grep -q "left" "$scratch/out"

step "its own agent writes the document and the log"
check "evidence" as ong-supervisor referral evidence "$referral" --out "$scratch/document.json" --json
anchored=$(field .entry <"$scratch/out")
check "mirror" amparo-agent export-mirror --data "$net/agents/ong" --out "$scratch/mirror" --json

step "which prove what it sent, with nobody of the network asked"
net_down "$net"
prove() { # ENTRY NAME OPTION...
  local entry=$1 name=$2; shift 2
  check "prove $name" amparo-audit prove "$entry" --export "$scratch/mirror" --root "$pin" --out "$scratch/$name-pack.json" "$@"
  check "verify $name" amparo-audit verify "$scratch/$name-pack.json" --root "$pin"
}
prove "$entry" envelope
grep -q "ong" "$scratch/out"
prove "$anchored" document --document "$scratch/document.json"
grep -q "signed by ong" "$scratch/out"
jq '.salt = (if .salt[:1] == "A" then "B" else "A" end) + .salt[1:]' "$scratch/document.json" >"$scratch/forged.json"
check_exit 6 amparo-audit prove "$anchored" --export "$scratch/mirror" --root "$pin" --document "$scratch/forged.json" --out "$scratch/forged-pack.json"
