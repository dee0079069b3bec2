// SPDX-License-Identifier: Apache-2.0
#include "models/nets/nets.h"

#include "models/error.h"
#include "models/nets/families.h"
#include "models/text.h"

namespace bitpulse {

const std::vector<NetworkInfo>& networks() {
  static const std::vector<NetworkInfo> table{
      {"resnet18", "ResNet-18, ImageNet 224 (He et al. 2016)", resnet18},
      {"resnet34", "ResNet-34, ImageNet 224 (He et al. 2016)", resnet34},
      {"resnet50", "ResNet-50 v1.5, ImageNet 224 (He et al. 2016)", resnet50},
      {"resnet101", "ResNet-101 v1.5, ImageNet 224 (He et al. 2016)", resnet101},
      {"resnet152", "ResNet-152 v1.5, ImageNet 224 (He et al. 2016)", resnet152},
      {"resnet8-cifar", "ResNet-8, CIFAR-10, batch norm folded (MLPerf Tiny)", resnet8_cifar},
      {"resnet8-figures", "ResNet-8, option A, 24 x 24 (6n + 2 layers of He et al. 2016)",
       resnet8_figures},
      {"resnet20-cifar", "ResNet-20, CIFAR-10, option A (He et al. 2016)", resnet20_cifar},
      {"resnet32-cifar", "ResNet-32, CIFAR-10, option A (He et al. 2016)", resnet32_cifar},
      {"resnet44-cifar", "ResNet-44, CIFAR-10, option A (He et al. 2016)", resnet44_cifar},
      {"resnet56-cifar", "ResNet-56, CIFAR-10, option A (He et al. 2016)", resnet56_cifar},
      {"vgg16bn", "VGG-16 with batch norm, ImageNet 224 (Simonyan, Zisserman 2015)", vgg16bn},
      {"vgg-small", "VGG-small, CIFAR-10 (LQ-Nets 2018, LLSQ 2020)", vgg_small},
      {"alexnet", "AlexNet, one column, ImageNet 224 (Krizhevsky 2014)", alexnet},
      {"squeezenet1.0", "SqueezeNet 1.0, ImageNet 224 (Iandola et al. 2016)", squeezenet1_0},
      {"squeezenet1.1", "SqueezeNet 1.1, ImageNet 224 (Iandola et al. 2016)", squeezenet1_1},
      {"squeezenext-23-2x", "2.0-SqNxt-23, ImageNet 224 (Gholami et al. 2018)", squeezenext_23_2x},
      {"mobilenet-v2", "MobileNetV2 1.0, ImageNet 224 (Sandler et al. 2018)", mobilenet_v2},
      {"mobilenet-v2-tf", "MobileNetV2 1.0, TensorFlow padding, batch norm folded",
       mobilenet_v2_tf},
      {"inception-v3", "Inception-V3, ImageNet 299 (Szegedy et al. 2016)", inception_v3},
      {"yolov2-voc", "YOLOv2, Pascal VOC 416 (Redmon, Farhadi 2017)", yolov2_voc},
      {"tiny-yolov2-voc", "Tiny-YOLOv2, Pascal VOC 416 (Redmon, Farhadi 2017)", tiny_yolov2_voc},
      {"mlp-mnist", "MLP 784-2048-2048-2048-10, MNIST (Courbariaux et al. 2015)", mlp_mnist},
  };
  return table;
}

Graph build_network(std::string_view name) {
  std::vector<std::string_view> names;
  for (const NetworkInfo& info : networks()) {
    if (name == info.name) return info.build();
    names.push_back(info.name);
  }
  throw Error(ErrorKind::kInvalidInput, "found network '" + printable(name) +
                                            "', expected one of " + join(names) +
                                            did_you_mean(name, names));
}

}  // namespace bitpulse
