#!/usr/bin/env bash
# An auditor's day: replay with a page for the court, an access log checked
# against its anchors, a pack of evidence that stands by itself.
. "$(dirname "$0")/lib.sh"
audit() { amparo-audit "$@"; }

step "a referral crosses, and is opened"
net_up "$scratch/net" ong,uls
net=$scratch/net
form_for uls
referral=$(send_referral uls)
check "uls gets it" as uls referral show "$referral" --wait delivered --timeout 20
check "uls opens safe_contact" as uls referral show "$referral" --section safe_contact

step "the institution exports its access log; the agent's end anchors it"
as uls-supervisor access-log --export >"$scratch/early.jsonl"
equal "$(tail -n 1 "$scratch/early.jsonl" | jq -r .schema)" access_log_export/1
check_exit 2 as uls-supervisor access-log --export --case c-aaaa
check "a look that comes after it" as uls-supervisor access-log --json
check "anchored" "$root/deploy/localnet" stop uls --dir "$net"
net_down "$net"
net_up "$net"
as uls-supervisor access-log --export >"$scratch/uls.jsonl"
amparo-broker export --data "$net/broker" --out "$scratch/export" >/dev/null
pin=$(sed -n 's/^root = "\(.*\)"/\1/p' "$net/profiles/auditor/profile.toml")
step "it fits the anchors, and answers an auditor's questions"
check "the access log is right" audit access-log "$scratch/uls.jsonl" --export "$scratch/export" --root "$pin" --json
equal "$(field .ok <"$scratch/out")" true
[ "$(field .anchored <"$scratch/out")" -gt 0 ] || { cat "$scratch/out"; exit 1; }
check "who opened safe_contact" audit access-log "$scratch/uls.jsonl" --export "$scratch/export" --root "$pin" --section safe_contact --json
equal "$(field '.records | length' <"$scratch/out")" 1
equal "$(field '.records[0].action' <"$scratch/out")" section_open
step "a typo is no acquittal"
access() { audit access-log "$scratch/uls.jsonl" --export "$scratch/export" --root "$pin" "$@"; }
check_exit 2 access --section nonsense
grep -q safe_contact "$scratch/err"
check_exit 2 access --action nonsense
grep -q section_open "$scratch/err"
check "nobody saw another case" access --case c-zzzz
grep -q "^0 of [1-9][0-9]* records match" "$scratch/out"
check "nothing went without consent" access --without-consent --json
equal "$(field .matched <"$scratch/out")" 0

step "an older export accuses nobody, and says what came since"
check "older" audit access-log "$scratch/early.jsonl" --export "$scratch/export" --root "$pin"
grep -q "NOT THE NEWEST" "$scratch/out"
check "older" audit access-log "$scratch/early.jsonl" --export "$scratch/export" --root "$pin" --json
[ "$(field .newer <"$scratch/out")" -gt 0 ]

step "a log that was cut or changed is found out"
record=$(grep -n '"section_open"' "$scratch/uls.jsonl" | head -n 1 | cut -d: -f1)
sed "${record}d" "$scratch/uls.jsonl" >"$scratch/cut.jsonl"
check_exit 6 audit access-log "$scratch/cut.jsonl" --export "$scratch/export" --root "$pin" --json
sed "${record}s/safe_contact/identity/" "$scratch/uls.jsonl" >"$scratch/changed.jsonl"
check_exit 6 audit access-log "$scratch/changed.jsonl" --export "$scratch/export" --root "$pin"
grep -q "first bad record" "$scratch/out"

step "replay writes a page that needs nothing else"
printf mine >"$scratch/report.html.probe" # whose name it was, once
check "replay" audit replay --export "$scratch/export" --root "$pin" --html "$scratch/report.html" --json
equal "$(field .ok <"$scratch/out")" true
grep -q "In order" "$scratch/report.html"
equal "$(cat "$scratch/report.html.probe")" mine
cp "$scratch/out" "$scratch/timeline.json"
envelope=$(field '[.timeline[] | select(.event == "envelope")][0].index' <"$scratch/out")
receipt=$(field '[.timeline[] | select(.event == "receipt")][0].index' <"$scratch/out")

