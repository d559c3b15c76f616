#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

// Every maximum of the protocol, in one place; units in the names.

namespace amparo {

inline constexpr size_t kHeaderBytesMax = 1024;  // and 40 for each blob
inline constexpr size_t kHeaderBytesPerBlob = 40;
inline constexpr size_t kPayloadBytesMax = 1 << 20;
inline constexpr size_t kPaddedBytesMin = 1024;
// The highest number of a link; as the end of a range, whatever there is.
inline constexpr uint64_t kLinkMax = uint64_t{1} << 62;
// A padded payload of the largest size, its tag, header, enc and signature.
inline constexpr size_t kEnvelopeBytesMax = 1179648;
inline constexpr size_t kDocumentBytesMax = 256 << 10;
inline constexpr size_t kGrantBytesMax = 64 << 10;
inline constexpr size_t kReceiptBytesMax = 4096;
inline constexpr size_t kAnchorBytesMax = 512;
inline constexpr size_t kDisclosuresMax = 32;
inline constexpr size_t kGrantsMax = 16;
inline constexpr size_t kBlobsMax = 16;
inline constexpr size_t kOpeningBytesMax = 8192;
inline constexpr size_t kEncBytes = 32;
inline constexpr size_t kSaltBytes = 32;
// An attachment of 1 GiB with what its chunks add.
inline constexpr uint64_t kBlobBytesMax = (uint64_t{1} << 30) + (1 << 20);

inline constexpr int64_t kUnixSecondsMax = 253402300799;  // end of year 9999
inline constexpr absl::Duration kEnvelopeLifeMax = absl::Hours(14 * 24);
inline constexpr absl::Duration kCreatedBefore = absl::Minutes(10);
inline constexpr absl::Duration kCreatedAfter = absl::Minutes(5);

inline constexpr absl::Duration kPrekeyLife = absl::Hours(7 * 24);
inline constexpr absl::Duration kPrekeySuccessorGrace = absl::Hours(1);
inline constexpr absl::Duration kPrekeyDestroyAfter = absl::Hours(2);
inline constexpr absl::Duration kPrekeyDestroyLatest = absl::Hours(21 * 24);
inline constexpr absl::Duration kSigningKeyLife = absl::Hours(90 * 24);
inline constexpr absl::Duration kSigningKeyRotateAfter = absl::Hours(60 * 24);

inline constexpr absl::Duration kResendAfterGap = absl::Seconds(60);
inline constexpr absl::Duration kHeartbeatEvery = absl::Hours(24);
inline constexpr absl::Duration kHeartbeatContact = absl::Hours(30 * 24);
// No quorum of witnesses for so long.
inline constexpr absl::Duration kUnwitnessedAlarm = absl::Minutes(10);
inline constexpr absl::Duration kClockAlarm = absl::Minutes(5);
inline constexpr absl::Duration kClockStop = absl::Hours(1);
inline constexpr absl::Duration kCheckpointAgeAlarm = absl::Hours(24);
inline constexpr absl::Duration kCheckpointAgeStop = absl::Hours(72);
inline constexpr absl::Duration kOldLogConfirmed = absl::Hours(24);
inline constexpr absl::Duration kCharterExpiryAlarm = absl::Hours(60 * 24);
inline constexpr absl::Duration kCharterGrace = absl::Hours(30 * 24);
// Ids of envelopes taken in are kept so long after `expires`.
inline constexpr absl::Duration kSeenAfterExpiry = absl::Hours(24);

// The broker's lists and queues.
inline constexpr size_t kCommitBatchMax = 256;
inline constexpr size_t kCommitBatchBytesMax = 4 << 20;
inline constexpr size_t kCommitQueueMax = 4096;
inline constexpr uint32_t kPageEntriesMax = 1024;

}  // namespace amparo
