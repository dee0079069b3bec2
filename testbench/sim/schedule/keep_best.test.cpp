// SPDX-License-Identifier: Apache-2.0
// That the tensors kept on chip are the best of all sets of them, and what follows from that: a
// machine with more of something is never slower.

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "models/error.h"
#include "quant/integer/network_builder.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "sim/schedule/layer_plan.h"
#include "sim/schedule/search.h"
#include "testbench/catch.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

/// Up to `most` layers over images of one shape, that read and add any tensors before them.
IntegerNetwork entangled_network(RandomSource& random, std::int64_t most) {
  NetworkBuilder b(static_cast<std::uint64_t>(random.number(1, 1 << 30)));
  const Shape shape{random.pick({4, 12, 16}), random.number(3, 8), random.number(3, 8)};
  std::vector<TensorId> tensors{b.input(shape, {8, true})};
  const auto any = [&] {
    const auto last = static_cast<std::int64_t>(tensors.size()) - 1;
    return tensors[static_cast<std::size_t>(
        random.number(std::max<std::int64_t>(0, last - 3), last))];
  };
  for (std::int64_t layers = random.number(2, most); layers > 0; --layers) {
    Window window;
    if (random.one_in(2)) {
      window.kernel_h = window.kernel_w = 3;
      window.pad_top = window.pad_bottom = window.pad_left = window.pad_right = 1;
    }
    b.conv(any(), shape.c, window, 1, {8});
    if (random.one_in(2)) b.residual(Residual::Kind::kStream16, any(), 1, 0, {8, true});
    tensors.push_back(b.store_new({8, true}, {}));
    if (random.one_in(3))
      tensors.push_back(b.store_new({random.pick<std::uint8_t>({2, 16}), true}, {}));
  }
  b.output(tensors.back());
  return b.network;
}

/// One that has to choose: a few tensors fit.
Machine tight_machine(RandomSource& random) {
  Machine machine = random_machine(random);
  machine.buffers = {static_cast<std::uint32_t>(random.number(1, 3)), 4, 2, 4};
  machine.array.overlap = random.one_in(2);
  machine.keep_on_chip = true;
  return machine;
}

struct Cost {
  std::uint64_t cycles = 0, dram_bytes = 0;
  std::size_t tensors = 0;
  friend bool operator<(const Cost& a, const Cost& b) {
    return std::tie(a.cycles, a.dram_bytes, a.tensors) <
           std::tie(b.cycles, b.dram_bytes, b.tensors);
  }
};

/// Of the compiled program; none: no tile fits.
std::optional<Cost> cost_of(const IntegerNetwork& network, const Machine& machine) {
  try {
    const Program program = compile(network, machine, {}, FastEngine::timer);
    Cost cost{FastEngine::cycles(program), 0, program.kept.size()};
    for (const DmaCommand& dma : program.dma) cost.dram_bytes += dma.on_chip ? 0 : dma.bytes;
    return cost;
  } catch (const Error& error) {
    REQUIRE(error.kind() == ErrorKind::kInvalidInput);
    return std::nullopt;
  }
}

/// All sets of tensors of a network whose first input is its only one, each layer's every question
/// asked of a search that knows nothing.
class AllSets {
 public:
  AllSets(const IntegerNetwork& network, const Machine& machine)
      : network_(network), machine_(machine) {
    const auto last = static_cast<std::uint32_t>(network.layers.size() - 1);
    for (std::size_t t = 1; t < network.tensors.size(); ++t) {
      if (network.outputs.front().tensor == static_cast<TensorId>(t)) continue;
      KeptTensor tensor;
      tensor.tensor = static_cast<TensorId>(t);
      bool is_read = false;
      for (std::uint32_t l = 0; l <= last; ++l) {
        for (const Store& store : network.layers[l].stores) {
          if (store.tensor == tensor.tensor) tensor.first_layer = l;
        }
        if (!reads(l, tensor.tensor)) continue;
        is_read = true;
        tensor.last_layer = l;
      }
      const Shape& shape = network.tensors[t].shape;
      const auto bits = static_cast<std::uint64_t>(shape.c * network.tensors[t].precision.bits);
      const auto pixels = static_cast<std::uint64_t>(shape.h * shape.w);
      tensor.bits = ((bits + 7) / 8 * pixels + 63) / 64 * 512;
      if (is_read) tensors_.push_back(tensor);
    }
  }

