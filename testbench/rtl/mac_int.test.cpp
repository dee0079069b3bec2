// SPDX-License-Identifier: Apache-2.0
// Fixed MACs: every operand pair under every combination of signedness.

#include "Vmac_int2.h"
#include "Vmac_int4.h"
#include "Vmac_int8.h"
#include "testbench/catch.h"
#include "testbench/rtl/reference.h"

namespace bitpulse::rtl {
namespace {

constexpr std::int64_t kPsums[] = {0, 1, -1, 77777, -1234567};

/// Returns the number of products compared.
template <class Mac>
std::uint64_t check_every_pair(int width) {
  Mac mac;
  mac.acc_format_i = static_cast<CData>(AccFormat{false, 32}.pack());
  mac.shift_i = 0;
  std::uint64_t compared = 0, mismatches = 0;
  const std::uint32_t codes = 1u << width;
  for (unsigned signs = 0; signs < 4; ++signs) {
    mac.act_signed_i = signs & 1;
    mac.weight_signed_i = static_cast<CData>(signs >> 1);
    for (std::uint32_t act = 0; act < codes; ++act) {
      for (std::uint32_t weight = 0; weight < codes; ++weight) {
        const std::int64_t psum = kPsums[compared % 5];
        mac.act_i = static_cast<CData>(act);
        mac.weight_i = static_cast<CData>(weight);
        mac.psum_i = static_cast<std::uint32_t>(psum);
        mac.eval();
        const std::int64_t expected =
            psum + reference::operand(act, 0, width, (signs & 1) != 0) *
                       reference::operand(weight, 0, width, (signs & 2) != 0);
        mismatches += static_cast<std::int32_t>(mac.sum_o) != expected || mac.overflow_o != 0;
        ++compared;
      }
    }
  }
  CHECK(mismatches == 0);
  std::cout << "mac_int" << width << ": " << compared << " products, " << mismatches
            << " mismatches\n";
  return compared;
}

}  // namespace

TEST_CASE("every product of the fixed MACs is exact under every signedness", "[rtl][mac]") {
  CHECK(check_every_pair<Vmac_int8>(8) == 4 * 65536);
  CHECK(check_every_pair<Vmac_int4>(4) == 4 * 256);
  CHECK(check_every_pair<Vmac_int2>(2) == 4 * 16);
}

}  // namespace bitpulse::rtl
