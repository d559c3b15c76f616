#include "agents/institution/core/case_book.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

// Rows: events by case and the order in which they were stored; contents by
// case and event.
constexpr char kEventPrefix[] = "case/event/";
constexpr char kContentPrefix[] = "case/content/";
constexpr size_t kPrefixCharsMin = 4;  // after the letter and the hyphen

std::string EventKey(const CaseId& id, uint64_t place) {
  Bytes suffix = ToBytes(id.bytes());
  AppendU64(suffix, place);
  return absl::StrCat(kEventPrefix, AsText(suffix));
}

std::string ContentKey(const CaseId& id, const ContentId& content) {
  return absl::StrCat(kContentPrefix, AsText(id.bytes()),
                      AsText(content.first.bytes()), content.second.text());
}

Bytes EncodeContent(const Content& content) {
  Json json;
  json["document"] = content.document;
  json["disclosures"] = Json::object();
  for (const auto& [slot, disclosure] : content.disclosures)
    json["disclosures"][NameOf(slot)] = disclosure;
  return ToBytes(DumpJson(json));
}

absl::StatusOr<Content> DecodeContent(ByteView bytes) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
  Content content;
  ASSIGN_OR_RETURN(content.document, JsonString(json, "document"));
  for (const auto& [name, disclosure] : json.at("disclosures").items()) {
    ASSIGN_OR_RETURN(const Slot slot, ParseSlot(name));
    content.disclosures[slot] = disclosure.get<std::string>();
  }
  return content;
}

bool IsNote(const CaseEvent& event) {
  return std::holds_alternative<DeliveryNoted>(event.body);
}

Bytes Encode(const CaseEvent& event) {
  return ToBytes(DumpJson(EncodeCaseEvent(event)));
}

absl::StatusOr<CaseEvent> Decode(ByteView row) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(row), 64));
  return DecodeCaseEvent(json);
}

void Weigh(const CaseEvent& event, size_t bytes,
           std::map<MemberId, Share>& shares) {
  if (IsNote(event)) return;
  Share& share = shares[event.from];
  ++share.events;
  share.bytes += bytes;
}

// Where `event` goes: over the stored one with its id and recipient, or at the
// end.
size_t PlaceOf(const CaseEvent& event, const std::vector<CaseEvent>& events) {
  if (IsNote(event)) return events.size();
  const auto same =
      std::find_if(events.begin(), events.end(), [&](const CaseEvent& stored) {
        return !IsNote(stored) && stored.id == event.id &&
               stored.from == event.from && stored.to == event.to;
      });
  return static_cast<size_t>(same - events.begin());
}

absl::Status Ambiguous(absl::string_view what, const char* message,
                       const char* expected) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("several ", what, "s ", message),
                   {.code = "ambiguous_id",
                    .field = std::string(what),
                    .expected = expected});
}

// The whole id, or the only one that begins with `text`.
template <typename Id, typename Map>
absl::StatusOr<Id> Resolve(absl::string_view text, char letter, const Map& map,
                           absl::string_view what) {
  const absl::Status not_found =
      MakeError(absl::StatusCode::kNotFound, absl::StrCat("no such ", what),
                {.code = "not_found", .field = std::string(what)});
  if (text.size() < 2 + kPrefixCharsMin || text[0] != letter || text[1] != '-')
    return not_found;
  std::optional<Id> found;
  for (const auto& [id, unused] : map) {
    if (!absl::StartsWith(id.text(), text)) continue;
    if (found)
      return Ambiguous(what, "begin like this", "more characters of the id");
    found = id;
  }
  if (!found) return not_found;
  return *found;
}

// The same for what is named by member and id: "ID", or "ID@MEMBER".
template <typename Key, typename Map>
absl::StatusOr<Key> ResolveOf(absl::string_view text, char letter,
                              const Map& map, const MemberId& self,
                              absl::string_view what) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('@', 1));
  const bool says_whose = parts.first.size() < text.size();
  std::map<typename Key::second_type, std::vector<MemberId>> owners;
  for (const auto& [key, unused] : map)
    if (!says_whose || key.first.text() == parts.second)
      owners[key.second].push_back(key.first);
  using Id = typename Key::second_type;
  ASSIGN_OR_RETURN(const Id id, Resolve<Id>(parts.first, letter, owners, what));
  const std::vector<MemberId>& whose = owners.at(id);
  if (whose.size() == 1) return Key(whose.front(), id);
  if (std::find(whose.begin(), whose.end(), self) != whose.end())
    return Key(self, id);
  return Ambiguous(what, "have this id", "the id, @ and whose it is");
}

}  // namespace

absl::StatusOr<std::unique_ptr<CaseBook>> CaseBook::Open(KeyValue& kv,
                                                         MemberId self) {
  std::unique_ptr<CaseBook> book(new CaseBook(kv, std::move(self)));
  RETURN_IF_ERROR(book->Load());
  return book;
}

absl::Status CaseBook::Load() {
  std::map<CaseId, Case> cases;
  absl::Status decoded;
  RETURN_IF_ERROR(
      kv_.Scan(kEventPrefix, "", [&](absl::string_view, ByteView value) {
        auto event = Decode(value);
        decoded = event.status();
        if (!decoded.ok()) return false;
        Case& entry =
            cases
                .try_emplace(event->case_id,
                             Case{Fold(self_, event->case_id, {}), {}, {}})
                .first->second;
        Weigh(*event, value.size(), entry.shares);
        entry.events.push_back(*std::move(event));
        return true;
      }));
  RETURN_IF_ERROR(decoded);
  MutexLock lock(mutex_);
  for (auto& [id, loaded] : cases) {
    loaded.state = Fold(self_, id, loaded.events);
    auto entry = std::make_shared<const Case>(std::move(loaded));
    Index(*entry);
    Count(nullptr, *entry);
    cases_[id] = std::move(entry);
  }
  return absl::OkStatus();
}

