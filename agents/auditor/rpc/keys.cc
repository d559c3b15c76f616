#include "agents/auditor/rpc/keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/keystore.h"

namespace amparo::auditor {
namespace {

constexpr size_t kKeyFileBytesMax = 64 << 10;
constexpr size_t kPassphraseBytes = 32;

absl::StatusOr<Keys> MakeKeys(ByteView seeds) {
  if (seeds.size() != 2 * SigningKey::kSeedSize)
    return absl::DataLossError("identity.key holds something else");
  ASSIGN_OR_RETURN(SigningKey identity,
                   SigningKey::FromSeed(SecretKeyBytes::CopyOf(
                       seeds.first(SigningKey::kSeedSize))));
  ASSIGN_OR_RETURN(SigningKey witness,
                   SigningKey::FromSeed(SecretKeyBytes::CopyOf(
                       seeds.subspan(SigningKey::kSeedSize))));
  return Keys{std::move(identity), std::move(witness)};
}

}  // namespace

absl::StatusOr<Keys> PrepareKeys(const std::string& folder) {
  const std::string key_path = absl::StrCat(folder, "/identity.key");
  const std::string pass_path = absl::StrCat(folder, "/identity.pass");
  if (FileExists(key_path)) {
    ASSIGN_OR_RETURN(const std::string pass,
                     ReadFile(pass_path, kKeyFileBytesMax));
    ASSIGN_OR_RETURN(const std::string file,
                     ReadFile(key_path, kKeyFileBytesMax));
    ASSIGN_OR_RETURN(
        const SecretBuffer seeds,
        OpenKeystore(file, SecretBuffer::CopyOf(absl::string_view(pass))));
    return MakeKeys(seeds.Expose());
  }
  const SecretKeyBytes seeds =
      SecretKeyBytes::Random(2 * SigningKey::kSeedSize);
  const SecretKeyBytes random = SecretKeyBytes::Random(kPassphraseBytes);
  const SecretBuffer pass =
      SecretBuffer::CopyOf(absl::string_view(ToBase64Url(random.Expose())));
  ASSIGN_OR_RETURN(const std::string file,
                   SealKeystore(SecretBuffer::CopyOf(seeds.Expose()), pass,
                                KeystoreCost::kInteractive));
  RETURN_IF_ERROR(
      WriteFile(pass_path, AsText(pass.Expose()), FileMode::kPrivate));
  RETURN_IF_ERROR(CreateFile(key_path, file, FileMode::kPrivate));
  return MakeKeys(seeds.Expose());
}

absl::StatusOr<TlsKeyPair> PrepareTls(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/key.pem");
  if (FileExists(path)) {
    ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kKeyFileBytesMax));
    return TlsKeyPair{SecretBuffer::CopyOf(absl::string_view(pem)), ""};
  }
  ASSIGN_OR_RETURN(TlsKeyPair tls, MakeTlsKey());
  RETURN_IF_ERROR(CreateFile(path, AsText(tls.private_key_pem.Expose()),
                             FileMode::kPrivate));
  return tls;
}

}  // namespace amparo::auditor
