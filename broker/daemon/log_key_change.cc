#include "broker/daemon/log_key_change.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/core/directory.h"
#include "broker/daemon/founding.h"
#include "broker/store/rocks_store.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

absl::Status NotYet(absl::string_view why, const char* hint) {
  return MakeError(absl::StatusCode::kFailedPrecondition, why,
                   {.code = "invalid_state", .field = "--data", .hint = hint});
}

absl::StatusOr<NoteVerifier> VerifierOf(const NetworkFile& network,
                                        const SigningKey& key) {
  return NoteVerifier::Create(network.network, NoteKeyType::kEd25519,
                              key.verify_key());
}

bool Names(const Charter& charter, const VerifyKey& key) {
  return std::any_of(
      charter.log_keys.begin(), charter.log_keys.end(),
      [&](const NoteVerifier& named) { return named.key() == key; });
}

// The charter since which every one up to the newest named a key.
struct Naming {
  uint64_t version;
  absl::Time time;
};

// Of the key that the log is signed with and of the one that takes its place;
// nullopt of one that the newest charter does not name.
struct Namings {
  std::optional<Naming> present, next;

  void Add(const Charter& charter, absl::Time time,
           const VerifyKey& present_key, const VerifyKey& next_key) {
    for (const auto& [key, naming] :
         {std::pair(&present_key, &present), std::pair(&next_key, &next)}) {
      if (!Names(charter, *key))
        naming->reset();
      else if (!naming->has_value())
        *naming = Naming{charter.version, time};
    }
  }
};

absl::StatusOr<Namings> FindNamings(const Store& store,
                                    const VerifyKey& present,
                                    const VerifyKey& next) {
  Namings namings;
  for (uint64_t from = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<Publication> page,
                     store.Publications(from, kPageEntriesMax));
    if (page.empty()) return namings;
    from += page.size();
    for (const Publication& publication : page) {
      if (!std::holds_alternative<CharterEntry>(publication.entry.content))
        continue;
      ASSIGN_OR_RETURN(const Charter charter,
                       PeekCharter(publication.document));
      namings.Add(charter, publication.entry.time, present, next);
    }
  }
}

}  // namespace

absl::StatusOr<Answer> NewLogKey(const DataDir& data) {
  RETURN_IF_ERROR(data.ReadConfig().status());
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const DataDir::LogKeys keys, data.ReadLogKeys(network));
  if (keys.second.has_value()) {
    ASSIGN_OR_RETURN(const NoteVerifier there,
                     VerifierOf(network, *keys.second));
    return MakeError(
        absl::StatusCode::kAlreadyExists,
        absl::StrCat("there is a second log key already: ", there.ToString()),
        {.code = "conflict",
         .field = "--data",
         .hint = absl::StrCat(
             "if it is the next one, go on with it: amparo-charter "
             "set log.keys --add '",
             there.ToString(),
             "'; if it is the one before, and no charter names it "
             "any more, remove its file")});
  }
  const SigningKey key = SigningKey::Generate();
  ASSIGN_OR_RETURN(const NoteVerifier verifier, VerifierOf(network, key));
  const std::string path =
      FileExists(data.log_key()) ? data.second_log_key() : data.log_key();
  RETURN_IF_ERROR(CreateLogKey(path, network.network, key));
  const std::string text = verifier.ToString();
  return Answer{
      {{"schema", "broker_new_log_key/1"}, {"log_key", text}, {"file", path}},
      absl::StrCat("new log key     ", text, "\n",
                   "next: restart the broker, so that both keys sign,\n",
                   "      amparo-charter set log.keys --add '", text, "'\n",
                   "      a week later: amparo-broker switch-log-key\n")};
}

absl::StatusOr<Answer> SwitchLogKey(const DataDir& data, bool at_once,
                                    const Clock& clock) {
  RETURN_IF_ERROR(data.ReadConfig().status());
  ASSIGN_OR_RETURN(NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const DataDir::LogKeys keys, data.ReadLogKeys(network));
  if (!keys.second.has_value())
    return NotYet("there is no second log key",
                  "amparo-broker new-log-key --data DIR");
  ASSIGN_OR_RETURN(const NoteVerifier next, VerifierOf(network, *keys.second));
  absl::StatusOr<std::unique_ptr<Store>> opened = OpenRocksStore(data.store());
  if (absl::IsUnavailable(opened.status()))
    return NotYet("the store is in use, or cannot be read",
                  "stop the broker first");
  RETURN_IF_ERROR(opened.status());
  const std::unique_ptr<Store> store = *std::move(opened);
  const auto newest = store->NewestCheckpoint();
  if (!newest.ok() || !VerifyCheckpoint(*newest, next).ok())
    return NotYet("the second key has not signed the newest checkpoint",
                  "run the broker until the log has grown");
  ASSIGN_OR_RETURN(const Namings named,
                   FindNamings(*store, network.log_key.key(), next.key()));
  if (!named.present.has_value() || !named.next.has_value())
    return NotYet("the charter does not name both log keys",
                  "amparo-charter set log.keys --add KEY, sign, publish");
  // The other file may hold the key before, perhaps a thief's by now.
  if (named.next->version < named.present->version)
    return NotYet(
        "the log's key was switched already: the other one is the "
        "older",
        "amparo-charter set log.keys --remove it; a third one by "
        "new-log-key once its file is away");
  const absl::Time since = named.next->time;
  if (!at_once && clock.Now() < since + kLogKeyOverlap)
    return NotYet(
        absl::StrCat("the charter names both since ", FormatUtc(since)),
        "wait until it is a week; --at-once if the old key is lost "
        "or stolen");
  const std::string before = network.log_key.ToString();
  network.log_key = next;
  RETURN_IF_ERROR(WriteFile(data.network_file(), FormatNetworkFile(network),
                            FileMode::kPrivate));
  return Answer{
      {{"schema", "broker_switch_log_key/1"},
       {"log_key", next.ToString()},
       {"before", before}},
      absl::StrCat("log key         ", next.ToString(), "\n",
                   "next: start the broker,\n",
                   "      amparo-charter set log.keys --remove '", before,
                   "'\n",
                   "      keep the old key's file until every member has "
                   "followed\n")};
}

}  // namespace amparo::broker
