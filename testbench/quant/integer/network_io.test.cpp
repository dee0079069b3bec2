// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/network_io.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "models/error.h"
#include "models/io/safetensors.h"
#include "testbench/catch.h"
#include "testbench/quant/integer/residual_network.h"

namespace bitpulse {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, removed in the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("bitpulse-network-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }
  std::string json() const { return path() + "/network.json"; }
  std::string tensors() const { return path() + "/tensors.safetensors"; }

 private:
  fs::path path_;
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

bool same(const Requantizer& a, const Requantizer& b) {
  return a.positive == b.positive && a.negative == b.negative;
}
bool same(const Window& a, const Window& b) {
  return a.kernel_h == b.kernel_h && a.kernel_w == b.kernel_w && a.stride_h == b.stride_h &&
         a.stride_w == b.stride_w && a.pad_top == b.pad_top && a.pad_bottom == b.pad_bottom &&
         a.pad_left == b.pad_left && a.pad_right == b.pad_right && a.dilation_h == b.dilation_h &&
         a.dilation_w == b.dilation_w;
}
bool same(const GemmOp& a, const GemmOp& b) {
  return a.input == b.input && same(a.window, b.window) && a.groups == b.groups &&
         a.weight_bits == b.weight_bits && a.weights.narrow == b.weights.narrow &&
         a.weights.wide == b.weights.wide && a.bias == b.bias;
}
bool same(const PoolOp& a, const PoolOp& b) {
  return a.input == b.input && same(a.window, b.window) && a.is_max == b.is_max &&
         a.floor_average == b.floor_average;
}
bool same(const ElementwiseOp& a, const ElementwiseOp& b) { return a.input == b.input; }

void require_same(const IntegerLayer& a, const IntegerLayer& b) {
  REQUIRE(a.name == b.name);
  REQUIRE(a.kind == b.kind);
  REQUIRE((a.in == b.in && a.out == b.out));
  REQUIRE(a.op.index() == b.op.index());
  REQUIRE(std::visit(
      [&](const auto& op) { return same(op, std::get<std::decay_t<decltype(op)>>(b.op)); }, a.op));
  REQUIRE(a.residual.has_value() == b.residual.has_value());
  if (a.residual) {
    const Residual &r = *a.residual, &s = *b.residual;
    REQUIRE((r.kind == s.kind && r.identity == s.identity && r.stride == s.stride));
    REQUIRE((r.channels_before == s.channels_before && r.main_clamp == s.main_clamp));
    REQUIRE((same(r.main, s.main) && same(r.identity_requantizer, s.identity_requantizer)));
  }
  REQUIRE(a.stores.size() == b.stores.size());
  for (std::size_t i = 0; i < a.stores.size(); ++i) {
    const Store &s = a.stores[i], &t = b.stores[i];
    REQUIRE((s.tensor == t.tensor && s.channel_offset == t.channel_offset && s.reorg == t.reorg));
    REQUIRE((s.clamp == t.clamp && s.identity_m == t.identity_m));
    REQUIRE(same(s.requantizer, t.requantizer));
  }
}

void require_same(const IntegerNetwork& a, const IntegerNetwork& b) {
  REQUIRE((a.name == b.name && a.method == b.method && a.rounding == b.rounding));
  REQUIRE(a.has_parameters == b.has_parameters);
  REQUIRE(a.provenance == b.provenance);
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    REQUIRE((a.tensors[i].name == b.tensors[i].name && a.tensors[i].shape == b.tensors[i].shape));
    REQUIRE(a.tensors[i].precision == b.tensors[i].precision);
    REQUIRE(a.tensors[i].scale == b.tensors[i].scale);
  }
  REQUIRE(a.inputs.size() == b.inputs.size());
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    REQUIRE((a.inputs[i].name == b.inputs[i].name && a.inputs[i].shape == b.inputs[i].shape));
    REQUIRE(a.inputs[i].stores.size() == b.inputs[i].stores.size());
    for (std::size_t s = 0; s < a.inputs[i].stores.size(); ++s) {
      const InputStore &x = a.inputs[i].stores[s], &y = b.inputs[i].stores[s];
      REQUIRE((x.tensor == y.tensor && x.channel_offset == y.channel_offset));
      REQUIRE((x.reorg == y.reorg && x.codes == y.codes));
    }
  }
  REQUIRE(a.layers.size() == b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) require_same(a.layers[i], b.layers[i]);
  REQUIRE(a.outputs.size() == b.outputs.size());
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    REQUIRE((a.outputs[i].name == b.outputs[i].name && a.outputs[i].tensor == b.outputs[i].tensor));
    REQUIRE(a.outputs[i].scales == b.outputs[i].scales);
  }
}

