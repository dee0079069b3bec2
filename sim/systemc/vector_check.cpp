// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/vector_check.h"

#include <string>

#include "models/error.h"

namespace bitpulse {

void VectorCheck::reset(VectorBackend* backend, const Program& program) {
  backend_ = backend;
  program_ = &program;
  if (backend_ != nullptr) backend_->reset(program);
}

void VectorCheck::run(const VectorJob& job, const VectorOutcome& expected) const {
  const std::optional<VectorOutcome> found = backend_->run(job);
  if (!found) return;
  const auto differs = [&](const std::string& what, auto model, auto backend) {
    throw Error(ErrorKind::kCheckFailed,
                "rtl: layer \"" + program_->layers[program_->commands[job.id].layer].name +
                    "\", vector command " + std::to_string(job.id) + ", " + what + ": found " +
                    std::to_string(backend) + ", expected " + std::to_string(model));
  };
  const auto compare = [&](const std::string& what, const std::vector<std::int32_t>& model,
                           const std::vector<std::int32_t>& backend) {
    if (model.size() != backend.size()) {
      differs("number of elements of the " + what, model.size(), backend.size());
    }
    if (model == backend) return;
    std::size_t i = 0;
    while (model[i] == backend[i]) ++i;
    differs(what + " of output pixel " +
                std::to_string(job.command->tile.m.begin +
                               static_cast<std::int64_t>(i / job.columns())) +
                ", channel " + std::to_string(job.channels[i % job.columns()]),
            model[i], backend[i]);
  };
  if (found->cycles != expected.cycles) differs("cycles", expected.cycles, found->cycles);
  compare("sum", expected.sums, found->sums);
  for (std::size_t s = 0; s < expected.stores.size(); ++s) {
    compare("code for store " + std::to_string(s), expected.stores[s], found->stores.at(s));
  }
  if (found->saturations != expected.saturations) {
    differs("saturations", expected.saturations, found->saturations);
  }
}

}  // namespace bitpulse
