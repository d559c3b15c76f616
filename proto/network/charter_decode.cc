#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/network/charter.h"
#include "proto/network/fields.h"

// A charter from JSON (proto/network/charter.h).

namespace amparo {
namespace {

constexpr size_t kNameBytesMax = 256;
constexpr size_t kCodeBytesMax = 64;
constexpr size_t kCodesMax = 256;
constexpr size_t kTerritoriesMax = 1024;
constexpr size_t kMembersMax = 10000;
constexpr size_t kGovernanceMax = 32;
constexpr size_t kLogKeysMax = 8;
constexpr size_t kWitnessesMax = 256;
constexpr size_t kSectionsMax = 64;
constexpr int64_t kTrustDelayHoursMax = 30 * 24;
constexpr int64_t kTrustDelayHoursDefault = 24;
constexpr int64_t kDeadlineHoursMax = 366 * 24;
constexpr char kPriorities[][10] = {"immediate", "emergency", "urgent",
                                    "routine"};
constexpr absl::string_view kMatrixLetters = "FSCG-X";

std::string Item(const std::string& pointer, size_t index) {
  return absl::StrCat(pointer, "/", index);
}

std::optional<absl::Duration> DecodeDeadline(Fields& fields,
                                             const std::string& name) {
  const std::string hours = name + "_h";
  const std::string minutes = name + "_min";
  if (fields.Has(hours.c_str())) {
    if (fields.Has(minutes.c_str()))
      fields.Fail(minutes, "stands beside the same in hours");
    return absl::Hours(fields.Int(hours.c_str(), 1, kDeadlineHoursMax));
  }
  if (!fields.Has(minutes.c_str())) return std::nullopt;
  return absl::Minutes(fields.Int(minutes.c_str(), 1, 60 * kDeadlineHoursMax));
}

bool IsSectionName(const std::string& text) {
  return !text.empty() && text.size() <= 32 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") ==
             std::string::npos;
}

bool IsMatrixLetter(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.size() == 1 &&
         kMatrixLetters.find(text[0]) != absl::string_view::npos;
}

// Reads a charter; what is wrong anywhere ends up in `top_`.
class Decoder {
 public:
  explicit Decoder(const Json& payload) : top_(payload) {}

  absl::StatusOr<Charter> Run() {
    Head();
    Codes();
    Log();
    Governance();
    DeadlineTable();
    Matrix();
    Members();
    Parents();
    Witness();
    RETURN_IF_ERROR(top_.Finish());
    return std::move(charter_);
  }

 private:
  void Head() {
    const auto network =
        top_.Parsed<NetworkName>("network", NetworkName::Parse);
    if (network) charter_.network = network->text();
    charter_.version =
        static_cast<uint64_t>(top_.Int("version", 1, INT64_MAX - 1));
    if (charter_.version > 1) {
      charter_.net = top_.Hash("net");
      charter_.prev_hash = top_.Hash("prev_hash");
    }
    charter_.title = OptionalText("title", "");
    charter_.expires = top_.Time("expires");
    charter_.timezone = OptionalText("timezone", "UTC");
    charter_.jurisdiction = OptionalText("jurisdiction", "");
    charter_.trust_delay =
        absl::Hours(top_.Has("trust_delay_h")
                        ? top_.Int("trust_delay_h", 0, kTrustDelayHoursMax)
                        : kTrustDelayHoursDefault);
  }

  void Codes() {
    charter_.purposes = OptionalCodes("purposes");
    charter_.bases = OptionalCodes("bases");
    charter_.reason_codes = OptionalCodes("reason_codes");
    Fields suites(top_.Object("suites"), "/suites");
    for (const Json& suite : suites.List("allowed", 16)) {
      const bool fits = suite.is_number_integer() &&
                        suite.get<int64_t>() >= 1 &&
                        suite.get<int64_t>() <= 0xffff;
      if (fits)
        charter_.suites_allowed.push_back(suite.get<uint32_t>());
      else
        suites.Fail("allowed", "expected numbers of suites");
    }
    charter_.suite_min = static_cast<uint32_t>(suites.Int("min", 1, 0xffff));
    if (std::none_of(charter_.suites_allowed.begin(),
                     charter_.suites_allowed.end(),
                     [&](uint32_t s) { return s >= charter_.suite_min; }))
      suites.Fail("allowed", "no suite is left");
    top_.Merge(suites.Finish());
  }

