#include "agents/committee/key_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/random.h"

namespace amparo::committee {
namespace {

constexpr size_t kPassphraseFileBytesMax = 4096;
constexpr size_t kGeneratedBytes = 20;

}  // namespace

absl::StatusOr<std::string> SealKeyFile(const SigningKey& key,
                                        const SecretBuffer& passphrase,
                                        KeystoreCost cost) {
  return SealKeystore(SecretBuffer::CopyOf(key.seed().Expose()), passphrase,
                      cost);
}

absl::StatusOr<SigningKey> OpenKeyFile(absl::string_view content,
                                       const SecretBuffer& passphrase) {
  ASSIGN_OR_RETURN(const SecretBuffer seed, OpenKeystore(content, passphrase));
  return SigningKey::FromSeed(SecretKeyBytes::CopyOf(seed.Expose()));
}

SecretBuffer GeneratePassphrase() {
  const SecretKeyBytes bits = SecretKeyBytes::Random(kGeneratedBytes);
  std::string text = ToBase32(bits.Expose());
  SecretBuffer passphrase = SecretBuffer::CopyOf(absl::string_view(text));
  Wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  return passphrase;
}

absl::Status CheckPrivate(const std::string& path) {
  struct stat info = {};
  const bool is_open_to_others = stat(path.c_str(), &info) == 0 &&
                                 S_ISREG(info.st_mode) &&
                                 (info.st_mode & 077) != 0;
  if (!is_open_to_others) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat(path, " may be read by others"),
                   {.code = "config",
                    .hint = absl::StrCat("chmod 600 ", path,
                                         "; if somebody may have read it, put "
                                         "a new key in its place")});
}

absl::StatusOr<SecretBuffer> ReadPassphraseFile(const std::string& path) {
  RETURN_IF_ERROR(CheckPrivate(path));
  ASSIGN_OR_RETURN(std::string text, ReadFile(path, kPassphraseFileBytesMax));
  SecretBuffer line =
      SecretBuffer::CopyOf(absl::string_view(text).substr(0, text.find('\n')));
  Wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  if (line.empty())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat(path, " holds no passphrase"),
                     {.code = "usage", .field = "--pass-file"});
  return line;
}

}  // namespace amparo::committee
