// SPDX-License-Identifier: Apache-2.0
#include "sim/rtl/array_builder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "models/error.h"
#include "models/io/files.h"
#include "models/io/sha256.h"
#include "models/text.h"
#include "sim/rtl/array_plugin.h"
#include "sim/rtl/process.h"
#include "sim/rtl/rtl_files.h"
#include "sim/rtl/verilated_ports.h"

namespace bitpulse::rtl {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxText = std::uint64_t{1} << 30;
constexpr std::size_t kShownLines = 30;

/// Options of compiling our side of a library and Verilator's runtime, which is no hot loop.
const std::vector<std::string> kCommonOptions{"-std=c++17", "-fPIC", "-fvisibility=hidden", "-w",
                                              "-pthread"};

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> all;
  for (std::string word; stream >> word;) all.push_back(word);
  return all;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string last_lines(const std::string& text, std::size_t count) {
  std::size_t from = text.size();
  for (std::size_t lines = 0; from > 0; --from) {
    if (text[from - 1] == '\n' && from < text.size() && ++lines == count) break;
  }
  return text.substr(from);
}

std::vector<std::string> compiler_words() {
  const char* const chosen = std::getenv("CXX");
  if (chosen != nullptr && !words(chosen).empty()) return words(chosen);
  return {fs::exists(BITPULSE_CXX_COMPILER) ? BITPULSE_CXX_COMPILER : "c++"};
}

std::string version_of(const std::vector<std::string>& tool, const std::string& hint) {
  std::vector<std::string> command = tool;
  command.push_back("--version");
  const auto text = output_of(command);
  if (!text) {
    throw Error(ErrorKind::kIo, printable(tool.front()) + ": cannot be run; " + hint);
  }
  return first_line(*text);
}

/// A user's sources in their order, or ours.
std::vector<std::string> named_sources(const ArrayRecipe& recipe) {
  std::vector<std::string> sources = recipe.user.sources;
  if (recipe.user.name.empty()) {
    for (const std::string& source : rtl_sources()) sources.push_back(rtl_folder() + '/' + source);
  }
  return sources;
}

std::string library_source(const ArrayRecipe& recipe, const std::string& generated) {
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(generated)) {
    if (entry.path().extension() == ".cpp") parts.push_back(entry.path().filename().string());
  }
  std::sort(parts.begin(), parts.end());
  const ArrayShape& shape = recipe.shape;
  std::ostringstream text;
  for (const std::string& part : parts) text << "#include \"" << part << "\"\n";
  text << "#include \"sim/rtl/array_plugin.h\"\n"
          "#include \"sim/rtl/verilated_array.h\"\n"
          "using namespace bitpulse::rtl;\n"
          "constexpr ArrayShape kShape{static_cast<bitpulse::PeKind>("
       << static_cast<int>(shape.pe) << "), " << shape.output_stationary << ", " << shape.rows
       << ", " << shape.cols << ", " << shape.structural
       << "};\n"
          "const ArrayPlugin bitpulse_array{\n"
          "    kArrayInterface, kShape, []() -> std::unique_ptr<ArrayModel> {\n"
          "      return std::make_unique<VerilatedArray<Varray>>(kShape);\n"
          "    }};\n";
  return text.str();
}

/// The files that Verilator read, but for its own.
std::vector<SourceFile> files_read(const std::string& listing, const std::string& verilator_root) {
  std::vector<SourceFile> files;
  std::istringstream stream(listing);
  for (std::string line; std::getline(stream, line);) {
    // S size inode times "path"
    const std::size_t quote = line.find('"');
    if (line.rfind("S ", 0) != 0 || quote == std::string::npos) continue;
    const fs::path path = line.substr(quote + 1, line.rfind('"') - quote - 1);
    const bool is_program = path.filename().string().rfind("verilator_bin", 0) == 0;
    if (is_program || path.string().rfind(verilator_root, 0) == 0) continue;
    const fs::path below = path.lexically_relative(rtl_folder());
    const bool ours = !below.empty() && *below.begin() != "..";
    files.push_back(
        {ours ? below.string() : fs::absolute(path).string(), sha256_of_path(path.string())});
  }
  return files;
}

}  // namespace

ArrayBuilder::ArrayBuilder(ArrayRecipe recipe)
    : recipe_(std::move(recipe)), compiler_(compiler_words()), sources_(named_sources(recipe_)) {
  result_.recipe = recipe_;
  result_.verilator = version_of({"verilator"}, "arrays are built with Verilator");
  result_.compiler = version_of(compiler_, "arrays are built with a C++ compiler, $CXX or c++");
  result_.headers = include_digest();
  result_.processor = recipe_.native ? this_processor() : "any";
  append(compiler_, kCommonOptions);
  if (recipe_.native) compiler_.push_back("-march=native");

  std::ostringstream text;
  text << recipe_.label() << '\n' << recipe_.top() << '\n';
  for (const std::string& parameter : recipe_.parameters())
    text << "parameter " << parameter << '\n';
  for (const std::string& folder : recipe_.user.include_folders)
    text << "include " << folder << '\n';
  for (const std::string& source : sources_) {
    text << "source " << source << ' ' << sha256_of_path(source) << '\n';
  }
  text << result_.verilator << '\n'
       << BITPULSE_VERILATOR_OPTIONS << '\n'
       << result_.compiler << '\n'
       << BITPULSE_VERILATED_OPTIONS << '\n';
  for (const std::string& word : compiler_) text << word << '\n';
  text << result_.headers << '\n' << result_.processor << '\n';
  key_ = sha256_of_text(text.str()).substr(0, 16);
}

