#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

#include "agents/committee/draft_verbs.h"
#include "agents/committee/key_verbs.h"
#include "agents/committee/suspend_verbs.h"
#include "agents/committee/verbs.h"

// The command line of amparo-charter: verbs, flags and their help.

namespace amparo::committee {

inline constexpr char kProgram[] = "amparo-charter";

struct Arguments {
  bool json = false;
  std::string folder = ".";
  InitOptions init;
  uint32_t threshold = 0;  // 0: not given; so are the versions below
  NewKeyOptions new_key;
  AddKeyOptions add_key;
  std::string key_id;
  AddMemberOptions add;
  std::string member;
  std::string since, until;  // RFC 3339; empty: not given
  SetOptions set;
  SignOptions sign;
  SuspendNowOptions suspend_now;
  std::string broker;
  std::string founding_token;
  std::string merge_file;
  uint64_t version = 0, from = 0, to = 0;
  bool draft = false;
  std::string root;
};

struct Verbs {
  CLI::App *new_key, *init, *add_member, *suspend, *reinstate, *withdraw, *set,
      *add_key, *remove_key, *sign, *merge, *publish, *suspend_now,
      *publish_suspension, *fetch, *show, *diff, *verify;
};

// Describes every verb to `app`; what is parsed ends up in `arguments`, which
// has to outlive it.
Verbs Describe(CLI::App& app, Arguments& arguments);

}  // namespace amparo::committee
