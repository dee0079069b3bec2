// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>
#include <utility>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/safetensors.h"
#include "quant/integer/network_io.h"
#include "quant/integer/network_names.h"
#include "quant/integer/validate.h"

namespace bitpulse {

namespace {

using namespace network_names;

constexpr std::int64_t kMaxId = std::numeric_limits<TensorId>::max();
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
constexpr double kMaxReal = std::numeric_limits<double>::max();

/// The tensors of a file, each taken once; what is left in the end belongs to no layer.
class TensorFile {
 public:
  explicit TensorFile(const std::string& path) : path_(path), file_(read_safetensors(path)) {}

  bool has(const std::string& name) const { return file_.tensors.count(name) != 0; }

  template <class T>
  std::vector<T> take(const std::string& name) {
    return values<T>(find(name), name);
  }

  WeightCodes take_weights(const std::string& name, const std::vector<std::int64_t>& dims) {
    SafeTensor tensor = find(name);
    if (tensor.dims != dims) fail(name, "its shape is not that of the layer's weights");
    WeightCodes codes;
    if (tensor.dtype == "I8")
      codes.narrow = values<std::int8_t>(std::move(tensor), name);
    else
      codes.wide = values<std::int16_t>(std::move(tensor), name);
    return codes;
  }

  Requantizer take_requantizer(const std::string& name) {
    Requantizer r;
    if (!has(name + ".m")) return r;
    const auto m = take<std::int32_t>(name + ".m");
    const auto shift = take<std::uint8_t>(name + ".shift");
    if (m.size() != shift.size())
      fail(name, std::to_string(m.size()) + " multipliers and " + std::to_string(shift.size()) +
                     " shifts");
    for (std::size_t i = 0; i < m.size(); ++i) r.positive.push_back({m[i], shift[i]});
    if (has(name + ".negative")) r.negative = take<std::int32_t>(name + ".negative");
    return r;
  }

  void require_empty() const {
    if (!file_.tensors.empty())
      fail(file_.tensors.begin()->first, "no part of the network has this tensor");
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& why) const {
    throw Error(ErrorKind::kInvalidInput, path_ + ": tensor '" + name + "': " + why);
  }

  SafeTensor find(const std::string& name) {
    const auto at = file_.tensors.find(name);
    if (at == file_.tensors.end()) fail(name, "missing");
    SafeTensor tensor = std::move(at->second);
    file_.tensors.erase(at);
    return tensor;
  }

  template <class T>
  std::vector<T> values(SafeTensor tensor, const std::string& name) const {
    if (tensor.dtype != dtype<T>())
      fail(name, "found " + tensor.dtype + ", expected " + dtype<T>());
    std::vector<T> result(tensor.bytes.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), tensor.bytes.data(), tensor.bytes.size());
    return result;
  }

  std::string path_;
  SafeTensors file_;
};

/// A list of exactly `count` integers in min..max.
std::vector<std::int64_t> integers(const JsonValue& json, std::size_t count, std::int64_t min,
                                   std::int64_t max) {
  if (!json.is_array() || json.size() != count)
    json.fail("a list of " + std::to_string(count) + " integers");
  std::vector<std::int64_t> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(json[i].integer(min, max));
  return result;
}

Shape read_shape(const JsonValue& json) {
  const auto dims = integers(json, 3, 1, kMaxDim);
  return {dims[0], dims[1], dims[2]};
}

CodeRange read_range(const JsonValue& json) {
  const auto ends = integers(json, 2, -kInt32Max - 1, kInt32Max);
  return {ends[0], ends[1]};
}

Window read_window(const JsonValue& json) {
  json.only_keys({"kernel", "stride", "pad", "dilation"});
  const auto kernel = integers(json.at("kernel"), 2, 1, kMaxDim);
  const auto stride = integers(json.at("stride"), 2, 1, kMaxDim);
  const auto pad = integers(json.at("pad"), 4, 0, kMaxDim);
  const auto dilation = integers(json.at("dilation"), 2, 1, kMaxDim);
  return {kernel[0], kernel[1], stride[0], stride[1],   pad[0],
          pad[1],    pad[2],    pad[3],    dilation[0], dilation[1]};
}

TensorId read_id(const JsonValue& json) { return static_cast<TensorId>(json.integer(0, kMaxId)); }

std::vector<JsonValue> elements(const JsonValue& json) {
  if (!json.is_array()) json.fail("a list");
  std::vector<JsonValue> result;
  for (std::size_t i = 0; i < json.size(); ++i) result.push_back(json[i]);
  return result;
}

class Reader {
 public:
  Reader(const JsonValue& root, TensorFile& file) : root_(root), file_(file) {}

