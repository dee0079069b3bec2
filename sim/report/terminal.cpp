// SPDX-License-Identifier: Apache-2.0

// The report as people read it first: one row per layer, a total, and what the columns mean, at
// most 80 columns wide.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string_view>

#include "models/text.h"
#include "sim/report/report.h"

namespace bitpulse {
namespace {

constexpr std::size_t kNameWidth = 16;
constexpr std::size_t kTitleWidth = 30;
constexpr std::size_t kColumns = 78;
constexpr std::size_t kLabelWidth = 12;

/// printf into a string.
template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// 1234567 as 1,234,567.
std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3) {
    text.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return text;
}

/// At most `width` characters; the end of a long name says which layer it is.
std::string fitted(const std::string& name, std::size_t width) {
  const std::string shown = printable(name, name.size() + 1);
  if (utf8_size(shown) <= width) return shown;
  std::string_view end = shown;
  const auto begins_inside = [&] { return (static_cast<unsigned char>(end[0]) & 0xc0) == 0x80; };
  while (utf8_size(end) > width - 2 || begins_inside()) end.remove_prefix(1);
  return ".." + std::string(end);
}

std::string widths(const LayerPlan& plan) {
  if (plan.width_groups.empty()) return "";
  auto [low, high] = std::minmax_element(
      plan.width_groups.begin(), plan.width_groups.end(),
      [](const WidthGroup& a, const WidthGroup& b) { return a.weight_bits < b.weight_bits; });
  std::string text = std::to_string(plan.act_bits) + '/' + std::to_string(low->weight_bits);
  if (low->weight_bits != high->weight_bits) text += '-' + std::to_string(high->weight_bits);
  return text;
}

std::uint64_t array_stall(const StallMatrix& stall) {
  std::uint64_t sum = 0;
  for (const std::uint64_t cycles : stall[static_cast<std::size_t>(Unit::kArray)]) sum += cycles;
  return sum;
}

template <class Tag>
double total(const std::map<std::string, Quantity<Tag, double>>& components) {
  double sum = 0;
  for (const auto& component : components) sum += component.second.value;
  return sum;
}

std::string row(const std::string& name, const std::string& bits, std::int64_t macs,
                std::uint64_t cycles, double utilization, double array_utilization,
                const StallMatrix& stall, const Counters& counters, double energy_pj) {
  const double bytes = static_cast<double>(counters.dram_read_bytes) +
                       static_cast<double>(counters.dram_write_bytes);
  const std::string shown = fitted(name, kNameWidth);
  const std::size_t name_bytes = kNameWidth + shown.size() - utf8_size(shown);
  return format("%-*s %-5s %7.2f %10s %5.1f %5.1f %9s %8.1f %7.2f\n", static_cast<int>(name_bytes),
                shown.c_str(), bits.c_str(), static_cast<double>(macs) / 1e6,
                grouped(cycles).c_str(), utilization * 100, array_utilization * 100,
                grouped(array_stall(stall)).c_str(), bytes / 1024, energy_pj / 1e6);
}

/// `words` after `label`, broken into lines of at most kColumns that are aligned below the first.
std::string wrapped(const std::string& label, const std::vector<std::string>& words) {
  const std::size_t indent = std::max(kLabelWidth, label.size() + 1);
  std::string text = label + std::string(indent - label.size(), ' ');
  std::size_t column = indent;
  for (const std::string& word : words) {
    const bool is_first = column == indent;
    if (!is_first && column + 1 + word.size() > kColumns) {
      text += '\n' + std::string(kLabelWidth, ' ');
      column = kLabelWidth;
    } else if (!is_first) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
  }
  return text + '\n';
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// "a 1.00 (50 %)," ... largest first.
template <class Tag>
std::vector<std::string> shares(const std::map<std::string, Quantity<Tag, double>>& components,
                                double unit) {
  std::vector<std::pair<double, std::string>> sorted;
  sorted.reserve(components.size());
  for (const auto& [name, amount] : components) sorted.emplace_back(-amount.value, name);
  std::sort(sorted.begin(), sorted.end());
  const double whole = total(components);
  std::vector<std::string> items{format("%.4g:", whole / unit)};
  for (const auto& [amount, name] : sorted) {
    const double percent = whole > 0 ? -amount / whole * 100 : 0;
    items.push_back(format("%s %.4g (%.1f %%)%s", name.c_str(), -amount / unit, percent,
                           name == sorted.back().second ? "" : ","));
  }
  return items;
}

/// A path below the working directory without it.
std::string shorter(const std::string& path) {
  std::error_code failure;
  const auto here = std::filesystem::current_path(failure);
  const std::string relative = std::filesystem::path(path).lexically_proximate(here).string();
  return !failure && relative.size() < path.size() ? relative : path;
}

std::string accuracy_lines(const AccuracyReport& accuracy) {
  const Accuracy& counts = accuracy.counts;
  const auto percent = [&](std::int64_t hits) {
    return 100.0 * static_cast<double>(hits) /
           static_cast<double>(std::max<std::int64_t>(1, counts.images));
  };
  return format("top-1       float %.2f %%, fake-quant %.2f %%, integer %.2f %%, %lld images\n",
                percent(counts.float_top1), percent(counts.fake_quant_top1),
                percent(counts.integer_top1), static_cast<long long>(counts.images)) +
         "            of " + accuracy.dataset + "; integers by the " + accuracy.integer_engine +
         '\n';
}

/// "bits        chosen by hawq: latency 0.03391 of 0.035 ms".
std::string allocation_lines(const Allocation& allocation) {
  std::string text = "bits        chosen by hawq:";
  for (const BudgetUse& budget : allocation.budgets) {
    if (!budget.limit) continue;
    text += format(" %s %.4g of %.4g %s;", budget.name.c_str(), budget.simulated, *budget.limit,
                   budget.unit.c_str());
  }
  text.back() = '\n';
  return text;
}

}  // namespace

std::string terminal_table(const Report& report) {
  const Machine& machine = report.machine;
  const Totals& totals = report.totals;
  std::string text = fitted(report.workload.name, kColumns) + "\non " +
                     fitted(machine.name, kTitleWidth) +
                     format(" (%ux%u %s %s), engine ", machine.array.rows, machine.array.cols,
                            to_string(machine.array.pe), to_string(machine.array.dataflow)) +
                     report.engine + ", batch " + std::to_string(report.workload.batch) + "\n\n";
  text += format("%-*s %-5s %7s %10s %5s %5s %9s %8s %7s\n", static_cast<int>(kNameWidth), "layer",
                 "a/w", "MMACs", "cycles", "util%", "busy%", "stalled", "DRAM KiB", "uJ");
  for (const LayerReport& layer : report.layers) {
    text += row(layer.plan.name, widths(layer.plan), layer.plan.macs, layer.timeline.cycles,
                layer.utilization, layer.array_utilization, layer.timeline.stall, layer.counters,
                total(layer.energy));
  }
  text += row("total", "", totals.macs, totals.cycles, totals.utilization, totals.array_utilization,
              totals.stall, totals.counters, total(totals.energy));
  text += format("\n%.4g ms at %g MHz, %.4g GOP/s (2 operations per MAC)\n", totals.time_ms,
                 machine.clock_mhz, totals.gops);
  text +=
      "a/w: bits of activations and weights. util%: share of all PEs' peak, over all\n"
      "cycles; busy%: over the cycles the array was busy. stalled: cycles the array,\n"
      "idle, waited for memory or the vector unit before commands of the layer, even\n"
      "while others ran. DRAM: read and written. A layer's cycles run from the last\n"
      "finish of the layers before it to its own: they sum up.\n";
  text += wrapped("energy uJ", shares(totals.energy, 1e6));
  text += wrapped("area mm2", shares(totals.area, 1e6));
  text += "technology  " + report.technology.node + ", " + shorter(report.technology.file) + '\n';
  for (const std::string& entry : report.technology.extrapolated) {
    text += wrapped("  warning:", words_of("beyond its source: " + entry));
  }
  if (report.has_values) {
    text += "overflow    " + grouped(totals.counters.overflow_intermediate) + " intermediate, " +
            grouped(totals.counters.overflow_final) + " final, " +
            grouped(totals.counters.saturations) + " saturations after the sum\n";
  }
  if (report.allocation) text += allocation_lines(*report.allocation);
  if (report.accuracy) text += accuracy_lines(*report.accuracy);
  return text;
}

}  // namespace bitpulse
