#include "agents/officer/commands.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

constexpr size_t kEvidenceBytesMax =
    8 * 1024 * 1024;  // the agent takes no more
constexpr size_t kCertificateBytesMax = 64 * 1024;
constexpr size_t kNoteBytesMax = 64 * 1024;  // the agent takes no more
constexpr int kRefused = 4;

// Names one request, so that asking again is not doing it again.
absl::StatusOr<std::string> NewRequestId() {
  std::array<char, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) !=
      static_cast<ssize_t>(bytes.size()))
    return absl::InternalError("the system gives no random numbers");
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

template <typename Field>
void Fill(Field* field, const std::vector<std::string>& values) {
  field->Assign(values.begin(), values.end());
}

absl::StatusOr<Answer> Send(Session& session) {
  const Command& command = session.command();
  v1::SendRequest request;
  Fill(request.mutable_to(), command.List("to"));
  ASSIGN_OR_RETURN(*request.mutable_form_json(), session.ReadForm("form"));
  request.set_consent_id(command.Value("consent"));
  request.set_basis(command.Value("basis"));
  if (command.Has("reason-file")) {
    ASSIGN_OR_RETURN(*request.mutable_reason_json(),
                     session.ReadForm("reason-file"));
  }
  request.set_priority(command.Value("priority"));
  request.set_case_id(command.Value("case"));
  Fill(request.mutable_confirm_key(), command.List("confirm-key"));
  request.set_dry_run(command.Has("dry-run"));
  ASSIGN_OR_RETURN(*request.mutable_request_id(), NewRequestId());
  ASSIGN_OR_RETURN(
      const v1::SendResponse sent,
      session.client().CallSafely(&v1::ReferralService::Stub::Send, request));
  return session.Present(sent, sent.allowed() ? 0 : kRefused);
}

absl::StatusOr<Answer> ListReferrals(Session& session) {
  v1::ListReferralsRequest request;
  request.set_box(session.command().Value("box"));
  request.set_state(session.command().Value("state"));
  request.set_overdue(session.command().Has("overdue"));
  return session.Ask(&v1::ReferralService::Stub::List, request);
}

using Action = grpc::Status (v1::ReferralService::Stub::*)(
    grpc::ClientContext*, const v1::ReferralActionRequest&,
    v1::ReferralChange*);

// A step that needs the referral and perhaps a code.
template <Action kAction>
absl::StatusOr<Answer> Act(Session& session) {
  const Command& command = session.command();
  v1::ReferralActionRequest request;
  request.set_referral_id(command.id);
  request.set_code(command.Value(command.Has("reason") ? "reason" : "outcome"));
  return session.Ask(kAction, request);
}

absl::StatusOr<Answer> Update(Session& session) {
  v1::UpdateReferralRequest request;
  request.set_referral_id(session.command().id);
  ASSIGN_OR_RETURN(*request.mutable_form_json(), session.ReadForm("form"));
  return session.Ask(&v1::ReferralService::Stub::Update, request);
}

absl::StatusOr<Answer> Disclose(Session& session) {
  v1::DiscloseRequest request;
  request.set_referral_id(session.command().id);
  request.set_to(session.command().Value("to"));
  Fill(request.mutable_sections(), session.command().List("section"));
  return session.Ask(&v1::ReferralService::Stub::Disclose, request);
}

absl::StatusOr<Answer> RecordConsent(Session& session) {
  v1::RecordConsentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_form_json(), session.ReadForm("form"));
  if (session.command().Has("evidence")) {
    ASSIGN_OR_RETURN(*request.mutable_evidence(),
                     session.ReadInput("evidence", kEvidenceBytesMax));
  }
  ASSIGN_OR_RETURN(*request.mutable_request_id(), NewRequestId());
  ASSIGN_OR_RETURN(
      const v1::RecordConsentResponse recorded,
      session.client().CallSafely(&v1::ConsentService::Stub::Record, request));
  return session.Present(recorded);
}

absl::StatusOr<Answer> ListConsents(Session& session) {
  v1::ListConsentsRequest request;
  request.set_case_id(session.command().Value("case"));
  return session.Ask(&v1::ConsentService::Stub::List, request);
}

absl::StatusOr<Answer> ShowConsent(Session& session) {
  v1::ShowConsentRequest request;
  request.set_grant_id(session.command().id);
  return session.Ask(&v1::ConsentService::Stub::Show, request);
}

absl::StatusOr<Answer> ExtendConsent(Session& session) {
  v1::ExtendConsentRequest request;
  request.set_grant_id(session.command().id);
  ASSIGN_OR_RETURN(*request.mutable_form_json(), session.ReadForm("form"));
  return session.Ask(&v1::ConsentService::Stub::Extend, request);
}

