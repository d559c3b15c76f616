#!/usr/bin/env bash
# A network of two members watched from outside: an auditor's office and an
# archive, whose words the quorum needs. One that is down is missed and comes
# back, one behind TLS is believed by its certificate's authority alone, and a
# broker that tells a second history is refused and accused.
. "$(dirname "$0")/lib.sh"
net=$scratch/net
charter() { local verb=$1; shift; amparo-charter "$verb" --dir "$net/charter" "$@"; }
decide() {
  local key
  for key in 1 2; do check "sign" charter sign --yes; done
  check "publish" charter publish
}
in_force() { as "$1" status --json | jq -e ".charter.version == $2" >/dev/null; }
witnessed() { as ong referral show "$1" --json | jq -e '[.recipients[].witnessed] | all' >/dev/null; }
arrives() { check "it arrives" as ong referral show "$1" --wait delivered --timeout 20; }
metric() { # "NAME VALUE"
  python3 -c 'import http.client, sys
c = http.client.HTTPConnection(sys.argv[1]); c.request("GET", "/metrics"); print(c.getresponse().read().decode())' \
    "$(cat "$net/broker/metrics.addr")" | grep -x "$1"
}
journal() { grep -c "\"event\":\"$1\".*\"witness\":$2" "$net/logs/broker.log"; }

size_of() { amparo-audit witness show --data "$scratch/audit" --json | jq '.logs[0].size'; }

declare -A pids
start_witness() { # NAME
  amparo-audit witness run --data "$scratch/$1" --listen "127.0.0.1:${ports[$1]:-0}" 2>>"$scratch/$1.log" &
  pids[$1]=$!
  until_ok grep -q witness_ready "$scratch/$1.log"
  ports[$1]=$(sed 's/.*://' "$scratch/$1/witness.addr")
}
stop_one() { kill "${pids[$1]}"; wait "${pids[$1]}" || true; unset "pids[$1]"; : >"$scratch/$1.log"; }
declare -A ports
end_witnesses() { local pid; for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; cleanup; }
trap end_witnesses EXIT

step "two offices make a witness each"
net_up "$net" ong,uls
form_for uls
base=$(as ong status --json | jq .charter.version)
for name in audit archive; do
  check "init" amparo-audit witness init --data "$scratch/$name" --name "$name.example/w" --json
  declare "key_$name=$(field .vkey <"$scratch/out")" "words_$name=$(field .words <"$scratch/out")"
  check "add-log" amparo-audit witness add-log "$net/broker/network.json" --data "$scratch/$name"
  start_witness "$name"
done
check_exit 1 amparo-audit witness run --data "$scratch/audit" --listen 127.0.0.1:0 --json
equal "$(tail -n1 "$scratch/err" | jq -r .code)" conflict
check_exit 2 amparo-audit witness run --data "$scratch/audit" --listen 7450

step "one is served behind TLS, by a certificate of its own authority"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext "subjectAltName = IP:127.0.0.1" -keyout "$scratch/tls.key" -out "$scratch/tls.pem" 2>/dev/null
cat >"$scratch/front.py" <<'PY'
import http.client, http.server, ssl, sys
certificate, key, backend, port_file = sys.argv[1:]
class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        behind = http.client.HTTPConnection(backend)
        behind.request("POST", self.path.removeprefix("/amparo"), body)
        answer = behind.getresponse()
        text = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
open(port_file, "w").write(str(server.server_port))
server.serve_forever()
PY
python3 "$scratch/front.py" "$scratch/tls.pem" "$scratch/tls.key" "$(cat "$scratch/archive/witness.addr")" "$scratch/front.port" &
pids[front]=$!
until_ok test -s "$scratch/front.port"

step "the broker is told where they are; the charter does not name them yet"
net_down "$net"
sed -i "s|^outside = .*|outside = [\"audit.example/w http://127.0.0.1:${ports[audit]}\", \"archive.example/w https://127.0.0.1:$(cat "$scratch/front.port")/amparo/\"]|" "$net/broker/broker.toml"
check "the file is right" amparo-broker run --data "$net/broker" --check-config
equal "$(jq '.witness.outside | length' "$scratch/out")" 2
net_up "$net" ong,uls
until_ok metric "amparo_outside_witnesses 0"

step "the committee takes them in: all four are witnesses, three a quorum"
check "set" charter set witness.faulty 0
check "set" charter set witness.keys "$key_audit" "$key_archive" --json
# The words that each office reads out are those that the committee sees.
for words in "$words_audit" "$words_archive"; do jq -e --arg w "$words" '.changes | any(contains($w))' "$scratch/out" >/dev/null; done
equal "$(jq -r '.warnings | map(select(startswith("Note: audit.example/w"))) | length' "$scratch/out")" 1
check "set" charter set witness.quorum 4
grep -q "WARNING: every witness is needed, 4 of 4" "$scratch/out"
check "set" charter set witness.quorum 3 --json
equal "$(jq '[.warnings[] | select(startswith("WARNING"))] | length' "$scratch/out")" 0
decide
for member in ong uls; do until_ok in_force "$member" $((base + 1)); done
referral=$(send_referral uls)
arrives "$referral"
until_ok witnessed "$referral"

