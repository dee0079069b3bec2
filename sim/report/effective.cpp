// SPDX-License-Identifier: Apache-2.0
#include "sim/report/effective.h"

#include <nlohmann/json.hpp>

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

/// `document` with each key of `defaults` that it lacks, at every level of both.
Json filled(Json document, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    if (!document.contains(key)) {
      document[key] = value;
    } else if (value.is_object() && document[key].is_object()) {
      document[key] = filled(document[key], value);
    }
  }
  return document;
}

const char* name_of(Rounding rounding) {
  constexpr const char* kNames[] = {"half_up", "half_even", "half_away"};
  return kNames[static_cast<std::size_t>(rounding)];
}

Json calibration(const QuantizationSpec& spec) {
  constexpr const char* kRules[] = {"minmax", "percentile", "mse"};
  Json json = {{"rule", kRules[static_cast<std::size_t>(spec.calibration)]},
               {"images", spec.calibration_images}};
  if (spec.calibration == CalibrationRule::kPercentile) json["percentile"] = spec.percentile;
  return json;
}

}  // namespace

Json effective_workload(const Report& report) {
  const QuantizationSpec& spec = report.workload.quantization;
  const Json quantization = {
      {"method", spec.method},
      {"calibration", calibration(spec)},
      {"weights", spec.weights},
      {"activations", spec.activations},
      {"rounding", name_of(spec.rounding)},
      {"residual", spec.residual == ResidualStyle::kStream16 ? "stream16" : "low_bit"},
      {"multiplier", spec.multiplier == MultiplierStyle::kDyadic31 ? "dyadic31" : "llsq8"},
      {"narrow_range", spec.narrow_range},
      {"bn_reestimation", spec.bn_reestimation},
      {"bias_correction", spec.bias_correction},
      {"average_pool_floor", spec.average_pool_floor}};
  return filled(report.workload_document->raw(), {{"batch", report.workload.batch},
                                                  {"seed", report.workload.seed},
                                                  {"quantization", quantization}});
}

Json effective_machine(const Report& report) {
  const Machine& machine = report.machine;
  const Json array = {{"acc_bits", machine.array.acc_bits},
                      {"overflow", machine.array.overflow == Overflow::kWrap ? "wrap" : "saturate"},
                      {"overlap", machine.array.overlap}};
  const Json vector = {{"lanes", machine.vector.lanes},
                       {"rounding", name_of(machine.vector.rounding)}};
  return filled(report.machine_document->raw(), {{"array", array},
                                                 {"vector", vector},
                                                 {"keep_on_chip", machine.keep_on_chip},
                                                 {"technology", machine.technology}});
}

}  // namespace bitpulse
