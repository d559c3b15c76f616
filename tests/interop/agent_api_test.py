#!/usr/bin/python3
"""Debian's Python gRPC against a real agent's TLS port: a registered certificate
lists the inbox that the network filled, every other one is turned away. Needs
AMPARO_BIN, AMPARO_STUBS (generated modules) and AMPARO_SCRATCH."""

import json
import os
import shutil
import subprocess
import sys
import unittest

import grpc

sys.path.insert(0, os.environ["AMPARO_STUBS"])
from amparo.agent.v1 import agent_pb2, agent_pb2_grpc  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
SCRATCH = os.environ["AMPARO_SCRATCH"]
NET = os.path.join(SCRATCH, "net")
FORMS = os.path.join(ROOT, "deploy", "quickstart.d")


def localnet(verb, *more):
    subprocess.run([os.path.join(ROOT, "deploy", "localnet"), verb, "--dir", NET,
                    *more], check=True, stdout=subprocess.DEVNULL)


def amparo(profile, *words):
    done = subprocess.run(
        [os.path.join(os.environ["AMPARO_BIN"], "amparo"), "--profile",
         os.path.join(NET, "profiles", profile), *words, "--json"],
        check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def write_json(name, value):
    path = os.path.join(SCRATCH, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def new_certificate(name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
         "/CN=records", "-keyout", os.path.join(SCRATCH, name + ".key"), "-out",
         os.path.join(SCRATCH, name + ".pem")],
        check=True, stderr=subprocess.DEVNULL)
    return os.path.join(SCRATCH, name + ".pem")


def send_a_referral():
    """From ong to uls, with the example forms cut to these two members."""
    consent = json.loads(read(FORMS, "consent.json"))
    consent["provisions"] = consent["provisions"][:1]
    consent["exclusions"] = []
    form = json.loads(read(FORMS, "referral.json"))
    form["recipients"] = {"uls": form["recipients"]["uls"]}
    form["first_contact"] = "uls"
    grant = amparo("ong", "consent", "record", "--form",
                   write_json("consent.json", consent))["grant_id"]
    sent = amparo("ong", "referral", "send", "--to", "uls", "--form",
                  write_json("referral.json", form), "--consent", grant)
    amparo("ong", "referral", "show", sent["referral_id"], "--wait", "delivered",
           "--timeout", "30")
    return sent["referral_id"]


def setUpModule():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(SCRATCH)
    unittest.addModuleCleanup(localnet, "down")
    localnet("up", "--members", "ong,uls")
    toml = os.path.join(NET, "agents", "uls", "agent.toml")
    text = read(toml).decode()
    with open(toml, "w", encoding="utf-8") as file:
        file.write(text.replace('tls_listen = ""', 'tls_listen = "127.0.0.1:0"'))
    localnet("down")
    localnet("up")


class AgentApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.address = read(NET, "agents", "uls", "api.addr").decode().strip()
        cls.ca = os.path.join(NET, "agents", "uls", "api-ca.pem")
        amparo("uls-admin", "officer", "add", "records", "--role", "it_system",
               "--certificate", new_certificate("records"))
        new_certificate("stranger")
        cls.referral = send_a_referral()

    def channel(self, name, key=None):
        credentials = grpc.ssl_channel_credentials(
            read(self.ca), key or (read(SCRATCH, name + ".key") if name else None),
            read(SCRATCH, name + ".pem") if name else None)
        channel = grpc.secure_channel(self.address, credentials)
        self.addCleanup(channel.close)
        return channel

    def inbox(self, channel):
        stub = agent_pb2_grpc.ReferralServiceStub(channel)
        return stub.Inbox(agent_pb2.InboxRequest(), timeout=10)

    def assert_turned_away(self, channel):
        with self.assertRaises(grpc.RpcError) as refused:
            self.inbox(channel)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_lists_the_inbox(self):
        items = self.inbox(self.channel("records")).items
        self.assertEqual([item.referral_id for item in items], [self.referral])
        self.assertEqual(getattr(items[0], "from"), "ong")

    def test_the_example_of_the_documentation_works(self):
        done = subprocess.run(
            ["/usr/bin/python3", "-B", os.path.join(HERE, "inbox_client.py"),
             os.environ["AMPARO_STUBS"], self.address, self.ca,
             os.path.join(SCRATCH, "records.pem"),
             os.path.join(SCRATCH, "records.key")],
            check=True, stdout=subprocess.PIPE, text=True)
        self.assertIn(self.referral, done.stdout)

    def test_answers_errors_with_their_code(self):
        stub = agent_pb2_grpc.AgentServiceStub(self.channel("records"))
        with self.assertRaises(grpc.RpcError) as refused:
            stub.ListOfficers(agent_pb2.ListOfficersRequest(), timeout=10)
        self.assertEqual(refused.exception.code(),
                         grpc.StatusCode.PERMISSION_DENIED)
        details = dict(refused.exception.trailing_metadata())
        self.assertIn(b"role_missing", details["grpc-status-details-bin"])

    def test_offers_health_and_reflection_to_the_system_alone(self):
        def health(channel):
            return channel.unary_unary("/grpc.health.v1.Health/Check")(
                b"", timeout=10)

        def reflection(channel):
            call = channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            return b"".join(call(iter([b"\x3a\x00"]), timeout=10))

        self.assertEqual(health(self.channel("records")), b"\x08\x01")
        self.assertIn(b"amparo.agent.v1.ReferralService",
                      reflection(self.channel("records")))
        for ask in (health, reflection):
            with self.assertRaises(grpc.RpcError):
                ask(self.channel("stranger"))
            with self.assertRaises(grpc.RpcError):
                ask(self.channel(None))

    def test_attacker_without_a_registered_certificate_is_turned_away(self):
        self.assert_turned_away(self.channel("stranger"))
        self.assert_turned_away(self.channel(None))
        self.assert_turned_away(
            self.channel("records", key=read(SCRATCH, "stranger.key")))

    def test_attacker_in_place_of_the_agent_is_found_out(self):
        credentials = grpc.ssl_channel_credentials(
            read(SCRATCH, "stranger.pem"), read(SCRATCH, "records.key"),
            read(SCRATCH, "records.pem"))
        channel = grpc.secure_channel(self.address, credentials)
        self.addCleanup(channel.close)
        self.assert_turned_away(channel)


if __name__ == "__main__":
    unittest.main(verbosity=2)
