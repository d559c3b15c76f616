// What the doctor asks others: the broker, and the running agent.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/institution/daemon/broker_channel.h"
#include "agents/institution/daemon/doctor_visit.h"
#include "agents/institution/daemon/running_agent.h"
#include "agents/institution/rpc/broker_client.h"
#include "base/error.h"
#include "base/files.h"
#include "crypto/checkpoint.h"
#include "crypto/x509.h"
#include "proto/grpc/unreached.h"
#include "proto/network/ca_note.h"
#include "proto/network/charter.h"

namespace amparo::agent {
namespace {

constexpr absl::Duration kCharterWarn = absl::Hours(60 * 24);
constexpr absl::Duration kClockWarn = absl::Minutes(1);
constexpr absl::Duration kClockFail = absl::Minutes(5);
constexpr size_t kSmallFileBytes = 1 << 20;

// Of one that the charter does not have as active. Others decided it, and
// nothing here is wrong: always a warning.
const char* WhatToDo(const Member* self) {
  if (self == nullptr)
    return "the committee took this member out: call it; nothing here is wrong";
  switch (self->status) {
    case MemberStatus::kInvited:
      return "the committee takes members in: call it, and read it the words "
             "of the request; nothing here is wrong";
    case MemberStatus::kSuspended:
      return "nothing leaves and nothing comes until the committee reinstates "
             "this member: call it; nothing here is wrong, keep the agent as "
             "it is";
    case MemberStatus::kLeft:
      return "this member left the network, for good: nothing leaves and "
             "nothing comes; what it sent and received stays here, and its "
             "proofs hold. Keep the directory as long as the law asks; if it "
             "should not have left, call the committee";
    case MemberStatus::kActive:
      break;
  }
  return "";
}

}  // namespace

void DoctorVisit::CallEnrolment() {
  const auto broker = EnrolmentClient::Connect(
      network_->enrol, network_->ca_der, network_->next_ca_der);
  const auto answer = broker.ok() ? broker->GetNetwork() : broker.status();
  if (!answer.ok() && ErrorCodeOf(answer.status()) == "config") {
    clock_error_ = answer.status();
    Fail("enrolment_port", "not called: a clock is in the way",
         "see clock above");
  } else if (!answer.ok()) {
    Fail("enrolment_port", answer.status());
  }
  if (!answer.ok())
    return Warn("charter", "not looked at: it comes from there", "");
  Ok("enrolment_port", absl::StrCat(network_->enrol, " answers"));
  broker_time_ = answer->broker_time;
  LookAtCharter(*broker);
}

void DoctorVisit::LookAtCharter(const EnrolmentClient& broker) {
  const auto first = ReadFile(data_.Path("charter-1.json"), kCharterBytesMax);
  const auto newest = first.ok()
                          ? broker.GetCharterChain(Sha256(*first))
                          : absl::StatusOr<AcceptedCharter>(first.status());
  if (!newest.ok()) {
    Fail("charter", newest.status());
    if (checks_.back().hint.empty())
      checks_.back().hint =
          "charter-1.json is not this network's: restore it from a copy";
    return;
  }
  const Charter& charter = newest->charter;
  const Member* self = charter.Find(config_->member);
  const std::string text = absl::StrCat("version ", charter.version, ", until ",
                                        FormatUtc(charter.expires));
  if (self == nullptr || self->status != MemberStatus::kActive)
    return Warn(
        "charter",
        absl::StrCat(text, "; this member is ",
                     self == nullptr ? "not in it" : NameOf(self->status)),
        WhatToDo(self));
  if (secrets_ && self->identity_key != secrets_->identity.verify_key())
    return Fail("charter", "it names another identity key than the keystore's",
                "the committee has to take this agent's join request in");
  if (const std::string which =
          ByWhichClock(absl::InfinitePast(), charter.expires);
      !which.empty())
    return Warn("charter", absl::StrCat(text, ": over", which),
                "set the clock, then ask the doctor again");
  if (charter.expires <= now_)
    return Fail("charter", text,
                "the committee has to publish the next version");
  if (charter.expires <= now_ + kCharterWarn)
    return Warn("charter", text,
                "the committee has to publish the next version");
  Ok("charter", text);
}

absl::Status DoctorVisit::WhyNot(const absl::Status& refusal) const {
  const auto network = data_.ReadNetwork();
  const auto certificate =
      ReadFile(data_.Path("certificate.pem"), kSmallFileBytes);
  const auto ca = network.ok() ? CaBundle(network->ca_der, network->next_ca_der)
                               : network.status();
  if (!ca.ok() || !certificate.ok() || absl::IsNotFound(refusal))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "not called without a certificate",
                     {.code = "config", .hint = "see certificate above"});
  // Of another service there: the enrolment port knows no log.
  if (!absl::IsUnavailable(refusal) && !absl::IsDeadlineExceeded(refusal) &&
      !absl::IsUnimplemented(refusal))
    return refusal;
  return ExplainUnreached(
      {Way::Port::kMembers,
       config_->broker_address,
       {*ca, ToText(secrets_->tls_key_pem.Expose()), *certificate}},
      refusal, SystemClock().Now());
}

