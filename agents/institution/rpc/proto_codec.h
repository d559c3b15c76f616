#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/views.h"
#include "amparo/agent/v1/agent.pb.h"

namespace amparo::agent {

// Views as messages of agent.proto. Times as Unix seconds, 0 where there is
// none.
uint64_t ToSeconds(absl::Time time);

v1::RecipientState ToProto(const RecipientState& state);
v1::SectionDecision ToProto(const SectionDecision& decision);
v1::RecipientDecision ToProto(const RecipientDecision& decision);
v1::ReferralRow ToProto(const ReferralRow& row);
v1::SectionView ToProto(const SectionView& section);
v1::EventView ToProto(const EventView& event);
v1::ReferralView ToProto(const ReferralView& view);
v1::ReferralChange ToProto(const ReferralChange& change);
v1::SendResponse ToProto(const SendOutcome& outcome);
v1::InboxItem ToProto(const InboxItem& item);
v1::InboxResponse ToProto(const InboxView& inbox);
v1::ConsentAccess ToProto(const ConsentAccess& access);
v1::ConsentView ToProto(const ConsentView& consent);
v1::RevokedRecipient ToProto(const RevokedRecipient& recipient);
v1::RevokeConsentResponse ToProto(const RevokeOutcome& outcome);
v1::RecordConsentResponse ToRecordProto(const ConsentView& consent);
v1::CaseRow ToProto(const CaseRow& row);
v1::CaseView ToProto(const CaseView& view);
v1::OfficerView ToProto(const Officer& officer);

// Every item of `items`, converted.
template <typename Message, typename Item>
void Fill(google::protobuf::RepeatedPtrField<Message>& out,
          const std::vector<Item>& items) {
  for (const Item& item : items) *out.Add() = ToProto(item);
}

// Repeated strings, copied.
std::vector<std::string> TextsOf(
    const google::protobuf::RepeatedPtrField<std::string>& texts);

}  // namespace amparo::agent