  IntegerNetwork run() {
    root_.require_schema(kSchema);
    root_.only_keys({"schema", "name", "method", "rounding", "has_parameters", "provenance",
                     "tensors", "inputs", "layers", "outputs"});
    IntegerNetwork n;
    n.name = root_.at("name").text();
    n.method = root_.at("method").text();
    n.rounding = static_cast<Rounding>(
        root_.at("rounding").choice({kRoundings[0], kRoundings[1], kRoundings[2]}));
    n.has_parameters = has_parameters_ = root_.at("has_parameters").boolean();
    for (const JsonValue& note : elements(root_.at("provenance"))) {
      if (!note.is_array() || note.size() != 2) note.fail("a key and its text");
      n.provenance.emplace_back(note[0].text(), note[1].text());
    }
    for (const JsonValue& json : elements(root_.at("tensors"))) n.tensors.push_back(tensor(json));
    for (const JsonValue& json : elements(root_.at("inputs")))
      n.inputs.push_back(input(json, item("inputs", n.inputs.size())));
    for (const JsonValue& json : elements(root_.at("layers")))
      n.layers.push_back(layer(json, item("layers", n.layers.size())));
    for (const JsonValue& json : elements(root_.at("outputs"))) {
      json.only_keys({"name", "tensor"});
      n.outputs.push_back({json.at("name").text(), read_id(json.at("tensor")),
                           file_.take<double>(item("outputs", n.outputs.size()) + ".scales")});
    }
    file_.require_empty();
    return n;
  }

 private:
  static StoredTensor tensor(const JsonValue& json) {
    json.only_keys({"name", "shape", "bits", "signed", "scale"});
    StoredTensor t;
    t.name = json.at("name").text();
    t.shape = read_shape(json.at("shape"));
    t.precision.bits = static_cast<std::uint8_t>(json.at("bits").integer(1, 32));
    t.precision.is_signed = json.at("signed").boolean();
    t.scale = json.at("scale").number(-kMaxReal, kMaxReal);
    return t;
  }

  NetworkInput input(const JsonValue& json, const std::string& at) {
    json.only_keys({"name", "shape", "stores"});
    NetworkInput result;
    result.name = json.at("name").text();
    result.shape = read_shape(json.at("shape"));
    for (const JsonValue& store : elements(json.at("stores"))) {
      store.only_keys({"tensor", "channel_offset", "reorg"});
      InputStore s;
      s.tensor = read_id(store.at("tensor"));
      s.channel_offset = store.at("channel_offset").integer(0, kMaxDim);
      s.reorg = store.at("reorg").integer(1, kMaxDim);
      s.codes = file_.take<std::int32_t>(item(at + ".stores", result.stores.size()) + ".codes");
      result.stores.push_back(std::move(s));
    }
    return result;
  }

