// SPDX-License-Identifier: Apache-2.0
#include "sim/allocate/documents.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

namespace bitpulse {

namespace {

using Json = nlohmann::ordered_json;

std::string widths(BitOption option) {
  return std::to_string(option.weights) + "/" + std::to_string(option.activations);
}

std::string key_of(const BudgetUse& budget) {
  std::string key = budget.name + "_" + budget.unit;
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return key;
}

std::string short_number(double value) {
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return text.str();
}

/// The option of a layer whose weights and activations have these widths; options.size(): none.
std::size_t find(const BitCandidate& layer, BitOption option) {
  return static_cast<std::size_t>(std::find(layer.options.begin(), layer.options.end(), option) -
                                  layer.options.begin());
}

}  // namespace

Json allocation_json(const Allocation& allocation) {
  Json budgets = Json::array();
  for (const BudgetUse& budget : allocation.budgets) {
    budgets.push_back({{"name", budget.name},
                       {"unit", budget.unit},
                       {"limit", budget.limit ? Json(*budget.limit) : Json()},
                       {"predicted", budget.predicted},
                       {"simulated", budget.simulated}});
  }
  Json layers = Json::array();
  for (std::size_t l = 0; l < allocation.chosen.size(); ++l) {
    const BitCandidate& layer = allocation.candidates.layers[l];
    Json options = Json::array();
    for (std::size_t o = 0; o < layer.options.size(); ++o) {
      Json option = {{"weights", layer.options[o].weights},
                     {"activations", layer.options[o].activations},
                     {"loss", layer.loss[o]}};
      for (std::size_t r = 0; r < allocation.resources.size(); ++r) {
        option[key_of(allocation.budgets[r])] = allocation.resources[r].cost[l][o];
      }
      options.push_back(std::move(option));
    }
    layers.push_back({{"name", layer.name},
                      {"weights", allocation.chosen[l].weights},
                      {"activations", allocation.chosen[l].activations},
                      {"may_choose", layer.chooses},
                      {"parameters", layer.parameters},
                      {"trace", layer.trace},
                      {"options", std::move(options)}});
  }
  return {{"method", "hawq"},
          {"loss", allocation.loss},
          {"solutions", allocation.solutions},
          {"budgets", std::move(budgets)},
          {"layers", std::move(layers)}};
}

std::string allocation_table(const Allocation& allocation) {
  std::ostringstream text;
  const auto& layers = allocation.candidates.layers;
  // The widths that every choosing layer has with activations as wide as weights.
  std::vector<BitOption> shown;
  for (const BitCandidate& layer : layers) {
    if (!layer.chooses) continue;
    for (const BitOption option : layer.options) {
      if (option.weights == option.activations) shown.push_back(option);
    }
    break;
  }
  if (shown.size() > 3) shown.resize(3);
  const bool on_machine = allocation.resources.size() > 2;
  text << std::left << std::setw(24) << "layer" << std::right << std::setw(5) << "w/a";
  for (const BitOption option : shown)
    text << std::setw(9) << "loss " + std::to_string(option.weights);
  for (const BitOption option : shown) {
    text << std::setw(8) << (on_machine ? "us " : "KiB ") + std::to_string(option.weights);
  }
  text << '\n';
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const BitCandidate& layer = layers[l];
    text << std::left << std::setw(24) << layer.name.substr(0, 24) << std::right << std::setw(5)
         << widths(allocation.chosen[l]);
    const Resource& cost = allocation.resources[on_machine ? 2 : 0];
    if (!layer.chooses) {
      text << "  fixed\n";
      continue;
    }
    for (const BitOption option : shown) {
      text << std::setw(9) << short_number(layer.loss[find(layer, option)]);
    }
    for (const BitOption option : shown) {
      const double factor = on_machine ? 1e3 : 1024;
      text << std::setw(8) << short_number(factor * cost.cost[l][find(layer, option)]);
    }
    text << '\n';
  }
  text << "\nloss: average Hessian trace times squared error of the weights at that width\n"
       << (on_machine ? "us: of the layer at that width, its readers at their widest\n"
                      : "KiB: weights at that width\n");
  text << "total loss  " << short_number(allocation.loss) << '\n';
  for (const BudgetUse& budget : allocation.budgets) {
    text << std::left << std::setw(12) << budget.name << std::right << std::setprecision(5)
         << budget.simulated << ' ' << budget.unit;
    if (budget.limit) text << " of " << *budget.limit << " allowed";
    const double missed = std::abs(budget.predicted - budget.simulated);
    if (missed > 1e-9 * budget.simulated) text << " (predicted " << budget.predicted << ")";
    text << '\n';
  }
  return text.str();
}

std::string front_csv(const std::vector<Allocation>& front) {
  std::ostringstream text;
  text << std::setprecision(10) << "loss";
  if (!front.empty()) {
    for (const BudgetUse& budget : front.front().budgets) {
      text << ",predicted_" << key_of(budget) << ",simulated_" << key_of(budget);
    }
  }
  text << ",bits\n";
  for (const Allocation& allocation : front) {
    text << allocation.loss;
    for (const BudgetUse& budget : allocation.budgets) {
      text << ',' << budget.predicted << ',' << budget.simulated;
    }
    text << ',';
    for (std::size_t l = 0; l < allocation.chosen.size(); ++l) {
      text << (l > 0 ? " " : "") << widths(allocation.chosen[l]);
    }
    text << '\n';
  }
  return text.str();
}

}  // namespace bitpulse
