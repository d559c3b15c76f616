#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "broker/core/admission.h"
#include "broker/core/audit_log.h"
#include "broker/core/charter_desk.h"
#include "broker/core/checkpointer.h"
#include "broker/core/directory.h"
#include "broker/core/enrolment.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/ledger.h"
#include "broker/core/notary.h"
#include "broker/core/receipt_book.h"
#include "broker/core/relay.h"
#include "broker/core/retention.h"
#include "broker/core/witness_book.h"
#include "broker/daemon/config.h"
#include "broker/daemon/data_dir.h"
#include "broker/store/store.h"
#include "crypto/x509.h"
#include "proto/network/network_file.h"

namespace amparo::broker {

// FAILED_PRECONDITION (code "invalid_state") for a backup that was not rebuilt.
absl::Status CheckNoBackup(const DataDir& data);

// What a data directory holds, read and found whole.
struct OpenedData {
  NetworkFile network;
  DataDir::LogKeys log_keys;
  DataDir::Cas cas;
  std::unique_ptr<Store> store;
  std::unique_ptr<Directory> directory;
};

// Opens the store and proves that it still is the log that was shown: by its
// own newest checkpoint, and by the one kept beside it. DATA_LOSS when it is
// not, UNAVAILABLE when another process holds it, FAILED_PRECONDITION (code
// "invalid_state") for a backup that was not rebuilt.
absl::StatusOr<OpenedData> OpenData(const DataDir& data,
                                    const BrokerConfig& config);

// The checkpoint kept beside the store; none before the first.
absl::StatusOr<std::vector<std::string>> KnownCheckpoints(const DataDir& data);

// The core of one broker in dependency order: what is below refers to what is
// above. No part of it listens; only the ledger has threads.
struct WiredCore {
  WiredCore(OpenedData opened, const BrokerConfig& config, const Clock& clock);

  OpenedData data;
  InboxFeed feed;      // of mailboxes
  InboxFeed watchers;  // of checkpoints
  ReceiptBook receipts;
  WitnessBook witnesses;
  Checkpointer checkpointer;
  Ledger ledger;
  Admission admission;
  Relay relay;
  Notary notary;
  CharterDesk charters;
  Enrolment enrolment;
  AuditLog log;
  Retention retention;
};

}  // namespace amparo::broker
