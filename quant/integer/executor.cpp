// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/executor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "models/error.h"
#include "quant/integer/kernels.h"
#include "quant/integer/layer_run.h"
#include "quant/integer/validate.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kForever = std::int64_t{1} << 40;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

[[noreturn]] void refuse(const IntegerNetwork& network, const std::string& why) {
  throw Error(ErrorKind::kInvalidInput, "integer network '" + network.name + "': " + why);
}

/// Elements of a tensor for `batch` images.
std::size_t extent(const IntegerNetwork& network, std::size_t tensor, std::int64_t batch) {
  const std::int64_t elements = network.tensors[tensor].shape.elements();
  if (batch > kMaxElements / elements)
    throw Error(ErrorKind::kLimit, "integer network '" + network.name + "': tensor '" +
                                       network.tensors[tensor].name + "' times " +
                                       std::to_string(batch) + " images is too large");
  return index(elements * batch);
}

/// The tensors between layers, from the codes given to the codes asked for.
class Execution {
 public:
  Execution(const IntegerNetwork& network, std::int64_t batch, const ExecuteOptions& options)
      : network_(network),
        batch_(batch),
        options_(options),
        last_(options.last_layer < 0 ? static_cast<std::int64_t>(network.layers.size()) - 1
                                     : options.last_layer),
        work_(network.tensors.size()),
        last_read_(network.tensors.size(), -1) {
    if (!network.has_parameters) refuse(network, "it has no parameters");
    if (batch < 1) refuse(network, "batch " + std::to_string(batch));
    if (options.first_layer < 0 || options.first_layer > last_ ||
        last_ >= static_cast<std::int64_t>(network.layers.size()))
      refuse(network, "layers " + std::to_string(options.first_layer) + " to " +
                          std::to_string(last_) + " of " + std::to_string(network.layers.size()));
    if (!options.accumulation.empty() && options.accumulation.size() != network.layers.size())
      refuse(network, std::to_string(options.accumulation.size()) + " orders of accumulation for " +
                          std::to_string(network.layers.size()) + " layers");
    find_last_reads();
  }

  ExecuteResult run(TensorCodes tensors) {
    take(std::move(tensors));
    ExecuteResult result;
    result.overflow.resize(network_.layers.size());
    const LayerAccumulation none;
    for (std::int64_t l = options_.first_layer; l <= last_; ++l) {
      const IntegerLayer& layer = network_.layers[index(l)];
      for (const Store& store : layer.stores) allocate(index(store.tensor));
      const LayerRun run{network_,
                         layer,
                         options_.accumulation.empty() ? none : options_.accumulation[index(l)],
                         work_,
                         batch_,
                         std::max(1, options_.threads),
                         options_.isa};
      result.overflow[index(l)] = run_layer(run);
      if (!options_.keep_all_tensors) release(l);
    }
    result.tensors = give();
    return result;
  }

 private:
  void find_last_reads() {
    const auto layers = static_cast<std::int64_t>(network_.layers.size());
    for (std::int64_t l = 0; l < layers; ++l) {
      const IntegerLayer& layer = network_.layers[index(l)];
      std::visit([&](const auto& op) { last_read_[index(op.input)] = l; }, layer.op);
      if (layer.residual) last_read_[index(layer.residual->identity)] = l;
    }
    for (const NetworkOutput& output : network_.outputs)
      last_read_[index(output.tensor)] = kForever;
  }

  bool held(std::size_t tensor) const {
    return std::visit([](const auto& codes) { return !codes.empty(); }, work_[tensor].codes);
  }

  void allocate(std::size_t tensor) {
    if (held(tensor)) return;
    const std::size_t count = extent(network_, tensor, batch_);
    work_[tensor] = {network_.tensors[tensor].shape,
                     make_codes(network_.tensors[tensor].precision, count)};
  }

