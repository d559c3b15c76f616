#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agents/committee/dialog.h"
#include "agents/committee/enrolment_port.h"
#include "agents/committee/founding.h"
#include "agents/committee/verbs.h"
#include "base/files.h"
#include "crypto/keys.h"
#include "proto/network/invitation.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

namespace amparo::committee {

inline MemberId Id(absl::string_view text) {
  return VALUE_OF(MemberId::Parse(text));
}

inline NetworkFile SampleNetwork() {
  return {"test-example",
          VALUE_OF(NoteVerifier::Create("test-example", NoteKeyType::kEd25519,
                                        SigningKey::Generate().verify_key())),
          Bytes{1, 2, 3},
          "broker.example:7443",
          "broker.example:7444",
          Bytes(kFoundingTokenBytes, 7)};
}

// Version 1 with three seats, of which two sign.
inline Charter SampleCharter() {
  Founding founding{.network = SampleNetwork()};
  for (const char* text :
       {"gnr:police:Guarda \"A\"", "ong:victim_support", "uls:health"})
    founding.founders.push_back(VALUE_OF(ParseFounder(text)));
  for (const char* member : {"gnr", "ong", "uls"})
    founding.governance.push_back(
        {absl::StrCat("G", founding.governance.size() + 1), Id(member),
         SigningKey::Generate().verify_key(), absl::Time()});
  founding.threshold = 2;
  founding.title = "Protocolo de Exemplo";
  founding.timezone = "Europe/Lisbon";
  founding.jurisdiction = "PT";
  founding.trust_delay = absl::Hours(24);
  founding.now = FakeClock().Now();
  return FoundCharter(founding);
}

// `charter` as if it had been published.
inline AcceptedCharter Published(const Charter& charter) {
  return {charter, "document", Sha256("document"), Sha256("network")};
}

// Answers as a test says, and remembers what it was told.
class FakeDialog : public Dialog {
 public:
  void Tell(absl::string_view line) override {
    absl::StrAppend(&told, line, "\n");
  }
  absl::StatusOr<bool> Confirm(absl::string_view) override {
    ++questions;
    return answer;
  }
  absl::StatusOr<SecretBuffer> Passphrase(absl::string_view, bool) override {
    ++passphrases;
    return SecretBuffer::CopyOf(passphrase);
  }

  std::string told;
  bool answer = false;
  int questions = 0;
  int passphrases = 0;
  absl::string_view passphrase = "correct horse battery";
};

// A broker's enrolment port in memory. Holds what it is given, unverified.
class FakeBroker : public EnrolmentPort {
 public:
  absl::Status PublishCharter(const std::string& document,
                              const std::optional<Bytes>& token) override {
    if (!refuse.ok()) return refuse;
    charters.push_back(document);
    last_token = token;
    return lose_answer ? absl::UnavailableError("no answer") : absl::OkStatus();
  }
  absl::Status PublishSuspension(const std::string& document) override {
    if (!refuse.ok()) return refuse;
    suspensions.push_back(document);
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> GetCharter(uint64_t version) override {
    if (version == 0 || version > charters.size())
      return absl::NotFoundError("no such version");
    return charters[version - 1];
  }
  absl::StatusOr<std::string> GetJoinRequest(const MemberId& member) override {
    const auto found = requests.find(member);
    if (found == requests.end()) return absl::NotFoundError("none");
    return found->second;
  }

  std::vector<std::string> charters;
  std::vector<std::string> suspensions;
  std::map<MemberId, std::string> requests;
  std::optional<Bytes> last_token;
  absl::Status refuse;
  bool lose_answer = false;
};

// A committee's folder of a local network: gnr, ong, uls and an auditor.
class CommitteeFixture : public testing::Test {
 protected:
  void Init() {
    const std::string file = scratch_ / "network.json";
    ASSERT_OK(
        WriteFile(file, FormatNetworkFile(SampleNetwork()), FileMode::kPublic));
    InitOptions options{.folder = folder_path_,
                        .network_file = file,
                        .local = true,
                        .members = {"gnr:police", "ong:victim_support",
                                    "uls:health", "auditor:auditor"},
                        .title = "Protocol",
                        .timezone = "UTC"};
    ASSERT_OK(amparo::committee::Init(options, dialog_, clock_));
  }
  absl::StatusOr<Outcome> SignOnce(SignOptions options = {.yes = true}) {
    return Sign(folder_, options, dialog_, clock_);
  }
  // Two of the three members sign, then it is published.
  void SignAndPublish() {
    ASSERT_OK(SignOnce());
    ASSERT_OK(SignOnce());
    ASSERT_OK(Publish(folder_, "", broker_, clock_));
  }
  void InitAndPublish() {
    Init();
    SignAndPublish();
  }
  AcceptedCharter Newest() { return *VALUE_OF(folder_.Newest()); }

  // What the agent of `member` leaves at the broker.
  JoinRequest LeaveJoinRequest(const std::string& member) {
    const SigningKey identity = SigningKey::Generate();
    JoinRequest request{Newest().network_id, Id(member), identity.verify_key(),
                        SigningKey::Generate().verify_key(), clock_.Now()};
    broker_.requests[Id(member)] = SignJoinRequest(request, identity);
    return request;
  }
  absl::StatusOr<Outcome> Add(const std::string& member,
                              bool words_confirmed = true) {
    return AddMember(folder_,
                     {.member = member, .words_confirmed = words_confirmed},
                     broker_, dialog_, clock_);
  }
  void EditDraft(const std::function<void(Charter&)>& edit) {
    const auto before = VALUE_OF(folder_.Newest());
    Charter draft = VALUE_OF(folder_.Draft(before));
    edit(draft);
    ASSERT_OK(folder_.WriteDraft(draft, before));
  }

  ScratchFolder scratch_;
  const std::string folder_path_ = scratch_ / "charter";
  CharterFolder folder_{folder_path_};
  FakeClock clock_;
  FakeDialog dialog_;
  FakeBroker broker_;
};

}  // namespace amparo::committee
