#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "amparo/agent/v1/agent.grpc.pb.h"
#include "base/mutex.h"
#include "proto/grpc/status.h"

// An agent that says what a test told it to, on a Unix socket.

namespace amparo::officer {

namespace v1 = ::amparo::agent::v1;

class FakeReferrals : public v1::ReferralService::Service {
 public:
  std::function<absl::Status(const v1::SendRequest&, v1::SendResponse*)> send;
  std::function<absl::Status(const v1::ShowReferralRequest&, v1::ReferralView*)>
      show;
  std::function<absl::Status(v1::InboxResponse*)> inbox;
  std::atomic<int> lost_answers = 0;  // of Send
  // How each Watch ends after its changes; the last one stays open.
  struct WatchPlan {
    int changes = 1;
    absl::Status end;  // OK: stays open
  };
  std::vector<WatchPlan> watches = {{}};

  std::vector<v1::SendRequest> Sends() { return Copy(sends_); }
  std::vector<v1::ShowReferralRequest> Shows() { return Copy(shows_); }
  std::vector<v1::ReferralActionRequest> Actions() { return Copy(actions_); }
  std::vector<std::string> Officers() { return Copy(officers_); }
  void Close() { closing_ = true; }

 private:
  grpc::Status Send(grpc::ServerContext* context,
                    const v1::SendRequest* request,
                    v1::SendResponse* response) override {
    Note(*context, sends_, *request);
    // As a client sees it when the connection broke before the answer came.
    if (lost_answers-- > 0) return {grpc::StatusCode::UNAVAILABLE, ""};
    return ToGrpc(send(*request, response));
  }
  grpc::Status Show(grpc::ServerContext* context,
                    const v1::ShowReferralRequest* request,
                    v1::ReferralView* response) override {
    Note(*context, shows_, *request);
    return ToGrpc(show(*request, response));
  }
  grpc::Status Inbox(grpc::ServerContext*, const v1::InboxRequest*,
                     v1::InboxResponse* response) override {
    return ToGrpc(inbox(response));
  }
  grpc::Status Accept(grpc::ServerContext* context,
                      const v1::ReferralActionRequest* request,
                      v1::ReferralChange* response) override {
    return Act(*context, *request, *response);
  }
  grpc::Status Decline(grpc::ServerContext* context,
                       const v1::ReferralActionRequest* request,
                       v1::ReferralChange* response) override {
    return Act(*context, *request, *response);
  }
  grpc::Status Close(grpc::ServerContext* context,
                     const v1::ReferralActionRequest* request,
                     v1::ReferralChange* response) override {
    return Act(*context, *request, *response);
  }
  grpc::Status Act(grpc::ServerContext& context,
                   const v1::ReferralActionRequest& request,
                   v1::ReferralChange& response) {
    Note(context, actions_, request);
    response.set_referral_id(request.referral_id());
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    const size_t number = watched_++;
    const WatchPlan& plan = watches[std::min(number, watches.size() - 1)];
    for (int i = 0; i < plan.changes; ++i) {
      v1::WatchResponse change;
      change.set_revision(static_cast<uint64_t>(i));
      writer->Write(change);
    }
    if (!plan.end.ok()) return ToGrpc(plan.end);
    while (!context->IsCancelled() && !closing_)
      absl::SleepFor(absl::Milliseconds(2));  // the stub blocks; so do we
    return grpc::Status::OK;
  }

  template <typename Request>
  void Note(const grpc::ServerContext& context, std::vector<Request>& list,
            const Request& request) {
    MutexLock lock(mutex_);
    list.push_back(request);
    const auto& metadata = context.client_metadata();
    const auto officer = metadata.find("amparo-officer");
    officers_.push_back(
        officer == metadata.end()
            ? "(none)"
            : std::string(officer->second.data(), officer->second.size()));
  }
  template <typename T>
  std::vector<T> Copy(const std::vector<T>& list) {
    MutexLock lock(mutex_);
    return list;
  }

  Mutex mutex_;
  std::vector<v1::SendRequest> sends_;
  std::vector<v1::ShowReferralRequest> shows_;
  std::vector<v1::ReferralActionRequest> actions_;
  std::vector<std::string> officers_;
  std::atomic<size_t> watched_ = 0;
  std::atomic<bool> closing_ = false;
};

class FakeConsents : public v1::ConsentService::Service {
 public:
  std::vector<v1::RecordConsentRequest> records;  // of one call at a time
  std::vector<v1::RevokeConsentRequest> revokes;

 private:
  grpc::Status Record(grpc::ServerContext*,
                      const v1::RecordConsentRequest* request,
                      v1::RecordConsentResponse* response) override {
    records.push_back(*request);
    response->set_grant_id("g-abcdefghijklmnopqrstuvwxyz");
    return grpc::Status::OK;
  }
  grpc::Status Revoke(grpc::ServerContext*,
                      const v1::RevokeConsentRequest* request,
                      v1::RevokeConsentResponse* response) override {
    revokes.push_back(*request);
    response->set_status("revoked");
    return grpc::Status::OK;
  }
};

class FakeAgentService : public v1::AgentService::Service {
 public:
  v1::AddOfficerRequest added;
  std::string removed;

 private:
  grpc::Status AddOfficer(grpc::ServerContext*,
                          const v1::AddOfficerRequest* request,
                          v1::OfficerView* response) override {
    added = *request;
    response->set_handle(request->handle());
    return grpc::Status::OK;
  }
  grpc::Status RemoveOfficer(grpc::ServerContext*,
                             const v1::RemoveOfficerRequest* request,
                             v1::OfficerView* response) override {
    removed = request->handle();
    response->set_handle(request->handle());
    response->set_removed_at_s(7);
    return grpc::Status::OK;
  }
};

// Serves `directory`/agent.sock. The directory service is left out: an agent
// of another version.
class FakeAgent {
 public:
  explicit FakeAgent(const std::string& directory) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + directory + "/agent.sock",
                             grpc::InsecureServerCredentials());
    builder.RegisterService(&referrals);
    builder.RegisterService(&consents);
    builder.RegisterService(&agent);
    server_ = builder.BuildAndStart();
  }
  ~FakeAgent() {
    referrals.Close();
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  FakeReferrals referrals;
  FakeConsents consents;
  FakeAgentService agent;

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace amparo::officer
