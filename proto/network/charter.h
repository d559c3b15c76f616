#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "proto/network/member.h"

// The charter: who belongs to the network and what each may do, signed by k of
// n governance keys (docs/PROTOCOL.md, Charter). Its rule of succession is
// TUF's for root metadata (TUF specification section 5.3).

namespace amparo {

inline constexpr char kCharterTyp[] = "amparo-charter+jws";
inline constexpr size_t kCharterBytesMax = 4 << 20;
// The longest that `expires` may lie after the charter's leaf.
inline constexpr absl::Duration kCharterLifeMax = absl::Hours(400 * 24);

struct GovernanceKey {
  std::string id;   // "G1"
  MemberId member;  // counted once per member
  VerifyKey key;
  absl::Time until;  // a signature logged then or later counts for nothing
};

struct Deadlines {
  std::optional<absl::Duration> acknowledge;
  std::optional<absl::Duration> decide;
};

// A charter's content. Immutable once accepted.
struct Charter {
  std::string network;  // name, and the log's origin
  uint64_t version = 0;
  std::optional<Digest> net;        // network_id; none in version 1
  std::optional<Digest> prev_hash;  // none in version 1
  std::string title;
  absl::Time expires;
  std::string timezone;
  std::string jurisdiction;
  absl::Duration trust_delay;  // a key nobody vouches for waits this long
  std::vector<std::string> purposes;
  std::vector<std::string> bases;         // legal bases, "A6-1-c"
  std::vector<std::string> reason_codes;  // of disclosure without consent
  std::vector<uint32_t> suites_allowed;
  uint32_t suite_min = 1;
  std::vector<NoteVerifier> log_keys;
  uint32_t witness_faulty = 0;
  uint32_t witness_quorum = 0;  // 0: no cosignature required
  std::vector<NoteVerifier> outside_witnesses;
  uint32_t governance_threshold = 0;
  std::vector<GovernanceKey> governance;
  std::map<std::string, Deadlines> deadlines;  // by priority
  // Rows by member kind, letters F S C G - X by section id; what is left out
  // has the default of proto/content/matrix.h.
  std::map<MemberKind, std::map<std::string, char>> matrix;
  std::vector<Member> members;

  const Member* Find(const MemberId& id) const;
  // Whether envelopes of this suite may be sent and taken in.
  bool AllowsSuite(uint32_t suite) const;
};

// The document's keys are those of the draft (docs/PROTOCOL.md). Both
// directions. Decode gives what a draft may leave out its default; it refuses,
// with INVALID_ARGUMENT (code "invalid_form") naming the field: unknown keys,
// wrong types, a member named twice, a key that stands for two things, an
// active member without identity key, an invited one with keys, a parent that
// is no member or goes in a circle, a threshold or a quorum that cannot be met.
Json EncodeCharter(const Charter& charter);
absl::StatusOr<Charter> DecodeCharter(const Json& payload);

// A charter whose signatures were checked, with the bytes that were published.
struct AcceptedCharter {
  Charter charter;
  std::string document;  // JWS general JSON, as published
  Digest hash;           // SHA-256 of `document`
  Digest network_id;     // H("amparo/v1/network"; charter 1)
};

// Version 1, pinned by its hash. PERMISSION_DENIED (code "wrong_pin") when the
// hash is another, (code "verification_failed") when fewer than its own k
// governance keys of different members signed it.
//
// `logged_at`, here and below: the time of its leaf. Keys whose `until` is not
// after it do not count; INVALID_ARGUMENT (field "expires") when the charter
// lives on for longer than kCharterLifeMax from then. nullopt where documents
// come without the log: neither is judged, the replay of the log does it.
absl::StatusOr<AcceptedCharter> AcceptFirstCharter(
    absl::string_view document, const Digest& root,
    std::optional<absl::Time> logged_at);

// The successor of `current`: version exactly one more, prev_hash and net
// right, signed by k of the old and k of the new governance keys, each member
// counted once; other keys' signatures count for nothing, but a bad one under a
// governance key's name refuses the document. Expiry is the caller's to check,
// after it has stored the new version. INVALID_ARGUMENT for a malformed
// document, FAILED_PRECONDITION for another version, PERMISSION_DENIED else.
absl::StatusOr<AcceptedCharter> AcceptNextCharter(
    absl::string_view document, const AcceptedCharter& current,
    std::optional<absl::Time> logged_at);

// Content of a charter document without any check of signatures: to show what
// one is about to sign.
absl::StatusOr<Charter> PeekCharter(absl::string_view document);

// Witness quorum when a charter leaves it out: floor((n + faulty) / 2) + 1, and
// 0 for n = 0.
uint32_t DefaultWitnessQuorum(uint32_t witnesses, uint32_t faulty);

}  // namespace amparo
