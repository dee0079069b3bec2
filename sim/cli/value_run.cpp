// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/value_run.h"

#include "quant/inputs.h"
#include "sim/cli/deploy.h"
#include "sim/cosim/reference.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"

namespace bitpulse {
namespace {

/// Codes of the tensors that exist before the program's first layer.
TensorCodes codes_before(const Program& program, const Workload& workload,
                         const IntegerNetwork& network, int threads, Progress& progress) {
  const ImageSet images = load_images(workload, Split::kTest, workload.batch);
  TensorCodes codes = input_codes(workload, network, images, 0, workload.batch);
  const std::int64_t first = program.layers.front().layer;
  if (first == 0) return codes;
  progress.phase("running the layers before the first");
  const Program before =
      compile(network, program.machine, {workload.batch, 0, first - 1}, FastEngine::timer);
  return run_reference(before, network, codes, threads).tensors;
}

}  // namespace

ValueRun run_with_values(Engine& engine, const Program& program, const Workload& workload,
                         const IntegerNetwork& network, bool check, int threads,
                         Progress& progress) {
  const TensorCodes codes = codes_before(program, workload, network, threads, progress);
  progress.phase("simulating");
  ValueRun run;
  run.result = engine.run(program, {&network, &codes, check});
  if (check) {
    progress.phase("checking against the reference executor");
    run.difference = first_difference(program, network, run.result,
                                      run_reference(program, network, codes, threads));
  }
  return run;
}

}  // namespace bitpulse
