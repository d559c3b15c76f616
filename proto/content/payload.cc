#include "proto/content/payload.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/sd_jwt.h"
#include "proto/content/codes.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kKeyBytes = 32;
constexpr size_t kShortTextMax = 64;

// Writes to `out`, or only counts where it is empty: plaintext is written once,
// into memory that is wiped.
class Writer {
 public:
  explicit Writer(std::span<uint8_t> out) : out_(out) {}

  void Raw(ByteView bytes) {
    if (!out_.empty())
      std::copy(bytes.begin(), bytes.end(),
                out_.begin() + static_cast<long>(size_));
    size_ += bytes.size();
  }
  void U8(uint8_t value) { Raw({&value, 1}); }
  void U16(size_t value) {
    Bytes bytes;
    AppendU16(bytes, static_cast<uint16_t>(value));
    Raw(bytes);
  }
  void U64(uint64_t value) {
    Bytes bytes;
    AppendU64(bytes, value);
    Raw(bytes);
  }
  void Text(ByteView text) {
    Bytes bytes;
    AppendU32(bytes, static_cast<uint32_t>(text.size()));
    Raw(bytes);
    Raw(text);
  }
  void Text(absl::string_view text) { Text(AsBytes(text)); }

  size_t size() const { return size_; }

 private:
  std::span<uint8_t> out_;
  size_t size_ = 0;
};

absl::Status Malformed() {
  return MakeError(absl::StatusCode::kInvalidArgument, "not a payload",
                   {.code = "verification_failed"});
}

