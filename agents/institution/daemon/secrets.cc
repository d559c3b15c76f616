#include "agents/institution/daemon/secrets.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "crypto/x509.h"

namespace amparo::agent {
namespace {

// version u8 | identity seed 32 | witness seed 32 | vault key 32 | PEM.
constexpr uint8_t kVersion = 1;
constexpr size_t kKeyBytes = 32;
constexpr size_t kFixedBytes = 1 + 3 * kKeyBytes;

}  // namespace

absl::StatusOr<AgentSecrets> AgentSecrets::Make() {
  ASSIGN_OR_RETURN(TlsKeyPair tls, MakeTlsKey());
  return AgentSecrets{SigningKey::Generate(), SigningKey::Generate(),
                      SecretKeyBytes::Random(kKeyBytes),
                      std::move(tls.private_key_pem)};
}

absl::StatusOr<std::string> SealSecrets(const AgentSecrets& secrets,
                                        const SecretBuffer& passphrase,
                                        KeystoreCost cost) {
  SecretBuffer plain(kFixedBytes + secrets.tls_key_pem.size());
  plain.Mutable()[0] = kVersion;
  auto out = plain.Mutable().begin() + 1;
  for (const ByteView part :
       {secrets.identity.seed().Expose(), secrets.witness.seed().Expose(),
        secrets.vault_key.Expose(), secrets.tls_key_pem.Expose()})
    out = std::copy(part.begin(), part.end(), out);
  return SealKeystore(plain, passphrase, cost);
}

absl::StatusOr<AgentSecrets> OpenSecrets(absl::string_view file,
                                         const SecretBuffer& passphrase) {
  ASSIGN_OR_RETURN(const SecretBuffer plain, OpenKeystore(file, passphrase));
  const ByteView bytes = plain.Expose();
  if (bytes.size() < kFixedBytes)
    return absl::DataLossError("the keystore holds too little");
  if (bytes[0] != kVersion)
    return absl::UnimplementedError("the keystore is of another version");
  const auto key = [&](size_t place) {
    return SecretKeyBytes::CopyOf(bytes.subspan(1 + place * kKeyBytes, kKeyBytes));
  };
  ASSIGN_OR_RETURN(SigningKey identity, SigningKey::FromSeed(key(0)));
  ASSIGN_OR_RETURN(SigningKey witness, SigningKey::FromSeed(key(1)));
  return AgentSecrets{std::move(identity), std::move(witness), key(2),
                      SecretBuffer::CopyOf(bytes.subspan(kFixedBytes))};
}

}  // namespace amparo::agent
