#include "broker/core/charter_desk.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/secret.h"
#include "proto/network/charter.h"
#include "proto/network/standings.h"
#include "proto/network/suspension.h"

namespace amparo::broker {
namespace {

// A governance key must outlive the moment between the check and the leaf.
constexpr absl::Duration kCommitMargin = absl::Seconds(30);

absl::Status CheckLog(const Charter& charter, const NoteVerifier& log) {
  const bool named =
      std::any_of(charter.log_keys.begin(), charter.log_keys.end(),
                  [&](const NoteVerifier& key) {
                    return key.name() == log.name() && key.key() == log.key();
                  });
  if (charter.network == log.name() && named) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the charter is not for this broker's network and log key",
                   {.code = "invalid_form", .field = "log"});
}

absl::Status CheckFounding(const Store& store, ByteView token) {
  const absl::StatusOr<Digest> expected = store.FoundingToken();
  if (expected.ok() && EqualSecret(Sha256(token).bytes(), expected->bytes()))
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "version 1 needs the founding token that init wrote",
                   {.code = "verification_failed", .field = "founding_token"});
}

absl::Status NotNext(uint64_t version) {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("the next charter has version ", version),
                   {.code = "invalid_state", .field = "version"});
}

// Whether `document` would be accepted with a leaf of this time.
absl::Status CheckAt(const Network& network, const std::string& document,
                     absl::Time at) {
  if (network.charter)
    return AcceptNextCharter(document, *network.charter, at).status();
  return AcceptFirstCharter(document, Sha256(document), at).status();
}

// Whoever gives a suspended member a new date means to lift the suspension: by
// a clock that is behind, it would lift nothing, and nobody would be told.
absl::Status CheckLifts(const Network& network, const Charter& next,
                        absl::Time now) {
  if (!network.charter) return absl::OkStatus();
  Standings after = network.keys.standings();
  after.SetCharter(next, LeafIndex(std::numeric_limits<uint64_t>::max()));
  for (const Member& member : next.members) {
    const Member* const before = network.charter->charter.Find(member.id);
    if (before == nullptr || member.since == before->since ||
        member.status != MemberStatus::kActive ||
        !after.SuspendedUntil(member.id, now))
      continue;
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("the new since of ", member.id.text(), ", ",
                     FormatUtc(member.since),
                     ", lies before its suspension by two keys and would lift "
                     "nothing"),
        {.code = "invalid_state",
         .field = "since",
         .hint = "reinstate anew, with a later --since: the clock of who "
                 "drafted it was behind"});
  }
  return absl::OkStatus();
}

}  // namespace

CharterDesk::CharterDesk(Store& store, const Directory& directory,
                         Ledger& ledger, NoteVerifier log, const Clock& clock)
    : store_(store),
      directory_(directory),
      ledger_(ledger),
      log_(std::move(log)),
      clock_(clock) {}

absl::Time CharterDesk::LeafTime() const {
  return TimeFromUnix(UnixSeconds(std::max(clock_.Now(), store_.Head().time)));
}

// Whether `document` may be logged next, a moment from now as well.
absl::Status CharterDesk::CheckNext(const Network& network,
                                    const std::string& document,
                                    uint64_t version,
                                    ByteView founding_token) const {
  const uint64_t next =
      network.charter ? network.charter->charter.version + 1 : 1;
  if (version != next) return NotNext(next);
  if (!network.charter) RETURN_IF_ERROR(CheckFounding(store_, founding_token));
  RETURN_IF_ERROR(CheckAt(network, document, LeafTime()));
  return CheckAt(network, document, LeafTime() + kCommitMargin);
}

void CharterDesk::Publish(std::string document, Bytes founding_token,
                          PublishedDone done) {
  const absl::StatusOr<Charter> charter = PeekCharter(document);
  if (!charter.ok()) return done(charter.status());
  if (absl::Status status = CheckLog(*charter, log_); !status.ok())
    return done(std::move(status));
  const uint64_t version = charter->version;
  ledger_.Submit(
      [this, version, next = *charter, document = std::move(document),
       token = std::move(founding_token)](
          const Network& network) -> absl::StatusOr<Op> {
        Op op;
        op.action = amparo::broker::Publish{
            absl::StrCat("charter/", version),
            CharterEntry{version, Sha256(document)}, document};
        absl::Status status = CheckNext(network, document, version, token);
        if (status.ok()) status = CheckLifts(network, next, LeafTime());
        if (status.ok()) return op;
        return UnlessLogged(store_, std::move(op), std::move(status));
      },
      [version, done = std::move(done)](absl::StatusOr<LeafReceipt> receipt) {
        if (!receipt.ok()) return done(receipt.status());
        done(Published{version, receipt->leaf});
      });
}

void CharterDesk::Suspend(std::string document, LoggedDone done) {
  const absl::StatusOr<Suspension> suspension = PeekSuspension(document);
  if (!suspension.ok()) return done(suspension.status());
  ledger_.Submit(
      [this, document = std::move(document)](
          const Network& network) -> absl::StatusOr<Op> {
        Op op;
        op.action = amparo::broker::Publish{
            absl::StrCat("suspension/", Sha256(document).ToString()),
            SuspensionEntry{document}, ""};
        absl::Status status =
            network.keys.CheckSuspension(document, LeafTime());
        if (status.ok())
          status = network.keys.CheckSuspension(document,
                                                LeafTime() + kCommitMargin);
        if (status.ok()) return op;
        return UnlessLogged(store_, std::move(op), std::move(status));
      },
      [done = std::move(done)](absl::StatusOr<LeafReceipt> receipt) {
        if (!receipt.ok()) return done(receipt.status());
        done(receipt->leaf);
      });
}

absl::StatusOr<std::string> CharterDesk::Document(uint64_t version) const {
  const std::shared_ptr<const Network> network = directory_.Current();
  if (network->charter && version == 0) return network->charter->document;
  for (const auto& [hash, known] : network->versions)
    if (known == version) return store_.Document(hash);
  return MakeError(absl::StatusCode::kNotFound, "no such charter version",
                   {.code = "not_found"});
}

}  // namespace amparo::broker
