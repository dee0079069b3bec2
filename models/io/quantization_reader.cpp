// SPDX-License-Identifier: Apache-2.0
#include "models/io/quantization_reader.h"

#include <optional>
#include <utility>

namespace bitpulse {
namespace {

constexpr std::int64_t kMaxBits = 16;
constexpr std::int64_t kMaxImages = 10'000'000;

std::uint8_t read_bits(const JsonValue& json) {
  return static_cast<std::uint8_t>(json.integer(1, kMaxBits));
}

void read_flag(const JsonValue& parent, const char* key, bool& flag) {
  if (const std::optional<JsonValue> json = parent.find(key)) flag = json->boolean();
}

/// 4, or [[2, 48], [4, 16]]: bits of runs of output channels.
std::vector<WidthRun> read_weight_bits(const JsonValue& json) {
  if (!json.is_array()) return {{read_bits(json), 0}};
  if (json.size() == 0) json.fail("bits, or an array of [bits, channels]");
  std::vector<WidthRun> runs;
  std::int64_t channels = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const JsonValue run = json[i];
    if (!run.is_array() || run.size() != 2) run.fail("[bits, channels]");
    runs.push_back({read_bits(run[0]), run[1].integer(1, kMaxDim)});
    channels += runs.back().channels;
    if (channels > kMaxDim) json.fail("at most " + std::to_string(kMaxDim) + " channels");
  }
  return runs;
}

/// Zero points have no place in the integer network; say so rather than "unknown key".
void refuse_zero_points(const JsonValue& json) {
  for (const char* key : {"zero_point", "zero_points", "asymmetric"}) {
    if (json.has(key)) {
      json.at(key).fail(
          "no such key: asymmetric zero points are not supported; weights are symmetric, "
          "activations unsigned after a ReLU and symmetric elsewhere");
    }
  }
}

LayerBits read_layer_bits(const std::string& pattern, const JsonValue& json) {
  refuse_zero_points(json);
  json.only_keys({"weights", "activations"});
  if (pattern.empty()) json.fail("a pattern of layer names before it, not \"\"");
  if (json.size() == 0) json.fail("\"weights\", \"activations\" or both");
  LayerBits bits;
  bits.pattern = pattern;
  if (const std::optional<JsonValue> weights = json.find("weights")) {
    bits.weights = read_weight_bits(*weights);
  }
  if (const std::optional<JsonValue> activations = json.find("activations")) {
    bits.activations = read_bits(*activations);
  }
  return bits;
}

/// HAWQ-V3's scales are those of ranges.
void read_calibration(const JsonValue& json, QuantizationSpec& spec, bool ranges_only) {
  refuse_zero_points(json);
  json.only_keys({"rule", "images", "percentile"});
  if (const std::optional<JsonValue> rule = json.find("rule")) {
    std::vector<std::string_view> rules{"minmax", "percentile"};
    if (!ranges_only) rules.emplace_back("mse");
    spec.calibration = static_cast<CalibrationRule>(rule->choice(rules));
  }
  if (const std::optional<JsonValue> images = json.find("images")) {
    spec.calibration_images = images->integer(1, kMaxImages);
  }
  if (const std::optional<JsonValue> percentile = json.find("percentile")) {
    if (spec.calibration != CalibrationRule::kPercentile) {
      percentile->fail("it beside \"rule\": \"percentile\" only");
    }
    spec.percentile = percentile->number(50, 100);
  }
}

enum class Method : std::uint8_t { kPtq, kLsq, kLlsq, kHawq, kFloat };
const std::vector<std::string_view> kMethods{"ptq", "lsq", "llsq", "hawq", "float"};

std::vector<std::string_view> keys_of(Method method) {
  if (method == Method::kFloat) return {"method", "train"};
  std::vector<std::string_view> keys{"method",     "calibration",       "weights",  "activations",
                                     "first_last", "rounding",          "integers", "layers",
                                     "bits",       "average_pool_floor"};
  const auto also = [&keys](std::initializer_list<std::string_view> more) {
    keys.insert(keys.end(), more);
  };
  if (method != Method::kHawq) also({"residual", "multiplier"});  // HAWQ-V3's are its own
  if (method == Method::kPtq)
    also({"narrow_range", "bn_reestimation", "bias_correction", "frozen_scales"});
  else
    also({"train", kMethods[static_cast<std::size_t>(method)]});
  return keys;
}

BitBudget read_budget(const JsonValue& json) {
  constexpr double kLeast = 1e-12, kMost = 1e15;
  BitBudget budget;
  const std::pair<const char*, std::optional<double>*> keys[] = {{"size_mib", &budget.size_mib},
                                                                 {"bops_g", &budget.bops_g},
                                                                 {"latency_ms", &budget.latency_ms},
                                                                 {"energy_uj", &budget.energy_uj}};
  json.only_keys({"size_mib", "bops_g", "latency_ms", "energy_uj"});
  if (json.size() == 0) json.fail("one limit or more: size_mib, bops_g, latency_ms, energy_uj");
  for (const auto& [key, limit] : keys) {
    if (const std::optional<JsonValue> value = json.find(key))
      *limit = value->number(kLeast, kMost);
  }
  return budget;
}

AutoBits read_auto_bits(const JsonValue& json) {
  json.only_keys({"auto", "budget", "sensitivity", "machine", "choices", "activations"});
  json.at("auto").choice({"hawq"});
  AutoBits bits;
  bits.budget = read_budget(json.at("budget"));
  if (const std::optional<JsonValue> file = json.find("sensitivity")) {
    bits.sensitivity = file->path();
  }
  if (const std::optional<JsonValue> machine = json.find("machine")) {
    bits.machine = machine->text();  // a shipped name, or a path of the working folder
    if (bits.machine.empty()) machine->fail("a machine's name or path");
  }
  if (const std::optional<JsonValue> choices = json.find("choices")) {
    bits.choices.clear();
    if (choices->size() == 0 || choices->size() > 8) choices->fail("1 to 8 widths");
    for (std::size_t i = 0; i < choices->size(); ++i) {
      bits.choices.push_back(static_cast<std::uint8_t>((*choices)[i].integer(2, 8)));
      if (i > 0 && bits.choices[i] <= bits.choices[i - 1]) (*choices)[i].fail("ascending widths");
    }
  }
  if (const std::optional<JsonValue> activations = json.find("activations")) {
    bits.free_activations = activations->choice({"follow", "free"}) == 1;
  }
  return bits;
}

/// What every quantization has. Ends have 8 bits by default but for plain post-training
/// quantization; LLSQ's sums and multipliers are low-bit.
void read_common(const JsonValue& json, QuantizationSpec& spec, Method method) {
  if (const std::optional<JsonValue> bits = json.find("bits")) {
    for (const char* key : {"weights", "activations"}) {
      if (json.has(key)) json.at(key).fail("no such key beside \"bits\", which chooses them");
    }
    spec.auto_bits = read_auto_bits(*bits);
  }
  if (method != Method::kPtq || spec.auto_bits) spec.first_last = 8;
  if (method == Method::kLlsq) {
    spec.residual = ResidualStyle::kLowBit;
    spec.multiplier = MultiplierStyle::kLlsq8;
  } else if (method == Method::kHawq) {
    spec.calibration = CalibrationRule::kMinMax;
    spec.widest_unsigned = 4;
    spec.narrow_range = true;
    spec.average_pool_floor = true;
  }
  if (const std::optional<JsonValue> calibration = json.find("calibration")) {
    read_calibration(*calibration, spec, method == Method::kHawq);
  }
  if (!spec.auto_bits) {
    spec.weights = read_bits(json.at("weights"));
    spec.activations = read_bits(json.at("activations"));
  }
  if (const std::optional<JsonValue> bits = json.find("first_last")) {
    spec.first_last = read_bits(*bits);
  }
  if (const std::optional<JsonValue> rounding = json.find("rounding")) {
    spec.rounding = static_cast<Rounding>(rounding->choice({"half_up", "half_even", "half_away"}));
  }
  if (const std::optional<JsonValue> residual = json.find("residual")) {
    spec.residual = static_cast<ResidualStyle>(residual->choice({"stream16", "low_bit"}));
  }
  if (const std::optional<JsonValue> multiplier = json.find("multiplier")) {
    spec.multiplier = static_cast<MultiplierStyle>(multiplier->choice({"dyadic31", "llsq8"}));
  }
  read_flag(json, "average_pool_floor", spec.average_pool_floor);
  if (const std::optional<JsonValue> path = json.find("integers")) spec.integers = path->path();
  if (const std::optional<JsonValue> layers = json.find("layers")) {
    if (layers->size() > kMaxNodes) layers->fail("at most " + std::to_string(kMaxNodes) + " keys");
    for (const auto& [pattern, bits] : layers->object_items()) {
      spec.layers.push_back(read_layer_bits(pattern, bits));
    }
  }
}

}  // namespace

