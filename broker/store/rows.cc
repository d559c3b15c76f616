#include "broker/store/rows.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

constexpr uint8_t kNewIdentity = 1;  // at an invitation's end
constexpr char kMemberEnd = '\0';    // sorts before every character of an id

absl::Status Damaged() {
  return absl::DataLossError("a row of the store is damaged");
}

void AppendNumber(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift);
}

void AppendTime(Bytes& out, absl::Time time) {
  AppendU64(out, static_cast<uint64_t>(UnixSeconds(time)));
}

void AppendMember(Bytes& out, const MemberId& member) {
  out.push_back(static_cast<uint8_t>(member.text().size()));
  Append(out, AsBytes(member.text()));
}

// Takes fields from the front of a row.
class Reader {
 public:
  explicit Reader(absl::string_view row) : rest_(AsBytes(row)) {}

  absl::StatusOr<ByteView> Take(size_t size) {
    if (rest_.size() < size) return Damaged();
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  absl::StatusOr<uint8_t> Byte() {
    ASSIGN_OR_RETURN(const ByteView bytes, Take(1));
    return bytes[0];
  }
  absl::StatusOr<uint64_t> Number() {
    ASSIGN_OR_RETURN(const ByteView bytes, Take(8));
    return ReadU64(bytes);
  }
  absl::StatusOr<absl::Time> Time() {
    ASSIGN_OR_RETURN(const uint64_t seconds, Number());
    return TimeFromUnix(static_cast<int64_t>(seconds));
  }
  absl::StatusOr<Digest> Hash() {
    ASSIGN_OR_RETURN(const ByteView bytes, Take(Digest::kSize));
    return Digest::FromBytes(bytes);
  }
  absl::StatusOr<MemberId> Member() {
    ASSIGN_OR_RETURN(const uint8_t size, Byte());
    ASSIGN_OR_RETURN(const ByteView bytes, Take(size));
    absl::StatusOr<MemberId> member = MemberId::Parse(AsText(bytes));
    if (!member.ok()) return Damaged();
    return member;
  }
  ByteView Rest() { return std::exchange(rest_, {}); }
  absl::Status End() const {
    return rest_.empty() ? absl::OkStatus() : Damaged();
  }

 private:
  ByteView rest_;
};

}  // namespace

std::string NumberKey(uint64_t number) {
  std::string key;
  AppendNumber(key, number);
  return key;
}

absl::StatusOr<uint64_t> DecodeNumber(absl::string_view text) {
  Reader reader(text);
  ASSIGN_OR_RETURN(const uint64_t number, reader.Number());
  RETURN_IF_ERROR(reader.End());
  return number;
}

std::string HashKey(uint32_t tile_level, uint64_t index) {
  std::string key(1, static_cast<char>(tile_level));
  AppendNumber(key, index);
  return key;
}

std::string EnvelopeRequestKey(const MemberId& sender, const EnvelopeId& id) {
  return absl::StrCat("e", sender.text(), absl::string_view(&kMemberEnd, 1),
                      AsText(id.bytes()));
}

std::string EventRequestKey(const MemberId& member, ByteView event) {
  return absl::StrCat("d", member.text(), absl::string_view(&kMemberEnd, 1),
                      AsText(Sha256(event).bytes()));
}

std::string SlotRequestKey(absl::string_view slot) {
  return absl::StrCat("p", slot);
}

Bytes EncodeRequest(const RequestRow& row) {
  Bytes out;
  AppendU64(out, row.leaf.value());
  Append(out, row.digest.bytes());
  return out;
}

absl::StatusOr<RequestRow> DecodeRequest(absl::string_view value) {
  Reader reader(value);
  ASSIGN_OR_RETURN(const uint64_t leaf, reader.Number());
  ASSIGN_OR_RETURN(const Digest digest, reader.Hash());
  RETURN_IF_ERROR(reader.End());
  return RequestRow{LeafIndex(leaf), digest};
}

