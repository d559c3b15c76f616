#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/institution/daemon/config.h"
#include "agents/institution/daemon/data_dir.h"
#include "agents/institution/daemon/doctor.h"
#include "agents/institution/daemon/secrets.h"
#include "amparo/agent/v1/agent.pb.h"
#include "base/clock.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/network/network_file.h"

namespace amparo::agent {

// One visit of the doctor (doctor.h): what one check found, the next may use.
// One thread.
class DoctorVisit {
 public:
  DoctorVisit(const DataDir& data, std::string officer, const Clock& clock)
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
  void Fail(const char* name, const absl::Status& status);

  // Of this machine (doctor_here.cc).
  void LookAtDirectory();
  void LookAtDisk();
  void LookAtKeystore();
  void LookAtCertificate();
  void LookAtItsTime(const std::string& pem, const char* anew);

  // Of the broker and of the agent (doctor_away.cc).
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

}  // namespace amparo::agent
