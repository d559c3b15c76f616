#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

using ReferralShow = DeskTest;

TEST_F(ReferralShow, ShowsTheRecipientWhatWasSentToIt) {
  const Sent sent = Delivered({"uls", "gnr"});
  const ReferralView view = Look(at("uls"), sent.referral);
  EXPECT_TRUE(view.incoming);
  EXPECT_EQ(view.from.text(), "ong");
  ASSERT_EQ(view.recipients.size(), 1u);
  EXPECT_EQ(view.recipients[0].member.text(), "uls");
  ASSERT_EQ(view.sections.size(), 4u);
  EXPECT_NE(Find(view, "identity")->fields_json.find("EXEMPLO"),
            std::string::npos);
  EXPECT_TRUE(Find(view, "identity")->fits_first_digest);
  EXPECT_EQ(Find(view, "identity")->authority, sent.consent);
  EXPECT_EQ(Find(view, "risk"), nullptr);  // the summary is what it has
  EXPECT_NE(Find(view, "risk_summary"), nullptr);
  ASSERT_EQ(view.events.size(), 2u);
  EXPECT_EQ(view.events[0].kind, "referral");
  EXPECT_EQ(view.events[1].kind, "opened");
}

TEST_F(ReferralShow, MasksTheSafeContactUntilItIsAskedFor) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  const ReferralView masked = Look(uls, sent.referral);
  EXPECT_EQ(Find(masked, "safe_contact")->status, SectionView::Status::kMasked);
  EXPECT_EQ(Find(masked, "safe_contact")->fields_json, "");
  EXPECT_EQ(CountOf(uls, "section_open"), 0u);
  const ReferralView open = Look(uls, sent.referral, {"safe_contact"});
  EXPECT_NE(Find(open, "safe_contact")->fields_json.find("laranja"),
            std::string::npos);
  EXPECT_EQ(CountOf(uls, "section_open"), 1u);
  Look(uls, sent.referral, {"safe_contact"});
  EXPECT_EQ(CountOf(uls, "section_open"), 2u);
  EXPECT_EQ(Find(Look(uls, sent.referral), "safe_contact")->status,
            SectionView::Status::kMasked);
}

TEST_F(ReferralShow, MasksTheSendersOwnCopyToo) {
  const Sent sent = Send({"uls"});
  EXPECT_EQ(Find(Look(ong(), sent.referral), "safe_contact")->status,
            SectionView::Status::kMasked);
  const ReferralView view = Look(ong(), sent.referral, {"safe_contact"});
  EXPECT_NE(Find(view, "safe_contact")->fields_json.find("laranja"),
            std::string::npos);
  EXPECT_FALSE(view.incoming);
}

TEST_F(ReferralShow, WritesTheAccessLogBeforeAnythingIsShown) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  Look(uls, sent.referral, {"safe_contact"});
  const auto records = Records(uls);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].action, "referral_show");
  EXPECT_EQ(records[0].officer, uls.officer().id.text());
  EXPECT_EQ(records[0].case_pseudonym, sent.case_id);
  EXPECT_EQ(
      records[0].sections,
      (std::vector<std::string>{"identity", "risk_summary", "needs_summary"}));
  EXPECT_EQ(records[0].grant_or_basis, sent.consent);
  EXPECT_EQ(records[1].action, "section_open");
  EXPECT_EQ(records[1].sections, std::vector<std::string>{"safe_contact"});
}

TEST_F(ReferralShow, ShowsNothingWhenTheAccessLogCannotBeWritten) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  uls.kv().FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(
      uls.referrals().Show(uls.officer(), sent.referral, {}, false).ok());
  EXPECT_FALSE(uls.consents().Show(uls.officer(), sent.consent).ok());
  uls.kv().FailWrites(absl::OkStatus());
  // And nobody was told that it was opened.
  world_.Settle();
  EXPECT_EQ(Status(ong(), sent.referral).recipients[0].delivery,
            Delivery::kDelivered);
}

TEST_F(ReferralShow, NeedsTheAccessLogAtEveryLook) {
  // Nothing else is written when it was opened before, or is one's own.
  const Sent sent = Delivered({"uls"});
  for (const char* member : {"uls", "ong"}) {
    SCOPED_TRACE(member);
    TestAgent& agent = at(member);
    Look(agent, sent.referral);
    agent.kv().FailWrites(absl::InternalError("disk"));
    EXPECT_FALSE(
        agent.referrals().Show(agent.officer(), sent.referral, {}, false).ok());
    EXPECT_FALSE(
        agent.referrals()
            .Show(agent.officer(), sent.referral, {"safe_contact"}, false)
            .ok());
    EXPECT_OK(agent.referrals().Show(agent.officer(), sent.referral, {}, true));
    agent.kv().FailWrites(absl::OkStatus());
  }
}

