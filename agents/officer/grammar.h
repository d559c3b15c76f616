#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// Everything that can be typed, as one table: the command line is parsed by
// it, help is printed from it, "did you mean" searches it.

namespace amparo::officer {

struct Flag {
  absl::string_view name;   // "to", typed as --to
  absl::string_view value;  // "MEMBER[,MEMBER]"; empty: a switch
  absl::string_view about;
  enum class Kind { kOne, kList } kind = Kind::kOne;  // kList: a,b and repeated
  bool required = false;
  absl::string_view choices = {};  // "in out"; empty: the agent judges
};

struct Verb {
  absl::string_view noun;
  absl::string_view name;  // empty: the noun is the command
  absl::string_view id;    // what its one argument is called; empty: none
  absl::string_view about;
  absl::string_view more;  // paragraphs for its own help; may be empty
  absl::Span<const Flag> flags;
  absl::string_view example;
};

struct Noun {
  absl::string_view name;
  absl::string_view about;
};

absl::Span<const Noun> Nouns();
absl::Span<const Verb> Verbs();
// Flags that every command takes.
absl::Span<const Flag> CommonFlags();

// nullptr when there is none. `name` empty: the noun's own command.
const Verb* FindVerb(absl::string_view noun, absl::string_view name);

}  // namespace amparo::officer
