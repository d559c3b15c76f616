#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"

// What commitments hide, to bytes and back (proto/envelope/log_entry.h).

namespace amparo {
namespace {

constexpr size_t kLengthBytes = 4;

// In the order of AuditEvent's alternatives: the kind's byte is the index + 1.
constexpr std::array<const char*, std::variant_size_v<AuditEvent>> kNames = {
    "envelope",
    "anchor",
    "receipt",
    "recall",
    "expiry",
    "erasure",
    "access_log_checkpoint"};

absl::Status Malformed(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("audit event: ", why));
}

std::vector<ByteView> FieldsOf(const EnvelopeEvent& event) {
  return {event.header, event.body.bytes(), event.signature};
}
std::vector<ByteView> FieldsOf(const AnchorEvent& event) {
  return {event.anchor, event.signature};
}
std::vector<ByteView> FieldsOf(const ReceiptEvent& event) {
  return {AsBytes(event.token)};
}
std::vector<ByteView> FieldsOf(const RecallEvent& event) {
  return {AsBytes(event.token)};
}
std::vector<ByteView> FieldsOf(const ExpiryEvent& event) {
  return {event.digest.bytes()};
}
std::vector<ByteView> FieldsOf(const ErasureEvent& event) {
  return {AsBytes(event.token)};
}
std::vector<ByteView> FieldsOf(const AccessLogEvent& event) {
  return {AsBytes(event.note)};
}

// Takes fields off the front and remembers the first that does not fit.
class FieldReader {
 public:
  explicit FieldReader(ByteView bytes) : rest_(bytes) {}

  ByteView Take(size_t size_min, size_t size_max) {
    if (rest_.size() < kLengthBytes) return Fail();
    const size_t size = ReadU32(rest_);
    rest_ = rest_.subspan(kLengthBytes);
    if (size < size_min || size > size_max || size > rest_.size())
      return Fail();
    const ByteView field = rest_.first(size);
    rest_ = rest_.subspan(size);
    return field;
  }
  std::string Text(size_t size_max) { return ToText(Take(1, size_max)); }
  Digest Hash() {
    const auto digest = Digest::FromBytes(Take(Digest::kSize, Digest::kSize));
    return digest.ok() ? *digest : Digest();
  }
  Signature TakeSignature() {
    Signature signature{};
    const ByteView bytes = Take(signature.size(), signature.size());
    std::copy(bytes.begin(), bytes.end(), signature.begin());
    return signature;
  }

  absl::Status Finish() const {
    if (failed_) return Malformed("a field's size is out of range");
    if (!rest_.empty()) return Malformed("trailing bytes");
    return absl::OkStatus();
  }

 private:
  ByteView Fail() {
    failed_ = true;
    rest_ = {};
    return {};
  }

  ByteView rest_;
  bool failed_ = false;
};

absl::StatusOr<AuditEvent> DecodeFields(uint8_t kind, FieldReader& fields) {
  switch (kind) {
    case 1: {
      Bytes header = ToBytes(
          fields.Take(1, kHeaderBytesMax + kBlobsMax * kHeaderBytesPerBlob));
      const Digest body = fields.Hash();
      return EnvelopeEvent{std::move(header), body, fields.TakeSignature()};
    }
    case 2: {
      Bytes anchor = ToBytes(fields.Take(1, kAnchorBytesMax));
      return AnchorEvent{std::move(anchor), fields.TakeSignature()};
    }
    case 3:
      return ReceiptEvent{fields.Text(kReceiptBytesMax)};
    case 4:
      return RecallEvent{fields.Text(kReceiptBytesMax)};
    case 5:
      return ExpiryEvent{fields.Hash()};
    case 6:
      return ErasureEvent{fields.Text(kOpeningBytesMax)};
    case 7:
      return AccessLogEvent{fields.Text(kOpeningBytesMax)};
    default:
      return Malformed("unknown kind");
  }
}

}  // namespace

absl::string_view NameOf(const AuditEvent& event) {
  return kNames[event.index()];
}

Bytes EncodeAuditEvent(const AuditEvent& event) {
  Bytes out{static_cast<uint8_t>(event.index() + 1)};
  const auto fields = std::visit(
      [](const auto& alternative) { return FieldsOf(alternative); }, event);
  for (const ByteView field : fields) {
    AppendU32(out, static_cast<uint32_t>(field.size()));
    Append(out, field);
  }
  return out;
}

absl::StatusOr<AuditEvent> DecodeAuditEvent(ByteView bytes) {
  if (bytes.empty()) return Malformed("empty");
  if (bytes.size() > kOpeningBytesMax) return Malformed("too large");
  FieldReader fields(bytes.subspan(1));
  ASSIGN_OR_RETURN(AuditEvent event, DecodeFields(bytes[0], fields));
  RETURN_IF_ERROR(fields.Finish());
  return event;
}

}  // namespace amparo
