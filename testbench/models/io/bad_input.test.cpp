// SPDX-License-Identifier: Apache-2.0
// What the readers do with files nobody should have written: one message each, exit status 3 or 4,
// and no memory taken before the check.

#include <sys/resource.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "models/io/images.h"
#include "models/io/safetensors.h"
#include "models/io/workload_reader.h"
#include "models/text.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {
namespace {

using Json = nlohmann::json;

bool is_bad_input(const Refusal& refused) {
  return refused.kind == ErrorKind::kInvalidInput || refused.kind == ErrorKind::kLimit;
}

/// Lets the process take 64 MiB more address space, no further, while it lives. (Not under
/// AddressSanitizer, whose shadow is address space too.)
class MemoryFence {
 public:
  MemoryFence() {
#ifndef __SANITIZE_ADDRESS__
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit tight = before_;
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    statm >> pages;
    tight.rlim_cur = pages * 4096 + (64u << 20);
    ::setrlimit(RLIMIT_AS, &tight);
#endif
  }
  ~MemoryFence() {
#ifndef __SANITIZE_ADDRESS__
    ::setrlimit(RLIMIT_AS, &before_);
#endif
  }
  MemoryFence(const MemoryFence&) = delete;
  MemoryFence& operator=(const MemoryFence&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("bad workload files end in one message with file and place", "[models][bad-input]") {
  const std::string head = R"({"schema": "bitpulse/workload/1", "name": "n", "network": )";
  const std::string tail =
      R"(, "quantization": {"method": "ptq", "weights": 8, "activations": 8}})";
  const auto linear = [&](const std::string& in, const std::string& out) {
    return head + R"({"layers": [{"name": "l", "kind": "linear", "in": [)" + in +
           R"(], "out_features": )" + out + "}]}" + tail;
  };
  struct Bad {
    std::string text;
    ErrorKind kind;
    const char* says;
  };
  using K = ErrorKind;
  const std::vector<Bad> files{
      {head + "\"mlp-mnist\", \"surprise\": 1" + tail, K::kInvalidInput, "at /surprise"},
      {head + "5" + tail, K::kInvalidInput, "at /network"},
      {linear("-1, 1, 1", "1"), K::kInvalidInput, "/in/0: found -1"},
      {linear("0, 1, 1", "1"), K::kInvalidInput, "/in/0: found 0"},
      {linear("8.7, 1, 1", "1"), K::kInvalidInput, "/in/0: found 8.7"},
      {linear("9223372036854775807, 1, 1", "1"), K::kInvalidInput,
       "/in/0: found 9223372036854775807"},
      {linear("1e400, 1, 1", "1"), K::kInvalidInput, "w.json:1:"},
      {linear("16777216, 16777216, 16777216", "1"), K::kInvalidInput, "output elements"},
      {linear("16777216, 1024, 1", "16777216"), K::kInvalidInput, "number of weights"},
      {head + "\"mlp-mnist\"" +
           R"(, "quantization": {"method": "ptq", "weights": 0, "activations": 8}})",
       K::kInvalidInput, "/quantization/weights: found 0"},
      {head + "\"mlp-mnist\"" +
           R"(, "quantization": {"method": "ptq", "weights": 8, "activations": 17}})",
       K::kInvalidInput, "/quantization/activations: found 17"},
      {head + "\"mlp-mnist\", \"name\": \"m\"" + tail, K::kInvalidInput, "'name' twice"},
      {head + "\"mlp-mnist\"" + tail + std::string(1, '\0') + "{}", K::kInvalidInput, "NUL byte"},
      {head + std::string(1'000'000, '[') + tail, K::kLimit, "64 levels"},
      {head + "\"" + std::string(2 << 20, 'x') + "\"" + tail, K::kLimit, "2097152 bytes"},
      {head + "\"mlp-mnist\"" + tail.substr(0, 20), K::kInvalidInput, "w.json:1:"},
      {"", K::kInvalidInput, "w.json:1:1"},
  };
  const TemporaryFolder folder;
  const MemoryFence fence;
  for (const Bad& bad : files) {
    const std::string path = folder.write("w.json", bad.text);
    const auto refused = refusal([&] { read_workload(load_json(path)); });
    REQUIRE(refused);
    INFO(refused->text);
    CHECK(refused->kind == bad.kind);
    CHECK(refused->says({path.c_str(), bad.says}));
    CHECK(refused->text.size() < 1000);
  }
  CHECK_REFUSED(load_json(folder / "none.json"), K::kInvalidInput, "none.json");
}

TEST_CASE("hostile sizes are refused before memory is taken", "[models][bad-input][limits]") {
  const TemporaryFolder folder;
  const auto safetensors = [&](const std::string& header) {
    const std::uint64_t length = header.size();
    std::string content(8, '\0');
    std::memcpy(content.data(), &length, 8);
    return folder.write("t", content + header);
  };
  const std::string large = safetensors(
      R"({"a":{"dtype":"F64","shape":[16777216,1024],"data_offsets":[0,137438953472]}})");
  const std::string mnist =
      folder.write("m", std::string("\0\0\x08\x03\0\x98\x96\x7f\0\0\x10\0\0\0\x10\0", 16));
  DataSpec data;
  data.format = DataFormat::kMnist;
  data.test = mnist;
  std::string huge_header(16, '\0');
  huge_header[3] = '\x05';  // 83,886,080 bytes announced, 8 there
  const std::string announced = folder.write("h", huge_header);

  const MemoryFence fence;
  CHECK_REFUSED(read_safetensors(large), ErrorKind::kInvalidInput, "/a/data_offsets/1");
  CHECK_REFUSED(read_safetensors(announced), ErrorKind::kInvalidInput, "header of 83886080");
  CHECK_REFUSED(read_images(data, Split::kTest, {1, 4096, 4096}, 0, 0, 100),
                ErrorKind::kInvalidInput, "truncated");
}

TEST_CASE("a JSON text changed at random is read alike twice, or refused", "[models][json][fuzz]") {
  const std::vector<std::string> seeds{
      R"({"a": [1, -2.5e-3, true, null, "x\u00e9\n"], "b": {"c": {}, "d": []}} // end)",
      "[[[[\"\xf0\x9f\x98\x80\"]]], 18446744073709551615, -9223372036854775808, 1E5, /* c */ 0]",
  };
  const std::string bytes = "{}[]\",:\\/u0e.-+*n1 \n\x80\xff";
  std::mt19937_64 random(1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seeds[below(seeds.size())];
    for (std::size_t change = 0; change <= below(4); ++change) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = bytes[below(bytes.size())];
          break;
        case 1:
          text.insert(at, 1, bytes[below(bytes.size())]);
          break;
        case 2:
          text.erase(at, 1 + below(3));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), 1 + below(8)));
      }
      if (text.empty()) text = "0";
    }
    try {
      const std::string once = parse_json(text, "f").raw_text();
      REQUIRE(parse_json(once, "f").raw_text() == once);
      ++accepted;
    } catch (const Error& error) {
      CAPTURE(text, error.what());
      REQUIRE(is_bad_input({error.kind(), error.what()}));
      REQUIRE(is_utf8(error.what()));
      REQUIRE(std::string(error.what()).rfind("f:", 0) == 0);
    }
  }
  CHECK(accepted > 1000);
}

