#include "agents/institution/core/consent_rows.h"

#include "base/json.h"
#include "base/status.h"
#include "crypto/random.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr char kFormPrefix[] = "consent/form/";
constexpr char kEvidencePrefix[] = "consent/evidence/";

}  // namespace

void KeepConsent(const GrantId& id, const ConsentRecord& record, Batch& rows) {
  Json json;
  json["form"] = EncodeConsentForm(record.form);
  json["evidence"] =
      record.evidence_hash ? record.evidence_hash->ToString() : "";
  rows.Put(kFormPrefix + id.text(), AsBytes(DumpJson(json)));
}

absl::StatusOr<ConsentRecord> LoadConsent(const KeyValue& kv,
                                          const GrantId& id) {
  ASSIGN_OR_RETURN(const Bytes row, kv.Get(kFormPrefix + id.text()));
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(row)));
  ConsentRecord record;
  ASSIGN_OR_RETURN(record.form, DecodeConsentForm(json.at("form")));
  ASSIGN_OR_RETURN(const std::string hash, JsonString(json, "evidence"));
  if (!hash.empty()) {
    ASSIGN_OR_RETURN(record.evidence_hash, Digest::Parse(hash));
  }
  return record;
}

Digest KeepEvidence(const GrantId& id, ByteView evidence, Batch& rows) {
  const Bytes salt = RandomBytes(kSaltBytes);
  Bytes row = salt;
  Append(row, evidence);
  rows.Put(kEvidencePrefix + id.text(), row);
  return LabelledHash("amparo/v1/evidence")
      .Fixed(salt)
      .Variable(evidence)
      .Finish();
}

}  // namespace amparo::agent
