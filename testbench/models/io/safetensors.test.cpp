// SPDX-License-Identifier: Apache-2.0
#include "models/io/safetensors.h"

#include <cmath>
#include <cstring>
#include <string>

#include "models/io/files.h"
#include "models/nets/nets.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {
namespace {

constexpr ErrorKind kInvalid = ErrorKind::kInvalidInput;

std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string content(8, '\0');
  std::memcpy(content.data(), &length, 8);
  return content + header + std::string(data_bytes, '\x01');
}

struct SafeFile {
  TemporaryFolder folder;
  std::string path;
  explicit SafeFile(const std::string& content) : path(folder.write("t.safetensors", content)) {}
  SafeFile(const std::string& header, std::size_t data_bytes)
      : SafeFile(file_of(header, data_bytes)) {}
  SafeTensors read() const { return read_safetensors(path); }
};

template <class T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST_CASE("tensors come back as written", "[models][safetensors]") {
  SafeTensors file;
  file.metadata["made"] = "by \"hand\"";
  file.tensors["b"] = {"F32", {2, 1}, bytes_of<float>({1.5f, -2.0f})};
  file.tensors["a"] = {"I8", {3}, {1, 2, 0xff}};
  file.tensors["scalar"] = {"I64", {}, bytes_of<std::int64_t>({-1})};
  file.tensors["empty"] = {"F16", {0, 7}, {}};
  const TemporaryFolder folder;
  const std::string path = folder / "t.safetensors";
  write_safetensors(path, file);
  const SafeTensors back = read_safetensors(path);
  CHECK(back.metadata == file.metadata);
  REQUIRE(back.tensors.size() == 4);
  for (const auto& [name, tensor] : file.tensors) {
    CAPTURE(name);
    CHECK(back.tensors.at(name).dtype == tensor.dtype);
    CHECK(back.tensors.at(name).dims == tensor.dims);
    CHECK(back.tensors.at(name).bytes == tensor.bytes);
  }
  const std::string first = read_file(path, 10'000);
  write_safetensors(path, back);
  CHECK(read_file(path, 10'000) == first);
  CHECK(first.size() % 8 == (8 + 8 + 3) % 8);  // header padded; I64, then F32, then I8
}

TEST_CASE("what does not fit its description is not written", "[models][safetensors]") {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, const SafeTensor& tensor) {
    SafeTensors file;
    file.tensors[name] = tensor;
    write_safetensors(folder / "t", file);
  };
  CHECK_REFUSED(write("a", {"F32", {2}, {0, 0, 0, 0}}), kInvalid, "'a'", "4 bytes");
  CHECK_REFUSED(write("a", {"F8", {1}, {0}}), kInvalid, "F8");
  CHECK_REFUSED(write("a\xff", {"I8", {1}, {0}}), kInvalid, "UTF-8");
  CHECK_REFUSED(write("__metadata__", {"I8", {1}, {0}}), kInvalid, "__metadata__");
  CHECK_FALSE(std::filesystem::exists(folder / "t"));
}

TEST_CASE("floating tensors are widened to float", "[models][safetensors]") {
  SafeTensors file;
  // binary16: 1, -2, the least subnormal, the greatest subnormal, 65504, -0.
  file.tensors["half"] = {
      "F16", {6}, bytes_of<std::uint16_t>({0x3c00, 0xc000, 1, 0x3ff, 0x7bff, 0x8000})};
  file.tensors["brain"] = {"BF16", {2}, bytes_of<std::uint16_t>({0x3f80, 0xc2f7})};
  file.tensors["double"] = {"F64", {1, 1}, bytes_of<double>({0.1})};
  file.tensors["bn.num_batches_tracked"] = {"I64", {}, bytes_of<std::int64_t>({7})};
  const TemporaryFolder folder;
  write_safetensors(folder / "t", file);
  const Weights weights = read_weights(folder / "t");
  REQUIRE(weights.size() == 3);
  const auto& half = weights.at("half").data;
  CHECK(half == std::vector<float>{1.0f, -2.0f, std::ldexp(1.0f, -24), std::ldexp(1023.0f, -24),
                                   65504.0f, -0.0f});
  CHECK(std::signbit(half[5]));
  CHECK(weights.at("brain").data == std::vector<float>{1.0f, -123.5f});
  CHECK(weights.at("double").data == std::vector<float>{0.1f});
  CHECK(weights.at("double").dims == std::vector<std::int64_t>{1, 1});
}

TEST_CASE("integers and values that are not finite are no weights", "[models][safetensors]") {
  const TemporaryFolder folder;
  const auto weights = [&](const SafeTensor& tensor) {
    SafeTensors file;
    file.tensors["w"] = tensor;
    write_safetensors(folder / "t", file);
    return read_weights(folder / "t");
  };
  CHECK_REFUSED(weights({"I64", {1}, bytes_of<std::int64_t>({1})}), kInvalid, "'w'", "I64");
  CHECK_REFUSED(weights({"F16", {2}, bytes_of<std::uint16_t>({0, 0x7c00})}), kInvalid, "inf",
                "element 1");
  CHECK_REFUSED(weights({"F16", {1}, bytes_of<std::uint16_t>({0x7c01})}), kInvalid, "nan");
  CHECK_REFUSED(weights({"F64", {1}, bytes_of<double>({1e300})}), kInvalid, "inf");
  CHECK_REFUSED(weights({"F32", {1}, bytes_of<float>({NAN})}), kInvalid, "nan");
}

TEST_CASE("a header that does not describe its data is refused", "[models][safetensors][limits]") {
  struct Bad {
    const char* what;
    const char* header;
    std::size_t data;
    const char* says;
  };
  const char* kTwo =
      R"({"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[2],"data_offsets":%B}})";
  const auto with_b = [&](const char* offsets) {
    std::string text = kTwo;
    return text.replace(text.find("%B"), 2, offsets);
  };
  CHECK(SafeFile(with_b("[2,4]"), 4).read().tensors.size() == 2);
  CHECK_REFUSED(SafeFile(with_b("[1,3]"), 3).read(), kInvalid, "'b'", "overlap");
  CHECK_REFUSED(SafeFile(with_b("[0,2]"), 2).read(), kInvalid, "'b'", "overlap");
  CHECK_REFUSED(SafeFile(with_b("[3,5]"), 5).read(), kInvalid, "'b'", "hole");
  CHECK_REFUSED(SafeFile(with_b("[2,4]"), 5).read(), kInvalid, "5 bytes of data", "4");
  CHECK_REFUSED(SafeFile(with_b("[2,4]"), 3).read(), kInvalid, "/b/data_offsets/1", "found 4");
  CHECK_REFUSED(SafeFile(with_b("[4,2]"), 4).read(), kInvalid, "/b", "2 bytes");
  CHECK_REFUSED(SafeFile(with_b("[2,5]"), 5).read(), kInvalid, "/b", "2 bytes");
  CHECK_REFUSED(SafeFile(with_b("[2,3,4]"), 4).read(), kInvalid, "[begin, end]");
  CHECK_REFUSED(SafeFile(with_b("[2.0,4]"), 4).read(), kInvalid, "2.0");
  CHECK_REFUSED(SafeFile(with_b("[-1,1]"), 4).read(), kInvalid, "found -1");
  for (
      const Bad& bad : {
          Bad{"unknown type", R"({"a":{"dtype":"F8","shape":[],"data_offsets":[0,1]}})", 1, "F8"},
          Bad{"no shape", R"({"a":{"dtype":"I8","data_offsets":[0,1]}})", 1, "shape"},
          Bad{"unknown key", R"({"a":{"dtype":"I8","shape":[],"data_offsets":[0,1],"x":0}})", 1,
              "'x'"},
          Bad{"negative size", R"({"a":{"dtype":"I8","shape":[-1],"data_offsets":[0,1]}})", 1,
              "-1"},
          Bad{"huge size",
              R"({"a":{"dtype":"I8","shape":[9223372036854775807],"data_offsets":[0,1]}})", 1,
              "/a/shape/0"},
          Bad{"huge product",
              R"({"a":{"dtype":"F64","shape":[16777216,16777216,16777216],"data_offsets":[0,0]}})",
              0, "elements"},
          Bad{"huge product hidden by zero",
              R"({"a":{"dtype":"F64","shape":[16777216,16777216,0],"data_offsets":[0,0]}})", 0,
              "elements"},
          Bad{"rank",
              R"({"a":{"dtype":"I8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
              1, "16"},
          Bad{"twice", R"({"a":{"dtype":"I8","shape":[],"data_offsets":[0,1]},"a":{}})", 1,
              "'a' twice"},
          Bad{"no object", "[]", 0, "object"},
          Bad{"no JSON", "{", 0, "(header):1:"},
          Bad{"metadata", R"({"__metadata__":{"a":1}})", 0, "/__metadata__/a"},
      }) {
    CAPTURE(bad.what);
    CHECK_REFUSED(SafeFile(bad.header, bad.data).read(), kInvalid, "t.safetensors", bad.says);
  }
}

