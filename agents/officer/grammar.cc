#include "agents/officer/grammar.h"

namespace amparo::officer {
namespace {

constexpr absl::string_view kPriorities = "immediate emergency urgent routine";
constexpr absl::string_view kStages =
    "queued submitted delivered opened acknowledged recalled failed sent "
    "received accepted cancel_requested completed not_completed declined "
    "cancelled expired error erased";

constexpr Noun kNouns[] = {
    {"referral", "send a referral, follow it, answer it"},
    {"consent", "record what a person agreed to, extend it, revoke it"},
    {"inbox", "what waits for you, most pressing first"},
    {"case", "referrals and consents that belong together"},
    {"review", "disclosures without consent that wait for a supervisor"},
    {"directory", "the institutions of your network"},
    {"access-log", "who opened what, when, and on what ground"},
    {"status", "whether your agent and the network work"},
    {"officer", "who may use this agent (for its administrator)"},
};

constexpr Flag kCommon[] = {
    {"profile", "NAME|DIR", "which agent to ask; else $AMPARO_PROFILE"},
    {"json", "", "answer for programs: one JSON object, times in UTC"},
    {"plain", "", "one fact per line, no tables, no colour"},
    {"no-color", "", "no colour (NO_COLOR works too)"},
    {"help", "", "explain this command"},
};

using Kind = Flag::Kind;
constexpr Flag kSend[] = {
    {"to", "MEMBER[,MEMBER]", "who receives it", Kind::kList, true},
    {"form", "FILE", "the referral form; - reads it from standard input",
     Kind::kOne, true},
    {"consent", "ID", "the consent that allows it"},
    {"basis", "CODE",
     "the legal ground where there is no consent: imminent_danger_life "
     "child_in_danger incapacity legal_duty_report court_or_prosecutor_order "
     "high_risk_conference missing_person threat_to_staff_or_others"},
    {"reason-file", "FILE", "the written reason that --basis needs"},
    {"priority", "PRIORITY", "overrides the form: ", Kind::kOne, false,
     kPriorities},
    {"case", "ID", "the case it belongs to (with --basis; else a new one)"},
    {"confirm-key", "MEMBER", "you compared that member's key words by phone",
     Kind::kList},
    {"dry-run", "", "say what each recipient would get, and send nothing"},
};
constexpr Flag kReferralList[] = {
    {"box", "BOX", "received or sent: ", Kind::kOne, false, "in out"},
    {"state", "STATE", "only those in this state, for example accepted"},
    {"overdue", "", "only those whose time has run out"},
};
constexpr Flag kReferralShow[] = {
    {"section", "ID[,ID]", "open this masked section, on purpose", Kind::kList},
    {"wait", "STAGE", "first wait until it is: ", Kind::kOne, false, kStages},
    {"timeout", "S", "seconds to wait at most (60)"},
};
constexpr Flag kDecline[] = {
    {"reason", "CODE",
     "no_capacity waiting_list outside_area criteria_not_met wrong_service "
     "insufficient_information client_declined client_unreachable "
     "already_served location_unsafe conflict_of_interest duplicate "
     "no_legal_competence other",
     Kind::kOne, true},
};
constexpr Flag kUpdate[] = {
    {"form", "FILE", "the update form; - reads it from standard input",
     Kind::kOne, true},
};
constexpr Flag kDisclose[] = {
    {"to", "MEMBER", "who receives them", Kind::kOne, true},
    {"section", "ID[,ID]", "the sections to add", Kind::kList, true},
};
constexpr Flag kClose[] = {
    {"outcome", "CODE",
     "goals_met service_delivered partly_delivered client_disengaged "
     "consent_withdrawn moved_away referred_on unreachable deceased "
     "transferred duplicate other",
     Kind::kOne, true},
};
constexpr Flag kRecord[] = {
    {"form", "FILE", "the consent form; - reads it from standard input",
     Kind::kOne, true},
    {"evidence", "FILE", "a scan or recording; it stays with your agent"},
};
constexpr Flag kConsentList[] = {{"case", "ID", "only those of this case"}};
constexpr Flag kExtend[] = {
    {"form", "FILE",
     "a consent form with what is added; - reads it from "
     "standard input",
     Kind::kOne, true},
};
constexpr Flag kRevoke[] = {
    {"section", "ID", "take back this section only"},
    {"member", "MEMBER", "take it back from this member only"},
    {"purpose", "PURPOSE", "take it back for this purpose only"},
};
constexpr Flag kEvidence[] = {
    {"out", "FILE", "a new file; only you can read it", Kind::kOne, true},
    {"version", "N", "of its versions, 1 as first sent (default: the newest)"},
    {"section", "ID[,ID]", "sections to show; the others stay sealed",
     Kind::kList},
};
constexpr Flag kCaseOpen[] = {
    {"out", "FILE", "a new file; only you can read it", Kind::kOne, true},
    {"with-sections", "",
     "what the sections say, too: the only way to prove which went"},
};
constexpr Flag kReviewList[] = {
    {"all", "", "also those that were reviewed"},
};
constexpr Flag kReviewRecord[] = {
    {"outcome", "OUTCOME", "what you think of it: ", Kind::kOne, true,
     "justified excessive unjustified"},
    {"note-file", "FILE",
     "why; it stays with your agent. - reads it from standard input"},
};
constexpr Flag kInbox[] = {
    {"watch", "", "stay, and say what is new as it arrives"},
};
constexpr Flag kConfirm[] = {
    {"words-confirmed", "", "do not ask: the words were compared by phone"},
};
constexpr Flag kAccessLog[] = {
    {"case", "ID", "only what concerns this case"},
    {"after", "N", "only entries after number N"},
    {"export", "", "the whole log as an auditor checks it: one record a line"},
    {"out", "FILE",
     "where the export goes; only you can read the file, and it must be new"},
};
constexpr Flag kStatus[] = {
    {"acknowledge", "CODE[:MEMBER]",
     "you have seen to this alarm: put it away (admin, supervisor)"},
    {"evidence", "CODE[:MEMBER]",
     "print what proves this alarm, for the committee and the auditors"},
};
constexpr Flag kOfficerAdd[] = {
    {"role", "ROLE[,ROLE]", "officer supervisor admin auditor it_system",
     Kind::kList, true},
    {"uid", "UID", "a person's system account, as a number (`id -u NAME`)",
     Kind::kList},
    {"certificate", "FILE", "an IT system's certificate (PEM); role it_system"},
};

constexpr Verb kVerbs[] = {
    {"referral", "send", "", "send a referral to one or several members",
     "Either --consent, or --basis with --reason-file. If one recipient may "
     "receive nothing, nothing leaves at all, and the answer says why.",
     kSend,
     "amparo referral send --to uls --form form.json --consent g-k3vw "
     "--dry-run"},
    {"referral", "list", "", "referrals you received and sent", "",
     kReferralList, "amparo referral list --box out --overdue"},
    {"referral", "show", "ID", "one referral: where it stands, what it says",
     "Sections that could put somebody in danger stay masked until you open "
     "them with --section; each opening is written in the access log.",
     kReferralShow, "amparo referral show r-k3vw --section safe_contact"},
    {"referral",
     "accept",
     "ID",
     "take a referral on, or agree to cancel it",
     "Where its sender asked to cancel it (state cancel_requested), accept "
     "agrees to that: the referral ends.",
     {},
     "amparo referral accept r-k3vw"},
    {"referral", "decline", "ID", "turn a referral down, with a reason", "",
     kDecline, "amparo referral decline r-k3vw --reason no_capacity"},
    {"referral", "update", "ID", "send newer sections of a referral you sent",
     "The form holds what changed: each section in it replaces the earlier "
     "one.",
     kUpdate, "amparo referral update r-k3vw --form update.json"},
    {"referral", "disclose", "ID", "add sections that were kept back so far",
     "They come from the referral as it was signed, unchanged.", kDisclose,
     "amparo referral disclose r-k3vw --to uls --section health"},
    {"referral", "close", "ID", "end a referral you accepted, with an outcome",
     "", kClose, "amparo referral close r-k3vw --outcome goals_met"},
    {"referral",
     "withdraw",
     "ID",
     "take back a referral you sent",
     "What was not delivered yet is taken back; else the recipient is asked "
     "to stop.",
     {},
     "amparo referral withdraw r-k3vw"},
    {"referral", "evidence", "ID",
     "take out a referral's document, for a court (supervisor)",
     "It fits one entry of the log: `amparo-audit prove ENTRY --document "
     "FILE`.",
     kEvidence,
     "amparo referral evidence r-k3vw --section incident --out document.json"},
    {"consent", "record", "", "record what a person agreed to", "", kRecord,
     "amparo consent record --form consent.json --evidence signed.pdf"},
    {"consent", "list", "", "the consents you may see", "", kConsentList,
     "amparo consent list --case c-k3vw"},
    {"consent",
     "show",
     "ID",
     "one consent: what it allows, who has what",
     "",
     {},
     "amparo consent show g-k3vw"},
    {"consent", "extend", "ID", "add to a consent",
     "What stands in it stays; the new one takes its place.", kExtend,
     "amparo consent extend g-k3vw --form more.json"},
    {"consent", "revoke", "ID", "take a consent back, whole or in part",
     "Members that hold sections by it are asked to erase them, and answer "
     "with a signed receipt. Without flags everything is revoked.",
     kRevoke, "amparo consent revoke g-k3vw --member uls"},
    {"inbox", "", "", "what waits for you, most pressing first", "", kInbox,
     "amparo inbox --watch"},
    {"case", "list", "", "the cases you may see", "", {}, "amparo case list"},
    {"case",
     "show",
     "ID",
     "one case: its referrals, consents and events",
     "",
     {},
     "amparo case show c-k3vw"},
    {"case", "open", "ID", "open a case to an auditor (supervisor)",
     "Whom what was sent to and by which consent, with every provision of it, "
     "but not what the sections say. The auditor gives the file to "
     "`amparo-audit replay --case FILE`.",
     kCaseOpen, "amparo case open c-k3vw --out case.json"},
    {"review", "list", "",
     "disclosures without consent that are to be reviewed (supervisor)",
     "Within 72 hours, by a supervisor who did not decide it.", kReviewList,
     "amparo review list --all"},
    {"review",
     "show",
     "ID",
     "one of them, with the officer's reasons (supervisor)",
     "Written down in the access log.",
     {},
     "amparo review show w-k3vw"},
    {"review", "record", "ID",
     "say what you think of a disclosure without consent (supervisor)",
     "Once and for good, and never by who decided it. The auditor sees the "
     "outcome, not the note.",
     kReviewRecord, "amparo review record w-k3vw --outcome justified"},
    {"directory",
     "list",
     "",
     "the members of the network",
     "",
     {},
     "amparo directory list"},
    {"directory",
     "show",
     "MEMBER",
     "one member, with its key words",
     "The key words are for comparing by phone: call a number that you know "
     "from elsewhere, and read them to each other.",
     {},
     "amparo directory show uls"},
    {"directory", "confirm", "MEMBER",
     "say that you compared a member's key words by phone",
     "Shows the words and asks. From then on you can send to the member, and "
     "what it sent under a key that nobody vouched for yet is taken in.",
     kConfirm, "amparo directory confirm uls"},
    {"access-log", "", "", "who opened what, when, and on what ground", "",
     kAccessLog, "amparo access-log --case c-k3vw"},
    {"status", "", "", "whether your agent and the network work", "", kStatus,
     "amparo status"},
    {"officer", "add", "HANDLE", "let a person or an IT system use this agent",
     "Either --uid, or --certificate with --role it_system.", kOfficerAdd,
     "amparo officer add ana --role officer --uid 1001"},
    {"officer",
     "remove",
     "HANDLE",
     "let it use this agent no more, from now on",
     "Handle and certificate are not given out again.",
     {},
     "amparo officer remove ana"},
    {"officer",
     "list",
     "",
     "who may use this agent",
     "",
     {},
     "amparo officer list"},
};

}  // namespace

absl::Span<const Noun> Nouns() { return kNouns; }
absl::Span<const Verb> Verbs() { return kVerbs; }
absl::Span<const Flag> CommonFlags() { return kCommon; }

const Verb* FindVerb(absl::string_view noun, absl::string_view name) {
  for (const Verb& verb : kVerbs)
    if (verb.noun == noun && verb.name == name) return &verb;
  return nullptr;
}

}  // namespace amparo::officer
