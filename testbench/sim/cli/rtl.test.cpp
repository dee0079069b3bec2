// SPDX-License-Identifier: Apache-2.0

// `bitpulse rtl build`: arrays of any shape and of other people, where run and cosim find them.

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "models/io/json.h"
#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {
namespace fs = std::filesystem;

void require_verilator() {
  const bool built_in = bitpulse({"version"}).out.find("not built in") == std::string::npos;
  if (built_in && shell("command -v verilator").status == 0) return;
  std::cout << "SKIPPED: no verilator" << (built_in ? "\n" : " in this build\n");
  std::exit(4);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

std::string machine(int rows, int cols, const std::string& pe, const std::string& dataflow) {
  std::string text = small_machine();
  text = replaced(text, "\"rows\": 8", "\"rows\": " + std::to_string(rows));
  text = replaced(text, "\"cols\": 4", "\"cols\": " + std::to_string(cols));
  text = replaced(text, "\"int4\"", '"' + pe + '"');
  text = replaced(text, "\"acc_bits\": 24", "\"acc_bits\": 14, \"overflow\": \"saturate\"");
  return replaced(text, "\"ws\"", '"' + dataflow + '"');
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// An array with the example's files, one of them changed, in a folder of their own.
struct OtherArray {
  const ScratchFolder folder;
  std::vector<std::string> build;

  OtherArray(const std::string& cache, const std::string& name, const std::string& file = "",
             const std::string& from = "", const std::string& to = "") {
    build = {"rtl", "build", "--cache", cache,   "--rows",      "4",      "--cols",
             "3",   "--pe",  "int8",    "--top", "booth_array", "--name", name};
    for (const char* source : {"booth_digits.sv", "booth_column.sv", "booth_array.sv"}) {
      std::string text =
          content_of(std::string(BITPULSE_SOURCE_DIR "/testbench/rtl/booth/") + source);
      if (source == file) text = replaced(text, from, to);
      build.insert(build.end(), {"--source", folder.file(source, text)});
    }
  }
};

TEST_CASE("two builds at once make an array once, and run and cosim find it", "[cli][rtl-build]") {
  require_verilator();
  const ScratchFolder folder;
  const std::string options = " --rows 2 --cols 3 --pe int4 --dataflow os";
  const std::string m = folder.file("m.json", machine(2, 3, "int4", "os"));
  const std::vector<std::string> cosim{"cosim",   "--random",          "5", "--machine", m,
                                       "--cache", folder.path("cache")};
  const Outcome before = bitpulse(cosim);
  CHECK(before.status == 3);
  CHECK(before.err.find("bitpulse rtl build" + options + " --cache " + folder.path("cache")) !=
        std::string::npos);
  const Outcome run_before = bitpulse({"run", folder.file("w.json", small_workload()), "--machine",
                                       m, "--engine", "rtl", "--cache", folder.path("cache")});
  CHECK(run_before.status == 3);
  CHECK(run_before.err == before.err);

  const std::string build = "\"$bitpulse\" rtl build --cache " + folder.path("cache") + options;
  // One that is ended on the way leaves nothing in the way.
  CHECK(shell(build + " & sleep 0.3; kill -TERM $!; wait $!").status == 143);
  const Outcome twice =
      shell(build + " & first=$!; " + build + "; second=$?; wait $first && exit $second");
  CAPTURE(twice.out, twice.err);
  REQUIRE(twice.status == 0);
  CHECK(occurrences(twice.out, "built os_int4_2x3") == 1);
  CHECK(occurrences(twice.out, "up to date: os_int4_2x3") == 1);
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(folder.path("cache") + "/arrays")) {
    folders += entry.is_directory();
  }
  CHECK(folders == 1);

  const Outcome after = bitpulse(cosim);
  CAPTURE(after.out, after.err);
  CHECK(after.status == 0);
  const Outcome run_after = bitpulse({"run", folder.path("w.json"), "--machine", m, "--engine",
                                      "rtl", "--check", "--cache", folder.path("cache")});
  CAPTURE(run_after.err);
  CHECK(run_after.status == 0);
  const std::string waves = folder.path("waves.vcd");
  const Outcome traced =
      bitpulse({"run", folder.path("w.json"), "--machine", m, "--engine", "rtl", "--layers", "0:0",
                "--check", "--cache", folder.path("cache"), "--trace", waves});
  CAPTURE(traced.err);
  CHECK(traced.status == 0);
  CHECK(occurrences(content_of(waves), " psum_o ") > 0);
  CHECK(occurrences(content_of(waves), "500\n") > 100);  // rising edges
  const Outcome list = bitpulse({"rtl", "list", "--cache", folder.path("cache"), "--json"});
  CHECK(list.out.find("\"os_int4_2x3\"") != std::string::npos);
  CHECK(parse_json(list.out, "stdout").size() >= 1);
}

TEST_CASE("an array of other people takes the place of ours, and its faults are found",
          "[cli][rtl-build][cosim]") {
  require_verilator();
  const ScratchFolder folder;
  const std::string cache = folder.path("cache");
  const std::string m = folder.file("m.json", machine(4, 3, "int8", "ws"));
  const auto compare = [&](const std::string& array) {
    return bitpulse({"cosim", "--random", "20", "--seed", "5", "--machine", m, "--array", array,
                     "--cache", cache});
  };
  CHECK(compare("booth").status == 3);

  const OtherArray right(cache, "booth");
  const Outcome built = bitpulse(right.build);
  CAPTURE(built.out, built.err);
  REQUIRE(built.status == 0);
  const Outcome agrees = compare("booth");
  CAPTURE(agrees.out, agrees.err);
  CHECK(agrees.status == 0);
  std::string library = built.out.substr(built.out.find(", ") + 2);
  library.pop_back();
  CHECK(compare(library).out == agrees.out);
  CHECK(compare("boot").status == 3);

  // Unsigned operands of 128 and more taken for negative ones; outputs that all wait for the last.
  const OtherArray wrong_sums(cache, "wrong_sums", "booth_array.sv", "int Digits = 5",
                              "int Digits = 4");
  const OtherArray wrong_times(cache, "wrong_times", "booth_array.sv", "Delay = Rows + j",
                               "Delay = Rows + Cols - 1");
  for (const OtherArray* wrong : {&wrong_sums, &wrong_times}) {
    REQUIRE(bitpulse(wrong->build).status == 0);
    const Outcome differs = compare(wrong == &wrong_sums ? "wrong_sums" : "wrong_times");
    CAPTURE(differs.out, differs.err);
    CHECK(differs.status == 1);
    CHECK(differs.out.find("random 0: ws int8 4x3") != std::string::npos);
    CHECK(differs.out.find("expected ") != std::string::npos);
    CHECK(differs.out.find("\nseed 5\n") != std::string::npos);
  }

  // What was built of sources that have changed since is not what its name says.
  right.folder.file("booth_column.sv",
                    "// changed\n" + content_of(right.folder.path("booth_column.sv")));
  const Outcome stale = compare("booth");
  CHECK(stale.status == 3);
  CHECK(stale.err.find("booth_column.sv is not what it was") != std::string::npos);
  CHECK(
      stale.err.find("bitpulse rtl build --rows 4 --cols 3 --pe int8 --dataflow ws --name booth") !=
      std::string::npos);
}

/// Our array of separate PEs, 4x5, that of row 2 and column 3 with another weight than it was
/// given.
std::vector<std::string> array_with_faulty_pe(const ScratchFolder& folder, const std::string& flow,
                                              const std::string& from, const std::string& to) {
  const std::string rtl = BITPULSE_SOURCE_DIR "/rtl/";
  const std::string pe = "pe_" + flow, array = "array_" + flow;
  std::string faulty = content_of(rtl + "array/" + pe + ".sv");
  faulty = replaced(replaced(faulty, from, to), "module " + pe, "module " + pe + "_faulty");
  std::string text = content_of(rtl + "array/" + array + ".sv");
  const std::size_t begin = text.find(pe + " #("), end = text.find(");\n", text.find(") u_pe")) + 3;
  const std::string good = text.substr(begin, end - begin);
  text.replace(begin, end - begin,
               "if (i == 2 && j == 3) begin : gen_faulty\n" +
                   replaced(good, pe + " #(", pe + "_faulty #(") + "end else begin : gen_right\n" +
                   good + "end\n");
  std::vector<std::string> build{"rtl",         "build",
                                 "--rows",      "4",
                                 "--cols",      "5",
                                 "--pe",        "int8",
                                 "--dataflow",  flow,
                                 "--name",      "faulty_" + flow,
                                 "--top",       "array_top_" + flow,
                                 "--parameter", "OperandWidth=8",
                                 "--parameter", "Rows=4",
                                 "--parameter", "Cols=5",
                                 "--parameter", "Rolled=1'b0",
                                 "--include",   rtl + "array",
                                 "--cache",     folder.path("cache")};
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {pe + "_faulty.sv", faulty}, {array + ".sv", text}}) {
    build.insert(build.end(), {"--source", folder.file(name, content)});
  }
  for (const std::string& file :
       {"array/" + pe, "array/" + array + "_rolled", "array/array_top_" + flow,
        std::string("array/delay"), std::string("mac/mac"), std::string("mac/mac_int"),
        std::string("mac/mac_accumulate"), std::string("mac/acc_fit"), std::string("mac/mac_fused"),
        std::string("mac/dot_fused"), std::string("mac/brick")}) {
    if (fs::exists(rtl + file + ".sv")) build.insert(build.end(), {"--source", rtl + file + ".sv"});
  }
  return build;
}