  void Log() {
    Fields log(top_.Object("log"), "/log");
    charter_.log_keys =
        NoteKeys(log, kLogKeysMax, NoteKeyType::kEd25519, &charter_.network);
    if (charter_.log_keys.empty()) log.Fail("keys", "expected one at least");
    top_.Merge(log.Finish());
  }

  void Governance() {
    Fields governance(top_.Object("governance"), "/governance");
    charter_.governance_threshold =
        static_cast<uint32_t>(governance.Int("threshold", 1, kGovernanceMax));
    const Json& keys = governance.List("keys", kGovernanceMax);
    std::set<std::string> ids;
    std::set<MemberId> members;
    for (size_t i = 0; i < keys.size(); ++i) {
      Fields fields(keys[i], Item("/governance/keys", i));
      const std::string id = fields.Text("id", 32);
      const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
      const auto key = fields.Parsed<VerifyKey>("key", VerifyKey::Parse);
      const absl::Time until = fields.Time("until");
      if (id.empty() || !ids.insert(id).second)
        fields.Fail("id", "expected an id of its own");
      if (key.has_value()) RequireNew(fields, "key", *key);
      top_.Merge(fields.Finish());
      if (!top_.ok()) return;
      members.insert(*member);
      charter_.governance.push_back({id, *member, *key, until});
    }
    if (members.size() < charter_.governance_threshold)
      governance.Fail("threshold", "more than there are members with a key");
    top_.Merge(governance.Finish());
  }

  void DeadlineTable() {
    if (!top_.Has("deadlines")) return;
    Fields table(top_.Object("deadlines"), "/deadlines");
    for (const char* priority : kPriorities) {
      if (!table.Has(priority)) continue;
      Fields row(table.Object(priority), table.PointerTo(priority));
      Deadlines deadlines{DecodeDeadline(row, "acknowledge"),
                          DecodeDeadline(row, "decide")};
      top_.Merge(row.Finish());
      charter_.deadlines.emplace(priority, deadlines);
    }
    top_.Merge(table.Finish());
  }

  void Matrix() {
    if (!top_.Has("matrix")) return;
    Fields matrix(top_.Object("matrix"), "/matrix");
    for (const MemberKind kind : AllMemberKinds()) {
      const std::string name(NameOf(kind));
      if (!matrix.Has(name.c_str())) continue;
      const Json& row = matrix.Object(name.c_str());
      if (row.size() > kSectionsMax) matrix.Fail(name, "too many sections");
      for (const auto& [section, view] : row.items()) {
        if (IsSectionName(section) && IsMatrixLetter(view))
          charter_.matrix[kind].emplace(section, view.get<std::string>()[0]);
        else
          matrix.Fail(name, "expected F S C G - or X for each section");
      }
    }
    top_.Merge(matrix.Finish());
  }

  void Members() {
    const Json& members = top_.List("member", kMembersMax);
    for (size_t i = 0; i < members.size(); ++i) {
      Fields fields(members[i], Item("/member", i));
      auto member = DecodeMember(fields);
      if (member.has_value() &&
          !parents_.emplace(member->id, member->parent).second)
        fields.Fail("id", "stands twice");
      top_.Merge(fields.Finish());
      if (!top_.ok()) return;
      charter_.members.push_back(*std::move(member));
    }
  }

