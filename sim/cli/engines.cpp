// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/engines.h"

#include "models/error.h"
#include "models/io/files.h"
#include "models/text.h"
#include "sim/cli/arrays.h"
#include "sim/fast/fast_engine.h"
#ifdef BITPULSE_WITH_SYSTEMC
#include "sim/rtl/rtl_array.h"
#include "sim/rtl/rtl_engine.h"
#include "sim/rtl/wave_window.h"
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
  return std::make_unique<RtlEngine>(run_array_maker(arguments));
}

rtl::Trace wave_format(const std::string& trace) {
  return trace == "vcd" ? rtl::Trace::kVcd : rtl::Trace::kFst;
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

#ifdef BITPULSE_WITH_SYSTEMC
std::unique_ptr<Engine> make_lockstep_engine(const Arguments& arguments, const std::string& trace,
                                             const std::string& file) {
  auto engine = std::make_unique<RtlEngine>(
      trace.empty() ? array_maker(arguments)
                    : traced_array_maker(arguments, wave_format(trace), file));
  engine->set_lockstep(true);
  return engine;
}

WaveFiles write_wave_files(const Arguments& arguments, const std::string& trace,
                           const std::string& path, const DivergencePlace& place,
                           const Program& program, const Operands& operands) {
  if (!place.edge || !place.cycle) return {"", "no waves: the array's edge did not differ"};
  const rtl::WaveWindow window{*place.edge, *place.cycle, path + '.' + trace};
  try {
    const bool differed = write_window(window, program, operands,
                                       traced_array_maker(arguments, wave_format(trace), ""));
    write_file_atomically(path + ".gtkw",
                          gtkwave_save_file(window, rtl::shape_of(program.machine.array)));
    return {window.path, differed ? "" : "the array made for waves does not differ there"};
  } catch (const Error& error) {
    return {"", std::string("no waves: ") + error.what()};
  }
}
#else
std::unique_ptr<Engine> make_lockstep_engine(const Arguments& arguments, const std::string&,
                                             const std::string&) {
  return find_engine("rtl").make(arguments);
}

WaveFiles write_wave_files(const Arguments&, const std::string&, const std::string&,
                           const DivergencePlace&, const Program&, const Operands&) {
  return {};
}
#endif

void require_rtl_array([[maybe_unused]] const Machine& machine,
                       [[maybe_unused]] const rtl::ArrayMaker& make) {
#ifdef BITPULSE_WITH_SYSTEMC
  make(rtl::shape_of(machine.array));
#endif
}

}  // namespace bitpulse
