#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agents/officer/fields.h"
#include "agents/officer/render_text.h"
#include "agents/officer/table.h"

namespace amparo::officer {
namespace {

// "sha256:" and so much that two certificates are told apart.
constexpr size_t kShortHashSize = 7 + 16;

std::string TimeOrNothing(uint64_t unix_s, const TextStyle& style) {
  return unix_s == 0 ? "" : TimeText(unix_s, style);
}

// A verb as the agent names it, and what it does to a referral that its sender
// wants to cancel: there `accept` takes nothing on.
std::string NextText(const v1::InboxItem& item) {
  if (item.state() != "cancel_requested") return Listing(item.next());
  google::protobuf::RepeatedPtrField<std::string> next = item.next();
  for (std::string& verb : next)
    if (verb == "accept") verb = "accept (stops it)";
  return Listing(next);
}

}  // namespace

std::string InboxRows(
    const google::protobuf::RepeatedPtrField<v1::InboxItem>& items,
    const TextStyle& style) {
  Table table({"Due", "Priority", "From", "State", "Referral", "You can"});
  for (const v1::InboxItem& item : items) {
    std::vector<std::string> cells = {
        absl::StrCat(item.overdue() ? "OVERDUE " : "",
                     TimeText(item.due_at_s(), style)),
        Words(item.priority()),
        item.from(),
        absl::StrCat(Words(item.state()), item.unread() ? ", new" : "",
                     item.emptied() ? ", all erased" : ""),
        ShortId(item.referral_id()),
        NextText(item)};
    if (item.overdue())
      table.AddAlarming(std::move(cells));
    else
      table.Add(std::move(cells));
  }
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::InboxResponse& inbox,
                                   const TextStyle& style) {
  std::string text =
      inbox.items().empty()
          ? "Nothing waits for you.\n"
          : absl::StrCat(InboxRows(inbox.items(), style), "\n", inbox.unread(),
                         " new, ", inbox.overdue(),
                         " overdue. Read one "
                         "with: amparo referral show ID\n");
  for (const v1::HeldFrom& held : inbox.held())
    absl::StrAppend(
        &text,
        Alarming(
            absl::StrCat(Count(held.messages(), "message", "messages"),
                         " from ", Printable(held.member()),
                         held.priority().empty()
                             ? ""
                             : absl::StrCat(" (", Words(held.priority()), ")"),
                         " cannot be read yet"),
            style),
        ": nobody vouches for its key. Compare its key words by phone: amparo "
        "directory confirm ",
        Printable(held.member()), "\n");
  if (inbox.quarantined() > 0)
    absl::StrAppend(
        &text,
        Alarming(Count(inbox.quarantined(), "message is", "messages are"),
                 style),
        " held back, because something about it is not right. Tell your "
        "administrator.\n");
  return text;
}

absl::StatusOr<std::string> ToText(const v1::ListMembersResponse& list,
                                   const TextStyle& style) {
  if (list.members().empty()) return "No members.\n";
  Table table({"Member", "Name", "Kind", "Territory", "Status", "Reachable"});
  for (const v1::MemberView& member : list.members())
    table.Add({member.member(), member.name(), Words(member.kind()),
               Listing(member.territory()), Words(member.status()),
               YesNo(member.reachable())});
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::MemberView& member,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Member", Printable(member.member()));
  facts.Add("Name", Printable(member.name()));
  facts.Add("Kind", Words(member.kind()));
  facts.Add("Branch of", Printable(member.parent()));
  facts.Add("Territory", Listing(member.territory()));
  facts.Add("Contact", Printable(member.contact()));
  facts.Add("Status", Words(member.status()));
  facts.Add("Since", TimeText(member.since_s(), style));
  facts.Add("Reachable", YesNo(member.reachable()));
  facts.Add("Key words", Printable(member.key_words()));
  if (!member.key_words().empty())
    facts.Add("Key confirmed", member.key_confirmed()
                                   ? "yes"
                                   : "no; compare the words by phone");
  return facts.Text();
}

namespace {

std::string WhyNothingLeaves(const v1::StatusResponse& status,
                             const TextStyle& style) {
  const std::string& field = status.sealing_waits_for();
  if (field.empty()) return "";
  const bool contradicted = std::any_of(
      status.alarms().begin(), status.alarms().end(), [](const auto& alarm) {
        return alarm.code() == "log_fork" || alarm.code() == "log_rollback";
      });
  const char* why = field == "clock" ? "the clock is not the network's"
                    : field == "log" && contradicted
                        ? "the broker's log contradicts what it showed before"
                    : field == "log" ? "the log shows nothing new since 3 days"
                    : field == "charter" ? "the charter has run out"
                    : field == "suite"   ? "this program is too old"
                                         : "the agent may not seal";
  return absl::StrCat("; ", Alarming("NOTHING LEAVES", style), ": ", why);
}

}  // namespace

absl::StatusOr<std::string> ToText(const v1::StatusResponse& status,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Member", absl::StrCat(Printable(status.member()),
                                   status.member_status().empty() ? "" : ", ",
                                   Words(status.member_status())));
  facts.Add("Network", Printable(status.network()));
  if (status.has_officer())
    facts.Add("You", absl::StrCat(Printable(status.officer().handle()), " (",
                                  Listing(status.officer().roles()), ")"));
  facts.Add(
      "Broker",
      status.broker_reachable()
          ? "reachable"
          : absl::StrCat(Alarming("NOT REACHABLE", style), "; last seen ",
                         TimeText(status.broker_last_seen_at_s(), style)));
  facts.Add("Waiting to leave",
            absl::StrCat(Count(status.outbox_queued(), "message", "messages"),
                         WhyNothingLeaves(status, style)));
  facts.Add("Inbox", absl::StrCat(status.unread(), " new, ", status.overdue(),
                                  " overdue, ", status.held(),
                                  " waiting for key words, ",
                                  status.quarantined(), " held back"));
  facts.Add("Charter",
            absl::StrCat("version ", status.charter_version(), ", until ",
                         TimeText(status.charter_expires_at_s(), style)));
  facts.Add("Signing key until", TimeText(status.signing_until_s(), style));
  facts.Add("Receiving key until", TimeText(status.prekey_until_s(), style));
  facts.Add("Log",
            absl::StrCat(Count(status.log_size(), "entry", "entries"), ", ",
                         status.witnessed_size() == 0
                             ? "watched by nobody else"
                             : absl::StrCat(status.witnessed_size(),
                                            " seen by the witnesses")));
  facts.Add("Agent version", Printable(status.version()));
  std::string text = facts.Text();
  if (status.alarms().empty()) return text + "\nNo alarms.\n";
  Table table({"Alarm", "Member", "Since"});
  for (const v1::Alarm& alarm : status.alarms())
    table.AddAlarming({Words(alarm.code()), alarm.member(),
                       TimeText(alarm.since_s(), style)});
  absl::StrAppend(&text, "\n", table.Text(style));
  std::string away;
  for (const v1::Alarm& alarm : status.alarms())
    if (alarm.code() != "review_due")
      absl::StrAppend(&away, "  amparo status --acknowledge ", alarm.code(),
                      alarm.member().empty() ? "" : ":", alarm.member(), "\n");
  if (!away.empty())
    absl::StrAppend(&text,
                    "\nWhat was seen to, an admin or supervisor puts "
                    "away:\n",
                    Printable(away, /*lines=*/true));
  return text;
}