  std::optional<Member> DecodeMember(Fields& fields) {
    const auto id = fields.Parsed<MemberId>("id", MemberId::Parse);
    std::string name = fields.Text("name", kNameBytesMax);
    const auto kind = fields.Parsed<MemberKind>("kind", ParseMemberKind);
    const auto parent =
        fields.ParsedOrNone<MemberId>("parent", MemberId::Parse);
    std::vector<std::string> territory;
    if (fields.Has("territory"))
      territory = fields.Texts("territory", kTerritoriesMax, kCodeBytesMax);
    std::string contact;
    if (fields.Has("contact")) contact = fields.Text("contact", kNameBytesMax);
    const auto status =
        fields.Parsed<MemberStatus>("status", ParseMemberStatus);
    const absl::Time since = fields.Time("since");
    const auto identity =
        fields.ParsedOrNone<VerifyKey>("identity_key", VerifyKey::Parse);
    const auto witness =
        fields.ParsedOrNone<VerifyKey>("witness_key", VerifyKey::Parse);
    if (status == MemberStatus::kInvited && (identity || witness))
      fields.Fail("identity_key", "an invited member has no keys yet");
    if (status == MemberStatus::kActive && !identity)
      fields.Fail("identity_key", "an active member has one");
    if (identity) RequireNew(fields, "identity_key", *identity);
    if (witness) RequireNew(fields, "witness_key", *witness);
    if (!fields.ok()) return std::nullopt;
    return Member{*id,
                  std::move(name),
                  *kind,
                  parent,
                  std::move(territory),
                  std::move(contact),
                  *status,
                  since,
                  identity,
                  witness};
  }

  // After the members: those with a witness key are witnesses too.
  void Witness() {
    static const Json none = Json::object();
    Fields witness(top_.Has("witness") ? top_.Object("witness") : none,
                   "/witness");
    if (witness.Has("keys"))
      charter_.outside_witnesses = NoteKeys(
          witness, kWitnessesMax, NoteKeyType::kCosignatureV1, nullptr);
    auto count = static_cast<int64_t>(charter_.outside_witnesses.size());
    for (const Member& member : charter_.members)
      if (member.witness_key && member.status == MemberStatus::kActive) ++count;
    charter_.witness_faulty = static_cast<uint32_t>(
        witness.Has("faulty") ? witness.Int("faulty", 0, kMembersMax)
                              : std::max<int64_t>(count - 1, 0) / 4);
    charter_.witness_quorum =
        witness.Has("quorum")
            ? static_cast<uint32_t>(witness.Int("quorum", 0, kMembersMax))
            : DefaultWitnessQuorum(static_cast<uint32_t>(count),
                                   charter_.witness_faulty);
    if (charter_.witness_quorum > count)
      witness.Fail("quorum", "more than there are witnesses");
    top_.Merge(witness.Finish());
  }

  // Up from each member, as far as a hierarchy goes: further is a circle.
  void Parents() {
    for (const auto& [id, parent] : parents_) {
      std::optional<MemberId> above = parent;
      for (size_t steps = 0; above.has_value(); ++steps) {
        const auto found = parents_.find(*above);
        if (found == parents_.end() || steps == kParentsMax)
          return top_.Fail("member", absl::StrCat("the parent of ", id.text(),
                                                  " is not above it"));
        above = found->second;
      }
    }
  }

  std::vector<NoteVerifier> NoteKeys(Fields& fields, size_t count_max,
                                     NoteKeyType type,
                                     const std::string* name) {
    std::vector<NoteVerifier> keys;
    for (const std::string& text :
         fields.Texts("keys", count_max, kNameBytesMax)) {
      auto key = NoteVerifier::Parse(text);
      if (!key.ok() || key->type() != type ||
          (name != nullptr && key->name() != *name)) {
        fields.Fail("keys", "expected verifier keys of this kind and name");
        return {};
      }
      RequireNew(fields, "keys", key->key());
      keys.push_back(*std::move(key));
    }
    return keys;
  }

  // A key that stood for two things would count, or be believed, twice.
  void RequireNew(Fields& fields, const char* key, const VerifyKey& value) {
    if (!keys_.insert(value).second)
      fields.Fail(key, "this key has another use in the charter");
  }

  std::string OptionalText(const char* key, const char* fallback) {
    return top_.Has(key) ? top_.Text(key, kNameBytesMax) : fallback;
  }
  std::vector<std::string> OptionalCodes(const char* key) {
    if (!top_.Has(key)) return {};
    return top_.Texts(key, kCodesMax, kCodeBytesMax);
  }

  static constexpr size_t kParentsMax = 8;

  Fields top_;
  Charter charter_;
  std::set<VerifyKey> keys_;
  std::map<MemberId, std::optional<MemberId>> parents_;
};

}  // namespace

absl::StatusOr<Charter> DecodeCharter(const Json& payload) {
  return Decoder(payload).Run();
}

}  // namespace amparo
