#!/usr/bin/env bash
# An IT system reaches its institution's agent over TLS, known by a certificate
# that openssl made and an admin added; everybody else is turned away.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
system=$scratch/system
mkdir -p "$system"
admin() { as ong-admin "$@"; }
records() { amparo --profile "$system/${profile:-good}" "$@"; }
new_certificate() { # NAME [DAYS [OPENSSL_ARGS...]]: NAME.key and NAME.pem
  local name=$1 days=${2:-30}; shift; [ $# = 0 ] || shift
  [ $# -gt 0 ] || set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256
  openssl req -x509 "$@" -nodes -keyout "$system/$name.key" -out "$system/$name.pem" \
    -days "$days" -subj /CN=records 2>/dev/null
}
new_profile() { # NAME CA CERT KEY
  mkdir -p "$system/$1"
  printf 'address = "%s"\nca = "%s"\ncert = "%s"\nkey = "%s"\nmember = "ong"\n' \
    "$(cat "$net/agents/ong/api.addr")" "$2" "$3" "$4" >"$system/$1/profile.toml"
}
error_is() { # CODE
  equal "$(tail -n1 "$scratch/err" | jq -r .code)" "$1"
  [ ! -s "$scratch/out" ] || { echo "stdout is not empty"; exit 1; }
}

step "the port is off until it is asked for"
net_up "$net" ong,uls
[ ! -e "$net/agents/ong/api.addr" ]
toml=$net/agents/ong/agent.toml
check_config() { amparo-agent run --data "$net/agents/ong" --check-config; }
sed -i 's|^tls_listen = .*|tls_listen = "nowhere"|' "$toml"
check_exit 2 check_config
grep -q api.tls_listen "$scratch/err"
sed -i 's|^tls_listen = .*|tls_listen = "127.0.0.1:0"|; s|^tls_names = .*|tls_names = ["*.example"]|' "$toml"
check_exit 2 check_config
sed -i 's|^tls_names = .*|tls_names = ["agent.example"]|' "$toml"
check "a right configuration" check_config
net_down "$net"; net_up "$net"
ca=$net/agents/ong/api-ca.pem
check "the certificate has the configured names" bash -c "
  openssl s_client -connect $(cat "$net/agents/ong/api.addr") -CAfile '$ca' -verify_return_error </dev/null 2>/dev/null |
    openssl x509 -noout -ext subjectAltName | grep -q 'IP Address:127.0.0.1, DNS:agent.example'"
check "no private key lies in the directory" bash -c "! grep -rlE 'BEGIN (EC |RSA )?PRIVATE KEY' '$net/agents/ong'"

step "an admin adds the system by its certificate, and nobody else"
new_certificate good
new_profile good "$ca" ../good.pem ../good.key
check_exit 4 records status --json; error_is not_an_officer
add() { admin officer add "$1" --role "${role:-it_system}" --certificate "$2" --json; }
check_exit 2 add records "$system/good.key"
check_exit 2 add records "$toml"
new_certificate weak 30 -newkey rsa:1024
check_exit 2 add records "$system/weak.pem"
role=supervisor check_exit 2 add records "$system/good.pem"
check_exit 4 as ong officer add records --role it_system --certificate "$system/good.pem"
check_exit 2 admin officer add records --role it_system
check "added" add records "$system/good.pem"
id=$(jq -r .officer_id "$scratch/out")
equal "$(jq -r .certificate_hash "$scratch/out")" \
  "sha256:$(openssl x509 -in "$system/good.pem" -outform der | sha256sum | cut -d' ' -f1)"
check_exit 1 add again "$system/good.pem"
equal "$(admin officer list --json | jq -r '.officers[] | select(.handle == "records") | .roles[0]')" it_system

step "it works as over the socket, with the same exit codes"
equal "$(records status --json | jq -c .officer)" '{"handle":"records","roles":["it_system"]}'
form_for uls
consent=$(records consent record --form "$(consent_form)" --json | field .grant_id)
send() { records referral send --to uls --form "${1:-$scratch/referral-uls.json}" --consent "$consent" --json; }
referral=$(send | field .referral_id)
check "delivered" records referral show "$referral" --wait delivered --timeout 30
check "accepted" as uls referral accept "$referral"
check "seen" records referral show "$referral" --wait accepted --timeout 30
records inbox --json >"$scratch/inbox"
equal "$(jq -r .schema "$scratch/inbox")" inbox/1
check "lists" records referral list --json
check "directory" records directory list
check_exit 3 records referral show r-aaaaaaaa --json; error_is not_found
printf '{' >"$scratch/bad.json"
check_exit 1 send "$scratch/bad.json"; error_is invalid_form
check_exit 4 records officer list --json; error_is role_missing
check_exit 4 records access-log --json; error_is role_missing
check_exit 4 records officer add x --role admin --uid 1 --json; error_is role_missing


step "the access log names its record"
as ong-supervisor access-log --json >"$scratch/log"
equal "$(jq -r --arg o "$id" '[.records[] | select(.officer == $o and .action == "referral_send")] | length' "$scratch/log")" 1

step "everybody else is turned away"
new_certificate stranger
new_profile stranger "$ca" ../stranger.pem ../stranger.key    # the same name, another key
profile=stranger check_exit 4 records inbox --json; error_is not_an_officer
new_profile mixed "$ca" ../good.pem ../stranger.key
profile=mixed check_exit 2 records inbox --json; error_is config
new_profile pin ../good.pem ../good.pem ../good.key
profile=pin check_exit 6 records inbox --json; error_is wrong_pin
new_profile open "$ca" ../good.pem ../open.key
cp "$system/good.key" "$system/open.key" && chmod 0644 "$system/open.key"
profile=open check_exit 2 records inbox --json; error_is config
new_profile lost "$ca" ../good.pem ../nowhere.key
profile=lost check_exit 2 records inbox --json; error_is config
new_profile name "$ca" ../good.pem ../good.key
sed -i 's/^address = .*/address = "[::1]:1"/' "$system/name/profile.toml"
profile=name check_exit 5 records inbox --json; error_is agent_unreachable
echo 'officer = "ana"' >>"$system/stranger/profile.toml"
profile=stranger check_exit 4 records inbox --json; error_is not_an_officer
mkdir -p "$system/handle" && { cat "$system/good/profile.toml"; echo 'officer = "officer"'; } >"$system/handle/profile.toml"
profile=handle check_exit 4 records inbox --json; error_is not_an_officer
address=$(cat "$net/agents/ong/api.addr")
client() { openssl s_client -connect "$address" -alpn h2 -CAfile "$ca" "$@" </dev/null; }
check_exit 1 client -tls1_2 -cert "$system/good.pem" -key "$system/good.key"
check "TLS 1.3" client -tls1_3 -cert "$system/good.pem" -key "$system/good.key"

step "other keys that are strong enough"
for kind in ed25519 rsa:3072; do
  name=key-${kind%%:*}
  new_certificate "$name" 30 -newkey "$kind"
  check "added" add "$name" "$system/$name.pem"
  new_profile "$name" "$ca" "../$name.pem" "../$name.key"
  profile=$name check "$kind" records inbox
done

step "what was removed stays out, after a restart too; others go on, pins hold"
check "removed" admin officer remove records --json
equal "$(jq -r .schema "$scratch/out")" officer_remove/1
check_exit 4 records inbox --json; error_is not_an_officer
check_exit 1 add records "$system/good.pem"
check_exit 1 add again "$system/good.pem"
check_exit 3 admin officer remove records
check_exit 1 admin officer remove admin
before=$(cat "$ca" "$net/agents/ong/api.addr")
net_down "$net"; net_up "$net"
equal "$(cat "$ca" "$net/agents/ong/api.addr")" "$before"
check_exit 4 records inbox --json; error_is not_an_officer
profile=key-rsa check "the other system" records inbox

step "off again: nobody answers, and no stale address stands about"
sed -i 's|^tls_listen = .*|tls_listen = ""|' "$toml"
net_down "$net"; net_up "$net"
[ ! -e "$net/agents/ong/api.addr" ]
profile=key-rsa check_exit 5 records inbox --json; error_is agent_unreachable
