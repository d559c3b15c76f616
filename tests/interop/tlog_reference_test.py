#!/usr/bin/python3
"""The reference agrees with our tiles and with published ones, and finds every
alteration. Needs AMPARO_INTEROP_PEER; AMPARO_VECTORS adds published logs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tlog_reference  # noqa: E402

REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         "tlog_reference.py")
VECTORS = os.environ.get("AMPARO_VECTORS")


def write_log(folder, size):
    """What our own code makes of `size` entries."""
    subprocess.run([os.environ["AMPARO_INTEROP_PEER"], "log", folder, str(size)],
                   check=True)


class WithFolder(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = os.path.join(scratch.name, "log")

    def at(self, path):
        return os.path.join(self.folder, path)


class OurLog(WithFolder):
    def test_has_the_root_that_the_reference_computes_at_every_edge(self):
        for size in (0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 700, 65536,
                     65537, 66000):
            with self.subTest(size=size):
                shutil.rmtree(self.folder, ignore_errors=True)
                write_log(self.folder, size)
                found = tlog_reference.check(self.folder)
                self.assertEqual(found["size"], size)
                self.assertEqual(found["origin"], "amparo.example/interop")

    def test_has_the_paths_of_tlog_tiles_beyond_a_thousand_tiles(self):
        write_log(self.folder, 256100)
        self.assertEqual(tlog_reference.check(self.folder)["levels"], 3)
        self.assertTrue(os.path.exists(self.at("tile/entries/x001/000.p/100")))
        self.assertTrue(os.path.exists(self.at("tile/0/x001/000.p/100")))
        self.assertTrue(os.path.exists(self.at("tile/1/003.p/232")))


class AlteredLog(WithFolder):
    def setUp(self):
        super().setUp()
        write_log(self.folder, 600)

    def assert_refused(self, reason):
        with self.assertRaisesRegex(tlog_reference.Mismatch, reason):
            tlog_reference.check(self.folder)

    def flip(self, path, at):
        with open(self.at(path), "r+b") as file:
            data = bytearray(file.read())
            data[at] ^= 1
            file.seek(0)
            file.write(data)

    def rewrite_checkpoint(self, line, text):
        with open(self.at("checkpoint"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        lines[line] = text
        with open(self.at("checkpoint"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines))

    def test_is_refused_for_a_byte_of_an_entry(self):
        for path in ("tile/entries/000", "tile/entries/001",
                     "tile/entries/002.p/88"):
            with self.subTest(path=path):
                self.flip(path, -1)
                self.assert_refused("another root")
                self.flip(path, -1)
        tlog_reference.check(self.folder)

    def test_is_refused_for_a_byte_of_a_hash_tile(self):
        for path in ("tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"):
            with self.subTest(path=path):
                self.flip(path, 40)
                self.assert_refused(path + " does not fit")
                self.flip(path, 40)
        tlog_reference.check(self.folder)

    def test_is_refused_for_a_missing_tile_or_bundle(self):
        for path in ("tile/entries/001", "tile/0/001", "tile/1/000.p/2"):
            with self.subTest(path=path):
                os.rename(self.at(path), self.at("kept"))
                self.assert_refused(path + " is missing")
                os.rename(self.at("kept"), self.at(path))

    def test_is_refused_for_a_bundle_cut_short_or_with_more(self):
        path = self.at("tile/entries/002.p/88")
        with open(path, "rb") as file:
            data = file.read()
        for changed, reason in ((data[:-1], "within an entry"),
                                (data + b"\x00", "within an entry"),
                                (data + b"\x00\x00", "89 entries, not 88")):
            with open(path, "wb") as file:
                file.write(changed)
            self.assert_refused(reason)

    def test_is_refused_for_another_size_or_root(self):
        self.rewrite_checkpoint(1, "599")
        self.assert_refused("002.p/87 is missing")
        self.rewrite_checkpoint(1, "0600")
        self.assert_refused("no size")
        self.rewrite_checkpoint(1, "600")
        self.rewrite_checkpoint(2, "A" * 43 + "=")
        self.assert_refused("another root")
        self.rewrite_checkpoint(2, "AAAA")
        self.assert_refused("of another size")

    def test_is_refused_without_its_checkpoint(self):
        os.remove(self.at("checkpoint"))
        self.assert_refused("checkpoint is missing")

    def test_makes_the_program_exit_with_6(self):
        run = [sys.executable, "-B", REFERENCE, self.folder]
        good = subprocess.run(run, capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(good.stdout)["size"], 600)
        self.flip("tile/0/000", 0)
        bad = subprocess.run(run, capture_output=True, text=True, check=False)
        self.assertEqual(bad.returncode, 6)
        self.assertIn("tile/0/000", bad.stderr)


@unittest.skipUnless(VECTORS, "set AMPARO_VECTORS for published logs")
class PublishedLog(WithFolder):
    def test_has_the_root_that_the_reference_computes_at_every_size(self):
        source = os.path.join(VECTORS, "tiles", "tessera-log")
        for size in range(16):
            with self.subTest(size=size):
                shutil.rmtree(self.folder, ignore_errors=True)
                shutil.copytree(source, self.folder)
                shutil.copy(os.path.join(source, "checkpoint.%d" % size),
                            self.at("checkpoint"))
                self.assertEqual(tlog_reference.check(self.folder)["size"], size)


if __name__ == "__main__":
    unittest.main()
