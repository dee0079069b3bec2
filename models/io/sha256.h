// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 (OpenSSL's libcrypto), so that a report or a cached result says which bytes it speaks of.

#include <string>
#include <string_view>

namespace bitpulse {

/// 64 lower-case hexadecimal digits.
std::string sha256_of_text(std::string_view text);

/// 64 lower-case hexadecimal digits of a file's content, or of a folder's: there the digest is
/// taken over "name digest newline" of its regular files, in byte order of their names, not of
/// subfolders.
///
/// errors  kIo
std::string sha256_of_path(const std::string& path);

}  // namespace bitpulse
