// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names in the two files of an integer network, shared by those who write and read them.

#include <cstdint>
#include <string>
#include <type_traits>

namespace bitpulse::network_names {

inline constexpr const char* kSchema = "bitpulse/network/1";
inline constexpr const char* kNetworkFile = "network.json";
inline constexpr const char* kTensorsFile = "tensors.safetensors";
inline constexpr const char* kRoundings[] = {"half_up", "half_even", "half_away"};
inline constexpr const char* kResiduals[] = {"stream16", "low_bit"};

/// "layers.3": prefix of the tensors of the third layer.
inline std::string item(const std::string& list, std::size_t i) {
  return list + "." + std::to_string(i);
}

template <class T>
constexpr const char* dtype() {
  if constexpr (std::is_same_v<T, std::int8_t>) return "I8";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "U8";
  if constexpr (std::is_same_v<T, std::int16_t>) return "I16";
  if constexpr (std::is_same_v<T, std::int32_t>) return "I32";
  if constexpr (std::is_same_v<T, double>) return "F64";
}

}  // namespace bitpulse::network_names
