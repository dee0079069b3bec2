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

void Counters::repeat(const Counters& before, std::uint64_t times) {
  for (const CounterInfo& info : kCounterTable) {
    this->*info.member += times * (this->*info.member - before.*info.member);
  }
  for (auto& [precision, count] : macs) {
    const auto then = before.macs.find(precision);
    count += times * (count - (then == before.macs.end() ? 0 : then->second));
  }
}

}  // namespace bitpulse
