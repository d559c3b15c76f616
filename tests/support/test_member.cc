#include "tests/support/test_member.h"

#include <utility>

#include "base/clock.h"
#include "crypto/random.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/erasure.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/recall.h"
#include "tests/support/status_matchers.h"

namespace amparo {

TestMember::TestMember(absl::string_view id, MemberKind kind)
    : id_(VALUE_OF(MemberId::Parse(id))),
      kind_(kind),
      identity_(SigningKey::Generate()),
      signing_(SigningKey::Generate()) {
  prekeys_.push_back(std::make_unique<OpeningKey>(OpeningKey::Generate()));
}

Member TestMember::AsActive(absl::Time since) const {
  return Member{id_,
                id_.text(),
                kind_,
                std::nullopt,
                {},
                "duty desk",
                MemberStatus::kActive,
                since,
                identity_.verify_key(),
                std::nullopt};
}

KeyEvent TestMember::NextEvent(const AcceptedCharter& charter, absl::Time now,
                               KeyEventKind kind,
                               std::variant<VerifyKey, SealingKey> key) const {
  const absl::Duration life =
      kind == KeyEventKind::kPrekey ? kPrekeyLife : kSigningKeyLife;
  return KeyEvent{charter.network_id, id_,         key_seq_ + 1,   key_head_,
                  charter.hash,       kind,        std::move(key), now,
                  now + life,         std::nullopt};
}

std::string TestMember::Publish(KeyEvent event, const SigningKey& signer) {
  std::string document = SignKeyEvent(event, signer);
  key_seq_ = event.seq;
  key_head_ = Sha256(document);
  return document;
}

std::string TestMember::NewSigningKey(const AcceptedCharter& charter,
                                      absl::Time now) {
  SigningKey next = SigningKey::Generate();
  KeyEvent event =
      NextEvent(charter, now, KeyEventKind::kSigning, next.verify_key());
  signing_ = std::move(next);
  return Publish(std::move(event), identity_);
}

std::string TestMember::NewPrekey(const AcceptedCharter& charter,
                                  absl::Time now) {
  prekeys_.push_back(std::make_unique<OpeningKey>(OpeningKey::Generate()));
  return Publish(NextEvent(charter, now, KeyEventKind::kPrekey, prekey()),
                 signing_);
}

std::string TestMember::RevokeSigningKey(const AcceptedCharter& charter,
                                         absl::Time now) {
  return Publish(
      NextEvent(charter, now, KeyEventKind::kRevoke, signing_.verify_key()),
      identity_);
}

Envelope TestMember::EnvelopeTo(const TestMember& recipient,
                                const AcceptedCharter& charter,
                                absl::Time now, size_t payload_bytes) {
  Link& link = links_[recipient.id_];
  const Bytes ciphertext = RandomBytes(CiphertextSize(payload_bytes));
  Header header{kSuite1,
                charter.network_id,
                EnvelopeId::New(),
                charter.hash,
                id_,
                signing_.verify_key().Thumbprint(),
                recipient.id_,
                recipient.prekey().Id(),
                TimeFromUnix(UnixSeconds(now)),
                TimeFromUnix(UnixSeconds(now)) + kEnvelopeLifeMax,
                ciphertext.size(),
                {},
                ++link.seq,
                link.head,
                Digest(RandomArray<32>())};
  Envelope envelope{
      std::move(header), {}, RandomBytes(kEncBytes), ciphertext, {}};
  SignAgain(envelope);
  link.head = EnvelopeDigest(envelope);
  return envelope;
}

void TestMember::SignAgain(Envelope& envelope) const {
  envelope.header_bytes = EncodeHeader(envelope.header);
  envelope.signature = SignEnvelope(signing_, EnvelopeDigest(envelope));
}

std::string TestMember::ReceiptFor(const Envelope& envelope, LeafIndex leaf,
                                   ReceiptKind kind,
                                   const AcceptedCharter& charter,
                                   absl::Time now) const {
  return SignReceipt({charter.network_id, id_, envelope.header.sender,
                      TimeFromUnix(UnixSeconds(now)), EventId::New(), kind,
                      EnvelopeDigest(envelope), leaf},
                     signing_);
}

std::string TestMember::RecallOf(const Envelope& envelope,
                                 const AcceptedCharter& charter,
                                 absl::Time now) const {
  return SignRecall({charter.network_id, id_, envelope.header.envelope_id,
                     EnvelopeDigest(envelope), TimeFromUnix(UnixSeconds(now))},
                    signing_);
}

std::string TestMember::ErasureOf(const std::vector<LeafIndex>& leaves,
                                  const AcceptedCharter& charter,
                                  absl::Time now) const {
  return SignErasure({charter.network_id, id_, TimeFromUnix(UnixSeconds(now)),
                      ErasureAuthority::kParty, leaves},
                     signing_);
}

SignedAnchor TestMember::NewAnchor(const AcceptedCharter& charter,
                                   absl::Time now) const {
  return SignAnchor(
      {charter.network_id, id_, signing_.verify_key().Thumbprint(),
       TimeFromUnix(UnixSeconds(now)), Digest(RandomArray<32>())},
      signing_);
}

}  // namespace amparo
