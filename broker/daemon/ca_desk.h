#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/daemon/data_dir.h"
#include "proto/network/member.h"
#include "proto/network/network_file.h"

namespace amparo::broker {

// The network's CA in the running broker and, while it changes, the one that
// takes its place. Members get certificates of the newest; the ports show those
// of the old one until the switch. Thread-safe.
class CaDesk {
 public:
  // All must outlive it. `network` and the CAs are those of `data`.
  CaDesk(const DataDir& data, const NetworkFile& network, DataDir::Cas cas,
         const DataDir::LogKeys& log_keys, const Clock& clock);

  // A certificate of the newest CA; whether there may be one is Enrolment's to
  // say. Errors as CertifyMember.
  absl::StatusOr<std::string> Certify(const MemberId& member,
                                      absl::string_view csr_pem) const;

  // What members are told (CaNote), and that `member` asked, who came with this
  // certificate.
  std::string Note() const;
  void Met(const MemberId& member, absl::string_view certificate_pem);
  // Those of `members` that were not met with a certificate of the CA `ca_der`,
  // when it is the newest.
  std::vector<MemberId> Behind(const std::vector<MemberId>& members,
                               ByteView ca_der) const;

  // Whether members are told what `network` says.
  bool Tells(const NetworkFile& network) const;

  // Puts the present CAs into `network`.
  void FillIn(NetworkFile& network) const;

  // Reads the CAs of the directory again, after it changed.
  absl::Status Reload();

 private:
  struct State {
    NetworkFile network;
    DataDir::Cas cas;
    std::string note;

    const TlsKeyPair& newest() const {
      return cas.next ? *cas.next : cas.current;
    }
  };
  std::shared_ptr<const State> Now() const;
  void Take(const NetworkFile& network, DataDir::Cas cas);

  const DataDir& data_;
  const DataDir::LogKeys& log_keys_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const State> state_ ABSL_GUARDED_BY(mutex_);
  // Who came with a certificate of which CA, by the hash of that CA's.
  std::map<MemberId, Digest> met_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker
