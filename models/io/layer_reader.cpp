// SPDX-License-Identifier: Apache-2.0
#include "models/io/layer_reader.h"

#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxInputs = 1024;  // of one node

void check_name(const JsonValue& where, const std::string& name) {
  if (name.empty() || utf8_size(name) > kMaxName || printable(name, name.size()) != name) {
    where.fail("a printable name of 1.." + std::to_string(kMaxName) + " characters");
  }
}

/// Exactly `count` integers; `absent` where the key is missing.
template <std::size_t count>
std::array<std::int64_t, count> read_sizes(const JsonValue& json, std::int64_t min) {
  if (!json.is_array() || json.size() != count) {
    json.fail("an array of " + std::to_string(count) + " integers");
  }
  std::array<std::int64_t, count> sizes{};
  for (std::size_t i = 0; i < count; ++i) sizes[i] = json[i].integer(min, kMaxDim);
  return sizes;
}
template <std::size_t count>
std::array<std::int64_t, count> read_sizes(const JsonValue& parent, const char* key,
                                           std::int64_t min, std::int64_t absent) {
  std::array<std::int64_t, count> sizes{};
  sizes.fill(absent);
  const std::optional<JsonValue> json = parent.find(key);
  return json ? read_sizes<count>(*json, min) : sizes;
}

std::int64_t read_size(const JsonValue& parent, const char* key, std::int64_t min,
                       std::int64_t absent) {
  const std::optional<JsonValue> json = parent.find(key);
  return json ? json->integer(min, kMaxDim) : absent;
}

bool read_flag(const JsonValue& parent, const char* key, bool absent) {
  const std::optional<JsonValue> json = parent.find(key);
  return json ? json->boolean() : absent;
}

Shape read_shape(const JsonValue& json) {
  const auto sizes = read_sizes<3>(json, 1);
  return {sizes[0], sizes[1], sizes[2]};
}

Window read_window(const JsonValue& json) {
  const auto kernel = read_sizes<2>(json.at("kernel"), 1);
  const auto stride = read_sizes<2>(json, "stride", 1, 1);
  const auto pad = read_sizes<4>(json, "pad", 0, 0);
  const auto dilation = read_sizes<2>(json, "dilation", 1, 1);
  return {kernel[0], kernel[1], stride[0], stride[1],   pad[0],
          pad[1],    pad[2],    pad[3],    dilation[0], dilation[1]};
}

Layer read_conv2d(const JsonValue& json) {
  return Conv2d{json.at("out_channels").integer(1, kMaxDim), read_window(json),
                read_size(json, "groups", 1, 1), read_flag(json, "bias", false)};
}
Layer read_linear(const JsonValue& json) {
  return Linear{json.at("out_features").integer(1, kMaxDim), read_flag(json, "bias", true)};
}
Layer read_gemm(const JsonValue& json) { return Gemm{json.at("n").integer(1, kMaxDim)}; }
Layer read_batch_norm(const JsonValue& json) {
  const std::optional<JsonValue> eps = json.find("eps");
  return BatchNorm{eps ? eps->number(1e-30, 1) : BatchNorm{}.eps};
}
Layer read_relu(const JsonValue& json) {
  const std::optional<JsonValue> max = json.find("max");
  return max ? Relu{max->number(1e-6, 1e6)} : Relu{};
}
Layer read_leaky_relu(const JsonValue& json) {
  const std::optional<JsonValue> slope = json.find("slope");
  return LeakyRelu{slope ? slope->number(0, 1) : LeakyRelu{}.slope};
}
Layer read_max_pool(const JsonValue& json) {
  return MaxPool{read_window(json), read_flag(json, "ceil_mode", false)};
}
Layer read_avg_pool(const JsonValue& json) { return AvgPool{read_window(json)}; }
Layer read_reorg(const JsonValue& json) { return Reorg{json.at("stride").integer(1, kMaxDim)}; }
Layer read_slice_pad(const JsonValue& json) {
  return SlicePad{read_size(json, "stride", 1, 1), read_size(json, "channels_before", 0, 0),
                  read_size(json, "channels_after", 0, 0)};
}
template <class Kind>
Layer read_plain(const JsonValue&) {
  return Kind{};
}

/// A layer kind as it is written: its own keys, and whether it can stand alone in a list.
struct Kind {
  const char* name;
  std::vector<std::string_view> keys;
  Layer (*read)(const JsonValue&);
  bool stands_alone = false;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> table{
      {"conv2d",
       {"out_channels", "kernel", "stride", "pad", "dilation", "groups", "bias"},
       read_conv2d,
       true},
      {"linear", {"out_features", "bias"}, read_linear, true},
      {"gemm", {"n"}, read_gemm, true},
      {"max_pool", {"kernel", "stride", "pad", "dilation", "ceil_mode"}, read_max_pool, true},
      {"avg_pool", {"kernel", "stride", "pad"}, read_avg_pool, true},
      {"global_avg_pool", {}, read_plain<GlobalAvgPool>, true},
      {"batch_norm", {"eps"}, read_batch_norm},
      {"relu", {"max"}, read_relu},
      {"leaky_relu", {"slope"}, read_leaky_relu},
      {"add", {}, read_plain<Add>},
      {"concat", {}, read_plain<Concat>},
      {"reorg", {"stride"}, read_reorg},
      {"flatten", {}, read_plain<Flatten>},
      {"slice_pad", {"stride", "channels_before", "channels_after"}, read_slice_pad},
  };
  return table;
}

