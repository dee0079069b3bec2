// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/rtl_engine.h"

#include <utility>

#include "models/error.h"
#include "sim/rtl/rtl_array.h"
#include "sim/rtl/rtl_vector.h"
#include "sim/systemc/systemc_engine.h"

namespace bitpulse {

struct RtlEngine::Impl {
  explicit Impl(rtl::ArrayMaker make) : array(std::move(make)) {}
  rtl::RtlArray array;
  rtl::RtlVector vector{array.memory()};
  SystemcEngine systemc{&array, &vector};
};

RtlEngine::RtlEngine(rtl::ArrayMaker make) : impl_(std::make_unique<Impl>(std::move(make))) {}
RtlEngine::~RtlEngine() = default;

RunResult RtlEngine::run(const Program& program, const Operands& operands) {
  if (operands.network == nullptr || !operands.network->has_parameters) {
    throw Error(ErrorKind::kInvalidInput, "rtl: found a network without values, expected values");
  }
  return impl_->systemc.run(program, operands);
}

void RtlEngine::set_lockstep(bool lockstep) { impl_->array.set_lockstep(lockstep); }

std::uint64_t RtlEngine::stepped() const { return impl_->array.stepped(); }

}  // namespace bitpulse
