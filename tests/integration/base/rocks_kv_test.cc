#include "base/kv/rocks_kv.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "crypto/random.h"
#include "tests/support/kv_contract.h"
#include "tests/support/scratch_folder.h"

namespace amparo {
namespace {

class RocksFixture {
 public:
  RocksFixture() : kv_(VALUE_OF(RocksKv::Open(folder_ / "kv"))) {}
  KeyValue& kv() { return *kv_; }

 private:
  ScratchFolder folder_;
  std::unique_ptr<RocksKv> kv_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(RocksKv, KeyValueContract, RocksFixture);

TEST(RocksKv, HasEverythingAgainWhenItIsReopened) {
  const ScratchFolder folder;
  std::map<std::string, std::string> model;
  for (int round = 0; round < 5; ++round) {
    const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
    EXPECT_EQ(ScanAll(*kv, ""), std::vector<Entry>(model.begin(), model.end()));
    for (int i = 0; i < 20; ++i) {
      Batch batch;
      for (int change = 0; change < 5; ++change) {
        const std::string key = "k" + std::to_string(RandomBelow(50));
        if (RandomBelow(3) == 0) {
          batch.Delete(key);
          model.erase(key);
        } else {
          const std::string value = ToText(RandomBytes(RandomBelow(100)));
          PutText(batch, key, value);
          model[key] = value;
        }
      }
      ASSERT_OK(kv->Write(batch));
    }
  }
}

TEST(RocksKv, IsHeldByOneAtATime) {
  const ScratchFolder folder;
  {
    const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
    EXPECT_THAT(RocksKv::Open(folder / "kv").status(),
                StatusIs(absl::StatusCode::kUnavailable));
  }
  EXPECT_OK(RocksKv::Open(folder / "kv").status());
}

TEST(RocksKv, NeedsTheParentOfItsFolder) {
  const ScratchFolder folder;
  EXPECT_FALSE(RocksKv::Open(folder / "no/such/kv").ok());
}

TEST(RocksKv, SeesOneMomentInAScanWhileOthersWrite) {
  const ScratchFolder folder;
  const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
  ASSERT_OK(WriteAll(*kv, {{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  std::vector<Entry> seen;
  ASSERT_OK(kv->Scan("", "", [&](absl::string_view key, ByteView value) {
    // What another thread could write meanwhile.
    Batch batch;
    batch.Delete("b");
    PutText(batch, "c", "2");
    PutText(batch, "d", "2");
    EXPECT_OK(kv->Write(batch));
    seen.emplace_back(std::string(key), ToText(value));
    return true;
  }));
  EXPECT_EQ(seen, (std::vector<Entry>{{"a", "1"}, {"b", "1"}, {"c", "1"}}));
}

// The one file of `folder` whose name ends with `suffix`.
std::string OnlyFile(const std::string& folder, const std::string& suffix) {
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.size() < suffix.size() ||
        name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
      continue;
    EXPECT_EQ(found, "") << "more than one " << suffix;
    found = entry.path().string();
  }
  EXPECT_NE(found, "") << "no " << suffix;
  return found;
}

void FlipByte(const std::string& path, size_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
  ASSERT_TRUE(file.good());
}

// Ten writes of one key each, that are in the log file only.
void WriteTen(const std::string& folder) {
  const auto kv = VALUE_OF(RocksKv::Open(folder));
  for (int i = 0; i < 10; ++i)
    ASSERT_OK(
        WriteAll(*kv, {{"k" + std::to_string(i), std::string(1000, 'v')}}));
}

// How many files below `folder` hold `text`.
int FilesWith(const std::string& folder, const std::string& text) {
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    found += bytes.find(text) != std::string::npos;
  }
  return found;
}

size_t FilesIn(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

TEST(RocksKv, OpensWhatWasMadeBeforeAndMakesNothingInItsPlace) {
  const ScratchFolder folder;
  const auto open = [](const std::string& path) {
    return RocksKv::OpenExisting(path).status();
  };
  const std::string path = folder / "kv";
  EXPECT_THAT(open(path), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(path));
  // As of a volume that is not mounted.
  std::filesystem::create_directory(path);
  EXPECT_THAT(open(path), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(FilesIn(path), 0u);
  WriteTen(path);
  EXPECT_TRUE(RocksKv::Exists(path));
  EXPECT_OK(open(path));
  // Without the file that names the others they stay for who mends it.
  ASSERT_TRUE(std::filesystem::remove(path + "/CURRENT"));
  const size_t left = FilesIn(path);
  EXPECT_THAT(open(path), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(RocksKv::Exists(path));
  EXPECT_EQ(FilesIn(path), left);
}

TEST(RocksKv, LeavesNothingOfWhatWasPurgedInItsFiles) {
  const ScratchFolder scratch;
  const std::string path = scratch.path() + "/store";
  const auto put = [](RocksKv& kv, const std::string& key, const std::string& value) {
    Batch batch;
    batch.Put(key, AsBytes(value));
    EXPECT_OK(kv.Write(batch));
  };
  // Into a table of an earlier run, into the log of writes, and replaced.
  { put(*VALUE_OF(RocksKv::Open(path)), "case/1", "canary-of-old"); }
  const auto kv = VALUE_OF(RocksKv::Open(path));
  put(*kv, "case/2", "canary-of-late");
  put(*kv, "case/3", "canary-replaced");
  put(*kv, "case/3", "what is now");
  put(*kv, "other/1", "a neighbour");
  Batch batch;
  batch.Delete("case/1");
  batch.Delete("case/2");
  ASSERT_OK(kv->Write(batch));
  for (const char* gone : {"canary-of-old", "canary-of-late", "canary-replaced"})
    ASSERT_GT(FilesWith(path, gone), 0) << gone;

  ASSERT_OK(kv->Purge("case/"));
  for (const char* gone : {"canary-of-old", "canary-of-late", "canary-replaced"})
    EXPECT_EQ(FilesWith(path, gone), 0) << gone;
  EXPECT_EQ(ToText(VALUE_OF(kv->Get("case/3"))), "what is now");
  EXPECT_EQ(ToText(VALUE_OF(kv->Get("other/1"))), "a neighbour");
}

TEST(RocksKv, RefusesToOpenWhenAnEarlierWriteIsDamaged) {
  const ScratchFolder folder;
  WriteTen(folder / "kv");
  FlipByte(OnlyFile(folder / "kv", ".log"), 3500);
  EXPECT_THAT(RocksKv::Open(folder / "kv").status(),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RocksKv, OpensWithoutAWriteThatACrashCutShort) {
  const ScratchFolder folder;
  WriteTen(folder / "kv");
  const std::string log = OnlyFile(folder / "kv", ".log");
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 500);
  const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
  EXPECT_EQ(ScanAll(*kv, "").size(), 9u);
}

TEST(RocksKv, RefusesToOpenWhenItsFilesAreGarbage) {
  const ScratchFolder folder;
  WriteTen(folder / "kv");
  ASSERT_OK(WriteFile(folder / "kv/CURRENT", "garbage\n", FileMode::kPrivate));
  EXPECT_FALSE(RocksKv::Open(folder / "kv").ok());
}

// --- Copies.

TEST(RocksKv, ACopyIsTheMapOfThatMoment) {
  const ScratchFolder folder;
  const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
  for (int i = 0; i < 100; ++i) {
    Batch batch;
    PutText(batch, "k" + std::to_string(i), std::string(1000, 'a'));
    ASSERT_OK(kv->Write(batch));
  }
  const auto before = ScanAll(*kv, "");
  ASSERT_OK(kv->CopyTo(folder / "copy"));
  Batch later;
  PutText(later, "k0", "changed");
  later.Delete("k1");
  ASSERT_OK(kv->Write(later));
  EXPECT_EQ(ScanAll(*VALUE_OF(RocksKv::Open(folder / "copy")), ""), before);
  EXPECT_NE(ScanAll(*kv, ""), before);
}

TEST(RocksKv, ACopyLivesOnWithoutItsOriginal) {
  const ScratchFolder folder;
  {
    const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
    Batch batch;
    PutText(batch, "k", "v");
    ASSERT_OK(kv->Write(batch));
    ASSERT_OK(kv->CopyTo(folder / "copy"));
  }
  std::filesystem::remove_all(folder / "kv");
  const auto copy = VALUE_OF(RocksKv::Open(folder / "copy"));
  EXPECT_EQ(ScanAll(*copy, ""), (std::vector<Entry>{{"k", "v"}}));
  Batch batch;
  PutText(batch, "k", "w");
  EXPECT_OK(copy->Write(batch));
}

TEST(RocksKv, ACopyOverwritesNothing) {
  const ScratchFolder folder;
  const auto kv = VALUE_OF(RocksKv::Open(folder / "kv"));
  ASSERT_OK(kv->CopyTo(folder / "copy"));
  EXPECT_FALSE(kv->CopyTo(folder / "copy").ok());
  EXPECT_FALSE(kv->CopyTo(folder / "no/such/folder").ok());
  EXPECT_OK(RocksKv::Open(folder / "copy").status());
}

}  // namespace
}  // namespace amparo
