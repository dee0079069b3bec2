// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small programs written by hand: commands in queue order with their predecessors.

#include <initializer_list>
#include <vector>

#include "sim/program.h"

namespace bitpulse {

class ProgramBuilder {
 public:
  explicit ProgramBuilder(const Machine& machine) {
    program_.machine = machine;
    layer("layer0");
  }

  /// Commands from now on belong to a new layer with one width group of 8 x 8 bits.
  void layer(const std::string& name) {
    LayerPlan plan;
    plan.layer = static_cast<std::uint32_t>(program_.layers.size());
    plan.name = name;
    plan.kind = "gemm";
    plan.act_bits = 8;
    plan.width_groups.resize(1);
    program_.layers.push_back(plan);
  }

  CommandId array(const FoldNest& nest, const std::vector<CommandId>& predecessors = {}) {
    ArrayCommand command;
    command.nest = nest;
    program_.array.push_back(command);
    return append(Unit::kArray, program_.array.size(), predecessors);
  }

  CommandId load(std::uint64_t bytes, const std::vector<CommandId>& predecessors = {},
                 std::uint64_t address = 0) {
    return dma(bytes, false, predecessors, address);
  }
  CommandId store(std::uint64_t bytes, const std::vector<CommandId>& predecessors = {},
                  std::uint64_t address = 0) {
    return dma(bytes, true, predecessors, address);
  }

  CommandId vector(std::uint64_t elements, std::uint32_t passes,
                   const std::vector<CommandId>& predecessors = {}) {
    VectorCommand command;
    command.elements = elements;
    command.passes = passes;
    program_.vector.push_back(command);
    return append(Unit::kVector, program_.vector.size(), predecessors);
  }

  Program& program() { return program_; }

 private:
  CommandId dma(std::uint64_t bytes, bool is_store, const std::vector<CommandId>& predecessors,
                std::uint64_t address) {
    DmaCommand command;
    command.is_store = is_store;
    command.buffer = is_store ? Buffer::kOut : Buffer::kAct;
    command.bytes = bytes;
    command.first_pattern = static_cast<std::uint32_t>(program_.patterns.size());
    command.pattern_count = 1;
    DmaPattern pattern;
    pattern.dram_bit = address * 8;
    pattern.run_bits = bytes * 8;
    program_.patterns.push_back(pattern);
    program_.dma.push_back(command);
    return append(Unit::kDma, program_.dma.size(), predecessors);
  }

  CommandId append(Unit unit, std::size_t payloads, const std::vector<CommandId>& predecessors) {
    Command command;
    command.unit = unit;
    command.layer = static_cast<std::uint32_t>(program_.layers.size() - 1);
    command.payload = static_cast<std::uint32_t>(payloads - 1);
    command.first_predecessor = static_cast<std::uint32_t>(program_.predecessors.size());
    command.predecessor_count = static_cast<std::uint32_t>(predecessors.size());
    program_.predecessors.insert(program_.predecessors.end(), predecessors.begin(),
                                 predecessors.end());
    program_.commands.push_back(command);
    return static_cast<CommandId>(program_.commands.size() - 1);
  }

  Program program_;
};

}  // namespace bitpulse
