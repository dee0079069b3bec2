// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "models/error.h"
#include "sim/report/report.h"

namespace bitpulse {

void write_report(const Report& report, const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorKind::kIo, folder + ": cannot make the folder: " + failure.message());
  }
  write_file_atomically(folder + "/report.json", report_json(report));
  write_file_atomically(folder + "/layers.csv", layers_csv(report));
  write_file_atomically(folder + "/actions.csv", actions_csv(report));
}

}  // namespace bitpulse
