#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/core/mirror_source.h"

namespace amparo::broker {

// A signed checkpoint by itself, of somebody who has no entries: what a witness
// from outside cosigned last. The mirrors must reach it. One thread at a time.
class KnownNote final : public MirrorSource {
 public:
  // `name`: the file that `note` was read from.
  KnownNote(std::string name, std::string note)
      : name_(std::move(name)), note_(std::move(note)) {}

  const std::string& name() const override { return name_; }
  bool has_entries() const override { return false; }
  absl::StatusOr<std::vector<std::string>> Notes() override {
    return std::vector{note_};
  }
  absl::StatusOr<std::vector<std::string>> CharterNotes() override {
    return std::vector<std::string>();
  }
  absl::StatusOr<std::vector<Bytes>> Bundle(uint64_t, uint32_t) override {
    return absl::NotFoundError("a checkpoint has no entries");
  }
  absl::StatusOr<std::string> Document(const Digest&) override {
    return absl::NotFoundError("a checkpoint has no documents");
  }
  absl::StatusOr<std::vector<OpeningLine>> Openings(uint64_t) override {
    return std::vector<OpeningLine>();
  }

 private:
  const std::string name_;
  const std::string note_;
};

}  // namespace amparo::broker
