# What the end-to-end scripts share. Usage: SCRIPT BIN_DIR SCRATCH_DIR
set -euo pipefail
export AMPARO_BIN=$1
scratch=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
forms=$root/deploy/quickstart.d
export PATH="$AMPARO_BIN:$PATH"
rm -rf "$scratch" && mkdir -p "$scratch"
nets=()
# Ends every network that this script started, however it ends.
cleanup() {
  local status=$? net
  for net in "${nets[@]}"; do "$root/deploy/localnet" down --dir "$net" >/dev/null 2>&1 || true; done
  [ "$status" = 0 ] || { echo "FAILED"; tail -n 5 "$scratch"/*/logs/*.log 2>/dev/null || true; }
}
trap cleanup EXIT

net_up() { # DIR [MEMBERS]
  nets+=("$1")
  "$root/deploy/localnet" up --dir "$1" ${2:+--members "$2"} >/dev/null
}
net_down() { "$root/deploy/localnet" down --dir "$1" >/dev/null; }
as() { local member=$1; shift; amparo --profile "$net/profiles/$member" "$@"; }
field() { jq -r "$1"; }

step() { echo "- $*"; }
check() { # DESCRIPTION COMMAND...
  local what=$1; shift
  "$@" >"$scratch/out" 2>"$scratch/err" || { echo "not so: $what"; cat "$scratch/out" "$scratch/err"; exit 1; }
}
# The command must end with this exit status; its stderr is in $scratch/err.
check_exit() { # STATUS COMMAND...
  local want=$1 got=0; shift
  "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
  [ "$got" = "$want" ] || { echo "exit $got, expected $want: $*"; cat "$scratch/out" "$scratch/err"; exit 1; }
}
until_ok() { # COMMAND...: again and again until it succeeds, 30 s at most
  local deadline=$((SECONDS + 30))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "gave up on: $*"; exit 1; }
    sleep 0.05
  done
}
equal() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }

# The example consent, for a network that has not all of its members.
consent_form() { # EXCLUDED_MEMBER (may be empty); prints a path
  jq --arg m "${1:-}" '.provisions |= .[:1] | .exclusions |= map(select(.member == $m))' \
    "$forms/consent.json" >"$scratch/consent.json"
  echo "$scratch/consent.json"
}
# A consent and a referral of ong; prints the referral's id.
send_referral() { # TO
  local consent
  consent=$(as ong consent record --form "$(consent_form)" --json | field .grant_id)
  as ong referral send --to "$1" --form "$scratch/referral-$1.json" --consent "$consent" --json | field .referral_id
}
# The example form for one recipient.
form_for() { # MEMBER
  jq --arg m "$1" '.recipients = {($m): .recipients[$m]} | .first_contact = $m' "$forms/referral.json" >"$scratch/referral-$1.json"
}
