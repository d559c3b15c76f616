#pragma once

#include <string>

#include "absl/time/time.h"
#include "crypto/add_checkpoint.h"
#include "crypto/checkpoint.h"
#include "tests/support/naive_merkle.h"
#include "tests/support/status_matchers.h"

namespace amparo {

// A log as a witness sees it: a key that signs checkpoints of a tree, and the
// requests that go with them. `tag` makes another history.
class SignedTree {
 public:
  explicit SignedTree(std::string origin, uint8_t tag = 0)
      : origin_(std::move(origin)), tag_(tag) {}
  // The same log, telling another history.
  SignedTree(const SignedTree& log, uint8_t tag)
      : origin_(log.origin_), tag_(tag), key_(log.key_.Copy()) {}

  NoteVerifier key() const {
    return VALUE_OF(NoteVerifier::Create(origin_, NoteKeyType::kEd25519,
                                         key_.verify_key()));
  }
  const SigningKey& signing_key() const { return key_; }
  Checkpoint At(uint64_t size) const {
    return {origin_,
            TreeSize(size),
            naive::Root(naive::MakeLeaves(size, tag_)),
            {}};
  }
  std::string Note(uint64_t size) const {
    return VALUE_OF(SignCheckpoint(At(size), key_));
  }
  // With the log's own word on when.
  std::string NoteAt(uint64_t size, absl::Time time) const {
    return VALUE_OF(TimeCheckpoint(Note(size), key_, time));
  }
  AddCheckpoint Request(uint64_t old_size, uint64_t size) const {
    AddCheckpoint request{TreeSize(old_size), {}, Note(size)};
    if (old_size > 0 && old_size < size)
      request.proof =
          naive::SubProof(old_size, naive::MakeLeaves(size, tag_), true);
    return request;
  }
  std::string Body(uint64_t old_size, uint64_t size) const {
    return FormatAddCheckpoint(Request(old_size, size));
  }

 private:
  std::string origin_;
  uint8_t tag_;
  SigningKey key_ = SigningKey::Generate();
};

}  // namespace amparo
