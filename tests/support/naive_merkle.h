#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// RFC 6962 section 2.1 word for word, recursive and slow: what the real code
// is compared with.

namespace amparo::naive {

using Leaves = std::vector<Digest>;  // leaf hashes

inline Leaves MakeLeaves(uint64_t count, uint8_t tag = 0) {
  Leaves leaves;
  for (uint64_t i = 0; i < count; ++i)
    leaves.push_back(LeafHash(Bytes{tag, static_cast<uint8_t>(i)}));
  return leaves;
}

// The largest power of two smaller than `n`.
inline uint64_t Split(uint64_t n) {
  uint64_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline Leaves Slice(const Leaves& d, uint64_t from, uint64_t to) {
  return {d.begin() + static_cast<long>(from),
          d.begin() + static_cast<long>(to)};
}

// MTH(D[n]).
inline Digest Root(const Leaves& d) {
  if (d.empty()) return Sha256(ByteView());
  if (d.size() == 1) return d[0];
  const uint64_t k = Split(d.size());
  return NodeHash(Root(Slice(d, 0, k)), Root(Slice(d, k, d.size())));
}

// PATH(m, D[n]).
inline std::vector<Digest> Path(uint64_t m, const Leaves& d) {
  if (d.size() == 1) return {};
  const uint64_t k = Split(d.size());
  const bool left = m < k;
  std::vector<Digest> path =
      left ? Path(m, Slice(d, 0, k)) : Path(m - k, Slice(d, k, d.size()));
  path.push_back(left ? Root(Slice(d, k, d.size())) : Root(Slice(d, 0, k)));
  return path;
}

// SUBPROOF(m, D[n], b).
inline std::vector<Digest> SubProof(uint64_t m, const Leaves& d, bool whole) {
  if (m == d.size()) {
    if (whole) return {};
    return {Root(d)};
  }
  const uint64_t k = Split(d.size());
  const bool left = m <= k;
  std::vector<Digest> proof =
      left ? SubProof(m, Slice(d, 0, k), whole)
           : SubProof(m - k, Slice(d, k, d.size()), false);
  proof.push_back(left ? Root(Slice(d, k, d.size())) : Root(Slice(d, 0, k)));
  return proof;
}

// Which way a leaf's path goes at each step down: "L" or "R".
inline std::string Turns(uint64_t m, uint64_t n) {
  if (n == 1) return "";
  const uint64_t k = Split(n);
  return m < k ? "L" + Turns(m, k) : "R" + Turns(m - k, n - k);
}

}  // namespace amparo::naive
