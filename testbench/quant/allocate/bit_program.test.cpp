// SPDX-License-Identifier: Apache-2.0
#include "quant/allocate/bit_program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "testbench/catch.h"
#include "testbench/models/errors.h"

namespace bitpulse {
namespace {

constexpr std::size_t kWidths = 3;  // 2, 4, 8 bits
constexpr double kNone = std::numeric_limits<double>::infinity();

/// Numbers of the standard's generator, whose bits are the same everywhere; distributions' are not.
class Random {
 public:
  explicit Random(std::uint32_t seed) : generator_(seed) {}
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(generator_() % static_cast<std::uint32_t>(high - low + 1));
  }
  double unit() { return static_cast<double>(generator_()) / 4294967296.0; }

 private:
  std::mt19937 generator_;
};

double least_use(const Resource& resource, std::size_t layers, std::size_t option) {
  return used(resource, BitChoice(layers, option));
}

/// A chain of layers, each cost by its own and its successor's width; wider costs more and loses
/// less, over a thousandfold range of traces. Costs are whole numbers.
BitProgram chain(std::size_t layers, std::size_t resources, double fraction, Random& random) {
  BitProgram program;
  for (std::size_t l = 0; l < layers; ++l) {
    const double trace = std::pow(10, -3 * random.unit());
    program.loss.push_back({25 * trace, 1.3 * trace, 0.005 * trace});
  }
  for (std::size_t r = 0; r < resources; ++r) {
    Resource resource;
    resource.name = "resource " + std::to_string(r);
    resource.constant = static_cast<double>(random.integer(0, 9));
    for (std::size_t l = 0; l < layers; ++l) {
      const std::int64_t scale = random.integer(5, 40);
      std::vector<double>& cost = resource.cost.emplace_back();
      for (const int bits : {2, 4, 8}) cost.push_back(static_cast<double>(scale * bits));
      if (l + 1 == layers) break;
      PairCost pair{l, l + 1, {}};
      for (std::size_t own = 0; own < kWidths; ++own) {
        std::vector<double>& row = pair.cost.emplace_back();
        for (const int next : {2, 4, 8})
          row.push_back(static_cast<double>(next * 3 + random.integer(0, 20)));
      }
      resource.pairs.push_back(pair);
    }
    const double low = least_use(resource, layers, 0);
    resource.limit = std::floor(low + fraction * (least_use(resource, layers, 2) - low));
    program.resources.push_back(resource);
  }
  return program;
}

/// The least loss of all choices, by trying each.
double least_of_all(const BitProgram& program) {
  double best = kNone;
  BitChoice choice(program.loss.size(), 0);
  for (;;) {
    if (feasible(program, choice)) best = std::min(best, loss_of(program, choice));
    std::size_t l = 0;
    while (l < choice.size() && ++choice[l] == program.loss[l].size()) choice[l++] = 0;
    if (l == choice.size()) return best;
  }
}

/// The least loss of a chain with one resource: by width of the last layer and use so far.
double least_of_chain(const BitProgram& program) {
  const Resource& resource = program.resources.front();
  const auto limit = static_cast<std::size_t>(resource.limit - resource.constant);
  using Row = std::vector<double>;
  std::vector<Row> least(kWidths, Row(limit + 1, kNone));
  const auto at = [](double cost) { return static_cast<std::size_t>(cost); };
  for (std::size_t w = 0; w < kWidths; ++w) {
    if (at(resource.cost[0][w]) <= limit) least[w][at(resource.cost[0][w])] = program.loss[0][w];
  }
  for (std::size_t l = 0; l + 1 < program.loss.size(); ++l) {
    std::vector<Row> after(kWidths, Row(limit + 1, kNone));
    for (std::size_t own = 0; own < kWidths; ++own) {
      for (std::size_t next = 0; next < kWidths; ++next) {
        const std::size_t cost = at(resource.pairs[l].cost[own][next] + resource.cost[l + 1][next]);
        for (std::size_t spent = 0; spent + cost <= limit; ++spent)
          after[next][spent + cost] =
              std::min(after[next][spent + cost], least[own][spent] + program.loss[l + 1][next]);
      }
    }
    least = after;
  }
  double best = kNone;
  for (const Row& row : least) best = std::min(best, *std::min_element(row.begin(), row.end()));
  return best;
}

}  // namespace

