#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "agents/officer/change_stream.h"
#include "agents/officer/commands.h"
#include "agents/officer/wait.h"
#include "base/error.h"

// The commands that stay: they listen to the agent and look again after each
// change.

namespace amparo::officer {
namespace {

constexpr uint64_t kWaitDefault_s = 60;
constexpr uint64_t kWaitMax_s = 24 * 60 * 60;

bool AgentWentAway(const absl::Status& status) {
  return ErrorCodeOf(status) == "agent_unreachable";
}

// "uls is received (opened), gnr is sent (queued)"
std::string StatesText(const v1::ReferralView& referral) {
  std::string text;
  for (const v1::RecipientState& to : referral.recipients())
    absl::StrAppend(&text, text.empty() ? "" : ", ", to.member(), " is ",
                    to.state(), " (", to.delivery(), ")");
  return text.empty() ? "it is not here yet" : text;
}

absl::Status NeverError(const v1::ReferralView& referral,
                        const std::string& stage) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("it can no more become ", stage, ": ", StatesText(referral)),
      {.code = "invalid_state",
       .hint = "see what happened with `amparo referral show ID`"});
}

absl::Status TimeIsUp(const v1::ReferralView& referral,
                      const std::string& stage, uint64_t timeout_s) {
  return MakeError(absl::StatusCode::kDeadlineExceeded,
                   absl::StrCat("not ", stage, " within ", timeout_s,
                                " s: ", StatesText(referral)),
                   {.code = "timed_out",
                    .hint = "try again, or wait longer with --timeout S",
                    .retryable = true});
}

// Returns when the rule of JudgeWait holds.
absl::Status Await(Session& session) {
  const Command& command = session.command();
  const std::string stage = command.Value("wait");
  ASSIGN_OR_RETURN(const uint64_t timeout_s,
                   command.Number("timeout", kWaitDefault_s, 1, kWaitMax_s));
  const Clock& clock = session.around().clock;
  ChangeStream changes(session.client(), clock,
                       clock.Now() + absl::Seconds(timeout_s));
  v1::ShowReferralRequest request;
  request.set_referral_id(command.id);
  request.set_status_only(true);
  v1::ReferralView last;
  for (;;) {
    const absl::Status change = changes.Next();
    if (change.code() == absl::StatusCode::kDeadlineExceeded)
      return TimeIsUp(last, stage, timeout_s);
    RETURN_IF_ERROR(change);
    auto referral =
        session.client().Call(&v1::ReferralService::Stub::Show, request);
    if (!referral.ok()) {
      const bool may_come = AgentWentAway(referral.status()) ||
                            (ErrorCodeOf(referral.status()) == "not_found" &&
                             IsWholeReferralId(command.id));
      if (!may_come) return referral.status();
      continue;
    }
    last = *std::move(referral);
    switch (JudgeWait(last, stage)) {
      case WaitVerdict::kReached:
        return absl::OkStatus();
      case WaitVerdict::kNever:
        return NeverError(last, stage);
      case WaitVerdict::kNotYet:
        break;
    }
  }
}

// Says, of each state of the inbox, what the one before did not.
class InboxTeller {
 public:
  explicit InboxTeller(Session& session) : session_(session) {}

  absl::Status Tell(const v1::InboxResponse& inbox) {
    if (session_.command().json) return TellProgram(inbox);
    if (first_) {
      ASSIGN_OR_RETURN(const std::string all, ToText(inbox, session_.style()));
      RETURN_IF_ERROR(session_.Say(all));
    } else {
      RETURN_IF_ERROR(session_.Say(News(inbox)));
    }
    first_ = false;
    told_.clear();
    for (const v1::InboxItem& item : inbox.items())
      told_[item.referral_id()] = item.SerializeAsString();
    return absl::OkStatus();
  }

 private:
  absl::Status TellProgram(const v1::InboxResponse& inbox) {
    ASSIGN_OR_RETURN(const Json json, ToJson(inbox));
    const std::string line = DumpJson(json) + "\n";
    if (line == last_line_) return absl::OkStatus();
    last_line_ = line;
    return session_.Say(line);
  }

  std::string News(const v1::InboxResponse& inbox) {
    v1::InboxResponse news;
    for (const v1::InboxItem& item : inbox.items()) {
      const auto found = told_.find(item.referral_id());
      if (found == told_.end() || found->second != item.SerializeAsString())
        *news.add_items() = item;
      if (found != told_.end()) told_.erase(found);
    }
    std::string text;
    for (const auto& [gone, unused] : told_)
      absl::StrAppend(&text, "\n", ShortId(gone), " waits no more.\n");
    if (!news.items().empty())
      absl::StrAppend(&text, "\n", InboxRows(news.items(), session_.style()));
    return text;
  }

  Session& session_;
  bool first_ = true;
  std::string last_line_;
  std::map<std::string, std::string> told_;  // by referral, as it was told
};

}  // namespace

absl::StatusOr<Answer> ShowReferral(Session& session) {
  if (session.command().Has("wait")) {
    RETURN_IF_ERROR(Await(session));
  }
  v1::ShowReferralRequest request;
  request.set_referral_id(session.command().id);
  for (const std::string& section : session.command().List("section"))
    request.add_open_sections(section);
  return session.Ask(&v1::ReferralService::Stub::Show, request);
}

absl::StatusOr<Answer> WatchInbox(Session& session) {
  ChangeStream changes(session.client(), session.around().clock,
                       absl::InfiniteFuture());
  InboxTeller teller(session);
  for (;;) {
    RETURN_IF_ERROR(changes.Next());
    const auto inbox = session.client().Call(&v1::ReferralService::Stub::Inbox,
                                             v1::InboxRequest());
    if (inbox.ok()) {
      RETURN_IF_ERROR(teller.Tell(*inbox));
    } else if (!AgentWentAway(inbox.status())) {
      return inbox.status();
    }
  }
}

}  // namespace amparo::officer
