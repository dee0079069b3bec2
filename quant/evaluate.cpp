// SPDX-License-Identifier: Apache-2.0
#include "quant/evaluate.h"

#include <algorithm>

#include "quant/inputs.h"
#include "quant/integer/twin.h"

namespace bitpulse {

namespace {

std::uint64_t count_differences(const TensorCodes& a, const TensorCodes& b) {
  std::uint64_t differing = 0;
  for (std::size_t t = 0; t < a.size(); ++t)
    for (std::size_t i = 0; i < a[t].size(); ++i) differing += a[t][i] != b[t][i];
  return differing;
}

/// One batch of images through the three forms.
class BatchEvaluation {
 public:
  BatchEvaluation(const IntegerNetwork& network, const ImageSet& images, std::int64_t first,
                  std::int64_t count, Accuracy& accuracy)
      : network_(network), images_(images), first_(first), count_(count), accuracy_(accuracy) {}

  void integers(TensorCodes inputs, bool keep_all, const EvaluateOptions& evaluate_options) {
    ExecuteOptions options;
    options.threads = evaluate_options.threads;
    options.keep_all_tensors = keep_all;
    options.accumulation = evaluate_options.accumulation;
    ExecuteResult result = execute(network_, std::move(inputs), count_, options);
    codes_ = std::move(result.tensors);
    for (const OverflowCounts& counts : result.overflow) {
      accuracy_.overflow.intermediate += counts.intermediate;
      accuracy_.overflow.final_sum += counts.final_sum;
      accuracy_.overflow.saturations += counts.saturations;
    }
    integer_classes_ = classes(codes_);
    accuracy_.integer_top1 += hits(integer_classes_);
  }

  void twin(TensorCodes inputs, int threads) {
    const TensorCodes twin = run_twin(network_, std::move(inputs), count_, threads);
    accuracy_.fake_quant_top1 += hits(classes(twin));
    accuracy_.differing_elements += count_differences(codes_, twin);
    for (const auto& tensor : twin) accuracy_.compared_elements += tensor.size();
  }

  void reals(const FloatBatch& outputs) {
    const std::int64_t size = outputs.shape.elements();
    for (std::int64_t b = 0; b < count_; ++b) {
      const float* values = outputs.data.data() + b * size;
      const std::int64_t chosen = top1({values, values + size});
      accuracy_.float_top1 += chosen == label(b);
      accuracy_.agreement += chosen == integer_classes_[static_cast<std::size_t>(b)];
    }
  }

 private:
  std::int32_t label(std::int64_t b) const {
    return images_.labels[static_cast<std::size_t>(first_ + b)];
  }

  std::vector<std::int64_t> classes(const TensorCodes& codes) const {
    const auto output = static_cast<std::size_t>(network_.outputs[0].tensor);
    std::vector<std::int64_t> result;
    for (const auto& values : output_values(network_, codes[output], count_))
      result.push_back(top1(values));
    return result;
  }

  std::int64_t hits(const std::vector<std::int64_t>& chosen) const {
    std::int64_t count = 0;
    for (std::int64_t b = 0; b < count_; ++b)
      count += chosen[static_cast<std::size_t>(b)] == label(b);
    return count;
  }

  const IntegerNetwork& network_;
  const ImageSet& images_;
  std::int64_t first_, count_;
  Accuracy& accuracy_;
  TensorCodes codes_;
  std::vector<std::int64_t> integer_classes_;
};

}  // namespace

std::int64_t top1(const std::vector<double>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

std::vector<std::vector<double>> output_values(const IntegerNetwork& network,
                                               const std::vector<std::int32_t>& codes,
                                               std::int64_t batch) {
  const NetworkOutput& output = network.outputs[0];
  const Shape& shape = network.tensors[static_cast<std::size_t>(output.tensor)].shape;
  std::vector<std::vector<double>> values(static_cast<std::size_t>(batch));
  const std::int32_t* code = codes.data();
  for (auto& image : values) {
    image.resize(static_cast<std::size_t>(shape.elements()));
    for (std::int64_t p = 0; p < shape.pixels(); ++p)
      for (std::int64_t c = 0; c < shape.c; ++c) {
        const double scale = output.scales.size() == 1 ? output.scales[0]
                                                       : output.scales[static_cast<std::size_t>(c)];
        image[static_cast<std::size_t>(c * shape.pixels() + p)] = *code++ * scale;
      }
  }
  return values;
}

Accuracy evaluate(const Workload& workload, const Weights& weights, const IntegerNetwork& network,
                  const ImageSet& images, const EvaluateOptions& options) {
  Accuracy accuracy;
  accuracy.images = options.images < 0 ? images.count : std::min(images.count, options.images);
  accuracy.fake_quant_images =
      options.twin_images < 0 ? accuracy.images : std::min(accuracy.images, options.twin_images);
  FloatExecutor executor(workload.graph, weights, options.threads);
  const std::int64_t batch = float_batch_size(workload.graph);
  for (std::int64_t first = 0; first < accuracy.images;) {
    const bool with_twin = first < accuracy.fake_quant_images;
    const std::int64_t end = with_twin ? accuracy.fake_quant_images : accuracy.images;
    const std::int64_t n = std::min(batch, end - first);
    BatchEvaluation evaluation(network, images, first, n, accuracy);
    const TensorCodes inputs = input_codes(workload, network, images, first, n);
    evaluation.integers(inputs, with_twin, options);
    if (with_twin) evaluation.twin(inputs, options.threads);
    evaluation.reals(executor.run(float_inputs(workload, images, first, n))[0]);
    first += n;
    if (options.progress) options.progress(first);
  }
  return accuracy;
}

}  // namespace bitpulse
