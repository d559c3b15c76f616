#include "agents/institution/rpc/agent_service.h"

#include <utility>

#include "absl/strings/match.h"
#include "agents/institution/core/access.h"
#include "agents/institution/rpc/proto_codec.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

// Records in one answer; a caller goes on after the last one's seq.
constexpr size_t kRecordsMax = 1000;

// The member that an alarm is about, where it is about one.
absl::StatusOr<std::optional<MemberId>> NamedIn(const std::string& member) {
  if (member.empty()) return std::optional<MemberId>();
  ASSIGN_OR_RETURN(MemberId id, MemberId::Parse(member));
  return std::optional<MemberId>(std::move(id));
}

v1::AccessRecord ToProto(const AccessRecord& record, bool with_leaf) {
  v1::AccessRecord out;
  out.set_seq(record.seq);
  out.set_at_s(ToSeconds(record.at));
  out.set_officer(record.officer);
  out.set_affiliation(record.affiliation);
  out.set_action(record.action);
  out.set_case_pseudonym(record.case_pseudonym);
  for (const std::string& section : record.sections) out.add_sections(section);
  out.set_grant_or_basis(record.grant_or_basis);
  out.set_outcome(record.outcome);
  out.set_from(record.from);
  out.set_supersedes(record.supersedes);
  out.set_review(record.review);
  if (with_leaf) out.set_leaf(amparo::ToText(EncodeAccessRecord(record)));
  return out;
}

absl::Status Usage(const char* field, const char* expected) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "a field of the officer cannot be read",
                   {.code = "usage", .field = field, .expected = expected});
}

struct NewOfficer {
  Handle handle;
  std::vector<Role> roles;
  std::vector<uint32_t> uids;
  std::optional<ClientCertificate> certificate;
};

absl::StatusOr<Handle> HandleFromProto(const std::string& text) {
  auto handle = Handle::Parse(text);
  if (!handle.ok()) return Usage("handle", "[a-z][a-z0-9-]{0,31}");
  return handle;
}

absl::StatusOr<ClientCertificate> CertificateFromProto(const std::string& pem) {
  auto certificate = ReadClientCertificate(pem);
  if (certificate.ok()) return certificate;
  return MakeError(absl::StatusCode::kInvalidArgument,
                   certificate.status().message(),
                   {.code = "usage",
                    .field = "certificate",
                    .expected = "one certificate for TLS clients, PEM, with a "
                                "key of P-256, P-384, Ed25519 or RSA of 2048 "
                                "to 8192 bits"});
}

absl::StatusOr<NewOfficer> FromProto(const v1::AddOfficerRequest& request) {
  ASSIGN_OR_RETURN(Handle handle, HandleFromProto(request.handle()));
  NewOfficer officer{.handle = std::move(handle),
                     .roles = {},
                     .uids = {request.uids().begin(), request.uids().end()},
                     .certificate = std::nullopt};
  for (const std::string& name : request.roles()) {
    ASSIGN_OR_RETURN(const Role role, ParseRole(name));
    officer.roles.push_back(role);
  }
  if (!request.certificate().empty()) {
    ASSIGN_OR_RETURN(officer.certificate,
                     CertificateFromProto(request.certificate()));
  }
  return officer;
}

}  // namespace

absl::Status AgentService::FillStatus(const Officer& officer,
                                      v1::StatusResponse& response) const {
  const auto peers = parts_.peers.Now();
  const Charter& charter = peers->charter.charter;
  const StatusSource& source = parts_.status;
  response.set_member(parts_.keys.self().text());
  response.set_network(charter.network);
  response.set_version(parts_.version);
  *response.mutable_officer() = amparo::agent::ToProto(officer);
  response.set_broker_reachable(source.broker_reachable());
  response.set_broker_last_seen_at_s(ToSeconds(source.broker_last_seen()));
  response.set_charter_version(charter.version);
  response.set_charter_expires_at_s(ToSeconds(charter.expires));
  if (const auto until = parts_.keys.SigningUntil())
    response.set_signing_until_s(ToSeconds(*until));
  if (const auto until = parts_.keys.PrekeyUntil())
    response.set_prekey_until_s(ToSeconds(*until));
  response.set_log_size(source.log_size().value());
  response.set_witnessed_size(source.witnessed_size().value());
  response.set_outbox_queued(parts_.outbox.size());
  response.set_quarantined(source.quarantined());
  for (const AlarmRecord& alarm : source.alarms()) {
    // It says that there was a disclosure without consent.
    if (alarm.code == "review_due" &&
        !AllowedByRole(officer, Action::kReview).ok())
      continue;
    // It says that somebody here is excluded from a case: not to everybody.
    if (alarm.code == "unseen" && !officer.Has(Role::kAdmin)) continue;
    v1::Alarm& out = *response.add_alarms();
    out.set_code(alarm.code);
    if (alarm.member) out.set_member(alarm.member->text());
    out.set_since_s(ToSeconds(alarm.since));
  }
  // By the log's time: a suspension ends in it.
  const auto standing = CharterAt(peers, peers->newest_entry);
  if (const Member* self = standing->Find(parts_.keys.self()))
    response.set_member_status(std::string(NameOf(self->status)));
  response.set_sealing_waits_for(source.sealing_waits_for());
  // Who manages the agent sees no case, and no counts of any.
  if (!AllowedByRole(officer, Action::kSeeCases).ok()) return absl::OkStatus();
  response.set_held(parts_.held.size());
  ASSIGN_OR_RETURN(const InboxView inbox, parts_.referrals.Inbox(officer));
  response.set_unread(inbox.unread);
  response.set_overdue(inbox.overdue);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AgentService::Status(
    grpc::CallbackServerContext* context, const v1::StatusRequest*,
    v1::StatusResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) {
    return FillStatus(officer, *response);
  });
}

