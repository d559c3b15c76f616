#include "agents/institution/daemon/agent.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "agents/institution/core/access_log.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/anchors.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/consent_desk.h"
#include "agents/institution/core/cosigner.h"
#include "agents/institution/core/courier.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/held_mail.h"
#include "agents/institution/core/heartbeats.h"
#include "agents/institution/core/intake.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/loop.h"
#include "agents/institution/core/network_time.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/own_name_watch.h"
#include "agents/institution/core/packer.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/promises.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/restored.h"
#include "agents/institution/core/review_desk.h"
#include "agents/institution/core/status.h"
#include "agents/institution/core/unseen_cases.h"
#include "agents/institution/daemon/broker_channel.h"
#include "agents/institution/daemon/broker_streams.h"
#include "agents/institution/daemon/store_to_read.h"
#include "agents/institution/daemon/systems_door.h"
#include "agents/institution/rpc/agent_services.h"
#include "agents/institution/rpc/broker_client.h"
#include "agents/institution/rpc/revision_feed.h"
#include "agents/institution/rpc/unix_listener.h"
#include "agents/institution/storage/sealed_kv.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/executor.h"
#include "base/files.h"
#include "base/kv/rocks_kv.h"
#include "base/status.h"
#include "base/version.h"
#include "proto/envelope/limits.h"
#include "proto/grpc/credentials.h"

namespace amparo::agent {
namespace {

constexpr size_t kApiThreads = 4;
constexpr size_t kApiQueueMax = 256;
constexpr size_t kWatchersMax = 64;
constexpr int kMessageBytesMax = 4 << 20;
constexpr absl::Duration kUpkeepInterval = absl::Seconds(5);
constexpr absl::Duration kAnchorInterval = absl::Hours(1);

absl::StatusOr<AcceptedCharter> PinnedCharter(const DataDir& data) {
  ASSIGN_OR_RETURN(const std::string document,
                   ReadFile(data.Path("charter-1.json"), kCharterBytesMax));
  return AcceptFirstCharter(document, Sha256(document), std::nullopt);
}

// In the agent's own directory: `path` of an earlier one, cut off, is replaced.
// The answer is a whole path: whoever asked stands in another directory.
absl::StatusOr<std::string> CopyStore(const RocksKv& disk, const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (error) return absl::UnavailableError("the working directory is gone");
  RETURN_IF_ERROR(RemoveFolder(whole.string()));
  RETURN_IF_ERROR(disk.CopyTo(whole.string()));
  return whole.string();
}

// The mark that `amparo-agent restore` leaves goes once its content is kept.
absl::Status NoteRestored(const DataDir& data, Restored& restored,
                          const Clock& clock) {
  const std::string mark = data.Path(kRestoredMark);
  if (!FileExists(mark)) return absl::OkStatus();
  RETURN_IF_ERROR(restored.Begin(clock.Now()));
  if (std::remove(mark.c_str()) != 0)
    return absl::UnavailableError("the mark of the restore cannot be removed");
  LogEvent("agent_restored");
  return absl::OkStatus();
}

}  // namespace

// In dependency order: what stands below uses what stands above.
struct Agent::Parts {
  const AgentConfig config;
  const Clock& clock;

  std::unique_ptr<RocksKv> disk;
  std::unique_ptr<SealedKv> kv;
  std::unique_ptr<BrokerChannel> way;
  std::unique_ptr<BrokerClient> broker;

  std::unique_ptr<Alarms> alarms;
  std::unique_ptr<OfficerBook> officers;
  std::unique_ptr<AccessLog> access_log;
  std::unique_ptr<PeerBook> peers;
  std::unique_ptr<NetworkTime> time;
  std::unique_ptr<LogWatch> log;
  std::unique_ptr<Restored> restored;
  std::unique_ptr<Cosigner> cosigner;  // null: told not to be a witness
  std::unique_ptr<KeyRing> keys;
  std::unique_ptr<OwnNameWatch> own_name;
  std::unique_ptr<Promises> promises;
  std::unique_ptr<Anchors> anchors;
  std::unique_ptr<Packer> packer;
  std::unique_ptr<CaseBook> cases;
  std::unique_ptr<Outbox> outbox;
  std::unique_ptr<Heartbeats> heartbeats;
  std::unique_ptr<HeldMail> held;
  std::unique_ptr<Courier> courier;
  std::unique_ptr<Intake> intake;