// As the agent itself would come, when its TLS key can be had.
void DoctorVisit::CallMembersPort() {
  if (!secrets_ && agent_reaches_broker_)
    return Ok("members_port", absl::StrCat(config_->broker_address,
                                           ": the running agent reaches it"));
  if (!secrets_)
    return Warn("members_port",
                absl::StrCat(config_->broker_address,
                             ": not called, the keystore is closed"),
                "start the agent, then ask the doctor again: a running one "
                "says whether it reaches that port");
  BrokerChannel way({.address = config_->broker_address,
                     .network = config_->network,
                     .member = config_->member,
                     .key_pem = secrets_->tls_key_pem.Copy(),
                     .network_file = data_.Path("network.json"),
                     .certificate_file = data_.Path("certificate.pem"),
                     .keepalive = config_->keepalive});
  auto channel = way.Open();
  const auto note = channel.ok()
                        ? BrokerClient(*channel).GetCheckpoint()
                        : absl::StatusOr<std::string>(channel.status());
  if (!note.ok()) {
    const absl::Status why = WhyNot(note.status());
    if (clock_error_ && ErrorCodeOf(why) == "config")
      return Fail("members_port", "not called: a clock is in the way",
                  "see clock above");
    return Fail("members_port", why);
  }
  Ok("members_port", absl::StrCat(config_->broker_address, " answers"));
  if (const auto time = TimeOfCheckpoint(*note, network_->log_key); time.ok())
    broker_time_ = *time;
}

void DoctorVisit::LookAtClock() {
  if (clock_error_) return Fail("clock", *clock_error_);
  if (!broker_time_)
    return Warn("clock", "not compared: the broker does not answer", "");
  const absl::Duration off = absl::AbsDuration(now_ - *broker_time_);
  const std::string text =
      absl::StrCat(absl::ToInt64Seconds(off), " s from the broker's");
  const char* hint =
      "compare both with a third clock; run NTP on every machine. What it says "
      "of certificates and charter below goes by it";
  if (off > kClockFail) return Fail("clock", text, hint);
  if (off > kClockWarn) return Warn("clock", text, hint);
  Ok("clock", text);
}

void DoctorVisit::AskAgent() {
  const auto status = RunningAgent::At(data_, *config_, officer_).Status();
  // Whoever is refused was answered.
  if (absl::IsPermissionDenied(status.status()))
    return Ok("agent", "runs; it does not know this account as an officer");
  if (!status.ok()) return Fail("agent", status.status());
  Ok("agent", absl::StrCat("runs, version ", status->version()));
  agent_reaches_broker_ = status->broker_reachable();
  if (!agent_reaches_broker_)
    Warn("agent_broker", "the running agent does not reach the broker", "");
  if (!status->sealing_waits_for().empty())
    Warn("sealing",
         absl::StrCat("nothing leaves: ", status->sealing_waits_for()),
         "amparo status says more");
  LookAtOwnAlarms(*status);
}

void DoctorVisit::LookAtOwnAlarms(const v1::StatusResponse& status) {
  std::vector<std::string> codes;
  for (const v1::Alarm& alarm : status.alarms()) {
    codes.push_back(alarm.code());
    if (alarm.code() == "suspended" && alarm.member() == config_->member.text())
      Warn("suspended",
           "two governance keys stopped this member, for a week at most",
           "nothing leaves and nothing comes until then, or until the "
           "committee reinstates this member: call it; nothing here is wrong, "
           "keep the agent as it is");
  }
  if (!codes.empty())
    Warn("alarms", absl::StrJoin(codes, " "), "docs/OPERATIONS.md, Alarms");
}

}  // namespace amparo::agent
