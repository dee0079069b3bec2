// SPDX-License-Identifier: Apache-2.0
#include "sim/counters.h"

namespace bitpulse {

bool operator==(const Counters& a, const Counters& b) {
  for (const CounterInfo& info : kCounterTable) {
    if (a.*info.member != b.*info.member) return false;
  }
  return a.macs == b.macs;
}

Counters& operator+=(Counters& a, const Counters& b) {
  for (const CounterInfo& info : kCounterTable) a.*info.member += b.*info.member;
  for (const auto& [precision, count] : b.macs) a.macs[precision] += count;
  return a;
}

}  // namespace bitpulse