  std::unique_ptr<Desk> desk;
  std::unique_ptr<ReferralDesk> referrals;
  std::unique_ptr<ConsentDesk> consents;
  StatusSource status;

  std::unique_ptr<Backoff> courier_backoff;
  absl::Time anchored_at = absl::InfinitePast();
  TreeSize anchored_size{0};
  // The loops, made last and stopped first.
  std::unique_ptr<Loop> courier_loop;
  std::unique_ptr<Loop> upkeep_loop;
  std::unique_ptr<BrokerStreams> streams;

  std::unique_ptr<Executor> executor;
  std::unique_ptr<RevisionFeed> feed;
  std::unique_ptr<ApiParts> api;
  Mutex services_mutex;
  std::map<uint32_t, std::unique_ptr<AgentServices>> services
      ABSL_GUARDED_BY(services_mutex);
  std::unique_ptr<UnixListener> listener;
  std::unique_ptr<SystemsDoor> systems;  // null: off

  Parts(AgentConfig agent_config, const Clock& agent_clock)
      : config(std::move(agent_config)), clock(agent_clock) {}

  absl::Status OpenBooks(const DataDir& data, AgentSecrets secrets);
  void StartLoops();
  absl::Status ServeApi(const DataDir& data);

  void WakeCourier() {
    if (courier_loop) courier_loop->Wake();
  }
  absl::Status MayAcknowledge(absl::string_view code,
                              const std::optional<MemberId>& member) const;
  absl::Status AcknowledgeAlarm(absl::string_view code,
                                const std::optional<MemberId>& member);
  absl::Duration RunCourier();
  absl::Duration RunUpkeep();
  absl::Status CompareClock();
  absl::Status MaintainKeys();
  absl::Status MaintainChannel();
  absl::Status SendHeartbeats();
  void AnchorAccessLog(BrokerClient& at);
  void AnchorOnceMore();
  std::unique_ptr<grpc::Server> ServerFor(uint32_t uid);
};

absl::Status Agent::Parts::OpenBooks(const DataDir& data, AgentSecrets secrets) {
  // Made when the agent joined. An empty one would take mail in that nobody can
  // read: its officers are gone, too.
  RETURN_IF_ERROR(CheckStore(data));
  auto opened = RocksKv::OpenExisting(data.Path("store"));
  if (absl::IsUnavailable(opened.status()))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "another process has this agent's store open",
                     {.code = "conflict",
                      .hint = "one member has one agent: end the other one first"});
  RETURN_IF_ERROR(opened.status());
  disk = *std::move(opened);
  // It would keep what was purged since.
  RETURN_IF_ERROR(RemoveFolder(data.Path(kStoreCopy)));
  kv = std::make_unique<SealedKv>(*disk, secrets.vault_key.Copy());
  // Before any book opens.
  restored = std::make_unique<Restored>(*kv);
  RETURN_IF_ERROR(NoteRestored(data, *restored, clock));
  way = std::make_unique<BrokerChannel>(
      BrokerChannel::Parts{.address = config.broker_address,
                           .network = config.network,
                           .member = config.member,
                           .key_pem = std::move(secrets.tls_key_pem),
                           .network_file = data.Path("network.json"),
                           .certificate_file = data.Path("certificate.pem"),
                           .keepalive = config.keepalive});
  ASSIGN_OR_RETURN(auto channel, way->Open());
  broker = std::make_unique<BrokerClient>(std::move(channel));

