#include "agents/institution/core/referral_event.h"

#include <utility>

#include "base/status.h"
#include "proto/content/event_document.h"

namespace amparo::agent {

absl::Status AddReferralEvent(Outbox& outbox, const SigningKey& key,
                              const Digest& net, absl::Time now,
                              const MemberId& self,
                              const PeerReferral& referral, EventKind kind,
                              const std::string& code, const EventId& id,
                              CaseChange& change) {
  const MemberId& peer = referral.peer(self);
  ASSIGN_OR_RETURN(std::string token,
                   SignEvent(EventDocument{.net = net,
                                           .issuer = self,
                                           .at = now,
                                           .event_id = id,
                                           .kind = kind,
                                           .case_id = referral.case_id,
                                           .referral_id = referral.referral_id,
                                           .code = code},
                             key));
  change.events.push_back({.id = id,
                           .case_id = referral.case_id,
                           .from = self,
                           .to = peer,
                           .at = now,
                           .leaf = std::nullopt,
                           .envelope = std::nullopt,
                           .body = Answered{kind, referral.referral_id, code}});
  outbox.Add({.recipient = peer,
              .kind = kind,
              .case_id = referral.case_id,
              .event_id = id,
              .sections = {},
              .content_of = std::nullopt,
              .document = std::move(token)},
             change.rows);
  return absl::OkStatus();
}

}  // namespace amparo::agent
