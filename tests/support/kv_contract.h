#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/kv/kv.h"
#include "tests/support/status_matchers.h"

// What every KeyValue keeps (base/kv/kv.h). An engine's test defines a Fixture
// with `KeyValue& kv()`, an empty map, and says
//   INSTANTIATE_TYPED_TEST_SUITE_P(Memory, KeyValueContract, MemoryFixture);

namespace amparo {

using Entry = std::pair<std::string, std::string>;

inline void PutText(Batch& batch, const std::string& key,
                    const std::string& value) {
  batch.Put(key, AsBytes(value));
}

// A Write of these entries.
inline absl::Status WriteAll(KeyValue& kv, const std::vector<Entry>& entries) {
  Batch batch;
  for (const auto& [key, value] : entries) PutText(batch, key, value);
  return kv.Write(batch);
}

// What a Scan visits, at most `count_max` entries.
inline std::vector<Entry> ScanAll(const KeyValue& kv, absl::string_view prefix,
                                  absl::string_view start = "",
                                  size_t count_max = SIZE_MAX) {
  std::vector<Entry> entries;
  EXPECT_OK(kv.Scan(prefix, start, [&](absl::string_view key, ByteView value) {
    entries.emplace_back(std::string(key), ToText(value));
    return entries.size() < count_max;
  }));
  return entries;
}

inline std::vector<std::string> KeysFrom(const KeyValue& kv,
                                         absl::string_view prefix,
                                         absl::string_view start = "") {
  std::vector<std::string> keys;
  for (auto& [key, value] : ScanAll(kv, prefix, start))
    keys.push_back(std::move(key));
  return keys;
}

template <typename Fixture>
class KeyValueContract : public testing::Test {
 protected:
  KeyValue& kv() { return fixture_.kv(); }
  Fixture fixture_;
};
TYPED_TEST_SUITE_P(KeyValueContract);

TYPED_TEST_P(KeyValueContract, GivesBackWhatWasWrittenLast) {
  KeyValue& kv = this->kv();
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
  ASSERT_OK(
      WriteAll(kv, {{"a", "1"}, {every_byte, every_byte}, {"empty", ""}}));
  EXPECT_EQ(ToText(VALUE_OF(kv.Get("a"))), "1");
  EXPECT_EQ(ToText(VALUE_OF(kv.Get(every_byte))), every_byte);
  EXPECT_EQ(ToText(VALUE_OF(kv.Get("empty"))), "");
  ASSERT_OK(WriteAll(kv, {{"a", "2"}}));
  EXPECT_EQ(ToText(VALUE_OF(kv.Get("a"))), "2");
}

TYPED_TEST_P(KeyValueContract, HasNoKeyThatWasNotWrittenOrWasDeleted) {
  KeyValue& kv = this->kv();
  ASSERT_OK(WriteAll(kv, {{"a", "1"}, {"ab", "2"}}));
  EXPECT_THAT(kv.Get("b"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(kv.Get(""), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(kv.Get(absl::string_view("a\0", 2)),
              StatusIs(absl::StatusCode::kNotFound));
  Batch batch;
  batch.Delete("a");
  batch.Delete("never there");
  ASSERT_OK(kv.Write(batch));
  EXPECT_THAT(kv.Get("a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ToText(VALUE_OF(kv.Get("ab"))), "2");
}

TYPED_TEST_P(KeyValueContract, AppliesABatchInItsOrder) {
  KeyValue& kv = this->kv();
  Batch batch;
  PutText(batch, "put last", "1");
  batch.Delete("put last");
  PutText(batch, "put last", "2");
  PutText(batch, "deleted last", "1");
  Batch more;
  more.Delete("deleted last");
  batch.Append(std::move(more));
  ASSERT_OK(kv.Write(batch));
  EXPECT_EQ(ScanAll(kv, ""), (std::vector<Entry>{{"put last", "2"}}));
}

TYPED_TEST_P(KeyValueContract, TakesAnEmptyBatch) {
  EXPECT_OK(this->kv().Write(Batch()));
  EXPECT_TRUE(ScanAll(this->kv(), "").empty());
}

TYPED_TEST_P(KeyValueContract, ScansInTheOrderOfUnsignedBytes) {
  KeyValue& kv = this->kv();
  const std::vector<std::string> keys = {std::string("\0", 1),
                                         std::string("\0\0", 2),
                                         "A",
                                         "a",
                                         std::string("a\0", 2),
                                         "a\x7f",
                                         "a\x80",
                                         "a\xff",
                                         "b",
                                         "\x80",
                                         "\xff"};
  Batch batch;
  for (auto it = keys.rbegin(); it != keys.rend(); ++it)
    PutText(batch, *it, "");
  ASSERT_OK(kv.Write(batch));
  EXPECT_EQ(KeysFrom(kv, ""), keys);
}

TYPED_TEST_P(KeyValueContract, ScansOnlyWhatHasThePrefix) {
  KeyValue& kv = this->kv();
  ASSERT_OK(WriteAll(kv, {{"a", "0"},
                          {"ab", "1"},
                          {"ab/", "2"},
                          {"abc", "3"},
                          {"ac", "4"},
                          {"b", "5"},
                          {"\xff", "6"},
                          {"\xff\xff", "7"}}));
  EXPECT_EQ(KeysFrom(kv, "ab"), (std::vector<std::string>{"ab", "ab/", "abc"}));
  EXPECT_EQ(KeysFrom(kv, "\xff"),
            (std::vector<std::string>{"\xff", "\xff\xff"}));
  EXPECT_TRUE(KeysFrom(kv, "aa").empty());
  EXPECT_TRUE(KeysFrom(kv, "abcd").empty());
  EXPECT_EQ(KeysFrom(kv, "").size(), 8u);
}

TYPED_TEST_P(KeyValueContract, ScansFromTheStartKeyOn) {
  KeyValue& kv = this->kv();
  ASSERT_OK(WriteAll(
      kv, {{"a", ""}, {"p/1", ""}, {"p/2", ""}, {"p/3", ""}, {"q", ""}}));
  EXPECT_EQ(KeysFrom(kv, "p/", "p/2"),
            (std::vector<std::string>{"p/2", "p/3"}));
  // Between two keys, before all of the prefix, after all of it.
  EXPECT_EQ(KeysFrom(kv, "p/", "p/1x"),
            (std::vector<std::string>{"p/2", "p/3"}));
  EXPECT_EQ(KeysFrom(kv, "p/", "a").size(), 3u);
  EXPECT_TRUE(KeysFrom(kv, "p/", "p/4").empty());
  EXPECT_TRUE(KeysFrom(kv, "p/", "q").empty());
}

TYPED_TEST_P(KeyValueContract, StopsWhenTheVisitorHasEnough) {
  KeyValue& kv = this->kv();
  ASSERT_OK(WriteAll(kv, {{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(ScanAll(kv, "", "", 2),
            (std::vector<Entry>{{"a", "1"}, {"b", "2"}}));
}

TYPED_TEST_P(KeyValueContract, KeepsValuesOfAMebibyte) {
  KeyValue& kv = this->kv();
  const std::string value(1 << 20, 'v');
  ASSERT_OK(WriteAll(kv, {{"large", value}}));
  EXPECT_EQ(ToText(VALUE_OF(kv.Get("large"))), value);
  EXPECT_EQ(ScanAll(kv, "l").at(0).second, value);
}

TYPED_TEST_P(KeyValueContract, NeverNamesAKeyInAnError) {
  const auto got = this->kv().Get("officer/ana");
  EXPECT_THAT(std::string(got.status().message()),
              testing::Not(testing::HasSubstr("ana")));
}

REGISTER_TYPED_TEST_SUITE_P(KeyValueContract, GivesBackWhatWasWrittenLast,
                            HasNoKeyThatWasNotWrittenOrWasDeleted,
                            AppliesABatchInItsOrder, TakesAnEmptyBatch,
                            ScansInTheOrderOfUnsignedBytes,
                            ScansOnlyWhatHasThePrefix, ScansFromTheStartKeyOn,
                            StopsWhenTheVisitorHasEnough,
                            KeepsValuesOfAMebibyte, NeverNamesAKeyInAnError);

}  // namespace amparo