  ASSIGN_OR_RETURN(alarms, Alarms::Open(*kv));
  ASSIGN_OR_RETURN(officers, OfficerBook::Open(*kv, clock));
  ASSIGN_OR_RETURN(access_log,
                   AccessLog::Open(*kv, clock, config.network, config.member));
  ASSIGN_OR_RETURN(AcceptedCharter pinned, PinnedCharter(data));
  ASSIGN_OR_RETURN(peers, PeerBook::Open(*kv, std::move(pinned)));
  ASSIGN_OR_RETURN(time, NetworkTime::Open(*kv, *peers, *alarms, clock));
  ASSIGN_OR_RETURN(log, LogWatch::Open(*kv, *peers, *broker, *alarms, clock));
  if (!config.mirror) log->KeepNoOpenings();
  ASSIGN_OR_RETURN(keys, KeyRing::Open(*kv, config.member, std::move(secrets.identity),
                                       *peers, clock, config.prekey_interval));
  own_name = std::make_unique<OwnNameWatch>(*kv, *keys, *peers, *log, *alarms, clock);
  if (config.witness)
    cosigner = std::make_unique<Cosigner>(config.member, std::move(secrets.witness),
                                          *peers, *log, *restored, clock);
  promises = std::make_unique<Promises>(*kv, *log, *peers, *alarms, clock,
                                        config.inclusion_alarm);
  anchors = std::make_unique<Anchors>(*kv, *keys, *peers, *promises, clock);
  packer = std::make_unique<Packer>(*peers, *keys);
  ASSIGN_OR_RETURN(cases, CaseBook::Open(*kv, config.member));
  ASSIGN_OR_RETURN(outbox, Outbox::Open(*kv, config.envelopes_max));
  ASSIGN_OR_RETURN(held, HeldMail::Open(*kv));
  heartbeats = std::make_unique<Heartbeats>(
      Heartbeats::Books{*kv, *outbox, *peers, *keys, clock});
  const std::function<void()> wake = [this] { WakeCourier(); };
  courier = std::make_unique<Courier>(
      Courier::Books{*cases, *outbox, *peers, *keys, *log, *packer, *promises,
                     *anchors, *kv, *broker, clock, *time, *restored,
                     *heartbeats});
  ASSIGN_OR_RETURN(intake,
                   Intake::Open({*cases, *outbox, *held, *peers, *keys, *log, *packer,
                                 *promises, *alarms, *access_log, *kv, *broker, clock, *time, *restored,
                                 *heartbeats, wake}));
  desk = std::make_unique<Desk>(Desk{
      *cases, *outbox, *held, *peers, *log, *keys, *officers, *access_log, *kv,
      *restored, *time, wake, [this] { intake->ReleaseHeld().IgnoreError(); }});
  referrals = std::make_unique<ReferralDesk>(*desk);
  consents = std::make_unique<ConsentDesk>(*desk);
  return absl::OkStatus();
}

void Agent::Parts::StartLoops() {
  courier_backoff = std::make_unique<Backoff>(config.retry_first, config.retry_max);
  courier_loop = std::make_unique<Loop>([this] { return RunCourier(); });
  upkeep_loop = std::make_unique<Loop>([this] { return RunUpkeep(); });
  streams = std::make_unique<BrokerStreams>(BrokerStreams::Parts{
      *broker, *log, *intake, *time, cosigner.get(), *peers, clock, config.retry_first, config.retry_max,
      [this] {
        upkeep_loop->Wake();
        courier_loop->Wake();
      }});
  status = StatusSource{
      [this] { return streams->reachable(); },
      [this] { return streams->last_seen(); },
      [this] { return log->size(); },
      [this] { return peers->Now()->witnessed_size; },
      [this] { return alarms->List(); },
      [this](absl::string_view code, const std::optional<MemberId>& member) {
        return MayAcknowledge(code, member);
      },
      [this](absl::string_view code, const std::optional<MemberId>& member) {
        return AcknowledgeAlarm(code, member);
      },
      [this](absl::string_view code, const std::optional<MemberId>& member) {
        return alarms->EvidenceOf(code, member);
      },
      [this] { return intake->quarantined(); },
      [this]() -> std::string {
        return log->is_contradicted() ? "log" : time->InTheWay();
      }};
}

