#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/keys.h"

// C2SP signed notes (c2sp.org/signed-note): text that a person can read, and
// signature lines under it. Key types 0x01 (Ed25519 over the text) and 0x04
// (cosignature/v1, c2sp.org/tlog-cosignature); others are unknown signatures,
// which are kept and ignored.

namespace amparo {

enum class NoteKeyType : uint8_t { kEd25519 = 0x01, kCosignatureV1 = 0x04 };

// Name and key of a note's signer. Immutable.
class NoteVerifier {
 public:
  // `name`: not empty, no space, no plus sign, no control character.
  static absl::StatusOr<NoteVerifier> Create(absl::string_view name,
                                             NoteKeyType type,
                                             const VerifyKey& key);
  // "NAME+HASH+KEYDATA", the vkey text; the hash must fit. INVALID_ARGUMENT
  // for a key type that is not one of ours, too.
  static absl::StatusOr<NoteVerifier> Parse(absl::string_view vkey);

  std::string ToString() const;
  const std::string& name() const { return name_; }
  uint32_t key_hash() const { return key_hash_; }
  NoteKeyType type() const { return type_; }
  const VerifyKey& key() const { return key_; }

 private:
  NoteVerifier(std::string name, NoteKeyType type, VerifyKey key,
               uint32_t key_hash);
  std::string name_;
  NoteKeyType type_;
  VerifyKey key_;
  uint32_t key_hash_;
};

struct NoteSignature {
  std::string name;
  uint32_t key_hash;
  Bytes signature;  // without the key hash
  bool operator==(const NoteSignature&) const = default;
};

// Well-formed, unverified.
struct Note {
  std::string text;  // ends with a newline
  std::vector<NoteSignature> signatures;
  bool operator==(const Note&) const = default;
};

// A note as it is sent: at most this much, with at most so many signatures.
inline constexpr size_t kNoteBytesMax = 1'000'000;
inline constexpr size_t kNoteSignaturesMax = 1100;

// Can `text` be signed: UTF-8, no control character but newline, ends with one?
bool IsNoteText(absl::string_view text);

// INVALID_ARGUMENT for what is no signed note. What parses has one spelling:
// FormatNote gives the same bytes again.
absl::StatusOr<Note> ParseNote(absl::string_view encoded);
std::string FormatNote(const Note& note);
// Its line below a note, with the newline.
std::string FormatNoteSignature(const NoteSignature& signature);

// Adds a 0x01 signature of `key` under `name`. INVALID_ARGUMENT for a text or
// a name that no note can have.
absl::Status SignNote(Note& note, absl::string_view name,
                      const SigningKey& key);

// The signatures, unverified, on `note` by the name and key hash of `verifier`;
// NOT_FOUND when there is none. They live as long as `note`.
absl::StatusOr<std::vector<ByteView>> SignaturesBy(
    const Note& note, const NoteVerifier& verifier);

// OK when `note` has a signature by `verifier` and every one of them is good.
// NOT_FOUND: none by that name and key; PERMISSION_DENIED: a bad one (then the
// whole note is to be refused). Type 0x01 only, INVALID_ARGUMENT for another:
// cosignatures are for VerifyCosignature, which also tells their time.
absl::Status VerifyNote(const Note& note, const NoteVerifier& verifier);

}  // namespace amparo
