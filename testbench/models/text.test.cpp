// SPDX-License-Identifier: Apache-2.0
#include "models/text.h"

#include "testbench/catch.h"

namespace bitpulse {
namespace {

TEST_CASE("printable text is valid UTF-8 without control characters", "[models][text]") {
  CHECK(printable("plain") == "plain");
  CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(printable("a\nb\x7f\x1b[0m") == "a?b??[0m");
  CHECK(printable("\xff\xc3") == "??");
  CHECK(printable("a\xc2\x9b[2J") == "a?[2J");                         // C1: as good as ESC [
  CHECK(printable("exe.\xe2\x80\xaegnp\xe2\x81\xa9") == "exe.?gnp?");  // right to left
  CHECK(printable("\xd7\xa9 \xe2\x82\xac \xc2\xb5") == "\xd7\xa9 \xe2\x82\xac \xc2\xb5");
  CHECK(printable(std::string(100, 'x'), 10) == "xxxxxxxxxx...");
  CHECK(printable("12345678\xc3\xbc+", 9) == "12345678\xc3\xbc...");
}

TEST_CASE("UTF-8 is told from what only resembles it", "[models][text]") {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(good);
    CHECK(is_utf8(good));
  }
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe1\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc2\x41", "\xe1\x80\x41"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("characters are counted, not bytes", "[models][text]") {
  CHECK(utf8_size("") == 0);
  CHECK(utf8_size("a\xc3\xbc\xf0\x90\x80\x80z") == 4);
}

TEST_CASE("the nearest name is within a third of the letters", "[models][text]") {
  const std::vector<std::string_view> names{"resnet18", "resnet34", "vgg16bn"};
  CHECK(nearest_name("resnet81", names) == "resnet18");  // neighbours swapped
  CHECK(nearest_name("resent34", names) == "resnet34");
  CHECK(nearest_name("VGG16", names).empty());  // five edits of five letters
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name("", {"a"}) == "a");
  CHECK(nearest_name("ab", {"abc", "ab"}) == "ab");
  CHECK(nearest_name(std::string(1 << 20, 'x'), names).empty());
  CHECK(did_you_mean("vgg16b", names) == " (did you mean 'vgg16bn'?)");
  CHECK(did_you_mean("inception", names).empty());
}

}  // namespace
}  // namespace bitpulse
