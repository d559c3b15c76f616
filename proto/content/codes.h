#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// The closed lists of the protocol (docs/PROTOCOL.md, Codes). What decides
// something is an enum; what is only stated and counted is a code of a list.

namespace amparo {

enum class Priority { kImmediate, kEmergency, kUrgent, kRoutine };
absl::string_view NameOf(Priority priority);
std::optional<Priority> ParsePriority(absl::string_view name);

// Did the person agree? Apart from the legal basis, which may be another.
enum class Agreement { kGiven, kPartial, kRefused, kNotSought, kUnable };
absl::string_view NameOf(Agreement agreement);
std::optional<Agreement> ParseAgreement(absl::string_view name);

// Which way a provision lets sections go, seen from the grant's issuer.
enum class Direction { kSend, kReturn, kBoth };
absl::string_view NameOf(Direction direction);
std::optional<Direction> ParseDirection(absl::string_view name);

enum class Redisclosure { kForbidden, kAllowed };
absl::string_view NameOf(Redisclosure redisclosure);
std::optional<Redisclosure> ParseRedisclosure(absl::string_view name);

// What a recipient does with sections whose consent was revoked.
enum class ErasureAnswer { kDeleted, kKept };
absl::string_view NameOf(ErasureAnswer answer);
std::optional<ErasureAnswer> ParseErasureAnswer(absl::string_view name);

// What the transport knows of a referral to one recipient; never falls.
enum class Delivery {
  kQueued,
  kSubmitted,
  kDelivered,
  kOpened,
  kAcknowledged,
  kRecalled,  // an end
  kFailed,    // an end
};
absl::string_view NameOf(Delivery delivery);
std::optional<Delivery> ParseDelivery(absl::string_view name);

using CodeList = absl::Span<const absl::string_view>;
bool IsOneOf(CodeList codes, absl::string_view code);

CodeList Purposes();          // support safety ... ; a charter allows some
CodeList DeclineReasons();    // no_capacity waiting_list ...
CodeList Outcomes();          // goals_met service_delivered ...
CodeList BasisReasons();      // imminent_danger_life ... : --basis
CodeList ExclusionReasons();  // fear_of_harm ... ; of denials too
CodeList RiskLevels();        // low medium high extreme
CodeList ViolenceTypes();
CodeList Services();
CodeList Assertions();     // fact assessment hearsay
CodeList AbsentReasons();  // unknown refused not_asked not_applicable
CodeList AgeBands();       // 0-2 3-5 6-11 12-15 16-17 18-24 ... 65+
CodeList RevokedBy();      // subject guardian member court

// Whether `close` with this outcome leads to `not_completed`.
bool MeansNotCompleted(absl::string_view outcome);

}  // namespace amparo
