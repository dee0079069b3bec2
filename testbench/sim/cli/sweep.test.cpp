// SPDX-License-Identifier: Apache-2.0
// `bitpulse sweep` as users start it: engines in processes of their own, limits, full disks,
// helpers.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "testbench/catch.h"
#include "testbench/sim/cli/program.h"

namespace bitpulse {
namespace {

/// The small workload on 6 arrays under `more` keys of a sweep JSON.
class SmallSweep {
 public:
  explicit SmallSweep(const std::string& more = "", const std::string& rows = "[4, 8, 16]") {
    folder_.file("workload.json", small_workload());
    folder_.file("machine.json", small_machine());
    folder_.file("sweep.json", R"({ "schema": "bitpulse/sweep/1", "name": "small",
      "workloads": ["workload.json"], "machines": ["machine.json"],
      "axes": [ { "keys": ["machine:/array/rows"], "values": )" +
                                   rows + R"( },
                { "keys": ["machine:/dram/bytes_per_cycle"], "values": [4, 8] } ],
      "objectives": ["cycles", "area_mm2"])" +
                                   more + " }");
  }
  /// sweep ACTION sweep.json --db NAME, then `options`; in the sweep's folder.
  Outcome operator()(const std::string& action, const std::string& db,
                     const std::string& options = "") const {
    return in_folder("$bitpulse sweep " + action + " sweep.json --db " + db + " " + options);
  }
  Outcome in_folder(const std::string& command) const {
    return shell("cd '" + folder_.path("") + "' && " + command);
  }
  const ScratchFolder& folder() const { return folder_; }

 private:
  ScratchFolder folder_;
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void require_tool(const std::string& tool) {
  if (std::system(("command -v " + tool + " >/dev/null").c_str()) == 0) return;
  std::cout << "SKIPPED: no " << tool << '\n';
  std::exit(4);
}

}  // namespace

TEST_CASE("a sweep in processes of the systemc engine finds the cycles of the fast one",
          "[cli][sweep]") {
  const SmallSweep fast, systemc(R"(, "engine": "systemc")");
  REQUIRE(fast("run", "db").status == 0);
  REQUIRE(systemc("run", "db", "--jobs 2").status == 0);
  std::string expected = fast("export", "db").out, found = systemc("export", "db").out;
  // Engine and key differ, and nothing before them.
  const auto without_engine = [](const std::string& csv) {
    std::string kept;
    for (std::size_t at = 0; at < csv.size();) {
      const std::size_t end = csv.find('\n', at);
      const std::string line = csv.substr(at, end - at);
      kept += line.substr(
                  0, line.find(line.find(",fast,") != std::string::npos ? ",fast," : ",systemc,")) +
              "\n";
      at = end + 1;
    }
    return kept;
  };
  CHECK(count_of(expected, ",done,") == 6);
  CHECK(without_engine(expected.substr(expected.find('\n') + 1)) ==
        without_engine(found.substr(found.find('\n') + 1)));
}

TEST_CASE("a changed file that an axis names is run again, the other values are not",
          "[cli][sweep]") {
  const SmallSweep sweep;
  std::string text = content_of(sweep.folder().path("sweep.json"));
  text.replace(text.find("[4, 8] }"), 8,
               R"([4, 8] },
                  { "keys": ["machine:/technology"], "values": ["45nm-horowitz", "mine.json"] })");
  sweep.folder().file("sweep.json", text);
  std::string mine = content_of(BITPULSE_SOURCE_DIR "/workloads/technologies/45nm-horowitz.json");
  sweep.folder().file("mine.json", mine);
  CHECK(sweep("run", "db").out.find("12 points run (0 failed), 0 had been") != std::string::npos);
  sweep.folder().file("mine.json", mine + " ");
  CHECK(sweep("run", "db").out.find("6 points run (0 failed), 6 had been") != std::string::npos);
}

TEST_CASE("a sweep over budgets runs the bits that are chosen for each", "[cli][sweep]") {
  const SmallSweep folder;
  folder.folder().file("budgets.json", R"({ "schema": "bitpulse/sweep/1", "name": "budgets",
    "workloads": ["resnet8-figures-hawq"], "machines": ["fused-16x32-ws"],
    "axes": [ { "keys": ["workload:/quantization/bits/budget/latency_ms"],
                "values": [0.0001, 0.03, 0.05] },
              { "keys": ["machine:/clock_mhz"], "values": [500, 1000] } ],
    "objectives": ["cycles"] })");
  const Outcome plan = folder.in_folder("$bitpulse sweep plan budgets.json");
  CHECK(plan.out.find("2 x ") != std::string::npos);
  CHECK(plan.out.find("the smallest that any choice of bits has") != std::string::npos);
  REQUIRE(folder.in_folder("$bitpulse sweep run budgets.json --db db").status == 0);
  const std::string all = folder.in_folder("$bitpulse sweep export budgets.json --db db").out;
  CHECK(count_of(all, ",done,") == 4);
  const std::string one = folder
                              .in_folder(
                                  "$bitpulse run resnet8-figures-hawq --machine fused-16x32-ws "
                                  "--engine fast --json --set machine:/clock_mhz=500 "
                                  "--set workload:/quantization/bits/budget/latency_ms=0.05")
                              .out;
  const std::string key = "\"cycles\": ";
  const std::size_t at = one.find(key, one.find("\"totals\"")) + key.size();
  CHECK(all.find(",500," + one.substr(at, one.find(',', at) - at) + ",") != std::string::npos);
}

