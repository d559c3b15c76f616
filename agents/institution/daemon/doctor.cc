#include "agents/institution/daemon/doctor.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/institution/daemon/broker_channel.h"
#include "agents/institution/daemon/running_agent.h"
#include "agents/institution/daemon/store_to_read.h"
#include "agents/institution/rpc/broker_client.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/client_certificate.h"
#include "crypto/x509.h"
#include "proto/envelope/limits.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/grpc/unreached.h"
#include "proto/network/ca_note.h"
#include "proto/network/charter.h"

namespace amparo::agent {
namespace {

constexpr uint64_t kDiskWarn = uint64_t{1} << 30;
constexpr uint64_t kDiskFail = uint64_t{256} << 20;
constexpr absl::Duration kCertificateWarn = absl::Hours(30 * 24);
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

// The order in which it is read: what comes first may be the cause of what
// comes later. What is not named here stands at the end.
constexpr const char* kOrder[] = {
    "joined",      "directory",      "disk",    "keystore",     "clock",
    "certificate", "enrolment_port", "charter", "members_port", "agent"};

size_t PlaceOf(const Check& check) {
  return static_cast<size_t>(
      std::find(std::begin(kOrder), std::end(kOrder), check.name) -
      std::begin(kOrder));
}

// One visit: what one check found, the next may use.
class Visit {
 public:
  Visit(const DataDir& data, std::string officer, const Clock& clock)
      : data_(data), officer_(std::move(officer)), now_(clock.Now()) {}

  std::vector<Check> Run();

 private:
  void Ok(const char* name, std::string text) {
    checks_.push_back({name, Verdict::kOk, std::move(text), ""});
  }
  void Warn(const char* name, std::string text, std::string hint) {
    checks_.push_back({name, Verdict::kWarn, std::move(text), std::move(hint)});
  }
  void Fail(const char* name, std::string text, std::string hint) {
    checks_.push_back({name, Verdict::kFail, std::move(text), std::move(hint)});
  }
  void Fail(const char* name, const absl::Status& status) {
    const ErrorDetail detail = DetailOf(status).value_or(ErrorDetail{});
    Fail(name, std::string(status.message()),
         detail.expected.empty()
             ? detail.hint
             : absl::StrCat("expected: ", detail.expected,
                            detail.hint.empty() ? "" : "; ", detail.hint));
  }

  void LookAtDirectory();
  void LookAtDisk();
  void LookAtKeystore();
  void LookAtCertificate();
  void LookAtItsTime(const std::string& pem, const char* anew);
  void CallEnrolment();
  void CallMembersPort();
  // Why the members' port did not answer.
  absl::Status WhyNot(const absl::Status& refusal) const;
  void LookAtClock();
  // Of what has an end, or a beginning to come, by this machine's clock: while
  // that may be wrong, it is a consequence. The words to add; "" when it is
  // none.
  std::string ByWhichClock(absl::Time from, absl::Time until) const;
  void LookAtCharter(const EnrolmentClient& broker);
  void AskAgent();
  void LookAtOwnAlarms(const v1::StatusResponse& status);