absl::StatusOr<std::string> ToText(const v1::OfficerView& officer,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Officer", Printable(officer.handle()));
  facts.Add("Id", Printable(officer.officer_id()));
  facts.Add("Roles", Listing(officer.roles()));
  std::string uids;
  for (const uint32_t uid : officer.uids())
    absl::StrAppend(&uids, uids.empty() ? "" : ", ", uid);
  facts.Add("Accounts", uids);
  facts.Add("Certificate", Printable(officer.certificate_hash()));
  facts.Add("Certificate until",
            TimeOrNothing(officer.certificate_until_s(), style));
  facts.Add("Removed", TimeOrNothing(officer.removed_at_s(), style));
  return facts.Text();
}

absl::StatusOr<std::string> ToText(const v1::ListOfficersResponse& list,
                                   const TextStyle& style) {
  if (list.officers().empty()) return "No officers.\n";
  Table table({"Officer", "Roles", "Accounts", "Certificate", "Until",
               "Removed", "Id"});
  for (const v1::OfficerView& officer : list.officers()) {
    std::string uids;
    for (const uint32_t uid : officer.uids())
      absl::StrAppend(&uids, uids.empty() ? "" : ", ", uid);
    table.Add({officer.handle(), Listing(officer.roles()), uids,
               officer.certificate_hash().substr(0, kShortHashSize),
               TimeOrNothing(officer.certificate_until_s(), style),
               TimeOrNothing(officer.removed_at_s(), style),
               ShortId(officer.officer_id())});
  }
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::AccessLogResponse& log,
                                   const TextStyle& style) {
  if (log.records().empty()) return "Nothing was opened.\n";
  Table table({"No", "When", "Officer", "Action", "Case", "Sections", "Ground",
               "Outcome"});
  for (const v1::AccessRecord& record : log.records())
    table.Add(
        {absl::StrCat(record.seq()), TimeText(record.at_s(), style),
         record.officer().empty() ? "(agent)" : ShortId(record.officer()),
         Words(record.action()), ShortId(record.case_pseudonym()),
         Listing(record.sections()), ShortId(record.grant_or_basis()),
         Words(record.review().empty() ? record.outcome() : record.review())});
  return table.Text(style);
}

}  // namespace amparo::officer
