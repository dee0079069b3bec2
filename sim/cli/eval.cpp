// SPDX-License-Identifier: Apache-2.0
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/error.h"
#include "quant/compare.h"
#include "quant/training_model.h"
#include "sim/cli/accuracy.h"
#include "sim/cli/command.h"
#include "sim/cli/deploy.h"
#include "sim/cli/inputs.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"

namespace bitpulse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kSeededImages = 64;
constexpr std::int64_t kMostImages = std::int64_t{1} << 32;
/// Noise of a third of the signal: a tensor below has diverged.
constexpr double kSqnrFloorDb = 10;

struct Evaluation {
  std::string workload, dataset;
  bool has_labels = false;
  Accuracy accuracy;
  std::optional<LayerComparison> training;    // of a trained model with the integers
  std::optional<LayerComparison> comparison;  // layer by layer, where asked for
};

/// Codes of low-bit tensors: the 16-bit streams of a training are real.
struct LowBitCodes {
  std::uint64_t differing = 0, compared = 0;
};
LowBitCodes low_bit_codes(const LayerComparison& comparison) {
  LowBitCodes codes;
  for (const TensorComparison& tensor : comparison.tensors) {
    if (tensor.precision.bits >= 16) continue;
    codes.differing += tensor.differing.value_or(0);
    codes.compared += tensor.elements;
  }
  return codes;
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json to_json(const TensorComparison& tensor) {
  return {{"tensor", tensor.tensor},
          {"node", tensor.node},
          {"bits", tensor.precision.bits},
          {"signed", tensor.precision.is_signed},
          {"sqnr_db", tensor.sqnr_db},
          {"elements", tensor.elements},
          {"differing", tensor.differing ? Json(*tensor.differing) : Json(nullptr)}};
}

Json to_json(const Evaluation& evaluation) {
  const Accuracy& a = evaluation.accuracy;
  const auto top1_of = [&](std::int64_t hits, std::int64_t images) {
    return evaluation.has_labels ? Json(share(hits, images)) : Json(nullptr);
  };
  const auto top1 = [&](std::int64_t hits) { return top1_of(hits, a.images); };
  Json json = {{"schema", "bitpulse/evaluation/1"},
               {"workload", evaluation.workload},
               {"dataset", evaluation.dataset},
               {"images", a.images},
               {"float_top1", top1(a.float_top1)},
               {"fake_quant_images", a.fake_quant_images},
               {"fake_quant_top1", top1_of(a.fake_quant_top1, a.fake_quant_images)},
               {"integer_top1", top1(a.integer_top1)},
               {"top1_agreement", share(a.agreement, a.images)},
               {"differing_elements", a.differing_elements},
               {"compared_elements", a.compared_elements},
               {"overflow",
                {{"intermediate", a.overflow.intermediate},
                 {"final", a.overflow.final_sum},
                 {"saturations", a.overflow.saturations}}}};
  if (evaluation.training) {
    const LowBitCodes codes = low_bit_codes(*evaluation.training);
    json["training_top1"] = top1(evaluation.training->real_top1);
    json["training_agreement"] = share(evaluation.training->agreement, a.images);
    json["training_differing_elements"] = codes.differing;
    json["training_compared_elements"] = codes.compared;
  }
  if (!evaluation.comparison) return json;
  Json tensors = Json::array();
  for (const TensorComparison& tensor : evaluation.comparison->tensors) {
    tensors.push_back(to_json(tensor));
  }
  json["tensors"] = std::move(tensors);
  const auto& first = evaluation.comparison->first_diverging;
  json["first_diverging"] =
      first ? Json(evaluation.comparison->tensors[*first].tensor) : Json(nullptr);
  return json;
}

void print(const LayerComparison& comparison, std::ostream& out) {
  out << "\ntensor                            bits   SQNR dB   differing codes\n";
  for (const TensorComparison& tensor : comparison.tensors) {
    const std::string bits =
        std::to_string(tensor.precision.bits) + (tensor.precision.is_signed ? "s" : "u");
    out << std::left << std::setw(34) << tensor.tensor << std::right << std::setw(4) << bits
        << std::fixed << std::setprecision(2) << std::setw(10) << tensor.sqnr_db;
    if (tensor.differing) out << std::setw(16) << tensor.differing_share() * 100 << " %";
    out << '\n';
  }
  out << "codes differ from the real value on the tensor's own scale; ";
  out << (comparison.first_diverging ? "the first tensor below " : "no tensor is below ")
      << std::setprecision(0) << kSqnrFloorDb << " dB";
  if (comparison.first_diverging) {
    out << " is " << comparison.tensors[*comparison.first_diverging].tensor;
  }
  out << '\n';
}

void print(const Evaluation& evaluation, std::ostream& out) {
  const Accuracy& a = evaluation.accuracy;
  out << evaluation.workload << ", " << a.images << " images (" << evaluation.dataset << ")\n\n"
      << std::fixed << std::setprecision(2);
  if (evaluation.has_labels) {
    const auto line_of = [&](const char* name, std::int64_t hits, std::int64_t images) {
      out << name << std::setw(6) << share(hits, images) * 100 << " %  " << hits << " of " << images
          << '\n';
    };
    const auto line = [&](const char* name, std::int64_t hits) { line_of(name, hits, a.images); };
    line("top-1 float       ", a.float_top1);
    if (evaluation.training) line("top-1 training    ", evaluation.training->real_top1);
    line_of("top-1 fake-quant  ", a.fake_quant_top1, a.fake_quant_images);
    line("top-1 integer     ", a.integer_top1);
  }
  out << "same answer       " << std::setw(6) << share(a.agreement, a.images) * 100
      << " %  of float and integers\n"
      << "fake-quant codes  " << a.differing_elements << " of " << a.compared_elements
      << " differ from the integers\n"
      << "overflow          " << a.overflow.intermediate << " intermediate, "
      << a.overflow.final_sum << " final, " << a.overflow.saturations
      << " saturations after the sum\n";
  if (evaluation.training) {
    const LowBitCodes codes = low_bit_codes(*evaluation.training);
    out << "training model    " << std::setw(6)
        << share(evaluation.training->agreement, a.images) * 100
        << " %  the same answer as the integers; " << codes.differing << " of " << codes.compared
        << " low-bit codes ("
        << 100 * static_cast<double>(codes.differing) /
               static_cast<double>(std::max<std::uint64_t>(codes.compared, 1))
        << " %) differ\n";
  }
  if (evaluation.comparison) print(*evaluation.comparison, out);
}

int eval(const Arguments& arguments) {
  limit_memory(arguments);
  const int threads = thread_count(arguments);
  const Inputs inputs =
      read_inputs(arguments.positional().front(), arguments.text("machine"), arguments.all("set"));
  const Workload& workload = inputs.workload.workload;
  structure_of(inputs.workload);  // refuses what cannot be lowered before any work
  Evaluation evaluation;
  evaluation.workload = workload.name;
  evaluation.dataset = dataset_name(workload.data);
  evaluation.has_labels = workload.data.format != DataFormat::kNone;
  const std::int64_t images =
      arguments.integer("images", evaluation.has_labels ? -1 : kSeededImages, 1, kMostImages);

  {
    Progress progress;
    const Deployment deployment = deploy(workload, threads, progress);
    std::optional<Machine> machine;
    if (inputs.machine) machine = inputs.machine->machine;
    evaluation.accuracy = measure_accuracy(
        workload, deployment, accumulation_on(machine, deployment.network, workload.batch), images,
        arguments.integer("twin-images", -1, 1, kMostImages), threads, progress);
    const std::optional<Weights> model = trained_model(workload);
    if (model || arguments.has("compare-layers")) {
      progress.phase("comparing tensors");
      const ImageSet test = load_images(workload, Split::kTest, images);
      if (model) {
        TrainingModel trained(workload, *model, threads);
        const auto run = [&](const std::vector<FloatBatch>& batch, const NodeObserver& observer) {
          return trained.run(batch, observer);
        };
        evaluation.training = compare_layers(workload, run, deployment.network, test, test.count,
                                             kSqnrFloorDb, threads);
      }
      if (arguments.has("compare-layers")) {
        evaluation.comparison =
            model ? *evaluation.training
                  : compare_layers(workload, deployment.weights, deployment.network, test,
                                   test.count, kSqnrFloorDb, threads);
      }
    }
  }
  if (arguments.has("json")) {
    std::cout << to_json(evaluation).dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    print(evaluation, std::cout);
  }
  return 0;
}

}  // namespace

Subcommand eval_command() {
  return {"eval",
          "WORKLOAD [options]",
          "Measures accuracy: float, fake-quant and integer.",
          1,
          1,
          {{"machine", "MACHINE", "add in this machine's order and width"},
           {"images", "N", "the first N test images (default: all)"},
           {"twin-images", "N", "of these, the first N as fake-quant (default: all); slow"},
           {"compare-layers", nullptr, "SQNR and share of differing codes of every tensor"},
           kSetOption,
           kThreadsOption,
           kMemoryOption,
           kJsonOption},
          {"bitpulse eval resnet20-cifar-w4a4-mixed --compare-layers",
           "bitpulse eval my-workload.json --machine int4-32x32-ws --images 500 --json"},
          eval};
}

}  // namespace bitpulse
