#include "base/files.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/error.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

unsigned ModeBits(const std::string& path) {
  struct stat info;
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

std::set<std::string> NamesIn(const std::string& path) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    names.insert(entry.path().filename().string());
  return names;
}

TEST(ReadForeignFile, AttackByAPipeALinkOrAFolderIsRefusedAtOnce) {
  const ScratchFolder folder;
  ASSERT_OK(WriteFile(folder / "plain", "text", FileMode::kPrivate));
  EXPECT_EQ(VALUE_OF(ReadForeignFile(folder / "plain", 4)), "text");
  EXPECT_THAT(ReadForeignFile(folder / "plain", 3),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ReadForeignFile(folder / "none", 4),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink(folder / "plain", folder / "link");
  std::filesystem::create_directory(folder / "folder");
  for (const char* name : {"pipe", "link", "folder"})
    EXPECT_THAT(ReadForeignFile(folder / name, 4),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << name;
  EXPECT_THAT(ReadForeignFile("/dev/zero", 4),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(WriteFile, WritesWhatReadFileReads) {
  const ScratchFolder folder;
  std::string content(100000, '\0');
  for (size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 7);
  for (const std::string& text : {std::string(), content}) {
    ASSERT_OK(WriteFile(folder / "a", text, FileMode::kPrivate));
    EXPECT_EQ(VALUE_OF(ReadFile(folder / "a", 100000)), text);
  }
}

TEST(WriteFile, ReplacesTheFileWholeAndLeavesNothingBeside) {
  const ScratchFolder folder;
  ASSERT_OK(
      WriteFile(folder / "a", "the longer first text", FileMode::kPublic));
  const auto before = std::filesystem::canonical(folder / "a");
  std::filesystem::create_hard_link(before, folder / "old");
  ASSERT_OK(WriteFile(folder / "a", "second", FileMode::kPublic));
  EXPECT_EQ(VALUE_OF(ReadFile(folder / "a", 100)), "second");
  // Who had it open still reads the old one: it was not written over.
  EXPECT_EQ(VALUE_OF(ReadFile(folder / "old", 100)), "the longer first text");
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("a", "old"));
}

TEST(WriteFile, ADiskThatRefusesIsCalledStorage) {
  const ScratchFolder folder;
  ASSERT_OK(WriteFile(folder / "a", "text", FileMode::kPublic));
  EXPECT_EQ(ErrorCodeOf(WriteFile(folder / "a/b", "text", FileMode::kPublic)),
            "storage");
  EXPECT_EQ(ErrorCodeOf(ReadFile(folder / "a/b", 100).status()), "storage");
  EXPECT_EQ(ErrorCodeOf(ReadFile(folder / "b", 100).status()), "not_found");
}

TEST(WriteFile, KeepsTheOldFileWhenItCannotWriteTheNew) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "a");
  std::filesystem::create_directory(folder / "a/inside");
  EXPECT_FALSE(WriteFile(folder / "a", "text", FileMode::kPublic).ok());
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("a"));
  EXPECT_THAT(NamesIn(folder / "a"), UnorderedElementsAre("inside"));
  EXPECT_THAT(WriteFile(folder / "no/such/folder", "text", FileMode::kPublic),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST(WriteFile, SetsTheModeWhateverTheUmaskAndTheOldFile) {
  const ScratchFolder folder;
  const mode_t umask_before = umask(0);
  EXPECT_OK(WriteFile(folder / "private", "x", FileMode::kPrivate));
  umask(0077);
  EXPECT_OK(WriteFile(folder / "public", "x", FileMode::kPublic));
  umask(umask_before);
  EXPECT_EQ(ModeBits(folder / "private"), 0600u);
  EXPECT_EQ(ModeBits(folder / "public"), 0644u);
  EXPECT_OK(WriteFile(folder / "public", "x", FileMode::kPrivate));
  EXPECT_EQ(ModeBits(folder / "public"), 0600u);
}

TEST(CreateFile, RefusesAPathThatExistsAndKeepsIt) {
  const ScratchFolder folder;
  ASSERT_OK(CreateFile(folder / "key", "first", FileMode::kPrivate));
  EXPECT_EQ(ModeBits(folder / "key"), 0600u);
  EXPECT_THAT(CreateFile(folder / "key", "second", FileMode::kPrivate),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(VALUE_OF(ReadFile(folder / "key", 100)), "first");
  EXPECT_THAT(NamesIn(folder.path()), UnorderedElementsAre("key"));
}

TEST(CreateFile, RefusesALinkThatPointsNowhere) {
  const ScratchFolder folder;
  std::filesystem::create_symlink(folder / "elsewhere", folder / "key");
  EXPECT_THAT(CreateFile(folder / "key", "text", FileMode::kPrivate),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_FALSE(FileExists(folder / "elsewhere"));
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const ScratchFolder folder;
  ASSERT_OK(
      WriteFile(folder / "a", std::string(50000, 'x'), FileMode::kPublic));
  EXPECT_OK(ReadFile(folder / "a", 50000));
  EXPECT_THAT(ReadFile(folder / "a", 49999),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ReadFile(folder / "a", 0),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // A file without an end is refused too.
  EXPECT_THAT(ReadFile("/dev/zero", 50000),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ReadFile, SaysWhatIsWrong) {
  const ScratchFolder folder;
  EXPECT_THAT(ReadFile(folder / "absent", 10),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(ReadFile(folder.path(), 10).ok());
}

TEST(Files, NamePathsButNeverContentInErrors) {
  const ScratchFolder folder;
  const std::string content = "Marta EXEMPLO";
  ASSERT_OK(WriteFile(folder / "a", content, FileMode::kPrivate));
  for (const absl::Status& status :
       {CreateFile(folder / "a", content, FileMode::kPrivate),
        WriteFile(folder / "no/folder", content, FileMode::kPrivate),
        ReadFile(folder / "a", 3).status()}) {
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(folder.path()));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("Mar")));
  }
}

TEST(MakeDirectory, MakesParentsAndClosesTheLastOne) {
  const ScratchFolder folder;
  ASSERT_OK(MakeDirectory(folder / "a/b/data", FileMode::kPrivate));
  EXPECT_EQ(ModeBits(folder / "a/b/data"), 0700u);
  ASSERT_OK(MakeDirectory(folder / "export", FileMode::kPublic));
  EXPECT_EQ(ModeBits(folder / "export"), 0755u);
}

TEST(MakeDirectory, LeavesOneThatExistsAsItIs) {
  const ScratchFolder folder;
  ASSERT_OK(MakeDirectory(folder / "data", FileMode::kPublic));
  ASSERT_OK(WriteFile(folder / "data/a", "x", FileMode::kPublic));
  EXPECT_OK(MakeDirectory(folder / "data", FileMode::kPrivate));
  EXPECT_EQ(ModeBits(folder / "data"), 0755u);
  EXPECT_TRUE(FileExists(folder / "data/a"));
}

TEST(MakeDirectory, RefusesAPathThroughAFile) {
  const ScratchFolder folder;
  ASSERT_OK(WriteFile(folder / "a", "x", FileMode::kPublic));
  EXPECT_FALSE(MakeDirectory(folder / "a", FileMode::kPrivate).ok());
  EXPECT_FALSE(MakeDirectory(folder / "a/b", FileMode::kPrivate).ok());
}

}  // namespace
}  // namespace amparo
