#include "crypto/note.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/digest.h"
#include "crypto/sign.h"

namespace amparo {
namespace {

constexpr absl::string_view kSignaturePrefix = "\u2014 ";  // em dash, space
constexpr size_t kKeyHashSize = 4;

// Takes one character off the front of `text`; nullopt where it is not UTF-8
// (RFC 3629: no overlong form, no surrogate, nothing beyond U+10FFFF).
std::optional<uint32_t> TakeCharacter(absl::string_view& text) {
  const uint8_t first = static_cast<uint8_t>(text.front());
  const size_t size = first < 0x80             ? 1
                      : (first & 0xe0) == 0xc0 ? 2
                      : (first & 0xf0) == 0xe0 ? 3
                      : (first & 0xf8) == 0xf0 ? 4
                                               : 0;
  if (size == 0 || text.size() < size) return std::nullopt;
  uint32_t character = size == 1 ? first : first & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    const uint8_t next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return std::nullopt;
    character = (character << 6) | (next & 0x3fu);
  }
  constexpr std::array<uint32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
  if (character < kLowest[size] || character > 0x10ffff ||
      (character >= 0xd800 && character <= 0xdfff))
    return std::nullopt;
  text.remove_prefix(size);
  return character;
}

// The White_Space property of Unicode.
bool IsSpace(uint32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool IsKeyName(absl::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    const auto c = TakeCharacter(name);
    if (!c || *c < 0x20 || *c == '+' || IsSpace(*c)) return false;
  }
  return true;
}

uint32_t KeyHash(absl::string_view name, NoteKeyType type,
                 const VerifyKey& key) {
  Bytes hashed = ToBytes(name);
  hashed.push_back('\n');
  hashed.push_back(static_cast<uint8_t>(type));
  Append(hashed, key.bytes());
  return ReadU32(Sha256(hashed).bytes());
}

std::string HexOf(uint32_t key_hash) {
  Bytes bytes;
  AppendU32(bytes, key_hash);
  return ToHex(bytes);
}

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("not a signed note: ", what));
}

absl::StatusOr<NoteSignature> ParseSignature(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, kSignaturePrefix))
    return Malformed("no dash before a signature");
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  if (!IsKeyName(parts.first)) return Malformed("bad name of a key");
  const absl::StatusOr<Bytes> bytes = FromBase64(parts.second);
  if (!bytes.ok() || bytes->size() <= kKeyHashSize)
    return Malformed("bad encoding of a signature");
  return NoteSignature{std::string(parts.first), ReadU32(*bytes),
                       ToBytes(ByteView(*bytes).subspan(kKeyHashSize))};
}

}  // namespace

NoteVerifier::NoteVerifier(std::string name, NoteKeyType type, VerifyKey key,
                           uint32_t key_hash)
    : name_(std::move(name)), type_(type), key_(key), key_hash_(key_hash) {}

absl::StatusOr<NoteVerifier> NoteVerifier::Create(absl::string_view name,
                                                  NoteKeyType type,
                                                  const VerifyKey& key) {
  if (!IsKeyName(name))
    return absl::InvalidArgumentError("bad name of a note's signer");
  return NoteVerifier(std::string(name), type, key, KeyHash(name, type, key));
}

absl::StatusOr<NoteVerifier> NoteVerifier::Parse(absl::string_view vkey) {
  // Only the first two plus signs separate: base64 has them, too.
  const std::vector<absl::string_view> parts =
      absl::StrSplit(vkey, absl::MaxSplits('+', 2));
  if (parts.size() != 3)
    return absl::InvalidArgumentError("a verifier key has three parts");
  ASSIGN_OR_RETURN(const Bytes data, FromBase64(parts[2]));
  if (data.size() != 1 + VerifyKey::kSize ||
      (data[0] != static_cast<uint8_t>(NoteKeyType::kEd25519) &&
       data[0] != static_cast<uint8_t>(NoteKeyType::kCosignatureV1)))
    return absl::InvalidArgumentError("no verifier key of a known type");
  ASSIGN_OR_RETURN(const VerifyKey key,
                   VerifyKey::FromBytes(ByteView(data).subspan(1)));
  ASSIGN_OR_RETURN(NoteVerifier verifier,
                   Create(parts[0], static_cast<NoteKeyType>(data[0]), key));
  if (parts[1] != HexOf(verifier.key_hash()))
    return absl::InvalidArgumentError("a verifier key's hash does not fit");
  return verifier;
}