/// The layer of `json`, which may also have the keys `beside`.
Layer read_layer(const JsonValue& json, std::vector<std::string_view> beside, bool stands_alone) {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds()) {
    if (kind.stands_alone || !stands_alone) names.push_back(kind.name);
  }
  const Kind& kind = kinds()[json.at("kind").choice(names)];  // those that stand alone come first
  beside.insert(beside.end(), {"name", "kind"});
  beside.insert(beside.end(), kind.keys.begin(), kind.keys.end());
  json.only_keys(beside);
  return kind.read(json);
}

/// graph.add, whose errors then say where the node was written.
NodeId add_node(Graph& graph, const JsonValue& json, const std::string& name, const Layer& layer,
                std::vector<NodeId> inputs) {
  try {
    return graph.add(name, layer, std::move(inputs));
  } catch (const Error& error) {
    json.fail_with(error);
  }
}

/// An array of 1..max values.
const JsonValue& check_count(const JsonValue& json, std::size_t max) {
  if (!json.is_array() || json.size() == 0) json.fail("an array of at least one value");
  if (json.size() > max) {
    throw Error(ErrorKind::kLimit, printable(json.file(), 400) + ": at " + json.pointer() +
                                       ": found " + std::to_string(json.size()) +
                                       " values, expected at most " + std::to_string(max));
  }
  return json;
}

class GraphReader {
 public:
  Graph read(const JsonValue& network) {
    network.only_keys({"inputs", "nodes", "outputs"});
    graph_.name = "inline";
    read_inputs(network.at("inputs"));
    const JsonValue nodes = check_count(network.at("nodes"), kMaxNodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) read_node(nodes[i]);
    const JsonValue outputs = check_count(network.at("outputs"), kMaxNodes);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      graph_.outputs.push_back(find(outputs[i]));
      if (!outputs_.insert({graph_.outputs.back(), i}).second) {
        outputs[i].fail("each output once");
      }
    }
    check_all_read(network);
    return std::move(graph_);
  }

 private:
  void read_inputs(const JsonValue& inputs) {
    if (!inputs.is_object() || inputs.size() == 0) {
      inputs.fail("an object of at least one name and shape");
    }
    for (const auto& [name, shape] : inputs.object_items()) {
      check_name(shape, name);
      const NodeId id = add_node(graph_, shape, name, Input{read_shape(shape)}, {});
      ids_[name] = id;
      graph_.inputs.push_back(id);
    }
  }
  void read_node(const JsonValue& json) {
    const std::string name = read_name(json.at("name"));
    const Layer layer = read_layer(json, {"inputs"}, false);
    const JsonValue names = check_count(json.at("inputs"), kMaxInputs);
    std::vector<NodeId> inputs;
    for (std::size_t i = 0; i < names.size(); ++i) inputs.push_back(find(names[i]));
    ids_[name] = add_node(graph_, json, name, layer, std::move(inputs));
  }
  NodeId find(const JsonValue& json) const {
    const auto found = ids_.find(json.text());
    if (found == ids_.end()) json.fail("the name of an input or of an earlier node");
    return found->second;
  }
  /// A node that nobody reads would be simulated for nothing, or was meant to be an output.
  void check_all_read(const JsonValue& network) const {
    const auto readers = consumers(graph_);
    for (std::size_t id = 0; id < readers.size(); ++id) {
      if (readers[id].empty() && outputs_.count(static_cast<NodeId>(id)) == 0) {
        network.at("outputs").fail("'" + printable(graph_.nodes[id].name) +
                                   "' among the outputs, since no node reads it");
      }
    }
  }

  Graph graph_;
  std::unordered_map<std::string, NodeId> ids_;
  std::unordered_map<NodeId, std::size_t> outputs_;
};

}  // namespace

std::string read_name(const JsonValue& json) {
  std::string name = json.text();
  check_name(json, name);
  return name;
}

Graph read_inline_graph(const JsonValue& network) { return GraphReader().read(network); }

Graph read_layer_list(const JsonValue& network) {
  network.only_keys({"layers"});
  Graph graph;
  graph.name = "layers";
  const JsonValue layers = check_count(network.at("layers"), kMaxNodes / 2);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const JsonValue json = layers[i];
    const std::string name = read_name(json.at("name"));
    const JsonValue kind = json.at("kind");
    const bool is_gemm = kind.is_string() && kind.text() == "gemm";
    const Layer layer =
        is_gemm ? read_layer(json, {"m", "k"}, true) : read_layer(json, {"in"}, true);
    const Shape in =
        is_gemm ? Shape{json.at("k").integer(1, kMaxDim), json.at("m").integer(1, kMaxDim), 1}
                : read_shape(json.at("in"));
    const NodeId input = add_node(graph, json, name + ".input", Input{in}, {});
    graph.inputs.push_back(input);
    graph.outputs.push_back(add_node(graph, json, name, layer, {input}));
  }
  return graph;
}

}  // namespace bitpulse
