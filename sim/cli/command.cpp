// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/command.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "models/error.h"
#include "models/text.h"

namespace bitpulse {
namespace po = boost::program_options;
namespace {

constexpr unsigned kColumns = 80;

std::string option_hint(const Subcommand& command, const std::string& word) {
  std::vector<std::string_view> names{"help"};
  for (const OptionSpec& option : command.options) names.emplace_back(option.name);
  return did_you_mean(word.substr(std::min(word.find_first_not_of('-'), word.size())), names);
}

po::options_description describe(const Subcommand& command) {
  po::options_description description("options", kColumns, kColumns / 2);
  for (const OptionSpec& option : command.options) {
    if (option.argument == nullptr) {
      description.add_options()(option.name, option.help);
    } else {
      description.add_options()(
          option.name,
          po::value<std::vector<std::string>>()->value_name(option.argument)->composing(),
          option.help);
    }
  }
  description.add_options()("help", "print this text");
  return description;
}

}  // namespace

bool Arguments::has(std::string_view option) const { return values_.find(option) != values_.end(); }

std::vector<std::string> Arguments::all(std::string_view option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::string Arguments::text(std::string_view option, const std::string& fallback) const {
  const auto found = values_.find(option);
  return found == values_.end() ? fallback : found->second.back();
}

std::int64_t Arguments::integer(std::string_view option, std::int64_t fallback, std::int64_t min,
                                std::int64_t max) const {
  if (!has(option)) return fallback;
  const std::string word = text(option);
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (status != std::errc() || end != word.data() + word.size() || value < min || value > max) {
    throw Error(ErrorKind::kUsage, "--" + std::string(option) + ": found \"" + printable(word) +
                                       "\", expected an integer in " + std::to_string(min) + ".." +
                                       std::to_string(max));
  }
  return value;
}

Arguments parse_arguments(const Subcommand& command, const std::vector<std::string>& words) {
  po::options_description options = describe(command);
  options.add_options()("positional", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("positional", -1);
  const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing &
                     ~po::command_line_style::allow_short;
  Arguments arguments;
  try {
    const po::parsed_options parsed =
        po::command_line_parser(words).options(options).positional(positional).style(style).run();
    for (const po::option& option : parsed.options) {
      if (option.position_key >= 0) {
        arguments.positional_.push_back(option.value.front());
      } else {
        for (const std::string& value : option.value) {
          if (!value.empty()) continue;
          throw Error(ErrorKind::kUsage, std::string(command.name) + ": --" + option.string_key +
                                             ": found nothing, expected a value");
        }
        auto& values = arguments.values_[option.string_key];
        values.insert(values.end(), option.value.begin(), option.value.end());
      }
    }
  } catch (const po::unknown_option& e) {
    throw Error(ErrorKind::kUsage, std::string(command.name) + ": unknown option " +
                                       printable(e.get_option_name()) +
                                       option_hint(command, e.get_option_name()));
  } catch (const po::error& e) {
    throw Error(ErrorKind::kUsage, std::string(command.name) + ": " + e.what());
  }
  const std::size_t count = arguments.positional_.size();
  if (!arguments.has("help") &&
      (count < command.min_positional || count > command.max_positional)) {
    throw Error(ErrorKind::kUsage, std::string(command.name) + ": found " + std::to_string(count) +
                                       " arguments, expected: bitpulse " + command.name + " " +
                                       command.synopsis);
  }
  return arguments;
}

std::string spelled(const Subcommand& command, const Arguments& arguments,
                    const std::vector<std::string_view>& omitted) {
  std::string line = std::string("bitpulse ") + command.name;
  for (const std::string& word : arguments.positional()) line += ' ' + shell_quoted(word);
  for (const OptionSpec& option : command.options) {
    const bool leave_out = std::find(omitted.begin(), omitted.end(), option.name) != omitted.end();
    if (leave_out || !arguments.has(option.name)) continue;
    const std::string name = std::string(" --") + option.name;
    if (option.argument == nullptr) line += name;
    for (const std::string& value : arguments.all(option.name))
      line += name + ' ' + shell_quoted(value);
  }
  return line;
}

std::string help(const Subcommand& command) {
  std::ostringstream out;
  out << "usage: bitpulse " << command.name << ' ' << command.synopsis << "\n\n"
      << command.summary << "\n\n"
      << describe(command) << "\nexamples:\n";
  for (const char* example : command.examples) out << "  " << example << '\n';
  return out.str();
}

}  // namespace bitpulse
