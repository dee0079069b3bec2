// SPDX-License-Identifier: Apache-2.0
#include "models/io/onnx_scope.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace {

/// Pads that make ceil(in / stride) outputs; an odd one goes to the end (upper) or the beginning.
std::pair<std::int64_t, std::int64_t> same_pads(std::int64_t in, std::int64_t kernel,
                                                std::int64_t stride, std::int64_t dilation,
                                                bool upper) {
  const std::int64_t outputs = (in + stride - 1) / stride;
  const std::int64_t total =
      std::max<std::int64_t>((outputs - 1) * stride + (kernel - 1) * dilation + 1 - in, 0);
  const std::int64_t less = total / 2, more = total - less;
  return upper ? std::pair(less, more) : std::pair(more, less);
}

}  // namespace

std::string list_text(const std::vector<std::int64_t>& values) {
  std::string text = "[";
  for (const std::int64_t v : values) text += (text.size() > 1 ? ", " : "") + std::to_string(v);
  return text + "]";
}

void OnnxScope::fail(const std::string& what) const {
  throw Error(ErrorKind::kInvalidInput, printable(path_, 400) + ": " + what);
}

void OnnxScope::refuse(const std::string& found, const std::string& expected) const {
  fail("node '" + printable(title()) + "' (" + printable(node_->op) + "): found " + found +
       ", expected " + expected);
}

std::string OnnxScope::title() const {
  return !node_->name.empty() || node_->outputs.empty() ? node_->name : node_->outputs[0];
}

const OnnxAttribute* OnnxScope::attribute(std::string_view name) const {
  const auto found = node_->attributes.find(name);
  return found == node_->attributes.end() ? nullptr : &found->second;
}

std::int64_t OnnxScope::integer(std::string_view name, std::int64_t absent) const {
  const OnnxAttribute* found = attribute(name);
  return found && found->integer ? *found->integer : absent;
}

double OnnxScope::real(std::string_view name, double absent) const {
  const OnnxAttribute* found = attribute(name);
  return found && found->real ? *found->real : absent;
}

void OnnxScope::expect_integer(std::string_view name, std::int64_t expected) const {
  const std::int64_t found = integer(name, expected);
  if (found != expected) {
    refuse(std::string(name) + " " + std::to_string(found), std::to_string(expected));
  }
}

std::vector<std::int64_t> OnnxScope::sizes(std::string_view name,
                                           const std::vector<std::int64_t>& absent,
                                           std::int64_t min) const {
  const OnnxAttribute* found = attribute(name);
  if (!found || found->integers.empty()) return absent;
  const bool fits = found->integers.size() == absent.size() &&
                    std::all_of(found->integers.begin(), found->integers.end(),
                                [min](std::int64_t v) { return v >= min && v <= kMaxDim; });
  if (!fits) {
    refuse(std::string(name) + " " + list_text(found->integers),
           std::to_string(absent.size()) + " sizes from " + std::to_string(min) + " on");
  }
  return found->integers;
}

Window OnnxScope::window(const Shape& in, std::int64_t kernel_h, std::int64_t kernel_w) const {
  Window w;
  w.kernel_h = kernel_h, w.kernel_w = kernel_w;
  const auto strides = sizes("strides", {1, 1}, 1), dilations = sizes("dilations", {1, 1}, 1);
  w.stride_h = strides[0], w.stride_w = strides[1];
  w.dilation_h = dilations[0], w.dilation_w = dilations[1];
  const OnnxAttribute* automatic = attribute("auto_pad");
  const std::string mode = automatic ? automatic->text : "NOTSET";
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    const bool upper = mode == "SAME_UPPER";
    std::tie(w.pad_top, w.pad_bottom) =
        same_pads(in.h, w.kernel_h, w.stride_h, w.dilation_h, upper);
    std::tie(w.pad_left, w.pad_right) =
        same_pads(in.w, w.kernel_w, w.stride_w, w.dilation_w, upper);
  } else if (mode == "NOTSET") {
    const auto pads = sizes("pads", {0, 0, 0, 0}, 0);
    w.pad_top = pads[0], w.pad_left = pads[1], w.pad_bottom = pads[2], w.pad_right = pads[3];
  } else if (mode != "VALID") {
    refuse("auto_pad " + printable(mode), "NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  }
  return w;
}

bool OnnxScope::has_input(std::size_t i) const {
  return i < node_->inputs.size() && !node_->inputs[i].empty();
}

const OnnxValue& OnnxScope::input(std::size_t i) const {
  if (!has_input(i)) refuse("no input " + std::to_string(i), "one");
  const auto found = values_.find(node_->inputs[i]);
  if (found == values_.end()) {
    refuse("input '" + printable(node_->inputs[i]) + "'", "an output of an earlier node");
  }
  return found->second;
}

const OnnxValue& OnnxScope::computed(std::size_t i) const {
  const OnnxValue& value = input(i);
  if (value.node < 0) refuse("constant '" + printable(node_->inputs[i]) + "'", "a computed value");
  return value;
}

const OnnxValue& OnnxScope::feature_map(std::size_t i) const {
  const OnnxValue& value = computed(i);
  if (value.is_flat) refuse("an input of two dimensions", "a feature map");
  return value;
}

const OnnxValue& OnnxScope::constant(std::size_t i) const {
  const OnnxValue& value = input(i);
  if (value.node >= 0) refuse("computed '" + printable(node_->inputs[i]) + "'", "a constant");
  return value;
}

std::vector<float> OnnxScope::floats(std::size_t i) const {
  return float_values(path_, node_->inputs[i], *constant(i).constant);
}

std::vector<float> OnnxScope::channel_floats(std::size_t i, std::int64_t count) const {
  std::int64_t elements = 1;
  for (const std::int64_t size : constant(i).dims) elements *= size;
  if (elements != count) {
    refuse(std::to_string(elements) + " values in '" + printable(node_->inputs[i]) + "'",
           std::to_string(count));
  }
  return floats(i);
}

std::vector<std::int64_t> OnnxScope::integers(std::size_t i) const {
  const OnnxValue& value = constant(i);
  if (value.constant->dtype != "I64" || value.dims.size() != 1 || value.dims[0] > 8) {
    refuse(value.constant->dtype + " " + list_text(value.dims), "up to 8 64-bit integers");
  }
  std::vector<std::int64_t> list(static_cast<std::size_t>(value.dims[0]));
  if (!list.empty()) std::memcpy(list.data(), value.constant->bytes.data(), 8 * list.size());
  return list;
}

std::vector<std::int64_t> OnnxScope::integers(std::string_view name, std::size_t i) const {
  if (const OnnxAttribute* found = attribute(name)) return found->integers;
  return has_input(i) ? integers(i) : std::vector<std::int64_t>{};
}

}  // namespace bitpulse
