// SPDX-License-Identifier: Apache-2.0
#pragma once

// The actions of `bitpulse sweep`.

#include <string>

#include "sim/cli/command.h"
#include "sim/sweep/evaluator.h"
#include "sim/sweep/runner.h"

namespace bitpulse {

/// The sweep that the action's first file is; shipped ones by name.
SweepSpec load_sweep(const std::string& name);
/// The same, ready to be run; bits that its workloads leave open are chosen.
Evaluator load_evaluator(const Arguments& arguments);
/// The sweep JSON as one line: what a store is the store of.
std::string sweep_text(const SweepSpec& spec);
/// --db, or the sweep's file name with ".db" in the working directory.
std::string store_path(const Arguments& arguments, const SweepSpec& spec);
/// --jobs, or the number of cores.
int jobs_of(const Arguments& arguments);
/// --limit: lines of a list.
std::size_t limit_of(const Arguments& arguments);

int sweep_plan(const Arguments& arguments);
int sweep_run(const Arguments& arguments);
int sweep_status(const Arguments& arguments);
int sweep_export(const Arguments& arguments);
int sweep_pareto(const Arguments& arguments);
int sweep_check(const Arguments& arguments);
int sweep_merge(const Arguments& arguments);
int sweep_emit_slurm(const Arguments& arguments);

}  // namespace bitpulse
