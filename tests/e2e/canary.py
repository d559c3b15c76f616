"""Looks for a string where it must not be: in files, or in a process's memory.

  canary.py files CANARY PATH...     exit 0: in none; 1: in some; 2: no files
  canary.py memory CANARY PID        likewise; 3: the memory cannot be read

Looks for the text itself, its base64 and base64url at the three alignments,
and hex.
"""
import base64
import os
import re
import sys

# Larger areas are no memory but address space that a sanitizer reserved.
AREA_BYTES_MAX = 8 << 30


def spellings(canary):
    """The canary's bytes in each spelling that keeps it whole."""
    found = {canary, canary.hex().encode(), canary.hex().upper().encode()}
    for shift in range(3):
        padded = b"\0" * shift + canary
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(padded)
            # Characters that share bits with neighbours are left out.
            first = -(-8 * shift // 6)
            last = 8 * len(padded) // 6
            found.add(text[first:last])
    return found


def holds(data, needles):
    return any(needle in data for needle in needles)


def files(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            for name in names:
                one = os.path.join(folder, name)
                if os.path.isfile(one):
                    yield one


def search_files(needles, paths):
    seen, bad = 0, []
    for path in files(paths):
        with open(path, "rb") as file:
            data = file.read()
        seen += 1
        if holds(data, needles) or holds(path.encode(), needles):
            bad.append(path)
    print(f"{seen} files")
    for path in bad:
        print(f"found in {path}")
    return 1 if bad else 0 if seen else 2


def search_memory(needles, pid):
    total, bad = 0, []
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                area = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
                if not area or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                    continue
                start, end = (int(part, 16) for part in area.groups())
                if end - start > AREA_BYTES_MAX:
                    continue
                try:
                    mem.seek(start)
                    data = mem.read(end - start)
                except (OSError, OverflowError):
                    continue  # guard pages
                total += len(data)
                if holds(data, needles):
                    bad.append(line.split()[0])
    except PermissionError:
        print("the memory is readable by root alone")
        return 3
    print(f"{total >> 10} KiB of memory")
    for area in bad:
        print(f"found in {area}")
    return 1 if bad else 0 if total else 3


def main(what, canary, *where):
    needles = spellings(canary.encode())
    if what == "files":
        return search_files(needles, where)
    return search_memory(needles, int(where[0]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