TEST_CASE("the choice is the best of all choices", "[quant][allocate]") {
  const int seed = GENERATE(range(0, 40));
  Random random(static_cast<std::uint32_t>(seed));
  const auto layers = static_cast<std::size_t>(random.integer(1, 7));
  const auto resources = static_cast<std::size_t>(random.integer(1, 3));
  BitProgram program = chain(layers, resources, random.unit(), random);
  if (layers >= 4 && random.integer(0, 1) == 1) program.ties = {{1, 3}};
  CAPTURE(seed, layers, resources);
  const double best = least_of_all(program);
  if (best == kNone) {
    CHECK_REFUSED(solve(program), ErrorKind::kInvalidInput, "bit allocation: found");
    return;
  }
  const BitChoice choice = solve(program);
  CHECK(feasible(program, choice));
  CHECK(loss_of(program, choice) == Approx(best).epsilon(1e-12));
}

TEST_CASE("52 layers with costs by pairs are solved exactly", "[quant][allocate]") {
  const double fraction = GENERATE(0.1, 0.3, 0.5, 0.7, 0.9);
  const int seed = GENERATE(range(0, 4));
  Random random(static_cast<std::uint32_t>(seed));
  const BitProgram program = chain(52, 1, fraction, random);
  CAPTURE(fraction, seed);
  const auto start = std::chrono::steady_clock::now();
  const BitChoice choice = solve(program);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (seed == 0) WARN("52 layers, " << fraction << " of the range: " << taken.count() << " s");
  CHECK(feasible(program, choice));
  CHECK(loss_of(program, choice) == Approx(least_of_chain(program)).epsilon(1e-12));
  CHECK(solve(program) == choice);
}

TEST_CASE("no random choice within two limits is better", "[quant][allocate]") {
  Random random(7);
  const BitProgram program = chain(52, 2, 0.5, random);
  const BitChoice choice = solve(program);
  CHECK(feasible(program, choice));
  const double best = loss_of(program, choice);
  int tried = 0;
  BitChoice other(52);
  while (tried < 100'000) {
    const std::int64_t wide = random.integer(20, 70);  // per cent of layers
    for (std::size_t& o : other)
      o = random.integer(0, 99) < wide ? 2 : static_cast<std::size_t>(random.integer(0, 1));
    if (!feasible(program, other)) continue;
    ++tried;
    if (loss_of(program, other) < best) FAIL("a random choice is better");
  }
}

TEST_CASE("losses many orders apart all count", "[quant][allocate]") {
  BitProgram program;
  program.loss = {{1e3, 1e-9}, {3e-9, 1e-9}, {2e-9, 1e-9}};
  Resource size;
  size.name = "size", size.limit = 5, size.cost = {{1, 2}, {1, 2}, {1, 2}};
  program.resources = {size};
  CHECK(solve(program) == BitChoice{1, 1, 0});
}

TEST_CASE("an impossible limit is refused with the smallest possible", "[quant][allocate]") {
  BitProgram program;
  program.loss = {{5, 1}, {5, 1}};
  Resource size;
  size.name = "size", size.unit = "MiB", size.constant = 0.5, size.limit = 2.25;
  size.cost = {{1, 2}, {1, 2}};
  program.resources = {size};
  CHECK_REFUSED(solve(program), ErrorKind::kInvalidInput, "size", "2.25", "at least 2.5");
  program.resources[0].limit = 2.5;
  CHECK(solve(program) == BitChoice{0, 0});
}

TEST_CASE("limits that contradict each other are refused with what each would have to be",
          "[quant][allocate]") {
  BitProgram program;  // the narrow option is small and slow
  program.loss = {{5, 1}};
  Resource size, latency;
  size.name = "size", size.limit = 1, size.cost = {{1, 2}};
  latency.name = "latency", latency.limit = 1, latency.cost = {{2, 1}};
  size.unit = "MiB", latency.unit = "ms";
  program.resources = {size, latency};
  CHECK_REFUSED(solve(program), ErrorKind::kInvalidInput, "not all at once",
                "at least 2 MiB of size, or 2 ms of latency");
  CHECK(least(program, 0) == 2);  // its own limit does not count
  program.resources[1].limit = 2;
  CHECK(solve(program) == BitChoice{0});
  CHECK(least(program, 1) == 2);
}

}  // namespace bitpulse
