#include "agents/institution/storage/backup_file.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "crypto/random.h"
#include "crypto/stream.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

using Record = std::tuple<BackupPart, std::string, Bytes>;
using Records = std::vector<Record>;

const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);
const auto kDamaged = StatusIs(absl::StatusCode::kDataLoss);

SecretBuffer Passphrase(absl::string_view text = "a passphrase") {
  return SecretBuffer::CopyOf(text);
}

Bytes Written(const Records& records, bool finished = true) {
  Bytes file;
  const auto writer = VALUE_OF(BackupWriter::Create(
      [&](ByteView bytes) {
        file.insert(file.end(), bytes.begin(), bytes.end());
        return absl::OkStatus();
      },
      Passphrase(), KeystoreCost::kInteractive));
  for (const auto& [part, name, content] : records)
    EXPECT_OK(writer->Add(part, name, content));
  if (finished) {
    EXPECT_OK(writer->Finish());
  }
  return file;
}

BackupSource SourceOf(const Bytes& file, size_t& at) {
  return [&file, &at](std::span<uint8_t> to) -> absl::StatusOr<size_t> {
    const size_t count = std::min(to.size(), file.size() - at);
    if (count > 0) std::memcpy(to.data(), file.data() + at, count);
    at += count;
    return count;
  };
}

absl::StatusOr<Records> Read(const Bytes& file,
                             const SecretBuffer& passphrase = Passphrase()) {
  Records records;
  size_t at = 0;
  const absl::Status status = ReadBackup(
      SourceOf(file, at), passphrase,
      [&](BackupPart part, absl::string_view name, ByteView content) {
        records.emplace_back(part, std::string(name),
                             Bytes(content.begin(), content.end()));
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return records;
}

// Small ones, empty ones, one that spans chunks, and one on a chunk's edge.
Records Sample() {
  Records records = {
      {BackupPart::kFile, "agent.toml", RandomBytes(300)},
      {BackupPart::kRow, "case/event", Bytes()},
      {BackupPart::kRow, "large", RandomBytes(2 * kStreamChunkBytes + 17)},
      {BackupPart::kRow, "edge", RandomBytes(kStreamChunkBytes)}};
  for (int i = 0; i < 50; ++i)
    records.emplace_back(BackupPart::kRow, "row/" + std::to_string(i),
                         RandomBytes(RandomBelow(2000)));
  return records;
}

TEST(BackupFile, ReadsWhatItWrote) {
  const Records records = Sample();
  EXPECT_EQ(VALUE_OF(Read(Written(records))), records);
  EXPECT_EQ(VALUE_OF(Read(Written({}))), Records());
}

TEST(BackupFile, IsAnotherEachTimeAndShowsNothing) {
  const Records records = {
      {BackupPart::kFile, "keystore.json", Bytes(100, uint8_t{'K'})}};
  const Bytes one = Written(records), other = Written(records);
  EXPECT_NE(one, other);
  const std::string text(one.begin(), one.end());
  EXPECT_EQ(text.find("keystore.json"), std::string::npos);
  EXPECT_EQ(text.find("KKKK"), std::string::npos);
}

TEST(BackupFile, AttackWithoutThePassphraseIsDenied) {
  EXPECT_THAT(Read(Written(Sample()), Passphrase("another")), kDenied);
}

TEST(BackupFile, AttackAnyCutIsFound) {
  const Bytes file = Written(Sample());
  for (const size_t cut : {size_t{1}, size_t{16}, size_t{1000},
                           kStreamChunkBytes, kStreamChunkBytes + 17}) {
    const Bytes shorter(file.begin(), file.end() - static_cast<long>(cut));
    EXPECT_THAT(Read(shorter), kDamaged) << cut;
  }
  EXPECT_THAT(Read(Written(Sample(), /*finished=*/false)), kDamaged);
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_FALSE(Read(longer).ok());
}

TEST(BackupFile, AttackAnyChangedByteOfTheStreamIsFound) {
  const Bytes file = Written(Sample());
  const std::string text(file.begin(), file.end());
  const size_t stream = text.find('\n', text.find('\n') + 1) + 1;
  for (int i = 0; i < 40; ++i) {
    Bytes changed = file;
    changed[stream + RandomBelow(file.size() - stream)] ^= 1;
    EXPECT_THAT(Read(changed), kDamaged);
  }
}

TEST(BackupFile, AttackOneFilesEndUnderAnothersBeginningIsFound) {
  const Records records = {
      {BackupPart::kRow, "a", RandomBytes(3 * kStreamChunkBytes)}};
  const Bytes one = Written(records), other = Written(records);
  ASSERT_EQ(one.size(), other.size());
  Bytes mixed = one;
  std::copy(other.end() - 1000, other.end(), mixed.end() - 1000);
  EXPECT_THAT(Read(mixed), kDamaged);
}

TEST(BackupFile, SaysWhatIsNoBackup) {
  EXPECT_THAT(Read(Bytes()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Read(RandomBytes(5000)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  Bytes file = Written({});
  const std::string line(file.begin(),
                         std::find(file.begin(), file.end(), uint8_t{'\n'}));
  const std::string later = line.substr(0, line.size() - 1) + "9";
  std::copy(later.begin(), later.end(), file.begin());
  EXPECT_THAT(Read(file), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(BackupFile, PassesOnWhatSinkSourceAndReaderSay) {
  const auto full = StatusIs(absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(BackupWriter::Create(
                  [](ByteView) { return absl::ResourceExhaustedError(""); },
                  Passphrase(), KeystoreCost::kInteractive)
                  .status(),
              full);
  const Bytes file = Written(Sample());
  size_t at = 0;
  EXPECT_THAT(
      ReadBackup(SourceOf(file, at), Passphrase(),
                 [](auto&&...) { return absl::ResourceExhaustedError(""); }),
      full);
  EXPECT_THAT(ReadBackup(
                  [](std::span<uint8_t>) -> absl::StatusOr<size_t> {
                    return absl::ResourceExhaustedError("");
                  },
                  Passphrase(), [](auto&&...) { return absl::OkStatus(); }),
              full);
}

}  // namespace
}  // namespace amparo::agent