TEST_CASE("points with accuracy are run again when the integers they name have changed",
          "[cli][sweep]") {
  const SmallSweep folder;
  REQUIRE(folder
              .in_folder("cp -r '" BITPULSE_SOURCE_DIR "/workloads/resnet8-figures' . && "
                         "cp '" BITPULSE_SOURCE_DIR
                         "/workloads/resnet8-figures-w4a4-lsq.json' learned.json")
              .status == 0);
  folder.folder().file("accuracy.json", R"({ "schema": "bitpulse/sweep/1", "name": "accuracy",
    "workloads": ["learned.json"], "machines": ["int4-32x32-ws"],
    "axes": [ { "keys": ["machine:/array/acc_bits"], "values": [24] } ],
    "objectives": ["accuracy"], "images": 2 })");
  const std::string run = "$bitpulse sweep run accuracy.json --db db";
  CHECK(folder.in_folder(run).out.find("1 points run (0 failed)") != std::string::npos);
  CHECK(folder.in_folder(run).out.find("0 points run (0 failed), 1 had") != std::string::npos);
  const Outcome again = folder.in_folder("echo >>resnet8-figures/w4a4/network.json && " + run);
  CHECK(again.out.find("1 points run (0 failed)") != std::string::npos);
}

TEST_CASE("the front of a two-stage sweep is verified, and only the front", "[cli][sweep]") {
  const SmallSweep sweep(R"(, "verify": "systemc")");
  REQUIRE(sweep("run", "db").status == 0);
  const std::string all = sweep("export", "db").out, front = sweep("pareto", "db").out;
  const std::size_t on_front = count_of(front, "\n") - 1;
  CHECK(on_front > 0);
  CHECK(on_front < 6);
  CHECK(count_of(all, ",systemc,") == on_front);
  CHECK(count_of(front, ",systemc,") == on_front);
}

TEST_CASE("a sweep killed with its processes is finished by the same command", "[cli][sweep]") {
  const SmallSweep sweep(R"(, "engine": "systemc")", "[1, 2, 3, 4, 5, 6, 7, 8]");
  REQUIRE(sweep("run", "whole").status == 0);
  for (const char* after : {"0.05", "0.15", "0.3"}) {
    sweep.in_folder(std::string("setsid timeout -s KILL ") + after +
                    " $bitpulse sweep run sweep.json --db killed");
  }
  const Outcome last = sweep("run", "killed");
  CHECK(last.status == 0);
  CHECK(sweep("export", "killed").out == sweep("export", "whole").out);
}

TEST_CASE("a full disk ends a sweep with status 5 and keeps what it had", "[cli][sweep]") {
  const SmallSweep sweep;
  const std::string rows =
      R"({ "from": 1, "to": 400, "step": 1 } }, { "keys": ["machine:/array/cols"], "range": )"
      R"({ "from": 1, "to": 20, "step": 1 } })";
  std::string large = content_of(sweep.folder().path("sweep.json"));
  large.replace(large.find(R"("values": [4, 8, 16] })"), 22, R"("range": )" + rows);
  sweep.folder().file("large.json", large);
  const Outcome outcome = sweep.in_folder(
      "export bitpulse; mkdir disk && unshare --mount --map-root-user sh -c '"
      "mount -t tmpfs -o size=400k none disk 2>/dev/null || exit 77; "
      "$bitpulse sweep run sweep.json --db disk/db || exit 78; "
      "$bitpulse sweep run large.json --db disk/db; "
      "echo \"status $?\"; "
      "$bitpulse sweep status large.json --db disk/db; "
      "mkdir larger_disk && cp disk/db* larger_disk && "
      "$bitpulse sweep run sweep.json --db larger_disk/db'");
  if (outcome.status == 77 || outcome.status == 1) {
    std::cout << "SKIPPED: no tmpfs can be mounted here: " << outcome.err << '\n';
    std::exit(4);
  }
  INFO(outcome.out << outcome.err);
  CHECK(outcome.out.find("status 5") != std::string::npos);
  CHECK(outcome.err.find("disk/db") != std::string::npos);
  CHECK(outcome.out.find(" done, 0 failed") != std::string::npos);
  CHECK(outcome.out.find("larger_disk/db: 0 points run (0 failed), 6 had been") !=
        std::string::npos);
}