  const DataDir& data_;
  const std::string officer_;
  const absl::Time now_;
  std::optional<AgentConfig> config_;
  std::optional<NetworkFile> network_;
  std::optional<AgentSecrets> secrets_;
  std::optional<absl::Time> broker_time_;
  // Why TLS refuses a certificate, where a clock alone is in the way.
  std::optional<absl::Status> clock_error_;
  bool agent_reaches_broker_ = false;
  std::vector<Check> checks_;
};

std::vector<Check> Visit::Run() {
  auto config = data_.ReadConfig();
  auto network = config.ok() ? data_.ReadNetwork() : config.status();
  if (!config.ok() || !network.ok()) {
    Fail("joined", config.ok() ? network.status() : config.status());
    return std::move(checks_);
  }
  Ok("joined", absl::StrCat(config->member.text(), " in ", config->network));
  config_ = *std::move(config);
  network_ = *std::move(network);
  LookAtDirectory();
  LookAtDisk();
  LookAtKeystore();
  AskAgent();
  CallEnrolment();
  CallMembersPort();
  LookAtClock();
  LookAtCertificate();
  std::stable_sort(checks_.begin(), checks_.end(),
                   [](const Check& one, const Check& other) {
                     return PlaceOf(one) < PlaceOf(other);
                   });
  return std::move(checks_);
}

void Visit::LookAtDirectory() {
  std::vector<std::string> secret = {data_.Path("keystore.json"),
                                     data_.Path("agent.toml")};
  if (config_->unlock == Unlock::kKeyFile)
    secret.push_back(data_.Resolve(config_->key_file));
  struct stat info = {};
  if (stat(data_.Path("").c_str(), &info) != 0 || (info.st_mode & 0077) != 0)
    return Fail("directory", "others may enter the data directory",
                "chmod 700 DIR");
  for (const std::string& path : secret) {
    if (stat(path.c_str(), &info) != 0)
      return Fail("directory", absl::StrCat(path, " is missing"),
                  "restore it from a copy; without the keystore nothing opens");
    if ((info.st_mode & 0077) != 0)
      return Fail("directory", absl::StrCat(path, " may be read by others"),
                  absl::StrCat("chmod 600 ", path));
  }
  if (const absl::Status there = CheckStore(data_); !there.ok())
    return Fail("directory", there);
  Ok("directory", "nobody else may enter it");
}

void Visit::LookAtDisk() {
  struct statvfs disk = {};
  if (statvfs(data_.Path("").c_str(), &disk) != 0)
    return Fail("disk", "the disk does not say how full it is", "");
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  const std::string text = absl::StrCat(free >> 20, " MiB free");
  if (free < kDiskFail)
    return Fail("disk", text, "make room: nothing can be stored");
  if (free < kDiskWarn) return Warn("disk", text, "make room soon");
  Ok("disk", text);
}

void Visit::LookAtKeystore() {
  if (config_->unlock == Unlock::kPrompt)
    return Ok("keystore", "asks for a passphrase at start; not opened now");
  auto secrets = data_.Unlock(*config_);
  if (!secrets.ok()) return Fail("keystore", secrets.status());
  secrets_ = *std::move(secrets);
  Ok("keystore", "opens");
}

void Visit::LookAtCertificate() {
  const auto pem = ReadFile(data_.Path("certificate.pem"), kSmallFileBytes);
  const auto end = pem.ok() ? CertificateEnd(*pem) : pem.status();
  const char* anew =
      "ask the broker's operator for an invitation, then "
      "amparo-agent reconnect INVITATION --data DIR";
  if (absl::IsNotFound(pem.status()))
    return Fail("certificate", data_.CheckJoined());
  if (!end.ok())
    return Fail("certificate", "certificate.pem cannot be read", anew);
  const auto is_of = [&](const Bytes& ca_der) {
    const auto ca = CertificatePem(ca_der);
    return ca.ok() && CheckIssuedBy(*pem, *ca).ok();
  };
  if (!is_of(network_->ca_der) &&
      !(network_->next_ca_der && is_of(*network_->next_ca_der)))
    return Fail("certificate", "certificate.pem is of no CA of this network",
                anew);
  if (secrets_ &&
      !CheckKeyOfCertificate(AsText(secrets_->tls_key_pem.Expose()), *pem).ok())
    return Fail("certificate", "certificate.pem is not of the keystore's key",
                "restore certificate.pem and keystore.json from one copy");
  if (network_->next_ca_der && !is_of(*network_->next_ca_der))
    return Warn("certificate", "of the CA that the network is leaving behind",
                "it is replaced within a minute while the agent runs and the "
                "broker answers; if not, see upkeep_failed in its journal");
  LookAtItsTime(*pem, anew);
}

std::string Visit::ByWhichClock(absl::Time from, absl::Time until) const {
  const auto holds = [&](absl::Time at) { return from <= at && at < until; };
  if (holds(now_)) return "";
  if (broker_time_ && holds(*broker_time_))
    return " by this machine's clock, but not by the broker's: see clock above";
  if (clock_error_) return " by this machine's clock: see clock above";
  return "";
}

void Visit::LookAtItsTime(const std::string& pem, const char* anew) {
  const auto from = CertificateStart(pem);
  const auto end = CertificateEnd(pem);
  if (!from.ok() || !end.ok())
    return Fail("certificate", "certificate.pem cannot be read", anew);
  const char* const clock_first = "set the clock, then ask the doctor again";
  const std::string which = ByWhichClock(*from, *end);
  if (now_ < *from) {
    const std::string begins =
        absl::StrCat("for the broker's port, begins at ", FormatUtc(*from));
    if (which.empty())
      return Fail("certificate", begins,
                  "compare this machine's clock with a third one; if it is "
                  "right, so is not the broker's: tell its operator");
    return Warn("certificate", absl::StrCat(begins, ": yet to come", which),
                clock_first);
  }
  const std::string text =
      absl::StrCat("for the broker's port, until ", FormatUtc(*end));
  if (*end <= now_ && !which.empty())
    return Warn("certificate", absl::StrCat(text, ": over", which),
                clock_first);
  if (*end <= now_) return Fail("certificate", text, anew);
  if (*end <= now_ + kCertificateWarn)
    return Warn("certificate", text,
                "it renews itself while the agent runs and the broker answers");
  Ok("certificate", text);
}

void Visit::CallEnrolment() {
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

void Visit::LookAtCharter(const EnrolmentClient& broker) {
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

absl::Status Visit::WhyNot(const absl::Status& refusal) const {
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
void Visit::CallMembersPort() {
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
  if (!note.ok()) return Fail("members_port", WhyNot(note.status()));
  Ok("members_port", absl::StrCat(config_->broker_address, " answers"));
  if (const auto time = TimeOfCheckpoint(*note, network_->log_key); time.ok())
    broker_time_ = *time;
}

void Visit::LookAtClock() {
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

void Visit::AskAgent() {
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

void Visit::LookAtOwnAlarms(const v1::StatusResponse& status) {
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

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kFail:
      break;
  }
  return "FAIL";
}

}  // namespace

std::vector<Check> Examine(const DataDir& data, const std::string& officer,
                           const Clock& clock) {
  return Visit(data, officer, clock).Run();
}

std::string ChecksText(const std::vector<Check>& checks) {
  std::string text;
  for (const Check& check : checks) {
    std::string name = check.name;
    name.resize(std::max<size_t>(name.size(), 16), ' ');
    std::string verdict = NameOf(check.verdict);
    verdict.resize(6, ' ');
    absl::StrAppend(&text, verdict, name, check.text, "\n");
    if (!check.hint.empty())
      absl::StrAppend(&text, std::string(22, ' '), check.hint, "\n");
  }
  return text;
}

std::string ChecksJson(const std::vector<Check>& checks) {
  Json result;
  result["schema"] = "doctor/1";
  result["checks"] = Json::array();
  for (const Check& check : checks)
    result["checks"].push_back(
        {{"check", check.name},
         {"result", NameOf(check.verdict)},
         {"text", check.text},
         {"hint", check.hint.empty() ? Json() : Json(check.hint)}});
  return DumpJson(result) + "\n";
}

bool AllOk(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.verdict == Verdict::kOk;
  });
}

}  // namespace amparo::agent
