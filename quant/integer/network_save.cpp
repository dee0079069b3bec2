// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/safetensors.h"
#include "quant/integer/network_io.h"
#include "quant/integer/network_names.h"
#include "quant/integer/validate.h"

namespace bitpulse {

namespace {

using Json = nlohmann::ordered_json;
using namespace network_names;

template <class T>
void put(SafeTensors& file, const std::string& name, const std::vector<T>& values,
         std::vector<std::int64_t> dims = {}) {
  SafeTensor tensor;
  tensor.dtype = dtype<T>();
  tensor.dims = dims.empty() ? std::vector<std::int64_t>{static_cast<std::int64_t>(values.size())}
                             : std::move(dims);
  tensor.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  file.tensors.emplace(name, std::move(tensor));
}

void put(SafeTensors& file, const std::string& name, const Requantizer& requantizer) {
  if (requantizer.empty()) return;
  std::vector<std::int32_t> m;
  std::vector<std::uint8_t> shift;
  for (const Multiplier& multiplier : requantizer.positive) {
    m.push_back(multiplier.m);
    shift.push_back(multiplier.shift);
  }
  put(file, name + ".m", m);
  put(file, name + ".shift", shift);
  if (!requantizer.negative.empty()) put(file, name + ".negative", requantizer.negative);
}

Json shape_json(const Shape& s) { return {s.c, s.h, s.w}; }

Json window_json(const Window& w) {
  return {{"kernel", {w.kernel_h, w.kernel_w}},
          {"stride", {w.stride_h, w.stride_w}},
          {"pad", {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right}},
          {"dilation", {w.dilation_h, w.dilation_w}}};
}

/// Runs of equal widths: [[bits, channels], ...].
Json width_runs(const std::vector<std::uint8_t>& bits) {
  Json runs = Json::array();
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (i == 0 || bits[i] != bits[i - 1]) runs.push_back({bits[i], 0});
    runs.back()[1] = runs.back()[1].get<std::int64_t>() + 1;
  }
  return runs;
}

class Writer {
 public:
  explicit Writer(const IntegerNetwork& network) : network_(network) {}

  Json run(SafeTensors& file) {
    Json json = {{"schema", kSchema},
                 {"name", network_.name},
                 {"method", network_.method},
                 {"rounding", kRoundings[static_cast<std::size_t>(network_.rounding)]},
                 {"has_parameters", network_.has_parameters}};
    Json& provenance = json["provenance"] = Json::array();
    for (const auto& [key, value] : network_.provenance) provenance.push_back({key, value});
    Json& tensors = json["tensors"] = Json::array();
    for (const StoredTensor& t : network_.tensors)
      tensors.push_back({{"name", t.name},
                         {"shape", shape_json(t.shape)},
                         {"bits", t.precision.bits},
                         {"signed", t.precision.is_signed},
                         {"scale", t.scale}});
    Json& inputs = json["inputs"] = Json::array();
    for (std::size_t i = 0; i < network_.inputs.size(); ++i)
      inputs.push_back(input_json(network_.inputs[i], item("inputs", i), file));
    Json& layers = json["layers"] = Json::array();
    for (std::size_t l = 0; l < network_.layers.size(); ++l)
      layers.push_back(layer_json(network_.layers[l], item("layers", l), file));
    Json& outputs = json["outputs"] = Json::array();
    for (std::size_t i = 0; i < network_.outputs.size(); ++i) {
      const NetworkOutput& output = network_.outputs[i];
      outputs.push_back({{"name", output.name}, {"tensor", output.tensor}});
      put(file, item("outputs", i) + ".scales", output.scales);
    }
    return json;
  }

 private:
  static Json input_json(const NetworkInput& input, const std::string& at, SafeTensors& file) {
    Json stores = Json::array();
    for (std::size_t s = 0; s < input.stores.size(); ++s) {
      const InputStore& store = input.stores[s];
      stores.push_back({{"tensor", store.tensor},
                        {"channel_offset", store.channel_offset},
                        {"reorg", store.reorg}});
      put(file, item(at + ".stores", s) + ".codes", store.codes);
    }
    return {{"name", input.name}, {"shape", shape_json(input.shape)}, {"stores", stores}};
  }

