#!/usr/bin/python3
"""Lists what waits at an agent, over TLS, as an institution's own system would:
    inbox_client.py STUBS ADDRESS CA CERTIFICATE KEY
STUBS is the folder of the generated modules (docs/OPERATIONS.md, IT systems)."""

import sys

import grpc

sys.path.insert(0, sys.argv[1])
from amparo.agent.v1 import agent_pb2, agent_pb2_grpc  # noqa: E402


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main(address, ca, certificate, key):
    credentials = grpc.ssl_channel_credentials(read(ca), read(key),
                                               read(certificate))
    with grpc.secure_channel(address, credentials) as channel:
        referrals = agent_pb2_grpc.ReferralServiceStub(channel)
        inbox = referrals.Inbox(agent_pb2.InboxRequest(), timeout=10)
    for item in inbox.items:
        print(item.referral_id, item.priority, item.state,
              "from", getattr(item, "from"))


main(*sys.argv[2:])
