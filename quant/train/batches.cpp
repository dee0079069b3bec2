// SPDX-License-Identifier: Apache-2.0
#include "quant/train/batches.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "models/error.h"
#include "models/random.h"
#include "quant/float/normalization.h"

namespace bitpulse {

namespace {

constexpr std::uint64_t kOrderStream = 1, kAugmentStream = 2;

using ByteTable = std::vector<std::array<float, 256>>;

ByteTable byte_table(const DataSpec& data, std::int64_t channels) {
  ByteTable table(static_cast<std::size_t>(channels));
  for (std::size_t c = 0; c < table.size(); ++c)
    for (int v = 0; v < 256; ++v)
      table[c][static_cast<std::size_t>(v)] =
          static_cast<float>(normalized(data, static_cast<std::int64_t>(c), v));
  return table;
}

/// Moves what is seen by (dy, dx), black beyond the edge, and turns it around where `flip` says so.
struct Augmentation {
  std::int64_t dy = 0, dx = 0;
  bool flip = false;
};

void convert(const std::uint8_t* pixels, const Shape& shape, const ByteTable& table,
             const Augmentation& augmentation, float* to) {
  for (std::int64_t c = 0; c < shape.c; ++c) {
    const std::uint8_t* plane = pixels + c * shape.pixels();
    const std::array<float, 256>& value = table[static_cast<std::size_t>(c)];
    for (std::int64_t y = 0; y < shape.h; ++y)
      for (std::int64_t x = 0; x < shape.w; ++x) {
        const std::int64_t from_y = y + augmentation.dy;
        const std::int64_t from_x = (augmentation.flip ? shape.w - 1 - x : x) + augmentation.dx;
        const bool inside = from_y >= 0 && from_y < shape.h && from_x >= 0 && from_x < shape.w;
        *to++ = value[inside ? plane[from_y * shape.w + from_x] : 0];
      }
  }
}

}  // namespace

ImageSet labelled_images(const Workload& workload, Split split, std::int64_t count) {
  const Graph& graph = workload.graph;
  const Shape& in = graph.nodes[static_cast<std::size_t>(graph.inputs.front())].shape;
  const Shape& out = graph.nodes[static_cast<std::size_t>(graph.outputs.front())].shape;
  ImageSet images = read_images(workload.data, split, in, out.elements(), 0, count);
  const char* name = split == Split::kTrain ? "training" : "test";
  if (images.count == 0)
    throw Error(ErrorKind::kInvalidInput, std::string("found no ") + name + " images");
  for (std::size_t i = 0; i < images.labels.size(); ++i)
    if (images.labels[i] < 0)
      throw Error(ErrorKind::kInvalidInput, std::string(name) + " image " + std::to_string(i) +
                                                " has no label, expected one for every image");
  return images;
}

LabelledBatch plain_batch(const ImageSet& images, const DataSpec& data, std::int64_t first,
                          std::int64_t count) {
  const ByteTable table = byte_table(data, images.shape.c);
  LabelledBatch batch;
  batch.count = count;
  batch.values.resize(static_cast<std::size_t>(count * images.shape.elements()));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t image = first + i;
    convert(&images.pixels[static_cast<std::size_t>(image * images.shape.elements())], images.shape,
            table, {}, &batch.values[static_cast<std::size_t>(i * images.shape.elements())]);
    batch.labels.push_back(images.labels[static_cast<std::size_t>(image)]);
  }
  return batch;
}

TrainingBatches::TrainingBatches(const ImageSet& images, const DataSpec& data,
                                 const TrainSpec& spec, std::uint64_t seed)
    : images_(images),
      data_(data),
      spec_(spec),
      seed_(seed),
      steps_per_epoch_(schedule_of(spec, images.count).steps_per_epoch) {}

void TrainingBatches::shuffle(std::int64_t epoch) {
  epoch_ = epoch;
  order_.resize(static_cast<std::size_t>(images_.count));
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::int64_t>(i);
  RandomStream random{seed_, kOrderStream, static_cast<std::uint64_t>(epoch)};
  for (std::size_t i = order_.size() - 1; i > 0; --i)
    std::swap(order_[i],
              order_[static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(i) + 1))]);
}

LabelledBatch TrainingBatches::at(std::int64_t step) {
  const std::int64_t epoch = step / steps_per_epoch_;
  if (epoch != epoch_) shuffle(epoch);
  const ByteTable table = byte_table(data_, images_.shape.c);
  const std::int64_t elements = images_.shape.elements();
  LabelledBatch batch;
  batch.count = std::min(spec_.batch, images_.count);
  batch.values.resize(static_cast<std::size_t>(batch.count * elements));
  for (std::int64_t i = 0; i < batch.count; ++i) {
    const std::int64_t place = step % steps_per_epoch_ * spec_.batch + i;
    const std::int64_t image = order_[static_cast<std::size_t>(place)];
    RandomStream random{seed_, kAugmentStream, static_cast<std::uint64_t>(epoch),
                        static_cast<std::uint64_t>(image)};
    Augmentation augmentation;
    augmentation.dy = random.integer(2 * spec_.crop_pad + 1) - spec_.crop_pad;
    augmentation.dx = random.integer(2 * spec_.crop_pad + 1) - spec_.crop_pad;
    augmentation.flip = spec_.flip && random.integer(2) == 1;
    convert(&images_.pixels[static_cast<std::size_t>(image * elements)], images_.shape, table,
            augmentation, &batch.values[static_cast<std::size_t>(i * elements)]);
    batch.labels.push_back(images_.labels[static_cast<std::size_t>(image)]);
  }
  return batch;
}

}  // namespace bitpulse