QuantizationSpec read_quantization(const JsonValue& json) {
  refuse_zero_points(json);
  QuantizationSpec spec;
  spec.method = json.at("method").text();
  const auto method = static_cast<Method>(json.at("method").choice(kMethods));
  json.only_keys(keys_of(method));
  if (method == Method::kFloat) {
    spec.learns = true;
    spec.train = read_train(json.at("train"), published_training(spec));
    if (spec.train.fold_epochs > 0)
      json.at("train").at("fold_epochs").fail("0 or no key: nothing is quantized that could fold");
    return spec;
  }
  read_common(json, spec, method);
  read_flag(json, "narrow_range", spec.narrow_range);
  read_flag(json, "bn_reestimation", spec.bn_reestimation);
  read_flag(json, "bias_correction", spec.bias_correction);
  if (const std::optional<JsonValue> path = json.find("frozen_scales")) {
    spec.frozen_scales = path->path();
  }
  if (const std::optional<JsonValue> lsq = json.find("lsq")) spec.lsq = read_lsq(*lsq);
  if (const std::optional<JsonValue> llsq = json.find("llsq")) spec.llsq = read_llsq(*llsq);
  if (const std::optional<JsonValue> hawq = json.find("hawq")) spec.hawq = read_hawq(*hawq);
  const bool own_ends = spec.llsq.recipe != LlsqRecipe::kDeploy;
  if (own_ends && json.has("first_last"))
    json.at("first_last").fail("no such key beside a recipe that sets the ends itself");
  spec.learns = method == Method::kHawq ? json.has("train") : method != Method::kPtq;
  spec.train = published_training(spec);
  if (const std::optional<JsonValue> train = json.find("train")) {
    spec.train = read_train(*train, spec.train);
  }
  return spec;
}

}  // namespace bitpulse
