#!/usr/bin/python3
"""Recomputes a log from its entries alone.

    tlog_reference.py FOLDER | http://HOST:PORT [VKEY]

An independent reading of RFC 6962 section 2.1 and C2SP tlog-tiles,
tlog-checkpoint and signed-note: the standard library, hashlib, and none of the
project's code. Reads the entry bundles, computes every hash tile and the root,
and compares them with the tiles and the checkpoint of an exported FOLDER, or of
a log that is served over HTTP. With VKEY, the log's verifier key as the charter
has it, the checkpoint must be signed by it; Ed25519 is left to openssl.

Exit status 0 and one line of JSON when all agrees; 6 and the reason on standard
error when something does not; 2 for wrong usage.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

WIDTH = 256  # hashes in a tile, entries in a bundle
HASH = 32


class Mismatch(Exception):
    """The folder is no log, or not the one its checkpoint names."""


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes):
    """MTH of RFC 6962 over leaf hashes, by the RFC's own recursion."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(root_of(hashes[:split]), root_of(hashes[split:]))


def index_path(index):
    """Thousands, the first ones marked: 1234067 is x001/x234/067."""
    groups = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        groups.append("x%03d" % (index % 1000))
    return "/".join(reversed(groups))


def read(folder, path):
    try:
        if folder.startswith("http://"):
            with urllib.request.urlopen(folder + "/" + path, timeout=30) as page:
                return page.read()
        with open(os.path.join(folder, path), "rb") as file:
            return file.read()
    except (FileNotFoundError, urllib.error.HTTPError):
        raise Mismatch(path + " is missing") from None


def read_tile(folder, kind, index, width):
    """The bytes at tile/KIND/INDEX; a partial tile's name says its width."""
    path = "tile/%s/%s" % (kind, index_path(index))
    if width < WIDTH:
        path += ".p/%d" % width
    return path, read(folder, path)


def widths(count):
    """Index and width of each tile that holds `count` hashes or entries."""
    for index in range((count + WIDTH - 1) // WIDTH):
        yield index, min(WIDTH, count - index * WIDTH)


def read_bundle(path, data, width):
    entries = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 2], "big")
        entry = data[at + 2:at + 2 + size]
        if len(data) < at + 2 or len(entry) != size:
            raise Mismatch("%s ends within an entry" % path)
        entries.append(entry)
        at += 2 + size
    if len(entries) != width:
        raise Mismatch("%s has %d entries, not %d" % (path, len(entries), width))
    return entries


def read_checkpoint(folder):
    """Origin, size and root of the note; its signatures are left alone."""
    text = read(folder, "checkpoint").decode("utf-8", "strict")
    body, separator, signatures = text.rpartition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) < 3 or not signatures.startswith("\u2014 "):
        raise Mismatch("checkpoint is no signed note of three lines")
    origin, size, root = lines[:3]
    if not origin or not (size.isascii() and size.isdigit()) or (
            size != str(int(size))):
        raise Mismatch("checkpoint has no origin or no size")
    try:
        root = base64.b64decode(root, validate=True)
    except ValueError:
        raise Mismatch("checkpoint has a root that is not base64") from None
    if len(root) != HASH:
        raise Mismatch("checkpoint has a root of another size")
    return origin, int(size), root


def verifies(key, message, signature):
    """Ed25519 (RFC 8032), by openssl; the key as SubjectPublicKeyInfo."""
    with tempfile.TemporaryDirectory() as scratch:
        def put(name, data):
            path = os.path.join(scratch, name)
            with open(path, "wb") as file:
                file.write(data)
            return path
        return subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER",
             "-inkey", put("key", bytes.fromhex("302a300506032b6570032100") + key),
             "-rawin", "-in", put("message", message),
             "-sigfile", put("signature", signature)],
            capture_output=True, check=False).returncode == 0


def check_signature(folder, vkey):
    """One line of the note is by `vkey`: NAME+HASH+base64(0x01 | key)."""
    name, key_id, data = vkey.split("+", 2)
    data = base64.b64decode(data, validate=True)
    identity = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if data[:1] != b"\x01" or identity.hex() != key_id:
        raise Mismatch("the verifier key does not fit itself")
    text, _, lines = read(folder, "checkpoint").decode().rpartition("\n\n")
    for line in lines.splitlines():
        _, signer, value = line.split(" ")
        value = base64.b64decode(value, validate=True)
        if signer == name and value[:4] == identity:
            if verifies(data[1:], (text + "\n").encode(), value[4:]):
                return
            raise Mismatch("the log's signature does not fit the checkpoint")
    raise Mismatch("the log's key did not sign the checkpoint")


def check(folder, vkey=None):
    """What the checkpoint says, once everything below agrees with it."""
    folder = folder.rstrip("/")
    if vkey is not None:
        check_signature(folder, vkey)
    origin, size, root = read_checkpoint(folder)

    hashes = []
    for index, width in widths(size):
        path, data = read_tile(folder, "entries", index, width)
        hashes += [leaf_hash(entry) for entry in read_bundle(path, data, width)]
    if root_of(hashes) != root:
        raise Mismatch("the entries have another root than the checkpoint")

    # The nodes of tile level N are roots of full tiles of level N - 1.
    level, nodes, tiles = 0, hashes, 0
    while nodes:
        for index, width in widths(len(nodes)):
            path, data = read_tile(folder, str(level), index, width)
            begin = index * WIDTH
            if data != b"".join(nodes[begin:begin + width]):
                raise Mismatch(path + " does not fit the entries")
            tiles += 1
        nodes = [root_of(nodes[i * WIDTH:(i + 1) * WIDTH])
                 for i in range(len(nodes) // WIDTH)]
        level += 1
    return {"origin": origin, "size": size, "root": "sha256:" + root.hex(),
            "hash_tiles": tiles, "levels": level}


def check_proof(text, entry):
    """C2SP tlog-proof: `entry` is at its index under the note's root, by the
    recursion of RFC 6962 section 2.1.1. What the note's text is."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise Mismatch("no tlog-proof")
    path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    size, root = note.split("\n")[1:3]

    def climb(index, count):
        if count == 1:
            return leaf_hash(entry)
        split = 1 << (count - 1).bit_length() - 1
        if index < split:
            left = climb(index, split)
            return node_hash(left, path.pop(0))
        right = climb(index - split, count - split)
        return node_hash(path.pop(0), right)

    found = climb(int(lines[1][6:]), int(size))
    if path or found != base64.b64decode(root, validate=True):
        raise Mismatch("the proof does not lead to the root")
    return note


def main(arguments):
    if len(arguments) not in (1, 2):
        print("usage: tlog_reference.py FOLDER|URL [VKEY]", file=sys.stderr)
        return 2
    try:
        print(json.dumps(check(*arguments)))
        return 0
    except (Mismatch, UnicodeDecodeError) as error:
        print("tlog_reference: %s" % error, file=sys.stderr)
        return 6


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
