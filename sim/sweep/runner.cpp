// SPDX-License-Identifier: Apache-2.0
#include "sim/sweep/runner.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <thread>

#include "models/error.h"
#include "quant/integer/parallel.h"
#include "sim/sweep/order.h"
#include "sim/sweep/process.h"
#include "sim/sweep/store.h"
#include "sim/sweep/writer.h"

namespace bitpulse {
namespace {

constexpr int kMaxJobs = 256;
constexpr std::chrono::milliseconds kPoll{10};
constexpr int kOutOfMemory = 90, kRefused = 91;  // exit statuses of a worker
constexpr std::uint64_t kNone = ~std::uint64_t{0};

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// What a worker lets its watcher see. Lives in memory that both map.
struct Board {
  struct Slot {
    std::atomic<std::uint64_t> id{kNone};
    std::atomic<std::int64_t> since_ms{0};
  };
  std::array<Slot, kMaxJobs> slots;
  std::atomic<std::uint64_t> seen{0}, ran{0}, failed{0}, stored{0}, invalid{0}, elsewhere{0};
  int error_kind = 0;
  std::array<char, 2000> error{};
};

class SharedBoard {
 public:
  SharedBoard() {
    void* memory =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    board_ = new (memory) Board;
  }
  ~SharedBoard() { munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board* operator->() { return board_; }
  Board& operator*() { return *board_; }

 private:
  Board* board_;
};

/// The worker's side: looks every point up, runs what is missing.
class Worker {
 public:
  Worker(Evaluator& evaluator, const EvaluatePoint& evaluate, const SweepRunOptions& options,
         const std::string& store, Board& board)
      : evaluator_(evaluator),
        evaluate_(evaluate),
        options_(options),
        board_(board),
        store_(store, SweepStore::Mode::kWrite),
        known_(store_.known()),
        writer_(store_) {}

  void run(const std::vector<std::uint64_t>& ids, int jobs) {
    const std::vector<std::size_t> ends = ends_of_batches(evaluator_, ids);
    parallel_for(jobs, static_cast<std::int64_t>(ends.size()), [&](std::int64_t b, int worker) {
      const auto batch = static_cast<std::size_t>(b);
      Board::Slot& slot = board_.slots[static_cast<std::size_t>(worker)];
      for (std::size_t i = batch == 0 ? 0 : ends[batch - 1]; i < ends[batch]; ++i) {
        slot.since_ms = now_ms();
        slot.id = ids[i];
        settle(ids[i]);
        slot.id = kNone;
        ++board_.seen;
      }
    });
    writer_.finish();
  }

 private:
  void settle(std::uint64_t id) {
    Row row;
    try {
      row.point = evaluator_.identify(id);
    } catch (const Error&) {
      ++board_.invalid;  // refusal() says why
      return;
    }
    if (options_.shards > 1 &&
        std::stoull(row.point.key.substr(0, 15), nullptr, 16) % options_.shards != options_.shard) {
      ++board_.elsewhere;
      return;
    }
    const auto known = known_.find(row.point.key);
    const bool have = known != known_.end() &&
                      !(options_.retry_failed && known->second.status == PointStatus::kFailed);
    if (have && known->second.id <= id) {
      ++board_.stored;
      return;
    }
    if (!evaluator_.refusal(id).empty()) {
      ++board_.invalid;
      return;
    }
    if (have) {
      writer_.renumber(row.point.key, id);  // of one configuration, the first number
      ++board_.stored;
      return;
    }
    row.engine = evaluator_.spec().engine;
    try {
      row.metrics = evaluate_(id);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      row.status = PointStatus::kFailed;
      row.reason = error.what();
      ++board_.failed;
    }
    writer_.add(std::move(row));
    ++board_.ran;
  }

  Evaluator& evaluator_;
  const EvaluatePoint& evaluate_;
  const SweepRunOptions& options_;
  Board& board_;
  SweepStore store_;
  std::unordered_map<std::string, SweepStore::Known> known_;
  RowWriter writer_;
};

/// How a worker ended.
struct Ending {
  bool well = false;
  std::string reason;
  std::vector<std::uint64_t> in_flight;
};

/// The watcher's side.
class Watch {
 public:
  Watch(Evaluator& evaluator, const EvaluatePoint& evaluate, const SweepRunOptions& options,
        const std::string& store)
      : evaluator_(evaluator), evaluate_(evaluate), options_(options), store_(store) {}

