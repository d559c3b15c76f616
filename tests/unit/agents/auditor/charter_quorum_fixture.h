#pragma once

#include <map>
#include <string>

#include "tests/unit/agents/auditor/replay_fixture.h"

namespace amparo::auditor {

// A log whose charters ask for more and more witnesses, and then for others.
class CharterQuorumFixture : public ReplayFixture {
 protected:
  CharterQuorumFixture() {
    log_ = LogBuilder({"cpcj", "gnr", "mp", "ong", "uls"});
    third_ = AddCharterWith(2);
    log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  }

  LeafIndex AddCharterWith(uint32_t quorum) {
    return log_.AddCharter(
        [&](Charter& next) { next.witness_quorum = quorum; });
  }
  // Version 4 asks for four; two brought it into force.
  void AddFourth() {
    fourth_ = AddCharterWith(4);
    log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
    log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
    log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  }
  // Version 5 gives three of them other witness keys; the old ones brought it
  // into force, and the new ones are used from now on.
  void AddFifth() {
    std::map<std::string, SigningKey> fresh;
    for (const char* id : {"cpcj", "mp", "uls"})
      fresh.emplace(id, SigningKey::Generate());
    fifth_ = log_.AddCharter([&](Charter& next) {
      for (Member& member : next.members)
        if (const auto key = fresh.find(member.id.text()); key != fresh.end())
          member.witness_key = key->second.verify_key();
    });
    log_.KeepCharterCheckpoint(5, {"cpcj", "gnr", "mp", "ong"});
    for (auto& [id, key] : fresh) log_.member(id).witness = std::move(key);
    log_.AddAnchor("ong");
    log_.witnesses = {"cpcj", "mp", "ong", "uls"};
  }
  std::string& kept() { return log_.charter_checkpoints.at(4); }

  LeafIndex third_, fourth_, fifth_;
};

}  // namespace amparo::auditor
