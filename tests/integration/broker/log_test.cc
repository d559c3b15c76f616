#include <map>
#include <set>
#include <vector>

#include "absl/time/clock.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "tests/support/broker_server.h"
#include "tests/support/relay_client.h"
#include "tests/support/status_matchers.h"

// LogService: what an auditor needs is there, and what a stranger would like to
// know is not.

namespace amparo::broker {
namespace {

using absl::StatusCode;
using Log = v1::LogService::Stub;

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    broker.SetUp({"ong", "uls", "gnr", "auditor-1"});
    const AcceptedCharter charter = broker.charter();
    RelayClient ong(broker.ChannelOf("ong"));
    for (int i = 0; i < 300; ++i)
      last = VALUE_OF(ong.Submit(broker.member("ong").EnvelopeTo(
                          broker.member("uls"), charter, absl::Now())))
                 .leaf();
  }

  template <typename Response, typename Request, typename Method>
  absl::StatusOr<Response> Call(Method method, const Request& request,
                                absl::string_view who = "gnr") {
    Log log(broker.ChannelOf(who));
    grpc::ClientContext context;
    SetDeadline(context);
    Response response;
    const grpc::Status status = (log.*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  // The first checkpoint that covers the last leaf.
  Checkpoint Covering() {
    const NoteVerifier verifier = broker.network_file().log_key;
    Log log(broker.ChannelOf("gnr"));
    grpc::ClientContext context;
    SetDeadline(context);
    const auto stream = log.WatchCheckpoints(&context, {});
    v1::CheckpointResponse response;
    while (stream->Read(&response)) {
      const Checkpoint checkpoint =
          VALUE_OF(VerifyCheckpoint(response.note(), verifier));
      if (checkpoint.size.value() > last) {
        context.TryCancel();
        return checkpoint;
      }
    }
    throw std::runtime_error("no checkpoint came");
  }

  std::vector<Bytes> Entries(uint64_t size) {
    std::vector<Bytes> entries;
    while (entries.size() < size) {
      v1::GetEntriesRequest request;
      request.set_start(entries.size());
      request.set_count(static_cast<uint32_t>(size - entries.size()));
      const auto response =
          VALUE_OF(Call<v1::EntriesResponse>(&Log::GetEntries, request));
      EXPECT_GT(response.entries_size(), 0);
      for (const std::string& entry : response.entries())
        entries.push_back(ToBytes(entry));
    }
    return entries;
  }

  std::map<uint64_t, v1::Opening> OpeningsFor(absl::string_view who) {
    Log log(broker.ChannelOf(who));
    grpc::ClientContext context;
    SetDeadline(context);
    v1::ListOpeningsRequest request;
    request.set_end(last + 1);
    const auto stream = log.ListOpenings(&context, request);
    std::map<uint64_t, v1::Opening> openings;
    v1::Opening opening;
    while (stream->Read(&opening)) openings[opening.leaf()] = opening;
    EXPECT_OK(FromGrpc(stream->Finish()));
    return openings;
  }

  BrokerServer broker;
  uint64_t last = 0;
};

TEST_F(LogTest, HasEntriesThatMakeTheRootItSigns) {
  const Checkpoint checkpoint = Covering();
  CompactRange tree;
  for (const Bytes& entry : Entries(checkpoint.size.value()))
    tree.Append(LeafHash(entry));
  EXPECT_EQ(tree.Root(), checkpoint.root);
}

TEST_F(LogTest, HasTilesThatMakeTheSameRoot) {
  const Checkpoint checkpoint = Covering();
  CompactRange tree;
  for (const TileId& tile : AllTiles(checkpoint.size)) {
    v1::GetTileRequest request;
    request.set_level(tile.level);
    request.set_index(tile.index);
    request.set_width(tile.width);
    const auto response =
        VALUE_OF(Call<v1::TileResponse>(&Log::GetTile, request));
    const auto hashes =
        VALUE_OF(DecodeTile(AsBytes(response.hashes()), tile.width));
    // Level 1 only: the tree is not large enough for more.
    EXPECT_LE(tile.level, 1u);
    if (tile.level > 0) continue;
    for (const Digest& hash : hashes) tree.Append(hash);
  }
  EXPECT_EQ(tree.Root(), checkpoint.root);
}

TEST_F(LogTest, DoesNotHaveWhatTheTreeDoesNotHave) {
  v1::GetTileRequest request;
  request.set_index(1 << 20);
  request.set_width(1);
  EXPECT_THAT(Call<v1::TileResponse>(&Log::GetTile, request),
              StatusIs(StatusCode::kNotFound));
  request.set_width(0);
  EXPECT_THAT(Call<v1::TileResponse>(&Log::GetTile, request),
              StatusIs(StatusCode::kInvalidArgument));
  v1::GetEntriesRequest entries;
  entries.set_start(last + 1000);
  entries.set_count(1);
  EXPECT_FALSE(Call<v1::EntriesResponse>(&Log::GetEntries, entries).ok());
  v1::GetDocumentRequest document;
  document.set_sha256(std::string(32, 'x'));
  EXPECT_THAT(Call<v1::DocumentResponse>(&Log::GetDocument, document),
              StatusIs(StatusCode::kNotFound));
  document.set_sha256("short");
  EXPECT_THAT(Call<v1::DocumentResponse>(&Log::GetDocument, document),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(LogTest, KeepsTheChartersThatItsEntriesName) {
  int charters = 0;
  for (const Bytes& bytes : Entries(last + 1)) {
    const LogEntry entry = VALUE_OF(DecodeLogEntry(bytes));
    const auto* named = std::get_if<CharterEntry>(&entry.content);
    if (named == nullptr) continue;
    ++charters;
    v1::GetDocumentRequest request;
    request.set_sha256(ToText(named->hash.bytes()));
    EXPECT_EQ(
        Sha256(VALUE_OF(Call<v1::DocumentResponse>(&Log::GetDocument, request))
                   .document()),
        named->hash);
  }
  EXPECT_EQ(charters, 2);
}

TEST_F(LogTest, OpensEntriesToTheirPartiesAndToAuditorsOnly) {
  const auto ong = OpeningsFor("ong"), uls = OpeningsFor("uls"),
             gnr = OpeningsFor("gnr"), auditor = OpeningsFor("auditor-1");
  EXPECT_EQ(ong.size(), 300u);
  EXPECT_EQ(uls.size(), 300u);
  EXPECT_EQ(gnr.size(), 0u);
  EXPECT_EQ(auditor.size(), 300u);
  const std::vector<Bytes> entries = Entries(last + 1);
  for (const auto& [leaf, opening] : auditor) {
    const LogEntry entry = VALUE_OF(DecodeLogEntry(entries[leaf]));
    EXPECT_EQ(
        std::get<CommitmentEntry>(entry.content).commitment,
        LeafCommitment(AsBytes(opening.salt()), AsBytes(opening.event())));
  }
}

// What lies open is enough to check the log, and says nothing about mail.
TEST_F(LogTest, ShowsNobodyWhoWroteToWhom) {
  for (const Bytes& bytes : Entries(last + 1)) {
    const LogEntry entry = VALUE_OF(DecodeLogEntry(bytes));
    if (!std::holds_alternative<CommitmentEntry>(entry.content)) continue;
    EXPECT_EQ(bytes.size(), 1u + 8u + 32u);
  }
}

// One member that asks without end.
TEST(LogReadings, AttackOneMemberCannotCrowdOutTheOthers) {
  BrokerServer broker(BrokerServer::Settings{
      {"member_rate_per_s = 500", "member_rate_per_s = 5"}});
  broker.SetUp({"ong", "uls"});
  const auto read = [&](absl::string_view who) {
    Log log(broker.ChannelOf(who));
    absl::Status status;
    for (int i = 0; i < 1000 && status.ok(); ++i) {
      grpc::ClientContext context;
      SetDeadline(context);
      v1::EntriesResponse response;
      v1::GetEntriesRequest request;
      request.set_count(1);
      status = FromGrpc(log.GetEntries(&context, request, &response));
      if (who == "uls") break;
    }
    return status;
  };
  EXPECT_THAT(read("ong"), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_OK(read("uls"));
  // Its own mail is counted apart, with what else it asks of the relay.
  RelayClient ong(broker.ChannelOf("ong"));
  EXPECT_OK(ong.Submit(broker.EnvelopeFrom("ong", "uls")).status());
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i)
    status =
        ong.Call<v1::CaResponse>(&RelayClient::Stub::GetCa, v1::GetCaRequest())
            .status();
  EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace amparo::broker
