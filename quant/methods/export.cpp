// SPDX-License-Identifier: Apache-2.0
#include "quant/methods/export.h"

#include <cassert>

#include "quant/deployed_arithmetic.h"
#include "quant/float/normalization.h"
#include "quant/methods/multiplier.h"
#include "quant/methods/rounding.h"

namespace bitpulse {

namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

constexpr std::uint8_t kRawBits = 32;

/// Exports one layer; its value is real value_scales[c] (or [0]) times an integer.
class LayerExport {
 public:
  LayerExport(const Workload& workload, std::size_t i, const GemmParameters& gemm,
              const ActivationScales& scales, Lowering& lowering)
      : spec_(workload.quantization),
        gemm_(gemm),
        scales_(scales),
        network_(lowering.network),
        layer_(network_.layers[i]),
        origin_(lowering.layers[i]),
        residual_scale_(scales.residuals[i]) {}

  void run() {
    std::visit([this](auto& op) { fill(op); }, layer_.op);
    if (layer_.residual) fill(*layer_.residual);
    for (std::size_t s = 0; s < layer_.stores.size(); ++s)
      fill(layer_.stores[s], origin_.activations[s]);
  }

  /// Real units of the codes this layer stores raw.
  std::vector<double> raw_scales() const {
    if (layer_.residual) return {residual_scale_};
    return value_scales_;
  }

 private:
  std::string place() const { return "layer '" + layer_.name + "'"; }
  double tensor_scale(TensorId id) const { return scales_.tensors[index(id)]; }

  void fill(GemmOp& op) {
    const double input_scale = tensor_scale(op.input);
    const int input_bits = network_.tensors[index(op.input)].precision.bits;
    op.weights = gemm_.codes;
    op.bias.clear();
    value_scales_.clear();
    for (std::size_t c = 0; c < gemm_.scales.size(); ++c) {
      const double unit = gemm_.scales[c] * input_scale;
      value_scales_.push_back(unit);
      op.bias.push_back(static_cast<std::int32_t>(
          nearest_code(gemm_.bias[c] / unit, bias_codes(spec_, op.weight_bits[c], input_bits))));
    }
  }

  void fill(PoolOp& op) {
    const auto area = static_cast<double>(op.window.kernel_h * op.window.kernel_w);
    const double divisor = op.is_max || op.floor_average ? 1 : area;
    value_scales_ = {tensor_scale(op.input) / divisor};
  }

  void fill(ElementwiseOp& op) { value_scales_ = {tensor_scale(op.input)}; }

  std::vector<double> value_ratios(double unit) const {
    std::vector<double> ratios = value_scales_;
    for (double& ratio : ratios) ratio /= unit;
    return ratios;
  }

  void fill(Residual& residual) {
    const bool low_bit_code = residual.kind == Residual::Kind::kLowBit &&
                              std::holds_alternative<ElementwiseOp>(layer_.op);
    residual.main = low_bit_code ? Requantizer{}
                                 : make_requantizer(value_ratios(residual_scale_), {},
                                                    spec_.multiplier, place() + ", main branch");
    if (residual.kind == Residual::Kind::kStream16)
      residual.identity_requantizer =
          make_requantizer({tensor_scale(residual.identity) / residual_scale_}, {},
                           spec_.multiplier, place() + ", identity");
  }

  void fill(Store& store, const Activation& activation) {
    const StoredTensor& tensor = network_.tensors[index(store.tensor)];
    store.requantizer = {};
    if (tensor.precision.bits == kRawBits) return;
    const double unit = tensor_scale(store.tensor);
    if (activation.is_bounded())
      store.clamp.max = nearest_code(activation.max / unit, {1, tensor.precision.range().max});
    if (layer_.residual && layer_.residual->kind == Residual::Kind::kLowBit) {
      const MultiplierPair pair = make_pair_of_multipliers(
          residual_scale_ / unit, tensor_scale(layer_.residual->identity) / unit, spec_.multiplier,
          place());
      store.requantizer.positive = {pair.first};
      store.identity_m = pair.second;
      return;
    }
    const std::vector<double> ratios =
        layer_.residual ? std::vector<double>{residual_scale_ / unit} : value_ratios(unit);
    const bool is_copy = ratios.size() == 1 && ratios[0] == 1 && !activation.is_leaky();
    if (!is_copy)
      store.requantizer = make_requantizer(ratios, activation, spec_.multiplier, place());
  }

  const QuantizationSpec& spec_;
  const GemmParameters& gemm_;
  const ActivationScales& scales_;
  IntegerNetwork& network_;
  IntegerLayer& layer_;
  const LayerOrigin& origin_;
  double residual_scale_;
  std::vector<double> value_scales_;
};

/// The scales of a raw output, channel by channel, from the layers that store into it.
void fill_raw_outputs(const IntegerLayer& layer, const std::vector<double>& scales,
                      IntegerNetwork& network) {
  for (NetworkOutput& output : network.outputs) {
    const StoredTensor& tensor = network.tensors[index(output.tensor)];
    if (tensor.precision.bits != kRawBits) continue;
    output.scales.resize(static_cast<std::size_t>(tensor.shape.c), 0);
    for (const Store& store : layer.stores) {
      if (store.tensor != output.tensor) continue;
      for (std::int64_t c = 0; c < layer.out.c * store.reorg * store.reorg; ++c)
        output.scales[static_cast<std::size_t>(store.channel_offset + c)] =
            scales.size() == 1 ? scales[0] : scales[static_cast<std::size_t>(c % layer.out.c)];
    }
  }
}

/// Codes of the 256 bytes in every channel.
std::vector<std::int32_t> input_table(const Workload& workload, const Shape& shape,
                                      const Activation& activation, const StoredTensor& tensor) {
  const CodeRange range = tensor.precision.range();
  std::vector<std::int32_t> codes;
  for (std::int64_t c = 0; c < shape.c; ++c)
    for (int v = 0; v < 256; ++v) {
      const double real = activation(normalized(workload.data, c, v));
      const double code = round_real(real / tensor.scale, workload.quantization.rounding);
      codes.push_back(static_cast<std::int32_t>(nearest_code(code, range)));
    }
  return codes;
}

}  // namespace

void export_layer(const Workload& workload, std::size_t layer, const GemmParameters& gemm,
                  const ActivationScales& scales, Lowering& lowering) {
  LayerExport exporter(workload, layer, gemm, scales, lowering);
  exporter.run();
  fill_raw_outputs(lowering.network.layers[layer], exporter.raw_scales(), lowering.network);
}

void export_parameters(const Workload& workload, const std::vector<GemmParameters>& gemms,
                       const ActivationScales& scales, Lowering& lowering) {
  IntegerNetwork& network = lowering.network;
  assert(gemms.size() == network.layers.size() && scales.tensors.size() == network.tensors.size());
  for (std::size_t t = 0; t < network.tensors.size(); ++t)
    network.tensors[t].scale = scales.tensors[t];
  for (std::size_t i = 0; i < network.inputs.size(); ++i)
    for (std::size_t s = 0; s < network.inputs[i].stores.size(); ++s) {
      InputStore& store = network.inputs[i].stores[s];
      store.codes = input_table(workload, network.inputs[i].shape, lowering.input_activations[i][s],
                                network.tensors[index(store.tensor)]);
    }
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    export_layer(workload, i, gemms[i], scales, lowering);
  for (NetworkOutput& output : network.outputs)
    if (network.tensors[index(output.tensor)].precision.bits != kRawBits)
      output.scales = {network.tensors[index(output.tensor)].scale};
  network.has_parameters = true;
}

}  // namespace bitpulse