TEST_CASE("a divergence names the PE that is at fault, and the waves around it are there",
          "[cli][rtl-build][cosim][divergence]") {
  require_verilator();
  const ScratchFolder folder;
  struct Fault {
    std::string flow, from, to;
  };
  for (const Fault& fault :
       {Fault{"ws", ".weight_i       (weight_d)", ".weight_i       (weight_d & ~8'd4)"},
        Fault{"os", ".weight_i,", ".weight_i       (weight_i & ~8'd4),"}}) {
    CAPTURE(fault.flow);
    const std::string m = folder.file("m.json", machine(4, 5, "int8", fault.flow));
    const Outcome built = bitpulse(array_with_faulty_pe(folder, fault.flow, fault.from, fault.to));
    CAPTURE(built.err);
    REQUIRE(built.status == 0);
    const std::string out = folder.path("waves-" + fault.flow);
    const Outcome differs =
        bitpulse({"cosim", "--random", "5", "--seed", "5", "--machine", m, "--array",
                  "faulty_" + fault.flow, "--cache", folder.path("cache"), "--out", out, "--json"});
    CAPTURE(differs.out, differs.err);
    REQUIRE(differs.status == 1);
    const JsonValue cases = parse_json(differs.out, "stdout").at("cases");
    std::string waveform;
    std::int64_t cycle = 0;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (!cases[i].has("place")) continue;
      const JsonValue place = cases[i].at("place");
      CHECK(place.at("rows")[0].integer(0, 3) == 2);
      CHECK(place.at("rows")[1].integer(0, 3) == 2);
      CHECK(place.at("column").integer(0, 4) == 3);
      CHECK(place.at("command").integer(0, 1 << 20) >= 0);
      if (!waveform.empty()) continue;
      cycle = place.at("cycle").integer(1, 1 << 30);
      waveform = place.at("waveform").text();
    }
    REQUIRE(fs::exists(waveform));
    const std::string save = content_of(waveform.substr(0, waveform.size() - 3) + "gtkw");
    CHECK(occurrences(save, "\n-row ") == 2 * 4);
    CHECK(occurrences(save, "\n-column ") == 2 * 5);
    if (shell("command -v fst2vcd").status != 0) {
      std::cout << "SKIPPED: no fst2vcd\n";
      continue;
    }
    const std::string vcd = shell("fst2vcd '" + waveform + "'").out;
    CHECK(vcd.find("\n#" + std::to_string((cycle - 1) * 1000 + 500) + "\n") != std::string::npos);
    CHECK(occurrences(vcd, "500\n") >= 50);
    for (const char* port : {"clk_i", "rst_ni", "acc_format_i [6:0]", "act_ctrl_i [9:0]",
                             "act_i [31:0]", "weight_ctrl_i [13:0]", "weight_i [39:0]",
                             "valid_o [4:0]", "psum_o [159:0]", "overflow_o [159:0]"}) {
      CHECK(vcd.find(std::string(" ") + port + " $end") != std::string::npos);
      std::string name = std::string("TOP.") + port;
      name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
      CHECK(save.find(name) != std::string::npos);
    }
  }
}

