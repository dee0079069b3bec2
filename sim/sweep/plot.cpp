// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/plot.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "models/error.h"
#include "models/io/files.h"
#include "models/text.h"
#include "models/units.h"
#include "sim/sweep/pareto.h"
#include "sim/sweep/process.h"

namespace bitpulse {
namespace {

constexpr std::size_t kMaxPanels = 16;
constexpr double kLogarithmic = 5;  // from this ratio of largest to smallest on
constexpr long kCells = 400;        // per axis; points of one cell are drawn once
constexpr int kPanelWidth = 480, kPanelHeight = 380, kTitleHeight = 40;
constexpr double kTimeout = 120;  // s

struct AxisStyle {
  const char* title;
  double unit;  // in the objective's own
};
AxisStyle style_of(Objective objective) {
  switch (objective) {
    case Objective::kCycles:
      return {"million cycles", 1e6};
    case Objective::kTimeMs:
      return {"time, ms", 1};
    case Objective::kEnergyPj:
      return {"energy, uJ", 1e6};
    case Objective::kAreaMm2:
      return {"chip area, mm2", 1};
    case Objective::kEdp:
      return {"energy times time, uJ ms", 1e6};
    case Objective::kAccuracy:
      break;
  }
  return {"accuracy", 1};
}

/// What stands on the axis: accuracy as it is, though the front maximizes it.
double plotted(const Row& row, Objective objective) {
  const double value = objective_value(row.metrics, objective) / style_of(objective).unit;
  return objective == Objective::kAccuracy ? -value : value;
}

struct Extent {
  double min = std::numeric_limits<double>::max(), max = std::numeric_limits<double>::lowest();
  void add(double value) {
    min = std::min(min, value);
    max = std::max(max, value);
  }
  bool logarithmic() const { return min > 0 && max / min >= kLogarithmic; }
  double place(double value) const { return logarithmic() ? std::log(value) : value; }
  long cell(double value) const {
    const double span = place(max) - place(min);
    return span > 0 ? std::lround((place(value) - place(min)) / span * static_cast<double>(kCells))
                    : 0;
  }
};

struct Panel {
  std::vector<const Row*> front, dominated;
};

std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char c : printable(text, 60)) all += c == '\'' ? std::string("''") : std::string(1, c);
  return all + "'";
}

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

/// Writes gnuplot's commands.
class Script {
 public:
  Script(const SweepSpec& spec, const std::map<std::string, Panel>& panels) : spec_(spec) {
    const auto count = static_cast<int>(panels.size());
    const int across = static_cast<int>(std::ceil(std::sqrt(count)));
    const int down = static_cast<int>(ceil_div(count, across));
    text_ = "set terminal svg noenhanced background 'white' font 'sans-serif,12' size " +
            std::to_string(across * kPanelWidth) + "," +
            std::to_string(down * kPanelHeight + kTitleHeight) + "\nset multiplot layout " +
            std::to_string(down) + "," + std::to_string(across) + " title " + quoted(spec.name) +
            "\nset grid lc rgb '#e4e4e4'\nset key above samplen 1\n"
            "set palette defined (0 '#440154', 1 '#31688e', 2 '#35b779', 3 '#e0c41d')\n";
    for (const auto& [scope, panel] : panels) draw(scope, panel);
  }
  const std::string& text() const { return text_; }

 private:
  bool has_colour() const { return spec_.objectives.size() > 2; }

  /// 1, 2 and 5 times every power of ten in reach.
  static std::string ticks(const Extent& extent) {
    std::string all;
    for (double decade = std::pow(10, std::floor(std::log10(extent.min))); decade <= extent.max;
         decade *= 10) {
      for (const double part : {1, 2, 5}) all += (all.empty() ? "" : ",") + number(part * decade);
    }
    return all;
  }

  /// `name`: x, y or cb.
  Extent axis(const std::string& name, Objective objective, const Panel& panel) {
    Extent extent;
    for (const auto* rows : {&panel.front, &panel.dominated}) {
      for (const Row* row : *rows) extent.add(plotted(*row, objective));
    }
    text_ += "set " + name + "label " + quoted(style_of(objective).title) + "\n";
    const double low = extent.min, high = extent.max;
    if (extent.logarithmic()) {
      text_ += "set logscale " + name + "\nset " + name + "tics (" + ticks(extent) + ")\nset " +
               name + "range [" + number(low / 1.15) + ":" + number(high * 1.15) + "]\n";
    } else {
      // A range of one value is none to gnuplot.
      const double slack = high > low ? (high - low) * 0.04 : std::abs(high) * 0.1 + 1e-9;
      text_ += "unset logscale " + name + "\nset " + name + "tics autofreq\nset " + name +
               "range [" + number(low - slack) + ":" + number(high + slack) + "]\n";
    }
    return extent;
  }

