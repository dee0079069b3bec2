// SPDX-License-Identifier: Apache-2.0
// How fast Verilated arrays are, on one core, as one JSON document:
//   bench_rtl [SECONDS]     CPU time spent on each figure, default 0.5
// Millions of cycles and of PE updates per CPU second, folds of 256 elements back to back.
// `of_bare` is the rate over that of an int8 array without formats, overflow counts and control
// (bare_ws.sv), both measured in turns.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "Vbare_ws_16x16.h"
#include "Vbare_ws_32x32.h"
#include "Vrequantizer_16.h"
#include "sim/rtl/accumulator_memory.h"
#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {
namespace {

constexpr int kStream = 256;
using Step = std::function<void(int)>;  // of the n-th cycle

template <class Model>
void edge(Model& model) {
  model.clk_i = 1;
  model.eval();
  model.clk_i = 0;
  model.eval();
}

template <class Port>
void fill(Port& port, std::mt19937& random) {
  auto* bytes = reinterpret_cast<unsigned char*>(&port);
  for (std::size_t n = 0; n < sizeof port; ++n) bytes[n] = static_cast<unsigned char>(random());
}

/// Most cycles per CPU second of each, in turns of about 20 ms.
std::vector<double> rates(const std::vector<Step>& steps, double budget) {
  std::vector<double> best(steps.size()), spent(steps.size());
  std::vector<int> cycles(steps.size(), kStream);
  while (*std::min_element(spent.begin(), spent.end()) < budget) {
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const std::clock_t start = std::clock();
      for (int n = 0; n < cycles[s]; ++n) steps[s](n);
      const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      spent[s] += seconds;
      if (seconds < 0.02) {
        cycles[s] *= 2;
      } else {
        best[s] = std::max(best[s], cycles[s] / seconds);
      }
    }
  }
  return best;
}

template <class Model>
Step bare_step(Model& model, int rows) {
  std::mt19937 random(1);
  fill(model.act_i, random);
  fill(model.weight_i, random);
  return [&model, rows](int n) {
    model.swap_i = n % kStream == 0;
    model.load_i = n % kStream >= kStream - rows;
    edge(model);
  };
}

/// Preload and stream of folds that fill the array, all operands in `format`.
class Stream {
 public:
  explicit Stream(const ArrayShape& shape, Format format)
      : model_(make_array_model(shape)), format_(format) {
    std::mt19937 random(2);
    for (std::size_t n = 0; n < shape.act_words(); ++n)
      acts_.push_back(static_cast<std::uint32_t>(random()));
    for (std::size_t n = 0; n < shape.weight_words(); ++n)
      weights_.push_back(static_cast<std::uint32_t>(random()));
    model_->set_format({false, 32});
  }
  void step(int n) {
    const int t = n % kStream, row = kStream - 1 - t;
    WeightCtrl weight{row < model_->shape().rows, 0, format_};
    if (weight.valid) weight.count = row;
    model_->step(
        {ActCtrl{true, t == 0, 0, format_}.pack(), weight.pack(), acts_.data(), weights_.data()});
  }
  const EdgeOutputs& outputs() const { return model_->outputs(); }

 private:
  std::unique_ptr<ArrayModel> model_;
  Format format_;
  std::vector<std::uint32_t> acts_, weights_;
};

std::string name(const ArrayShape& shape) {
  return std::string("ws_") + to_string(shape.pe) + "_" + std::to_string(shape.rows) + "x" +
         std::to_string(shape.cols);
}

void print(const std::string& what, double rate, double pes, double bare) {
  std::printf(
      "  \"%s\": {\"mega_cycles_per_s\": %.3f, \"mega_pe_updates_per_s\": %.0f, "
      "\"of_bare\": %.2f},\n",
      what.c_str(), rate / 1e6, rate * pes / 1e6, rate / bare);
}

/// Arrays of one size, each in turns with the bare one.
void print_arrays(int size, const Step& bare, const std::vector<PeKind>& kinds, double budget) {
  const double pes = static_cast<double>(size) * size;
  for (const PeKind pe : kinds) {
    const bool fused = pe == PeKind::kFused;
    for (const int bits : fused ? std::vector<int>{8, 4, 2} : std::vector<int>{8}) {
      const ArrayShape shape{pe, false, size, size};
      Stream stream(shape, {true, bits});
      const auto rate = rates({bare, [&](int n) { stream.step(n); }}, budget);
      print(name(shape) + (fused ? "_at_" + std::to_string(bits) + "_bits" : ""), rate[1], pes,
            rate[0]);
    }
  }
}

/// A 16x16 int8 array, then with the accumulator memory taking all its sums, then with a
/// requantization of 16 sums in every cycle, too.
void print_machine(const Step& bare, double budget) {
  const ArrayShape shape{PeKind::kInt8, false, 16, 16};
  Stream stream(shape, {true, 8});
  std::mt19937 random(3);
  AccumulatorMemory memory;
  memory.reset(16, {false, 32});
  std::vector<std::int32_t> words(16);
  const auto requantizer = std::make_unique<Vrequantizer_16>();
  requantizer->rst_ni = 1;
  requantizer->valid_i = 1;
  requantizer->min_i = static_cast<IData>(-128);
  requantizer->max_i = 127;
  fill(requantizer->m_i, random);
  for (std::size_t n = 0; n < 4; ++n) requantizer->shift_i[n] = 0x20202020;
  const Step with_bank = [&](int n) {
    stream.step(n);
    memory.step(stream.outputs(),
                SumAccess{static_cast<std::uint32_t>(n % kStream), n >= kStream, 0, 16});
  };
  const Step with_all = [&](int n) {
    with_bank(n);
    memory.read(static_cast<std::uint32_t>(n % kStream), words);
    std::memcpy(&requantizer->value_i, words.data(), sizeof requantizer->value_i);
    edge(*requantizer);
  };
  const auto rate = rates({bare, with_bank, with_all}, budget);
  print(name(shape) + "_with_accumulators", rate[1], 256, rate[0]);
  print(name(shape) + "_with_accumulators_and_requantizer", rate[2], 256, rate[0]);
}

}  // namespace
}  // namespace bitpulse::rtl

int main(int argc, char** argv) {
  using namespace bitpulse;
  using namespace bitpulse::rtl;
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.5;
  Vbare_ws_16x16 bare16;
  Vbare_ws_32x32 bare32;
  const Step step16 = bare_step(bare16, 16), step32 = bare_step(bare32, 32);
  const auto bare = rates({step16, step32}, budget);
  std::printf("{\n");
  print_arrays(16, step16, {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused}, budget);
  print_machine(step16, budget);
  print_arrays(32, step32, {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2}, budget);
  std::printf("  \"bare_mega_cycles_per_s\": {\"16x16\": %.3f, \"32x32\": %.3f}\n}\n",
              bare[0] / 1e6, bare[1] / 1e6);
  return 0;
}
