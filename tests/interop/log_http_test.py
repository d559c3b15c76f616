#!/usr/bin/python3
"""A third party verifies a real network's log over HTTP, with nothing but the
log's verifier key: Python's standard library and openssl, none of our code.
Needs AMPARO_BIN and AMPARO_SCRATCH."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tlog_reference  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCRATCH = os.environ["AMPARO_SCRATCH"]
DATA = os.path.join(SCRATCH, "broker")
BIN = os.environ["AMPARO_BIN"]


def run(*words):
    subprocess.run([os.path.join(BIN, words[0]), *words[1:]], check=True,
                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def load(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return json.load(file)


class ServedLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A founded network: its first charter is the log's first entry."""
        shutil.rmtree(SCRATCH, ignore_errors=True)
        os.makedirs(SCRATCH)
        run("amparo-broker", "init", "--data", DATA, "--name", "local",
            "--listen-members", "127.0.0.1:0", "--listen-enrol", "127.0.0.1:0",
            "--public-members", "127.0.0.1:0", "--public-enrol", "127.0.0.1:0")
        config = os.path.join(DATA, "broker.toml")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        assert 'http_listen = ""' in text  # off unless somebody asks for it
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace('http_listen = ""',
                                    'http_listen = "127.0.0.1:0"'))
        cls.broker = subprocess.Popen(
            [os.path.join(BIN, "amparo-broker"), "run", "--data", DATA],
            stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        run("amparo-broker", "status", "--data", DATA, "--wait-s", "20")
        cls.address = load(DATA, "listen.json")["log_http"]
        cls.network = load(DATA, "network.json")
        cls.found()

    @classmethod
    def stop(cls):
        cls.broker.terminate()
        cls.broker.wait(20)

    @classmethod
    def found(cls):
        charter = os.path.join(SCRATCH, "charter")
        common = ["--dir", charter]
        run("amparo-charter", "init", "--network",
            os.path.join(DATA, "network.json"), "--local", *common,
            "--member", "ong:victim_support")
        keys = [name for name in os.listdir(os.path.join(charter, "keys"))
                if name.endswith(".key")]
        for _ in range(len(keys) // 2 + 1):
            run("amparo-charter", "sign", "--yes", *common)
        run("amparo-charter", "publish", *common, "--broker",
            load(DATA, "listen.json")["public"]["enrol"])
        # The next checkpoint is a second away at most: ask until it is there.
        for _ in range(10_000):
            if cls.ask("/checkpoint")[0] == 200:
                break

    @classmethod
    def ask(cls, path, method="GET"):
        connection = http.client.HTTPConnection(cls.address, timeout=20)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def test_verifies_with_the_log_key_alone(self):
        found = tlog_reference.check("http://" + self.address,
                                     self.network["log_key"])
        self.assertEqual(found["origin"], "local")
        self.assertGreaterEqual(found["size"], 1)

    def test_is_refused_under_another_key(self):
        name, key_id, data = self.network["log_key"].split("+", 2)
        with self.assertRaises(tlog_reference.Mismatch):
            tlog_reference.check("http://" + self.address,
                                 "+".join((name, "00000000", data)))

    def test_has_the_charter_under_its_hash(self):
        _, _, bundle = self.ask("/tile/entries/000.p/1")
        digest = bundle[-32:]
        status, headers, document = self.ask(
            "/documents/%s.json" % digest.hex())
        self.assertEqual(status, 200)
        self.assertEqual(hashlib.sha256(document).digest(), digest)
        self.assertEqual(headers["Content-Type"], "application/jose+json")

    def test_says_what_may_be_cached(self):
        self.assertEqual(self.ask("/checkpoint")[1]["Cache-Control"], "no-cache")
        tile = self.ask("/tile/0/000.p/1")
        self.assertEqual((tile[0], len(tile[2])), (200, 32))
        self.assertIn("immutable", tile[1]["Cache-Control"])
        missing = self.ask("/tile/0/000")
        self.assertEqual((missing[0], missing[1]["Cache-Control"]),
                         (404, "no-store"))

    def test_answers_head_without_a_body(self):
        status, headers, body = self.ask("/tile/0/000.p/1", "HEAD")
        self.assertEqual((status, body, headers["Content-Length"]),
                         (200, b"", "32"))

    def test_keeps_the_rest_of_the_directory_to_itself(self):
        for path in ("/../network.json", "/network.json", "/log.key",
                     "/documents/../network.json", "/%2e%2e/log.key",
                     "/tile/0/x999/x999", "/tile/0/000.p/0",
                     "/tile/0/000.p/256", "/openings/000.jsonl"):
            with self.subTest(path=path):
                self.assertEqual(self.ask(path)[0], 404)
        for method in ("POST", "PUT", "DELETE"):
            self.assertEqual(self.ask("/checkpoint", method)[0], 405)

    def test_serves_others_beside_callers_that_say_nothing(self):
        host, port = self.address.rsplit(":", 1)
        silent = [socket.create_connection((host, int(port)))
                  for _ in range(20)]
        try:
            for one in silent[::2]:
                one.sendall(b"GET /checkpoint HTTP/1.1\r\nX: ")
            self.assertEqual(self.ask("/checkpoint")[0], 200)
        finally:
            for one in silent:
                one.close()


if __name__ == "__main__":
    unittest.main()