Bytes EncodeRecord(const RecordRow& row) {
  Bytes out;
  out.reserve(160);
  const EnvelopeRecord& record = row.record;
  out.push_back(static_cast<uint8_t>(record.state));
  AppendU64(out, record.leaf.value());
  Append(out, record.digest.bytes());
  Append(out, record.envelope_id.bytes());
  AppendTime(out, record.expires);
  AppendU64(out, row.settled_leaf.value());
  Append(out, row.settled_digest.bytes());
  AppendMember(out, record.sender);
  AppendMember(out, record.recipient);
  return out;
}

absl::StatusOr<RecordRow> DecodeRecord(absl::string_view value) {
  Reader reader(value);
  ASSIGN_OR_RETURN(const uint8_t state, reader.Byte());
  if (state > static_cast<uint8_t>(EnvelopeState::kExpired)) return Damaged();
  ASSIGN_OR_RETURN(const uint64_t leaf, reader.Number());
  ASSIGN_OR_RETURN(const Digest digest, reader.Hash());
  ASSIGN_OR_RETURN(const ByteView id_bytes, reader.Take(EnvelopeId::kSize));
  ASSIGN_OR_RETURN(const EnvelopeId id, EnvelopeId::FromBytes(id_bytes));
  ASSIGN_OR_RETURN(const absl::Time expires, reader.Time());
  ASSIGN_OR_RETURN(const uint64_t settled_leaf, reader.Number());
  ASSIGN_OR_RETURN(const Digest settled_digest, reader.Hash());
  ASSIGN_OR_RETURN(MemberId sender, reader.Member());
  ASSIGN_OR_RETURN(MemberId recipient, reader.Member());
  RETURN_IF_ERROR(reader.End());
  return RecordRow{
      {LeafIndex(leaf), digest, id, std::move(sender), std::move(recipient),
       expires, static_cast<EnvelopeState>(state)},
      LeafIndex(settled_leaf),
      settled_digest};
}

std::string MailboxKey(const MemberId& member, LeafIndex leaf) {
  std::string key = member.text();
  key += kMemberEnd;
  AppendNumber(key, leaf.value());
  return key;
}

std::string MailboxEnd(absl::string_view member) {
  std::string key(member);
  key += static_cast<char>(kMemberEnd + 1);
  return key;
}

absl::StatusOr<MailboxKeyParts> DecodeMailboxKey(absl::string_view key) {
  const size_t end = key.find(kMemberEnd);
  if (end == absl::string_view::npos) return Damaged();
  ASSIGN_OR_RETURN(const uint64_t leaf, DecodeNumber(key.substr(end + 1)));
  return MailboxKeyParts{std::string(key.substr(0, end)), LeafIndex(leaf)};
}

Bytes EncodeMailbox(const MailboxRow& row) {
  Bytes out;
  out.push_back(static_cast<uint8_t>(row.kind));
  AppendU64(out, row.subject.value());
  return out;
}

absl::StatusOr<MailboxRow> DecodeMailbox(absl::string_view value) {
  Reader reader(value);
  ASSIGN_OR_RETURN(const uint8_t kind, reader.Byte());
  ASSIGN_OR_RETURN(const uint64_t subject, reader.Number());
  RETURN_IF_ERROR(reader.End());
  if (kind < 1 || kind > 3) return Damaged();
  return MailboxRow{static_cast<ItemKind>(kind), LeafIndex(subject)};
}

std::string ExpiryKey(absl::Time expires, LeafIndex leaf) {
  std::string key;
  AppendNumber(key, static_cast<uint64_t>(UnixSeconds(expires)));
  AppendNumber(key, leaf.value());
  return key;
}

std::string ErasureKey(LeafIndex leaf, const MemberId& member) {
  return NumberKey(leaf.value()) + member.text();
}

Bytes EncodeOpening(const std::vector<MemberId>& parties, ByteView salt,
                    ByteView event) {
  Bytes out;
  out.reserve(1 + parties.size() * 33 + salt.size() + event.size());
  out.push_back(static_cast<uint8_t>(parties.size()));
  for (const MemberId& party : parties) AppendMember(out, party);
  Append(out, salt);
  Append(out, event);
  return out;
}

