#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"

namespace amparo {

// The parts of a referral that are disclosed, or not, each on its own
// (docs/PROTOCOL.md, Sections). Consent, matrix and views speak of these.
enum class Section {
  kIdentity,
  kSafeContact,
  kRisk,
  kIncident,
  kPerpetrator,
  kHealth,
  kLegal,
  kChildren,
  kHousing,
  kNeeds,
  kSpecial,
  kNarrative,
};
absl::string_view NameOf(Section section);  // "safe_contact"
// INVALID_ARGUMENT for what is not on the list.
absl::StatusOr<Section> ParseSection(absl::string_view name);
const std::vector<Section>& AllSections();

// 1 (needs) to 4 (lethal in the wrong hands).
int SensitivityOf(Section section);
// Shown only when opened on purpose, each time with an entry of its own in the
// access log, and masked again.
bool IsMaskedOnScreen(Section section);
// Whether a rule of proto/content/summary.h makes a summary of it.
bool HasSummary(Section section);

// A place of the schema "referral/1", with one digest in every document: a
// section, or the summary of one.
struct Slot {
  Section section;
  bool summary = false;
  auto operator<=>(const Slot&) const = default;
};
inline constexpr char kReferralSchema[] = "referral/1";
std::string NameOf(Slot slot);  // "risk", "risk_summary"
absl::StatusOr<Slot> ParseSlot(absl::string_view name);
// All of the schema, in its order; names likewise.
const std::vector<Slot>& AllSlots();
const std::vector<std::string>& SlotNames();

// Sections with their values, an object each (`children`: a list of them).
using Sections = std::map<Section, Json>;

// OK when `value` has only the section's fields, each of its type and codes or
// {"absent": reason}. INVALID_ARGUMENT (code "invalid_form") names the JSON
// pointer below "/sections" and what is expected, never the value.
absl::Status ValidateSection(Section section, const Json& value);
// The same for a summary's value.
absl::Status ValidateSlot(Slot slot, const Json& value);

// An attachment as its section lists it; its key travels in the payload.
struct AttachmentInfo {
  std::string name;
  std::string media_type;
  uint64_t size_bytes = 0;
  std::string sha256;  // "sha256:..." of the plaintext
};
// Adds to `attachments` of `value`. INVALID_ARGUMENT for `children`, which is
// a list, and for what ValidateSection would refuse.
absl::Status AddAttachment(Section section, const AttachmentInfo& attachment,
                           Json& value);
std::vector<AttachmentInfo> AttachmentsOf(const Json& value);

}  // namespace amparo
