// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/io/json.h"
#include "models/io/json_parser.h"
#include "models/text.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

/// The tokens of a JSON pointer, unescaped.
std::vector<std::string> split_pointer(const std::string& pointer) {
  std::vector<std::string> tokens;
  for (const char c : pointer) {
    if (c == '/') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  for (std::string& token : tokens) {
    std::string plain;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const bool escape =
          token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1');
      plain += !escape ? token[i] : token[i + 1] == '0' ? '~' : '/';
      if (escape) ++i;
    }
    token = std::move(plain);
  }
  return tokens;
}

/// The element an array token names, null where there is none.
Json* array_element(Json& array, const std::string& token) {
  const bool canonical = !token.empty() && token.size() < 10 &&
                         token.find_first_not_of("0123456789") == std::string::npos &&
                         (token == "0" || token[0] != '0');
  if (!canonical) return nullptr;
  const std::size_t index = std::stoul(token);
  return index < array.size() ? &array[index] : nullptr;
}

Json* child(Json& parent, const std::string& token) {
  if (parent.is_array()) return array_element(parent, token);
  if (!parent.is_object()) return nullptr;
  const auto found = parent.find(token);
  return found == parent.end() ? nullptr : &*found;
}

/// One override on its way into a document.
class Override {
 public:
  Override(const std::string& file, const JsonOverride& change) : file_(file), change_(change) {}

  void apply(Json& root) const {
    const std::string& pointer = change_.pointer;
    if (pointer.empty() || pointer[0] != '/' || !is_utf8(pointer)) {
      refuse("no JSON pointer", "one such as /array/rows");
    }
    const std::vector<std::string> tokens = split_pointer(pointer);
    Json* parent = &root;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      parent = child(*parent, tokens[i]);
      if (!parent) refuse("no '" + printable(tokens[i]) + "' there", "its parent to exist");
    }
    Json* target = child(*parent, tokens.back());
    if (!target && parent->is_object()) target = &(*parent)[tokens.back()];
    if (!target) refuse("no element '" + printable(tokens.back()) + "'", "a key or an index");
    *target = value(tokens.size());
  }

 private:
  [[noreturn]] void refuse(const std::string& found, const std::string& expected) const {
    throw Error(ErrorKind::kInvalidInput, printable(file_, 400)
                                              .append(": override of '")
                                              .append(printable(change_.pointer, 200))
                                              .append("': found ")
                                              .append(found)
                                              .append(", expected ")
                                              .append(expected));
  }

  /// JSON, or a string where the text is none; `depth` levels lie above it.
  Json value(std::size_t depth) const {
    JsonLimits limits;
    limits.depth -= static_cast<std::uint32_t>(std::min<std::size_t>(depth, limits.depth));
    const std::string& text = change_.value;
    if (text.find('\0') != std::string::npos || !is_utf8(text)) {
      refuse("a value that is not UTF-8", "text");
    }
    if (text.size() <= limits.bytes && !Json::accept(text)) return text;
    return parse_document(text, "override of " + printable(change_.pointer, 200), limits);
  }

  const std::string& file_;
  const JsonOverride& change_;
};

}  // namespace

JsonValue override_json(const JsonValue& root, const std::vector<JsonOverride>& overrides) {
  Json document = root.raw();
  for (const JsonOverride& change : overrides) Override(root.file(), change).apply(document);
  return parse_json(document.dump(), root.file());
}

}  // namespace bitpulse
