// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/arrays.h"

#include <algorithm>
#include <filesystem>

#include "models/error.h"
#include "models/text.h"
#include "sim/cli/cache.h"
#include "sim/cli/progress.h"
#include "sim/rtl/array_plugin.h"

namespace bitpulse {
namespace fs = std::filesystem;
namespace {

/// Names have neither.
bool is_file(const std::string& array) { return array.find_first_of("/.") != std::string::npos; }

/// Why there is no array of this name and shape, and what to do.
Error missing(const std::string& name, const rtl::ArrayShape& shape, const Arguments& arguments) {
  const rtl::ArrayStore store = array_store(arguments);
  rtl::ArrayRecipe recipe{shape, rtl::Trace::kNone, true, {}};
  std::string others, reason;
  for (const rtl::StoredArray& array : store.list()) {
    if (array.recipe.user.name != name || array.recipe.trace != rtl::Trace::kNone) continue;
    if (array.recipe.shape == shape) {
      recipe = array.recipe;
      reason = " (one was " + obstacle(array) + ')';
    } else {
      others += ' ' + array_model_name(array.recipe.shape);
    }
  }
  std::string text =
      "no Verilated array " + (name.empty() ? "" : name + ' ') + array_model_name(shape) + " in " +
      (name.empty() ? "this program or in " : "") + printable(store.folder(), 400) + reason;
  if (name.empty() || !recipe.user.name.empty()) {
    text += "; build it with: " + recipe.command();
    if (arguments.has("cache")) text += " --cache " + shell_quoted(arguments.text("cache"));
  } else {
    text +=
        others.empty() ? "; see bitpulse rtl build --help" : "; of this name there are:" + others;
  }
  return Error(ErrorKind::kInvalidInput, text);
}

rtl::StoredArray require_stored(const std::string& name, const rtl::ArrayShape& shape,
                                const Arguments& arguments) {
  if (auto array = array_store(arguments).find(name, shape, rtl::Trace::kNone)) return *array;
  throw missing(name, shape, arguments);
}

}  // namespace

rtl::ArrayStore array_store(const Arguments& arguments) {
  return rtl::ArrayStore(cache_folder(arguments) + "/arrays");
}

rtl::ArrayMaker array_maker(const Arguments& arguments) {
  return [arguments](const rtl::ArrayShape& shape) {
    const std::string array = arguments.text("array");
    if (is_file(array)) return rtl::load_array(array, shape);
    const auto built_in = rtl::built_in_arrays();
    if (array.empty() && std::find(built_in.begin(), built_in.end(), shape) != built_in.end()) {
      return rtl::make_array_model(shape);
    }
    return rtl::load_array(require_stored(array, shape, arguments).library(), shape);
  };
}

rtl::ArrayMaker traced_array_maker(const Arguments& arguments, rtl::Trace trace,
                                   const std::string& file) {
  return [arguments, file, trace](const rtl::ArrayShape& shape) {
    const std::string array = arguments.text("array");
    rtl::ArrayRecipe recipe{shape, trace, true, {}};
    if (is_file(array)) {
      recipe = rtl::read_stored_array(fs::path(array).parent_path().string()).recipe;
    } else if (!array.empty()) {
      recipe = require_stored(array, shape, arguments).recipe;
    }
    recipe.trace = trace;
    Progress progress;
    const auto say = [&progress](const std::string& phase) { progress.phase(phase); };
    auto model = rtl::load_array(array_store(arguments).build(recipe, say).array.library(), shape);
    if (!file.empty() && !model->open_trace(file, 0)) {
      throw Error(ErrorKind::kIo, printable(file, 400) + ": cannot write");
    }
    return model;
  };
}

rtl::ArrayMaker run_array_maker(const Arguments& arguments) {
  if (!arguments.has("trace")) return array_maker(arguments);
  const std::string file = arguments.text("trace");
  const std::string extension = fs::path(file).extension().string();
  if (extension != ".vcd" && extension != ".fst") {
    throw Error(ErrorKind::kUsage,
                "--trace: found \"" + printable(file) + "\", expected a .vcd or .fst file");
  }
  return traced_array_maker(arguments, extension == ".fst" ? rtl::Trace::kFst : rtl::Trace::kVcd,
                            file);
}

}  // namespace bitpulse