TEST_CASE("what cannot be built is refused with the reason", "[cli][rtl-build][errors]") {
  require_verilator();
  const ScratchFolder folder;
  const std::string cache = folder.path("cache");
  const auto refused = [&](std::vector<std::string> words, const std::string& hint) {
    words.insert(words.begin(), {"rtl", "build", "--cache", cache});
    const Outcome outcome = bitpulse(words);
    CAPTURE(outcome.err, hint);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(hint) != std::string::npos);
    return outcome.status;
  };
  CHECK(refused({"--rows", "2", "--cols", "2"}, "--pe is missing") == 2);
  CHECK(refused({"--rows", "0", "--cols", "2", "--pe", "int8"}, "1..1024") == 2);
  CHECK(refused({"--rows", "2", "--cols", "1025", "--pe", "int8"}, "1..1024") == 2);
  CHECK(refused({"--rows", "2", "--cols", "2", "--pe", "int3"}, "int8, int4, int2, fused") == 2);
  CHECK(refused({"--rows", "1024", "--cols", "1024", "--pe", "int8", "--structural"}, "4096") == 4);
  const std::vector<std::string> shape{"--rows", "2", "--cols", "2", "--pe", "int8"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = shape;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  CHECK(refused(with({"--top", "a"}), "no --source") == 2);
  CHECK(refused(with({"--top", "a", "--source", "/no/such.sv"}), "/no/such.sv") == 3);

  // Nothing that a shell would run is run, whatever a file is called.
  const std::string marker = folder.path("marker");
  const std::string path =
      folder.file("a b;touch marker;`touch marker`'.sv", "module a(); endmodule\n");
  CHECK(refused(with({"--top", "a", "--source", path}), "port acc_format_i: found none") == 3);
  CHECK(refused(with({"--top", "a;touch " + marker, "--source", path}), "module") == 2);
  CHECK(refused(with({"--top", "a", "--source", path, "--parameter", "A"}), "NAME=VALUE") == 2);
  CHECK(refused(with({"--top", "a", "--source", path, "--parameter", "A=$(touch " + marker + ")"}),
                "Parameters from the command line were not found") == 3);
  CHECK_FALSE(fs::exists(marker));
  CHECK_FALSE(fs::exists("marker"));

  const std::string broken = folder.file("broken.sv", "module broken(input logic clk_i;\n");
  CHECK(refused(with({"--top", "broken", "--source", broken}), "syntax error") == 3);
  const std::string booth = BITPULSE_SOURCE_DIR "/testbench/rtl/booth/booth_";
  CHECK(refused(
            with({"--top", "booth_array", "--parameter", "Rows=2", "--source", booth + "digits.sv",
                  "--source", booth + "column.sv", "--source", booth + "array.sv"}),
            "port overflow_o: found an output of 96 bits") == 3);
  const Outcome no_tool =
      shell("PATH=/nowhere; \"$bitpulse\" rtl build --rows 1 --cols 1 --pe int8");
  CHECK(no_tool.status == 5);
  CHECK(no_tool.err.find("verilator") != std::string::npos);
}

TEST_CASE("an installed program builds arrays from the files installed with it",
          "[cli][rtl-build][install]") {
  require_verilator();
  const ScratchFolder folder;
  const std::string prefix = folder.path("prefix");
  REQUIRE(shell("cmake --install '" BITPULSE_SIM_DIR "' --prefix '" + prefix + "'").status == 0);
  const std::string build = prefix +
                            "/bin/bitpulse rtl build --rows 1 --cols 2 --pe int2 --cache " +
                            folder.path("cache");
  const Outcome built = shell(build);
  CAPTURE(built.err);
  CHECK(built.status == 0);
  const std::string source = prefix + "/share/bitpulse/rtl/array/pe_ws.sv";
  REQUIRE(fs::exists(source));
  CHECK(shell("echo 'module' >>" + source + "; " + build).err.find(source) != std::string::npos);
}

}  // namespace
}  // namespace bitpulse
