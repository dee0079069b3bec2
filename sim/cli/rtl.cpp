// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "models/error.h"
#include "models/text.h"
#include "sim/cli/arrays.h"
#include "sim/cli/command.h"
#include "sim/cli/limits.h"
#include "sim/cli/progress.h"

namespace bitpulse {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxEdge = 1024;            // of any machine
constexpr int kMaxSeparatePes = 64 * 64;  // which take minutes to compile
constexpr std::size_t kMaxName = 64;

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view kDigits = "0123456789";

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         kLetters.find(text.front()) != std::string_view::npos &&
         text.find_first_not_of(std::string(kLetters).append(kDigits)) == std::string_view::npos;
}

Error usage(const std::string& option, const std::string& found, const std::string& expected) {
  return Error(ErrorKind::kUsage,
               "--" + option + ": found \"" + printable(found) + "\", expected " + expected);
}

/// The value of an option, as its index in `allowed`.
std::size_t choice(const Arguments& arguments, const char* option,
                   const std::vector<std::string_view>& allowed) {
  const std::string value = arguments.text(option, std::string(allowed.front()));
  const auto at = std::find(allowed.begin(), allowed.end(), value);
  if (at == allowed.end()) throw usage(option, value, "one of: " + join(allowed));
  return static_cast<std::size_t>(at - allowed.begin());
}

std::string absolute_path(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

rtl::UserArray read_user_array(const Arguments& arguments) {
  rtl::UserArray user;
  if (!arguments.has("source")) {
    for (const char* option : {"top", "name", "include", "parameter"}) {
      if (arguments.has(option)) {
        throw Error(ErrorKind::kUsage, std::string("--") + option + ": no --source is given");
      }
    }
    return user;
  }
  user.top = arguments.text("top");
  if (!is_identifier(user.top)) throw usage("top", user.top, "the name of a module");
  user.name = arguments.text("name", user.top);
  if (!is_identifier(user.name)) throw usage("name", user.name, "letters, digits and _");
  for (const std::string& source : arguments.all("source")) {
    if (!fs::is_regular_file(source)) {
      throw Error(ErrorKind::kInvalidInput, printable(source, 400) + ": found no file");
    }
    user.sources.push_back(absolute_path(source));
  }
  for (const std::string& folder : arguments.all("include")) {
    user.include_folders.push_back(absolute_path(folder));
  }
  for (const std::string& parameter : arguments.all("parameter")) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string::npos || !is_identifier(parameter.substr(0, equals)) ||
        equals + 1 == parameter.size()) {
      throw usage("parameter", parameter, "NAME=VALUE");
    }
    user.parameters.push_back(parameter);
  }
  return user;
}

rtl::ArrayRecipe read_recipe(const Arguments& arguments) {
  for (const char* option : {"rows", "cols", "pe"}) {
    if (!arguments.has(option)) {
      throw Error(ErrorKind::kUsage, std::string("rtl build: --") + option + " is missing");
    }
  }
  rtl::ArrayRecipe recipe;
  rtl::ArrayShape& shape = recipe.shape;
  shape.rows = static_cast<int>(arguments.integer("rows", 1, 1, kMaxEdge));
  shape.cols = static_cast<int>(arguments.integer("cols", 1, 1, kMaxEdge));
  shape.pe = static_cast<PeKind>(choice(arguments, "pe", {"int8", "int4", "int2", "fused"}));
  shape.output_stationary = choice(arguments, "dataflow", {"ws", "is", "os"}) == 2;
  shape.structural = arguments.has("structural");
  if (shape.structural && shape.rows * shape.cols > kMaxSeparatePes) {
    throw Error(ErrorKind::kLimit, "--structural: found " +
                                       std::to_string(shape.rows * shape.cols) +
                                       " PEs, expected at most " + std::to_string(kMaxSeparatePes));
  }
  recipe.native = !arguments.has("portable");
  recipe.trace = static_cast<rtl::Trace>(choice(arguments, "trace", {"none", "vcd", "fst"}));
  recipe.user = read_user_array(arguments);
  return recipe;
}

