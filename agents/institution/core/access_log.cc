#include "agents/institution/core/access_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/random.h"
#include "proto/envelope/access_origin.h"

namespace amparo::agent {
namespace {

constexpr char kRecordPrefix[] = "access/record/";
constexpr char kEdgeKey[] = "access/edge";

std::string RecordKey(uint64_t seq) {
  Bytes suffix;
  AppendU64(suffix, seq);
  return absl::StrCat(kRecordPrefix, AsText(suffix));
}

absl::StatusOr<CompactRange> ReadEdge(const KeyValue& kv) {
  const auto stored = kv.Get(kEdgeKey);
  if (absl::IsNotFound(stored.status())) return CompactRange();
  RETURN_IF_ERROR(stored.status());
  if (stored->size() % Digest::kSize != 8)
    return absl::DataLossError("the access log's edge is damaged");
  std::vector<Digest> nodes;
  for (size_t at = 8; at < stored->size(); at += Digest::kSize) {
    ASSIGN_OR_RETURN(nodes.emplace_back(),
                     Digest::FromBytes(ByteView(*stored).subspan(at, Digest::kSize)));
  }
  return CompactRange::FromNodes(TreeSize(ReadU64(*stored)), std::move(nodes));
}

Bytes EncodeEdge(const CompactRange& range) {
  Bytes bytes;
  AppendU64(bytes, range.size().value());
  for (const Digest& node : range.nodes()) Append(bytes, node.bytes());
  return bytes;
}

}  // namespace

AccessLog::AccessLog(KeyValue& kv, const Clock& clock, std::string network,
                     MemberId self)
    : kv_(kv),
      clock_(clock),
      origin_(FormatAccessOrigin(network, self)),
      self_(std::move(self)) {}

absl::StatusOr<std::unique_ptr<AccessLog>> AccessLog::Open(KeyValue& kv,
                                                           const Clock& clock,
                                                           std::string network,
                                                           MemberId self) {
  std::unique_ptr<AccessLog> log(
      new AccessLog(kv, clock, std::move(network), std::move(self)));
  ASSIGN_OR_RETURN(CompactRange range, ReadEdge(kv));
  MutexLock lock(log->mutex_);
  log->range_ = std::move(range);
  return log;
}

absl::Status AccessLog::Write(const Entry& entry, Batch rows) {
  AccessRecord record{
      .seq = 0,
      .at = clock_.Now(),
      .nonce = RandomBytes(16),
      .officer = entry.officer ? entry.officer->text() : "",
      .affiliation = self_.text(),
      .action = entry.action,
      .case_pseudonym = entry.case_id ? entry.case_id->text() : "",
      .sections = entry.sections,
      .grant_or_basis = entry.grant_or_basis,
      .justification = entry.justification,
      .outcome = entry.outcome,
      .from = entry.from,
      .supersedes = entry.supersedes,
      .review = entry.review,
  };
  // The order of records is the order of leaves: one writer, the disk included.
  MutexLock lock(mutex_);
  record.seq = range_.size().value();
  const Bytes bytes = EncodeAccessRecord(record);
  CompactRange range = range_;
  range.Append(LeafHash(bytes));
  Batch batch;
  batch.Put(RecordKey(record.seq), bytes);
  batch.Put(kEdgeKey, EncodeEdge(range));
  batch.Append(std::move(rows));
  RETURN_IF_ERROR(kv_.Write(batch));
  range_ = std::move(range);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AccessRecord>> AccessLog::Read(
    std::optional<uint64_t> after_seq, size_t limit) const {
  std::vector<AccessRecord> records;
  absl::Status decoded;
  RETURN_IF_ERROR(kv_.Scan(
      kRecordPrefix, RecordKey(after_seq ? *after_seq + 1 : 0),
      [&](absl::string_view, ByteView value) {
        if (records.size() == limit) return false;
        auto record = DecodeAccessRecord(value);
        decoded = record.status();
        if (decoded.ok()) records.push_back(*std::move(record));
        return decoded.ok();
      }));
  RETURN_IF_ERROR(decoded);
  return records;
}

absl::StatusOr<AccessLog::Head> AccessLog::SignedHead(
    const SigningKey& key) const {
  Checkpoint head{origin_, TreeSize(0), Digest(), {}};
  {
    MutexLock lock(mutex_);
    head.size = range_.size();
    head.root = range_.Root();
  }
  ASSIGN_OR_RETURN(std::string note, SignCheckpoint(head, key));
  return Head{head.size, std::move(note)};
}

absl::StatusOr<std::string> AccessLog::SignedCheckpoint(
    const SigningKey& key) const {
  ASSIGN_OR_RETURN(Head head, SignedHead(key));
  return std::move(head.note);
}

TreeSize AccessLog::size() const {
  MutexLock lock(mutex_);
  return range_.size();
}

}  // namespace amparo::agent
