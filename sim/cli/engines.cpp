// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/engines.h"

#include "models/error.h"
#include "models/text.h"
#include "sim/cli/arrays.h"
#include "sim/fast/fast_engine.h"
#ifdef BITPULSE_WITH_SYSTEMC
#include "sim/rtl/rtl_array.h"
#include "sim/rtl/rtl_engine.h"
#include "sim/systemc/systemc_engine.h"
#endif

namespace bitpulse {
namespace {

template <class E>
std::unique_ptr<Engine> make(const Arguments&) {
  return std::make_unique<E>();
}

#ifdef BITPULSE_WITH_SYSTEMC
std::unique_ptr<Engine> make_rtl(const Arguments& arguments) {
  return std::make_unique<RtlEngine>(array_maker(arguments));
}
#endif

const EngineInfo kEngines[] = {
    {"fast", false, make<FastEngine>},
#ifdef BITPULSE_WITH_SYSTEMC
    {"systemc", true, make<SystemcEngine>},
    {"rtl", true, make_rtl},
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

void require_rtl_array([[maybe_unused]] const Machine& machine,
                       [[maybe_unused]] const Arguments& arguments) {
#ifdef BITPULSE_WITH_SYSTEMC
  array_maker(arguments)(rtl::shape_of(machine.array));
#endif
}

}  // namespace bitpulse