TEST_CASE("a point that needs more memory than the ceiling fails, and the others are done",
          "[cli][sweep]") {
#if defined(__SANITIZE_ADDRESS__)
  return;  // the sanitizer's allocator ends the program in its own way
#endif
  const SmallSweep sweep;
  // With banked memory a point has its program, of one command and more per image.
  sweep.folder().file("sweep.json", R"({ "schema": "bitpulse/sweep/1", "name": "memory",
      "workloads": ["workload.json"], "machines": ["int8-32x32-ws-ddr4"],
      "axes": [ { "keys": ["workload:/batch"], "values": [1, 60000] },
                { "keys": ["machine:/array/rows"], "values": [4, 8, 16] } ],
      "objectives": ["cycles"] })");
  CHECK(sweep("run", "db", "--max-memory 60 --jobs 2").status == 0);
  const std::string all = sweep("export", "db").out;
  CHECK(count_of(all, ",done,") == 3);
  CHECK(count_of(all, ",failed,") == 3);
  CHECK(count_of(all, "memory") == 3);
}

TEST_CASE("GNU parallel runs shards that merge to the whole", "[cli][sweep]") {
  require_tool("parallel");
  const SmallSweep sweep;
  REQUIRE(sweep("run", "whole").status == 0);
  const Outcome outcome = sweep.in_folder(
      "parallel --will-cite $bitpulse sweep run sweep.json --shard {}/3 --db part{}.db ::: 1 2 3 "
      "&& $bitpulse sweep merge all part1.db part2.db part3.db");
  CHECK(outcome.status == 0);
  CHECK(sweep("export", "all").out == sweep("export", "whole").out);
}

TEST_CASE("a plan lists each reason once, and status says why points failed", "[cli][sweep]") {
  const SmallSweep sweep("", "[4, 2000, 3000]");
  const Outcome plan = sweep("plan", "db", "--limit 1");
  CHECK(plan.status == 0);
  CHECK(count_of(plan.out, "/array/rows: found 2000") == 1);
  CHECK(plan.out.find("(points 2, 3)") != std::string::npos);
  CHECK(plan.out.find("and 1 more reasons") != std::string::npos);
  REQUIRE(sweep("run", "db").out.find("4 invalid (sweep plan says why)") != std::string::npos);
  require_tool("sqlite3");
  REQUIRE(sweep.in_folder("sqlite3 db \"UPDATE points SET status='failed', reason='too hot'\"")
              .status == 0);
  CHECK(sweep("status", "db").out.find("  2 x too hot\n") != std::string::npos);
}

TEST_CASE("options that an action has no use for are refused", "[cli][sweep]") {
  const SmallSweep sweep;
  const Outcome status = sweep("status", "db", "--shard 1/2");
  CHECK(status.status == 2);
  CHECK(status.err.find("found --shard, expected only db, limit, json") != std::string::npos);
  CHECK(sweep("run", "db", "--plot front.svg").status == 2);
  CHECK(sweep("plan", "db", "--shard 1/2 --timeout 5").status == 0);
}

TEST_CASE("a damaged database is refused with the reason and status 3", "[cli][sweep]") {
  require_tool("sqlite3");
  const SmallSweep sweep;
  REQUIRE(sweep("run", "good").status == 0);
  struct Damage {
    const char *sql, *action, *says;
  };
  for (const Damage& damage : {
           Damage{"PRAGMA user_version=9", "status", "version 9 instead of 1"},
           Damage{"PRAGMA application_id=1", "run", "another program's database"},
           Damage{"DROP TABLE points", "run", "no such table: points"},
           Damage{"UPDATE notes SET value='{}'", "check", "the points of another sweep"},
           Damage{"DROP TABLE notes", "pareto", "no such table: notes"},
           Damage{"ALTER TABLE points DROP COLUMN energy_pj", "check", "energy_pj"},
           Damage{"UPDATE points SET parameters='4' WHERE id=1", "export", "point 1: found"},
           Damage{"UPDATE notes SET value='{'", "export --json", "expected the sweep it is of"},
       }) {
    CAPTURE(damage.sql);
    REQUIRE(
        sweep.in_folder(std::string("cp good bad && sqlite3 bad \"") + damage.sql + "\"").status ==
        0);
    const Outcome outcome = sweep(damage.action, "bad");
    CHECK(outcome.status == 3);
    INFO(outcome.err);
    CHECK(outcome.err.find(damage.says) != std::string::npos);
  }
  CHECK(sweep("status", ".").status == 3);
  CHECK(sweep.in_folder(": >empty && $bitpulse sweep status sweep.json --db empty").status == 3);
}

