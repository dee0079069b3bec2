// SPDX-License-Identifier: Apache-2.0
#pragma once

// Text for messages: outside strings made safe to print, and the nearest known name as a hint.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bitpulse {

/// `text` as valid UTF-8 without control characters or those that turn the direction of text, cut
/// after about `max_bytes`; what cannot be shown becomes '?'.
std::string printable(std::string_view text, std::size_t max_bytes = 80);

/// True where `text` is well-formed UTF-8 (no overlong forms, surrogates or stray bytes).
bool is_utf8(std::string_view text);

/// Characters of a well-formed UTF-8 text.
std::size_t utf8_size(std::string_view text);

/// The candidate within a third of the length (at least one) of edits of `name`; "" if none is.
/// An edit inserts, deletes or replaces a character or swaps two neighbours.
std::string nearest_name(std::string_view name, const std::vector<std::string_view>& candidates);

/// " (did you mean 'x'?)", or "" where nothing is near.
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates);

/// A word as a shell reads it back.
std::string shell_quoted(const std::string& word);

/// `names` separated by ", ".
std::string join(const std::vector<std::string_view>& names);

/// `token` escaped for a JSON pointer (RFC 6901).
std::string pointer_token(std::string_view token);

}  // namespace bitpulse
