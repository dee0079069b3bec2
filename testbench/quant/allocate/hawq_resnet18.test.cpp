// SPDX-License-Identifier: Apache-2.0

// The nine ResNet-18 bit configurations that HAWQ-V3's authors publish (Yao et al., ICML 2021; the
// tables are those of their MIT-licensed notebook), 4 or 8 bits for each of 19 layers: sensitivity
// is trace * perturbation, limits are interpolated between the costs of all-4 and all-8, and each
// downsample convolution is tied to the first convolution of its block.

#include <array>
#include <string>

#include "quant/allocate/bit_program.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

constexpr std::size_t kLayers = 19;
using Column = std::array<double, kLayers>;

constexpr Column kTrace{.06857826, .03162379, .03298575, .01205663, .02222431, .00596336, .06931772,
                        .00807129, .00372905, .00530698, .00209011, .00737569, .00210454, .00151197,
                        .00158041, .00078146, .00451841, .00098745, .00072944};
constexpr Column kError8{.0235, .0125, .0102, .0082, .0145, .0344, .0023, .0287, .0148, .0333,
                         .0682, .0027, .0448, .0336, .0576, .1130, .0102, .0947, .0532};
constexpr Column kError4{6.7430,  3.9691,  3.3281,  2.6796,  4.7277, 10.5966, .6827,
                         9.0942,  4.8857,  10.7599, 21.7546, .8603,  14.5324, 10.9651,
                         18.7706, 36.4044, 3.1572,  29.6994, 17.4016};
constexpr Column kParameters{36864,   36864,   36864,  36864,   73728,  147456, 8192,
                             147456,  147456,  294912, 589824,  32768,  589824, 589824,
                             1179648, 2359296, 131072, 2359296, 2359296};
constexpr Column kMacs{115605504, 115605504, 115605504, 115605504, 57802752, 115605504, 6422528,
                       115605504, 115605504, 57802752,  115605504, 6422528,  115605504, 115605504,
                       57802752,  115605504, 6422528,   115605504, 115605504};
constexpr Column kLatency4{.21094404, .21092674, .21104113, .21086851, .13642465,
                           .19167506, .02532183, .19148203, .19142914, .11395316,
                           .20556011, .01917474, .20566918, .20566509, .13185102,
                           .22287786, .01790088, .22304611, .22286099};
constexpr Column kLatency8{.36189111, .36211718, .31141909, .30454471, .19184896,
                           .38948934, .0334169,  .38904905, .3892859,  .19134735,
                           .34307431, .02802354, .34313329, .34310756, .21117103,
                           .37376585, .02896843, .37398187, .37405185};

struct Costs {
  Column at4, at8;
};
Costs costs(const std::string& kind) {
  if (kind == "latency") return {kLatency4, kLatency8};
  Costs costs{};
  for (std::size_t l = 0; l < kLayers; ++l) {
    const bool is_size = kind == "size";
    costs.at4[l] = is_size ? 4 * kParameters[l] : 16 * kMacs[l];
    costs.at8[l] = is_size ? 8 * kParameters[l] : 64 * kMacs[l];
  }
  return costs;
}

BitProgram resnet18(const std::string& kind, double fraction) {
  BitProgram program;
  program.ties = {{4, 6}, {9, 11}, {14, 16}};
  const Costs cost = costs(kind);
  Resource resource;
  resource.name = kind;
  double low = 0, high = 0;
  for (std::size_t l = 0; l < kLayers; ++l) {
    program.loss.push_back({kTrace[l] * kError4[l], kTrace[l] * kError8[l]});
    resource.cost.push_back({cost.at4[l], cost.at8[l]});
    low += cost.at4[l];
    high += cost.at8[l];
  }
  resource.limit = low + fraction * (high - low);
  program.resources.push_back(resource);
  return program;
}

}  // namespace

TEST_CASE("the nine published bit configurations of ResNet-18 come out", "[quant][allocate]") {
  struct Row {
    const char* kind;
    double fraction;
    const char* bits;
    double loss;
  };
  const Row row = GENERATE(values<Row>({{"size", 0.75, "8888888888888488884", 0.03344},
                                        {"size", 0.50, "8888888888888884844", 0.07451},
                                        {"size", 0.25, "8888888888888844444", 0.11830},
                                        {"bops", 0.75, "8888888848888484884", 0.07996},
                                        {"bops", 0.50, "8884888848884444444", 0.21569},
                                        {"bops", 0.25, "8884848444444444444", 0.46042},
                                        {"latency", 0.75, "8888888848888484884", 0.07996},
                                        {"latency", 0.50, "8888848848884484844", 0.20267},
                                        {"latency", 0.25, "8884848444444444444", 0.46042},
                                        {"size", 1, "8888888888888888888", 0.004258},
                                        {"bops", 1, "8888888888888888888", 0.004258},
                                        {"latency", 1, "8888888888888888888", 0.004258},
                                        {"size", 0, "4444444444444444444", 1.307713},
                                        {"bops", 0, "4444444444444444444", 1.307713},
                                        {"latency", 0, "4444444444444444444", 1.307713}}));
  CAPTURE(row.kind, row.fraction);
  const BitProgram program = resnet18(row.kind, row.fraction);
  const BitChoice choice = solve(program);
  std::string bits;
  for (const std::size_t option : choice) bits += option == 1 ? '8' : '4';
  CHECK(bits == row.bits);
  CHECK(loss_of(program, choice) == Approx(row.loss).margin(1e-5));
  CHECK(feasible(program, choice));
}

}  // namespace bitpulse