absl::StatusOr<Answer> RevokeConsent(Session& session) {
  const Command& command = session.command();
  v1::RevokeConsentRequest request;
  request.set_grant_id(command.id);
  request.set_section(command.Value("section"));
  request.set_member(command.Value("member"));
  request.set_purpose(command.Value("purpose"));
  return session.Ask(&v1::ConsentService::Stub::Revoke, request);
}

absl::StatusOr<Answer> Inbox(Session& session) {
  if (session.command().Has("watch")) return WatchInbox(session);
  return session.Ask(&v1::ReferralService::Stub::Inbox, v1::InboxRequest());
}

absl::StatusOr<Answer> ListCases(Session& session) {
  return session.Ask(&v1::CaseService::Stub::List, v1::ListCasesRequest());
}

absl::Status CannotWriteOut(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("cannot write ", Printable(path)),
                   {.code = "usage",
                    .field = "--out",
                    .expected = "a file in a folder that you may write to"});
}

// What was taken out before may be somebody's proof: it is not written over.
absl::Status IsThere(const std::string& path) {
  return MakeError(
      absl::StatusCode::kAlreadyExists,
      absl::StrCat(Printable(path), " is there already"),
      {.code = "conflict", .field = "--out", .hint = "give a new name"});
}

// Before the agent is asked: each time is written in its access log.
absl::Status CheckOut(const Session& session) {
  const std::string path = session.command().Value("out");
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  std::error_code error;
  if (path.empty() || std::filesystem::is_directory(path, error) ||
      ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
    return CannotWriteOut(path);
  return FileExists(path) ? IsThere(path) : absl::OkStatus();
}

// Files that hold evidence are their owner's alone.
absl::Status WriteOut(Session& session, const std::string& content) {
  const std::string path = session.command().Value("out");
  const absl::Status written = CreateFile(path, content, FileMode::kPrivate);
  if (absl::IsAlreadyExists(written)) return IsThere(path);
  return written.ok() ? absl::OkStatus() : CannotWriteOut(path);
}

absl::StatusOr<Answer> TakeEvidence(Session& session) {
  const Command& command = session.command();
  v1::GetDocumentRequest request;
  request.set_referral_id(command.id);
  ASSIGN_OR_RETURN(const uint64_t version,
                   command.Number("version", 0, 1, 1'000'000));
  request.set_version(static_cast<uint32_t>(version));
  RETURN_IF_ERROR(CheckOut(session));
  Fill(request.mutable_sections(), command.List("section"));
  ASSIGN_OR_RETURN(
      const v1::EvidenceDocument document,
      session.client().Call(&v1::EvidenceService::Stub::GetDocument, request));
  RETURN_IF_ERROR(WriteOut(session, document.document()));
  return session.Present(document);
}

absl::StatusOr<Answer> OpenCase(Session& session) {
  const Command& command = session.command();
  v1::OpenCaseRequest request;
  request.set_case_id(command.id);
  request.set_with_sections(command.Has("with-sections"));
  RETURN_IF_ERROR(CheckOut(session));
  ASSIGN_OR_RETURN(
      const v1::CaseOpening opening,
      session.client().Call(&v1::EvidenceService::Stub::OpenCase, request));
  RETURN_IF_ERROR(WriteOut(session, opening.opening()));
  if (request.with_sections())
    session.around().err << "amparo: " << command.Value("out")
                         << " holds what the sections say: hand it to the "
                            "auditor alone, and delete it afterwards\n";
  return session.Present(opening);
}

absl::StatusOr<Answer> ShowCase(Session& session) {
  v1::ShowCaseRequest request;
  request.set_case_id(session.command().id);
  return session.Ask(&v1::CaseService::Stub::Show, request);
}

absl::StatusOr<Answer> ListReviews(Session& session) {
  v1::ListReviewsRequest request;
  request.set_all(session.command().Has("all"));
  return session.Ask(&v1::ReviewService::Stub::List, request);
}

absl::StatusOr<Answer> ShowReview(Session& session) {
  v1::ShowReviewRequest request;
  request.set_basis_id(session.command().id);
  return session.Ask(&v1::ReviewService::Stub::Show, request);
}

absl::StatusOr<Answer> RecordReview(Session& session) {
  const Command& command = session.command();
  v1::RecordReviewRequest request;
  request.set_basis_id(command.id);
  request.set_outcome(command.Value("outcome"));
  if (command.Has("note-file")) {
    ASSIGN_OR_RETURN(*request.mutable_note(),
                     session.ReadInput("note-file", kNoteBytesMax));
    // What could not be shown to people again as it was written.
    if (Printable(request.note(), /*lines=*/true) != request.note())
      return MakeError(absl::StatusCode::kInvalidArgument,
                       "the file of --note-file is no plain text",
                       {.code = "invalid_form",
                        .field = "--note-file",
                        .expected = "UTF-8 without control characters",
                        .hint = "correct the file; nothing was sent"});
  }
  return session.Ask(&v1::ReviewService::Stub::Record, request);
}

absl::StatusOr<Answer> ListMembers(Session& session) {
  return session.Ask(&v1::DirectoryService::Stub::List,
                     v1::ListMembersRequest());
}

absl::StatusOr<Answer> ShowMember(Session& session) {
  v1::ShowMemberRequest request;
  request.set_member(session.command().id);
  return session.Ask(&v1::DirectoryService::Stub::Show, request);
}

// True once somebody said that the words were compared.
absl::StatusOr<bool> WordsAreRight(Session& session,
                                   const v1::MemberView& member) {
  if (session.command().Has("words-confirmed")) return true;
  const std::string name = Printable(member.member());
  session.around().err
      << absl::StrCat(
             "The key words of ", name, " are:\n  ",
             Printable(member.key_words()), "\nCall ", name,
             " on a number that you know from elsewhere, and read them "
             "to each other.\nAre they the same words? [y/N] ")
      << std::flush;
  std::string line;
  std::getline(session.around().in, line);
  return line == "y" || line == "Y" || line == "yes";
}

absl::StatusOr<Answer> ConfirmMember(Session& session) {
  v1::ShowMemberRequest show;
  show.set_member(session.command().id);
  ASSIGN_OR_RETURN(
      const v1::MemberView member,
      session.client().Call(&v1::DirectoryService::Stub::Show, show));
  if (!member.key_words().empty()) {
    ASSIGN_OR_RETURN(const bool right, WordsAreRight(session, member));
    if (!right)
      return MakeError(absl::StatusCode::kFailedPrecondition,
                       "the words were not confirmed: nothing was changed",
                       {.code = "invalid_state",
                        .hint = "if the words differ, send nothing to this "
                                "member and tell your administrator"});
  }
  v1::ConfirmKeyRequest request;
  request.set_member(member.member());
  request.set_key_words(member.key_words());
  return session.Ask(&v1::DirectoryService::Stub::Confirm, request);
}

// Record after record, as their tree hashes them, and last the signed head
// (docs/PROTOCOL.md, Access log export). Each page leaves a record itself, so
// the last page's head is over all that was said.
absl::Status SayExport(
    Session& session,
    const std::function<absl::Status(const std::string&)>& say) {
  v1::AccessLogRequest request;
  request.set_with_leaves(true);
  while (true) {
    ASSIGN_OR_RETURN(
        const v1::AccessLogResponse page,
        session.client().Call(&v1::AgentService::Stub::AccessLog, request));
    std::string lines;
    for (const v1::AccessRecord& record : page.records())
      absl::StrAppend(&lines, record.leaf(), "\n");
    RETURN_IF_ERROR(say(lines));
    if (page.more() && page.next_after_seq() > request.after_seq()) {
      request.set_after_seq(page.next_after_seq());
      continue;
    }
    return say(DumpJson({{"schema", "access_log_export/1"},
                         {"size", page.size()},
                         {"checkpoint", page.checkpoint()}}) +
               "\n");
  }
}

absl::StatusOr<Answer> ExportAccessLog(Session& session) {
  if (!session.command().Has("out")) {
    RETURN_IF_ERROR(SayExport(
        session, [&](const std::string& lines) { return session.Say(lines); }));
    return Answer{};
  }
  RETURN_IF_ERROR(CheckOut(session));
  std::string whole;
  RETURN_IF_ERROR(SayExport(session, [&](const std::string& lines) {
    whole += lines;
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(WriteOut(session, whole));
  return Answer{};
}

absl::StatusOr<Answer> ShowAccessLog(Session& session) {
  if (session.command().Has("export")) return ExportAccessLog(session);
  v1::AccessLogRequest request;
  request.set_case_id(session.command().Value("case"));
  ASSIGN_OR_RETURN(const uint64_t after,
                   session.command().Number(
                       "after", 0, 0, std::numeric_limits<int64_t>::max()));
  request.set_after_seq(after);
  return session.Ask(&v1::AgentService::Stub::AccessLog, request);
}

// CODE or CODE:MEMBER.
template <typename Request>
Request AboutAlarm(const std::string& alarm) {
  Request request;
  const size_t colon = alarm.find(':');
  request.set_code(alarm.substr(0, colon));
  if (colon != std::string::npos) request.set_member(alarm.substr(colon + 1));
  return request;
}

absl::StatusOr<Answer> ShowStatus(Session& session) {
  const Command& command = session.command();
  if (command.Has("evidence")) {
    ASSIGN_OR_RETURN(
        v1::AlarmEvidence proof,
        session.client().Call(&v1::AgentService::Stub::GetAlarmEvidence,
                              AboutAlarm<v1::GetAlarmEvidenceRequest>(
                                  command.Value("evidence"))));
    return Answer{std::move(*proof.mutable_evidence())};
  }
  if (!command.Has("acknowledge"))
    return session.Ask(&v1::AgentService::Stub::Status, v1::StatusRequest());
  const auto request =
      AboutAlarm<v1::AcknowledgeAlarmRequest>(command.Value("acknowledge"));
  return session.Ask(&v1::AgentService::Stub::AcknowledgeAlarm, request);
}

absl::StatusOr<Answer> AddOfficer(Session& session) {
  const Command& command = session.command();
  v1::AddOfficerRequest request;
  request.set_handle(command.id);
  Fill(request.mutable_roles(), command.List("role"));
  for (const std::string& uid : command.List("uid")) {
    ASSIGN_OR_RETURN(
        const uint64_t number,
        ParseNumber("uid", uid, 0, std::numeric_limits<uint32_t>::max() - 1));
    request.add_uids(static_cast<uint32_t>(number));
  }
  if (command.Has("certificate")) {
    ASSIGN_OR_RETURN(*request.mutable_certificate(),
                     session.ReadInput("certificate", kCertificateBytesMax));
    // The agent has no use for it, and nobody else may have it.
    if (absl::StrContains(request.certificate(), "PRIVATE KEY"))
      return MakeError(absl::StatusCode::kInvalidArgument,
                       "the file of --certificate holds a private key",
                       {.code = "usage",
                        .field = "--certificate",
                        .expected = "the certificate alone",
                        .hint = "the key stays with the IT system; nothing was "
                                "sent"});
  }
  return session.Ask(&v1::AgentService::Stub::AddOfficer, request);
}

absl::StatusOr<Answer> RemoveOfficer(Session& session) {
  v1::RemoveOfficerRequest request;
  request.set_handle(session.command().id);
  return session.Ask(&v1::AgentService::Stub::RemoveOfficer, request);
}

absl::StatusOr<Answer> ListOfficers(Session& session) {
  return session.Ask(&v1::AgentService::Stub::ListOfficers,
                     v1::ListOfficersRequest());
}

struct Route {
  absl::string_view noun, verb;
  absl::StatusOr<Answer> (*run)(Session&);
};
using Stub = v1::ReferralService::Stub;
constexpr Route kRoutes[] = {
    {"referral", "send", Send},
    {"referral", "list", ListReferrals},
    {"referral", "show", ShowReferral},
    {"referral", "accept", Act<&Stub::Accept>},
    {"referral", "decline", Act<&Stub::Decline>},
    {"referral", "update", Update},
    {"referral", "disclose", Disclose},
    {"referral", "close", Act<&Stub::Close>},
    {"referral", "withdraw", Act<&Stub::Withdraw>},
    {"referral", "evidence", TakeEvidence},
    {"consent", "record", RecordConsent},
    {"consent", "list", ListConsents},
    {"consent", "show", ShowConsent},
    {"consent", "extend", ExtendConsent},
    {"consent", "revoke", RevokeConsent},
    {"inbox", "", Inbox},
    {"case", "list", ListCases},
    {"case", "show", ShowCase},
    {"case", "open", OpenCase},
    {"review", "list", ListReviews},
    {"review", "show", ShowReview},
    {"review", "record", RecordReview},
    {"directory", "list", ListMembers},
    {"directory", "show", ShowMember},
    {"directory", "confirm", ConfirmMember},
    {"access-log", "", ShowAccessLog},
    {"status", "", ShowStatus},
    {"officer", "add", AddOfficer},
    {"officer", "remove", RemoveOfficer},
    {"officer", "list", ListOfficers},
};

}  // namespace

absl::StatusOr<Answer> RunCommand(Session& session) {
  const Verb& verb = *session.command().verb;
  for (const Route& route : kRoutes)
    if (route.noun == verb.noun && route.verb == verb.name)
      return route.run(session);
  return absl::InternalError("a command of the grammar that nobody runs");
}

}  // namespace amparo::officer
