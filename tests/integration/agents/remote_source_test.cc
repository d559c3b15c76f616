#include "agents/auditor/rpc/remote_source.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "agents/auditor/folder_source.h"
#include "agents/auditor/replay.h"
#include "base/files.h"
#include "crypto/x509.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/status.h"
#include "tests/support/log_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

// An auditor against a broker over TLS: an honest one, and those that are not.

namespace amparo::auditor {
namespace {

// Serves an exported log, the way a broker does, with what a test breaks.
class FolderLog : public v1::LogService::Service {
 public:
  explicit FolderLog(const std::string& folder)
      : source_(VALUE_OF(FolderSource::Open(folder))) {}

  grpc::Status GetCheckpoint(grpc::ServerContext*,
                             const v1::GetCheckpointRequest*,
                             v1::CheckpointResponse* response) override {
    if (full > 0) {
      --full;
      return ToGrpc(absl::ResourceExhaustedError("later"));
    }
    if (!refuse.ok()) return ToGrpc(refuse);
    response->set_note(VALUE_OF(source_.Checkpoint()));
    return grpc::Status::OK;
  }
  grpc::Status GetTile(grpc::ServerContext*, const v1::GetTileRequest* request,
                       v1::TileResponse* response) override {
    const auto hashes = source_.HashTile(
        {request->level(), request->index(), request->width()});
    if (hashes.ok()) response->set_hashes(amparo::ToText(*hashes));
    return ToGrpc(hashes.status());
  }
  grpc::Status GetEntries(grpc::ServerContext*,
                          const v1::GetEntriesRequest* request,
                          v1::EntriesResponse* response) override {
    const uint64_t bundle = request->start() / kTileWidth * kTileWidth;
    auto entries = source_.Entries(bundle, kTileWidth);
    // A few at a time: fewer than were asked for may come.
    for (size_t i = request->start() - bundle;
         entries.ok() && i < entries->size() &&
         response->entries().size() < entries_a_page;
         ++i)
      response->add_entries(amparo::ToText((*entries)[i]));
    return grpc::Status::OK;
  }
  grpc::Status GetDocument(grpc::ServerContext*,
                           const v1::GetDocumentRequest* request,
                           v1::DocumentResponse* response) override {
    const auto document = source_.Document(
        VALUE_OF(Digest::FromBytes(AsBytes(request->sha256()))));
    if (document.ok()) response->set_document(*document);
    return ToGrpc(document.status());
  }
  grpc::Status ListOpenings(grpc::ServerContext*,
                            const v1::ListOpeningsRequest* request,
                            grpc::ServerWriter<v1::Opening>* writer) override {
    const auto openings = source_.Openings(request->start(), kTileWidth);
    do {
      for (const Opening& opening : *openings) {
        v1::Opening message;
        message.set_leaf(opening.leaf);
        message.set_salt(amparo::ToText(opening.salt));
        message.set_event(amparo::ToText(opening.event));
        if (!writer->Write(message)) return grpc::Status::CANCELLED;
      }
    } while (openings_without_end);
    return grpc::Status::OK;
  }

  int full = 0;  // times it says that it is
  absl::Status refuse;
  int entries_a_page = 5;
  bool openings_without_end = false;

 private:
  FolderSource source_;
};

class RemoteReplay : public testing::Test {
 protected:
  RemoteReplay() {
    log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
    while (log_.entries.size() < 270) log_.AddAnchor("ong");
    log_.Export(scratch_ / "export");
    MakeCertificates();
    broker_ = std::make_unique<FolderLog>(scratch_ / "export");
    grpc::ServerBuilder builder;
    builder.AddListeningPort(
        "127.0.0.1:0",
        MakeServerCredentials({scratch_ / "server.key", scratch_ / "server.pem",
                               scratch_ / "ca.pem"}),
        &port_);
    builder.RegisterService(broker_.get());
    server_ = builder.BuildAndStart();
  }
  ~RemoteReplay() override { server_->Shutdown(); }

