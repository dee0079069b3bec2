// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "quant/lower/draft.h"

namespace bitpulse {

namespace {

constexpr Precision kStream{16, true};  // residual streams, and values no GEMM gives a width
constexpr Precision kRaw{32, true};

/// Walks from the outputs to the inputs; each layer meets the requests of all its readers and then
/// makes its own.
class TensorPlanner {
 public:
  TensorPlanner(const Workload& workload, const std::vector<NodeWidths>& widths, Draft& draft)
      : workload_(workload),
        widths_(widths),
        draft_(draft),
        stream16_(workload.quantization.residual == ResidualStyle::kStream16) {}

  std::vector<DraftTensor> run(std::vector<NetworkOutput>& outputs) {
    tensors_.reserve(2 * draft_.layers.size() + draft_.inputs.size());
    for (const NodeId id : workload_.graph.outputs) outputs.push_back(request_output(id));
    for (std::size_t i = draft_.layers.size(); i-- > 0;) request_inputs(draft_.layers[i]);
    for (DraftLayer& layer : draft_.layers) {
      std::reverse(layer.layer.stores.begin(), layer.layer.stores.end());
      std::reverse(layer.origin.activations.begin(), layer.origin.activations.end());
    }
    for (DraftInput& input : draft_.inputs) {
      std::reverse(input.input.stores.begin(), input.input.stores.end());
      std::reverse(input.activations.begin(), input.activations.end());
    }
    return std::move(tensors_);
  }

 private:
  static std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }
  const Node& node(NodeId id) const { return workload_.graph.nodes[index(id)]; }
  DraftLayer& producer(const Part& part) const { return draft_.layers[index(part.producer)]; }

  /// The tensor of `value` at `precision`, stored by its producers from now on.
  TensorId request(const Value& value, Precision precision) {
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      if (tensors_[i].tensor.precision == precision && tensors_[i].parts == value.parts)
        return static_cast<TensorId>(i);
    const Node& origin = node(value.origin.node);
    if (precision == Precision{1, true})
      refuse(origin, "its value can be negative and is read at 1 bit; expected 2 bits or more");
    const auto id = static_cast<TensorId>(tensors_.size());
    for (const Part& part : value.parts) add_store(part, id, precision);
    DraftTensor tensor;
    tensor.parts = value.parts;
    tensor.origin = value.origin;
    tensor.tensor.name =
        origin.name + (precision.is_signed ? ":s" : ":u") + std::to_string(precision.bits);
    tensor.tensor.shape = value.shape;
    tensor.tensor.precision = precision;
    tensors_.push_back(std::move(tensor));
    return id;
  }

  void add_store(const Part& part, TensorId tensor, Precision precision) {
    if (part.producer < 0) {
      DraftInput& input = draft_.inputs[index(~part.producer)];
      InputStore store;
      store.tensor = tensor;
      store.channel_offset = part.channel_offset;
      store.reorg = part.reorg;
      input.input.stores.push_back(std::move(store));
      input.activations.push_back(part.activation);
      return;
    }
    DraftLayer& layer = producer(part);
    if (!stream16_ && layer.identity && part.activation.is_leaky())
      refuse(node(layer.origin.add),
             "leaky ReLU after a low-bit residual add; one rounding has one slope, use the "
             "16-bit residual style");
    Store store;
    store.tensor = tensor;
    store.channel_offset = part.channel_offset;
    store.reorg = part.reorg;
    store.clamp = precision.range();
    if (part.activation.non_negative()) store.clamp.min = 0;
    layer.layer.stores.push_back(std::move(store));
    layer.origin.activations.push_back(part.activation);
  }

  Precision natural(const Value& value, std::uint8_t bits) const {
    return {bits, bits > workload_.quantization.widest_unsigned || !draft_.non_negative(value)};
  }

  /// True where the codes of the output have a known scale per channel without a requantizer.
  bool can_be_raw(const Part& part) const {
    if (part.producer < 0 || part.activation.is_leaky() || part.activation.is_bounded())
      return false;
    const DraftLayer& layer = producer(part);
    if (layer.identity) return stream16_;
    const auto* pool = std::get_if<PoolOp>(&layer.layer.op);
    return layer.is_gemm() || (pool && !pool->is_max);
  }

  NetworkOutput request_output(NodeId id) {
    const Value& value = draft_.values[index(id)];
    if (value.sliced)
      refuse(node(id), "a slice is an output of the network; only an add can read it");
    Precision precision = kStream;
    if (workload_.is_layer_list)
      precision = {widths_[index(id)].activations, true};
    else if (std::all_of(value.parts.begin(), value.parts.end(),
                         [this](const Part& part) { return can_be_raw(part); }))
      precision = kRaw;
    NetworkOutput output;
    output.name = node(id).name;
    output.tensor = request(value, precision);
    return output;
  }

