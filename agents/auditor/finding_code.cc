#include <array>

#include "agents/auditor/report.h"

namespace amparo::auditor {
namespace {

constexpr std::array<const char*, 16> kCodeNames = {
    "leaf_mismatch",  "tile_missing",     "root_mismatch",    "bad_checkpoint",
    "quorum_missing", "inconsistent",     "bad_charter",      "bad_key_event",
    "bad_signature",  "opening_mismatch", "opening_missing",  "link_gap",
    "link_fork",      "not_covered",      "after_revocation", "late"};

}  // namespace

absl::string_view NameOf(FindingCode code) {
  return kCodeNames[static_cast<size_t>(code)];
}

bool IsFatal(FindingCode code) {
  switch (code) {
    case FindingCode::kLeafMismatch:
    case FindingCode::kTileMissing:
    case FindingCode::kRootMismatch:
    case FindingCode::kBadCheckpoint:
    case FindingCode::kQuorumMissing:
    case FindingCode::kInconsistent:
    case FindingCode::kBadCharter:
    case FindingCode::kOpeningMismatch:
      return true;
    default:
      return false;
  }
}

absl::string_view HowToCheck(FindingCode code) {
  switch (code) {
    case FindingCode::kLeafMismatch:
      return "SHA-256 of a zero byte and the entry (tile/entries), against its "
             "32 bytes in tile/0; the first byte of an entry is 1 or 2";
    case FindingCode::kTileMissing:
      return "list the folder: C2SP tlog-tiles says which tiles a log of that "
             "size has, and how long they are";
    case FindingCode::kRootMismatch:
      return "RFC 6962 tree hash of all entries, against the third line of the "
             "checkpoint";
    case FindingCode::kBadCheckpoint:
      return "C2SP signed note: its signature lines, by the log keys that the "
             "charter names";
    case FindingCode::kQuorumMissing:
      return "count the checkpoint's cosignature lines (C2SP tlog-cosignature) "
             "by witness keys of the charter that was in force before it";
    case FindingCode::kInconsistent:
      return "amparo-audit compare with both signed checkpoints: together they "
             "are the evidence";
    case FindingCode::kBadCharter:
      return "amparo-charter verify, with the charters of documents/; entry 0 "
             "holds the hash of version 1";
    case FindingCode::kBadKeyEvent:
      return "the JWS from byte 10 of the entry on: signed by the member's "
             "identity key or signing key, its seq one more than the last";
    case FindingCode::kBadSignature:
      return "the signature over the opening's bytes, by a key that the log "
             "names before this entry";
    case FindingCode::kOpeningMismatch:
      return "the commitment is SHA-256 of the label amparo/v1/leaf, the salt "
             "and the event, as docs/PROTOCOL.md says";
    case FindingCode::kOpeningMissing:
      return "look for the entry's index in openings/, and in the erasures "
             "that the timeline lists";
    case FindingCode::kLinkGap:
    case FindingCode::kLinkFork:
      return "in the headers of the same sender's key and recipient link_seq "
             "counts up by one, link_prev is the digest of the envelope before";
    case FindingCode::kNotCovered:
      return "section, recipient and purpose of the opening's envelope, "
             "against "
             "its grants and bases as they stood at this entry, and the "
             "charter's matrix (docs/PROTOCOL.md, Decision)";
    case FindingCode::kAfterRevocation:
      return "anchors of the opening has the revocation: its leaf is below "
             "this entry's";
    case FindingCode::kLate:
      return "amparo-audit show, for this entry and those it names: the time "
             "in "
             "bytes 1 to 8 never falls, and what ends an envelope comes once";
  }
  return "";
}

}  // namespace amparo::auditor
