// SPDX-License-Identifier: Apache-2.0
#include "sim/cosim/random_case.h"

#include <initializer_list>
#include <random>
#include <tuple>
#include <utility>

#include "models/error.h"
#include "sim/cosim/random_values.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"

namespace bitpulse {
namespace {

constexpr std::uint64_t kMostCycles = 60'000;  // a case is small
constexpr int kMostDraws = 1000;

class Draw {
 public:
  Draw(std::uint64_t seed, std::int64_t number) {
    const auto case_number = static_cast<std::uint64_t>(number);
    std::seed_seq words{seed & 0xffffffffU, seed >> 32, case_number & 0xffffffffU,
                        case_number >> 32};
    engine_.seed(words);
  }
  std::uint64_t seed() { return engine_(); }
  std::uint32_t number(std::uint32_t min, std::uint32_t max) {
    return min + static_cast<std::uint32_t>(engine_() % (max - min + 1));
  }
  template <class T>
  T pick(std::initializer_list<T> values) {
    return *(values.begin() + number(0, static_cast<std::uint32_t>(values.size()) - 1));
  }

 private:
  std::mt19937_64 engine_;
};

Machine random_machine(Draw& draw) {
  using Size = std::pair<std::uint32_t, std::uint32_t>;
  Machine machine;
  machine.name = "random";
  ArraySpec& array = machine.array;
  std::tie(array.rows, array.cols) =
      draw.pick<Size>({{1, 1}, {1, 5}, {5, 1}, {3, 7}, {12, 8}, {16, 16}});
  array.dataflow = draw.pick({Dataflow::kOs, Dataflow::kWs, Dataflow::kIs});
  array.pe = draw.pick({PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused});
  array.acc_bits = static_cast<int>(draw.number(0, 2) == 0 ? 32 : draw.number(8, 32));
  array.overflow = draw.pick({Overflow::kWrap, Overflow::kSaturate});
  array.overlap = draw.number(0, 2) != 0;
  const auto kib = [&] { return draw.pick<std::uint32_t>({1, 1, 2, 4, 64}); };
  machine.buffers = {kib(), kib(), kib(), kib()};
  machine.vector.lanes = draw.number(1, 40);
  machine.vector.rounding =
      draw.pick({Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway});
  machine.dram.bytes_per_cycle = draw.number(1, 32);
  machine.dram.latency_cycles = draw.number(0, 80);
  machine.keep_on_chip = draw.number(0, 1) == 0;
  return machine;
}

/// What the case is, after it is known to be one; an empty program: it is none.
Program compile_small(const IntegerNetwork& network, const Machine& machine, std::int64_t batch) {
  try {
    CompileOptions options;
    options.batch = batch;
    Program program = compile(network, machine, options, FastEngine::timer);
    if (!program.array.empty() && FastEngine::cycles(program) <= kMostCycles) return program;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalidInput) throw;  // else no tile fits
  }
  return {};
}

std::string describe(std::int64_t number, const Program& program) {
  const ArraySpec& array = program.machine.array;
  std::string text = "random " + std::to_string(number) + ": " + to_string(array.dataflow) + ' ' +
                     to_string(array.pe) + ' ' + std::to_string(array.rows) + 'x' +
                     std::to_string(array.cols) + ", " + std::to_string(array.acc_bits) + " bits " +
                     (array.overflow == Overflow::kWrap ? "wrap" : "saturate") +
                     (array.overlap ? "" : ", no overlap") +
                     (program.kept.empty() ? "" : ", tensors kept on chip") + "; ";
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    text += (i == 0 ? "" : ", ") + program.layers[i].kind;
  }
  return text;
}

}  // namespace

RandomCase random_case(std::uint64_t seed, std::int64_t number,
                       const std::optional<Machine>& machine) {
  Draw draw(seed, number);
  for (int i = 0; i < kMostDraws; ++i) {
    const Machine chosen = machine ? *machine : random_machine(draw);
    NetworkBuilder builder = random_value_network(draw.seed());
    builder.network.rounding = chosen.vector.rounding;
    const std::int64_t batch = draw.number(1, 3);
    Program program = compile_small(builder.network, chosen, batch);
    if (program.commands.empty()) continue;
    TensorCodes inputs = builder.random_inputs(batch);
    return {describe(number, program), std::move(builder.network), std::move(inputs),
            std::move(program)};
  }
  throw Error(ErrorKind::kInvalidInput, "machine \"" + machine.value_or(Machine{}).name +
                                            "\": of " + std::to_string(kMostDraws) +
                                            " random layers none fits it within " +
                                            std::to_string(kMostCycles) + " cycles");
}

}  // namespace bitpulse