// `after` takes the place of `before`.
void CaseBook::Count(const Case* before, const Case& after) {
  if (before != nullptr)
    for (const auto& [member, share] : before->shares) {
      shares_[member].events -= share.events;
      shares_[member].bytes -= share.bytes;
    }
  for (const auto& [member, share] : after.shares) {
    shares_[member].events += share.events;
    shares_[member].bytes += share.bytes;
  }
}

Share CaseBook::ShareOf(const MemberId& member) const {
  MutexLock lock(mutex_);
  const auto found = shares_.find(member);
  return found == shares_.end() ? Share() : found->second;
}

void CaseBook::Index(const Case& entry) {
  const CaseId& id = entry.state.case_id;
  for (const auto& [place, referral] : entry.state.referrals)
    referrals_.try_emplace({referral.sender, place.first}, id);
  for (const auto& [key, held] : entry.state.authority.grants)
    grants_.try_emplace(key, id);
}

absl::StatusOr<std::shared_ptr<const Case>> CaseBook::Change(const CaseId& id,
                                                             const Decision& decide) {
  MutexLock writing(writing_);
  const std::shared_ptr<const Case> current = Find(id);
  ASSIGN_OR_RETURN(CaseChange change, decide(current.get()));
  // A look: it only had to have its turn.
  if (current && change.events.empty() && change.contents.empty() &&
      change.rows.empty())
    return current;
  Case after{Fold(self_, id, {}), {}, {}};
  if (current) {
    after.events = current->events;
    after.shares = current->shares;
  }
  std::vector<CaseEvent>& events = after.events;
  Batch batch = std::move(change.rows);
  for (CaseEvent& event : change.events) {
    const size_t place = PlaceOf(event, events);
    if (place < events.size()) {
      Share& share = after.shares[event.from];
      --share.events;
      share.bytes -= Encode(events[place]).size();
      event = InPlaceOf(events[place], std::move(event), self_);
    }
    const Bytes row = Encode(event);
    // One row that is not read again, and this agent starts no more.
    RETURN_IF_ERROR(Decode(row).status());
    Weigh(event, row.size(), after.shares);
    batch.Put(EventKey(id, place), row);
    if (place == events.size())
      events.push_back(std::move(event));
    else
      events[place] = std::move(event);
  }
  for (const auto& [content_id, content] : change.contents)
    batch.Put(ContentKey(id, content_id), EncodeContent(content));
  if (!batch.empty()) RETURN_IF_ERROR(kv_.Write(batch));
  if (events.empty()) return std::shared_ptr<const Case>();
  after.state = Fold(self_, id, events);
  auto next = std::make_shared<const Case>(std::move(after));
  {
    MutexLock lock(mutex_);
    Index(*next);
    Count(current.get(), *next);
    cases_[id] = next;
    ++revision_;
  }
  changed_.SignalAll();
  return std::shared_ptr<const Case>(std::move(next));
}

std::shared_ptr<const Case> CaseBook::Find(const CaseId& id) const {
  MutexLock lock(mutex_);
  const auto found = cases_.find(id);
  return found == cases_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Case>> CaseBook::All() const {
  MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const Case>> all;
  all.reserve(cases_.size());
  for (const auto& [id, entry] : cases_) all.push_back(entry);
  return all;
}

std::shared_ptr<const Case> CaseBook::FindByReferral(
    const ReferralKey& key) const {
  MutexLock lock(mutex_);
  const auto found = referrals_.find(key);
  return found == referrals_.end() ? nullptr : cases_.at(found->second);
}

std::shared_ptr<const Case> CaseBook::FindByGrant(const GrantKey& key) const {
  MutexLock lock(mutex_);
  const auto found = grants_.find(key);
  return found == grants_.end() ? nullptr : cases_.at(found->second);
}

absl::StatusOr<ReferralKey> CaseBook::ResolveReferral(
    absl::string_view text) const {
  MutexLock lock(mutex_);
  return ResolveOf<ReferralKey>(text, 'r', referrals_, self_, "referral");
}

absl::StatusOr<GrantKey> CaseBook::ResolveGrant(absl::string_view text) const {
  MutexLock lock(mutex_);
  return ResolveOf<GrantKey>(text, 'g', grants_, self_, "consent");
}

absl::StatusOr<CaseId> CaseBook::ResolveCase(absl::string_view text) const {
  MutexLock lock(mutex_);
  return Resolve<CaseId>(text, 'c', cases_, "case");
}

absl::StatusOr<Content> CaseBook::ContentOf(const CaseId& id,
                                            const EventId& event,
                                            const MemberId& from) const {
  ASSIGN_OR_RETURN(const Bytes bytes, kv_.Get(ContentKey(id, {event, from})));
  return DecodeContent(bytes);
}

absl::Status CaseBook::Purge(const CaseId& id) {
  return kv_.Purge(absl::StrCat(kContentPrefix, AsText(id.bytes())));
}

uint64_t CaseBook::revision() const {
  MutexLock lock(mutex_);
  return revision_;
}

uint64_t CaseBook::WaitBeyond(uint64_t seen, absl::Duration timeout) const {
  // Steady: a clock that is set meanwhile neither hurries nor delays it.
  const auto until =
      std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(timeout);
  MutexLock lock(mutex_);
  while (revision_ <= seen) {
    const absl::Duration left =
        absl::FromChrono(until - std::chrono::steady_clock::now());
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mutex_, left);
  }
  return revision_;
}

}  // namespace amparo::agent
