#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "proto/envelope/access_record.h"

namespace amparo::auditor {

// Which consents were taken back before a record, whole or some sections of
// them, as the same access log says: revoked or narrowed by the institution
// itself, or at another one, whose revocation its agent took in. One thread at
// a time.
class AccessEndings {
 public:
  // Every record, in order. Its cost does not grow with those before it.
  void Take(const AccessRecord& record);

  // Whether `look` shows anything whose ground was taken back before: sections
  // of another member under its consent. What the institution wrote itself is
  // not shown to it by any consent.
  bool IsAfterEnd(const AccessRecord& look) const;

 private:
  struct Ending {
    bool whole = false;
    std::set<std::string> sections;
  };
  // By member that gave it: ids are their issuer's own.
  using Grant = std::pair<std::string, std::string>;  // id, issuer

  void End(Grant grant);
  void TakeBack(Grant grant, const std::vector<std::string>& sections);

  std::map<Grant, Ending> endings_;
  std::map<Grant, Grant> supersedes_;  // the newer one first
};

// Whether the record is of somebody who was shown sections.
bool IsLook(const AccessRecord& record);

}  // namespace amparo::auditor
