// SPDX-License-Identifier: Apache-2.0

// bitpulse: picks the subcommand and turns what it throws into the exit status.

#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "models/error.h"
#include "models/text.h"
#include "sim/cli/command.h"
#include "sim/cli/signals.h"

namespace bitpulse {
namespace {

std::vector<Subcommand> commands() {
  return {run_command(),    quantize_command(), sensitivity_command(), allocate_command(),
          eval_command(),   cosim_command(),    report_command(),      compare_command(),
          list_command(),   sweep_command(),    rtl_command(),         validate_command(),
          version_command()};
}

void print_help(const std::vector<Subcommand>& known) {
  std::cout << "usage: bitpulse COMMAND [options]     bitpulse COMMAND --help\n\n"
               "Cycle-accurate simulation of low-precision neural-network accelerators.\n\n";
  for (const Subcommand& command : known) {
    std::string name = command.name;
    name.resize(12, ' ');
    const std::string_view summary = command.summary;
    std::cout << "  " << name << summary.substr(0, summary.find('\n')) << '\n';
  }
  std::cout << "\nexit status: 0 done; 1 a check failed; 2 usage; 3 invalid input; 4 refused by a\n"
               "limit; 5 input/output; 70 internal error; 130/143 interrupted\n\nexamples:\n"
               "  bitpulse run resnet18-w8a8 --machine int8-32x32-ws --engine fast\n"
               "  bitpulse list workloads\n";
}

int dispatch(const std::vector<std::string>& words) {
  const std::vector<Subcommand> known = commands();
  if (words.empty() || words.front() == "--help") {
    if (!words.empty()) return print_help(known), 0;
    throw Error(ErrorKind::kUsage, "no command given; see bitpulse --help");
  }
  std::vector<std::string_view> names;
  for (const Subcommand& command : known) {
    names.emplace_back(command.name);
    if (words.front() != command.name) continue;
    const Arguments arguments = parse_arguments(command, {words.begin() + 1, words.end()});
    if (arguments.has("help")) {
      std::cout << help(command);
      return 0;
    }
    return command.run(arguments);
  }
  throw Error(ErrorKind::kUsage, "unknown command \"" + printable(words.front()) + "\"" +
                                     did_you_mean(words.front(), names) + "; see bitpulse --help");
}

int guarded(const std::vector<std::string>& words) {
  try {
    install_signal_watch();
    const int status = dispatch(words);
    if (!std::cout.flush()) throw Error(ErrorKind::kIo, "standard output: cannot write");
    return status;
  } catch (const Error& e) {
    std::cerr << "bitpulse: " << e.what() << '\n';
    return static_cast<int>(e.kind());
  } catch (const std::bad_alloc&) {
    std::cerr << "bitpulse: out of memory\n";
    return static_cast<int>(ErrorKind::kLimit);
  } catch (const std::system_error& e) {
    const bool no_thread = e.code() == std::errc::resource_unavailable_try_again;
    std::cerr << "bitpulse: " << (no_thread ? "no thread can be started: " : "internal error: ")
              << e.what() << '\n';
    return static_cast<int>(no_thread ? ErrorKind::kLimit : ErrorKind::kInternal);
  } catch (const std::exception& e) {
    std::cerr << "bitpulse: internal error: " << e.what() << '\n';
    return static_cast<int>(ErrorKind::kInternal);
  }
}

}  // namespace
}  // namespace bitpulse

int main(int argc, char** argv) { return bitpulse::guarded({argv + 1, argv + argc}); }