absl::Status Agent::Parts::MayAcknowledge(
    absl::string_view code, const std::optional<MemberId>& member) const {
  if (code == "review_due")
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "this alarm ends with the reviews that are due",
                     {.code = "invalid_state",
                      .hint = "see them with `amparo review list`"});
  return alarms->CheckRings(code, member);
}

// Some alarms hold something up: who has seen to one of these lets it go.
absl::Status Agent::Parts::AcknowledgeAlarm(
    absl::string_view code, const std::optional<MemberId>& member) {
  RETURN_IF_ERROR(MayAcknowledge(code, member));
  if (code == "unanswered" && member)
    return restored->GoOnWithout(*member, *alarms);
  RETURN_IF_ERROR(alarms->Acknowledge(code, member));
  if (code == "log_stale") {
    time->SealOnOldLog();
    WakeCourier();
  }
  return absl::OkStatus();
}

absl::Duration Agent::Parts::RunCourier() {
  const absl::Status sent = courier->Run();
  if (sent.ok()) {
    courier_backoff->Reset();
    return kUpkeepInterval;  // for drafts that wait for a recipient's key
  }
  LogEvent(EventLevel::kWarning, "courier_waits",
           {{"status_code", static_cast<int>(sent.code())}});
  return courier_backoff->Next();
}

absl::Status Agent::Parts::CompareClock() {
  RETURN_IF_ERROR(time->Tick());
  const bool sealing = time->MaySeal().ok();
  const absl::Status asked = time->Ask(*broker);
  // Before the first charter there is nothing to ask for.
  if (!asked.ok() && !absl::IsNotFound(asked)) return asked;
  if (!sealing && time->MaySeal().ok()) WakeCourier();
  return absl::OkStatus();
}

// New keys, and the end of old ones, only by a clock that is right.
absl::Status Agent::Parts::MaintainKeys() {
  if (!time->MayPublish().ok() || !log->MayGive()) return absl::OkStatus();
  // The cursor first: what is taken meanwhile needs its prekeys.
  const std::optional<LeafIndex> taken = intake->cursor();
  absl::Status done =
      keys->DestroyOldPrekeys(*broker, taken, intake->PrekeysNeeded());
  done.Update(keys->Maintain(*broker));
  return done;
}

absl::Status Agent::Parts::MaintainChannel() {
  return way->Maintain(
      {[this] { return broker->GetCa(); },
       [this] { return peers->Now()->charter.charter.log_keys; },
       [this](absl::string_view csr) {
         return broker->RenewCertificate(csr, keys->RequestCertificate(csr));
       },
       [this](std::shared_ptr<grpc::Channel> channel) {
         broker->UseChannel(std::move(channel));
       }},
      *alarms, clock);
}

absl::Status Agent::Parts::SendHeartbeats() {
  if (!time->MaySeal().ok()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool due, heartbeats->Beat());
  if (due) WakeCourier();
  return absl::OkStatus();
}

absl::Duration Agent::Parts::RunUpkeep() {
  const std::pair<const char*, absl::Status> duties[] = {
      {"clock", CompareClock()},
      {"own_name", own_name->Look()},
      {"keys", MaintainKeys()},
      {"certificate", MaintainChannel()},
      {"promises", promises->Settle()},
      {"waiting", intake->TakeWaiting()},
      {"receipts", intake->SendReceipts()},
      {"missing", intake->AskForMissing()},
      {"held", intake->ReleaseHeld()},
      {"erasures", intake->EraseUncovered()},
      {"opened", referrals->SendReceiptsDue()},
      {"seen", intake->ForgetSeen()},
      {"heartbeats", SendHeartbeats()},
      {"reviews", ReviewDesk(*desk).Ring(*alarms)},
  };
  RingForUnseen(*desk, *alarms, clock.Now());
  for (const auto& [duty, done] : duties)
    if (!done.ok() && !absl::IsUnavailable(done))
      LogEvent(EventLevel::kWarning, "upkeep_failed",
               {{"duty", duty}, {"status_code", static_cast<int>(done.code())}});
  if (absl::AbsDuration(clock.Now() - anchored_at) >= kAnchorInterval &&
      log->MayGive())
    AnchorAccessLog(*broker);
  return kUpkeepInterval;
}