  void request_inputs(DraftLayer& layer) {
    const std::uint8_t bits = widths_[index(layer.origin.op)].activations;
    if (auto* gemm = std::get_if<GemmOp>(&layer.layer.op)) {
      if (layer.identity) request_identity(layer, bits);
      gemm->input = request(layer.input, natural(layer.input, bits));
    } else if (auto* pool = std::get_if<PoolOp>(&layer.layer.op)) {
      request_pool_input(layer, *pool);
    } else {
      auto& sum = std::get<ElementwiseOp>(layer.layer.op);
      const std::optional<Precision> common = common_precision(layer);
      const std::uint8_t carried = common ? common->bits : workload_.quantization.activations;
      sum.input = request(layer.input, stream16_ ? kStream : natural(layer.input, carried));
      request_identity(layer, carried);
    }
  }

  void request_identity(DraftLayer& layer, std::uint8_t bits) {
    const Value& identity = *layer.identity;
    Residual residual;
    residual.kind = stream16_ ? Residual::Kind::kStream16 : Residual::Kind::kLowBit;
    residual.identity = request(identity, stream16_ ? kStream : natural(identity, bits));
    residual.stride = identity.stride;
    residual.channels_before = identity.channels_before;
    residual.main_clamp = Precision{stream16_ ? std::uint8_t{16} : bits, true}.range();
    // A sum's own input may be unsigned, and passes as it is.
    if (const auto* sum = std::get_if<ElementwiseOp>(&layer.layer.op))
      residual.main_clamp = tensors_[index(sum->input)].tensor.precision.range();
    layer.layer.residual = std::move(residual);
  }

  /// The one precision that all readers of a layer ask for, unless they take its raw sums.
  std::optional<Precision> common_precision(const DraftLayer& layer) const {
    std::optional<Precision> common;
    for (const Store& store : layer.layer.stores) {
      const Precision precision = tensors_[index(store.tensor)].tensor.precision;
      if (precision == kRaw || (common && *common != precision)) return std::nullopt;
      common = precision;
    }
    return common;
  }

  /// Pools read what their readers want, 16 bits where these differ; the average of a 16-bit
  /// residual stream reads the stream, and so does one that is rounded down.
  void request_pool_input(DraftLayer& layer, PoolOp& pool) {
    if (pool.is_max) pull_activation(layer);
    const std::optional<Precision> common = common_precision(layer);
    Precision precision = common ? natural(layer.input, common->bits) : kStream;
    const bool loses_a_bit = common && precision.is_signed && !common->is_signed;
    const bool averages_stream =
        !pool.is_max && stream16_ && (pool.floor_average || reads_residual_sum(layer.input));
    const bool on_stream = (common && *common == kStream) || averages_stream;
    if (loses_a_bit || on_stream) precision = kStream;
    pool.input = request(layer.input, precision);
    if (!pool.is_max) check_average(layer, pool, precision);
  }

  bool reads_residual_sum(const Value& value) const {
    return std::any_of(value.parts.begin(), value.parts.end(), [this](const Part& part) {
      return part.producer >= 0 && producer(part).identity.has_value();
    });
  }

  /// An activation after a max-pool is applied before it, where the tensor it reads gains from it.
  void pull_activation(DraftLayer& layer) {
    std::vector<Activation>& activations = layer.origin.activations;
    const Activation common = activations.front();
    if (common == Activation{} ||
        !std::all_of(activations.begin(), activations.end(),
                     [&common](const Activation& a) { return a == common; }))
      return;
    for (Part& part : layer.input.parts) part.activation = part.activation.then(common);
    layer.input.origin.activation = layer.input.origin.activation.then(common);
    activations.assign(activations.size(), Activation{});
  }

  void check_average(const DraftLayer& layer, const PoolOp& pool, Precision precision) const {
    const std::int64_t area = pool.window.kernel_h * pool.window.kernel_w;
    const CodeRange range = precision.range();
    if (area > std::numeric_limits<std::int32_t>::max() / std::max(range.max, -range.min))
      refuse(node(layer.origin.op), "the sum of " + std::to_string(area) + " codes of " +
                                        std::to_string(precision.bits) +
                                        " bits can exceed 32 bits");
    if (pool.floor_average && (precision != kStream || !draft_.non_negative(layer.input)))
      refuse(node(layer.origin.op),
             "average_pool_floor is defined for non-negative 16-bit input only, found " +
                 std::to_string(precision.bits) + " bits" +
                 (draft_.non_negative(layer.input) ? "" : " that can be negative"));
  }

  const Workload& workload_;
  const std::vector<NodeWidths>& widths_;
  Draft& draft_;
  const bool stream16_;
  std::vector<DraftTensor> tensors_;
};

}  // namespace

std::vector<DraftTensor> assign_tensors(const Workload& workload,
                                        const std::vector<NodeWidths>& widths, Draft& draft,
                                        std::vector<NetworkOutput>& outputs) {
  return TensorPlanner(workload, widths, draft).run(outputs);
}

}  // namespace bitpulse
