// SPDX-License-Identifier: Apache-2.0
#include "models/io/json.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "testbench/catch.h"
#include "testbench/models/errors.h"

namespace bitpulse {
namespace {

JsonValue parse(const std::string& text) { return parse_json(text, "file.json"); }
constexpr ErrorKind kInvalid = ErrorKind::kInvalidInput;

TEST_CASE("values come back through typed getters", "[models][json]") {
  const JsonValue root = parse(R"({"z": 3, "a": [1.5, true, "x"], "u": -7} // comment)");
  CHECK(root.at("z").integer(0, 3) == 3);
  CHECK(root.at("u").integer(-7, 0) == -7);
  CHECK(root.at("a")[0].number(0, 2) == 1.5);
  CHECK(root.at("z").number(0, 3) == 3.0);
  CHECK(root.at("a")[1].boolean());
  CHECK(root.at("a")[2].text() == "x");
  CHECK(root.at("a")[2].choice({"w", "x"}) == 1);
  CHECK(root.at("a").size() == 3);
  CHECK(root.at("a")[2].pointer() == "/a/2");
  CHECK(root.has("u"));
  CHECK_FALSE(root.find("v"));
}

TEST_CASE("keys keep the order of the document", "[models][json]") {
  CHECK(parse(R"({"z": 1, "a": 2, "m": 3})").keys() == std::vector<std::string>{"z", "a", "m"});
}

TEST_CASE("a value outlives the root it came from", "[models][json]") {
  const JsonValue inner = parse(R"({"a": {"b": "kept"}})").at("a");
  CHECK(inner.at("b").text() == "kept");
}

TEST_CASE("a JSON pointer escapes slashes and tildes", "[models][json]") {
  CHECK(parse(R"({"a/b~c": 1})").at("a/b~c").pointer() == "/a~1b~0c");
}

TEST_CASE("a byte order mark is skipped once", "[models][json]") {
  CHECK(parse("\xef\xbb\xbf{}").size() == 0);
  CHECK_REFUSED(parse("\xef\xbb\xbf\xef\xbb\xbf{}"), kInvalid, "file.json:1:");
}

TEST_CASE("numbers are never converted", "[models][json]") {
  for (const char* text : {"8.7", "8.0", "true", "\"8\"", "null", "1e2", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_REFUSED(parse(text).integer(0, 100), kInvalid, "expected an integer in 0..100");
  }
  CHECK_REFUSED(parse("-1").integer(0, 100), kInvalid, "found -1");
  CHECK_REFUSED(parse("18446744073709551615").integer(INT64_MIN, INT64_MAX), kInvalid,
                "18446744073709551615");
  CHECK(parse("9223372036854775807").integer(0, INT64_MAX) == INT64_MAX);
  CHECK(parse("-9223372036854775808").integer(INT64_MIN, 0) == INT64_MIN);
  CHECK_REFUSED(parse("\"1\"").number(0, 1), kInvalid, "a number");
  CHECK_REFUSED(parse("1.5").number(0, 1), kInvalid, "found 1.5", "0.0..1.0");
  CHECK_REFUSED(parse("1").boolean(), kInvalid, "true or false");
}

TEST_CASE("an integer range is tight at both ends", "[models][json]") {
  CHECK(parse("1").integer(1, 16) == 1);
  CHECK(parse("16").integer(1, 16) == 16);
  CHECK_REFUSED(parse("0").integer(1, 16), kInvalid, "found 0");
  CHECK_REFUSED(parse("17").integer(1, 16), kInvalid, "found 17");
}

TEST_CASE("a wrong type says file, pointer, found and expected", "[models][json]") {
  const JsonValue root = parse(R"({"array": {"rows": {"a": 1, "b": 2}, "cols": [1]}})");
  CHECK_REFUSED(root.at("array").at("rows").integer(1, 2), kInvalid,
                "file.json: at /array/rows: found an object of 2 keys, expected an integer");
  CHECK_REFUSED(root.at("array").at("cols").text(), kInvalid, "found an array of 1 value,");
  CHECK_REFUSED(root.at("array").at("cols")[1], kInvalid, "at least 2 values");
  CHECK_REFUSED(root.at("array").at("cols").at("x"), kInvalid, "expected an object");
  CHECK_REFUSED(root.at("arrow"), kInvalid, "the top level", "no key 'arrow'");
  CHECK_REFUSED(root[0], kInvalid, "expected an array");
}

TEST_CASE("an unknown key is refused with the nearest name", "[models][json]") {
  const JsonValue root = parse(R"({"rows": 1, "colls": 2})");
  CHECK_REFUSED(root.only_keys({"rows", "cols"}), kInvalid, "/colls", "unknown key 'colls'",
                "did you mean 'cols'?");
  root.only_keys({"rows", "cols", "colls"});
  CHECK_REFUSED(parse("\"wz\"").choice({"os", "ws", "is"}), kInvalid, "\"os\", \"ws\", \"is\"",
                "did you mean 'ws'?");
}

TEST_CASE("the schema must be the expected one", "[models][json]") {
  parse(R"({"schema": "bitpulse/machine/1"})").require_schema("bitpulse/machine/1");
  CHECK_REFUSED(parse(R"({"schema": "bitpulse/machine/2"})").require_schema("bitpulse/machine/1"),
                kInvalid, "/schema", "bitpulse/machine/2", "bitpulse/machine/1");
  CHECK_REFUSED(parse("{}").require_schema("a"), kInvalid, "schema");
}

TEST_CASE("syntax errors name line and column", "[models][json]") {
  CHECK_REFUSED(parse("{\n  \"a\": 1,\n  \"b\": nul\n}"), kInvalid, "file.json:3:");
  CHECK_REFUSED(parse("[1,]"), kInvalid, "file.json:1:4");
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{} {}",
                           "'a'",
                           "01",
                           "+1",
                           "1.",
                           "NaN",
                           "Infinity",
                           "1e400",
                           "\"\x01\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\xff\"",
                           "\"\xed\xa0\x80\"",
                           "\"open",
                           "/* open",
                           "tru",
                           "\xff\xfe"}) {
    CAPTURE(text);
    CHECK_REFUSED(parse(text), kInvalid, "file.json:1:");
  }
}

TEST_CASE("a number that no float holds is named", "[models][json]") {
  CHECK_REFUSED(parse("{\"a\": 1e400}"), kInvalid,
                "file.json:1:", ": found number 1e400, expected");
}

TEST_CASE("text behind a NUL byte is not ignored", "[models][json]") {
  using namespace std::string_literals;
  CHECK_REFUSED(parse("123\0"s), kInvalid, "file.json:1:4", "NUL");
  CHECK_REFUSED(parse("{}\n\0{}"s), kInvalid, "file.json:2:1", "NUL");
}

TEST_CASE("a key given twice is refused where it comes again", "[models][json]") {
  CHECK_REFUSED(parse("{\"a\": {\"b\": 1,\n \"b\": 2}}"), kInvalid, "file.json:2:4", "'b' twice",
                "at /a");
  CHECK_REFUSED(parse(R"([{}, {"x": 1, "\u0078": 2}])"), kInvalid, "'x' twice", "at /1");
}

TEST_CASE("nesting is refused before anything deep is built", "[models][json][limits]") {
  CHECK(parse(std::string(64, '[') + std::string(64, ']')).is_array());
  CHECK_REFUSED(parse(std::string(65, '[') + std::string(65, ']')), ErrorKind::kLimit,
                "file.json:1:65", "64 levels");
  CHECK_REFUSED(parse(std::string(1'000'000, '[')), ErrorKind::kLimit, "64 levels");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK_REFUSED(parse(objects), ErrorKind::kLimit, "64 levels");
}

TEST_CASE("size, number of values and string length are bounded", "[models][json][limits]") {
  JsonLimits limits;
  limits.bytes = 20;
  limits.values = 4;
  limits.string_bytes = 5;
  CHECK(parse_json("[1, 2, 3]", "f", limits).size() == 3);
  CHECK_REFUSED(parse_json("[1, 2, 3, 4]", "f", limits), ErrorKind::kLimit, "4 values");
  CHECK_REFUSED(parse_json("\"123456\"", "f", limits), ErrorKind::kLimit, "6 bytes");
  CHECK_REFUSED(parse_json("{\"123456\":1}", "f", limits), ErrorKind::kLimit, "6 bytes");
  CHECK_REFUSED(parse_json(std::string(21, ' '), "f", limits), ErrorKind::kLimit, "21 bytes");
}

TEST_CASE("an object of many keys is read in linear time", "[models][json][limits]") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"key" + std::to_string(i) + "\":0,";
  text.back() = '}';
  CHECK(parse(text).size() == 200'000);  // quadratic: 2e10 comparisons
}

TEST_CASE("messages never print a huge or unprintable value whole", "[models][json]") {
  const std::string huge(1 << 20, 'x');
  const auto text = refusal([&] { parse("\"" + huge + "\"").integer(0, 1); })->text;
  CHECK(text.size() < 400);
  const auto syntax = refusal([&] { parse("\"" + huge); })->text;
  CHECK(syntax.size() < 400);
  const auto key = refusal([&] { parse("{\"" + huge + "\": 1}").only_keys({"a"}); })->text;
  CHECK(key.size() < 700);
  CHECK_REFUSED(parse_json("{", "bad\xff\nname.json"), kInvalid, "bad??name.json:1:");
}

TEST_CASE("overrides replace and add values", "[models][json][override]") {
  const JsonValue root = parse(R"({"array": {"rows": 8, "pe": "int8"}, "list": [1, 2]})");
  const JsonValue changed = override_json(root, {{"/array/rows", "32"},
                                                 {"/array/pe", "int4"},
                                                 {"/array/new", "{\"a\": [true]}"},
                                                 {"/list/1", "\"7\""},
                                                 {"/array/new/a/0", ""}});
  CHECK(changed.at("array").at("rows").integer(0, 99) == 32);
  CHECK(changed.at("array").at("pe").text() == "int4");
  CHECK(changed.at("array").at("new").at("a")[0].text().empty());
  CHECK(changed.at("list")[1].text() == "7");
  CHECK(changed.file() == "file.json");
  CHECK(root.at("array").at("rows").integer(0, 99) == 8);
}

TEST_CASE("an override needs a pointer whose parent exists", "[models][json][override]") {
  const JsonValue root = parse(R"({"a": {"b": 1}, "list": [1]})");
  for (const char* pointer : {"", "a", "/x/y", "/a/b/c", "/list/1", "/list/-", "/list/00",
                              "/list/99999999999999999999", "/\xff"}) {
    CAPTURE(pointer);
    CHECK_REFUSED(override_json(root, {{pointer, "1"}}), kInvalid, "file.json", "override");
  }
}

TEST_CASE("an override's value obeys the limits of a document", "[models][json][override]") {
  const JsonValue root = parse("{\"a\": 1}");
  const auto nested = [](int n) { return std::string(n, '[') + std::string(n, ']'); };
  CHECK(override_json(root, {{"/a", nested(63)}}).at("a").is_array());
  CHECK_REFUSED(override_json(root, {{"/a", nested(64)}}), ErrorKind::kLimit, "levels");
  CHECK_REFUSED(override_json(root, {{"/a", "{\"x\":1,\"x\":2}"}}), kInvalid, "twice");
  CHECK_REFUSED(override_json(root, {{"/a", "\xff"}}), kInvalid, "UTF-8");
}

TEST_CASE("no other source file parses JSON", "[models][json][lint]") {
  namespace fs = std::filesystem;
  int scanned = 0;
  for (const char* room : {"models", "quant", "sim"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(BITPULSE_SOURCE_DIR) / room)) {
      const std::string name = entry.path().filename().string();
      const std::string extension = entry.path().extension().string();
      if ((extension != ".cpp" && extension != ".h") || name.rfind("json", 0) == 0) continue;
      std::ifstream file(entry.path());
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      CAPTURE(entry.path().string());
      CHECK(text.find("json::parse") == std::string::npos);
      CHECK(text.find("json::sax_parse") == std::string::npos);
      CHECK(text.find("json::accept") == std::string::npos);
      ++scanned;
    }
  }
  CHECK(scanned > 10);
}

}  // namespace
}  // namespace bitpulse