  Json layer_json(const IntegerLayer& layer, const std::string& at, SafeTensors& file) const {
    Json json = {{"name", layer.name},
                 {"kind", layer.kind},
                 {"in", shape_json(layer.in)},
                 {"out", shape_json(layer.out)}};
    json["op"] = std::visit([&](const auto& op) { return op_json(op, layer, at, file); }, layer.op);
    if (layer.residual) json["residual"] = residual_json(*layer.residual, at, file);
    Json& stores = json["stores"] = Json::array();
    for (std::size_t s = 0; s < layer.stores.size(); ++s) {
      const Store& store = layer.stores[s];
      stores.push_back({{"tensor", store.tensor},
                        {"channel_offset", store.channel_offset},
                        {"reorg", store.reorg},
                        {"clamp", {store.clamp.min, store.clamp.max}},
                        {"identity_m", store.identity_m}});
      put(file, item(at + ".stores", s), store.requantizer);
    }
    return json;
  }

  Json op_json(const GemmOp& op, const IntegerLayer& layer, const std::string& at,
               SafeTensors& file) const {
    const std::vector<std::int64_t> dims{layer.out.c, op.window.kernel_h, op.window.kernel_w,
                                         layer.in.c / op.groups};
    if (network_.has_parameters) {
      op.weights.narrow.empty() ? put(file, at + ".weights", op.weights.wide, dims)
                                : put(file, at + ".weights", op.weights.narrow, dims);
      put(file, at + ".bias", op.bias);
    }
    return {{"type", "gemm"},
            {"input", op.input},
            {"window", window_json(op.window)},
            {"groups", op.groups},
            {"weight_bits", width_runs(op.weight_bits)}};
  }

  static Json op_json(const PoolOp& op, const IntegerLayer&, const std::string&, SafeTensors&) {
    return {{"type", "pool"},
            {"input", op.input},
            {"window", window_json(op.window)},
            {"is_max", op.is_max},
            {"floor_average", op.floor_average}};
  }

  static Json op_json(const ElementwiseOp& op, const IntegerLayer&, const std::string&,
                      SafeTensors&) {
    return {{"type", "elementwise"}, {"input", op.input}};
  }

  static Json residual_json(const Residual& r, const std::string& at, SafeTensors& file) {
    put(file, at + ".residual.main", r.main);
    put(file, at + ".residual.identity", r.identity_requantizer);
    return {{"kind", kResiduals[static_cast<std::size_t>(r.kind)]},
            {"identity", r.identity},
            {"stride", r.stride},
            {"channels_before", r.channels_before},
            {"main_clamp", {r.main_clamp.min, r.main_clamp.max}}};
  }

  const IntegerNetwork& network_;
};

void check_finite(const IntegerNetwork& network) {
  const auto require = [&](double scale, const std::string& of) {
    if (!std::isfinite(scale))
      throw Error(ErrorKind::kInvalidInput, "integer network '" + network.name +
                                                "': the scale of '" + of + "' is not finite");
  };
  for (const StoredTensor& tensor : network.tensors) require(tensor.scale, tensor.name);
  for (const NetworkOutput& output : network.outputs)
    for (const double scale : output.scales) require(scale, output.name);
}

}  // namespace

void save_network(const IntegerNetwork& network, const std::string& folder) {
  validate(network);
  check_finite(network);
  SafeTensors file;
  std::string text;
  try {
    text = Writer(network).run(file).dump(1) + "\n";
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::kInvalidInput,
                "integer network: a name or a note in it is no valid UTF-8");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorKind::kIo, folder + ": " + error.message());
  // Between the two files there is no network, rather than one with another's tensors.
  std::filesystem::remove(folder + "/" + kNetworkFile, error);
  if (error) throw Error(ErrorKind::kIo, folder + ": " + error.message());
  write_safetensors(folder + "/" + kTensorsFile, file);
  write_file_atomically(folder + "/" + kNetworkFile, text);
}

}  // namespace bitpulse