TEST_F(ReferralShow, StatusOnlyOpensNothingAndLogsNoReading) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  const ReferralView view = Status(uls, sent.referral);
  EXPECT_TRUE(view.sections.empty());
  EXPECT_FALSE(view.events.empty());
  EXPECT_TRUE(Records(uls).empty());
  EXPECT_EQ(uls.outbox().size(), 0u);
  EXPECT_TRUE(
      VALUE_OF(uls.referrals().Inbox(uls.officer())).items[0].row.unread);
}

TEST_F(ReferralShow, TellsTheSenderOfTheFirstLookOnce) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  Look(uls, sent.referral);
  EXPECT_EQ(uls.outbox().size(), 1u);
  VALUE_OF(uls.referrals().Show(uls.supervisor(), sent.referral, {}, false));
  EXPECT_EQ(uls.outbox().size(), 1u);
  world_.Settle();
  EXPECT_EQ(Status(ong(), sent.referral).recipients[0].delivery,
            Delivery::kOpened);
  Look(uls, sent.referral);
  EXPECT_EQ(uls.outbox().size(), 0u);
  EXPECT_FALSE(
      VALUE_OF(uls.referrals().Inbox(uls.officer())).items[0].row.unread);
}

TEST_F(ReferralShow, TellsNobodyWhenTheSenderLooksAtItsOwn) {
  const Sent sent = Delivered({"uls"});
  Look(ong(), sent.referral);
  EXPECT_EQ(ong().outbox().size(), 0u);
}

TEST_F(ReferralShow, AWithheldSectionLooksLikeNone) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  for (const char* slot : {"perpetrator", "special", "narrative"})
    EXPECT_THAT(
        uls.referrals().Show(uls.officer(), sent.referral, {slot}, false),
        HasErrorCode("not_found"))
        << slot;
  EXPECT_THAT(
      uls.referrals().Show(uls.officer(), sent.referral, {"gossip"}, false),
      HasErrorCode("usage"));
}

TEST_F(ReferralShow, ClosesSectionsWhenTheConsentRunsOut) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  EXPECT_EQ(Find(Look(uls, sent.referral), "identity")->status,
            SectionView::Status::kOpen);
  world_.clock().Advance(absl::Hours(24 * 200));
  const ReferralView view =
      VALUE_OF(uls.referrals().Show(uls.officer(), sent.referral, {}, false));
  ASSERT_FALSE(view.sections.empty());
  for (const SectionView& section : view.sections) {
    EXPECT_EQ(section.status, SectionView::Status::kErased);
    EXPECT_EQ(section.fields_json, "");
  }
}

// Whoever can write the disk swaps one person's section for another's.
class Tampering : public DeskTest {
 protected:
  struct Place {
    CaseId case_id;
    EventId event_id;
  };
  Place PlaceOf(const Sent& sent) {
    const auto entry = at("uls").cases().FindByReferral(
        VALUE_OF(at("uls").cases().ResolveReferral(sent.referral)));
    return {entry->state.case_id, entry->events.at(0).id};
  }
  Content Read(const Place& place) {
    return VALUE_OF(at("uls").cases().ContentOf(
        place.case_id, place.event_id, VALUE_OF(MemberId::Parse("ong"))));
  }
  void Store(const Place& place, const Content& content) {
    const MemberId ong = VALUE_OF(MemberId::Parse("ong"));
    EXPECT_OK(
        at("uls")
            .cases()
            .Change(
                place.case_id,
                [&](const Case*) -> absl::StatusOr<CaseChange> {
                  return CaseChange{{}, {{{place.event_id, ong}, content}}, {}};
                })
            .status());
  }
  void ExpectRefused(const Sent& sent) {
    TestAgent& uls = at("uls");
    EXPECT_THAT(uls.referrals().Show(uls.officer(), sent.referral, {}, false),
                HasErrorCode("tampered"));
    EXPECT_OK(uls.referrals().Show(uls.officer(), sent.referral, {}, true));
  }
};

TEST_F(Tampering, WithASectionIsSeen) {
  const Sent mine = Delivered({"uls"}), theirs = Delivered({"uls"});
  Content content = Read(PlaceOf(mine));
  const Slot identity{Section::kIdentity};
  content.disclosures[identity] =
      Read(PlaceOf(theirs)).disclosures.at(identity);
  Store(PlaceOf(mine), content);
  ExpectRefused(mine);
}

TEST_F(Tampering, WithAWholeDocumentIsSeen) {
  const Sent mine = Delivered({"uls"}), theirs = Delivered({"uls"});
  Store(PlaceOf(mine), Read(PlaceOf(theirs)));
  ExpectRefused(mine);
}

