#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "crypto/keys.h"
#include "proto/network/charter.h"
#include "proto/network/suspension.h"

namespace amparo {

// A steering committee: three governance keys, two of which suffice. Makes
// charters for the tests. One thread at a time.
class TestCommittee {
 public:
  TestCommittee();

  // A draft of version 1 with what a charter needs; members are the caller's.
  Charter Draft(const std::string& network, const NoteVerifier& log,
                std::vector<Member> members, absl::Time now) const;
  // The draft of what follows `current`, the same in all but its place.
  Charter Successor(const AcceptedCharter& current) const;
  // Signed by `signers` of the three keys.
  std::string Sign(const Charter& charter, size_t signers = 2) const;
  std::string Sign(const Suspension& suspension, size_t signers = 2) const;

 private:
  std::vector<SigningKey> keys_;
};

}  // namespace amparo