std::string NoteVerifier::ToString() const {
  Bytes data = {static_cast<uint8_t>(type_)};
  Append(data, key_.bytes());
  return absl::StrCat(name_, "+", HexOf(key_hash_), "+", ToBase64(data));
}

bool IsNoteText(absl::string_view text) {
  if (!absl::EndsWith(text, "\n")) return false;
  while (!text.empty()) {
    const auto c = TakeCharacter(text);
    if (!c || (*c < 0x20 && *c != '\n')) return false;
  }
  return true;
}

absl::StatusOr<Note> ParseNote(absl::string_view encoded) {
  if (encoded.size() > kNoteBytesMax) return Malformed("too large");
  if (!IsNoteText(encoded)) return Malformed("bad characters");
  const size_t blank = encoded.rfind("\n\n");
  if (blank == absl::string_view::npos) return Malformed("no signatures");
  Note note{std::string(encoded.substr(0, blank + 1)), {}};
  absl::string_view lines = encoded.substr(blank + 2);
  if (lines.empty()) return Malformed("no signatures");
  while (!lines.empty()) {
    if (note.signatures.size() == kNoteSignaturesMax)
      return Malformed("too many signatures");
    const size_t end = lines.find('\n');  // there: the note ends with one
    ASSIGN_OR_RETURN(NoteSignature signature,
                     ParseSignature(lines.substr(0, end)));
    note.signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return note;
}

std::string FormatNoteSignature(const NoteSignature& signature) {
  Bytes bytes;
  AppendU32(bytes, signature.key_hash);
  Append(bytes, signature.signature);
  return absl::StrCat(kSignaturePrefix, signature.name, " ", ToBase64(bytes),
                      "\n");
}

std::string FormatNote(const Note& note) {
  std::string encoded = absl::StrCat(note.text, "\n");
  for (const NoteSignature& signature : note.signatures)
    absl::StrAppend(&encoded, FormatNoteSignature(signature));
  return encoded;
}

absl::Status SignNote(Note& note, absl::string_view name,
                      const SigningKey& key) {
  if (!IsNoteText(note.text))
    return absl::InvalidArgumentError("the text of a note has bad characters");
  ASSIGN_OR_RETURN(
      const NoteVerifier signer,
      NoteVerifier::Create(name, NoteKeyType::kEd25519, key.verify_key()));
  const Signature signature = SignRaw(key, AsBytes(note.text));
  note.signatures.push_back(
      {signer.name(), signer.key_hash(), ToBytes(ByteView(signature))});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ByteView>> SignaturesBy(
    const Note& note, const NoteVerifier& verifier) {
  std::vector<ByteView> found;
  for (const NoteSignature& signature : note.signatures)
    if (signature.name == verifier.name() &&
        signature.key_hash == verifier.key_hash())
      found.emplace_back(signature.signature);
  if (found.empty())
    return absl::NotFoundError("the note has no signature by that key");
  return found;
}

absl::Status VerifyNote(const Note& note, const NoteVerifier& verifier) {
  if (verifier.type() != NoteKeyType::kEd25519)
    return absl::InvalidArgumentError("not a key that signs notes as they are");
  ASSIGN_OR_RETURN(const std::vector<ByteView> signatures,
                   SignaturesBy(note, verifier));
  for (const ByteView signature : signatures)
    if (!VerifyStrictRaw(verifier.key(), AsBytes(note.text), signature).ok())
      return MakeError(absl::StatusCode::kPermissionDenied,
                       "a signature on the note does not fit",
                       {.code = "verification_failed"});
  return absl::OkStatus();
}

}  // namespace amparo
