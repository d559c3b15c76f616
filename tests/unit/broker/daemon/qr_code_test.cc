#include "broker/daemon/qr_code.h"

#include <qrencode.h>

#include <memory>
#include <regex>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

// As long as an invitation.
std::string Line() { return absl::StrCat("amparo1.", std::string(1100, 'x')); }

using Dark = std::set<std::pair<size_t, size_t>>;

Dark DarkOf(const QrCode& code) {
  Dark dark;
  for (size_t row = 0; row < code.size(); ++row)
    for (size_t column = 0; column < code.size(); ++column)
      if (code.IsDark(row, column)) dark.insert({row, column});
  return dark;
}

// The dark modules of what is on the terminal, without the quiet zone.
Dark DarkOnTerminal(const std::string& text) {
  Dark dark;
  size_t row = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    EXPECT_EQ(line.substr(0, 8), "\x1b[40;97m");
    EXPECT_EQ(line.substr(line.size() - 4), "\x1b[0m");
    line = line.substr(8, line.size() - 12);
    for (size_t column = 0; !line.empty(); ++column) {
      const size_t bytes = line[0] == ' ' ? 1 : 3;
      const absl::string_view cell = line.substr(0, bytes);
      line.remove_prefix(bytes);
      if (cell == " " || cell == "▄") dark.insert({row - 4, column - 4});
      if (cell == " " || cell == "▀") dark.insert({row - 3, column - 4});
    }
    row += 2;
  }
  return dark;
}

TEST(QrCodeTest, IsTheCodeOfItsLine) {
  const QrCode code = VALUE_OF(QrCode::Of(Line()));
  const std::unique_ptr<QRcode, void (*)(QRcode*)> expected(
      QRcode_encodeString8bit(Line().c_str(), 0, QR_ECLEVEL_L), QRcode_free);
  ASSERT_EQ(code.size(), static_cast<size_t>(expected->width));
  for (size_t i = 0; i < code.size() * code.size(); ++i)
    EXPECT_EQ(code.IsDark(i / code.size(), i % code.size()),
              (expected->data[i] & 1) != 0);
  EXPECT_NE(DarkOf(code), DarkOf(VALUE_OF(QrCode::Of(Line() + "y"))));
}

TEST(QrCodeTest, IsTheSameOnATerminal) {
  const QrCode code = VALUE_OF(QrCode::Of(Line()));
  Dark shown = DarkOnTerminal(code.ForTerminal());
  // Below the last row of an odd number there is nothing.
  for (auto it = shown.begin(); it != shown.end();)
    it = it->first == code.size() + 4 ? shown.erase(it) : std::next(it);
  EXPECT_EQ(shown, DarkOf(code));
}

TEST(QrCodeTest, IsTheSameInAPicture) {
  const QrCode code = VALUE_OF(QrCode::Of(Line()));
  const std::string svg = code.Svg();
  const std::regex module("M(\\d+) (\\d+)h1v1h-1z");
  Dark drawn;
  for (std::sregex_iterator at(svg.begin(), svg.end(), module), end; at != end;
       ++at)
    drawn.insert({std::stoul((*at)[2]) - 4, std::stoul((*at)[1]) - 4});
  EXPECT_EQ(drawn, DarkOf(code));
  EXPECT_NE(svg.find(absl::StrCat("viewBox=\"0 0 ", code.size() + 8, " ")),
            std::string::npos);
}

TEST(QrCodeTest, RefusesWhatIsTooLong) {
  EXPECT_THAT(QrCode::Of(std::string(4000, 'x')),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace amparo::broker