int build(const Arguments& arguments) {
  const rtl::ArrayRecipe recipe = read_recipe(arguments);
  const rtl::ArrayStore store = array_store(arguments);
  const rtl::BuildResult result = [&] {
    Progress progress;
    return store.build(recipe, [&](const std::string& phase) { progress.phase(phase); });
  }();
  if (arguments.has("json")) {
    const nlohmann::ordered_json document{
        {"array", recipe.label()}, {"built", result.built}, {"library", result.array.library()}};
    std::cout << document.dump(2) << '\n';
    return 0;
  }
  std::cout << (result.built ? "built " : "up to date: ") << recipe.label() << ", "
            << result.array.library() << '\n';
  return 0;
}

struct Listed {
  std::string array;
  std::string library;   // "": in the program
  std::string obstacle;  // "": usable
};

std::vector<Listed> all_arrays(const Arguments& arguments) {
  std::vector<Listed> arrays;
  for (const rtl::ArrayShape& shape : rtl::built_in_arrays()) {
    arrays.push_back({array_model_name(shape), "", ""});
  }
  for (const rtl::StoredArray& array : array_store(arguments).list()) {
    arrays.push_back({array.recipe.label(), array.library(), obstacle(array)});
  }
  return arrays;
}

int list(const Arguments& arguments) {
  const std::vector<Listed> arrays = all_arrays(arguments);
  if (arguments.has("json")) {
    auto document = nlohmann::ordered_json::array();
    for (const Listed& entry : arrays) {
      nlohmann::ordered_json item{
          {"array", entry.array}, {"library", nullptr}, {"obstacle", nullptr}};
      if (!entry.library.empty()) item["library"] = entry.library;
      if (!entry.obstacle.empty()) item["obstacle"] = entry.obstacle;
      document.push_back(item);
    }
    std::cout << document.dump(2) << '\n';
    return 0;
  }
  std::size_t width = 0;
  for (const Listed& entry : arrays) width = std::max(width, entry.array.size());
  for (const Listed& entry : arrays) {
    std::cout << entry.array << std::string(width - entry.array.size() + 2, ' ')
              << (entry.library.empty() ? "in this program" : entry.library)
              << (entry.obstacle.empty() ? "" : " (" + entry.obstacle + ')') << '\n';
  }
  return 0;
}

int rtl_arrays(const Arguments& arguments) {
  const std::string& action = arguments.positional().front();
  if (action == "build") return build(arguments);
  if (action == "list") return list(arguments);
  throw Error(ErrorKind::kUsage, "rtl: found \"" + printable(action) +
                                     "\", expected build or list" +
                                     did_you_mean(action, {"build", "list"}));
}

}  // namespace

Subcommand rtl_command() {
  return {"rtl",
          "build|list [options]",
          "Builds Verilated arrays for --engine rtl and cosim, or lists them.",
          1,
          1,
          {{"rows", "N", "1 to 1024"},
           {"cols", "N", "1 to 1024"},
           {"pe", "KIND", "int8, int4, int2 or fused"},
           {"dataflow", "FLOW", "ws (default; serves is, too) or os"},
           {"trace", "FORMAT", "write waves: none (default), vcd or fst"},
           {"structural", nullptr, "one module per PE: slower, but waves have rows and columns"},
           {"portable", nullptr, "for any processor of this kind; else for this one only"},
           {"source", "FILE", "SystemVerilog of an array of your own (repeat in reading order)"},
           {"top", "MODULE", "its top module, with the ports of rtl/README.md"},
           {"parameter", "NAME=VALUE", "of the top module (repeatable)"},
           {"include", "DIR", "where its include files are (repeatable)"},
           {"name", "NAME", "for --array of run and cosim (default: MODULE)"},
           kCacheOption,
           kJsonOption},
          {"bitpulse rtl build --rows 12 --cols 20 --pe fused", "bitpulse rtl list"},
          rtl_arrays};
}

}  // namespace bitpulse