grpc::ServerUnaryReactor* AgentService::AddOfficer(
    grpc::CallbackServerContext* context, const v1::AddOfficerRequest* request,
    v1::OfficerView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kAddOfficers));
    ASSIGN_OR_RETURN(NewOfficer added, FromProto(*request));
    RETURN_IF_ERROR(parts_.access_log.Write(
        {.officer = officer.id, .action = "officer_add"}));
    ASSIGN_OR_RETURN(
        const Officer made,
        parts_.officers.Add(added.handle, std::move(added.roles),
                            std::move(added.uids), added.certificate));
    *response = amparo::agent::ToProto(made);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AgentService::RemoveOfficer(
    grpc::CallbackServerContext* context,
    const v1::RemoveOfficerRequest* request, v1::OfficerView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kAddOfficers));
    ASSIGN_OR_RETURN(const Handle handle, HandleFromProto(request->handle()));
    RETURN_IF_ERROR(parts_.access_log.Write(
        {.officer = officer.id, .action = "officer_remove"}));
    ASSIGN_OR_RETURN(const Officer removed, parts_.officers.Remove(handle));
    *response = amparo::agent::ToProto(removed);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AgentService::ListOfficers(
    grpc::CallbackServerContext* context, const v1::ListOfficersRequest*,
    v1::ListOfficersResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeOfficers));
    Fill(*response->mutable_officers(), parts_.officers.List());
    return absl::OkStatus();
  });
}

absl::Status AgentService::FillAccessLog(
    const v1::AccessLogRequest& request,
    v1::AccessLogResponse& response) const {
  // First the head, then the records under it: what is written meanwhile is in
  // neither. Before the first key is in the log there is nothing to sign with.
  TreeSize size = parts_.access_log.size();
  if (const auto key = parts_.keys.Signer(); key.ok()) {
    ASSIGN_OR_RETURN(const auto head, parts_.access_log.SignedHead(*key));
    size = head.size;
    response.set_checkpoint(head.note);
  }
  response.set_size(size.value());
  // 0 is "from the start": the first record stands alone only in a log of one.
  std::optional<uint64_t> after;
  if (request.after_seq() > 0) after = request.after_seq();
  ASSIGN_OR_RETURN(const auto records,
                   parts_.access_log.Read(after, kRecordsMax));
  for (const AccessRecord& record : records) {
    if (record.seq >= size.value()) break;
    response.set_next_after_seq(record.seq);
    if (absl::StartsWith(record.case_pseudonym, request.case_id()))
      *response.add_records() = ToProto(record, request.with_leaves());
  }
  response.set_more(!records.empty() && records.back().seq + 1 < size.value());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AgentService::AccessLog(
    grpc::CallbackServerContext* context, const v1::AccessLogRequest* request,
    v1::AccessLogResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeAccessLog));
    RETURN_IF_ERROR(parts_.access_log.Write(
        {.officer = officer.id, .action = "access_log_read"}));
    return FillAccessLog(*request, *response);
  });
}

grpc::ServerUnaryReactor* AgentService::GetAlarmEvidence(
    grpc::CallbackServerContext* context,
    const v1::GetAlarmEvidenceRequest* request, v1::AlarmEvidence* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kAcknowledgeAlarms));
    ASSIGN_OR_RETURN(const std::optional<MemberId> member,
                     NamedIn(request->member()));
    const absl::StatusOr<Bytes> evidence =
        parts_.status.alarm_evidence(request->code(), member);
    RETURN_IF_ERROR(
        LogAboutAlarm(officer, "alarm_evidence", evidence.status()));
    RETURN_IF_ERROR(evidence.status());
    response->set_evidence(ToText(*evidence));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AgentService::AcknowledgeAlarm(
    grpc::CallbackServerContext* context,
    const v1::AcknowledgeAlarmRequest* request, v1::StatusResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kAcknowledgeAlarms));
    ASSIGN_OR_RETURN(const std::optional<MemberId> member,
                     NamedIn(request->member()));
    const absl::Status may =
        parts_.status.may_acknowledge(request->code(), member);
    RETURN_IF_ERROR(LogAboutAlarm(officer, "alarm_acknowledge", may));
    RETURN_IF_ERROR(may);
    RETURN_IF_ERROR(parts_.status.acknowledge_alarm(request->code(), member));
    return FillStatus(officer, *response);
  });
}

absl::Status AgentService::LogAboutAlarm(const Officer& officer,
                                         const char* action,
                                         const absl::Status& outcome) const {
  AccessLog::Entry entry{.officer = officer.id, .action = action};
  const std::string code = outcome.ok() ? "" : ErrorCodeOf(outcome);
  if (!outcome.ok()) entry.outcome = code.c_str();
  return parts_.access_log.Write(entry);
}

}  // namespace amparo::agent
