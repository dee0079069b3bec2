// SPDX-License-Identifier: Apache-2.0
#include "sim/machine_reader.h"

#include <filesystem>

#include "models/error.h"
#include "models/io/shipped.h"
#include "sim/memory/dram_timing.h"

namespace bitpulse {

namespace {

constexpr std::int64_t kMaxSide = 1024;            // PEs
constexpr std::int64_t kMaxKib = 1 << 20;          // 1 GiB
constexpr std::int64_t kMaxVectorLanes = 1 << 16;  // elements per cycle
constexpr std::int64_t kMaxBytesPerCycle = 1 << 16;
constexpr std::int64_t kMaxLatency = 1'000'000;  // cycles
constexpr double kMinMhz = 1, kMaxMhz = 10'000;

std::uint32_t count(const JsonValue& object, const char* key, std::int64_t min, std::int64_t max) {
  return static_cast<std::uint32_t>(object.at(key).integer(min, max));
}

std::string name_of(const JsonValue& json) {
  std::string name = json.text();
  if (name.empty()) json.fail("a name");
  return name;
}

/// The file that `json` names: one beside its document, or a shipped one.
std::string find_named(const JsonValue& json, std::string_view kind) {
  const std::string folder = std::filesystem::path(json.file()).parent_path().string();
  try {
    return find_file(name_of(json), kind, folder);
  } catch (const Error& error) {
    json.fail_with(error);
  }
}

ArraySpec read_array(const JsonValue& json) {
  json.only_keys({"rows", "cols", "dataflow", "pe", "acc_bits", "overflow", "overlap"});
  ArraySpec array;
  array.rows = count(json, "rows", 1, kMaxSide);
  array.cols = count(json, "cols", 1, kMaxSide);
  constexpr Dataflow kDataflows[] = {Dataflow::kOs, Dataflow::kWs, Dataflow::kIs};
  array.dataflow = kDataflows[json.at("dataflow").choice({"os", "ws", "is"})];
  constexpr PeKind kPes[] = {PeKind::kInt8, PeKind::kInt4, PeKind::kInt2, PeKind::kFused};
  array.pe = kPes[json.at("pe").choice({"int8", "int4", "int2", "fused"})];
  if (const auto bits = json.find("acc_bits")) {
    array.acc_bits = static_cast<int>(bits->integer(8, 32));
  }
  if (const auto overflow = json.find("overflow")) {
    array.overflow =
        overflow->choice({"wrap", "saturate"}) == 0 ? Overflow::kWrap : Overflow::kSaturate;
  }
  if (const auto overlap = json.find("overlap")) array.overlap = overlap->boolean();
  return array;
}

BufferSpec read_buffers(const JsonValue& json) {
  json.only_keys({"act_kib", "weight_kib", "out_kib", "acc_kib"});
  BufferSpec buffers;
  buffers.act_kib = count(json, "act_kib", 1, kMaxKib);
  buffers.weight_kib = count(json, "weight_kib", 1, kMaxKib);
  buffers.out_kib = count(json, "out_kib", 1, kMaxKib);
  buffers.acc_kib = count(json, "acc_kib", 1, kMaxKib);
  return buffers;
}

VectorSpec read_vector(const JsonValue& json) {
  json.only_keys({"lanes", "rounding"});
  VectorSpec vector;
  if (json.has("lanes")) vector.lanes = count(json, "lanes", 1, kMaxVectorLanes);
  if (const auto rounding = json.find("rounding")) {
    constexpr Rounding kRoundings[] = {Rounding::kHalfUp, Rounding::kHalfEven, Rounding::kHalfAway};
    vector.rounding = kRoundings[rounding->choice({"half_up", "half_even", "half_away"})];
  }
  return vector;
}

DramSpec read_dram(const JsonValue& json) {
  DramSpec dram;
  if (json.at("model").choice({"fixed", "banked"}) == 0) {
    json.only_keys({"model", "bytes_per_cycle", "latency_cycles"});
    dram.bytes_per_cycle = count(json, "bytes_per_cycle", 1, kMaxBytesPerCycle);
    dram.latency_cycles = count(json, "latency_cycles", 0, kMaxLatency);
  } else {
    json.only_keys({"model", "timing"});
    dram.model = DramModel::kBanked;
    dram.timing = load_dram_timing(find_named(json.at("timing"), "dram"));
  }
  return dram;
}

}  // namespace

const std::vector<std::string_view>& machine_keys() {
  static const std::vector<std::string_view> keys{"schema", "name",         "clock_mhz",
                                                  "array",  "buffers",      "vector",
                                                  "dram",   "keep_on_chip", "technology"};
  return keys;
}

Machine read_machine(const JsonValue& root) {
  root.require_schema("bitpulse/machine/1");
  root.only_keys(machine_keys());
  Machine machine;
  machine.file = root.file();
  machine.name = name_of(root.at("name"));
  machine.clock_mhz = root.at("clock_mhz").number(kMinMhz, kMaxMhz);
  machine.array = read_array(root.at("array"));
  machine.buffers = read_buffers(root.at("buffers"));
  if (const auto vector = root.find("vector")) machine.vector = read_vector(*vector);
  machine.dram = read_dram(root.at("dram"));
  if (const auto keep = root.find("keep_on_chip")) machine.keep_on_chip = keep->boolean();
  if (const auto technology = root.find("technology")) {
    machine.technology = find_named(*technology, "technologies");
  }
  return machine;
}

}  // namespace bitpulse
