// SPDX-License-Identifier: Apache-2.0
#include "quant/placement.h"

#include <map>
#include <variant>

#include "quant/methods/scale_owners.h"

namespace bitpulse {

namespace {

constexpr int kStreamBits = 16;

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

class Placer {
 public:
  Placer(const Workload& workload, const Lowering& lowering)
      : workload_(workload), lowering_(lowering), owners_(scale_owners(lowering)) {}

  Placement run() {
    find_ends();
    for (std::size_t l = 0; l < lowering_.layers.size(); ++l) place(l);
    return std::move(placement_);
  }

 private:
  const IntegerNetwork& network() const { return lowering_.network; }
  const Node& node(NodeId id) const { return workload_.graph.nodes[index(id)]; }

  void find_ends() {
    for (std::size_t l = 0; l < network().layers.size(); ++l) {
      if (!std::holds_alternative<GemmOp>(network().layers[l].op)) continue;
      if (!first_) first_ = l;
      last_ = l;
    }
  }

  bool stays_real(std::size_t layer) const {
    return workload_.quantization.method == "llsq" &&
           workload_.quantization.llsq.recipe == LlsqRecipe::kQ &&
           (layer == first_ || layer == last_);
  }

  void place(std::size_t l) {
    const IntegerLayer& layer = network().layers[l];
    const LayerOrigin& origin = lowering_.layers[l];
    if (const auto* gemm = std::get_if<GemmOp>(&layer.op)) {
      if (!stays_real(l)) {
        placement_.weights.push_back({origin.op, l, gemm->weight_bits});
        add_edge(origin.op, 0, gemm->input);
      }
    } else if (const auto* pool = std::get_if<PoolOp>(&layer.op)) {
      // Maximum and quantization commute: what the pool becomes is quantized for both.
      if (owners_[index(pool->input)] == index(pool->input)) add_edge(origin.op, 0, pool->input);
    }
    if (layer.residual) place_residual(l);
  }

  void place_residual(std::size_t l) {
    const IntegerLayer& layer = network().layers[l];
    const LayerOrigin& origin = lowering_.layers[l];
    const std::size_t identity = reads(origin.add, 0, origin.identity) ? 0 : 1;
    add_edge(origin.add, identity, layer.residual->identity);
    if (const auto* sum = std::get_if<ElementwiseOp>(&layer.op)) {
      add_edge(origin.add, 1 - identity, sum->input);
    } else if (layer.residual->kind == Residual::Kind::kLowBit) {
      ActivationSite site;
      site.name = node(origin.add).name + ".main";
      site.precision = {bits_of(layer.residual->main_clamp), true};
      site.features = node(origin.add).shape.elements();
      site.layer = l;
      placement_.edges.push_back({origin.add, 1 - identity, placement_.activations.size()});
      placement_.activations.push_back(std::move(site));
    }
  }

  /// Of signed codes. The least one tells: the largest is 1 with 1 bit {-1, 1} and with 2.
  static std::uint8_t bits_of(CodeRange range) {
    std::uint8_t bits = 1;
    while (Precision{bits, true}.range().min > range.min) ++bits;
    return bits;
  }

  /// True where input `input` of `reader` is the value of `origin`, sliced or flattened at most.
  bool reads(NodeId reader, std::size_t input, NodeId origin) const {
    NodeId at = node(reader).inputs[input];
    while (at != origin && (std::holds_alternative<SlicePad>(node(at).layer) ||
                            std::holds_alternative<Flatten>(node(at).layer)))
      at = node(at).inputs[0];
    return at == origin;
  }

  void add_edge(NodeId reader, std::size_t input, TensorId tensor) {
    const StoredTensor& stored = network().tensors[index(tensor)];
    if (stored.precision.bits >= kStreamBits) return;
    const auto found = site_of_.find(tensor);
    if (found != site_of_.end()) {
      placement_.edges.push_back({reader, input, found->second});
      return;
    }
    ActivationSite site;
    site.name = stored.name;
    site.precision = stored.precision;
    site.features = stored.shape.elements();
    site.before = lowering_.tensors[index(tensor)].activation;
    site.tensor = index(tensor);
    site_of_[tensor] = placement_.activations.size();
    placement_.edges.push_back({reader, input, placement_.activations.size()});
    placement_.activations.push_back(std::move(site));
  }

  const Workload& workload_;
  const Lowering& lowering_;
  const std::vector<std::size_t> owners_;
  std::optional<std::size_t> first_, last_;
  std::map<TensorId, std::size_t> site_of_;
  Placement placement_;
};

}  // namespace

std::string weight_step_name(const std::string& node) { return node + ".weight.step"; }
std::string activation_step_name(const ActivationSite& site) { return site.name + ".step"; }
std::string activation_range_name(const ActivationSite& site) { return site.name + ".range"; }

Placement place_quantizers(const Workload& workload, const Lowering& lowering) {
  if (workload.quantization.method == "float") return {};
  return Placer(workload, lowering).run();
}

}  // namespace bitpulse