void Agent::Parts::AnchorAccessLog(BrokerClient& at) {
  if (access_log->size() <= anchored_size || !time->MayPublish().ok()) return;
  const auto signer = keys->Signer();
  if (!signer.ok()) return;
  const TreeSize size = access_log->size();
  const auto note = access_log->SignedCheckpoint(*signer);
  if (!note.ok()) return;
  const auto receipt = at.LogAccessCheckpoint(*note);
  if (!receipt.ok()) return;  // at the next upkeep
  Batch rows;
  if (promises->Keep(*receipt, EncodeAuditEvent(AccessLogEvent{*note}), rows).ok() &&
      kv->Write(rows).ok()) {
    anchored_at = clock.Now();
    anchored_size = size;
  }
}

// With the loops ended, and the client that they shared.
void Agent::Parts::AnchorOnceMore() {
  auto channel = way->Open();
  if (!channel.ok()) return;
  BrokerClient last(*std::move(channel));
  AnchorAccessLog(last);
}

std::unique_ptr<grpc::Server> Agent::Parts::ServerFor(uint32_t uid) {
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  {
    MutexLock lock(services_mutex);
    auto& set = services[uid];
    set = std::make_unique<AgentServices>(std::make_unique<UidCallers>(*officers, uid),
                                          *api);
    set->RegisterWith(builder);
  }
  return builder.BuildAndStart();
}

absl::Status Agent::Parts::ServeApi(const DataDir& data) {
  executor = std::make_unique<Executor>(kApiThreads, kApiQueueMax);
  feed = std::make_unique<RevisionFeed>(*cases, kWatchersMax);
  api = std::make_unique<ApiParts>(ApiParts{*desk, *officers, *referrals, *consents,
                                            *feed, status, *executor, kVersion,
                                            [this] { upkeep_loop->Wake(); },
                                            [this, path = data.Path(kStoreCopy)] {
                                              return CopyStore(*disk, path);
                                            }});
  ASSIGN_OR_RETURN(systems, SystemsDoor::Open(data, config, *kv, *api, clock));
  ASSIGN_OR_RETURN(listener,
                   UnixListener::Create(data.Resolve(config.api_socket),
                                        [this](uint32_t uid) { return ServerFor(uid); }));
  return absl::OkStatus();
}

Agent::Agent(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Agent::~Agent() { Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(const DataDir& data,
                                                    const AgentConfig& config,
                                                    AgentSecrets secrets,
                                                    const Clock& clock) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto parts = std::make_unique<Parts>(config, clock);
  RETURN_IF_ERROR(AdviseIfDamaged(parts->OpenBooks(data, std::move(secrets))));
  parts->StartLoops();
  std::unique_ptr<Agent> agent(new Agent(std::move(parts)));
  RETURN_IF_ERROR(agent->parts_->ServeApi(data));
  LogEvent("agent_ready", {{"member", config.member}});
  return agent;
}

void Agent::Stop(absl::Duration grace) {
  const absl::Time until = absl::Now() + grace;
  if (parts_->listener) parts_->listener->Shutdown(grace);
  parts_->listener.reset();
  if (parts_->systems)
    parts_->systems->Shutdown(std::max(absl::ZeroDuration(), until - absl::Now()));
  if (!parts_->streams) return;
  // Asked now: the log counts as followed no more when its stream has ended.
  const bool may_anchor =
      parts_->streams->reachable() && parts_->log->MayGive();
  // First: a loop that waits for a silent broker would wait call after call.
  parts_->broker->StopStreams();
  parts_->upkeep_loop->Stop();
  parts_->courier_loop->Stop();
  parts_->streams->Stop();
  if (grace > absl::ZeroDuration() && may_anchor) parts_->AnchorOnceMore();
}

}  // namespace amparo::agent
