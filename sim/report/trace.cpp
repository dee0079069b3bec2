// SPDX-License-Identifier: Apache-2.0
#include "sim/report/trace.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "sim/report/occupancy.h"

namespace bitpulse {
namespace {

constexpr int kLayerTrack = 1;
constexpr int kFirstUnitTrack = 2;
constexpr const char* kBufferNames[] = {"act buffer", "weight buffer", "out buffer"};

/// A JSON string. Events are written as text: a tree of 10^5 of them would need gigabytes.
std::string quoted(const std::string& text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string range(Range r) {
  return '[' + std::to_string(r.begin) + ',' + std::to_string(r.end) + ']';
}

int track(Unit unit) { return kFirstUnitTrack + static_cast<int>(unit); }

/// Spreads an amount over the bins that [begin, end) covers.
class Bins {
 public:
  Bins(std::uint64_t cycles, std::size_t count)
      : width_(std::max<std::uint64_t>(1, (cycles + count - 1) / std::max<std::size_t>(1, count))),
        sums_(static_cast<std::size_t>(cycles / width_ + 1)) {}

  void add(std::uint64_t begin, std::uint64_t end, double amount) {
    if (end <= begin) return;
    const double per_cycle = amount / static_cast<double>(end - begin);
    for (std::uint64_t at = begin; at < end;) {
      const std::uint64_t bin = at / width_;
      const std::uint64_t until = std::min(end, (bin + 1) * width_);
      sums_[static_cast<std::size_t>(bin)] += per_cycle * static_cast<double>(until - at);
      at = until;
    }
  }

  std::uint64_t width() const { return width_; }
  const std::vector<double>& sums() const { return sums_; }

 private:
  std::uint64_t width_;
  std::vector<double> sums_;
};

class TraceWriter {
 public:
  TraceWriter(const Program& program, const RunResult& result, const Timeline& timeline,
              const TraceLimits& limits)
      : program_(program), result_(result), timeline_(timeline), limits_(limits) {}

  Trace write(const std::string& title) {
    name_tracks(title);
    layers();
    for (const Unit unit : {Unit::kDma, Unit::kArray, Unit::kVector}) commands(unit);
    counters();
    buffers();
    const std::string commands_in_all = std::to_string(program_.commands.size());
    std::string json = R"({"displayTimeUnit":"ms","otherData":{"title":)" + quoted(title) +
                       R"(,"unit":"1 us of the trace is 1 clock cycle","clock_mhz":)" +
                       number(program_.machine.clock_mhz) + R"(,"cycles":)" +
                       std::to_string(timeline_.cycles) + R"(,"commands":)" + commands_in_all +
                       R"(,"commands_shown":)" + std::to_string(shown()) +
                       "},\n\"traceEvents\":[\n" + events_ + "\n]}\n";
    return {std::move(json), program_.commands.size(), shown()};
  }

 private:
  std::size_t shown() const { return std::min(limits_.slices, program_.commands.size()); }

  /// One event; `rest` follows phase and process.
  void event(char phase, const std::string& rest) {
    if (!events_.empty()) events_ += ",\n";
    events_ += std::string(R"({"ph":")") + phase + R"(","pid":1,)" + rest + '}';
  }

  void name_tracks(const std::string& title) {
    const auto name = [&](const char* what, int id, const std::string& text) {
      event('M', R"("tid":)" + std::to_string(id) + R"(,"name":")" + what + R"(","args":{"name":)" +
                     quoted(text) + '}');
    };
    name("process_name", 0, title);
    name("thread_name", kLayerTrack, "layers");
    for (const Unit unit : {Unit::kDma, Unit::kArray, Unit::kVector}) {
      name("thread_name", track(unit), kUnitNames[static_cast<std::size_t>(unit)]);
    }
  }

  /// `args`: the members of the slice's arguments, as JSON.
  void slice(int id, const std::string& name, std::uint64_t begin, std::uint64_t end,
             const std::string& args) {
    event('X', R"("tid":)" + std::to_string(id) + R"(,"ts":)" + std::to_string(begin) +
                   R"(,"dur":)" + std::to_string(end - begin) + R"(,"name":)" + quoted(name) +
                   R"(,"args":{)" + args + '}');
  }

  void layers() {
    std::uint64_t begin = 0;
    for (std::size_t i = 0; i < program_.layers.size(); ++i) {
      const LayerPlan& plan = program_.layers[i];
      const std::uint64_t end = begin + timeline_.layers[i].cycles;
      slice(kLayerTrack, plan.name, begin, end,
            R"("kind":)" + quoted(plan.kind) + R"(,"macs":)" + std::to_string(plan.macs) +
                R"(,"tiling":)" + quoted(plan.tiling));
      begin = end;
    }
  }

  /// The commands of one unit below a slice per layer. Overlapped array commands are cut where the
  /// one before ends: slices of a track may nest but not cross.
  void commands(Unit unit) {
    std::vector<CommandId> queue;
    for (CommandId id = 0; id < shown(); ++id) {
      if (program_.commands[id].unit == unit) queue.push_back(id);
    }
    std::uint64_t free_from = 0;
    for (std::size_t first = 0; first < queue.size();) {
      const std::uint32_t layer = program_.commands[queue[first]].layer;
      std::size_t last = first;
      while (last < queue.size() && program_.commands[queue[last]].layer == layer) ++last;
      const std::uint64_t begin = std::max(free_from, result_.times[queue[first]].start);
      std::uint64_t end = begin;
      for (std::size_t i = first; i < last; ++i) {
        end = std::max(end, result_.times[queue[i]].finish);
      }
      slice(track(unit), program_.layers[layer].name, begin, end,
            R"("layer":)" + std::to_string(layer));
      for (std::size_t i = first; i < last; ++i) {
        const CommandTime time = result_.times[queue[i]];
        const std::uint64_t start = std::max(free_from, time.start);
        if (time.finish <= start) continue;
        command(queue[i], start, time.finish);
        free_from = time.finish;
      }
      first = last;
    }
  }

  void command(CommandId id, std::uint64_t begin, std::uint64_t end) {
    const Command& command = program_.commands[id];
    std::string name, args = R"("command":)" + std::to_string(id) + R"(,"layer":)" +
                             std::to_string(command.layer);
    switch (command.unit) {
      case Unit::kDma: {
        const DmaCommand& dma = program_.dma[command.payload];
        name = std::string(dma.on_chip    ? dma.is_store ? "keep from " : "kept to "
                           : dma.is_store ? "store from "
                                          : "load to ") +
               kBufferNames[static_cast<std::size_t>(dma.buffer)];
        args += R"(,"bytes":)" + std::to_string(dma.bytes);
        break;
      }
      case Unit::kArray: {
        const ArrayCommand& array = program_.array[command.payload];
        name = array.accumulate ? "multiply, add to sums" : "multiply";
        args += R"(,"macs":)" + std::to_string(array.macs) + R"(,"m":)" + range(array.tile.m) +
                R"(,"k":)" + range(array.tile.k) + R"(,"n":)" + range(array.tile.n);
        break;
      }
      case Unit::kVector: {
        const VectorCommand& vector = program_.vector[command.payload];
        name = "vector pass";
        args += R"(,"elements":)" + std::to_string(vector.elements) + R"(,"passes":)" +
                std::to_string(vector.passes);
        break;
      }
    }
    slice(track(command.unit), name, begin, end, args);
  }

  void sample(const char* name, const char* series, std::uint64_t cycle, double value) {
    event('C', R"("ts":)" + std::to_string(cycle) + R"(,"name":")" + name + R"(","args":{")" +
                   series + R"(":)" + number(value) + '}');
  }

  void counters() {
    Bins traffic(timeline_.cycles, limits_.samples), busy(timeline_.cycles, limits_.samples);
    for (std::size_t id = 0; id < program_.commands.size(); ++id) {
      const Command& command = program_.commands[id];
      const CommandTime time = result_.times[id];
      if (command.unit == Unit::kDma) {
        const DmaCommand& dma = program_.dma[command.payload];
        if (!dma.on_chip) traffic.add(time.start, time.finish, static_cast<double>(dma.bytes));
      } else if (command.unit == Unit::kArray) {
        busy.add(time.start, time.finish, work(command));
      }
    }
    const double pes = static_cast<double>(program_.machine.array.rows) *
                       static_cast<double>(program_.machine.array.cols);
    for (std::size_t bin = 0; bin < busy.sums().size(); ++bin) {
      const std::uint64_t begin = bin * busy.width();
      if (begin >= timeline_.cycles) break;
      const double cycles = static_cast<double>(std::min(busy.width(), timeline_.cycles - begin));
      sample("array utilization", "percent", begin, 100 * busy.sums()[bin] / (cycles * pes));
      sample("DRAM traffic", "bytes per cycle", begin, traffic.sums()[bin] / cycles);
    }
    sample("array utilization", "percent", timeline_.cycles, 0);
    sample("DRAM traffic", "bytes per cycle", timeline_.cycles, 0);
  }

  /// PE-cycles that the products of an array command need.
  double work(const Command& command) const {
    const ArrayCommand& array = program_.array[command.payload];
    const WidthGroup& group = program_.layers[command.layer].width_groups[array.tile.width_group];
    return static_cast<double>(array.macs) * group.mode.passes() /
           static_cast<double>(group.mode.lanes);
  }

  /// The highest filling of each bin.
  void buffers() {
    const auto occupancy = buffer_occupancy(program_, result_.times);
    const std::uint64_t width = Bins(timeline_.cycles, limits_.samples).width();
    for (std::size_t buffer = 0; buffer < occupancy.size(); ++buffer) {
      const std::vector<OccupancyStep>& steps = occupancy[buffer];
      std::vector<std::uint64_t> peaks(static_cast<std::size_t>(timeline_.cycles / width + 1), 0);
      for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
        for (std::uint64_t bin = steps[i].cycle / width; bin * width < steps[i + 1].cycle; ++bin) {
          std::uint64_t& peak = peaks[static_cast<std::size_t>(bin)];
          peak = std::max(peak, steps[i].bits);
        }
      }
      for (std::size_t bin = 0; bin < peaks.size(); ++bin) {
        if (bin > 0 && peaks[bin] == peaks[bin - 1]) continue;
        sample(kBufferNames[buffer], "KiB", bin * width, static_cast<double>(peaks[bin]) / 8192);
      }
      sample(kBufferNames[buffer], "KiB", timeline_.cycles, 0);
    }
  }

  const Program& program_;
  const RunResult& result_;
  const Timeline& timeline_;
  const TraceLimits& limits_;
  std::string events_;
};

}  // namespace

Trace make_trace(const Program& program, const RunResult& result, const Timeline& timeline,
                 const std::string& title, const TraceLimits& limits) {
  return TraceWriter(program, result, timeline, limits).write(title);
}

}  // namespace bitpulse