  void point(const Row& row) {
    for (std::size_t o = 0; o < std::min<std::size_t>(3, spec_.objectives.size()); ++o) {
      text_ += number(plotted(row, spec_.objectives[o])) + " ";
    }
    text_ += std::to_string(row.point.id) + "\n";
  }

  void draw(const std::string& scope, Panel panel) {
    const Objective across = spec_.objectives[0], up = spec_.objectives[1];
    text_ += "set title " + quoted(scope) + "\n";
    const Extent x = axis("x", across, panel), y = axis("y", up, panel);
    if (has_colour()) axis("cb", spec_.objectives[2], panel);
    std::sort(panel.front.begin(), panel.front.end(), [&](const Row* a, const Row* b) {
      return plotted(*a, across) < plotted(*b, across);
    });
    /// The rows that lie in different squares of `side` cells.
    const auto data = [&](const char* name, const std::vector<const Row*>& rows, long side) {
      std::set<std::pair<long, long>> taken;
      text_ += std::string(name) + " << END\n";
      for (const Row* row : rows) {
        const long column = x.cell(plotted(*row, across)), line = y.cell(plotted(*row, up));
        if (taken.emplace(column / side, line / side).second) point(*row);
      }
      text_ += "END\n";
    };
    data("$dominated", panel.dominated, 1);
    data("$front", panel.front, 1);
    data("$named", panel.front, kCells / 12);
    text_ += "plot ";
    if (!panel.dominated.empty()) {
      text_ += "$dominated using 1:2 with points pt 7 ps 0.35 lc rgb '#b8b8b8' title 'dominated', ";
    }
    if (has_colour()) {
      text_ += "$front using 1:2:3 with points pt 7 ps 0.7 lc palette title 'front'";
    } else {
      text_ += std::string("$front using 1:2 with ") +
               (across == Objective::kAccuracy ? "fsteps" : "steps") +
               " lw 1.5 lc rgb '#9dbbe0' notitle, "
               "$front using 1:2 with points pt 7 ps 0.6 lc rgb '#1f5fa8' title 'front'";
    }
    text_ += std::string(", $named using 1:2:") + (has_colour() ? "4" : "3") +
             " with labels font ',9' left offset 0.6,0.5 notitle\n";
  }

  const SweepSpec& spec_;
  std::string text_;
};

/// A file of its own for as long as this lives.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    const int descriptor = mkstemp(path_.data());
    if (descriptor < 0) throw Error(ErrorKind::kIo, path_ + ": cannot be made");
    close(descriptor);
    write_file_atomically(path_, content);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "bitpulse-plot-XXXXXX").string();
};

std::string draw(const std::string& script) {
  constexpr int kNotFound = 127;
  const TemporaryFile file(script);
  const ProcessOutcome outcome = run_process({"/usr/bin/env", "gnuplot", file.path()}, kTimeout);
  if (outcome.status == kNotFound) {
    throw Error(ErrorKind::kIo,
                "--plot: found no gnuplot, expected it to draw (Debian: gnuplot-nox)");
  }
  if (outcome.status != 0 || outcome.out.empty()) {
    throw Error(ErrorKind::kIo,
                "gnuplot: " + (outcome.timed_out ? std::string("drew for more than two minutes")
                                                 : printable(outcome.err, 400)));
  }
  return outcome.out;
}

}  // namespace

std::string front_svg(const SweepSpec& spec, const std::vector<Row>& rows,
                      const std::vector<std::int64_t>& dominated_by) {
  if (spec.objectives.size() < 2) {
    throw Error(ErrorKind::kUsage, "--plot: found a sweep of one objective, expected two or more");
  }
  std::map<std::string, Panel> panels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].status != PointStatus::kDone) continue;
    Panel& panel = panels[rows[i].point.scope];
    (dominated_by[i] == -1 ? panel.front : panel.dominated).push_back(&rows[i]);
  }
  if (panels.empty() || panels.size() > kMaxPanels) {
    throw Error(ErrorKind::kUsage, "--plot: found points of " + std::to_string(panels.size()) +
                                       " workloads, expected 1 to " + std::to_string(kMaxPanels));
  }
  return draw(Script(spec, panels).text());
}

}  // namespace bitpulse
