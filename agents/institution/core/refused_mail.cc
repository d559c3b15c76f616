#include "agents/institution/core/refused_mail.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/status.h"
#include "crypto/jws.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "in/quarantine/";
constexpr char kUnfoldedPrefix[] = "in/unfolded/";
constexpr size_t kLeafBytes = 8;
// After the leaf: nothing proves who sent it.
constexpr char kNobodys = '?';

std::string KeyOf(absl::string_view prefix, LeafIndex leaf) {
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  return absl::StrCat(prefix, AsText(suffix));
}

// A whole envelope, or its header alone.
std::optional<MemberId> SenderOf(ByteView bytes) {
  if (const auto envelope = DecodeEnvelope(bytes); envelope.ok())
    return envelope->header.sender;
  if (const auto header = DecodeHeader(bytes); header.ok())
    return header->sender;
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RefusedMail>> RefusedMail::Open(KeyValue& kv) {
  std::unique_ptr<RefusedMail> mail(new RefusedMail(kv));
  std::map<std::optional<MemberId>, Share> shares;
  RETURN_IF_ERROR(
      kv.Scan(kPrefix, "", [&](absl::string_view key, ByteView bytes) {
        const bool nobodys = key.size() > sizeof kPrefix - 1 + kLeafBytes;
        Share& share = shares[nobodys ? std::nullopt : SenderOf(bytes)];
        ++share.count;
        share.bytes += bytes.size();
        return true;
      }));
  MutexLock lock(mail->mutex_);
  mail->shares_ = std::move(shares);
  return mail;
}

bool RefusedMail::HasRoom(const std::optional<MemberId>& sender,
                          size_t bytes) const {
  MutexLock lock(mutex_);
  const auto share = shares_.find(sender);
  return share == shares_.end() ||
         (share->second.count < kPerSenderMax &&
          share->second.bytes + bytes <= kBytesPerSenderMax);
}

absl::Status RefusedMail::Keep(LeafIndex leaf,
                               const std::optional<MemberId>& sender,
                               ByteView bytes, Batch rows) {
  std::string key = KeyOf(kPrefix, leaf);
  if (!sender) key.push_back(kNobodys);
  rows.Put(key, bytes);
  RETURN_IF_ERROR(kv_.Write(rows));
  MutexLock lock(mutex_);
  Share& share = shares_[sender];
  ++share.count;
  share.bytes += bytes.size();
  return absl::OkStatus();
}

uint32_t RefusedMail::size() const {
  size_t count = 0;
  MutexLock lock(mutex_);
  for (const auto& [sender, share] : shares_) count += share.count;
  return static_cast<uint32_t>(count);
}

std::optional<std::set<CaseId>> CasesOf(const Payload* payload) {
  if (payload == nullptr) return std::nullopt;
  std::set<CaseId> cases;
  if (payload->case_id) cases.insert(*payload->case_id);
  const auto claims = PeekJwsPayload(payload->document, kDocumentBytesMax);
  const auto named = claims.ok() ? JsonString(*claims, "case")
                                 : absl::StatusOr<std::string>(claims.status());
  const auto id = named.ok() ? CaseId::Parse(*named)
                             : absl::StatusOr<CaseId>(named.status());
  if (id.ok()) cases.insert(*id);
  return cases;
}

void NoteUnfolded(LeafIndex leaf, const MemberId& sender,
                  const std::optional<std::set<CaseId>>& cases, Batch& rows) {
  if (cases && cases->empty()) return;
  Json row;
  row["from"] = sender.text();
  row["cases"] = Json::array();
  if (cases)
    for (const CaseId& id : *cases) row["cases"].push_back(id.text());
  rows.Put(KeyOf(kUnfoldedPrefix, leaf), AsBytes(DumpJson(row)));
}

void ForgetUnfolded(LeafIndex leaf, Batch& rows) {
  rows.Delete(KeyOf(kUnfoldedPrefix, leaf));
}

absl::StatusOr<std::vector<LeafIndex>> UnfoldedOf(const KeyValue& kv,
                                                  const CaseState& state) {
  std::vector<LeafIndex> leaves;
  absl::Status broken;
  RETURN_IF_ERROR(
      kv.Scan(kUnfoldedPrefix, "", [&](absl::string_view key, ByteView value) {
        key.remove_prefix(sizeof kUnfoldedPrefix - 1);
        const auto row = ParseJson(AsText(value));
        const auto from = row.ok() ? JsonString(*row, "from")
                                   : absl::StatusOr<std::string>(row.status());
        const auto sender = from.ok() ? MemberId::Parse(*from)
                                      : absl::StatusOr<MemberId>(from.status());
        if (key.size() != kLeafBytes || !sender.ok() ||
            !row->contains("cases") || !row->at("cases").is_array()) {
          broken = absl::DataLossError("a note of refused mail cannot be read");
          return false;
        }
        const Json& cases = row->at("cases");
        bool of_case = cases.empty() && state.parties.contains(*sender);
        for (const Json& id : cases) of_case |= id == state.case_id.text();
        if (of_case) leaves.emplace_back(ReadU64(AsBytes(key)));
        return true;
      }));
  RETURN_IF_ERROR(broken);
  return leaves;
}

}  // namespace amparo::agent
