// SPDX-License-Identifier: Apache-2.0
// The image set that the program makes itself. Integers only, and every image a function of its
// split and index, so that each machine makes the same bytes of any part of the set.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "models/io/image_formats.h"
#include "models/random.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kSide = 24;
constexpr std::int64_t kTrainImages = 8000;
constexpr std::int64_t kTestImages = 2000;
constexpr std::int64_t kClasses = 10;

// Lengths on the image are in sixteenths of a pixel; a figure lies within +-64 of its own units.
constexpr std::int64_t kPixel = 16;
constexpr std::int64_t kUnit = 64;
constexpr std::int64_t kShift = 3 * kPixel;     // of the centre
constexpr std::int64_t kSmallest = 5 * kPixel;  // radius
constexpr std::int64_t kLargest = 9 * kPixel;
constexpr std::int64_t kTilt = 32;      // tangent, of 64
constexpr std::int64_t kContrast = 40;  // of the figure's colour, in each channel
constexpr std::int64_t kSlope = 4;      // of the ground, per pixel
constexpr std::int64_t kNoise = 56;

using Colour = std::array<std::int64_t, 3>;

std::int64_t between(RandomStream& random, std::int64_t least, std::int64_t most) {
  return least + random.integer(most - least + 1);
}

Colour any_colour(RandomStream& random) {
  return {random.integer(256), random.integer(256), random.integer(256)};
}

/// Differs from `other` by kContrast or more in every channel.
Colour contrasting(RandomStream& random, Colour other) {
  for (std::int64_t& c : other) c = (c + between(random, kContrast, 256 - kContrast)) & 255;
  return other;
}

/// Whether a point of the plane lies in the figure of a class.
bool is_inside(std::int64_t label, std::int64_t x, std::int64_t y) {
  const std::int64_t across = std::abs(x), down = std::abs(y);
  const std::int64_t far = std::max(across, down), near = std::min(across, down);
  const std::int64_t square = x * x + y * y;
  switch (label) {
    case 0:  // disc
      return square <= 60 * 60;
    case 1:  // ring
      return square <= 62 * 62 && square >= 36 * 36;
    case 2:  // square
      return far <= 54;
    case 3:  // frame
      return far <= 56 && far >= 32;
    case 4:  // triangle
      return y <= 50 && 2 * across <= y + 64;
    case 5:  // cross
      return far <= 60 && near <= 18;
    case 6:  // bars
      return far <= 60 && (y + 60) / 24 % 2 == 0;
    case 7:  // chequer
      return far <= 56 && (x < 0) == (y < 0);
    case 8:  // crescent
      return square <= 64 * 64 && (x - 30) * (x - 30) + y * y >= 46 * 46;
    default:  // hourglass
      return down <= 58 && across <= down;
  }
}

class Picture {
 public:
  explicit Picture(std::uint8_t* pixels) : pixels_(pixels) {}

  /// A colour that changes evenly along both axes.
  void fill(const Colour& colour, std::int64_t along_x, std::int64_t along_y) {
    for (std::int64_t y = 0; y < kSide; ++y)
      for (std::int64_t x = 0; x < kSide; ++x) {
        const std::int64_t change = along_x * (x - kSide / 2) + along_y * (y - kSide / 2);
        for (std::size_t c = 0; c < 3; ++c) set(c, x, y, colour[c] + change);
      }
  }

  /// Paints where `covers(x, y)`, asked at four points of every pixel.
  template <typename Covers>
  void paint(const Colour& colour, const Covers& covers) {
    for (std::int64_t y = 0; y < kSide; ++y)
      for (std::int64_t x = 0; x < kSide; ++x) {
        std::int64_t hits = 0;
        for (const std::int64_t v : {4, 12})
          for (const std::int64_t u : {4, 12}) hits += covers(x * kPixel + u, y * kPixel + v);
        for (std::size_t c = 0; c < 3; ++c)
          set(c, x, y, (hits * colour[c] + (4 - hits) * at(c, x, y)) / 4);
      }
  }

  void add_noise(RandomStream& random) {
    for (std::size_t c = 0; c < 3; ++c)
      for (std::int64_t y = 0; y < kSide; ++y)
        for (std::int64_t x = 0; x < kSide; ++x)
          set(c, x, y, at(c, x, y) + between(random, -kNoise, kNoise));
  }

 private:
  std::uint8_t& at(std::size_t c, std::int64_t x, std::int64_t y) {
    return pixels_[static_cast<std::int64_t>(c) * kSide * kSide + y * kSide + x];
  }
  void set(std::size_t c, std::int64_t x, std::int64_t y, std::int64_t value) {
    at(c, x, y) = static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
  }

  std::uint8_t* pixels_;
};

void paint_bar(Picture& picture, RandomStream& random) {
  const std::int64_t x = random.integer(kSide * kPixel), y = random.integer(kSide * kPixel);
  const std::int64_t wide = between(random, kPixel, 3 * kPixel);
  const std::int64_t high = between(random, kPixel, 3 * kPixel);
  picture.paint(any_colour(random), [&](std::int64_t px, std::int64_t py) {
    return std::abs(px - x) <= wide && std::abs(py - y) <= high;
  });
}

void paint_figure(Picture& picture, RandomStream& random, std::int64_t label,
                  const Colour& colour) {
  const std::int64_t centre = kSide * kPixel / 2;
  const std::int64_t x = centre + between(random, -kShift, kShift);
  const std::int64_t y = centre + between(random, -kShift, kShift);
  const std::int64_t radius = between(random, kSmallest, kLargest);
  const std::int64_t tilt = between(random, -kTilt, kTilt);
  picture.paint(colour, [&](std::int64_t px, std::int64_t py) {
    const std::int64_t dx = px - x, dy = py - y;
    return is_inside(label, (kUnit * dx + tilt * dy) / radius, (kUnit * dy - tilt * dx) / radius);
  });
}

void make_image(std::uint64_t split, std::int64_t index, std::uint8_t* pixels) {
  RandomStream random{split, static_cast<std::uint64_t>(index)};
  Picture picture(pixels);
  const Colour ground = any_colour(random);
  const std::int64_t along_x = between(random, -kSlope, kSlope);
  picture.fill(ground, along_x, between(random, -kSlope, kSlope));
  for (int bar = 0; bar < 2; ++bar) paint_bar(picture, random);
  paint_figure(picture, random, index % kClasses, contrasting(random, ground));
  paint_bar(picture, random);
  picture.add_noise(random);
}

}  // namespace

ImageSet make_figures(Split split, const ImageRequest& request) {
  if (request.shape != Shape{3, kSide, kSide})
    fail_image(request.images, "found images of 3 x 24 x 24, expected another size");
  const std::int64_t available = split == Split::kTest ? kTestImages : kTrainImages;
  ImageSet images;
  images.shape = request.shape;
  images.count = images_to_read(request, available);
  images.pixels.resize(static_cast<std::size_t>(images.count * request.shape.elements()));
  for (std::int64_t i = 0; i < images.count; ++i) {
    const std::int64_t index = request.first + i;
    images.labels.push_back(static_cast<std::int32_t>(index % kClasses));
    make_image(static_cast<std::uint64_t>(split), index,
               &images.pixels[static_cast<std::size_t>(i * request.shape.elements())]);
  }
  return images;
}

}  // namespace bitpulse
