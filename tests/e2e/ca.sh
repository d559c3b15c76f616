#!/usr/bin/env bash
# The network's CA changes while mail flows: nobody restarts, nobody is cut off
# but who was away for all of it, and that one finds a way back. What the old CA
# signs is worth nothing afterwards.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
broker=$net/broker
data_of() { echo "$net/agents/$1"; }
error_is() { equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$1"; }
mail_flows() { check "mail flows" as ong referral show "$(send_referral uls)" --wait delivered --timeout 20; }
cas_of() { jq -c '[.ca, .ca_next]' "$1/network.json"; }
issuer_key() { # CERTIFICATE
  openssl x509 -in "$1" -noout -ext authorityKeyIdentifier | tail -1 | tr -d ' '
}
key_of() { # CA
  openssl x509 -in "$1" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' '
}
switch_ca() { amparo-broker switch-ca --data "$broker" --json "$@"; }
pid_of() { jq -r ".members.$1.pid" "$net/localnet.json"; }
end_agent() { # MEMBER
  local pid; pid=$(pid_of "$1")
  kill -TERM "$pid"
  while grep -q ') [^ZX]' "/proc/$pid/stat" 2>/dev/null; do sleep 0.05; done
}
replay() { amparo-audit replay --profile "$net/profiles/auditor" --no-timeline --json; }

step "a network under its first CA"
net_up "$net" ong,uls,gnr
form_for uls
mail_flows
stolen=$scratch/stolen; mkdir "$stolen"; cp "$broker/ca.key.pem" "$broker/ca.pem" "$stolen"
first=$(key_of "$stolen/ca.pem")
brokers_pid=$(jq .broker.pid "$net/localnet.json")
check_exit 1 switch_ca; error_is invalid_state  # there is none to switch to

step "a new CA is made: the agents follow by themselves, while mail flows"
end_agent gnr  # away for all of it
check "new" amparo-broker new-ca --data "$broker" --json
equal "$(jq -r .schema "$scratch/out")" broker_new_ca/1
check_exit 1 amparo-broker new-ca --data "$broker" --json; error_is conflict
mail_flows
for member in ong uls; do
  until_ok bash -c "[ \"\$(jq .ca_next '$(data_of $member)/network.json')\" != null ]"
  until_ok bash -c "openssl verify -CAfile '$broker/ca-2.pem' '$(data_of $member)/certificate.pem'"
done
mail_flows
equal "$(issuer_key "$broker/server.pem")" "$first"

step "the switch waits for who has not followed"
behind() { switch_ca >/dev/null 2>"$scratch/err" || grep -o 'not followed yet: [a-z ]*' "$scratch/err"; }
until_ok bash -c "$(declare -f switch_ca behind); broker='$broker' scratch='$scratch'; [ \"\$(behind)\" = 'not followed yet: auditor gnr' ] || [ \"\$(behind)\" = 'not followed yet: gnr auditor' ]"
check "the auditor follows when it works" replay
grep -q "new certificate" "$scratch/err"
check_exit 1 switch_ca; error_is invalid_state
grep -q "not followed yet: gnr" "$scratch/err"

step "an invitation made now names both"
invitation=$(amparo-broker invite gnr --data "$broker")
equal "$(cut -d. -f2 <<<"$invitation" | tr '_-' '/+' | base64 -d 2>/dev/null | jq -r 'has("ca_next")')" true

step "the switch: no restart, and mail flows"
check "switch" switch_ca --at-once
equal "$(jq -c .behind "$scratch/out")" '["gnr"]'
second=$(key_of "$broker/ca-2.pem")
equal "$(issuer_key "$broker/server.pem")" "$second"
mail_flows
for member in ong uls; do
  until_ok bash -c "[ \"\$(jq .ca_next '$(data_of $member)/network.json')\" = null ]"
done
mail_flows
equal "$(jq .broker.pid "$net/localnet.json")" "$brokers_pid"
equal "$(as uls status --json | jq -c .alarms)" "[]"
check "the auditor goes on" replay

step "what the old CA signs is refused, and the new one's is not"
members=$(jq -r .broker.address "$net/localnet.json")
thief() { # CA_KEY CA NAME: a certificate for ong, made by whoever has that CA
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ong \
    -keyout "$scratch/$3.key" -out "$scratch/$3.csr" 2>/dev/null
  openssl x509 -req -in "$scratch/$3.csr" -CA "$2" -CAkey "$1" -days 1 -out "$scratch/$3.pem" \
    -extfile <(printf 'subjectAltName=URI:spiffe://local/member/ong\nextendedKeyUsage=clientAuth\n') 2>/dev/null
  mkdir -p "$scratch/$3"
  sed "s|^cert .*|cert = \"$scratch/$3.pem\"|; s|^key .*|key = \"$scratch/$3.key\"|" \
    "$net/profiles/auditor/profile.toml" >"$scratch/$3/profile.toml"
  cp "$net/profiles/auditor/ca.pem" "$scratch/$3/"
}
thief "$stolen/ca.key.pem" "$stolen/ca.pem" old
check_exit 5 amparo-audit show 0 --profile "$scratch/old" --json
thief "$broker/ca-2.key.pem" "$broker/ca-2.pem" new
check "so it was the CA" amparo-audit show 0 --profile "$scratch/new" --json
# What stands at the port is of the new CA, for who looks from outside, too.
verified_by() { openssl s_client -connect "$members" -CAfile "$1" </dev/null 2>/dev/null | grep -c 'Verification: OK' || true; }
equal "$(verified_by "$stolen/ca.pem")" 0
equal "$(verified_by "$broker/ca-2.pem")" 1

step "who was away is told why, and comes back with an invitation"
check "up" "$root/deploy/localnet" up --dir "$net"
until_ok bash -c "amparo --profile '$net/profiles/gnr' status --json | jq -e '[.alarms[].code] | index(\"broker_ca\")'"
check_exit 1 amparo-agent doctor --data "$(data_of gnr)" --json
equal "$(jq -r '.checks[] | select(.check == "members_port") | .result' "$scratch/out")" FAIL
cp -r "$(data_of ong)" "$scratch/ong-copy"
check_exit 1 amparo-agent reconnect "$invitation" --data "$scratch/ong-copy" --json; error_is invalid_invitation  # another's
before=$(amparo-agent keys --data "$(data_of gnr)" --json | jq -c '[.keys[].kid]')
check "reconnect" amparo-agent reconnect "$invitation" --data "$(data_of gnr)" --json
until_ok bash -c "amparo --profile '$net/profiles/gnr' status --json | jq -e '.broker.reachable and .alarms == []'"
equal "$(amparo-agent keys --data "$(data_of gnr)" --json | jq -c '[.keys[].kid]')" "$before"
check "the same keys may use it again" amparo-agent reconnect "$invitation" --data "$(data_of gnr)" --json
check_exit 6 amparo-agent join "$(amparo-broker invite gnr --data "$broker")" --data "$scratch/thief" \
  --unlock key_file --words-confirmed --json; error_is verification_failed  # a stolen line, other keys
mail_flows
size=$(as ong status --json | jq .log.size)
until_ok bash -c "[ \"\$(amparo --profile '$net/profiles/gnr' status --json | jq .log.size)\" -ge $size ]"
check "doctor" amparo-agent doctor --data "$(data_of gnr)" --json

step "an auditor that was away comes back the same way"
cp -r "$net/profiles/auditor" "$scratch/away"
cp "$stolen/ca.pem" "$scratch/away/ca.pem"; rm -f "$scratch/away/ca.note"
check_exit 6 amparo-audit replay --profile "$scratch/away" --no-timeline --json; error_is wrong_pin
check "reconnect" amparo-audit reconnect "$(amparo-broker invite auditor --data "$broker")" --profile "$scratch/away" --json
check "replay" amparo-audit replay --profile "$scratch/away" --no-timeline --json

step "a restart changes nothing, and it can be done again"
net_down "$net"
net_up "$net"
mail_flows
check "new" amparo-broker new-ca --data "$broker" --json
until_ok bash -c "$(declare -f switch_ca); broker='$broker'; switch_ca 2>&1 | grep -q 'not followed yet: auditor'"
check "the auditor follows" replay
check "switch" switch_ca
equal "$(jq -c .behind "$scratch/out")" '[]'
mail_flows
