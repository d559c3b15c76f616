#include "tests/support/test_charter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/jws.h"
#include "tests/support/status_matchers.h"

namespace amparo {

TestCommittee::TestCommittee() {
  for (int i = 0; i < 3; ++i) keys_.push_back(SigningKey::Generate());
}

Charter TestCommittee::Draft(const std::string& network,
                             const NoteVerifier& log,
                             std::vector<Member> members,
                             absl::Time now) const {
  Charter charter;
  charter.network = network;
  charter.version = 1;
  charter.title = "A protocol for tests";
  charter.expires = now + absl::Hours(400 * 24);
  charter.timezone = "Europe/Lisbon";
  charter.jurisdiction = "PT";
  charter.trust_delay = absl::ZeroDuration();
  charter.purposes = {"support", "safety", "health_care", "child_protection",
                      "criminal_proceedings"};
  charter.bases = {"A6-1-c", "A6-1-d", "A6-1-e", "A9-2-c", "A9-2-g", "A9-2-h", "LED-8"};
  charter.reason_codes = {"imminent_danger_life", "child_in_danger"};
  charter.suites_allowed = {1};
  charter.log_keys = {log};
  charter.governance_threshold = 2;
  // Each of another institution, whether it is a member or not yet.
  for (size_t i = 0; i < keys_.size(); ++i)
    charter.governance.push_back(
        {absl::StrCat("G", i + 1),
         VALUE_OF(MemberId::Parse(absl::StrCat("committee-", i + 1))),
         keys_[i].verify_key(), charter.expires});
  charter.members = std::move(members);
  return charter;
}

Charter TestCommittee::Successor(const AcceptedCharter& current) const {
  Charter next = current.charter;
  ++next.version;
  next.net = current.network_id;
  next.prev_hash = current.hash;
  return next;
}

std::string TestCommittee::Sign(const Charter& charter, size_t signers) const {
  MultiJws jws{DumpJson(EncodeCharter(charter)), {}};
  for (size_t i = 0; i < signers; ++i) AddSignature(jws, keys_[i], kCharterTyp);
  return FormatMultiJws(jws);
}

std::string TestCommittee::Sign(const Suspension& suspension,
                                size_t signers) const {
  MultiJws jws{DumpJson(EncodeSuspension(suspension)), {}};
  for (size_t i = 0; i < signers; ++i)
    AddSignature(jws, keys_[i], kSuspensionTyp);
  return FormatMultiJws(jws);
}

}  // namespace amparo
