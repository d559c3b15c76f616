#include "agents/auditor/access_check.h"

namespace amparo::auditor {

absl::string_view NameOf(AccessFault fault) {
  switch (fault) {
    case AccessFault::kMalformed:
      return "malformed";
    case AccessFault::kOutOfPlace:
      return "out_of_place";
    case AccessFault::kForeign:
      return "foreign";
    case AccessFault::kAfterAnchor:
      return "after_anchor";
    case AccessFault::kBeforeAnchor:
      return "before_anchor";
    case AccessFault::kChanged:
      return "changed";
    case AccessFault::kTruncated:
      return "truncated";
    case AccessFault::kBadCheckpoint:
      return "bad_checkpoint";
  }
  return "";
}

absl::string_view HowToCheck(AccessFault fault) {
  switch (fault) {
    case AccessFault::kMalformed:
      return "read the line: docs/PROTOCOL.md, Access log export, says what a "
             "record is";
    case AccessFault::kOutOfPlace:
      return "records are numbered from 0, without a gap";
    case AccessFault::kForeign:
      return "compare `affiliation` of the record and of the others";
    case AccessFault::kAfterAnchor:
    case AccessFault::kBeforeAnchor:
      return "compare `at` of the record with the time of the network's entry "
             "(amparo-audit show)";
    case AccessFault::kChanged:
      return "RFC 6962 tree hash of the file's lines without their newlines, "
             "against the third line of the checkpoint";
    case AccessFault::kTruncated:
      return "count the file's lines, against the second line of the "
             "checkpoint";
    case AccessFault::kBadCheckpoint:
      return "the file's last line; C2SP signed note, by a key of the "
             "institution's key events";
  }
  return "";
}

}  // namespace amparo::auditor
