// SPDX-License-Identifier: Apache-2.0
// The accumulator bank against plain sums: skewed control, digit shifts, replace and add,
// back-to-back accesses to one word, overflows, reads in between.

#include <deque>
#include <map>
#include <random>
#include <vector>

#include "Vacc_bank.h"
#include "testbench/catch.h"
#include "testbench/rtl/reference.h"

namespace bitpulse::rtl {
namespace {

constexpr int kCols = 5, kAddrBits = 4;

class Bank {
 public:
  Bank() { reset(); }

  void reset() {
    model_.rst_ni = 1;
    model_.clk_i = 0;
    model_.eval();
    model_.rst_ni = 0;
    model_.eval();
    model_.rst_ni = 1;
    model_.eval();
  }
  void set_format(AccFormat format) { model_.acc_format_i = static_cast<CData>(format.pack()); }

  void step(AccCtrl ctrl, const std::vector<std::int32_t>& psums,
            const std::vector<std::uint32_t>& overflows) {
    model_.enable_i = 1;
    model_.acc_ctrl_i = ctrl.pack();
    for (std::size_t j = 0; j < kCols; ++j) {
      model_.psum_i[j] = static_cast<IData>(psums[j]);
      model_.overflow_i[j] = overflows[j];
    }
    edge();
  }

  std::int32_t read(std::uint32_t addr, std::size_t col) {
    model_.enable_i = 0;
    model_.read_i = 1;
    model_.read_addr_i = static_cast<SData>(addr);
    edge();
    model_.read_i = 0;
    return static_cast<std::int32_t>(model_.word_o[col]);
  }

  std::int32_t sum(std::size_t col) const { return static_cast<std::int32_t>(model_.sum_o[col]); }
  std::uint32_t overflows(std::size_t col) const { return model_.overflow_o[col]; }

 private:
  void edge() {
    model_.clk_i = 1;
    model_.eval();
    model_.clk_i = 0;
    model_.eval();
  }
  Vacc_bank model_;
};

}  // namespace

TEST_CASE("the accumulator bank adds, replaces and shifts sums as they pass by",
          "[rtl][accumulator]") {
  Bank bank;
  std::mt19937_64 random(7);
  std::uint64_t accesses = 0, total_overflows = 0;
  int wrong_words = 0, wrong_sums = 0, wrong_overflows = 0;
  for (int round = 0; round < 200; ++round) {
    const AccFormat format{(random() & 1) != 0, 8 + static_cast<int>(random() % 25)};
    bank.reset();
    bank.set_format(format);
    std::map<std::pair<std::uint32_t, std::size_t>, std::int64_t> words;
    std::int32_t sums[kCols] = {};
    std::uint32_t counts[kCols] = {};
    std::deque<AccCtrl> waves(kCols);  // waves[j]: control at column j, its count as it came
    for (int cycle = 0; cycle < 300; ++cycle) {
      AccCtrl ctrl;
      ctrl.valid = cycle < 300 - kCols && random() % 4 != 0;
      ctrl.addr = static_cast<std::uint32_t>(random() % (random() % 2 == 0 ? 2 : 1 << kAddrBits));
      ctrl.count = static_cast<int>(random() % kCols);
      ctrl.shift = random() % 2 == 0 ? 0 : static_cast<int>(random() % 29);
      ctrl.accumulate = words.count({ctrl.addr, kCols - 1}) != 0 && random() % 8 != 0;
      waves.push_front(ctrl);
      waves.pop_back();
      std::vector<std::int32_t> psums;
      std::vector<std::uint32_t> overflows;
      for (std::size_t j = 0; j < kCols; ++j) {
        psums.push_back(static_cast<std::int32_t>(
            reference::fit(static_cast<std::int64_t>(random()) >> (random() % 63),
                           {false, format.bits})
                .value));
        overflows.push_back(random() % 16 == 0 ? static_cast<std::uint32_t>(random() % 5) : 0);
        const AccCtrl& here = waves[j];
        if (!here.valid || j > static_cast<std::size_t>(here.count)) continue;
        std::int64_t& word = words[{here.addr, j}];
        const auto sum =
            reference::accumulate({here.accumulate ? word : 0, 0}, psums[j], here.shift, format);
        word = sum.value;
        sums[j] = static_cast<std::int32_t>(sum.value);
        counts[j] = overflows[j] + sum.overflows;
        total_overflows += counts[j];
        ++accesses;
      }
      bank.step(ctrl, psums, overflows);
      if (random() % 8 == 0) {  // reads leave alone what is in flight
        const std::uint32_t addr = random() % (1 << kAddrBits);
        const std::int32_t word = bank.read(addr, kCols - 1);
        const auto known = words.find({addr, kCols - 1});
        wrong_words += known != words.end() && word != known->second;
      }
      for (std::size_t j = 0; j < kCols; ++j) {
        wrong_sums += bank.sum(j) != sums[j];
        wrong_overflows += bank.overflows(j) != counts[j];
      }
    }
    for (const auto& [place, word] : words) {
      wrong_words += bank.read(place.first, place.second) != word;
    }
  }
  CHECK(wrong_words == 0);
  CHECK(wrong_sums == 0);
  CHECK(wrong_overflows == 0);
  CHECK(total_overflows > 10'000);
  std::cout << "acc_bank: " << accesses << " accesses, " << total_overflows << " overflows\n";
}

}  // namespace bitpulse::rtl
