// SPDX-License-Identifier: Apache-2.0

// Arrays that write waves, built on demand.

#include <fstream>
#include <sstream>

#include "sim/rtl/array_plugin.h"
#include "sim/rtl/array_store.h"
#include "sim/rtl/process.h"
#include "testbench/catch.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse::rtl {
namespace {

void require_verilator() {
  if (output_of({"verilator", "--version"})) return;
  std::cout << "SKIPPED: no verilator\n";
  std::exit(4);
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// One product of 3 * 5 on a 1x2 array: the sum stands in column 0 after one step.
void multiply(ArrayModel& model) {
  const std::uint32_t act = 3, weights = 5, none = 0;
  model.step({0, WeightCtrl{true, 0, {true, 8}}.pack(), &none, &weights});
  model.step({ActCtrl{true, true, 0, {true, 8}}.pack(), 0, &act, &none});
  REQUIRE(model.outputs().psum.front() == 15);
}

/// Times of a VCD file at which something changes, in picoseconds.
std::vector<std::uint64_t> times(const std::string& vcd) {
  std::istringstream stream(vcd);
  std::vector<std::uint64_t> all;
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind('#', 0) == 0) all.push_back(std::stoull(line.substr(1)));
  }
  return all;
}

TEST_CASE("waves show each cycle at its nanosecond, from any cycle on", "[rtl][waves]") {
  require_verilator();
  const TemporaryFolder folder;
  const ArrayStore store(folder / "cache");
  const ArrayRecipe recipe{{PeKind::kInt8, false, 1, 2, true}, Trace::kVcd, true, {}};
  std::vector<std::string> said;
  const auto say = [&](const std::string& text) { said.push_back(text); };
  const BuildResult built = store.build(recipe, say);
  CHECK(said == std::vector<std::string>{"verilating ws_int8_1x2_structural_vcd",
                                         "compiling ws_int8_1x2_structural_vcd"});
  CHECK_FALSE(store.find("", recipe.shape, Trace::kNone));
  REQUIRE(store.find("", recipe.shape, Trace::kVcd));

  const auto model = load_array(built.array.library(), recipe.shape);
  CHECK(model->trace() == Trace::kVcd);
  CHECK_FALSE(model->open_trace(folder / "no/such/folder.vcd", 0));
  multiply(*model);  // unseen
  REQUIRE(model->open_trace(folder / "late.vcd", 7'000));
  multiply(*model);
  REQUIRE(model->open_trace(folder / "early.vcd", 20));  // an earlier time than in the file before
  multiply(*model);
  model->close_trace();
  multiply(*model);

  const std::string late = content_of(folder / "late.vcd");
  CHECK(times(late) == std::vector<std::uint64_t>{7'000'000, 7'000'500, 7'001'000, 7'001'500});
  CHECK(late.find("$timescale 1ps $end") != std::string::npos);
  for (const char* name : {" psum_o ", " u_pe ", "weight_q "}) {
    CHECK(late.find(name) != std::string::npos);
  }
  CHECK(late.find("b1111 ") > late.find("#7001500"));  // 3 * 5, in the low column of psum_o
  CHECK(times(content_of(folder / "early.vcd")).front() == 20'000);
}

TEST_CASE("an array built for FST waves writes them", "[rtl][waves]") {
  require_verilator();
  const TemporaryFolder folder;
  const ArrayStore store(folder / "cache");
  const ArrayRecipe recipe{{PeKind::kInt2, true, 1, 1}, Trace::kFst, true, {}};
  const BuildResult built = store.build(recipe, [](const std::string&) {});
  const auto traced = load_array(built.array.library(), recipe.shape);
  REQUIRE(traced->open_trace(folder / "waves.fst", 0));
  const std::uint32_t none = 0;
  for (int n = 0; n < 100; ++n) traced->step({0, 0, &none, &none});
  traced->close_trace();
  CHECK(content_of(folder / "waves.fst").size() > 300);  // FST's header alone has 330 bytes
}

}  // namespace
}  // namespace bitpulse::rtl