TEST_CASE("a safetensors header with any value changed is read whole or refused",
          "[models][safetensors][fuzz]") {
  const Json valid = Json::parse(R"({"__metadata__": {"k": "v"},
      "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
      "b": {"dtype": "I8", "shape": [], "data_offsets": [24, 25]},
      "c": {"dtype": "F16", "shape": [0], "data_offsets": [25, 25]}})");
  const std::vector<Json> values{nullptr,
                                 true,
                                 0,
                                 1,
                                 -1,
                                 2,
                                 24,
                                 25,
                                 26,
                                 std::int64_t{1} << 31,
                                 INT64_MAX,
                                 UINT64_MAX,
                                 8.7,
                                 1e300,
                                 "",
                                 "F64",
                                 "x",
                                 Json::array(),
                                 Json::object(),
                                 {0, 24},
                                 {24, 0},
                                 {1, 1, 1, 1},
                                 {16777216, 16777216}};
  const TemporaryFolder folder;
  std::vector<Json::json_pointer> pointers;
  const Json flat = valid.flatten();
  for (const auto& item : flat.items()) pointers.emplace_back(item.key());
  for (const char* inner : {"/__metadata__", "/a", "/a/shape", "/a/data_offsets", "/b/shape"})
    pointers.emplace_back(inner);
  int read = 0, refused = 0;
  for (const auto& at : pointers) {
    for (const Json& value : values) {
      Json changed = valid;
      changed[at] = value;
      const std::string header = changed.dump();
      const std::uint64_t length = header.size();
      std::string content(8, '\0');
      std::memcpy(content.data(), &length, 8);
      const std::string path = folder.write("t", content + header + std::string(25, '\1'));
      CAPTURE(header);
      try {
        std::size_t bytes = 0;
        for (const auto& tensor : read_safetensors(path).tensors)
          bytes += tensor.second.bytes.size();
        CHECK(bytes == 25);
        ++read;
      } catch (const Error& error) {
        CHECK(is_bad_input({error.kind(), error.what()}));
        CHECK(std::string(error.what()).rfind(path, 0) == 0);
        ++refused;
      }
    }
  }
  CHECK(read > 5);
  CHECK(refused > 300);
}

}  // namespace
}  // namespace bitpulse
