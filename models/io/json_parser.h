// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bounded parser behind json.h, kept apart from the typed getters. It builds the document from
// SAX events, so that a text that breaks a limit never becomes a value.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "models/io/json.h"

namespace bitpulse {

/// errors  kLimit, kInvalidInput: "file:line:column: found ..., expected ..."
nlohmann::ordered_json parse_document(std::string_view text, const std::string& file,
                                      const JsonLimits& limits);

}  // namespace bitpulse
