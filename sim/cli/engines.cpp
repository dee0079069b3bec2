// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/engines.h"

#include "models/error.h"
#include "models/text.h"
#include "sim/fast/fast_engine.h"
#ifdef BITPULSE_WITH_SYSTEMC
#include "sim/systemc/systemc_engine.h"
#endif
#ifdef BITPULSE_WITH_RTL
#include "sim/rtl/rtl_array.h"
#include "sim/rtl/rtl_engine.h"
#endif

namespace bitpulse {
namespace {

template <class E>
std::unique_ptr<Engine> make() {
  return std::make_unique<E>();
}

const EngineInfo kEngines[] = {
    {"fast", false, make<FastEngine>},
#ifdef BITPULSE_WITH_SYSTEMC
    {"systemc", true, make<SystemcEngine>},
#endif
#ifdef BITPULSE_WITH_RTL
    {"rtl", true, make<RtlEngine>},
#endif
};

}  // namespace

const EngineInfo& find_engine(const std::string& name) {
  std::vector<std::string_view> known;
  for (const EngineInfo& engine : kEngines) {
    if (name == engine.name) return engine;
    known.emplace_back(engine.name);
  }
  const bool left_out = name == "systemc" || name == "rtl";
  throw Error(ErrorKind::kUsage, "--engine: found \"" + printable(name) + "\", which is " +
                                     (left_out ? "not built into this program" : "no engine") +
                                     ", expected one of: " + join(known));
}

void require_rtl_array([[maybe_unused]] const Machine& machine) {
#ifdef BITPULSE_WITH_RTL
  rtl::make_array_model(rtl::shape_of(machine.array));
#endif
}

}  // namespace bitpulse
