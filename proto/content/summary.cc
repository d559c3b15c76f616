#include "proto/content/summary.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "proto/content/codes.h"
#include "proto/content/section_fields.h"

namespace amparo {
namespace {

const Json* Find(const Json& record, const char* key) {
  if (!record.is_object()) return nullptr;
  const auto found = record.find(key);
  return found == record.end() ? nullptr : &*found;
}

// The last whole year of each band of AgeBands(), but for the open one.
constexpr std::array<int64_t, 10> kBandEnds = {2,  5,  11, 15, 17,
                                               24, 34, 44, 54, 64};

std::string BandOf(int64_t age) {
  const auto end = std::lower_bound(kBandEnds.begin(), kBandEnds.end(), age);
  return std::string(AgeBands()[static_cast<size_t>(end - kBandEnds.begin())]);
}

// The age at `now`. Where only the year is known it is the lower of the two
// possible ones: who may be a minor is shown as one.
std::optional<int64_t> AgeOf(const Json& person, absl::Time now) {
  const absl::CivilDay today = absl::ToCivilDay(now, absl::UTCTimeZone());
  if (const Json* date = Find(person, "birth_date");
      date && date->is_string()) {
    absl::CivilDay born;
    if (!absl::ParseCivilTime(date->get_ref<const std::string&>(), &born))
      return std::nullopt;
    const bool had_birthday =
        absl::CivilDay(born.year(), today.month(), today.day()) >=
        absl::CivilDay(born.year(), born.month(), born.day());
    return std::max<int64_t>(
        0, today.year() - born.year() - (had_birthday ? 0 : 1));
  }
  if (const Json* year = Find(person, "birth_year");
      year && year->is_number_integer())
    return std::max<int64_t>(0, today.year() - year->get<int64_t>() - 1);
  return std::nullopt;
}

void Copy(const Json& from, std::initializer_list<const char*> keys, Json& to) {
  for (const char* key : keys)
    if (const Json* value = Find(from, key)) to[key] = *value;
}

Json IdentitySummary(const Json& identity, absl::Time now) {
  Json summary = Json::object();
  if (const auto age = AgeOf(identity, now))
    summary["age_band"] = BandOf(*age);
  else
    Copy(identity, {"age_band"}, summary);
  Copy(identity, {"sex", "municipality", "language", "interpreter_needed"},
       summary);
  return summary;
}

Json IncidentSummary(const Json& incident) {
  Json summary = Json::object();
  if (const Json* date = Find(incident, "date"))
    summary["month"] =
        date->is_string()
            ? Json(date->get_ref<const std::string&>().substr(0, 7))
            : *date;
  Copy(incident, {"violence_types", "injury", "children_present"}, summary);
  return summary;
}

Json LegalSummary(const Json& legal) {
  Json summary = Json::object();
  Copy(legal, {"complaint_filed"}, summary);
  if (const Json* orders = Find(legal, "orders")) {
    if (orders->is_array()) {
      Json list = Json::array();
      for (const Json& order : *orders) {
        Json entry = Json::object();
        Copy(order, {"type", "to"}, entry);
        list.push_back(std::move(entry));
      }
      summary["orders"] = std::move(list);
    } else {
      summary["orders"] = *orders;
    }
  }
  Copy(legal, {"wants_legal_action"}, summary);
  return summary;
}

// Bands and kinds of exposure as sets: how many of each would tell children
// apart.
Json ChildrenSummary(const Json& children, absl::Time now) {
  Json bands = Json::array(), exposure = Json::array();
  const auto add = [](Json& list, Json value) {
    if (std::find(list.begin(), list.end(), value) == list.end())
      list.push_back(std::move(value));
  };
  for (const Json& child : children) {
    if (const auto age = AgeOf(child, now)) add(bands, BandOf(*age));
    if (const Json* seen = Find(child, "exposure"); seen && seen->is_string())
      add(exposure, *seen);
  }
  return {{"count", static_cast<int64_t>(children.size())},
          {"age_bands", std::move(bands)},
          {"exposure", std::move(exposure)}};
}

Json Copied(const Json& from, std::initializer_list<const char*> keys) {
  Json summary = Json::object();
  Copy(from, keys, summary);
  return summary;
}

}  // namespace

std::optional<Json> Summarize(Section section, const Json& value,
                              absl::Time now) {
  switch (section) {
    case Section::kIdentity:
      return IdentitySummary(value, now);
    case Section::kRisk:
      return Copied(value,
                    {"level", "instrument", "assessed_at", "reassess_due"});
    case Section::kIncident:
      return IncidentSummary(value);
    case Section::kPerpetrator:
      return Copied(value,
                    {"relationship", "cohabits", "weapons", "in_custody"});
    case Section::kLegal:
      return LegalSummary(value);
    case Section::kChildren:
      return ChildrenSummary(value, now);
    case Section::kHousing:
      return Copied(value, {"can_stay_safely", "shelter_needed", "places"});
    case Section::kNeeds:
      return Copied(value, {"services_requested"});
    default:
      return std::nullopt;
  }
}

std::map<Slot, Json> SlotValues(const Sections& sections, absl::Time now) {
  std::map<Slot, Json> values;
  for (const auto& [section, value] : sections) {
    values.emplace(Slot{section}, value);
    if (std::optional<Json> summary = Summarize(section, value, now))
      values.emplace(Slot{section, true}, *std::move(summary));
  }
  return values;
}

}  // namespace amparo