TEST_CASE("a search is one task of a cluster", "[cli][sweep]") {
  const SmallSweep sweep(R"(, "strategy": { "name": "nsga2", "population": 8, "generations": 1 })");
  const auto emitted = [&](const std::string& options) {
    return sweep.in_folder("$bitpulse sweep emit-slurm sweep.json " + options);
  };
  CHECK(emitted("").out.find("--array=1-1\n") != std::string::npos);
  CHECK(emitted("--shards 2").status == 2);
  CHECK(sweep("run", "db", "--shard 1/1").status == 0);
}

TEST_CASE("a search that has nothing to choose is refused", "[cli][sweep]") {
  const SmallSweep sweep(R"(, "strategy": { "name": "nsga2", "population": 8, "generations": 1 })",
                         "[4]");
  sweep.in_folder("sed -i 's/\\[4, 8\\]/[4]/' sweep.json");
  const Outcome outcome = sweep("run", "db");
  CHECK(outcome.status == 3);
  CHECK(outcome.err.find("a grid of one point") != std::string::npos);
}

TEST_CASE("sweep check compares what should be ordered and lists what is not", "[cli][sweep]") {
  const SmallSweep sweep;
  REQUIRE(sweep("run", "db").status == 0);
  const Outcome sound = sweep("check", "db");
  CHECK(sound.status == 0);
  CHECK(sound.out == "3 pairs compared, 0 violations\n");
  require_tool("sqlite3");
  REQUIRE(
      sweep.in_folder("sqlite3 db 'UPDATE points SET cycles = cycles * 2 WHERE id = 3'").status ==
      0);
  const Outcome broken = sweep("check", "db");
  CHECK(broken.status == 1);
  INFO(broken.out);
  CHECK(broken.out.find("3 pairs compared, 1 violations") != std::string::npos);
  CHECK(broken.out.find("more DRAM bandwidth is never slower, but") != std::string::npos);
}

TEST_CASE("the picture of a front has every point of it, and the dominated ones in grey",
          "[cli][sweep]") {
  require_tool("gnuplot");
  const SmallSweep sweep;
  REQUIRE(sweep("run", "db").status == 0);
  const Outcome front = sweep("pareto", "db", "--plot front.svg");
  REQUIRE(front.status == 0);
  CHECK(front.out == sweep("pareto", "db").out);
  const std::string svg = content_of(sweep.folder().path("front.svg"));
  const std::size_t on_front = count_of(front.out, "\n") - 1;
  const auto points = [&](const std::string& colour) {
    std::size_t count = 0;
    for (auto at = svg.find("<use "); at != std::string::npos; at = svg.find("<use ", at + 1)) {
      const std::string element = svg.substr(at, svg.find('>', at) - at);
      count += element.find(colour) == std::string::npos ? 0 : 1;
    }
    return count;
  };
  CHECK(points("31,  95, 168") == on_front + 1);  // one in the key
  CHECK(points("184, 184, 184") == 6 - on_front + 1);
  CHECK(svg.find(">million cycles<") != std::string::npos);
  CHECK(svg.find(">workload.json<") != std::string::npos);

  const Outcome bare = sweep.in_folder(
      "PATH=/nowhere $bitpulse sweep pareto sweep.json --db db "
      "--plot none.svg");
  CHECK(bare.status == 5);
  CHECK(bare.err.find("gnuplot-nox") != std::string::npos);
  std::string one = content_of(sweep.folder().path("sweep.json"));
  one.replace(one.find(R"(, "area_mm2")"), 12, "");
  sweep.folder().file("sweep.json", one);
  CHECK(sweep("pareto", "db").status == 3);  // the points of the sweep before
  REQUIRE(sweep("run", "db").out.find("0 points run (0 failed), 6 had been") != std::string::npos);
  CHECK(sweep("pareto", "db").status == 0);
  CHECK(sweep("pareto", "db", "--plot none.svg").status == 2);
}

}  // namespace bitpulse