TEST_CASE("a truncated file is refused at every length", "[models][safetensors][limits]") {
  const std::string whole = file_of(R"({"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}})", 4);
  CHECK(SafeFile(whole).read().tensors.at("a").bytes.size() == 4);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_REFUSED(SafeFile(whole.substr(0, size)).read(), kInvalid, "t.safetensors");
  }
}

TEST_CASE("an announced header is checked before it is read", "[models][safetensors][limits]") {
  CHECK_REFUSED(SafeFile(std::string(16, '\xff')).read(), ErrorKind::kLimit, "100000000");
  CHECK_REFUSED(SafeFile(std::string("\x01\xe1\xf5\x05\0\0\0\0", 8)).read(), ErrorKind::kLimit,
                "100000001");
  CHECK_REFUSED(SafeFile(std::string("\x00\xe1\xf5\x05\0\0\0\0", 8)).read(), kInvalid,
                "header of 100000000");
  CHECK_REFUSED(read_safetensors("/nonexistent/x"), kInvalid, "/nonexistent/x");
}

TEST_CASE("published weights fit the built-in networks name by name", "[models][nets][shared]") {
  BITPULSE_REQUIRE_SHARED("data/models/MANIFEST.md")
  struct Pair {
    const char* network;
    const char* file;
  };
  for (const Pair& pair : {Pair{"resnet20-cifar", "resnet20_cifar10"},
                           {"resnet8-cifar", "resnet8_cifar10"},
                           {"squeezenet1.1", "squeezenet1_1_imagenet"},
                           {"squeezenet1.0", "squeezenet1_0_deepcompressed_imagenet"},
                           {"mobilenet-v2-tf", "mobilenet_v2_imagenet"}}) {
    CAPTURE(pair.network);
    const Graph graph = build_network(pair.network);
    const Weights weights =
        read_weights(std::string(BITPULSE_SHARED_DIR "/data/models/") + pair.file + ".safetensors");
    std::size_t expected = 0;
    const auto check = [&](const std::string& name, const std::vector<std::int64_t>& dims) {
      CAPTURE(name);
      ++expected;
      REQUIRE(weights.count(name) == 1);
      CHECK(weights.at(name).dims == dims);
    };
    for (const Node& node : graph.nodes) {
      if (node.inputs.empty()) continue;
      const Shape in = graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape;
      if (const auto* conv = std::get_if<Conv2d>(&node.layer)) {
        check(node.name + ".weight", {conv->out_channels, in.c / conv->groups,
                                      conv->window.kernel_h, conv->window.kernel_w});
        if (conv->bias) check(node.name + ".bias", {conv->out_channels});
      } else if (std::holds_alternative<Linear>(node.layer)) {
        check(node.name + ".weight", {node.shape.c, in.elements()});
        check(node.name + ".bias", {node.shape.c});
      } else if (std::holds_alternative<BatchNorm>(node.layer)) {
        for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
          check(node.name + part, {node.shape.c});
        }
      }
    }
    CHECK(weights.size() == expected);
  }
}

}  // namespace
}  // namespace bitpulse
