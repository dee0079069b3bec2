// SPDX-License-Identifier: Apache-2.0
#include "quant/train/sensitivity_command.h"

#include <iostream>
#include <optional>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/workload_reader.h"
#include "models/text.h"
#include "quant/train/progress.h"
#include "quant/train/sensitivity.h"
#include "quant/train/words.h"

namespace bitpulse {

namespace {

constexpr const char* kHelp =
    "usage: bitpulse-train sensitivity WORKLOAD --out FILE [options]\n\n"
    "Estimates how much the loss of the float network feels each layer's weights: the\n"
    "trace of the Hessian's block by Hutchinson's method, over the first training\n"
    "images. The choice of bits (\"bits\": {\"auto\": \"hawq\"}) reads the file.\n\n"
    "  --out FILE              to write\n"
    "  --set /pointer=value    override a key of the workload (repeatable)\n"
    "  --images N              training images (default: 512)\n"
    "  --batch N               of them at once (default: 128)\n"
    "  --draws N               at most so many random vectors (default: 50)\n"
    "  --activation-draws N    vectors per image for the layers' inputs, which\n"
    "                          \"activations\": \"free\" needs (default: 0, none)\n"
    "  --traces FILE           of weights to take from a file that was made without\n"
    "                          --activation-draws, all else being the same\n"
    "  --tolerance X           end when a draw moves no mean by more (default: 0.001)\n"
    "  --seed N                of the vectors (default: the workload's)\n"
    "  --method M              double_backward (default), or finite_difference: a check\n"
    "                          that crosses the kinks of ReLUs\n"
    "  --step X                of a difference, as a share of the weights (default: 1e-5)\n"
    "  --device cpu|cuda       where to compute (default: cpu)\n"
    "  --threads N             threads (default: all)\n\nexample:\n"
    "  bitpulse-train sensitivity my-net.json --out my-net.hessian.json\n";

constexpr std::int64_t kMost = 1'000'000;

HessianProduct product_of(const std::string& name) {
  if (name == "finite_difference") return HessianProduct::kFiniteDifference;
  if (name == "double_backward") return HessianProduct::kDoubleBackward;
  throw Error(ErrorKind::kUsage, "--method: found \"" + printable(name) +
                                     "\", expected finite_difference or double_backward");
}

}  // namespace

int run_sensitivity(const std::vector<std::string>& words) {
  const Words line(
      words, {"--out", "--set", "--images", "--batch", "--draws", "--activation-draws", "--traces",
              "--tolerance", "--seed", "--method", "--step", "--device", "--threads"});
  if (line.help()) {
    std::cout << kHelp;
    return 0;
  }
  const std::string out = line.required("--out");
  const Workload workload = read_workload(load_workload(line.workload(), line.overrides()));
  SensitivityOptions options;
  options.images = line.integer("--images", options.images, 1, kMost);
  options.batch = line.integer("--batch", options.batch, 1, kMost);
  options.device = line.text("--device", options.device);
  options.threads = line.threads();
  HutchinsonOptions& hutchinson = options.hutchinson;
  hutchinson.draws = line.integer("--draws", hutchinson.draws, 1, kMost);
  options.activation_draws = line.integer("--activation-draws", 0, 0, kMost);
  hutchinson.tolerance = line.number("--tolerance", hutchinson.tolerance, 0, 1);
  hutchinson.seed = static_cast<std::uint64_t>(
      line.integer("--seed", static_cast<std::int64_t>(workload.seed), 0, std::int64_t{1} << 53));
  hutchinson.product = product_of(line.text("--method", "double_backward"));
  hutchinson.step = line.number("--step", hutchinson.step, 1e-9, 1);
  const std::string traces = line.text("--traces", "");
  if (!traces.empty()) options.traces = load_json(traces);
  TrainProgress of_draws("sensitivity", "draw", 0, hutchinson.draws);
  hutchinson.progress = [&](std::int64_t done) { of_draws.update(done); };
  std::optional<TrainProgress> of_images;
  options.activation_progress = [&](std::int64_t done, std::int64_t total) {
    if (done == 0) of_images.emplace("sensitivity of activations", "image", 0, total);
    if (done > 0) of_images->update(done);
  };
  write_file_atomically(out, to_json(sensitivity_of(workload, options), workload, options));
  return 0;
}

}  // namespace bitpulse
