// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_model.h"

namespace bitpulse::rtl {

std::string array_model_name(const ArrayShape& shape) {
  return std::string(shape.output_stationary ? "os_" : "ws_") + to_string(shape.pe) + "_" +
         std::to_string(shape.rows) + "x" + std::to_string(shape.cols) +
         (shape.structural ? "_structural" : "");
}

}  // namespace bitpulse::rtl