check_exit 2 audit replay --export "$scratch/export" --root "$pin" --html "$scratch/nowhere/report.html"
[ ! -s "$scratch/out" ] || { echo "it walked first"; exit 1; }
check "unpinned" audit replay --export "$scratch/export" --no-timeline
grep -q "First charter $pin: compare it with the paper protocol" "$scratch/out"

step "a replay goes on where the last one ended"
check "the first one sees all" audit replay --export "$scratch/export" --root "$pin" --state "$scratch/audit.state" --json
equal "$(field .resumed_from <"$scratch/out")" null
check "the second one nothing" audit replay --export "$scratch/export" --state "$scratch/audit.state" --json
equal "$(field '[.ok, .root_pinned, (.timeline | length), .resumed_from == .size] | map(tostring) | join(" ")' <"$scratch/out")" "true true 0 true"
sed 's/^newest ./newest 9/' "$scratch/audit.state" >"$scratch/changed.state"
check_exit 6 audit replay --export "$scratch/export" --state "$scratch/changed.state"
check_exit 2 audit replay --export "$scratch/export" --state "$scratch/audit.state" --since "$scratch/export/checkpoint"

step "show and prove say what one entry is"
check "show" audit show "$envelope" --export "$scratch/export" --json
equal "$(field .fields.from <"$scratch/out")" ong
check_exit 3 audit show 999999 --export "$scratch/export"
for entry in "$envelope" "$receipt"; do
  check "prove $entry" audit prove "$entry" --export "$scratch/export" --root "$pin" --out "$scratch/pack-$entry.json"
  check "verify $entry" audit verify "$scratch/pack-$entry.json" --root "$pin" --json
  equal "$(field .ok <"$scratch/out")" true
done
check_exit 2 audit show -- -1 --export "$scratch/export"
check_exit 2 audit show 1x --export "$scratch/export"
check_exit 3 audit prove 999999 --export "$scratch/export" --root "$pin"

step "a stranger's tool verifies the entry's place (C2SP tlog-proof)"
/usr/bin/python3 -B - "$root/tests/interop" "$scratch/pack-$envelope" "$envelope" <<'EOT'
import base64, json, sys
sys.path.insert(0, sys.argv[1])
import tlog_reference
pack = json.load(open(sys.argv[2] + ".json"))
text = open(sys.argv[2] + ".tlog-proof").read()
entry = next(e["entry"] for e in pack["entries"] if e["index"] == int(sys.argv[3]))
entry = base64.urlsafe_b64decode(entry + "=" * (-len(entry) % 4))
assert tlog_reference.check_proof(text, entry) == pack["checkpoint"]
try:
    tlog_reference.check_proof(text, entry + b"x")
    sys.exit("another entry was believed")
except tlog_reference.Mismatch:
    pass
EOT

step "a pack that was changed is refused"
sed 's/"subject":[0-9]*/"subject":0/' "$scratch/pack-$envelope.json" >"$scratch/moved.json"
check_exit 6 audit verify "$scratch/moved.json" --root "$pin"
check_exit 6 audit verify "$scratch/pack-$envelope.json" --root "sha256:$(printf '0%.0s' {1..64})"

step "a file that was cut or changed anywhere ends in a verdict, never in a crash"
cp -r "$scratch/export" "$scratch/damaged"
/usr/bin/python3 - "$scratch/damaged" "$pin" "$(command -v amparo-audit)" "$scratch/pack-$envelope.json" <<'EOT'
import os, random, subprocess, sys
folder, pin, audit, pack = sys.argv[1:]
dice = random.Random(20261122)
def verdict(*words):
    done = subprocess.run([audit, *words, "--root", pin], capture_output=True)
    assert done.returncode in (0, 1, 6), (words, done.returncode, done.stderr)
    return done.returncode
