// SPDX-License-Identifier: Apache-2.0
#include "quant/allocate/sensitivity.h"

#include <nlohmann/json.hpp>

#include "quant/allocate/candidates.h"
#include "quant/float/float_executor.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/quant/graphs.h"
#include "testbench/schema.h"

namespace bitpulse {
namespace {

nlohmann::json layer(const std::string& name, std::int64_t parameters, double trace = 1.5) {
  return {{"name", name},
          {"parameters", parameters},
          {"trace", trace},
          {"standard_error", 0.1},
          {"draws", 50}};
}

nlohmann::json document(const std::vector<nlohmann::json>& layers) {
  return {{"schema", "bitpulse/hessian/1"},
          {"network", "small"},
          {"weights_sha256", std::string(64, 'a')},
          {"images", 512},
          {"seed", 1},
          {"method", "finite_difference"},
          {"layers", layers}};
}

Sensitivities read(const nlohmann::json& json) {
  return read_sensitivities(parse_json(json.dump(), "traces.json"));
}

/// small_resnet() whose bits are to be chosen.
struct Small {
  Workload workload = small_resnet().workload;
  Weights weights;
  Small() {
    workload.quantization.first_last = 8;
    workload.quantization.auto_bits.emplace();
    weights = seeded_weights(workload.graph, workload.data, 1, 1);
  }
  nlohmann::json traces() const {
    std::vector<nlohmann::json> layers;
    for (const Node& node : workload.graph.nodes) {
      const auto found = weights.find(node.name + ".weight");
      if (found == weights.end() || found->second.dims.size() < 2) continue;
      layers.push_back(layer(node.name, static_cast<std::int64_t>(found->second.data.size())));
    }
    return document(layers);
  }
  BitCandidates candidates(const nlohmann::json& json) const {
    return bit_candidates(workload, weights, read(json));
  }
};

std::vector<std::string> names(const BitCandidates& all, const std::vector<std::size_t>& layers) {
  std::vector<std::string> names;
  for (const std::size_t l : layers) names.push_back(all.layers[l].name);
  return names;
}

}  // namespace

TEST_CASE("schema and reader of traces agree", "[quant][allocate]") {
  const Schema schema("hessian");
  const auto agree = [&](const nlohmann::json& json, bool accepted) {
    CAPTURE(json.dump());
    CHECK(schema.accepts(json) == accepted);
    CHECK(refusal([&] { read(json); }).has_value() == !accepted);
  };
  const nlohmann::json good = document({layer("a", 1)});
  agree(good, true);
  nlohmann::json free = good;
  free["layers"][0]["activation_loss"] = {{"2", 1.0}, {"4", 0.5}, {"16", 0}};
  agree(free, true);
  for (const char* width : {"0", "17", "four", "04x"}) {
    nlohmann::json bad = good;
    bad["layers"][0]["activation_loss"] = {{width, 1.0}};
    agree(bad, false);
  }
  for (const char* key : {"name", "parameters", "trace", "standard_error", "draws"}) {
    nlohmann::json bad = good;
    bad["layers"][0].erase(key);
    agree(bad, false);
  }
  for (const auto& [key, value] : good.items()) {
    nlohmann::json bad = good;
    bad.erase(key);
    agree(bad, false);
  }
  const auto with = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    return bad;
  };
  agree(with("/method", "power_iteration"), false);
  agree(with("/images", 0), false);
  agree(with("/layers/0/parameters", 0), false);
  agree(with("/layers/0/standard_error", -1), false);
  agree(with("/layers/0/trace", -1.5), true);
  agree(with("/layers/0/eigenvalue", 1), false);
  agree(with("/layers", "none"), false);
}

TEST_CASE("a layer's trace is given once", "[quant][allocate]") {
  CHECK_REFUSED(read(document({layer("a", 1), layer("a", 1)})), ErrorKind::kInvalidInput,
                "traces.json: at /layers/1/name");
}

TEST_CASE("the perturbation is that of HAWQ-V3's symmetric channels", "[quant][allocate]") {
  // 4 bits: scales 7 / 7 and 3.5 / 7; codes 7, -2 (1.5 and 2.5 are ties to even), 2 and 7, 0, 1.
  const std::vector<float> weights{7, -1.5, 2.5, 3.5, 0.1F, 0.4F};
  CHECK(weight_perturbation(weights, 2, 4) == Approx(0.25 + 0.25 + 0.01 + 0.01));
  CHECK(weight_perturbation({0, 0}, 1, 2) == 0);
}

TEST_CASE("ends keep their width and a downsample convolution is tied", "[quant][allocate]") {
  const Small small;
  const BitCandidates all = small.candidates(small.traces());
  REQUIRE(all.layers.size() == 9);
  CHECK(all.layers.front().name == "conv1");
  CHECK(all.layers.front().options == std::vector<BitOption>{{8, 8}});
  CHECK(all.layers.back().options == std::vector<BitOption>{{8, 8}});
  CHECK(all.layers[1].options == std::vector<BitOption>{{2, 2}, {4, 4}, {8, 8}});
  REQUIRE(all.ties.size() == 1);
  CHECK(names(all, all.ties[0]) == std::vector<std::string>{"b3.conv1", "b3.down"});
  for (std::size_t l = 1; l + 1 < all.layers.size(); ++l) {
    const std::vector<double>& loss = all.layers[l].loss;
    CHECK((loss[0] > loss[1] && loss[1] > loss[2] && loss[2] > 0));
  }
}

TEST_CASE("a negative trace counts as none", "[quant][allocate]") {
  const Small small;
  nlohmann::json traces = small.traces();
  traces["layers"][1]["trace"] = -3;
  CHECK(small.candidates(traces).layers[1].loss == std::vector<double>{0, 0, 0});
}

TEST_CASE("traces of another network are refused", "[quant][allocate]") {
  const Small small;
  nlohmann::json traces = small.traces();
  traces["layers"][1]["parameters"] = 7;
  CHECK_REFUSED(small.candidates(traces), ErrorKind::kInvalidInput, "traces.json", "'b1.conv1'",
                "found 7 parameters");
  traces["layers"].erase(1);
  CHECK_REFUSED(small.candidates(traces), ErrorKind::kInvalidInput, "no sensitivity", "'b1.conv1'");
}

TEST_CASE("free activations need their own loss", "[quant][allocate]") {
  Small small;
  small.workload.quantization.auto_bits->free_activations = true;
  nlohmann::json traces = small.traces();
  CHECK_REFUSED(small.candidates(traces), ErrorKind::kInvalidInput, "activation_loss", "2 bits");
  for (nlohmann::json& each : traces["layers"])
    each["activation_loss"] = {{"2", 4.0}, {"4", 1.0}, {"8", 0.25}};
  const BitCandidate layer = small.candidates(traces).layers[1];
  REQUIRE(layer.options.size() == 9);
  CHECK(layer.options[1] == BitOption{2, 4});
  CHECK(layer.loss[0] - layer.loss[1] == Approx(3));
}

}  // namespace bitpulse