  std::size_t tensors() const { return tensors_.size(); }

  Cost best() {
    Cost best;
    best.cycles = ~std::uint64_t{0};
    for (std::uint32_t set = 0; set < 1u << tensors_.size(); ++set) {
      const std::optional<Cost> cost = cost_of_set(set);
      if (cost && *cost < best) best = *cost;
    }
    return best;
  }

 private:
  bool reads(std::uint32_t l, TensorId id) const {
    const IntegerLayer& layer = network_.layers[l];
    return std::get<GemmOp>(layer.op).input == id ||
           (layer.residual && layer.residual->identity == id);
  }

  std::optional<Cost> cost_of_set(std::uint32_t set) {
    std::vector<KeptTensor> kept;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (set >> i & 1) kept.push_back(tensors_[i]);
    }
    std::stable_sort(kept.begin(), kept.end(), [](const KeptTensor& a, const KeptTensor& b) {
      return std::tuple(a.first_layer, ~a.last_layer) < std::tuple(b.first_layer, ~b.last_layer);
    });
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const auto is_taken = [&](const KeptTensor& other) {
        return other.last_layer >= kept[i].first_layer && other.act_bit < kept[i].end() &&
               kept[i].act_bit < other.end();
      };
      const auto end = kept.begin() + static_cast<std::ptrdiff_t>(i);
      while (std::any_of(kept.begin(), end, is_taken)) kept[i].act_bit += 512;
      if (kept[i].end() > std::uint64_t{machine_.buffers.act_kib} * 8192) return std::nullopt;
    }
    Cost sum;
    sum.tensors = kept.size();
    for (std::uint32_t l = 0; l < network_.layers.size(); ++l) {
      const std::optional<Cost> cost = cost_of_layer(l, kept);
      if (!cost) return std::nullopt;
      sum.cycles += cost->cycles;
      sum.dram_bytes += cost->dram_bytes;
    }
    return sum;
  }

  std::optional<Cost> cost_of_layer(std::uint32_t l, const std::vector<KeptTensor>& kept) {
    const IntegerLayer& layer = network_.layers[l];
    const auto is_kept = [&](TensorId id) {
      return std::any_of(kept.begin(), kept.end(),
                         [&](const KeptTensor& tensor) { return tensor.tensor == id; });
    };
    LayerShape shape = layer_shape(network_, layer, 1);
    LayerAddresses addresses;
    addresses.stores.resize(layer.stores.size());
    addresses.act_slots = kept_bits(kept, l);
    shape.in_kept = is_kept(std::get<GemmOp>(layer.op).input);
    shape.identity.kept = layer.residual && is_kept(layer.residual->identity);
    std::tuple question(l, addresses.act_slots, shape.in_kept, shape.identity.kept,
                        std::vector<bool>{});
    for (std::size_t s = 0; s < layer.stores.size(); ++s) {
      shape.stores[s].kept = is_kept(layer.stores[s].tensor);
      std::get<4>(question).push_back(shape.stores[s].kept);
    }
    const auto [answer, is_new] = answers_.try_emplace(question);
    if (!is_new) return answer->second;
    const auto timer = FastEngine::timer(machine_);
    LayerPlan plan = make_plan(layer, shape, machine_.array);
    const auto choice = TilingSearch(machine_, *timer).try_choose(layer, shape, plan, addresses);
    if (choice) answer->second = Cost{choice->cycles, choice->dram_bytes, 0};
    return answer->second;
  }

  const IntegerNetwork& network_;
  const Machine& machine_;
  std::vector<KeptTensor> tensors_;
  std::map<std::tuple<std::uint32_t, std::uint64_t, bool, bool, std::vector<bool>>,
           std::optional<Cost>>
      answers_;
};

/// Calls body(random, network, machine, cost) for each of `seeds` tight machines that networks of
/// up to `most` layers fit.
template <class Body>
void for_tight_machines(std::uint64_t seeds, std::int64_t most, Body&& body) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    RandomSource random(seed);
    const Machine machine = tight_machine(random);
    const IntegerNetwork network = entangled_network(random, most);
    CAPTURE(seed);
    if (const std::optional<Cost> cost = cost_of(network, machine)) {
      body(random, network, machine, *cost);
    }
  }
}