def damage(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if not data: return data
    at = dice.randrange(len(data))
    changed = data[:at] if dice.random() < 0.3 else bytearray(data)
    if at < len(changed): changed[at] ^= 1 << dice.randrange(8)
    with open(path, "wb") as file: file.write(changed)
    return data
found = 0
for top, _, names in sorted(os.walk(folder)):
    for name in sorted(names):
        for _ in range(4):
            path = os.path.join(top, name)
            whole = damage(path)
            found += verdict("replay", "--export", folder) == 6
            with open(path, "wb") as file: file.write(whole)
for _ in range(20):
    whole = damage(pack)
    assert verdict("verify", pack) == 6
    with open(pack, "wb") as file: file.write(whole)
assert found > 10, found
assert verdict("replay", "--export", folder) == 0
EOT

step "public tools find the same (docs/EVIDENCE.md)"
if command -v python3 >/dev/null; then
  awk '/^```python$/{on=1;next} /^```$/{if (on) exit} on' "$root/docs/EVIDENCE.md" >"$scratch/check.py"
  check "the page's script believes the pack" python3 "$scratch/check.py" "$scratch/pack-$envelope.json" "$pin"
  grep -q "all entries are in the tree" "$scratch/out"
  check_exit 1 python3 "$scratch/check.py" "$scratch/moved.json" "$pin"
  for kind in charter key_event access_log_checkpoint anchor receipt; do
    entry=$(jq --arg k "$kind" '[.timeline[] | select(.event == $k)][-1].index' "$scratch/timeline.json")
    [ "$entry" != null ] || { echo "the log has no $kind"; exit 1; }
    check "prove the $kind of entry $entry" audit prove "$entry" --export "$scratch/export" --root "$pin" --out "$scratch/$kind.json"
    check "the script believes the $kind" python3 "$scratch/check.py" "$scratch/$kind.json" "$pin"
    jq -c --argjson e "$entry" '(.entries[] | select(.index == $e) | .entry) |= "AAAA" + .[4:]' "$scratch/$kind.json" >"$scratch/forged.json"
    check_exit 1 python3 "$scratch/check.py" "$scratch/forged.json" "$pin"
  done
  awk '/^```python$/{on=1;n++;next} /^```$/{on=0} on && n == 2' "$root/docs/EVIDENCE.md" >"$scratch/charters.py"
  check "charter by charter" python3 "$scratch/charters.py" "$scratch/export" "$pin"
  check "a member's mirror" amparo-agent export-mirror --data "$net/agents/ong" --out "$scratch/mirror"
  check_exit 0 python3 "$scratch/charters.py" "$scratch/mirror" "$pin"
  grep -q "no charter-checkpoints/" "$scratch/out"
  check_exit 6 audit replay --export "$scratch/mirror" --root "$pin" --no-timeline
  check "a mirror replayed as one" audit replay --export "$scratch/mirror" --mirror --root "$pin" --no-timeline
  grep -q "one member's mirror" "$scratch/out"
fi

step "two checkpoints agree, or one of them proves nothing"
audit_compare() { audit compare "$@" --log-key "$net/broker/network.json"; }
check "the same twice" audit_compare "$scratch/export/checkpoint" "$scratch/export/checkpoint"
cat "$scratch/export/checkpoint" "$scratch/export/checkpoint" >"$scratch/both.notes"
check "both in one file" audit_compare "$scratch/both.notes" --json
equal "$(field .verdict <"$scratch/out")" same
sed '2s/.*/5/' "$scratch/export/checkpoint" >"$scratch/forged.note"
check_exit 6 audit_compare "$scratch/export/checkpoint" "$scratch/forged.note"
check_exit 2 audit_compare "$scratch/export/checkpoint"
