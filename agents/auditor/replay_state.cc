#include "agents/auditor/replay_state.h"

#include <algorithm>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "agents/auditor/known_text.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

constexpr absl::string_view kFirstLine = "amparo-replay-state/1";
constexpr absl::string_view kLastLine = "\nend ";
constexpr size_t kDigestsInALine = 1000;

using Fields = std::vector<absl::string_view>;

absl::Status Damaged() {
  return MakeError(absl::StatusCode::kDataLoss,
                   "the state of the earlier replay was changed or cut off",
                   {.code = "tampered",
                    .field = "--state",
                    .hint = "delete the file: the whole log is replayed then"});
}

std::string HeadText(const LinkCheck::Head& head) {
  return absl::StrCat(head.seq, " ", head.digest.ToString(), " ",
                      head.unopened);
}

absl::StatusOr<uint64_t> Number(absl::string_view text) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return Damaged();
  return number;
}

absl::StatusOr<absl::Time> Seconds(absl::string_view text) {
  ASSIGN_OR_RETURN(const uint64_t seconds, Number(text));
  return TimeFromUnix(static_cast<int64_t>(seconds));
}

absl::StatusOr<LinkCheck::Head> ParseHead(const Fields& fields) {
  LinkCheck::Head head;
  ASSIGN_OR_RETURN(head.seq, Number(fields[3]));
  ASSIGN_OR_RETURN(head.digest, Digest::Parse(fields[4]));
  ASSIGN_OR_RETURN(head.unopened, Number(fields[5]));
  return head;
}

// The text that a field holds in base64url.
absl::StatusOr<std::string> Decoded(absl::string_view field) {
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(field));
  return amparo::ToText(bytes);
}

absl::Status ReadRun(absl::string_view first, absl::string_view after,
                     LeafSet& set) {
  ASSIGN_OR_RETURN(const uint64_t begin, Number(first));
  ASSIGN_OR_RETURN(const uint64_t end, Number(after));
  const auto& runs = set.runs();
  if (begin >= end || (!runs.empty() && runs.rbegin()->second > begin))
    return Damaged();
  set.AddRun(begin, end);
  return absl::OkStatus();
}

absl::Status ReadUnopened(const Fields& fields, ReplayState& state) {
  return ReadRun(fields[1], fields[2], state.unopened);
}

absl::Status ReadUnexplained(const Fields& fields, ReplayState& state) {
  return ReadRun(fields[1], fields[2], state.unexplained);
}

absl::Status ReadFailed(const Fields& fields, ReplayState& state) {
  return ParseFailed(fields[1], state.known);
}

absl::Status ReadFinding(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.known.findings.emplace_back(),
                   ParseFinding(fields, 1));
  return absl::OkStatus();
}

absl::Status ReadExcuse(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.erasures.excuses.emplace_back(),
                   ParseExcuse(fields, 1));
  return absl::OkStatus();
}

absl::Status ReadAsked(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(fields[1]));
  return ReadRun(fields[2], fields[3], state.erasures.asked[member]);
}

absl::Status ReadOpener(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(fields[1]));
  return ReadRun(fields[2], fields[3], state.erasures.opener[member]);
}

absl::Status ReadYoung(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(fields[1]));
  ASSIGN_OR_RETURN(const absl::Time time, Seconds(fields[2]));
  auto& young = state.erasures.young[member];
  if (!young.empty() && young.back().first > time) return Damaged();
  if (young.empty() || young.back().first != time)
    young.emplace_back(time, LeafSet());
  return ReadRun(fields[3], fields[4], young.back().second);
}

absl::Status ReadEntry(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const uint64_t leaf, Number(fields[1]));
  ASSIGN_OR_RETURN(Bytes entry, FromBase64Url(fields[2]));
  state.open_entries.emplace_back(LeafIndex(leaf), std::move(entry));
  return absl::OkStatus();
}

absl::Status ReadChain(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const Digest kid, Digest::Parse(fields[1]));
  ASSIGN_OR_RETURN(const MemberId recipient, MemberId::Parse(fields[2]));
  ASSIGN_OR_RETURN(state.links.chains[std::make_pair(kid, recipient)],
                   ParseHead(fields));
  return absl::OkStatus();
}

absl::Status ReadLatest(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const MemberId sender, MemberId::Parse(fields[1]));
  ASSIGN_OR_RETURN(const MemberId recipient, MemberId::Parse(fields[2]));
  ASSIGN_OR_RETURN(state.links.latest[std::make_pair(sender, recipient)],
                   ParseHead(fields));
  return absl::OkStatus();
}

