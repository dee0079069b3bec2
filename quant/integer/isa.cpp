// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/isa.h"

namespace bitpulse {

std::vector<Isa> supported_isas() {
  std::vector<Isa> isas{Isa::kPortable};
#ifdef BITPULSE_X86_KERNELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) isas.push_back(Isa::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni")) {
    isas.push_back(Isa::kAvx512Vnni);
  }
#endif
  return isas;
}

Isa best_isa() {
  static const Isa best = supported_isas().back();
  return best;
}

}  // namespace bitpulse