IntegerNetwork some_network(Residual::Kind kind) {
  IntegerNetwork n = residual_network(kind, Rounding::kHalfEven, 1).network;
  n.name = "a \"net\" \xC3\xBC";
  n.provenance = {{"data", "none"}, {"calibration", "mse, 256 images"}, {"data", "again"}};
  n.tensors[0].scale = 0.1 + 0.2;
  n.tensors[1].scale = 5e-324;
  n.tensors[2].scale = std::numeric_limits<double>::max();
  n.tensors[3].scale = -0.0;
  n.outputs[0].scales.assign(10, 1.0 / 3);
  n.outputs[0].scales[4] = 1e-300;
  return n;
}

TEST_CASE("a network is loaded back as it was saved, and saved again byte for byte",
          "[quant][network_io]") {
  const auto kind = GENERATE(Residual::Kind::kStream16, Residual::Kind::kLowBit);
  const IntegerNetwork network = some_network(kind);
  const Folder folder;
  save_network(network, folder.path());
  const std::string json = read(folder.json()), tensors = read(folder.tensors());
  const IntegerNetwork loaded = load_network(folder.path());
  require_same(loaded, network);
  save_network(loaded, folder.path());
  CHECK(read(folder.json()) == json);
  CHECK(read(folder.tensors()) == tensors);
}

TEST_CASE("a structure without parameters is loaded back as it was saved", "[quant][network_io]") {
  IntegerNetwork network = some_network(Residual::Kind::kStream16);
  network.has_parameters = false;
  for (IntegerLayer& layer : network.layers) {
    if (auto* gemm = std::get_if<GemmOp>(&layer.op)) {
      gemm->weights = {};
      gemm->bias.clear();
    }
    for (Store& store : layer.stores) store.requantizer = {};
  }
  network.inputs[0].stores[0].codes.clear();
  network.outputs[0].scales.clear();
  const Folder folder;
  save_network(network, folder.path());
  require_same(load_network(folder.path()), network);
}

TEST_CASE("a scale that is not finite is not saved", "[quant][network_io]") {
  IntegerNetwork network = some_network(Residual::Kind::kStream16);
  network.tensors[5].scale = std::numeric_limits<double>::quiet_NaN();
  const Folder folder;
  CHECK_THROWS_AS(save_network(network, folder.path()), Error);
  CHECK_FALSE(fs::exists(folder.path()));
}

TEST_CASE("an interrupted save leaves no network with another one's tensors",
          "[quant][network_io]") {
  const Folder folder;
  save_network(some_network(Residual::Kind::kStream16), folder.path());
  fs::remove(folder.tensors());
  fs::create_directory(folder.tensors());  // cannot be replaced by a file
  CHECK_THROWS_AS(save_network(some_network(Residual::Kind::kLowBit), folder.path()), Error);
  CHECK_FALSE(fs::exists(folder.json()));
}