absl::Status ReadWaiting(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(fields[1]));
  ASSIGN_OR_RETURN(const uint64_t leaf, Number(fields[2]));
  ASSIGN_OR_RETURN(const EnvelopeId id, EnvelopeId::Parse(fields[3]));
  ASSIGN_OR_RETURN(const MemberId sender, MemberId::Parse(fields[4]));
  ASSIGN_OR_RETURN(const MemberId recipient, MemberId::Parse(fields[5]));
  ASSIGN_OR_RETURN(const absl::Time expires, Seconds(fields[6]));
  state.events.waiting.try_emplace(
      digest,
      EventCheck::Waiting{LeafIndex(leaf), id, sender, recipient, expires});
  return absl::OkStatus();
}

// Digests, one after another.
absl::StatusOr<std::vector<Digest>> ReadDigests(absl::string_view field) {
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(field));
  std::vector<Digest> digests;
  for (ByteView rest = bytes; !rest.empty();
       rest = rest.subspan(Digest::kSize)) {
    if (rest.size() < Digest::kSize) return Damaged();
    ASSIGN_OR_RETURN(digests.emplace_back(),
                     Digest::FromBytes(rest.first(Digest::kSize)));
  }
  return digests;
}

absl::Status ReadTile(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.edge.emplace_back(), ReadDigests(fields[1]));
  return absl::OkStatus();
}

absl::Status ReadEnded(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const std::vector<Digest> digests, ReadDigests(fields[1]));
  state.events.ended.insert(digests.begin(), digests.end());
  return absl::OkStatus();
}

absl::Status ReadExcused(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.erasures.ended, Number(fields[1]));
  return absl::OkStatus();
}

absl::Status ReadAccess(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(fields[1]));
  ASSIGN_OR_RETURN(const std::string text, Decoded(fields[2]));
  ASSIGN_OR_RETURN(state.events.access_logs[member], ParseCheckpoint(text));
  return absl::OkStatus();
}

absl::Status ReadAccessLeaf(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(fields[1]));
  ASSIGN_OR_RETURN(const uint64_t leaf, Number(fields[2]));
  state.events.access_leaves[member] = LeafIndex(leaf);
  return absl::OkStatus();
}

absl::Status ReadRoot(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.root, Digest::Parse(fields[1]));
  state.root_pinned = fields[2] == "pinned";
  state.with_openings = fields[3] == "opened";
  return absl::OkStatus();
}

absl::Status ReadCheckpoint(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.checkpoint, Decoded(fields[1]));
  return absl::OkStatus();
}

absl::Status ReadNewest(const Fields& fields, ReplayState& state) {
  ASSIGN_OR_RETURN(state.links.newest, Seconds(fields[1]));
  return absl::OkStatus();
}

struct Reader {
  size_t fields;
  absl::Status (*read)(const Fields&, ReplayState&);
};

const Reader* ReaderOf(absl::string_view word) {
  static const auto* readers = new std::map<absl::string_view, Reader>{
      {"root", {4, ReadRoot}},         {"checkpoint", {2, ReadCheckpoint}},
      {"newest", {2, ReadNewest}},     {"tile", {2, ReadTile}},
      {"unopened", {3, ReadUnopened}}, {"asked", {4, ReadAsked}},
      {"opener", {4, ReadOpener}},     {"young", {5, ReadYoung}},
      {"ended", {2, ReadEnded}},       {"excused", {2, ReadExcused}},
      {"entry", {3, ReadEntry}},       {"chain", {6, ReadChain}},
      {"latest", {6, ReadLatest}},     {"waiting", {7, ReadWaiting}},
      {"access", {3, ReadAccess}},     {"access_leaf", {3, ReadAccessLeaf}},
      {"failed", {2, ReadFailed}},     {"finding", {6, ReadFinding}},
      {"excuse", {13, ReadExcuse}},    {"unexplained", {3, ReadUnexplained}}};
  const auto found = readers->find(word);
  return found == readers->end() ? nullptr : &found->second;
}

std::string DigestsText(absl::Span<const Digest> digests) {
  Bytes bytes;
  for (const Digest& digest : digests) Append(bytes, digest.bytes());
  return ToBase64Url(bytes);
}