TEST_CASE("no other set of tensors would be faster, or as fast with less traffic",
          "[schedule][keep][differential]") {
  int compared = 0, left_out = 0;
  for_tight_machines(
      200, 6,
      [&](RandomSource&, const IntegerNetwork& network, const Machine& machine, const Cost& found) {
        AllSets all(network, machine);
        const Cost best = all.best();
        CHECK(found.cycles == best.cycles);
        CHECK(found.dram_bytes == best.dram_bytes);
        CHECK(found.tensors == best.tensors);
        ++compared;
        left_out += 0 < best.tensors && best.tensors < all.tensors() ? 1 : 0;
      });
  CHECK(compared > 150);
  CHECK(left_out > 20);
}

TEST_CASE("tensors kept on chip or not, more of a machine never costs cycles",
          "[schedule][keep][metamorphic]") {
  int compared = 0, faster = 0, keeping = 0;
  for_tight_machines(
      250, 8,
      [&](RandomSource& random, const IntegerNetwork& network, const Machine& machine,
          const Cost& poor) {
        keeping += poor.tensors > 0 ? 1 : 0;
        Machine wider = machine, sooner = machine, bigger = machine;
        wider.dram.bytes_per_cycle += static_cast<std::uint32_t>(random.number(1, 24));
        sooner.dram.latency_cycles /= 2;
        bigger.buffers.act_kib += static_cast<std::uint32_t>(random.number(1, 4));
        for (const Machine& rich : {wider, sooner, bigger}) {
          // Without overlap what fits into the buffers binds a layer's folds.
          if (rich.buffers.act_kib != machine.buffers.act_kib && !machine.array.overlap) continue;
          const std::optional<Cost> cost = cost_of(network, rich);
          CAPTURE(rich.array.overlap, rich.dram.bytes_per_cycle, rich.dram.latency_cycles,
                  rich.buffers.act_kib);
          REQUIRE(cost);
          CHECK(cost->cycles <= poor.cycles);
          ++compared;
          faster += cost->cycles < poor.cycles ? 1 : 0;
        }
      });
  CHECK(compared > 500);
  CHECK(faster > 350);
  CHECK(keeping > 150);
}

/// Layer i adds the tensor that identity_of(i) says; all tensors have 256 bytes.
template <class IdentityOf>
IntegerNetwork adding_network(int layers, IdentityOf identity_of) {
  NetworkBuilder b(1);
  std::vector<TensorId> tensors{b.input({4, 8, 8}, {8, true})};
  for (int i = 0; i < layers; ++i) {
    b.conv(tensors.back(), 4, Window{}, 1, {8});
    const int identity = identity_of(i);
    if (identity > 0) {
      b.residual(Residual::Kind::kStream16, tensors[static_cast<std::size_t>(identity)], 1, 0,
                 {8, true});
    }
    tensors.push_back(b.store_new({8, true}, {}));
  }
  b.output(tensors.back());
  return b.network;
}

TEST_CASE("more tensors than can be weighed against one another are kept without harm",
          "[schedule][keep]") {
  RandomSource random(1);
  Machine machine = tight_machine(random);
  machine.array.overlap = false;  // no bound tells which ways are worth a try
  IntegerNetwork network;
  SECTION("fourteen at once") {
    machine.buffers.act_kib = 3;
    network = adding_network(28, [](int i) { return i < 14 ? 0 : 28 - i; });
  }
  SECTION("six at once, at thousands of places") {
    machine.buffers.act_kib = 2;
    network = adding_network(40, [](int i) { return i - 4; });
  }
  machine.keep_on_chip = false;
  const std::optional<Cost> plain = cost_of(network, machine);
  machine.keep_on_chip = true;
  const std::optional<Cost> keeping = cost_of(network, machine);
  REQUIRE(plain);
  REQUIRE(keeping);
  CHECK(keeping->tensors > 14);
  CHECK(keeping->cycles < plain->cycles);
}

}  // namespace
}  // namespace bitpulse
