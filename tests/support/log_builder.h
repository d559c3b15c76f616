#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/checkpoint.h"
#include "crypto/keys.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/erasure.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/recall.h"
#include "proto/envelope/receipt.h"
#include "proto/network/charter.h"
#include "proto/network/key_event.h"
#include "proto/network/suspension.h"

namespace amparo {

// A member's private halves, as an honest agent would hold them.
struct LogMember {
  MemberId id;
  SigningKey identity;
  SigningKey witness;
  SigningKey signing;
  OpeningKey prekey;
  uint64_t key_seq = 0;
  Digest key_head;
};

// A whole log with real keys and signatures: what an honest broker and honest
// members would have written, until a test edits it. Founded with charter 1 at
// leaf 0 (members invited) and charter 2 at leaf 1 (active, with keys), then a
// signing key and a prekey for each member. One thread at a time.
class LogBuilder {
 public:
  explicit LogBuilder(const std::vector<std::string>& members = {"gnr", "ong",
                                                                 "uls"});

  struct Opened {
    Bytes salt;
    Bytes event;
  };
  template <typename T>
  using Edit = std::function<void(T&)>;

  LogMember& member(const std::string& id);
  const SigningKey& log_key() const { return log_key_; }
  const Digest& network_id() const { return network_id_; }
  // Hash of charter version 1.
  const Digest& root() const { return root_; }
  const AcceptedCharter& charter() const { return charters_.back(); }
  LeafIndex next() const { return LeafIndex(entries.size()); }
  const Digest& DigestAt(LeafIndex leaf) const { return digests_.at(leaf); }

  // Each appends an entry and returns its leaf; a second passes before each.
  LeafIndex Add(LogEntry entry);
  LeafIndex AddEvent(const AuditEvent& event);
  // The version after the newest, signed by `signers` governance keys.
  LeafIndex AddCharter(const Edit<Charter>& edit, size_t signers = 2);
  // Seven days for `id`, by the first `signers` governance keys.
  LeafIndex AddSuspension(const std::string& id,
                          const Edit<Suspension>& edit = nullptr,
                          size_t signers = 2);
  LeafIndex AddSigningKey(const std::string& id, bool vouched = true);
  LeafIndex AddPrekey(const std::string& id);
  LeafIndex AddRevocation(const std::string& id);
  // `edit` before it is signed.
  LeafIndex AddEnvelope(const std::string& from, const std::string& to,
                        const Edit<Header>& edit = nullptr);
  LeafIndex AddAnchor(const std::string& member);
  LeafIndex AddReceipt(LeafIndex envelope,
                       ReceiptKind kind = ReceiptKind::kDelivered,
                       const Edit<Receipt>& edit = nullptr);
  LeafIndex AddRecall(LeafIndex envelope, const Edit<Recall>& edit = nullptr);
  LeafIndex AddExpiry(LeafIndex envelope);
  LeafIndex AddErasure(
      const std::string& member, std::vector<LeafIndex> leaves,
      ErasureAuthority authority = ErasureAuthority::kParty);

  // Of what was added so far, signed by the log key; cosigned by `witnesses`.
  std::string SignedCheckpoint() const;
  std::string SignedCheckpoint(const std::vector<std::string>& witnesses) const;
  // The checkpoint of now, with these, is what brought charter `version` into
  // force.
  void KeepCharterCheckpoint(uint64_t version,
                             const std::vector<std::string>& witnesses);
  // The folder that `amparo-broker export` would write.
  void Export(const std::string& folder) const;

  // What a dishonest broker may edit.
  absl::Time now;
  std::vector<Bytes> entries;
  std::map<uint64_t, Opened> openings;
  std::map<Digest, std::string> documents;  // charters by hash
  std::vector<std::string> witnesses;       // under the exported checkpoint
  std::map<uint64_t, std::string> charter_checkpoints;

 private:
  using ChainKey = std::pair<Digest, MemberId>;

  std::string SignCharter(const Charter& charter, size_t signers) const;
  LeafIndex AddKeyEvent(LogMember& member, KeyEvent event,
                        const SigningKey& signer);

  SigningKey log_key_;
  std::vector<SigningKey> governance_;
  std::map<std::string, LogMember> members_;
  std::vector<AcceptedCharter> charters_;
  Digest network_id_;
  Digest root_;
  std::map<LeafIndex, Digest> digests_;  // of envelopes
  std::map<LeafIndex, Header> headers_;
  std::map<ChainKey, std::pair<uint64_t, Digest>> links_;
};

}  // namespace amparo