// Ordered: one state has one spelling.
std::string EndedText(const absl::flat_hash_set<Digest>& ended) {
  std::vector<Digest> ordered(ended.begin(), ended.end());
  std::sort(ordered.begin(), ordered.end());
  std::string text;
  for (size_t at = 0; at < ordered.size(); at += kDigestsInALine)
    absl::StrAppend(
        &text, "\nended ",
        DigestsText(absl::MakeConstSpan(ordered).subspan(at, kDigestsInALine)));
  return text;
}

}  // namespace

std::string FormatReplayState(const ReplayState& state) {
  std::string text =
      absl::StrCat(kFirstLine, "\nroot ", state.root.ToString(), " ",
                   state.root_pinned ? "pinned" : "unpinned",
                   state.with_openings ? " opened" : " unopened",
                   "\ncheckpoint ", ToBase64Url(AsBytes(state.checkpoint)));
  const auto add = [&text](const auto&... fields) {
    absl::StrAppend(&text, "\n", fields...);
  };
  if (state.links.newest.has_value())
    add("newest ", UnixSeconds(*state.links.newest));
  for (const auto& tile : state.edge) add("tile ", DigestsText(tile));
  for (const auto& [begin, end] : state.unopened.runs())
    add("unopened ", begin, " ", end);
  for (const auto& [begin, end] : state.unexplained.runs())
    add("unexplained ", begin, " ", end);
  if (!state.known.findings.empty()) add("failed ", FailedText(state.known));
  for (const Finding& finding : state.known.findings)
    add("finding ", FindingText(finding));
  for (const Erasures::Excuse& excuse : state.erasures.excuses)
    add("excuse ", ExcuseText(excuse));
  for (const auto& [member, set] : state.erasures.asked)
    for (const auto& [begin, end] : set.runs())
      add("asked ", member.text(), " ", begin, " ", end);
  for (const auto& [member, set] : state.erasures.opener)
    for (const auto& [begin, end] : set.runs())
      add("opener ", member.text(), " ", begin, " ", end);
  for (const auto& [member, requests] : state.erasures.young)
    for (const auto& [time, set] : requests)
      for (const auto& [begin, end] : set.runs())
        add("young ", member.text(), " ", UnixSeconds(time), " ", begin, " ",
            end);
  if (state.erasures.ended > 0) add("excused ", state.erasures.ended);
  for (const auto& [leaf, entry] : state.open_entries)
    add("entry ", leaf.value(), " ", ToBase64Url(entry));
  for (const auto& [key, head] : state.links.chains)
    add("chain ", key.first.ToString(), " ", key.second.text(), " ",
        HeadText(head));
  for (const auto& [key, head] : state.links.latest)
    add("latest ", key.first.text(), " ", key.second.text(), " ",
        HeadText(head));
  // In leaf order: one state has one spelling.
  std::map<LeafIndex, std::string> waiting;
  for (const auto& [digest, one] : state.events.waiting)
    waiting[one.leaf] =
        absl::StrCat(digest.ToString(), " ", one.leaf.value(), " ",
                     one.id.text(), " ", one.sender.text(), " ",
                     one.recipient.text(), " ", UnixSeconds(one.expires));
  for (const auto& [leaf, line] : waiting) add("waiting ", line);
  text += EndedText(state.events.ended);
  for (const auto& [member, checkpoint] : state.events.access_logs)
    add("access ", member.text(), " ",
        ToBase64Url(AsBytes(FormatCheckpoint(checkpoint))));
  for (const auto& [member, leaf] : state.events.access_leaves)
    add("access_leaf ", member.text(), " ", leaf.value());
  return absl::StrCat(text, kLastLine, Sha256(text).ToString(), "\n");
}

absl::StatusOr<ReplayState> ParseReplayState(absl::string_view text) {
  const size_t end = text.rfind(kLastLine);
  if (end == absl::string_view::npos) return Damaged();
  const absl::string_view body = text.substr(0, end);
  if (text.substr(end) !=
      absl::StrCat(kLastLine, Sha256(body).ToString(), "\n"))
    return Damaged();
  ReplayState state;
  bool first = true;
  for (const absl::string_view line : absl::StrSplit(body, '\n')) {
    if (std::exchange(first, false)) {
      if (line != kFirstLine) return Damaged();
      continue;
    }
    const Fields fields = absl::StrSplit(line, ' ');
    const Reader* reader = ReaderOf(fields.front());
    if (reader == nullptr || fields.size() != reader->fields ||
        !reader->read(fields, state).ok())
      return Damaged();
  }
  return state;
}

}  // namespace amparo::auditor
