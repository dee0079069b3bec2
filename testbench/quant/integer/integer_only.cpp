// SPDX-License-Identifier: Apache-2.0
// An exported network from image bytes to classes, by a program that has the integer executor and
// nothing else of quant/: prints how many of the first figures it names right.
//   integer_only FOLDER IMAGES
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "models/io/images.h"
#include "quant/integer/executor.h"
#include "quant/integer/network_io.h"

int main(int argc, char** argv) {
  using namespace bitpulse;
  if (argc != 3) return 2;
  const IntegerNetwork network = load_network(argv[1]);
  const std::int64_t count = std::atoll(argv[2]);
  const NetworkOutput& output = network.outputs.front();
  const auto logits = static_cast<std::size_t>(output.tensor);
  const auto classes = static_cast<std::size_t>(network.tensors[logits].shape.elements());
  // Channels of the last layer have units of their own: fixed-point numbers, made once.
  const double largest = *std::max_element(output.scales.begin(), output.scales.end());
  std::vector<std::int64_t> units;
  for (std::size_t c = 0; c < classes; ++c) {
    const double scale = output.scales[output.scales.size() == 1 ? 0 : c];
    units.push_back(std::llround(std::ldexp(scale / largest, 30)));
  }

  DataSpec figures;
  figures.format = DataFormat::kFigures;
  const ImageSet images = read_images(figures, Split::kTest, network.inputs.front().shape,
                                      static_cast<std::int64_t>(classes), 0, count);
  const ExecuteResult result =
      execute(network, encode_inputs(network, images, 0, count), count, {});
  std::int64_t right = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    std::vector<std::int64_t> scores;
    for (std::size_t c = 0; c < classes; ++c) {
      scores.push_back(result.tensors[logits][i * classes + c] * units[c]);
    }
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    right += best == images.labels[i] ? 1 : 0;
  }
  std::printf("%lld\n", static_cast<long long>(right));
}
