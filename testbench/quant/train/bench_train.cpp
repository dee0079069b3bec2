// SPDX-License-Identifier: Apache-2.0
// What a training step costs with quantizers that learn: ResNet-20, batch 128, float, LSQ and LLSQ
// at 4 bits in turns, so that a busy machine slows all alike. Prints JSON; not a test.

#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "models/nets/nets.h"
#include "quant/train/batches.h"
#include "quant/train/initial_weights.h"
#include "quant/train/loss.h"
#include "quant/train/network.h"
#include "quant/train/quantizers.h"
#include "quant/train/sgd.h"

namespace bitpulse {
namespace {

constexpr std::int64_t kBatch = 128;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// One way to train, and what its steps took.
class Contender {
 public:
  explicit Contender(const std::string& method) : method_(method), workload_(workload(method)) {
    sgd_ = std::make_unique<Sgd>(
        std::vector<ParameterGroup>{{network_.parameters(), 1e-4}, {quantizers_.steps(), 0}});
  }

  /// Sets the quantizers' first steps.
  void begin(const at::Tensor& inputs) {
    const at::NoGradGuard no_gradients;
    network_.forward(inputs, false, &quantizers_);
  }

  void step(const at::Tensor& inputs, const at::Tensor& labels) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    sgd_->zero_gradients();
    const at::Tensor logits = network_.forward(inputs, true, &quantizers_);
    training_loss(logits, labels, {}, 0, 1).backward();
    sgd_->step(1e-3);
    quantizers_.after_step();
    cpu_.push_back(cpu_seconds() - cpu);
    wall_.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

  /// Without the first, which warms up.
  static double fastest(const std::vector<double>& times) {
    return *std::min_element(times.begin() + 1, times.end());
  }
  static double median(std::vector<double> times) {
    times.erase(times.begin());
    std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2),
                     times.end());
    return times[times.size() / 2];
  }

  void print(const Contender& base, const char* end) const {
    std::printf(
        "  \"%s\": {\"fastest_s\": %.4f, \"median_s\": %.4f, \"median_cpu_s\": %.4f, "
        "\"fastest_over_float\": %.3f, \"median_over_float\": %.3f, "
        "\"cpu_over_float\": %.3f}%s\n",
        method_.c_str(), fastest(wall_), median(wall_), median(cpu_),
        fastest(wall_) / fastest(base.wall_), median(wall_) / median(base.wall_),
        median(cpu_) / median(base.cpu_), end);
  }

 private:
  static Workload workload(const std::string& method) {
    Workload workload;
    workload.graph = build_network("resnet20-cifar");
    QuantizationSpec& spec = workload.quantization;
    spec.method = method;
    spec.weights = spec.activations = 4;
    spec.first_last = 8;
    if (method == "llsq") spec.residual = ResidualStyle::kLowBit;
    return workload;
  }

  std::string method_;
  Workload workload_;
  TorchNetwork network_{workload_.graph, initial_weights(workload_.graph, 1), at::kCPU};
  Quantizers quantizers_{workload_, at::kCPU};
  std::unique_ptr<Sgd> sgd_;
  std::vector<double> wall_, cpu_;
};

void run(int steps, int threads) {
  at::set_num_threads(threads);
  ImageSet images = seeded_images({3, 32, 32}, kBatch, 1);
  for (std::size_t i = 0; i < images.labels.size(); ++i)
    images.labels[i] = static_cast<std::int32_t>(i % 10);
  const LabelledBatch batch = plain_batch(images, {}, 0, kBatch);
  const at::Tensor inputs = to_tensor(batch.values, {kBatch, 3, 32, 32}, at::kCPU);
  const at::Tensor labels = at::tensor(batch.labels, at::kLong);
  Contender real("float"), lsq("lsq"), llsq("llsq");
  for (Contender* contender : {&real, &lsq, &llsq}) contender->begin(inputs);
  for (int i = 0; i <= steps; ++i)
    for (Contender* contender : {&real, &lsq, &llsq}) contender->step(inputs, labels);
  std::printf(
      "{\n  \"network\": \"resnet20-cifar\", \"batch\": %d, \"threads\": %d, "
      "\"steps\": %d,\n",
      static_cast<int>(kBatch), threads, steps);
  real.print(real, ",");
  lsq.print(real, ",");
  llsq.print(real, "");
  std::printf("}\n");
}

}  // namespace
}  // namespace bitpulse

/// bench_train [STEPS [THREADS]]
int main(int argc, char** argv) {
  bitpulse::run(argc > 1 ? std::max(std::atoi(argv[1]), 1) : 9,
                argc > 2 ? std::max(std::atoi(argv[2]), 1) : 1);
}