void ArrayBuilder::run(const std::vector<std::vector<std::string>>& commands,
                       const std::string& log) const {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) {
    throw Error(ErrorKind::kIo, printable(log, 400) + ": cannot write: " + std::strerror(errno));
  }
  int status = 0;
  std::string failed;
  {
    std::vector<Process> processes;
    processes.reserve(commands.size());
    for (const std::vector<std::string>& command : commands) processes.emplace_back(command, file);
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const int end = processes[i].wait();
      if (end == 0 || status != 0) continue;
      status = end;
      failed = commands[i].front();
    }
  }
  ::close(file);
  if (status == 0) return;
  throw Error(ErrorKind::kInvalidInput, recipe_.label() + ": " + failed + " ended with status " +
                                            std::to_string(status) + "; all it said is in " + log +
                                            ", which ends:\n" +
                                            last_lines(read_file(log, kMaxText), kShownLines));
}

std::vector<std::string> ArrayBuilder::verilator_command(const std::string& folder) const {
  std::vector<std::string> command{"verilator",   "--cc",     "--top-module",
                                   recipe_.top(), "--prefix", "Varray",
                                   "--Mdir",      folder,     "-I" + rtl_folder()};
  append(command, words(BITPULSE_VERILATOR_OPTIONS));
  for (const std::string& include : recipe_.user.include_folders) command.push_back("-I" + include);
  for (const std::string& parameter : recipe_.parameters()) command.push_back("-G" + parameter);
  if (recipe_.trace != Trace::kNone) {
    command.push_back(recipe_.trace == Trace::kFst ? "--trace-fst" : "--trace");
    append(command, {"--trace-max-array", "1048576", "--trace-max-width", "1048576"});
  }
  if (recipe_.user.name.empty()) {  // modules are found by their names
    for (const char* part : {"array", "mac"}) append(command, {"-y", rtl_folder() + '/' + part});
    command.push_back(rtl_folder() + "/array/" + recipe_.top() + ".sv");
  } else {
    append(command, sources_);
  }
  return command;
}

StoredArray ArrayBuilder::build(const std::string& folder, const std::string& log,
                                const std::function<void(const std::string&)>& say) const {
  fs::remove(log);
  const std::string generated = folder + "/verilated";
  say("verilating " + recipe_.label());
  run({verilator_command(generated)}, log);
  check_ports(read_file(generated + "/Varray.h", kMaxText), recipe_);
  const std::string root =
      first_line(output_of({"verilator", "--getenv", "VERILATOR_ROOT"}).value_or(""));
  StoredArray array = result_;
  array.files = files_read(read_file(generated + "/Varray__verFiles.dat", kMaxText), root);

  say("compiling " + recipe_.label());
  write_file_atomically(generated + "/library.cpp", library_source(recipe_, generated));
  const std::string include = root + "/include";
  std::vector<std::string> compile = compiler_;
  const bool fst = recipe_.trace == Trace::kFst, vcd = recipe_.trace == Trace::kVcd;
  append(compile, {"-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=" + std::to_string(fst || vcd),
                   "-DVM_TRACE_FST=" + std::to_string(fst), "-DVM_TRACE_VCD=" + std::to_string(vcd),
                   "-I" + include_folder(), "-isystem", include, "-isystem", include + "/vltstd",
                   "-I" + generated});
  std::vector<std::vector<std::string>> commands;
  std::vector<std::string> link = compiler_;
  append(link, {"-shared", "-o", folder + "/array.so"});
  const auto add = [&](const std::string& source, const std::vector<std::string>& options) {
    const std::string object = generated + '/' + fs::path(source).stem().string() + ".o";
    std::vector<std::string> command = compile;
    append(command, options);
    append(command, {"-c", source, "-o", object});
    commands.push_back(command);
    link.push_back(object);
  };
  add(generated + "/library.cpp", words(BITPULSE_VERILATED_OPTIONS));
  std::vector<std::string> runtime{"verilated", "verilated_threads"};
  if (fst) runtime.push_back("verilated_fst_c");
  if (vcd) runtime.push_back("verilated_vcd_c");
  for (const std::string& part : runtime) {
    add((fs::path(include) / (part + ".cpp")).string(), {"-O1"});
  }
  run(commands, log);
  if (fst) link.push_back("-lz");
  run({link}, log);
  load_array(folder + "/array.so", recipe_.shape);  // nothing is missing
  fs::remove_all(generated);
  return array;
}

}  // namespace bitpulse::rtl