  void MakeCertificates() {
    const absl::Time from = absl::Now() - absl::Hours(1);
    const absl::Time until = absl::Now() + absl::Hours(1);
    const TlsKeyPair ca = VALUE_OF(MakeCa("test", from, until));
    const TlsKeyPair server =
        VALUE_OF(IssueServerCertificate(ca, {"127.0.0.1"}, from, until));
    const TlsKeyPair own = VALUE_OF(MakeTlsKey());
    const std::string csr = VALUE_OF(MakeCsr(own, "test", "auditor"));
    Keep("ca.pem", ca.certificate_pem);
    Keep("server.pem", server.certificate_pem);
    Keep("server.key", AsText(server.private_key_pem.Expose()));
    Keep("cert.pem", VALUE_OF(IssueMemberCertificate(ca, csr, "test", "auditor",
                                                     from, until)));
    Keep("key.pem", AsText(own.private_key_pem.Expose()));
    // The same name, certified by somebody else.
    const TlsKeyPair other = VALUE_OF(MakeCa("test", from, until));
    Keep("other.pem", VALUE_OF(IssueMemberCertificate(other, csr, "test",
                                                      "auditor", from, until)));
    Keep("other-ca.pem", other.certificate_pem);
  }
  void Keep(const std::string& name, absl::string_view content) {
    ASSERT_OK(WriteFile(scratch_ / name, content, FileMode::kPrivate));
  }

  Profile AuditorProfile() {
    return {.member = "auditor",
            .network = "test-example",
            .broker = absl::StrCat("127.0.0.1:", port_),
            .ca = scratch_ / "ca.pem",
            .cert = scratch_ / "cert.pem",
            .key = scratch_ / "key.pem",
            .root = log_.root(),
            .timeout = absl::Seconds(20)};
  }
  absl::StatusOr<Report> Replayed(const Profile& profile) {
    auto source = RemoteSource::Connect(profile, "");
    if (!source.ok()) return source.status();
    return Replay(*source, {.root = log_.root()});
  }
  absl::StatusOr<Report> Replayed() { return Replayed(AuditorProfile()); }

  ScratchFolder scratch_;
  LogBuilder log_;
  std::unique_ptr<FolderLog> broker_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(RemoteReplay, SaysTheSameAsTheReplayOfTheExport) {
  FolderSource folder = VALUE_OF(FolderSource::Open(scratch_ / "export"));
  const Report expected = VALUE_OF(Replay(folder, {.root = log_.root()}));
  ASSERT_TRUE(expected.ok());
  EXPECT_EQ(DumpJson(ToJson(VALUE_OF(Replayed()))), DumpJson(ToJson(expected)));
}

TEST_F(RemoteReplay, AsksAgainWhileTheBrokerIsFull) {
  broker_->full = 2;
  EXPECT_TRUE(VALUE_OF(Replayed()).ok());
}

TEST_F(RemoteReplay, OfABrokerThatRefusesHasNoVerdict) {
  broker_->refuse = absl::PermissionDeniedError("not an auditor");
  EXPECT_THAT(Replayed().status(),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(RemoteReplay, OfABrokerThatIsNotThereHasNoVerdict) {
  server_->Shutdown();
  EXPECT_THAT(Replayed().status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(RemoteReplay, FindsWhatTheBrokerKeepsBack) {
  broker_->entries_a_page = 0;
  const Report report = VALUE_OF(Replayed());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.first_bad_index(), LeafIndex(0));
}

TEST_F(RemoteReplay, EndsThoughTheBrokerSendsOpeningsWithoutEnd) {
  broker_->openings_without_end = true;
  EXPECT_FALSE(VALUE_OF(Replayed()).ok());
}

TEST_F(RemoteReplay, TalksToNobodyButTheNetworksOwnBroker) {
  Profile profile = AuditorProfile();
  profile.ca = scratch_ / "other-ca.pem";
  EXPECT_THAT(Replayed(profile).status(),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(RemoteReplay, NeedsACertificateOfTheNetwork) {
  Profile profile = AuditorProfile();
  profile.cert = scratch_ / "other.pem";
  EXPECT_THAT(Replayed(profile).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace amparo::auditor
