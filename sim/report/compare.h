// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two reports side by side, in total and layer by layer, as GitHub-flavoured Markdown.

#include <string>

#include "models/io/json.h"

namespace bitpulse {

/// Layers are matched by name; those of one side only are listed after the common ones.
///
/// a, b    two report.json
/// errors  kInvalidInput: not such documents
std::string compare_markdown(const JsonValue& a, const JsonValue& b);

}  // namespace bitpulse
