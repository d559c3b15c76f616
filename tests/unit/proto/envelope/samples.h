#pragma once

#include "crypto/keys.h"
#include "crypto/random.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/envelope.h"
#include "tests/unit/proto/samples.h"

// Made-up values for the tests of proto/envelope.

namespace amparo {

// Of "ong" to "uls", with one blob.
inline Header SampleHeader(const Digest& sender_kid) {
  return Header{kSuite1,
                Fill(1),
                VALUE_OF(EnvelopeId::FromBytes(Bytes(16, 2))),
                Fill(3),
                Id("ong"),
                sender_kid,
                Id("uls"),
                Fill(5),
                kNoon,
                kNoon + absl::Hours(24 * 14),
                1040,
                {{Fill(6), 65536}},
                1,
                Digest(),
                Fill(7)};
}

inline Envelope SampleEnvelope(const SigningKey& key) {
  Envelope envelope{SampleHeader(key.verify_key().Thumbprint()),
                    {},
                    Bytes(32, 0xaa),
                    Bytes(1040, 0xbb),
                    {}};
  envelope.header_bytes = EncodeHeader(envelope.header);
  envelope.signature = SignEnvelope(key, EnvelopeDigest(envelope));
  return envelope;
}

}  // namespace amparo
