#include "agents/institution/core/held_mail.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/codec.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "in/held/";
constexpr size_t kDigestBytes = 32;
// u64 leaf_time | digest 32 | u8 priority + 1, 0 for none | u16 header size
constexpr size_t kFixedBytes = 8 + kDigestBytes + 1 + 2;

std::string KeyOf(LeafIndex leaf) {
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  return absl::StrCat(kPrefix, AsText(suffix));
}

absl::Status Broken() {
  return absl::DataLossError("a held message cannot be read");
}

// A stored row in its parts; all of them point into it.
struct Row {
  absl::Time leaf_time;
  ByteView digest;
  std::optional<Priority> priority;
  ByteView header;
  ByteView payload;

  static absl::StatusOr<Row> Parse(ByteView bytes) {
    if (bytes.size() < kFixedBytes) return Broken();
    const uint8_t priority = bytes[8 + kDigestBytes];
    const size_t header_bytes = ReadU16(bytes.subspan(8 + kDigestBytes + 1));
    if (bytes.size() < kFixedBytes + header_bytes) return Broken();
    return Row{amparo::TimeFromUnix(static_cast<int64_t>(ReadU64(bytes))),
               bytes.subspan(8, kDigestBytes),
               priority == 0
                   ? std::nullopt
                   : std::optional(static_cast<Priority>(priority - 1)),
               bytes.subspan(kFixedBytes, header_bytes),
               bytes.subspan(kFixedBytes + header_bytes)};
  }
};

std::optional<CaseId> RevokedCase(const Payload& payload) {
  const bool revokes = payload.kind == EventKind::kGranted ||
                       payload.kind == EventKind::kRevoked;
  return revokes ? payload.case_id : std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HeldMail>> HeldMail::Open(KeyValue& kv) {
  std::unique_ptr<HeldMail> mail(new HeldMail(kv));
  absl::Status broken;
  std::map<LeafIndex, Summary> index;
  RETURN_IF_ERROR(
      kv.Scan(kPrefix, "", [&](absl::string_view key, ByteView value) {
        const auto row = Row::Parse(value);
        const auto header = row.ok() ? DecodeHeader(row->header) : row.status();
        const auto payload =
            row.ok() ? DecodePayload(row->payload) : row.status();
        if (!header.ok() || !payload.ok() ||
            key.size() != sizeof(kPrefix) - 1 + 8) {
          broken = Broken();
          return false;
        }
        index.emplace(
            LeafIndex(ReadU64(AsBytes(key.substr(sizeof(kPrefix) - 1)))),
            Summary{header->sender, header->sender_kid, row->leaf_time,
                    row->priority, RevokedCase(*payload)});
        return true;
      }));
  RETURN_IF_ERROR(broken);
  {
    MutexLock lock(mail->mutex_);
    mail->index_ = std::move(index);
  }
  RETURN_IF_ERROR(mail->LoadOverflows());
  return mail;
}

absl::Status HeldMail::Hold(const HeldMessage& message,
                            std::optional<Priority> priority, Batch rows) {
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(message.header_bytes));
  ASSIGN_OR_RETURN(const SecretBuffer payload, EncodePayload(message.payload));
  Bytes row;
  AppendU64(row, amparo::UnixSeconds(message.leaf_time));
  Append(row, message.digest.bytes());
  row.push_back(priority ? static_cast<uint8_t>(*priority) + 1 : 0);
  AppendU16(row, static_cast<uint16_t>(message.header_bytes.size()));
  Append(row, message.header_bytes);
  Append(row, payload.Expose());
  rows.Put(KeyOf(message.leaf), row);
  RETURN_IF_ERROR(kv_.Write(rows));
  MutexLock lock(mutex_);
  index_.emplace(message.leaf, Summary{header.sender, header.sender_kid,
                                       message.leaf_time, priority,
                                       RevokedCase(message.payload)});
  return absl::OkStatus();
}

void HeldMail::Remove(LeafIndex leaf, Batch& rows) const {
  rows.Delete(KeyOf(leaf));
}

void HeldMail::Forget(LeafIndex leaf) {
  MutexLock lock(mutex_);
  index_.erase(leaf);
}

bool HeldMail::HasRoom(const MemberId& sender, const Digest& kid) const {
  MutexLock lock(mutex_);
  const auto under_it = [&](const auto& entry) {
    return entry.second.sender == sender && entry.second.kid == kid;
  };
  return static_cast<size_t>(std::count_if(index_.begin(), index_.end(),
                                           under_it)) < kPerKeyMax;
}

std::vector<HeldPlace> HeldMail::Places() const {
  std::vector<HeldPlace> places;
  MutexLock lock(mutex_);
  for (const auto& [leaf, summary] : index_)
    places.push_back({leaf, summary.since, summary.sender, summary.kid});
  return places;
}

absl::StatusOr<HeldMessage> HeldMail::Find(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(const Bytes stored, kv_.Get(KeyOf(leaf)));
  ASSIGN_OR_RETURN(const Row row, Row::Parse(stored));
  ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(row.digest));
  ASSIGN_OR_RETURN(Payload payload, DecodePayload(row.payload));
  return HeldMessage{leaf, row.leaf_time, ToBytes(row.header), digest,
                     std::move(payload)};
}

std::vector<HeldFrom> HeldMail::BySender() const {
  std::map<MemberId, HeldFrom> senders;
  MutexLock lock(mutex_);
  for (const auto& [leaf, summary] : index_) {
    HeldFrom& from =
        senders
            .try_emplace(summary.sender, HeldFrom{summary.sender, 0,
                                                  summary.since, std::nullopt})
            .first->second;
    ++from.messages;
    if (summary.priority)
      from.priority = from.priority
                          ? std::min(*from.priority, *summary.priority)
                          : summary.priority;
  }
  std::vector<HeldFrom> list;
  for (const auto& [sender, from] : senders) list.push_back(from);
  return list;
}

uint32_t HeldMail::size() const {
  MutexLock lock(mutex_);
  return static_cast<uint32_t>(index_.size());
}

bool HeldMail::MayRevoke(const CaseId& id, const MemberId& sender) const {
  MutexLock lock(mutex_);
  return std::any_of(index_.begin(), index_.end(),
                     [&](const auto& entry) {
                       const Summary& summary = entry.second;
                       return summary.sender == sender && summary.revokes == id;
                     }) ||
         std::any_of(
             overflows_.begin(), overflows_.end(),
             [&](const auto& entry) { return entry.second.sender == sender; });
}

}  // namespace amparo::agent
