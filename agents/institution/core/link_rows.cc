#include "agents/institution/core/link_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr char kLinkPrefix[] = "in/link/";
constexpr char kChainPrefix[] = "in/chain/";
constexpr char kNamedPrefix[] = "in/named/";
constexpr char kGapsPrefix[] = "in/gaps/";

absl::Status Damaged() {
  return absl::DataLossError("a stored link is damaged");
}

Json EncodeGap(const Gap& gap) {
  Json json;
  json["kid"] = gap.kid.ToString();
  json["first"] = gap.first;
  json["last"] = gap.last;
  json["since"] = UnixSeconds(gap.since);
  json["asked"] = gap.asked;
  return json;
}

absl::StatusOr<Gap> DecodeGap(const MemberId& sender, const Json& json) {
  ASSIGN_OR_RETURN(const std::string kid_text, JsonString(json, "kid"));
  ASSIGN_OR_RETURN(const Digest kid, Digest::Parse(kid_text));
  ASSIGN_OR_RETURN(const int64_t first, JsonInt(json, "first"));
  ASSIGN_OR_RETURN(const int64_t last, JsonInt(json, "last"));
  ASSIGN_OR_RETURN(const int64_t since, JsonInt(json, "since"));
  return Gap{sender,
             kid,
             static_cast<uint64_t>(first),
             static_cast<uint64_t>(last),
             TimeFromUnix(since),
             json.value("asked", false)};
}

absl::StatusOr<std::vector<Gap>> DecodeGaps(const MemberId& sender,
                                            ByteView bytes) {
  ASSIGN_OR_RETURN(const Json list, ParseJson(AsText(bytes)));
  std::vector<Gap> gaps;
  for (const Json& json : list) {
    ASSIGN_OR_RETURN(Gap gap, DecodeGap(sender, json));
    // Beyond that nothing can be asked for: it would keep all else back.
    gap.last = std::min(gap.last, kLinkMax);
    if (gap.first <= gap.last) gaps.push_back(std::move(gap));
  }
  return gaps;
}

}  // namespace

absl::StatusOr<std::optional<Bytes>> LinkRows::Get(
    const std::string& key) const {
  const auto& changes = rows_.changes();
  const auto changed = std::find_if(
      changes.rbegin(), changes.rend(),
      [&](const Batch::Change& change) { return change.key == key; });
  if (changed != changes.rend()) return changed->value;
  auto stored = kv_.Get(key);
  if (absl::IsNotFound(stored.status())) return std::optional<Bytes>();
  RETURN_IF_ERROR(stored.status());
  return std::optional<Bytes>(*std::move(stored));
}

std::string LinkRows::Key(const char* prefix, const Digest& digest) const {
  return absl::StrCat(prefix, sender_.text(), "/", ToHex(digest.bytes()));
}

std::string LinkRows::LinkKey(const Digest& kid, uint64_t seq) const {
  return absl::StrCat(Key(kLinkPrefix, kid), "/", seq);
}

absl::StatusOr<std::optional<KnownLink>> LinkRows::Link(const Digest& kid,
                                                        uint64_t seq) const {
  ASSIGN_OR_RETURN(const std::optional<Bytes> bytes, Get(LinkKey(kid, seq)));
  if (!bytes) return std::optional<KnownLink>();
  if (bytes->size() != 2 * Digest::kSize) return Damaged();
  const ByteView view(*bytes);
  KnownLink link;
  ASSIGN_OR_RETURN(link.digest, Digest::FromBytes(view.first(Digest::kSize)));
  ASSIGN_OR_RETURN(link.prev, Digest::FromBytes(view.last(Digest::kSize)));
  return std::optional<KnownLink>(link);
}

void LinkRows::PutLink(const Digest& kid, uint64_t seq, const KnownLink& link) {
  Bytes bytes = ToBytes(link.digest.bytes());
  Append(bytes, link.prev.bytes());
  rows_.Put(LinkKey(kid, seq), bytes);
}

absl::StatusOr<bool> LinkRows::Knows(const Digest& digest) const {
  bool known = false;
  RETURN_IF_ERROR(kv_.Scan(absl::StrCat(kLinkPrefix, sender_.text(), "/"), "",
                           [&](absl::string_view, ByteView link) {
                             known = link.size() > Digest::kSize &&
                                     Equal(link.first(Digest::kSize),
                                           digest.bytes());
                             return !known;
                           }));
  return known;
}

absl::StatusOr<Chain> LinkRows::ChainOf(const Digest& kid) const {
  ASSIGN_OR_RETURN(const std::optional<Bytes> bytes,
                   Get(Key(kChainPrefix, kid)));
  Chain chain;
  if (!bytes) return chain;
  if (bytes->size() != 8 + 2 * Digest::kSize) return Damaged();
  const ByteView view(*bytes);
  chain.seq = ReadU64(view);
  ASSIGN_OR_RETURN(chain.digest,
                   Digest::FromBytes(view.subspan(8, Digest::kSize)));
  ASSIGN_OR_RETURN(chain.ended_by, Digest::FromBytes(view.last(Digest::kSize)));
  return chain;
}

void LinkRows::PutChain(const Digest& kid, const Chain& chain) {
  Bytes bytes;
  AppendU64(bytes, chain.seq);
  Append(bytes, chain.digest.bytes());
  Append(bytes, chain.ended_by.bytes());
  rows_.Put(Key(kChainPrefix, kid), bytes);
}

absl::StatusOr<std::optional<Digest>> LinkRows::NamedBy(
    const Digest& digest) const {
  ASSIGN_OR_RETURN(const std::optional<Bytes> bytes,
                   Get(Key(kNamedPrefix, digest)));
  if (!bytes) return std::optional<Digest>();
  ASSIGN_OR_RETURN(const Digest kid, Digest::FromBytes(*bytes));
  return std::optional<Digest>(kid);
}

void LinkRows::PutNamed(const Digest& digest, const Digest& kid) {
  rows_.Put(Key(kNamedPrefix, digest), kid.bytes());
}

absl::StatusOr<std::vector<Gap>> LinkRows::Gaps() const {
  ASSIGN_OR_RETURN(const std::optional<Bytes> bytes,
                   Get(kGapsPrefix + sender_.text()));
  if (!bytes) return std::vector<Gap>();
  return DecodeGaps(sender_, *bytes);
}

void LinkRows::PutGaps(const std::vector<Gap>& gaps) {
  const std::string key = kGapsPrefix + sender_.text();
  if (gaps.empty()) return rows_.Delete(key);
  Json list = Json::array();
  for (const Gap& gap : gaps) list.push_back(EncodeGap(gap));
  rows_.Put(key, AsBytes(DumpJson(list)));
}

absl::StatusOr<std::vector<Gap>> LinkRows::AllGaps(const KeyValue& kv) {
  std::vector<Gap> gaps;
  absl::Status decoded;
  RETURN_IF_ERROR(
      kv.Scan(kGapsPrefix, "", [&](absl::string_view key, ByteView value) {
        key.remove_prefix(sizeof kGapsPrefix - 1);
        const auto sender = MemberId::Parse(key);
        decoded = sender.status();
        if (!decoded.ok()) return false;
        auto list = DecodeGaps(*sender, value);
        decoded = list.status();
        if (decoded.ok()) gaps.insert(gaps.end(), list->begin(), list->end());
        return decoded.ok();
      }));
  RETURN_IF_ERROR(decoded);
  return gaps;
}

}  // namespace amparo::agent
