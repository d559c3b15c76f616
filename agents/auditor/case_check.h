#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/report.h"
#include "crypto/sd_jwt.h"
#include "proto/content/case_opening.h"
#include "proto/content/case_state.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/log_entry.h"

namespace amparo::auditor {

// Step 9: cases that their parties opened. Each document belongs to its entry;
// each section that went was covered by a grant or a basis, and by the matrix,
// as they stood at that entry: a grant logged before it, no revocation before
// it (docs/PROTOCOL.md, Opened cases). The only one of the auditor's parts that
// knows what a case is. One thread at a time.
class CaseCheck {
 public:
  // `network` as it stands at each entry. All must outlive this.
  CaseCheck(const std::vector<CaseOpening>& openings,
            const NetworkFold& network, Report& report);

  // Every opened event of the log, in leaf order, and between them each sealed
  // entry without opening, and each that stands in the open.
  void OnEvent(LeafIndex leaf, absl::Time time, const AuditEvent& event);
  void OnUnopened(LeafIndex leaf);
  void OnOpenEntry(LeafIndex leaf) { CheckUnopened(leaf, nullptr); }
  // After the last leaf.
  void Finish();

 private:
  struct Place {
    LeafIndex leaf;
    absl::Time time;
  };
  // A grant as all parties together tell it.
  struct Told {
    std::string jwt;
    std::vector<Disclosure> disclosures;
    bool anchored = false;           // somebody says where
    bool anchor_seen = false;        // and it was there
    bool known = false;              // at the entry that the walk is at
    std::optional<MemberId> issuer;  // of what is known
  };
  struct OpenCase {
    CaseState state;
    std::map<Digest, Told> grants;  // by digest
    std::vector<std::string> bases;
    std::set<std::string> bases_sent;  // that went with an envelope, provably
    // From whom to whom something went that nobody can recompute, or shows.
    std::set<std::pair<MemberId, MemberId>> hidden;
    // A party has an entry unopened that the log does not open either.
    bool hides_any = false;
    std::map<LeafIndex, Digest> mail;  // envelopes that are of this case
    // Who opened it, and how much of the log their openings know.
    std::map<MemberId, TreeSize> tellers;
    std::set<MemberId> behind;  // whose opening is older than another's
    std::set<std::pair<MemberId, LeafIndex>> tells;  // also what is unopened
    std::set<LeafIndex> counted;                     // envelopes in the row
    std::set<LeafIndex> undated;  // of these by a basis that is one's word
    OpenedCase* row = nullptr;
  };
  struct Item {
    OpenCase* open;
    const CaseOpening* opening;
    const OpenedAnchor* anchor = nullptr;
    const OpenedEnvelope* envelope = nullptr;
  };

  // An envelope that one end's opening leaves out.
  struct Missing {
    OpenCase* open;
    LeafIndex leaf;
    Digest digest;
    MemberId member, opener;
    bool got = false;  // it sent it, or signed that it came
    bool by_receipt = false;
  };
  // What of an envelope nothing covers, by code: which sections, and why.
  using Refused = std::map<FindingCode, std::pair<std::set<Slot>, std::string>>;
  // Grants that would cover a section: somebody says an entry of theirs that
  // the walk has not reached.
  using Awaited = std::map<Slot, std::vector<Told*>>;
  struct Accusation {
    FindingCode code;
    LeafIndex leaf;
    OpenCase* open;
    std::string who;  // sent it, and to whom
    std::set<Slot> slots;
    std::string why;
    Awaited awaited;
  };

  void Gather(const CaseOpening& opening);
  static void GatherContent(const OpenedEnvelope& envelope, OpenCase& open);
  // False: it is no grant.
  static bool GatherGrant(const std::string& text, OpenCase& open);
  void Add(FindingCode code, LeafIndex leaf, const std::string& text,
           const char* check = "");

  absl::Status CheckAnchor(const Place& at, const AnchorEvent& event,
                           const Item& item);
  absl::Status OnEnvelope(const Place& at, const EnvelopeEvent& event,
                          const Item& item, const std::vector<Item>& items);
  // False: nothing says that it is of the case.
  absl::StatusOr<bool> CheckEnvelope(const Place& at, const Header& header,
                                     const Item& item,
                                     const std::vector<Item>& items);
  // What openings list as unopened; `event`: null where it is no envelope.
  void CheckUnopened(LeafIndex leaf, const EnvelopeEvent* event);
  absl::Status CheckContent(const Place& at, const Header& header,
                            const Item& item);
  void CheckOthers(const Place& at, const Header& header, const Digest& digest,
                   const Item& item, const std::vector<Item>& items);
  // Where `delivered` names an envelope that its recipient's opening lacks.
  void OnReceipt(const Place& at, const std::string& token);
  // What the other end says of the envelope of `item`; null: nothing.
  static const OpenedEnvelope* OtherEnd(const Item& item,
                                        const std::vector<Item>& items);
  void CheckCovered(const Place& at, const Header& header, const Item& item,
                    const std::vector<Item>& items);
  Refused WhatIsRefused(const Place& at, const Header& header, const Item& item,
                        const CaseState& state) const;
  // What `state` covers by a basis and not by consent goes into the row.
  void TellBases(const Place& at, const Header& header, const Item& item,
                 const CaseState& state) const;
  void AddBases(const Place& at, const Header& header, const std::string& token,
                CaseState& state) const;
  Awaited WhatIsAwaited(const Place& at, const Header& header, const Item& item,
                        const CaseState& state, const Refused& refused);
  void Accuse(const Accusation& accusation);
  // Where there was no such entry, the grant's own date is all there is.
  void SettleAwaited();
  void CountProvisions();
  void ReportMissing();
  void LearnUndated(const Place& at, const MemberId& issuer, OpenCase& open);
  absl::Status Learn(const Place& at, const MemberId& issuer, Told& told,
                     OpenCase& open) const;
  // False: it is good, and nothing says that it is of the case.
  absl::StatusOr<bool> LearnDocument(const Place& at, const MemberId& issuer,
                                     const std::string& document,
                                     OpenCase& open);
  absl::StatusOr<bool> IsOfCase(const Place& at, const MemberId& issuer,
                                const std::string& receipt,
                                const OpenCase& open);
  KeyLookup KeysOf(const Place& at, const MemberId& member) const;

  const NetworkFold& network_;
  Report& report_;
  std::map<CaseId, OpenCase> cases_;
  std::map<LeafIndex, std::vector<Item>> items_;  // not reached yet
  std::set<LeafIndex> anchors_told_;
  // Not reached yet, of what openings list as unopened.
  std::map<LeafIndex, std::vector<std::pair<OpenCase*, const CaseOpening*>>>
      unopened_;
  std::vector<Missing> missing_;
  std::vector<Accusation> awaiting_;
  uint64_t unplaced_ = 0;          // documents that may be of any case
  std::vector<std::string> open_;  // why the step cannot say more
};

}  // namespace amparo::auditor
