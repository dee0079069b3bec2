// SPDX-License-Identifier: Apache-2.0
#pragma once

// The builders behind the table of nets.h, one file per family.

#include "models/graph.h"

namespace bitpulse {

Graph resnet18();
Graph resnet34();
Graph resnet50();
Graph resnet101();
Graph resnet152();

Graph resnet20_cifar();
Graph resnet32_cifar();
Graph resnet44_cifar();
Graph resnet56_cifar();
Graph resnet8_cifar();
Graph resnet8_figures();

Graph vgg16bn();
Graph vgg_small();
Graph alexnet();

Graph squeezenet1_0();
Graph squeezenet1_1();
Graph squeezenext_23_2x();

Graph mobilenet_v2();
Graph mobilenet_v2_tf();
Graph inception_v3();

Graph yolov2_voc();
Graph tiny_yolov2_voc();

Graph mlp_mnist();

}  // namespace bitpulse
