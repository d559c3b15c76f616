#include "agents/institution/core/intake.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/log_entry.h"

// The receipts this agent owes: signed and stored with what they acknowledge,
// sent until the broker has logged them.

namespace amparo::agent {
namespace {

constexpr char kReceiptPrefix[] = "in/receipt/";

}  // namespace

absl::Status Intake::AddReceipt(ReceiptKind kind, const Envelope& envelope,
                                LeafIndex leaf, Batch& rows) const {
  const auto signer = books_.keys.Signer();
  if (!signer.ok()) return absl::UnavailableError("no signing key in force");
  const std::string token =
      SignReceipt(Receipt{.net = envelope.header.network_id,
                          .issuer = books_.keys.self(),
                          .audience = envelope.header.sender,
                          .at = TimeFromUnix(UnixSeconds(books_.clock.Now())),
                          .jti = EventId::New(),
                          .kind = kind,
                          .digest = EnvelopeDigest(envelope),
                          .leaf = leaf},
                  *signer);
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  rows.Put(absl::StrCat(kReceiptPrefix, AsText(suffix)), AsBytes(token));
  return absl::OkStatus();
}

absl::Status Intake::SendReceipts() {
  MutexLock turn(turn_);
  if (!books_.time.MayPublish().ok()) return absl::OkStatus();  // they wait
  std::vector<std::pair<std::string, std::string>> due;
  RETURN_IF_ERROR(books_.kv.Scan(
      kReceiptPrefix, "", [&](absl::string_view key, ByteView token) {
        due.emplace_back(std::string(key), ToText(token));
        return true;
      }));
  for (const auto& [key, token] : due) {
    if (!books_.log.MayGive()) return absl::OkStatus();
    const auto receipt = books_.broker.Acknowledge(token);
    if (absl::IsUnavailable(receipt.status()) ||
        absl::IsDeadlineExceeded(receipt.status()) ||
        absl::IsResourceExhausted(receipt.status()) ||
        ErrorCodeOf(receipt.status()) == "member_suspended")  // may come back
      return receipt.status();
    Batch rows;
    rows.Delete(key);
    if (receipt.ok()) {
      RETURN_IF_ERROR(books_.promises.Keep(
          *receipt, EncodeAuditEvent(ReceiptEvent{token}), rows));
    } else {
      LogEvent(EventLevel::kWarning, "receipt_refused",
               {{"status_code", static_cast<int>(receipt.status().code())}});
    }
    RETURN_IF_ERROR(books_.kv.Write(rows));
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent
