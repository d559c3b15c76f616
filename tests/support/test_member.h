#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/keys.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/receipt.h"
#include "proto/network/charter.h"
#include "proto/network/key_event.h"
#include "proto/network/member.h"

namespace amparo {

// What an institution's agent would do with its keys, without an agent: signs
// key events, envelopes, receipts. One thread at a time.
class TestMember {
 public:
  TestMember(absl::string_view id, MemberKind kind);

  const MemberId& id() const { return id_; }
  MemberKind kind() const { return kind_; }
  const SigningKey& identity() const { return identity_; }
  const SigningKey& signing() const { return signing_; }
  const SealingKey& prekey() const { return prekeys_.back()->sealing_key(); }
  const OpeningKey& opening_key() const { return *prekeys_.back(); }
  // As the charter names it.
  Member AsActive(absl::Time since) const;

  // Makes a key and the event that says so; each follows the one before.
  std::string NewSigningKey(const AcceptedCharter& charter, absl::Time now);
  std::string NewPrekey(const AcceptedCharter& charter, absl::Time now);
  std::string RevokeSigningKey(const AcceptedCharter& charter, absl::Time now);

  // An envelope with random bytes for a ciphertext, next in its link, as large
  // as a payload of `payload_bytes` makes it.
  Envelope EnvelopeTo(const TestMember& recipient,
                      const AcceptedCharter& charter, absl::Time now,
                      size_t payload_bytes = 100);
  // Signed anew after `envelope`'s header was changed.
  void SignAgain(Envelope& envelope) const;

  std::string ReceiptFor(const Envelope& envelope, LeafIndex leaf,
                         ReceiptKind kind, const AcceptedCharter& charter,
                         absl::Time now) const;
  std::string RecallOf(const Envelope& envelope, const AcceptedCharter& charter,
                       absl::Time now) const;
  std::string ErasureOf(const std::vector<LeafIndex>& leaves,
                        const AcceptedCharter& charter, absl::Time now) const;
  SignedAnchor NewAnchor(const AcceptedCharter& charter, absl::Time now) const;

 private:
  std::string Publish(KeyEvent event, const SigningKey& signer);
  KeyEvent NextEvent(const AcceptedCharter& charter, absl::Time now,
                     KeyEventKind kind,
                     std::variant<VerifyKey, SealingKey> key) const;

  const MemberId id_;
  const MemberKind kind_;
  const SigningKey identity_;
  SigningKey signing_;
  std::vector<std::unique_ptr<OpeningKey>> prekeys_;
  uint64_t key_seq_ = 0;
  Digest key_head_;
  struct Link {
    uint64_t seq = 0;
    Digest head;
  };
  std::map<MemberId, Link> links_;
};

}  // namespace amparo