step "nobody vouches for the certificate: that witness is silent, the others do"
until_ok journal witness_silent 2
grep -q '"witness":2,"code":"tls"' "$net/logs/broker.log"
until_ok metric "amparo_outside_witnesses_silent 1"

step "one more is down: mail goes on, and says that too few saw it"
stop_one audit
referral=$(send_referral uls)
arrives "$referral"
until_ok journal witness_silent 1
check_exit 1 witnessed "$referral"

step "it comes back, and what waited is seen by a quorum"
start_witness audit
until_ok witnessed "$referral"
until_ok journal witness_answers 1

step "its authority is trusted: both count, and one member may be away"
net_down "$net"
sed -i "s|^ca_file = .*|ca_file = \"$scratch/tls.pem\"|" "$net/broker/broker.toml"
: >"$net/logs/broker.log"
net_up "$net" ong,uls
until_ok journal witness_answers 2
until_ok metric "amparo_outside_witnesses_silent 0"
pid=$(jq -r .members.uls.pid "$net/localnet.json")
kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
referral=$(send_referral uls)
until_ok bash -c "amparo --profile '$net/profiles/ong' status --json | jq -e '.log.witnessed_size == .log.size' >/dev/null"
net_up "$net" ong,uls
arrives "$referral"

step "the auditor counts them"
until_ok witnessed "$referral"
root_hash=sha256:$(sha256sum "$net/charter/charter-1.json" | cut -d' ' -f1)
check "export" amparo-broker export --data "$net/broker" --out "$scratch/export"
check "replay" amparo-audit replay --export "$scratch/export" --root "$root_hash" --json
equal "$(jq '.quorum == 3 and .cosignatures >= 3 and .ok' "$scratch/out")" true
grep -q "— audit.example/w " "$scratch/export/checkpoint"
grep -v "/witness/" "$scratch/export/checkpoint" >"$scratch/fewer" && cp "$scratch/fewer" "$scratch/export/checkpoint"
check_exit 6 amparo-audit replay --export "$scratch/export" --root "$root_hash" --json
equal "$(jq '[.findings[].code] | index("quorum_missing") != null' "$scratch/out")" true

step "a witness that is killed forgets nothing"
kill -KILL "${pids[audit]}"; wait "${pids[audit]}" 2>/dev/null || true
: >"$scratch/audit.log"
before=$(size_of)
[ "$before" -gt 0 ]
start_witness audit
referral=$(send_referral uls)
until_ok witnessed "$referral"
[ "$(size_of)" -gt "$before" ]
equal "$(amparo-audit witness show --data "$scratch/audit" --json | jq '.evidence')" "[]"

step "a copy of the broker, put back to an older state, tells a second history"
net_down "$net"
cp -r "$net/broker" "$scratch/put-back" && cp -r "$net/charter" "$scratch/other-charter"
shown_by() { sed -n 2p "$1/last-checkpoint"; }
cosigned_to() { [ "$(size_of)" = "$1" ]; }
entries=$(shown_by "$net/broker")
run_broker() { # DIR CHARTER TITLE: it runs, and a charter is one more entry of it
  amparo-broker run --data "$1" 2>>"$scratch/broker.log" &
  pids[broker]=$!
  check "the broker serves" amparo-broker status --data "$1" --wait-s 30
  check "set" amparo-charter set title "$3" --dir "$2"
  for key in 1 2; do check "sign" amparo-charter sign --yes --dir "$2"; done
  check "publish" amparo-charter publish --dir "$2"
}
run_broker "$net/broker" "$net/charter" "one"
until_ok cosigned_to $((entries + 1))
stop_one broker
run_broker "$scratch/put-back" "$scratch/other-charter" "another"
until_ok grep -q '"event":"log_fault","code":"fork"' "$scratch/audit.log"
until_ok grep -Eq '"witness_silent","witness":1,"code":"(ahead|refused)","status":409' "$scratch/broker.log"
equal "$(shown_by "$scratch/put-back")" $((entries + 1))
equal "$(size_of)" $((entries + 1))

step "what it kept proves it to anybody"
notes=$(amparo-audit witness show --data "$scratch/audit" --json | jq -r '.evidence[0]')
check_exit 6 amparo-audit compare "$notes" --log-key "$net/broker/network.json" --json
equal "$(jq -r .verdict "$scratch/out")" fork
