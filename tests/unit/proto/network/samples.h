#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/jws.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "proto/network/charter.h"
#include "tests/unit/proto/samples.h"

// A network for the tests: five governance keys (the first two of one
// institution), a threshold of three, and members that are added at will.

namespace amparo {

class TestNetwork {
 public:
  TestNetwork() {
    const char* holders[] = {"gnr", "gnr", "mp", "uls", "cpcj"};
    for (int i = 0; i < 5; ++i) {
      governance_.push_back(SigningKey::Generate());
      draft.governance.push_back({"G" + std::to_string(i + 1), Id(holders[i]),
                                  governance_.back().verify_key(),
                                  kNoon + absl::Hours(24 * 1000)});
    }
    draft.network = "pt-exemplo";
    draft.version = 1;
    draft.title = "Protocolo de Exemplo";
    draft.expires = kNoon + absl::Hours(24 * 365);
    draft.timezone = "Europe/Lisbon";
    draft.jurisdiction = "PT";
    draft.trust_delay = absl::Hours(24);
    draft.purposes = {"support", "safety"};
    draft.suites_allowed = {1};
    draft.log_keys = {
        VALUE_OF(NoteVerifier::Create("pt-exemplo", NoteKeyType::kEd25519,
                                      SigningKey::Generate().verify_key()))};
    draft.governance_threshold = 3;
    draft.deadlines["immediate"] = {absl::Minutes(15), absl::Hours(2)};
    draft.deadlines["urgent"] = {absl::Hours(24), std::nullopt};
    draft.matrix[MemberKind::kPolice] = {{"identity", 'F'}, {"narrative", '-'}};
    for (const char* name : {"gnr", "ong"}) AddMember(name);
  }

  // An invited member of the draft.
  Member& AddMember(const std::string& name) {
    draft.members.push_back({Id(name),
                             name + " (exemplo)",
                             MemberKind::kPolice,
                             std::nullopt,
                             {"PT-13"},
                             "Referente",
                             MemberStatus::kInvited,
                             kNoon,
                             std::nullopt,
                             std::nullopt});
    return draft.members.back();
  }

  Member& InDraft(const std::string& name) {
    for (Member& member : draft.members)
      if (member.id.text() == name) return member;
    throw std::runtime_error("no such member");
  }

  // Makes `name` active, with a fresh identity key, in the draft.
  const SigningKey& Activate(const std::string& name) {
    const auto [key, added] =
        identities_.insert_or_assign(name, SigningKey::Generate());
    InDraft(name).status = MemberStatus::kActive;
    InDraft(name).identity_key = key->second.verify_key();
    return key->second;
  }
  const SigningKey& identity(const std::string& name) const {
    return identities_.at(name);
  }

  const SigningKey& governance(int number) const {
    return governance_[static_cast<size_t>(number) - 1];
  }

  // The draft, signed by the governance keys of these numbers (from 1).
  std::string Sign(const std::vector<int>& by) const {
    MultiJws jws{DumpJson(EncodeCharter(draft)), {}};
    for (const int number : by)
      AddSignature(jws, governance(number), kCharterTyp);
    return FormatMultiJws(jws);
  }

  AcceptedCharter Found() {
    const std::string document = Sign({1, 3, 4});
    return VALUE_OF(AcceptFirstCharter(document, Sha256(document), kNoon));
  }

  // Turns the draft into the one after `current`.
  void Follow(const AcceptedCharter& current) {
    draft.version = current.charter.version + 1;
    draft.net = current.network_id;
    draft.prev_hash = current.hash;
  }

  AcceptedCharter Next(const AcceptedCharter& current) {
    Follow(current);
    return VALUE_OF(AcceptNextCharter(Sign({1, 3, 4}), current, kNoon));
  }

  Charter draft;

 private:
  std::vector<SigningKey> governance_;
  std::map<std::string, SigningKey> identities_;
};

}  // namespace amparo