  void take(TensorCodes tensors) {
    if (tensors.size() > network_.tensors.size())
      refuse(network_, std::to_string(tensors.size()) + " tensors given, it has " +
                           std::to_string(network_.tensors.size()));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].empty()) continue;
      const StoredTensor& tensor = network_.tensors[i];
      if (tensors[i].size() != extent(network_, i, batch_))
        refuse(network_, "tensor '" + tensor.name + "' given with " +
                             std::to_string(tensors[i].size()) + " codes, expected " +
                             std::to_string(extent(network_, i, batch_)));
      allocate(i);
      const CodeRange range = tensor.precision.range();
      std::visit(
          [&](auto& codes) {
            using Code = typename std::decay_t<decltype(codes)>::value_type;
            for (std::size_t e = 0; e < codes.size(); ++e) {
              const std::int32_t code = tensors[i][e];
              if (code < range.min || code > range.max)
                refuse(network_, "tensor '" + tensor.name + "': code " + std::to_string(code) +
                                     " does not fit its precision");
              codes[e] = static_cast<Code>(code);
            }
          },
          work_[i].codes);
      tensors[i] = {};
    }
  }

  void need(TensorId id, const IntegerLayer& layer) const {
    if (!held(index(id)))
      refuse(network_, "layer '" + layer.name + "' reads tensor '" +
                           network_.tensors[index(id)].name + "', which was not given");
  }

  OverflowCounts run_layer(const LayerRun& run) const {
    if (run.layer.residual) need(run.layer.residual->identity, run.layer);
    std::visit([&](const auto& op) { need(op.input, run.layer); }, run.layer.op);
    if (const auto* gemm = std::get_if<GemmOp>(&run.layer.op)) return run_gemm(run, *gemm);
    if (const auto* pool = std::get_if<PoolOp>(&run.layer.op)) return run_pool(run, *pool);
    return run_elementwise(run, std::get<ElementwiseOp>(run.layer.op));
  }

  /// Frees what nothing reads after layer `done`.
  void release(std::int64_t done) {
    for (std::size_t i = 0; i < work_.size(); ++i)
      if (last_read_[i] <= done && held(i)) work_[i].codes = CodeArray{};
  }

  TensorCodes give() {
    TensorCodes tensors(work_.size());
    for (std::size_t i = 0; i < work_.size(); ++i) {
      std::visit([&](const auto& codes) { tensors[i].assign(codes.begin(), codes.end()); },
                 work_[i].codes);
      work_[i].codes = CodeArray{};
    }
    return tensors;
  }

  const IntegerNetwork& network_;
  const std::int64_t batch_;
  const ExecuteOptions& options_;
  const std::int64_t last_;
  std::vector<WorkTensor> work_;
  std::vector<std::int64_t> last_read_;  // layer after which a tensor is dead
};

}  // namespace

TensorCodes encode_inputs(const IntegerNetwork& network, const ImageSet& images, std::int64_t first,
                          std::int64_t count) {
  validate(network);
  if (!network.has_parameters) refuse(network, "it has no parameters");
  if (first < 0 || count < 1 || first > images.count - count)
    refuse(network, "images " + std::to_string(first) + " and " + std::to_string(count) +
                        " from there of " + std::to_string(images.count));
  TensorCodes tensors(network.tensors.size());
  for (const NetworkInput& input : network.inputs) {
    const Shape& shape = input.shape;
    if (shape != images.shape)
      refuse(network, "images of another shape than input '" + input.name + "'");
    for (const InputStore& store : input.stores) {
      auto& codes = tensors[index(store.tensor)];
      const Shape& to = network.tensors[index(store.tensor)].shape;
      codes.resize(extent(network, index(store.tensor), count));
      const std::uint8_t* pixel = images.pixels.data() + first * shape.elements();
      for (std::int64_t b = 0; b < count; ++b) {
        for (std::int64_t c = 0; c < shape.c; ++c) {
          const std::int32_t* table = store.codes.data() + c * 256;
          for (std::int64_t y = 0; y < shape.h; ++y) {
            for (std::int64_t x = 0; x < shape.w; ++x) {
              const std::int64_t block = y % store.reorg * store.reorg + x % store.reorg;
              const std::int64_t at =
                  ((b * to.h + y / store.reorg) * to.w + x / store.reorg) * to.c +
                  store.channel_offset + block * shape.c + c;
              codes[index(at)] = table[*pixel++];
            }
          }
        }
      }
    }
  }
  return tensors;
}

ExecuteResult execute(const IntegerNetwork& network, TensorCodes tensors, std::int64_t batch,
                      const ExecuteOptions& options) {
  validate(network);
  return Execution(network, batch, options).run(std::move(tensors));
}

}  // namespace bitpulse
