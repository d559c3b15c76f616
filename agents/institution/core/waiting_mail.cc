#include "agents/institution/core/waiting_mail.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/receipt.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "in/waiting/";

// u64 time | u32 size, salt | signature 64 | u8 kind | the event: an envelope;
// a token; or u32 size, header | body 32 | signature 64 | token.
enum Kind : uint8_t { kEnvelope = 1, kReceipt = 2, kRecalled = 3 };

std::string KeyOf(LeafIndex leaf) {
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  return absl::StrCat(kPrefix, AsText(suffix));
}

absl::Status Broken() {
  return absl::DataLossError("a message that waits cannot be read");
}

void AppendSized(Bytes& row, ByteView bytes) {
  AppendU32(row, static_cast<uint32_t>(bytes.size()));
  Append(row, bytes);
}

// Takes `size` bytes off the front of `rest`.
absl::StatusOr<ByteView> Take(ByteView& rest, size_t size) {
  if (rest.size() < size) return Broken();
  const ByteView taken = rest.first(size);
  rest = rest.subspan(size);
  return taken;
}

absl::StatusOr<ByteView> TakeSized(ByteView& rest) {
  ASSIGN_OR_RETURN(const ByteView size, Take(rest, 4));
  return Take(rest, ReadU32(size));
}

absl::StatusOr<Signature> TakeSignature(ByteView& rest) {
  ASSIGN_OR_RETURN(const ByteView bytes, Take(rest, Signature().size()));
  Signature signature;
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

absl::StatusOr<Bytes> Encode(const MailboxItem& item) {
  Bytes row;
  AppendU64(row, static_cast<uint64_t>(UnixSeconds(item.receipt.time)));
  AppendSized(row, item.receipt.salt);
  Append(row, item.receipt.signature);
  if (const auto* envelope = std::get_if<Envelope>(&item.event)) {
    row.push_back(kEnvelope);
    Append(row, EncodeEnvelope(*envelope));
  } else if (const auto* receipt = std::get_if<ReceiptNotice>(&item.event)) {
    row.push_back(kReceipt);
    Append(row, AsBytes(receipt->token));
  } else if (const auto* notice = std::get_if<RecalledNotice>(&item.event)) {
    row.push_back(kRecalled);
    AppendSized(row, notice->header);
    Append(row, notice->body.bytes());
    Append(row, notice->signature);
    Append(row, AsBytes(notice->token));
  } else {
    return absl::InternalError("the broker's own word waits for nobody");
  }
  return row;
}

absl::StatusOr<MailboxItem> Decode(LeafIndex leaf, ByteView rest) {
  MailboxItem item{{}, ExpiredNotice()};
  item.receipt.leaf = leaf;
  ASSIGN_OR_RETURN(const ByteView time, Take(rest, 8));
  item.receipt.time = TimeFromUnix(static_cast<int64_t>(ReadU64(time)));
  ASSIGN_OR_RETURN(const ByteView salt, TakeSized(rest));
  item.receipt.salt = ToBytes(salt);
  ASSIGN_OR_RETURN(item.receipt.signature, TakeSignature(rest));
  ASSIGN_OR_RETURN(const ByteView kind, Take(rest, 1));
  switch (kind[0]) {
    case kEnvelope: {
      ASSIGN_OR_RETURN(item.event, DecodeEnvelope(rest));
      return item;
    }
    case kReceipt:
      item.event = ReceiptNotice{ToText(rest)};
      return item;
    case kRecalled: {
      RecalledNotice notice;
      ASSIGN_OR_RETURN(const ByteView header, TakeSized(rest));
      notice.header = ToBytes(header);
      ASSIGN_OR_RETURN(const ByteView body, Take(rest, Digest::kSize));
      ASSIGN_OR_RETURN(notice.body, Digest::FromBytes(body));
      ASSIGN_OR_RETURN(notice.signature, TakeSignature(rest));
      notice.token = ToText(rest);
      item.event = std::move(notice);
      return item;
    }
    default:
      return Broken();
  }
}

std::optional<Digest> PrekeyOf(const MailboxItem& item) {
  const auto* envelope = std::get_if<Envelope>(&item.event);
  if (envelope == nullptr) return std::nullopt;
  return envelope->header.prekey_id;
}

}  // namespace

