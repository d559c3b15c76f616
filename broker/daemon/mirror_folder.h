#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/core/mirror_source.h"

namespace amparo::broker {

// A mirror as `amparo-agent export-mirror` writes it; an export of the broker
// is one, too. What is larger than anything of its kind may be is not read, nor
// what is no plain file.
class MirrorFolder final : public MirrorSource {
 public:
  // NOT_FOUND (field "--from") when there is no checkpoint in `folder`.
  static absl::StatusOr<std::unique_ptr<MirrorFolder>> Open(
      const std::string& folder);

  const std::string& name() const override { return folder_; }
  absl::StatusOr<std::vector<std::string>> Notes() override;
  absl::StatusOr<std::vector<std::string>> CharterNotes() override;
  absl::StatusOr<std::vector<Bytes>> Bundle(uint64_t index,
                                            uint32_t width) override;
  absl::StatusOr<std::string> Document(const Digest& hash) override;
  absl::StatusOr<std::vector<OpeningLine>> Openings(uint64_t index) override;

 private:
  explicit MirrorFolder(std::string folder) : folder_(std::move(folder)) {}
  absl::StatusOr<std::string> Read(const std::string& path,
                                   size_t size_max) const;

  const std::string folder_;
};

}  // namespace amparo::broker
