// SPDX-License-Identifier: Apache-2.0
#include "quant/integer/isa.h"

#include "quant/integer/kernel_table.h"

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

namespace detail {

const KernelTable& kernels(Isa isa) {
  switch (isa) {
#ifdef BITPULSE_X86_KERNELS
    case Isa::kAvx512Vnni:
      return avx512_kernels();
    case Isa::kAvx2:
      return avx2_kernels();
#endif
    default:
      return portable_kernels();
  }
}

}  // namespace detail

}  // namespace bitpulse