std::optional<MemberId> SenderOf(const MailboxItem& item) {
  if (const auto* envelope = std::get_if<Envelope>(&item.event))
    return envelope->header.sender;
  if (const auto* notice = std::get_if<ReceiptNotice>(&item.event)) {
    const auto receipt = PeekReceipt(notice->token);
    if (receipt.ok()) return receipt->issuer;
  } else if (const auto* recalled = std::get_if<RecalledNotice>(&item.event)) {
    const auto header = DecodeHeader(recalled->header);
    if (header.ok()) return header->sender;
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<WaitingMail>> WaitingMail::Open(KeyValue& kv) {
  std::unique_ptr<WaitingMail> mail(new WaitingMail(kv));
  absl::Status broken;
  std::map<LeafIndex, Summary> index;
  RETURN_IF_ERROR(
      kv.Scan(kPrefix, "", [&](absl::string_view key, ByteView row) {
        key.remove_prefix(sizeof kPrefix - 1);
        const LeafIndex leaf(key.size() == 8 ? ReadU64(AsBytes(key)) : 0);
        const auto item = Decode(leaf, row);
        const auto sender = item.ok() ? SenderOf(*item) : std::nullopt;
        if (key.size() != 8 || !sender) {
          broken = Broken();
          return false;
        }
        index.emplace(leaf, Summary{*sender, item->receipt.time, row.size(),
                                    PrekeyOf(*item)});
        return true;
      }));
  RETURN_IF_ERROR(broken);
  MutexLock lock(mail->mutex_);
  mail->index_ = std::move(index);
  return mail;
}

absl::Status WaitingMail::Keep(const MailboxItem& item, Batch rows) {
  const auto sender = SenderOf(item);
  if (!sender) return absl::InternalError("nobody's message waits");
  ASSIGN_OR_RETURN(const Bytes row, Encode(item));
  {
    size_t count = 0, bytes = row.size(), all_bytes = row.size();
    MutexLock lock(mutex_);
    for (const auto& [leaf, summary] : index_) {
      all_bytes += summary.bytes;
      if (summary.sender != *sender) continue;
      ++count;
      bytes += summary.bytes;
    }
    if (count >= kPerSenderMax || bytes > kBytesPerSenderMax)
      return absl::ResourceExhaustedError("too much of its sender waits");
    if (index_.size() >= kMax || all_bytes > kBytesMax)
      return absl::ResourceExhaustedError("too much waits");
  }
  rows.Put(KeyOf(item.receipt.leaf), row);
  RETURN_IF_ERROR(kv_.Write(rows));
  MutexLock lock(mutex_);
  index_.emplace(item.receipt.leaf, Summary{*sender, item.receipt.time,
                                            row.size(), PrekeyOf(item)});
  return absl::OkStatus();
}

void WaitingMail::Remove(LeafIndex leaf, Batch& rows) const {
  rows.Delete(KeyOf(leaf));
}

void WaitingMail::Forget(LeafIndex leaf) {
  MutexLock lock(mutex_);
  index_.erase(leaf);
}

std::vector<WaitingMail::Place> WaitingMail::Places() const {
  std::vector<Place> places;
  {
    MutexLock lock(mutex_);
    for (const auto& [leaf, summary] : index_)
      places.push_back({summary.sender, leaf, summary.leaf_time});
  }
  std::stable_sort(
      places.begin(), places.end(),
      [](const Place& a, const Place& b) { return a.sender < b.sender; });
  return places;
}

absl::StatusOr<MailboxItem> WaitingMail::Find(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(const Bytes row, kv_.Get(KeyOf(leaf)));
  return Decode(leaf, row);
}

std::set<Digest> WaitingMail::Prekeys() const {
  std::set<Digest> prekeys;
  MutexLock lock(mutex_);
  for (const auto& [leaf, summary] : index_)
    if (summary.prekey) prekeys.insert(*summary.prekey);
  return prekeys;
}

uint32_t WaitingMail::size() const {
  MutexLock lock(mutex_);
  return static_cast<uint32_t>(index_.size());
}

}  // namespace amparo::agent