/// The error's text when the saved files are changed by `change`.
template <class Change>
std::string refusal(const Change& change) {
  const Folder folder;
  save_network(some_network(Residual::Kind::kLowBit), folder.path());
  change(folder);
  try {
    load_network(folder.path());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string with(const std::string& from, const std::string& to) {
  return refusal([&](const Folder& folder) {
    std::string text = read(folder.json());
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    write(folder.json(), text.replace(at, from.size(), to));
  });
}

TEST_CASE("a changed network file is refused with the place that is wrong", "[quant][network_io]") {
  const auto names = [](const std::string& text, const char* what) {
    INFO(text);
    return text.find(what) != std::string::npos;
  };
  CHECK(refusal([](const Folder&) {}).empty());
  CHECK(names(with("\"bits\": 8", "\"bits\": 33"), "/tensors/0/bits"));
  CHECK(names(with("\"bits\": 8", "\"bits\": 8.5"), "/tensors/0/bits"));
  CHECK(names(with("bitpulse/network/1", "bitpulse/network/2"), "schema"));
  CHECK(names(with("\"half_even\"", "\"half\""), "/rounding"));
  CHECK(names(with("\"method\"", "\"methods\""), "methods"));
  CHECK(names(with("\"input\": 0", "\"input\": -1"), "/layers/0/op/input"));
  CHECK(names(with("\"input\": 0", "\"input\": 4000"), "layer0"));
  CHECK(names(with("\"groups\": 1", "\"groups\": 0"), "/layers/0/op/groups"));
  CHECK(names(with("\"reorg\": 2", "\"reorg\": 16777217"), "reorg"));
  CHECK(names(with("\"low_bit\"", "\"high_bit\""), "/residual/kind"));
  CHECK(names(with("\"type\": \"pool\"", "\"type\": \"poll\""), "/op/type"));
  CHECK(names(refusal([](const Folder& f) { fs::remove(f.tensors()); }), "tensors.safetensors"));
  CHECK(names(refusal([](const Folder& f) { fs::remove(f.json()); }), "network.json"));
  CHECK(names(refusal([](const Folder& f) {
                const std::string bytes = read(f.tensors());
                write(f.tensors(), bytes.substr(0, bytes.size() - 1));
              }),
              "tensors.safetensors"));
}

TEST_CASE("tensors that are missing, foreign or of another type are refused by name",
          "[quant][network_io]") {
  const auto refused_as = [](const char* name, auto change) {
    const std::string text = refusal([&](const Folder& folder) {
      SafeTensors file = read_safetensors(folder.tensors());
      change(file.tensors);
      write_safetensors(folder.tensors(), file);
    });
    INFO(text);
    return text.find(name) != std::string::npos;
  };
  CHECK(refused_as("layers.0.bias", [](auto& t) { t.erase("layers.0.bias"); }));
  CHECK(refused_as("stranger", [](auto& t) { t["stranger"] = t["layers.0.bias"]; }));
  CHECK(refused_as("layers.0.weights", [](auto& t) {
    std::swap(t["layers.0.weights"].dims[0], t["layers.0.weights"].dims[1]);
  }));
  CHECK(refused_as("layers.0.bias", [](auto& t) {
    SafeTensor& bias = t["layers.0.bias"];
    bias.dtype = "F32";
  }));
  CHECK(refused_as("biases", [](auto& t) {
    SafeTensor& bias = t["layers.0.bias"];
    bias.dims = {1};
    bias.bytes.resize(4);
  }));
  CHECK(refused_as("layers.0.stores.0", [](auto& t) {
    SafeTensor& shift = t["layers.0.stores.0.shift"];
    shift.dims = {1};
    shift.bytes.resize(1);
  }));
  CHECK(refused_as("2^255", [](auto& t) { t["layers.0.stores.0.shift"].bytes[3] = 255; }));
}

TEST_CASE("damaged files are refused or describe a network that can be executed",
          "[quant][network_io]") {
  const Folder folder;
  const NetworkBuilder builder = residual_network(Residual::Kind::kLowBit, Rounding::kHalfUp, 2);
  save_network(builder.network, folder.path());
  const std::string json = read(folder.json()), tensors = read(folder.tensors());
  std::mt19937 random(1);
  int refused = 0;
  const int rounds = 300;
  for (int i = 0; i < rounds; ++i) {
    std::string text = json, data = tensors;
    std::string& damaged = i % 2 == 0 ? text : data;
    const std::size_t reach = i % 4 == 1 ? 200 : damaged.size();
    for (int n = 0; n < 3; ++n) {
      const std::size_t at = random() % std::min(reach, damaged.size());
      damaged[at] =
          i % 2 == 0 ? "0123456789-,:[]{}\"e."[random() % 20] : static_cast<char>(random() & 0xff);
    }
    write(folder.json(), text);
    write(folder.tensors(), data);
    try {
      const IntegerNetwork network = load_network(folder.path());
      save_network(network, folder.path());
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > rounds / 4);
  CHECK(refused < rounds);
}

}  // namespace
}  // namespace bitpulse
