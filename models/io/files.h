// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole files: read within a limit, written so that no reader ever sees half of one.

#include <cstdint>
#include <string>
#include <string_view>

namespace bitpulse {

/// Writes through a temporary file in the same folder, fsync and rename. errors kIo.
void write_file_atomically(const std::string& path, std::string_view content);

/// Whole file, refused above `limit` bytes. errors kIo, kLimit.
std::string read_file(const std::string& path, std::uint64_t limit);

}  // namespace bitpulse
