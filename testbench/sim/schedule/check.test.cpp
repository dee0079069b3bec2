// SPDX-License-Identifier: Apache-2.0
// The checker finds what is broken: every test breaks a sound program in one place.

#include "sim/schedule/check.h"

#include "models/error.h"
#include "sim/fast/fast_engine.h"
#include "sim/schedule/compile.h"
#include "testbench/catch.h"
#include "testbench/models/errors.h"
#include "testbench/sim/schedule/random_network.h"

namespace bitpulse {
namespace {

/// A convolution of 3x3x16 -> 24 over 12x12 with a residual add, in buffers that take several
/// tiles of everything.
struct Example {
  IntegerNetwork network;
  Program program;

  Example() {
    network.name = "example";
    const auto tensor = [&](Shape shape) {
      StoredTensor t;
      t.shape = shape;
      network.tensors.push_back(t);
      return static_cast<TensorId>(network.tensors.size() - 1);
    };
    IntegerLayer layer;
    layer.name = "conv";
    layer.kind = "conv2d";
    layer.in = {16, 12, 12};
    layer.out = {24, 12, 12};
    GemmOp gemm;
    gemm.input = tensor(layer.in);
    gemm.window.kernel_h = gemm.window.kernel_w = 3;
    gemm.window.pad_top = gemm.window.pad_bottom = 1;
    gemm.window.pad_left = gemm.window.pad_right = 1;
    gemm.weight_bits.assign(24, 8);
    layer.op = gemm;
    Residual residual;
    residual.identity = tensor(layer.out);
    layer.residual = residual;
    Store store;
    store.tensor = tensor(layer.out);
    layer.stores.push_back(store);
    network.layers.push_back(layer);

    Machine machine;
    machine.name = "small";
    machine.array.rows = machine.array.cols = 8;
    machine.buffers = {1, 2, 1, 1};
    program = compile(network, machine, {}, FastEngine::timer);
  }

  bool is_sound() const { return validate_program(program, network).empty(); }

  /// The nth command of a unit that has predecessors.
  Command& waiting(Unit unit, int n) {
    for (Command& command : program.commands) {
      if (command.unit == unit && command.predecessor_count > 0 && n-- == 0) return command;
    }
    throw std::logic_error("no such command");
  }
};

TEST_CASE("the example is sound and has several tiles", "[schedule][check]") {
  const Example example;
  CHECK(example.is_sound());
  CHECK(example.program.array.size() > 8);
  CHECK(example.program.vector.size() > 4);
}

TEST_CASE("a command that waits for nothing is found out", "[schedule][check]") {
  for (const Unit unit : {Unit::kDma, Unit::kArray, Unit::kVector}) {
    int found = 0;
    for (int n = 0; n < 5; ++n) {
      Example example;
      example.waiting(unit, n).predecessor_count = 0;
      found += example.is_sound() ? 0 : 1;
    }
    CAPTURE(static_cast<int>(unit));
    // Two loads of one step may wait for the same command: one of them would do.
    CHECK(found >= (unit == Unit::kDma ? 3 : 5));
  }
}

TEST_CASE("a command that waits for a later one is found out", "[schedule][check]") {
  Example example;
  const Command& command = example.waiting(Unit::kArray, 0);
  example.program.predecessors[command.first_predecessor] =
      static_cast<CommandId>(example.program.commands.size() - 1);
  CHECK_FALSE(example.is_sound());
}

TEST_CASE("a tile outside its half of a buffer is found out", "[schedule][check]") {
  Example example;
  example.program.array[0].act.buffer_bit += 8 * 1024 * 8;
  CHECK_FALSE(example.is_sound());
}

TEST_CASE("a wrong byte count is found out", "[schedule][check]") {
  Example example;
  ++example.program.dma[3].bytes;
  CHECK_FALSE(example.is_sound());
}

TEST_CASE("an output stored twice, or not at all, is found out", "[schedule][check]") {
  for (const bool twice : {false, true}) {
    Example example;
    DmaCommand* first = nullptr;
    for (DmaCommand& dma : example.program.dma) {
      if (!dma.is_store) continue;
      if (first == nullptr) {
        first = &dma;
      } else {
        DmaPattern& moved = example.program.patterns[dma.first_pattern];
        moved.dram_bit =
            twice ? example.program.patterns[first->first_pattern].dram_bit : moved.dram_bit + 8;
        break;
      }
    }
    CHECK_FALSE(example.is_sound());
  }
}

TEST_CASE("missing products and K tiles out of order are found out", "[schedule][check]") {
  Example missing;
  missing.program.array[1].macs -= 1;
  CHECK_FALSE(missing.is_sound());
  Example swapped;
  swapped.program.array[1].accumulate = !swapped.program.array[1].accumulate;
  CHECK_FALSE(swapped.is_sound());
}

TEST_CASE("a layer whose smallest tile does not fit says what would help", "[schedule][compile]") {
  Example example;
  Machine machine = example.program.machine;
  machine.file = "small.json";
  machine.buffers.act_kib = 1;
  example.network.tensors[0].shape.c = 4096;
  example.network.layers[0].in.c = 4096;
  auto& gemm = std::get<GemmOp>(example.network.layers[0].op);
  example.network.tensors[0].precision.bits = 16;
  machine.array.rows = 1024;
  std::string text;
  try {
    compile(example.network, machine, {}, FastEngine::timer);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInvalidInput);
    text = error.what();
  }
  CAPTURE(text, gemm.weight_bits.size());
  CHECK(text.find("layer 'conv'") != std::string::npos);
  CHECK(text.find("small.json: at /buffers: ") == 0);
  CHECK(text.find("machine 'small'") != std::string::npos);
  CHECK(text.find("buffers/act_kib to 4") != std::string::npos);
}

TEST_CASE("a program that memory could not hold is refused by a limit", "[schedule][compile]") {
  Example example;
  for (const std::int64_t batch : {std::int64_t{1} << 20, std::int64_t{1} << 26}) {
    CAPTURE(batch);
    CHECK_REFUSED(compile(example.network, example.program.machine, {batch}, FastEngine::timer),
                  ErrorKind::kLimit, "a smaller batch");
  }
}

TEST_CASE("a network is not compiled for a machine that rounds otherwise", "[schedule][compile]") {
  Example example;
  Machine machine = example.program.machine;
  machine.vector.rounding = Rounding::kHalfEven;
  CHECK_THROWS_AS(compile(example.network, machine, {}, FastEngine::timer), Error);
  CompileOptions beyond;
  beyond.first_layer = 1;
  CHECK_THROWS_AS(compile(example.network, example.program.machine, beyond, FastEngine::timer),
                  Error);
}

}  // namespace
}  // namespace bitpulse
