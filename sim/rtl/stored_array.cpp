// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/stored_array.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/io/json.h"
#include "models/io/sha256.h"
#include "sim/rtl/rtl_files.h"

namespace bitpulse::rtl {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSchema = "bitpulse/rtl-array/1";
constexpr std::int64_t kMaxEdge = 1024;

std::vector<std::string> texts(const JsonValue& list) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < list.size(); ++i) all.push_back(list[i].text());
  return all;
}

std::string digest_or_nothing(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) ? sha256_of_path(path) : "";
}

}  // namespace

std::string this_processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    // x86-64, ARM, RISC-V
    for (const char* key : {"flags", "Features", "isa"}) {
      if (line.rfind(key, 0) == 0) return sha256_of_text(line).substr(0, 16);
    }
  }
  return "unknown";
}

std::string obstacle(const StoredArray& array) {
  if (array.processor != "any" && array.processor != this_processor()) {
    return "built for another processor";
  }
  if (array.headers != include_digest()) return "built for another version of the program";
  for (const SourceFile& file : array.files) {
    const fs::path path = fs::path(rtl_folder()) / file.path;  // which an absolute path replaces
    if (digest_or_nothing(path.string()) != file.sha256) {
      return "built from other sources: " + path.string() + " is not what it was";
    }
  }
  return "";
}

std::string to_json(const StoredArray& array) {
  const ArrayRecipe& recipe = array.recipe;
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const SourceFile& file : array.files) {
    files.push_back({{"path", file.path}, {"sha256", file.sha256}});
  }
  const nlohmann::ordered_json document{{"schema", kSchema},
                                        {"pe", bitpulse::to_string(recipe.shape.pe)},
                                        {"dataflow", recipe.shape.output_stationary ? "os" : "ws"},
                                        {"rows", recipe.shape.rows},
                                        {"cols", recipe.shape.cols},
                                        {"structural", recipe.shape.structural},
                                        {"trace", to_string(recipe.trace)},
                                        {"name", recipe.user.name},
                                        {"top", recipe.user.top},
                                        {"sources", recipe.user.sources},
                                        {"include_folders", recipe.user.include_folders},
                                        {"parameters", recipe.user.parameters},
                                        {"verilator", array.verilator},
                                        {"compiler", array.compiler},
                                        {"headers", array.headers},
                                        {"processor", array.processor},
                                        {"files", files}};
  return document.dump(2) + '\n';
}

StoredArray read_stored_array(const std::string& folder) {
  const JsonValue document = load_json(folder + '/' + kArrayDocument);
  document.require_schema(kSchema);
  StoredArray array;
  array.folder = folder;
  ArrayRecipe& recipe = array.recipe;
  recipe.shape.pe =
      static_cast<PeKind>(document.at("pe").choice({"int8", "int4", "int2", "fused"}));
  recipe.shape.output_stationary = document.at("dataflow").choice({"ws", "os"}) == 1;
  recipe.shape.rows = static_cast<int>(document.at("rows").integer(1, kMaxEdge));
  recipe.shape.cols = static_cast<int>(document.at("cols").integer(1, kMaxEdge));
  recipe.shape.structural = document.at("structural").boolean();
  recipe.trace = static_cast<Trace>(document.at("trace").choice({"none", "vcd", "fst"}));
  recipe.user.name = document.at("name").text();
  recipe.user.top = document.at("top").text();
  recipe.user.sources = texts(document.at("sources"));
  recipe.user.include_folders = texts(document.at("include_folders"));
  recipe.user.parameters = texts(document.at("parameters"));
  array.verilator = document.at("verilator").text();
  array.compiler = document.at("compiler").text();
  array.headers = document.at("headers").text();
  array.processor = document.at("processor").text();
  recipe.native = array.processor != "any";
  const JsonValue files = document.at("files");
  for (std::size_t i = 0; i < files.size(); ++i) {
    array.files.push_back({files[i].at("path").text(), files[i].at("sha256").text()});
  }
  return array;
}

}  // namespace bitpulse::rtl