absl::StatusOr<Opening> DecodeOpening(LeafIndex leaf, absl::string_view value) {
  Reader reader(value);
  Opening opening{leaf, {}, {}, {}};
  ASSIGN_OR_RETURN(const uint8_t count, reader.Byte());
  for (uint8_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(MemberId party, reader.Member());
    opening.parties.push_back(std::move(party));
  }
  ASSIGN_OR_RETURN(const ByteView salt, reader.Take(kSaltBytes));
  opening.salt = ToBytes(salt);
  opening.event = ToBytes(reader.Rest());
  return opening;
}

bool Concerns(const Opening& opening, const MemberId& member) {
  return std::find(opening.parties.begin(), opening.parties.end(), member) !=
         opening.parties.end();
}

Bytes EnvelopeTail(ByteView enc) {
  Bytes out = ToBytes(enc);
  AppendU16(out, static_cast<uint16_t>(enc.size()));
  return out;
}

absl::StatusOr<SealedBody> DecodeEnvelopeRow(std::string value) {
  const ByteView bytes = AsBytes(value);
  if (bytes.size() < 2) return Damaged();
  const size_t enc_size = ReadU16(bytes.last(2));
  if (bytes.size() < enc_size + 2) return Damaged();
  const size_t sealed = bytes.size() - enc_size - 2;
  Bytes enc = ToBytes(bytes.subspan(sealed, enc_size));
  value.resize(sealed);
  return SealedBody{std::move(enc), std::move(value)};
}

Bytes EncodeHead(const LogHead& head) {
  Bytes out;
  AppendU64(out, head.range.size().value());
  AppendTime(out, head.time);
  AppendU64(out, head.publications);
  for (const Digest& node : head.range.nodes()) Append(out, node.bytes());
  return out;
}

absl::StatusOr<LogHead> DecodeHead(absl::string_view value) {
  Reader reader(value);
  LogHead head;
  ASSIGN_OR_RETURN(const uint64_t size, reader.Number());
  ASSIGN_OR_RETURN(head.time, reader.Time());
  ASSIGN_OR_RETURN(head.publications, reader.Number());
  std::vector<Digest> nodes;
  while (!reader.End().ok()) {
    ASSIGN_OR_RETURN(const Digest node, reader.Hash());
    nodes.push_back(node);
  }
  absl::StatusOr<CompactRange> range =
      CompactRange::FromNodes(TreeSize(size), std::move(nodes));
  if (!range.ok()) return Damaged();
  head.range = std::move(range).value();
  return head;
}

Bytes EncodeInvitation(const InvitationRecord& invitation) {
  Bytes out;
  Append(out, invitation.token_hash.bytes());
  AppendTime(out, invitation.until);
  AppendMember(out, invitation.member);
  if (invitation.used_for) Append(out, invitation.used_for->bytes());
  if (invitation.new_identity) out.push_back(kNewIdentity);
  return out;
}

absl::StatusOr<InvitationRecord> DecodeInvitation(absl::string_view value) {
  Reader reader(value);
  ASSIGN_OR_RETURN(const Digest token_hash, reader.Hash());
  ASSIGN_OR_RETURN(const absl::Time until, reader.Time());
  ASSIGN_OR_RETURN(MemberId member, reader.Member());
  InvitationRecord record{token_hash, std::move(member), until, std::nullopt};
  ByteView rest = reader.Rest();
  if (rest.size() >= Digest::kSize) {
    ASSIGN_OR_RETURN(record.used_for,
                     Digest::FromBytes(rest.first(Digest::kSize)));
    rest = rest.subspan(Digest::kSize);
  }
  record.new_identity = rest.size() == 1 && rest[0] == kNewIdentity;
  if (!rest.empty() && !record.new_identity) return Damaged();
  return record;
}

}  // namespace amparo::broker