// Reads what Writer wrote; after a fault everything is empty and ok() false.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && rest_.empty(); }
  void Fail() { ok_ = false; }

  ByteView Raw(size_t size) {
    if (!ok_ || rest_.size() < size) {
      ok_ = false;
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <size_t kSize>
  std::array<uint8_t, kSize> Array() {
    std::array<uint8_t, kSize> array{};
    const ByteView bytes = Raw(kSize);
    std::copy(bytes.begin(), bytes.end(), array.begin());
    return array;
  }
  uint8_t U8() {
    const ByteView bytes = Raw(1);
    return ok_ ? bytes[0] : 0;
  }
  bool Flag() {
    const uint8_t value = U8();
    if (value > 1) Fail();
    return value == 1;
  }
  uint64_t U64() {
    const ByteView bytes = Raw(8);
    return ok_ ? ReadU64(bytes) : 0;
  }
  ByteView Text(size_t size_max) {
    const ByteView size = Raw(4);
    if (!ok_ || ReadU32(size) > size_max) {
      Fail();
      return {};
    }
    return Raw(ReadU32(size));
  }
  size_t Count(size_t max) {
    const ByteView count = Raw(2);
    if (!ok_ || ReadU16(count) > max) {
      Fail();
      return 0;
    }
    return ReadU16(count);
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

bool CarriesSections(EventKind kind) {
  return kind == EventKind::kReferral || kind == EventKind::kUpdated ||
         kind == EventKind::kDisclosed;
}

// What holds of every payload, whoever made it.
bool IsConsistent(const Payload& payload) {
  if (payload.case_id.has_value() == IsLinkEvent(payload.kind)) return false;
  if (CarriesSections(payload.kind))
    return IsOneOf(Purposes(), payload.purpose);
  return payload.purpose.empty() && !payload.first_contact &&
         payload.attachments.empty();
}

bool FitsLimits(const Payload& payload) {
  return payload.document.size() <= kDocumentBytesMax &&
         payload.disclosures.size() <= kDisclosuresMax &&
         payload.grants.size() <= kGrantsMax &&
         payload.attachments.size() <= kBlobsMax &&
         std::all_of(
             payload.grants.begin(), payload.grants.end(),
             [](const std::string& g) { return g.size() <= kGrantBytesMax; }) &&
         (!payload.origin || payload.origin->anchor.size() <= kAnchorBytesMax);
}

void Write(const Payload& payload, Writer& out) {
  out.U8(kVersion);
  out.U8(payload.case_id.has_value());
  if (payload.case_id) out.Raw(payload.case_id->bytes());
  out.Raw(payload.event_id.bytes());
  out.Text(NameOf(payload.kind));
  out.Text(payload.purpose);
  out.U8(payload.first_contact);
  out.Raw(payload.salt);
  out.Raw(payload.salt2);
  out.Text(payload.document);
  out.U16(payload.disclosures.size());
  for (const std::string& disclosure : payload.disclosures)
    out.Text(disclosure);
  out.U16(payload.grants.size());
  for (const std::string& grant : payload.grants) out.Text(grant);
  out.U16(payload.attachments.size());
  for (const PayloadAttachment& attachment : payload.attachments) {
    out.Text(NameOf(attachment.section));
    out.Raw(attachment.plaintext.bytes());
    out.Raw(attachment.blob_id.bytes());
    out.Raw(attachment.key.Expose());
  }
  out.U64(payload.seen_size);
  out.Raw(payload.seen_root.bytes());
  out.U8(payload.origin.has_value());
  if (!payload.origin) return;
  out.Text(payload.origin->anchor);
  out.Raw(payload.origin->signature);
  out.Raw(payload.origin->anchor_salt);
  out.U64(payload.origin->leaf.value());
  out.U64(static_cast<uint64_t>(UnixSeconds(payload.origin->leaf_time)));
  out.Raw(payload.origin->leaf_salt);
}

std::vector<std::string> ReadTexts(Reader& in, size_t count_max,
                                   size_t size_max) {
  std::vector<std::string> texts;
  for (size_t left = in.Count(count_max); left > 0 && in.ok(); --left)
    texts.push_back(ToText(in.Text(size_max)));
  return texts;
}

std::vector<PayloadAttachment> ReadAttachments(Reader& in) {
  std::vector<PayloadAttachment> attachments;
  for (size_t left = in.Count(kBlobsMax); left > 0 && in.ok(); --left) {
    const auto section = ParseSection(AsText(in.Text(kShortTextMax)));
    if (!section.ok()) in.Fail();
    const Digest plaintext(in.Array<32>());
    const Digest blob_id(in.Array<32>());
    const ByteView key = in.Raw(kKeyBytes);
    if (in.ok())
      attachments.push_back(
          {*section, plaintext, blob_id, SecretKeyBytes::CopyOf(key)});
  }
  return attachments;
}

std::optional<PayloadOrigin> ReadOrigin(Reader& in) {
  constexpr uint64_t kYear9999 = 253402300799;
  if (!in.Flag()) return std::nullopt;
  Bytes anchor = ToBytes(in.Text(kAnchorBytesMax));
  const Signature signature = in.Array<sizeof(Signature)>();
  const auto anchor_salt = in.Array<32>();
  const LeafIndex leaf(in.U64());
  const uint64_t leaf_time = in.U64();
  if (leaf_time > kYear9999) in.Fail();
  const auto leaf_salt = in.Array<32>();
  if (!in.ok()) return std::nullopt;
  return PayloadOrigin{std::move(anchor),
                       signature,
                       anchor_salt,
                       leaf,
                       TimeFromUnix(static_cast<int64_t>(leaf_time)),
                       leaf_salt};
}

}  // namespace

absl::StatusOr<SecretBuffer> EncodePayload(const Payload& payload) {
  if (!IsConsistent(payload)) return Malformed();
  Writer count({});
  Write(payload, count);
  if (!FitsLimits(payload) || count.size() > kPayloadBytesMax)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the payload is too large",
                     {.code = "too_large", .expected = "at most 1 MiB sealed"});
  SecretBuffer buffer(count.size());
  Writer out(buffer.Mutable());
  Write(payload, out);
  return buffer;
}

absl::StatusOr<Payload> DecodePayload(ByteView bytes) {
  if (bytes.size() > kPayloadBytesMax) return Malformed();
  Reader in(bytes);
  if (in.U8() != kVersion) return Malformed();
  std::optional<CaseId> case_id;
  if (in.Flag())
    if (const auto id = CaseId::FromBytes(in.Raw(CaseId::kSize)); id.ok())
      case_id = *id;
  const auto event_id = EventId::FromBytes(in.Raw(EventId::kSize));
  if (!event_id.ok()) return Malformed();
  const auto kind = ParseEventKind(AsText(in.Text(kShortTextMax)));
  if (!kind) return Malformed();
  Payload payload{.case_id = case_id, .event_id = *event_id, .kind = *kind};
  payload.purpose = ToText(in.Text(kShortTextMax));
  payload.first_contact = in.Flag();
  payload.salt = in.Array<32>();
  payload.salt2 = in.Array<32>();
  payload.document = ToText(in.Text(kDocumentBytesMax));
  payload.disclosures = ReadTexts(in, kDisclosuresMax, kDocumentBytesMax);
  payload.grants = ReadTexts(in, kGrantsMax, kGrantBytesMax);
  payload.attachments = ReadAttachments(in);
  payload.seen_size = in.U64();
  payload.seen_root = Digest(in.Array<32>());
  payload.origin = ReadOrigin(in);
  if (!in.AtEnd() || !IsConsistent(payload)) return Malformed();
  return payload;
}

Digest AnchorOf(const Payload& payload) {
  return AnchorDigest(
      payload.salt, SdJwtDigest(payload.document),
      ManifestDigest(payload.salt2, payload.disclosures, payload.grants));
}

}  // namespace amparo
