#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/keys.h"

// Fingerprints that people compare on paper or by phone: 88 bits as eight
// words of four letters, from a list of 2048 that is made by rule, so that it
// reads alike in every language of the networks and nobody ships a file.

namespace amparo {

// The 2048 words, in the order of the bits they stand for. They are printed on
// paper: the list never changes.
const std::vector<std::string>& WordList();

// Eight words, separated by spaces, of the first 88 bits of `digest`.
std::string WordsOf(const Digest& digest);

// The network's words: of its network_id.
std::string NetworkWords(const Digest& network_id);

// A member's words: of H("amparo/v1/words"; identity key, agent signing key).
std::string KeyWords(const VerifyKey& identity, const VerifyKey& signing);

// A join request's words: of H("amparo/v1/words"; identity key, witness key).
std::string RequestWords(const VerifyKey& identity, const VerifyKey& witness);

// A governance key's words: of its RFC 7638 thumbprint.
std::string GovernanceKeyWords(const VerifyKey& key);

}  // namespace amparo