TEST_F(Tampering, WithAnotherVersionOfTheSameReferralIsSeen) {
  const Sent sent = Delivered({"uls"});
  VALUE_OF(ong().referrals().Update(ong().officer(), sent.referral,
                                    R"({"schema":"update_form/1","sections":{
          "identity":{"given_name":"M"}}})"));
  world_.Settle();
  const Place first = PlaceOf(sent);
  const auto entry = at("uls").cases().Find(first.case_id);
  const Place update{first.case_id, entry->events.back().id};
  Store(update, Read(first));  // the old name comes back
  ExpectRefused(sent);
}

TEST_F(ReferralShow, NeedsTheRole) {
  const Sent sent = Delivered({"uls"});
  const Officer admin = AddOfficer(at("uls"), "root", {Role::kAdmin}, 0);
  for (const bool status_only : {false, true})
    EXPECT_THAT(
        at("uls").referrals().Show(admin, sent.referral, {}, status_only),
        HasErrorCode("role_missing"));
  EXPECT_THAT(at("uls").referrals().Inbox(admin), HasErrorCode("role_missing"));
  EXPECT_THAT(at("uls").referrals().List(admin, {}),
              HasErrorCode("role_missing"));
}

TEST_F(ReferralShow, FindsAReferralByAPrefix) {
  const Sent sent = Delivered({"uls"});
  EXPECT_EQ(Status(at("uls"), sent.referral.substr(0, 8)).referral_id.text(),
            sent.referral);
  EXPECT_THAT(at("uls").referrals().Show(at("uls").officer(),
                                         sent.referral.substr(0, 4), {}, true),
              HasErrorCode("not_found"));
}

TEST_F(ReferralShow, ListsByBoxStateAndLateness) {
  const Sent sent = Delivered({"uls", "gnr"});
  const auto count = [&](TestAgent& agent, const ReferralDesk::Filter& filter) {
    return VALUE_OF(agent.referrals().List(agent.officer(), filter)).size();
  };
  EXPECT_EQ(count(ong(), {}), 2u);
  EXPECT_EQ(count(ong(), {.box = "out"}), 2u);
  EXPECT_EQ(count(ong(), {.box = "in"}), 0u);
  EXPECT_EQ(count(at("uls"), {.box = "in"}), 1u);
  EXPECT_EQ(count(ong(), {.state = "received"}), 2u);
  EXPECT_EQ(count(ong(), {.state = "accepted"}), 0u);
  EXPECT_EQ(count(ong(), {.overdue = true}), 0u);
  world_.clock().Advance(absl::Hours(25));
  EXPECT_EQ(count(ong(), {.overdue = true}), 2u);
  EXPECT_THAT(ong().referrals().List(ong().officer(), {.box = "left"}),
              HasErrorCode("usage"));
  EXPECT_THAT(ong().referrals().List(ong().officer(), {.state = "lost"}),
              HasErrorCode("usage"));
}

TEST_F(ReferralShow, TheInboxBeginsWithWhatIsDueFirst) {
  const ConsentView consent = Record();
  const auto send = [&](const std::string& priority) {
    SendRequest request = RequestTo({"uls"}, consent.grant_id.text());
    request.form_json = FormFor({"uls"});
    request.priority = priority;
    return VALUE_OF(ong().referrals().Send(ong().officer(), request))
        .referral_id->text();
  };
  const std::string routine = send("routine");
  const std::string immediate = send("immediate");
  const std::string urgent = send("urgent");
  world_.Settle();
  TestAgent& uls = at("uls");
  InboxView inbox = VALUE_OF(uls.referrals().Inbox(uls.officer()));
  ASSERT_EQ(inbox.items.size(), 3u);
  EXPECT_EQ(inbox.items[0].row.referral_id.text(), immediate);
  EXPECT_EQ(inbox.items[1].row.referral_id.text(), urgent);
  EXPECT_EQ(inbox.items[2].row.referral_id.text(), routine);
  EXPECT_EQ(inbox.unread, 3u);
  EXPECT_EQ(inbox.items[0].next,
            (std::vector<std::string>{"accept", "decline"}));
  // What is accepted waits for nobody; what ended is gone.
  VALUE_OF(uls.referrals().Accept(uls.officer(), immediate));
  VALUE_OF(uls.referrals().Decline(uls.officer(), urgent, "no_capacity"));
  inbox = VALUE_OF(uls.referrals().Inbox(uls.officer()));
  ASSERT_EQ(inbox.items.size(), 2u);
  EXPECT_EQ(inbox.items[0].row.referral_id.text(), routine);
  EXPECT_EQ(inbox.items[1].due_at, kNoTime);
  EXPECT_EQ(inbox.items[1].next,
            (std::vector<std::string>{"decline", "close"}));
}

}  // namespace
}  // namespace amparo::agent
