#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/held_mail.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"

// What found no room among the held: one row a key.

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "in/overflow/";

std::string KeyOf(const Digest& kid) {
  return absl::StrCat(kPrefix, kid.ToString());
}

Bytes Encode(const HeldOverflow& overflow) {
  return ToBytes(DumpJson({{"sender", overflow.sender.text()},
                           {"kid", overflow.kid.ToString()},
                           {"leaf", overflow.leaf.value()},
                           {"at", UnixSeconds(overflow.leaf_time)},
                           {"link_seq", overflow.link_seq},
                           {"asked", overflow.asked}}));
}

absl::StatusOr<HeldOverflow> Decode(ByteView bytes) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
  ASSIGN_OR_RETURN(const std::string sender, JsonString(json, "sender"));
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(sender));
  ASSIGN_OR_RETURN(const std::string kid_text, JsonString(json, "kid"));
  ASSIGN_OR_RETURN(const Digest kid, Digest::Parse(kid_text));
  ASSIGN_OR_RETURN(const int64_t leaf, JsonInt(json, "leaf"));
  ASSIGN_OR_RETURN(const int64_t at, JsonInt(json, "at"));
  ASSIGN_OR_RETURN(const int64_t link_seq, JsonInt(json, "link_seq"));
  return HeldOverflow{member,
                      kid,
                      LeafIndex(static_cast<uint64_t>(leaf)),
                      TimeFromUnix(at),
                      static_cast<uint64_t>(link_seq),
                      json.value("asked", false)};
}

}  // namespace

absl::Status HeldMail::LoadOverflows() {
  absl::Status broken;
  std::map<Digest, HeldOverflow> overflows;
  RETURN_IF_ERROR(kv_.Scan(kPrefix, "", [&](absl::string_view, ByteView value) {
    const auto overflow = Decode(value);
    broken.Update(overflow.status());
    if (overflow.ok()) overflows.emplace(overflow->kid, *overflow);
    return true;
  }));
  RETURN_IF_ERROR(broken);
  MutexLock lock(mutex_);
  overflows_ = std::move(overflows);
  return absl::OkStatus();
}

void HeldMail::PutOverflow(const HeldOverflow& overflow, Batch& rows) {
  MutexLock lock(mutex_);
  HeldOverflow& kept =
      overflows_.try_emplace(overflow.kid, overflow).first->second;
  const uint64_t highest = std::max(kept.link_seq, overflow.link_seq);
  kept = overflow;
  kept.link_seq = highest;
  rows.Put(KeyOf(overflow.kid), Encode(kept));
}

void HeldMail::RemoveOverflow(const Digest& kid, Batch& rows) {
  rows.Delete(KeyOf(kid));
  MutexLock lock(mutex_);
  overflows_.erase(kid);
}

std::vector<HeldOverflow> HeldMail::Overflows() const {
  std::vector<HeldOverflow> list;
  MutexLock lock(mutex_);
  for (const auto& [kid, overflow] : overflows_) list.push_back(overflow);
  return list;
}

std::optional<HeldOverflow> HeldMail::OverflowOf(const Digest& kid) const {
  MutexLock lock(mutex_);
  const auto found = overflows_.find(kid);
  return found == overflows_.end() ? std::nullopt
                                   : std::optional(found->second);
}

}  // namespace amparo::agent