  IntegerLayer layer(const JsonValue& json, const std::string& at) {
    json.only_keys({"name", "kind", "in", "out", "op", "residual", "stores"});
    IntegerLayer result;
    result.name = json.at("name").text();
    result.kind = json.at("kind").text();
    result.in = read_shape(json.at("in"));
    result.out = read_shape(json.at("out"));
    read_op(json.at("op"), at, result);
    if (const auto r = json.find("residual")) result.residual = residual(*r, at);
    for (const JsonValue& store : elements(json.at("stores"))) {
      store.only_keys({"tensor", "channel_offset", "reorg", "clamp", "identity_m"});
      Store s;
      s.tensor = read_id(store.at("tensor"));
      s.channel_offset = store.at("channel_offset").integer(0, kMaxDim);
      s.reorg = store.at("reorg").integer(1, kMaxDim);
      s.clamp = read_range(store.at("clamp"));
      s.identity_m =
          static_cast<std::int32_t>(store.at("identity_m").integer(-kInt32Max, kInt32Max));
      s.requantizer = file_.take_requantizer(item(at + ".stores", result.stores.size()));
      result.stores.push_back(std::move(s));
    }
    return result;
  }

  void read_op(const JsonValue& json, const std::string& at, IntegerLayer& layer) {
    switch (json.at("type").choice({"gemm", "pool", "elementwise"})) {
      case 0:
        layer.op = gemm(json, at, layer);
        return;
      case 1: {
        json.only_keys({"type", "input", "window", "is_max", "floor_average"});
        PoolOp op;
        op.input = read_id(json.at("input"));
        op.window = read_window(json.at("window"));
        op.is_max = json.at("is_max").boolean();
        op.floor_average = json.at("floor_average").boolean();
        layer.op = op;
        return;
      }
      default:
        json.only_keys({"type", "input"});
        layer.op = ElementwiseOp{read_id(json.at("input"))};
    }
  }

  GemmOp gemm(const JsonValue& json, const std::string& at, const IntegerLayer& layer) {
    json.only_keys({"type", "input", "window", "groups", "weight_bits"});
    GemmOp op;
    op.input = read_id(json.at("input"));
    op.window = read_window(json.at("window"));
    op.groups = json.at("groups").integer(1, kMaxDim);
    std::int64_t left = layer.out.c;
    for (const JsonValue& run : elements(json.at("weight_bits"))) {
      if (!run.is_array() || run.size() != 2) run.fail("[bits, channels]");
      const auto bits = static_cast<std::uint8_t>(run[0].integer(1, 16));
      const std::int64_t channels = run[1].integer(1, left);
      op.weight_bits.insert(op.weight_bits.end(), static_cast<std::size_t>(channels), bits);
      left -= channels;
    }
    if (!has_parameters_) return op;
    op.weights = file_.take_weights(at + ".weights", {layer.out.c, op.window.kernel_h,
                                                      op.window.kernel_w, layer.in.c / op.groups});
    op.bias = file_.take<std::int32_t>(at + ".bias");
    return op;
  }

  Residual residual(const JsonValue& json, const std::string& at) {
    json.only_keys({"kind", "identity", "stride", "channels_before", "main_clamp"});
    Residual r;
    r.kind = static_cast<Residual::Kind>(json.at("kind").choice({kResiduals[0], kResiduals[1]}));
    r.identity = read_id(json.at("identity"));
    r.stride = json.at("stride").integer(1, kMaxDim);
    r.channels_before = json.at("channels_before").integer(0, kMaxDim);
    r.main_clamp = read_range(json.at("main_clamp"));
    r.main = file_.take_requantizer(at + ".residual.main");
    r.identity_requantizer = file_.take_requantizer(at + ".residual.identity");
    return r;
  }

  const JsonValue& root_;
  TensorFile& file_;
  bool has_parameters_ = false;
};

}  // namespace

IntegerNetwork load_network(const std::string& folder) {
  const JsonValue root = load_json(folder + "/" + kNetworkFile);
  TensorFile file(folder + "/" + kTensorsFile);
  IntegerNetwork network = Reader(root, file).run();
  validate(network);
  return network;
}

}  // namespace bitpulse
