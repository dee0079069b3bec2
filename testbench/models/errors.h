// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a call is refused with, for tests that check kind and text of an error.

#include <functional>
#include <optional>
#include <string>

#include "models/error.h"

namespace bitpulse {

struct Refusal {
  ErrorKind kind;
  std::string text;
  /// All of `parts` occur in the text.
  bool says(std::initializer_list<const char*> parts) const {
    for (const char* part : parts) {
      if (text.find(part) == std::string::npos) return false;
    }
    return true;
  }
};

/// The Error `call` ends with; none where it returns.
inline std::optional<Refusal> refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return Refusal{error.kind(), error.what()};
  }
  return std::nullopt;
}

}  // namespace bitpulse

/// Requires that `expression` is refused with `error_kind` and a text that holds every given part.
#define CHECK_REFUSED(expression, error_kind, ...)                       \
  do {                                                                   \
    const auto refused = bitpulse::refusal([&] { (void)(expression); }); \
    REQUIRE(refused);                                                    \
    INFO(refused->text);                                                 \
    CHECK(refused->kind == (error_kind));                                \
    CHECK(refused->says({__VA_ARGS__}));                                 \
  } while (false)
