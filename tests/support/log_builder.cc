#include "tests/support/log_builder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "crypto/compact_range.h"
#include "crypto/random.h"
#include "crypto/tile.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"
#include "proto/network/witnesses.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

constexpr char kNetwork[] = "test-example";
constexpr size_t kBundle = 256;

MemberKind KindOf(const std::string& id) {
  static const std::map<std::string, MemberKind> kKinds = {
      {"gnr", MemberKind::kPolice},
      {"mp", MemberKind::kProsecutor},
      {"uls", MemberKind::kHealth},
      {"cpcj", MemberKind::kChildProtection},
      {"auditor", MemberKind::kAuditor}};
  const auto found = kKinds.find(id);
  return found == kKinds.end() ? MemberKind::kVictimSupport : found->second;
}

// Not base/files.h: a test need not survive a power cut.
void Put(const std::string& folder, const std::string& name,
         absl::string_view content) {
  const std::filesystem::path path = absl::StrCat(folder, "/", name);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

LogBuilder::LogBuilder(const std::vector<std::string>& members)
    : now(TimeFromUnix(1795262400)), log_key_(SigningKey::Generate()) {
  Charter charter;
  charter.network = kNetwork;
  charter.version = 1;
  charter.title = "Protocol of the test";
  charter.expires = now + absl::Hours(24 * 365);
  charter.timezone = "Europe/Lisbon";
  charter.jurisdiction = "PT";
  charter.suites_allowed = {1};
  charter.log_keys = {VALUE_OF(NoteVerifier::Create(
      kNetwork, NoteKeyType::kEd25519, log_key_.verify_key()))};
  for (const std::string& id : members) {
    const MemberId member = VALUE_OF(MemberId::Parse(id));
    charter.members.push_back({member,
                               id,
                               KindOf(id),
                               std::nullopt,
                               {},
                               "",
                               MemberStatus::kInvited,
                               now,
                               std::nullopt,
                               std::nullopt});
    members_.emplace(
        id, LogMember{member, SigningKey::Generate(), SigningKey::Generate(),
                      SigningKey::Generate(), OpeningKey::Generate()});
    governance_.push_back(SigningKey::Generate());
    charter.governance.push_back({absl::StrCat("G", governance_.size()), member,
                                  governance_.back().verify_key(),
                                  now + absl::Hours(24 * 1000)});
  }
  charter.governance_threshold = 2;
  const std::string document = SignCharter(charter, 2);
  root_ = Sha256(document);
  charters_.push_back(VALUE_OF(AcceptFirstCharter(document, root_, now)));
  network_id_ = charters_.back().network_id;
  documents[root_] = document;
  Add({now, CharterEntry{1, root_}});
  AddCharter([this](Charter& next) {
    for (Member& entry : next.members) {
      const LogMember& keys = member(entry.id.text());
      entry.status = MemberStatus::kActive;
      entry.identity_key = keys.identity.verify_key();
      if (HasMailbox(entry.kind)) entry.witness_key = keys.witness.verify_key();
    }
  });
  for (const std::string& id : members) {
    if (!HasMailbox(KindOf(id))) continue;
    AddSigningKey(id, false);
    AddPrekey(id);
  }
}

LogMember& LogBuilder::member(const std::string& id) { return members_.at(id); }

LeafIndex LogBuilder::Add(LogEntry entry) {
  now += absl::Seconds(1);
  entry.time = now;
  entries.push_back(EncodeLogEntry(entry));
  return LeafIndex(entries.size() - 1);
}

LeafIndex LogBuilder::AddEvent(const AuditEvent& event) {
  Opened opened{RandomBytes(kSaltBytes), EncodeAuditEvent(event)};
  const LeafIndex leaf =
      Add({now, CommitmentEntry{LeafCommitment(opened.salt, opened.event)}});
  openings[leaf.value()] = std::move(opened);
  return leaf;
}

std::string LogBuilder::SignCharter(const Charter& charter,
                                    size_t signers) const {
  MultiJws jws{DumpJson(EncodeCharter(charter)), {}};
  for (size_t i = 0; i < signers; ++i)
    AddSignature(jws, governance_.at(i), kCharterTyp);
  return FormatMultiJws(jws);
}

LeafIndex LogBuilder::AddCharter(const Edit<Charter>& edit, size_t signers) {
  Charter next = charters_.back().charter;
  ++next.version;
  next.net = network_id_;
  next.prev_hash = charters_.back().hash;
  if (edit) edit(next);
  const std::string document = SignCharter(next, signers);
  const Digest hash = Sha256(document);
  documents[hash] = document;
  if (auto accepted = AcceptNextCharter(document, charters_.back(),
                                        now + absl::Seconds(1));
      accepted.ok())
    charters_.push_back(*std::move(accepted));
  return Add({now, CharterEntry{next.version, hash}});
}

LeafIndex LogBuilder::AddSuspension(const std::string& id,
                                    const Edit<Suspension>& edit,
                                    size_t signers) {
  Suspension suspension{network_id_, charters_.back().hash, member(id).id, now,
                        now + kSuspensionLifeMax};
  if (edit) edit(suspension);
  MultiJws jws{DumpJson(EncodeSuspension(suspension)), {}};
  for (size_t i = 0; i < signers; ++i)
    AddSignature(jws, governance_.at(i), kSuspensionTyp);
  return Add({now, SuspensionEntry{FormatMultiJws(jws)}});
}

LeafIndex LogBuilder::AddKeyEvent(LogMember& member, KeyEvent event,
                                  const SigningKey& signer) {
  const std::string document = SignKeyEvent(event, signer);
  member.key_seq = event.seq;
  member.key_head = Sha256(document);
  return Add({now, KeyEventEntry{document}});
}

LeafIndex LogBuilder::AddSigningKey(const std::string& id, bool vouched) {
  LogMember& keys = member(id);
  SigningKey fresh = SigningKey::Generate();
  KeyEvent event{network_id_,           keys.id,
                 keys.key_seq + 1,      keys.key_head,
                 charter().hash,        KeyEventKind::kSigning,
                 fresh.verify_key(),    now,
                 now + kSigningKeyLife, std::nullopt};
  if (vouched) event.vouched_by_old = VouchForKey(event, keys.signing);
  keys.signing = std::move(fresh);
  return AddKeyEvent(keys, std::move(event), keys.identity);
}

LeafIndex LogBuilder::AddPrekey(const std::string& id) {
  LogMember& keys = member(id);
  keys.prekey = OpeningKey::Generate();
  return AddKeyEvent(
      keys,
      {network_id_, keys.id, keys.key_seq + 1, keys.key_head, charter().hash,
       KeyEventKind::kPrekey, keys.prekey.sealing_key(), now, now + kPrekeyLife,
       std::nullopt},
      keys.signing);
}

LeafIndex LogBuilder::AddRevocation(const std::string& id) {
  LogMember& keys = member(id);
  return AddKeyEvent(
      keys,
      {network_id_, keys.id, keys.key_seq + 1, keys.key_head, charter().hash,
       KeyEventKind::kRevoke, keys.signing.verify_key(), now,
       now + kSigningKeyLife, std::nullopt},
      keys.identity);
}

LeafIndex LogBuilder::AddEnvelope(const std::string& from,
                                  const std::string& to,
                                  const Edit<Header>& edit) {
  const LogMember& sender = member(from);
  const LogMember& recipient = member(to);
  auto& [seq, prev] =
      links_[{sender.signing.verify_key().Thumbprint(), recipient.id}];
  const Bytes enc = RandomBytes(32);
  const Bytes ciphertext = RandomBytes(CiphertextSize(100));
  Header header{kSuite1,
                network_id_,
                EnvelopeId::New(),
                charter().hash,
                sender.id,
                sender.signing.verify_key().Thumbprint(),
                recipient.id,
                recipient.prekey.sealing_key().Id(),
                now,
                now + absl::Hours(24),
                ciphertext.size(),
                {},
                seq + 1,
                prev,
                Sha256("anchor")};
  if (edit) edit(header);
  const Bytes bytes = EncodeHeader(header);
  const Digest body = BodyDigest(enc, ciphertext);
  const Digest digest = EnvelopeDigest(bytes, body);
  seq = header.link_seq;
  prev = digest;
  const LeafIndex leaf = AddEvent(
      EnvelopeEvent{bytes, body, SignEnvelope(sender.signing, digest)});
  digests_[leaf] = digest;
  headers_.emplace(leaf, std::move(header));
  return leaf;
}

LeafIndex LogBuilder::AddAnchor(const std::string& id) {
  const LogMember& keys = member(id);
  const SignedAnchor anchor =
      SignAnchor({network_id_, keys.id, keys.signing.verify_key().Thumbprint(),
                  now, Sha256("document")},
                 keys.signing);
  return AddEvent(AnchorEvent{anchor.anchor_bytes, anchor.signature});
}

LeafIndex LogBuilder::AddReceipt(LeafIndex envelope, ReceiptKind kind,
                                 const Edit<Receipt>& edit) {
  const Header& header = headers_.at(envelope);
  Receipt receipt{
      network_id_, header.recipient,      header.sender, now, EventId::New(),
      kind,        digests_.at(envelope), envelope};
  if (edit) edit(receipt);
  return AddEvent(ReceiptEvent{
      SignReceipt(receipt, member(header.recipient.text()).signing)});
}

LeafIndex LogBuilder::AddRecall(LeafIndex envelope, const Edit<Recall>& edit) {
  const Header& header = headers_.at(envelope);
  Recall recall{network_id_, header.sender, header.envelope_id,
                digests_.at(envelope), now};
  if (edit) edit(recall);
  return AddEvent(
      RecallEvent{SignRecall(recall, member(header.sender.text()).signing)});
}

LeafIndex LogBuilder::AddExpiry(LeafIndex envelope) {
  return AddEvent(ExpiryEvent{digests_.at(envelope)});
}

LeafIndex LogBuilder::AddErasure(const std::string& id,
                                 std::vector<LeafIndex> leaves,
                                 ErasureAuthority authority) {
  const LogMember& keys = member(id);
  return AddEvent(ErasureEvent{SignErasure(
      {network_id_, keys.id, now, authority, std::move(leaves)},
      keys.signing)});
}

std::string LogBuilder::SignedCheckpoint() const {
  return SignedCheckpoint(witnesses);
}

std::string LogBuilder::SignedCheckpoint(
    const std::vector<std::string>& cosigners) const {
  CompactRange range;
  for (const Bytes& entry : entries) range.Append(LeafHash(entry));
  const std::string note = VALUE_OF(amparo::SignCheckpoint(
      {kNetwork, range.size(), range.Root(), {}}, log_key_));
  Note cosigned = VALUE_OF(ParseNote(note));
  for (const std::string& id : cosigners) {
    const LogMember& witness = members_.at(id);
    cosigned.signatures.push_back(VALUE_OF(
        CosignCheckpoint(cosigned.text, WitnessName(kNetwork, witness.id),
                         witness.witness, now)));
  }
  return FormatNote(cosigned);
}

void LogBuilder::KeepCharterCheckpoint(
    uint64_t version, const std::vector<std::string>& cosigners) {
  charter_checkpoints[version] = SignedCheckpoint(cosigners);
}

void LogBuilder::Export(const std::string& folder) const {
  Put(folder, "checkpoint", SignedCheckpoint());
  std::filesystem::create_directories(
      absl::StrCat(folder, "/charter-checkpoints"));
  for (const auto& [version, note] : charter_checkpoints)
    Put(folder, absl::StrCat("charter-checkpoints/", version), note);
  for (const auto& [hash, document] : documents)
    Put(folder, absl::StrCat("documents/", ToHex(hash.bytes()), ".json"),
        document);
  // Every complete node that a tile stores, by tile level.
  std::map<uint32_t, std::vector<Digest>> nodes;
  CompactRange range;
  for (const Bytes& entry : entries)
    range.Append(LeafHash(entry), [&](NodeId node, const Digest& hash) {
      if (node.level % 8 == 0) nodes[node.level / 8].push_back(hash);
    });
  for (const TileId& tile : AllTiles(range.size())) {
    Bytes hashes;
    for (uint32_t i = 0; i < tile.width; ++i)
      Append(hashes,
             nodes.at(tile.level).at(tile.index * kTileWidth + i).bytes());
    Put(folder, TilePath(tile), AsText(hashes));
  }
  for (size_t start = 0; start < entries.size(); start += kBundle) {
    const size_t end = std::min(start + kBundle, entries.size());
    Put(folder, BundlePath(start / kBundle, static_cast<uint32_t>(end - start)),
        AsText(EncodeBundle({entries.begin() + static_cast<long>(start),
                             entries.begin() + static_cast<long>(end)})));
    std::string lines;
    for (auto opened = openings.lower_bound(start);
         opened != openings.end() && opened->first < end; ++opened) {
      const auto event = DecodeAuditEvent(opened->second.event);
      absl::StrAppend(
          &lines,
          DumpJson({{"index", opened->first},
                    {"salt", ToBase64Url(opened->second.salt)},
                    {"event_kind",
                     event.ok() ? std::string(NameOf(*event)) : "unknown"},
                    {"event", ToBase64Url(opened->second.event)}}),
          "\n");
    }
    Put(folder,
        absl::StrCat("openings/",
                     absl::StripPrefix(BundlePath(start / kBundle, kTileWidth),
                                       "tile/entries/"),
                     ".jsonl"),
        lines);
  }
}

}  // namespace amparo
