// SPDX-License-Identifier: Apache-2.0
#include "sim/systemc/gemm_layer.h"

#include "sim/systemc/act_rows.h"

namespace bitpulse {

GemmLayer::GemmLayer(const IntegerNetwork& network, const LayerPlan& plan,
                     std::uint32_t width_group)
    : layer_(&network.layers[plan.layer]),
      op_(&std::get<GemmOp>(layer_->op)),
      group_(&plan.width_groups[width_group]) {
  spec_.act = network.tensors[static_cast<std::size_t>(op_->input)].precision;
  spec_.weight_bits = group_->weight_bits;
  spec_.positions = op_->window.kernel_h * op_->window.kernel_w;
  spec_.cin = layer_->in.c / op_->groups;
  spec_.depthwise = spec_.cin == 1 && op_->groups > 1 && group_->channels.front().size() == 1;
  spec_.order = group_->order;
}

std::uint64_t GemmLayer::region_bits(const Region& region) const {
  return static_cast<std::uint64_t>(region.rows.size() * region.cols.size() *
                                    pixel_bits(region.channels.size(), spec_.act.bits));
}

std::uint64_t GemmLayer::weight_bits(const GemmTile& tile) const {
  return static_cast<std::uint64_t>(tile.groups.size() * tile.n.size() * codes(tile.k) *
                                    spec_.weight_bits);
}

std::uint64_t GemmLayer::sums(const GemmTile& tile) const {
  return static_cast<std::uint64_t>(tile.groups.size() * tile.m.size() * tile.n.size());
}

std::size_t GemmLayer::sum_tiles(const GemmTile& tile) const {
  return spec_.depthwise ? 1 : static_cast<std::size_t>(tile.groups.size());
}

}  // namespace bitpulse
