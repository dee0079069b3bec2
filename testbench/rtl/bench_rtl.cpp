// SPDX-License-Identifier: Apache-2.0
// How fast Verilated arrays are, on one core, as one JSON document:
//   bench_rtl [SECONDS [NAME]]     CPU time spent on each figure, default 0.5; of arrays whose name
//                                  begins so
// Millions of cycles per CPU second, folds of 256 elements back to back: of the array alone, with
// the accumulator memory taking all its sums, and with a requantization of as many sums in every
// cycle as the array has columns, too. `array_of_bare` is the rate over that of an int8 array
// without formats, overflow counts and control (bare_ws.sv), both measured in turns.

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
#include "Vbare_ws_64x64.h"
#include "sim/rtl/accumulator_memory.h"
#include "sim/rtl/array_model.h"
#include "sim/rtl/vector_lanes.h"

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

/// The array with what takes its sums: accumulator memory, and lanes that requantize as many sums
/// in every cycle as the array has columns, one pass over each.
class Machine {
 public:
  Machine(const ArrayShape& shape, Format format) : stream_(shape, format), cols_(shape.cols) {
    memory_.reset(shape.cols, {false, 32});
    lanes_.reset(static_cast<std::size_t>(shape.cols));
    GemmOp gemm;
    Store store;
    store.clamp = {-128, 127};
    std::mt19937 random(3);
    for (int j = 0; j < cols_; ++j) {
      gemm.bias.push_back(static_cast<std::int32_t>(random()) >> 16);
      store.requantizer.positive.push_back({static_cast<std::int32_t>(random()) >> 1, 40});
      job_.channels.push_back(j);
    }
    layer_.op = gemm;
    layer_.stores = {store};
    job_.command = &command_;
    job_.layer = &layer_;
    job_.pixels = kStream;
  }

  void stream(int n) { stream_.step(n); }
  void accumulate(int n) {
    stream(n);
    memory_.step(stream_.outputs(),
                 SumAccess{static_cast<std::uint32_t>(n % kStream), n >= kStream, 0, cols_});
  }
  void requantize(int n) {
    accumulate(n);
    if (n % kStream != kStream - 1) return;
    sums_.clear();
    for (std::uint32_t addr = 0; addr < kStream; ++addr) {
      memory_.read(addr, words_);
      sums_.insert(sums_.end(), words_.begin(), words_.begin() + cols_);
    }
    lanes_.run(job_, *lane_passes(job_), sums_.data());
  }

 private:
  Stream stream_;
  int cols_;
  AccumulatorMemory memory_;
  VectorLanes lanes_;
  IntegerLayer layer_;
  VectorCommand command_;
  VectorJob job_;
  std::vector<std::int32_t> sums_, words_;
};

std::string name(const ArrayShape& shape) {
  return std::string("ws_") + to_string(shape.pe) + "_" + std::to_string(shape.rows) + "x" +
         std::to_string(shape.cols);
}

/// Arrays of one size, each in turns with the bare one.
void print_arrays(int size, const Step& bare, const std::vector<PeKind>& kinds, double budget,
                  const std::string& chosen) {
  for (const PeKind pe : kinds) {
    const bool fused = pe == PeKind::kFused;
    for (const int bits : fused ? std::vector<int>{8, 4, 2} : std::vector<int>{8}) {
      const ArrayShape shape{pe, false, size, size};
      if (name(shape).rfind(chosen, 0) != 0) continue;
      Machine machine(shape, {true, bits});
      const auto rate =
          rates({bare, [&](int n) { machine.stream(n); }, [&](int n) { machine.accumulate(n); },
                 [&](int n) { machine.requantize(n); }},
                budget);
      std::printf(
          "  \"%s%s\": {\"array\": %.3f, \"with_accumulators\": %.3f, \"with_requantizer\": "
          "%.3f, \"array_of_bare\": %.2f},\n",
          name(shape).c_str(), fused ? ("_at_" + std::to_string(bits) + "_bits").c_str() : "",
          rate[1] / 1e6, rate[2] / 1e6, rate[3] / 1e6, rate[1] / rate[0]);
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace bitpulse::rtl

int main(int argc, char** argv) {
  using namespace bitpulse;
  using namespace bitpulse::rtl;
  const std::vector<PeKind> kKinds{PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused};
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.5;
  const std::string chosen = argc > 2 ? argv[2] : "";
  Vbare_ws_16x16 bare16;
  Vbare_ws_32x32 bare32;
  Vbare_ws_64x64 bare64;
  const Step step16 = bare_step(bare16, 16), step32 = bare_step(bare32, 32),
             step64 = bare_step(bare64, 64);
  const auto bare = rates({step16, step32, step64}, budget);
  std::printf("{\n");
  print_arrays(16, step16, kKinds, budget, chosen);
  print_arrays(32, step32, kKinds, budget, chosen);
  print_arrays(64, step64, {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2}, budget, chosen);
  std::printf(
      "  \"bare_mega_cycles_per_s\": {\"16x16\": %.3f, \"32x32\": %.3f, \"64x64\": "
      "%.3f}\n}\n",
      bare[0] / 1e6, bare[1] / 1e6, bare[2] / 1e6);
  return 0;
}
