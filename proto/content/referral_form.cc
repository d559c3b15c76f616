#include "proto/content/referral_form.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/content/form.h"
#include "proto/content/strict_reader.h"

namespace amparo {
namespace {

// `sections` of a form: known ones, valid. Attachments are added by the agent,
// which has the files; a list typed by hand would promise what does not exist.
absl::StatusOr<Sections> ReadSections(const Json& json) {
  if (!json.is_object()) return FaultAt(kInvalidForm, "/sections", "an object");
  Sections sections;
  for (const auto& [name, value] : json.items()) {
    const absl::StatusOr<Section> section = ParseSection(name);
    if (!section.ok())
      return FaultAt(kInvalidForm, "/sections", "only sections of referral/1");
    RETURN_IF_ERROR(ValidateSection(*section, value));
    if (!AttachmentsOf(value).empty())
      return FaultAt(kInvalidForm,
                     absl::StrCat("/sections/", name, "/attachments"),
                     "an empty list; attach files when sending");
    sections.emplace(*section, value);
  }
  return sections;
}

void ReadRecipients(StrictReader& form, ReferralForm& out) {
  const Json* recipients = form.Find("recipients");
  if (recipients == nullptr || recipients->is_null()) return;
  StrictReader reader = form.Object("recipients");
  if (!form.status().ok()) return;
  for (const auto& [name, unused] : recipients->items()) {
    const absl::StatusOr<MemberId> member = MemberId::Parse(name);
    if (!member.ok())
      return form.Fail("recipients", "keys that are member ids");
    StrictReader entry = reader.Object(name);
    entry.Keys({"purpose"});
    if (entry.Has("purpose"))
      out.recipient_purposes.emplace(*member,
                                     entry.Code("purpose", Purposes()));
  }
}

}  // namespace

const std::string& ReferralForm::PurposeFor(const MemberId& recipient) const {
  const auto own = recipient_purposes.find(recipient);
  return own == recipient_purposes.end() ? purpose : own->second;
}

absl::StatusOr<ReferralForm> ParseReferralForm(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseForm(text, "referral_form/1"));
  StrictReader form(json, kInvalidForm);
  form.Keys({"schema", "priority", "purpose", "first_contact", "recipients",
             "sections"});
  ReferralForm out;
  if (form.Has("priority")) {
    out.priority = ParsePriority(form.Text("priority"));
    if (!out.priority)
      form.Fail("priority", "one of: immediate emergency urgent routine");
  }
  out.purpose = form.Code("purpose", Purposes());
  if (form.Has("first_contact"))
    out.first_contact = form.Member("first_contact");
  ReadRecipients(form, out);
  const Json* sections = form.Find("sections");
  if (sections == nullptr) form.Fail("sections", "an object");
  RETURN_IF_ERROR(form.status());
  ASSIGN_OR_RETURN(out.sections, ReadSections(*sections));
  return out;
}

absl::StatusOr<UpdateForm> ParseUpdateForm(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseForm(text, "update_form/1"));
  StrictReader form(json, kInvalidForm);
  form.Keys({"schema", "sections"});
  const Json* sections = form.Find("sections");
  if (sections == nullptr) form.Fail("sections", "an object");
  RETURN_IF_ERROR(form.status());
  UpdateForm out;
  ASSIGN_OR_RETURN(out.sections, ReadSections(*sections));
  if (out.sections.empty())
    return FaultAt(kInvalidForm, "/sections", "at least one section");
  return out;
}

}  // namespace amparo
