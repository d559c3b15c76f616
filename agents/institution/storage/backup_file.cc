#include "agents/institution/storage/backup_file.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "base/encoding.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr absl::string_view kFormat = "amparo-backup/1";
constexpr absl::string_view kAnyFormat = "amparo-backup/";
constexpr size_t kLineBytesMax = 4096;
// part u8 | name's size u64 | content's size u64 | name | content
constexpr size_t kRecordHeadBytes = 1 + 8 + 8;
constexpr uint64_t kNameBytesMax = 64 << 10;
constexpr uint64_t kContentBytesMax = 1 << 30;

absl::Status Damaged() {
  return absl::DataLossError("the backup is damaged or cut short");
}

// A line of text, without its end.
absl::StatusOr<std::string> ReadLine(const BackupSource& source) {
  std::string line;
  uint8_t byte = 0;
  while (line.size() < kLineBytesMax) {
    ASSIGN_OR_RETURN(const size_t read, source({&byte, 1}));
    if (read == 0) return Damaged();
    if (byte == '\n') return line;
    line.push_back(static_cast<char>(byte));
  }
  return absl::InvalidArgumentError("this is no backup");
}

absl::Status CheckFormat(const absl::StatusOr<std::string>& line) {
  if (line.ok() && *line == kFormat) return absl::OkStatus();
  if (line.ok() && absl::StartsWith(*line, kAnyFormat))
    return absl::UnimplementedError("the backup is of another version");
  if (line.ok() || absl::IsDataLoss(line.status()))
    return absl::InvalidArgumentError("this is no backup");
  return line.status();
}

// The stream's plaintext, in pieces of any size.
class PlainReader {
 public:
  PlainReader(const BackupSource& source, StreamOpener opener)
      : source_(source), opener_(std::move(opener)) {}

  // False, at the end only.
  absl::StatusOr<bool> AtEnd() {
    while (used_ == chunk_.size() && !opener_.finished())
      RETURN_IF_ERROR(NextChunk());
    return used_ == chunk_.size();
  }

  absl::Status Read(std::span<uint8_t> into) {
    while (!into.empty()) {
      ASSIGN_OR_RETURN(const bool end, AtEnd());
      if (end) return Damaged();
      const size_t size = std::min(into.size(), chunk_.size() - used_);
      std::memcpy(into.data(), chunk_.Expose().data() + used_, size);
      used_ += size;
      into = into.subspan(size);
    }
    return absl::OkStatus();
  }

  // Nothing may follow the last chunk.
  absl::Status CheckEnded() const {
    uint8_t byte = 0;
    ASSIGN_OR_RETURN(const size_t more, source_({&byte, 1}));
    return opener_.finished() && more == 0 ? absl::OkStatus() : Damaged();
  }

 private:
  absl::Status NextChunk() {
    Bytes sealed(kStreamChunkBytes + kStreamOverheadBytes);
    ASSIGN_OR_RETURN(const size_t size, source_(sealed));
    auto opened = opener_.Pull(ByteView(sealed).first(size));
    if (!opened.ok()) return Damaged();
    chunk_ = *std::move(opened);
    used_ = 0;
    return absl::OkStatus();
  }

  const BackupSource& source_;
  StreamOpener opener_;
  SecretBuffer chunk_;
  size_t used_ = 0;
};

absl::StatusOr<PlainReader> OpenPlain(const BackupSource& source,
                                      const SecretBuffer& passphrase) {
  RETURN_IF_ERROR(CheckFormat(ReadLine(source)));
  ASSIGN_OR_RETURN(const std::string keystore, ReadLine(source));
  const auto key = OpenKeystore(keystore + "\n", passphrase);
  if (absl::IsInvalidArgument(key.status())) return Damaged();
  RETURN_IF_ERROR(key.status());
  Bytes header(kStreamHeaderBytes);
  ASSIGN_OR_RETURN(const size_t read, source(header));
  auto opener = StreamOpener::Create(SecretKeyBytes::CopyOf(key->Expose()),
                                     ByteView(header).first(read));
  if (!opener.ok()) return Damaged();
  return PlainReader(source, *std::move(opener));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackupWriter>> BackupWriter::Create(
    Sink sink, const SecretBuffer& passphrase, KeystoreCost cost) {
  const SecretKeyBytes key = SecretKeyBytes::Random(kStreamKeyBytes);
  ASSIGN_OR_RETURN(
      const std::string keystore,  // ends its line
      SealKeystore(SecretBuffer::CopyOf(key.Expose()), passphrase, cost));
  RETURN_IF_ERROR(sink(AsBytes(std::string(kFormat) + "\n" + keystore)));
  std::unique_ptr<BackupWriter> writer(new BackupWriter(std::move(sink), key));
  RETURN_IF_ERROR(writer->sink_(writer->sealer_.header()));
  return writer;
}

absl::Status BackupWriter::Add(BackupPart part, absl::string_view name,
                               ByteView content) {
  Bytes head = {static_cast<uint8_t>(part)};
  AppendU64(head, name.size());
  AppendU64(head, content.size());
  RETURN_IF_ERROR(Put(head));
  RETURN_IF_ERROR(Put(AsBytes(name)));
  return Put(content);
}

absl::Status BackupWriter::Put(ByteView bytes) {
  while (!bytes.empty()) {
    if (filled_ == kStreamChunkBytes) RETURN_IF_ERROR(Flush(false));
    const size_t size = std::min(bytes.size(), kStreamChunkBytes - filled_);
    std::memcpy(chunk_.Mutable().data() + filled_, bytes.data(), size);
    filled_ += size;
    bytes = bytes.subspan(size);
  }
  return absl::OkStatus();
}

absl::Status BackupWriter::Flush(bool final) {
  ASSIGN_OR_RETURN(const Bytes sealed,
                   sealer_.Push(chunk_.Expose().first(filled_), final));
  filled_ = 0;
  return sink_(sealed);
}

absl::Status BackupWriter::Finish() { return Flush(true); }

absl::Status ReadBackup(
    const BackupSource& source, const SecretBuffer& passphrase,
    const std::function<absl::Status(BackupPart, absl::string_view name,
                                     ByteView content)>& take) {
  ASSIGN_OR_RETURN(PlainReader plain, OpenPlain(source, passphrase));
  while (true) {
    ASSIGN_OR_RETURN(const bool end, plain.AtEnd());
    if (end) return plain.CheckEnded();
    Bytes head(kRecordHeadBytes);
    RETURN_IF_ERROR(plain.Read(head));
    const uint64_t name_size = ReadU64(ByteView(head).subspan(1));
    const uint64_t content_size = ReadU64(ByteView(head).subspan(9));
    if (name_size > kNameBytesMax || content_size > kContentBytesMax)
      return Damaged();
    SecretBuffer name(name_size), content(content_size);
    RETURN_IF_ERROR(plain.Read(name.Mutable()));
    RETURN_IF_ERROR(plain.Read(content.Mutable()));
    RETURN_IF_ERROR(take(static_cast<BackupPart>(head[0]),
                         AsText(name.Expose()), content.Expose()));
  }
}

}  // namespace amparo::agent
