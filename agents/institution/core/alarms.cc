#include "agents/institution/core/alarms.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "alarm/";
// What was acknowledged: time, code and member, with the evidence.
constexpr char kPastPrefix[] = "alarm-past/";

constexpr char kSeeStatus[] = "see what rings with `amparo status`";
// It ends with the reviews, and nobody puts it away.
constexpr absl::string_view kReviewDue = "review_due";
constexpr size_t kListedMax = 400;

std::string RowKey(absl::string_view code, absl::string_view member) {
  return absl::StrCat(kPrefix, code, "/", member);
}

std::string TextOf(const std::optional<MemberId>& member) {
  return member ? member->text() : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Alarms>> Alarms::Open(KeyValue& kv) {
  std::unique_ptr<Alarms> alarms(new Alarms(kv));
  std::map<Key, absl::Time> since;
  RETURN_IF_ERROR(kv.Scan(kPrefix, "", [&](absl::string_view key, ByteView value) {
    const std::vector<std::string> parts = absl::StrSplit(key, '/');
    if (parts.size() == 3 && value.size() >= 8)
      since[{parts[1], parts[2]}] =
          TimeFromUnix(static_cast<int64_t>(ReadU64(value)));
    return true;
  }));
  MutexLock lock(alarms->mutex_);
  alarms->since_ = std::move(since);
  return alarms;
}

void Alarms::Raise(const char* code, const std::optional<MemberId>& member,
                   absl::Time now, ByteView evidence) {
  {
    MutexLock lock(mutex_);
    if (!since_.insert({{code, TextOf(member)}, now}).second) return;
  }
  if (member)
    LogEvent(EventLevel::kWarning, "alarm", {{"code", code}, {"member", *member}});
  else
    LogEvent(EventLevel::kWarning, "alarm", {{"code", code}});
  Bytes row;
  AppendU64(row, static_cast<uint64_t>(UnixSeconds(now)));
  Append(row, evidence);
  Batch batch;
  batch.Put(RowKey(code, TextOf(member)), row);
  // An alarm that cannot be stored still shows until the next start.
  if (!kv_.Write(batch).ok()) LogEvent(EventLevel::kError, "storage_failed");
}

void Alarms::Settle(const char* code, const std::optional<MemberId>& member) {
  {
    MutexLock lock(mutex_);
    if (since_.erase({code, TextOf(member)}) == 0) return;
  }
  Batch batch;
  batch.Delete(RowKey(code, TextOf(member)));
  if (!kv_.Write(batch).ok()) LogEvent(EventLevel::kError, "storage_failed");
}

absl::Status Alarms::CheckRings(absl::string_view code,
                                const std::optional<MemberId>& member) const {
  std::string ringing;
  {
    MutexLock lock(mutex_);
    if (since_.contains({std::string(code), TextOf(member)}))
      return absl::OkStatus();
    for (const auto& [key, since] : since_)
      if (key.first != kReviewDue && ringing.size() < kListedMax)
        absl::StrAppend(&ringing, ringing.empty() ? "" : " ", key.first,
                        key.second.empty() ? "" : ":", key.second);
  }
  return MakeError(
      absl::StatusCode::kNotFound, "no such alarm",
      {.code = "not_found",
       .field = "CODE[:MEMBER]",
       .expected = ringing.empty() ? "none: nothing rings" : ringing,
       .hint = kSeeStatus});
}

absl::Status Alarms::Acknowledge(absl::string_view code,
                                 const std::optional<MemberId>& member) {
  RETURN_IF_ERROR(CheckRings(code, member));
  const Key key(std::string(code), TextOf(member));
  absl::Time since;
  {
    MutexLock lock(mutex_);
    const auto found = since_.find(key);
    if (found == since_.end()) return absl::OkStatus();  // over meanwhile
    since = found->second;
  }
  const std::string row_key = RowKey(key.first, key.second);
  const auto row = kv_.Get(row_key);
  Batch batch;
  batch.Delete(row_key);
  if (row.ok())
    batch.Put(absl::StrCat(kPastPrefix, UnixSeconds(since), "/", key.first, "/",
                           key.second),
              *row);
  RETURN_IF_ERROR(kv_.Write(batch));
  MutexLock lock(mutex_);
  since_.erase(key);
  return absl::OkStatus();
}

absl::StatusOr<Bytes> Alarms::EvidenceOf(
    absl::string_view code, const std::optional<MemberId>& member) const {
  const auto row = kv_.Get(RowKey(code, TextOf(member)));
  if (!row.ok() && !absl::IsNotFound(row.status())) return row.status();
  if (!row.ok()) {
    RETURN_IF_ERROR(CheckRings(code, member));
    return MakeError(absl::StatusCode::kNotFound, "this alarm is not stored",
                     {.code = "not_found",
                      .field = "CODE[:MEMBER]",
                      .hint = kSeeStatus});
  }
  if (row->size() <= sizeof(uint64_t))
    return MakeError(
        absl::StatusCode::kNotFound,
        "this alarm rings, and no signed notes were kept with it",
        {.code = "not_found",
         .field = "evidence",
         .hint = "what it means and what to do: docs/OPERATIONS.md, Alarms; for "
                 "log_fork keep this agent's store, it is the proof"});
  return Bytes(row->begin() + sizeof(uint64_t), row->end());
}

std::vector<AlarmRecord> Alarms::List() const {
  MutexLock lock(mutex_);
  std::vector<AlarmRecord> list;
  for (const auto& [key, time] : since_) {
    AlarmRecord record{key.first, std::nullopt, time};
    if (auto member = MemberId::Parse(key.second); member.ok())
      record.member = *std::move(member);
    list.push_back(std::move(record));
  }
  return list;
}

bool Alarms::Has(const char* code, const std::optional<MemberId>& member) const {
  MutexLock lock(mutex_);
  return since_.contains({code, TextOf(member)});
}

}  // namespace amparo::agent
