// SPDX-License-Identifier: Apache-2.0
// An array or a requantizer that lies is found out each time, with the command it lied about.
#include <functional>
#include <utility>

#include "models/error.h"
#include "sim/cosim/cosim.h"
#include "sim/cosim/random_case.h"
#include "sim/rtl/rtl_array.h"
#include "sim/rtl/rtl_vector.h"
#include "sim/systemc/systemc_engine.h"
#include "testbench/catch.h"

namespace bitpulse {
namespace {

/// The Verilated array, whose report of one command is changed on its way out.
class LyingArray : public ArrayBackend {
 public:
  using Lie = std::function<void(ArrayOutcome&)>;
  /// victim  tells lies: the n-th command to finish
  LyingArray(std::size_t victim, Lie lie) : victim_(victim), lie_(std::move(lie)) {}

  void reset(const Program& program) override {
    array_.reset(program);
    taken_ = 0;
  }
  void submit(ArrayJob job, std::uint64_t cycle) override { array_.submit(std::move(job), cycle); }
  bool busy() const override { return array_.busy(); }
  void step() override { array_.step(); }
  std::optional<ArrayOutcome> take() override {
    std::optional<ArrayOutcome> outcome = array_.take();
    if (!outcome || taken_++ != victim_) return outcome;
    lied_about_ = outcome->id;
    if (lie_ == nullptr) return array_.take();  // as if it had never come
    lie_(*outcome);
    return outcome;
  }
  CommandId lied_about() const { return lied_about_; }

 private:
  rtl::RtlArray array_;
  std::size_t victim_, taken_ = 0;
  Lie lie_;
  CommandId lied_about_ = 0;
};

struct NamedLie {
  const char* found_as;
  LyingArray::Lie lie;
};

const NamedLie kLies[] = {
    {"sum of group", [](ArrayOutcome& o) { o.sums[o.sums.size() / 2] ^= 1; }},
    {"sum of group", [](ArrayOutcome& o) { o.sums.back() ^= 0x80; }},
    {"number of sums", [](ArrayOutcome& o) { o.sums.pop_back(); }},
    {"start", [](ArrayOutcome& o) { ++o.time.start; }},
    {"finish", [](ArrayOutcome& o) { ++o.time.finish; }},
    {"finish", [](ArrayOutcome& o) { --o.time.finish; }},
    {"overflows", [](ArrayOutcome& o) { ++o.overflows; }},
    {"unfinished", nullptr},
};

/// The Verilated lanes, whose report of one command is changed on its way out.
class LyingVector : public VectorBackend {
 public:
  using Lie = std::function<void(VectorOutcome&)>;
  LyingVector(rtl::AccumulatorMemory& memory, std::size_t victim, Lie lie)
      : vector_(memory), victim_(victim), lie_(std::move(lie)) {}

  void reset(const Program& program) override {
    vector_.reset(program);
    taken_ = 0;
  }
  std::optional<VectorOutcome> run(const VectorJob& job) override {
    std::optional<VectorOutcome> outcome = vector_.run(job);
    if (taken_++ != victim_) return outcome;
    lied_about_ = job.id;
    lie_(*outcome);
    return outcome;
  }
  std::size_t taken() const { return taken_; }
  CommandId lied_about() const { return lied_about_; }

 private:
  rtl::RtlVector vector_;
  std::size_t victim_, taken_ = 0;
  Lie lie_;
  CommandId lied_about_ = 0;
};

struct NamedVectorLie {
  const char* found_as;
  LyingVector::Lie lie;
};

const NamedVectorLie kVectorLies[] = {
    {"code for store 0", [](VectorOutcome& o) { o.stores[0][o.stores[0].size() / 2] ^= 1; }},
    {"code for store", [](VectorOutcome& o) { o.stores.back().back() ^= 1; }},
    {"number of elements", [](VectorOutcome& o) { o.stores[0].pop_back(); }},
    {"sum", [](VectorOutcome& o) { o.sums.empty() ? o.sums.push_back(0) : void(o.sums[0] ^= 1); }},
    {"cycles", [](VectorOutcome& o) { ++o.cycles; }},
    {"saturations", [](VectorOutcome& o) { ++o.saturations; }},
};

std::string contained(const std::string& text, const std::string& part) {
  return text.find(part) == std::string::npos ? text + " has no " + part : "";
}

/// A run on an engine with a liar in it diverges, as what the lie is and at the command lied about.
template <class Liar>
void check_found(const RandomCase& c, Engine& engine, const std::string& found_as,
                 const std::string& command, const Liar& liar) {
  const CosimResult result = cosimulate(c.name, c.program, c.network, c.inputs, {&engine});
  CAPTURE(c.name, found_as);
  REQUIRE(result.divergence);
  CHECK(contained(*result.divergence, found_as) == "");
  CHECK(contained(*result.divergence, command + std::to_string(liar.lied_about()) + ",") == "");
}

TEST_CASE(
    "a wrong sum, time or overflow count of any one array command is detected, and the "
    "command named",
    "[rtl][lockstep]") {
  int told = 0;
  for (int number = 0; number < 20; ++number) {
    const RandomCase c = random_case(77, number);
    const std::size_t commands = c.program.array.size();
    for (const NamedLie& lie : kLies) {
      for (const std::size_t victim : {std::size_t{0}, commands / 2, commands - 1}) {
        LyingArray liar(victim, lie.lie);
        SystemcEngine engine(&liar);
        CAPTURE(victim);
        check_found(c, engine, lie.found_as, "array command ", liar);
        ++told;
      }
    }
    LyingArray honest(commands, nullptr);  // and without a lie there is none
    SystemcEngine engine(&honest);
    REQUIRE_FALSE(cosimulate(c.name, c.program, c.network, c.inputs, {&engine}).divergence);
  }
  CHECK(told == 20 * 8 * 3);
}

TEST_CASE(
    "a wrong code, sum, cycle or saturation count of any one vector command is detected, and the "
    "command named",
    "[rtl][lockstep]") {
  int told = 0;
  for (int number = 0; number < 20; ++number) {
    const RandomCase c = random_case(78, number);
    const std::size_t commands = c.program.vector.size();
    for (const NamedVectorLie& lie : kVectorLies) {
      for (const std::size_t victim : {std::size_t{0}, commands - 1}) {
        rtl::RtlArray array;
        LyingVector liar(array.memory(), victim, lie.lie);
        SystemcEngine engine(&array, &liar);
        CAPTURE(victim);
        check_found(c, engine, lie.found_as, "vector command ", liar);
        ++told;
      }
    }
    rtl::RtlArray array;
    LyingVector honest(array.memory(), commands, nullptr);
    SystemcEngine engine(&array, &honest);
    REQUIRE_FALSE(cosimulate(c.name, c.program, c.network, c.inputs, {&engine}).divergence);
    CHECK(honest.taken() == commands);
  }
  CHECK(told == 20 * 6 * 2);
}

TEST_CASE("an array that was not built is refused by its name", "[rtl][errors]") {
  Machine machine;
  machine.array.rows = 13;
  machine.array.cols = 2;
  const RandomCase c = random_case(1, 0, machine);
  rtl::RtlArray array;
  SystemcEngine engine(&array);
  try {
    cosimulate(c.name, c.program, c.network, c.inputs, {&engine});
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    CHECK(contained(error.what(), "ws_int8_13x2") == "");
  }
}

}  // namespace
}  // namespace bitpulse