  SweepSummary run(std::vector<std::uint64_t> ids) {
    SweepSummary summary;
    for (;;) {
      const Ending ending = run_worker(ids, options_.jobs, summary);
      if (ending.well) return summary;
      ++summary.restarts;
      if (ending.in_flight.empty()) {
        throw Error(ErrorKind::kInternal,
                    "sweep: the worker " + ending.reason + " while it ran no point");
      }
      // Counts start again with the points that are left; those just committed come as stored.
      for (const std::uint64_t id : ending.in_flight) {
        settle_alone(id, summary);
        ids.erase(std::find(ids.begin(), ids.end(), id));
      }
    }
  }

 private:
  void settle_alone(std::uint64_t id, SweepSummary& summary) {
    const Ending ending = run_worker({id}, 1, summary);
    if (ending.well) return;
    ++summary.restarts;
    Row row;
    row.point = evaluator_.identify(id);
    row.engine = evaluator_.spec().engine;
    row.status = PointStatus::kFailed;
    row.reason = ending.reason;
    SweepStore(store_, SweepStore::Mode::kWrite).write({row});
    ++summary.ran;
    ++summary.failed;
  }

  Ending run_worker(const std::vector<std::uint64_t>& ids, int jobs, SweepSummary& summary) {
    SharedBoard board;
    const pid_t child = fork();
    if (child < 0) throw Error(ErrorKind::kIo, std::string("fork: ") + std::strerror(errno));
    if (child == 0) work(ids, jobs, *board);
    Ending ending = watch(child, *board);
    if (board->error_kind != 0) {
      throw Error(static_cast<ErrorKind>(board->error_kind), board->error.data());
    }
    settled_ += board->seen;
    summary.ran += board->ran;
    summary.failed += board->failed;
    summary.stored += board->stored;
    summary.invalid += board->invalid;
    summary.elsewhere += board->elsewhere;
    return ending;
  }

  [[noreturn]] void work(const std::vector<std::uint64_t>& ids, int jobs, Board& board) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGXFSZ, SIG_IGN);  // a full file is an error of the write
    // Every point takes and frees a program; handing it back to the system in between costs more
    // than compiling it.
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    if (options_.memory_mib > 0) {
      const auto bytes = static_cast<rlim_t>(options_.memory_mib) << 20;
      const rlimit limit{bytes, bytes};
      setrlimit(RLIMIT_DATA, &limit);
    }
    int status = 0;
    try {
      Worker(evaluator_, evaluate_, options_, store_, board).run(ids, jobs);
    } catch (const Error& error) {
      std::strncpy(board.error.data(), error.what(), board.error.size() - 1);
      board.error_kind = static_cast<int>(error.kind());
      status = kRefused;
    } catch (const std::bad_alloc&) {
      status = kOutOfMemory;
    }
    _exit(status);
  }

  Ending watch(pid_t child, Board& board) {
    Ending ending;
    int status = 0;
    std::uint64_t late = kNone;
    while (waitpid(child, &status, WNOHANG) == 0) {
      std::this_thread::sleep_for(kPoll);
      if (options_.progress) options_.progress(settled_ + board.seen);
      if (late != kNone) continue;
      for (const Board::Slot& slot : board.slots) {
        const std::uint64_t id = slot.id;
        const double elapsed_s = static_cast<double>(now_ms() - slot.since_ms) * 1e-3;
        if (id == kNone || elapsed_s < options_.timeout_s) continue;
        late = id;
        kill(child, SIGKILL);
        break;
      }
    }
    ending.well =
        WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kRefused);
    if (ending.well) return ending;
    for (const Board::Slot& slot : board.slots) {
      if (slot.id != kNone) ending.in_flight.push_back(slot.id);
    }
    if (late != kNone) {
      ending.reason = "gave no result within the time limit";
    } else if (WIFSIGNALED(status)) {
      ending.reason = "ended by " + signal_text(WTERMSIG(status));
    } else if (WEXITSTATUS(status) == kOutOfMemory) {
      ending.reason = "needs more memory than the limit";
    } else {
      ending.reason = "ended with exit status " + std::to_string(WEXITSTATUS(status));
    }
    return ending;
  }

  Evaluator& evaluator_;
  const EvaluatePoint& evaluate_;
  const SweepRunOptions& options_;
  const std::string store_;
  std::uint64_t settled_ = 0;
};

}  // namespace

SweepSummary run_points(Evaluator& evaluator, const std::vector<std::uint64_t>& ids,
                        const std::string& store, const EvaluatePoint& evaluate,
                        const SweepRunOptions& options) {
  SweepRunOptions bounded = options;
  bounded.jobs = std::clamp(options.jobs, 1, kMaxJobs);
  return Watch(evaluator, evaluate, bounded, store).run(in_order(evaluator, ids));
}

}  // namespace bitpulse
