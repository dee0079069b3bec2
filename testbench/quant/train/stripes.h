// SPDX-License-Identifier: Apache-2.0
#pragma once

// A classification problem small enough to learn in a test: 1 x 8 x 8 images of stripes in four
// directions with noise, as IDX files, and a workload that trains on them.

#include <string>

#include "models/io/json.h"
#include "models/io/workload_reader.h"
#include "testbench/models/temporary_folder.h"

namespace bitpulse {

/// One image: stripes of direction `label` (0..3), phase and noise from `number`.
inline std::string stripes_image(int number, int label) {
  std::string pixels;
  unsigned noise = static_cast<unsigned>(number) * 2654435761u + 12345u;
  const int phase = number / 4 % 4;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) {
      const int along = label == 0 ? y : label == 1 ? x : label == 2 ? x + y : x - y + 8;
      noise = noise * 1664525u + 1013904223u;
      const int value = ((along + phase) % 4 < 2 ? 170 : 60) + static_cast<int>(noise >> 26);
      pixels += static_cast<char>(static_cast<unsigned char>(value));
    }
  return pixels;
}

inline std::string big_endian(unsigned value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

/// IDX files `name`-images and `name`-labels of images first .. first+count-1.
inline void write_stripes(const TemporaryFolder& folder, const std::string& name, int first,
                          int count) {
  std::string images =
      big_endian(0x803) + big_endian(static_cast<unsigned>(count)) + big_endian(8) + big_endian(8);
  std::string labels = big_endian(0x801) + big_endian(static_cast<unsigned>(count));
  for (int i = first; i < first + count; ++i) {
    images += stripes_image(i, i % 4);
    labels += static_cast<char>(i % 4);
  }
  folder.write(name + "-images", images);
  folder.write(name + "-labels", labels);
}

/// A small residual network over stripes written into the folder; `quantization` as in JSON.
inline std::string stripes_document(const TemporaryFolder& folder,
                                    const std::string& quantization) {
  write_stripes(folder, "train", 0, 256);
  write_stripes(folder, "test", 1000, 128);
  return folder.write("workload.json", R"({
    "schema": "bitpulse/workload/1", "name": "stripes",
    "network": { "inputs": { "image": [1, 8, 8] }, "nodes": [
      { "name": "c1", "kind": "conv2d", "inputs": ["image"], "out_channels": 8, "kernel": [3, 3], "pad": [1, 1, 1, 1] },
      { "name": "n1", "kind": "batch_norm", "inputs": ["c1"] },
      { "name": "r1", "kind": "relu", "inputs": ["n1"] },
      { "name": "c2", "kind": "conv2d", "inputs": ["r1"], "out_channels": 8, "kernel": [3, 3], "pad": [1, 1, 1, 1] },
      { "name": "n2", "kind": "batch_norm", "inputs": ["c2"] },
      { "name": "a2", "kind": "add", "inputs": ["n2", "r1"] },
      { "name": "r2", "kind": "relu", "inputs": ["a2"] },
      { "name": "pool", "kind": "max_pool", "inputs": ["r2"], "kernel": [2, 2], "stride": [2, 2] },
      { "name": "fc", "kind": "linear", "inputs": ["pool"], "out_features": 4 }],
      "outputs": ["fc"] },
    "data": { "format": "mnist", "train": "train-images", "train_labels": "train-labels",
              "test": "test-images", "test_labels": "test-labels", "mean": [0.4], "std": [0.25] },
    "quantization": )" + quantization + "}");
}

inline Workload stripes(const TemporaryFolder& folder, const std::string& quantization) {
  return read_workload(load_json(stripes_document(folder, quantization)));
}

}  // namespace bitpulse
