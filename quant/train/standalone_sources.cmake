# What training takes from the other rooms when it is built alone (standalone.cmake); the tests link
# bitpulse-train from these alone, so that a source that is missing here fails. The readers of other
# image formats are in absent_formats.cpp.
set(models graph layer shape_inference text io/cifar10 io/figures io/files io/images io/json io/json_override io/json_parser
           io/layer_reader io/onnx_file io/onnx_network io/onnx_reader io/onnx_scope io/protobuf
           io/quantization_reader io/safetensors io/sha256 io/shipped io/train_reader io/workload_reader nets/builder
           nets/inception nets/mlp nets/mobilenet nets/nets nets/resnet nets/resnet_cifar nets/squeezenet nets/vgg
           nets/yolo)
set(quant deployed_arithmetic placement float/normalization float/parameters lower/fuse lower/lower lower/tensors lower/widths
          methods/hawq methods/histogram methods/llsq methods/lsq methods/multiplier methods/scale_owners)
set(integer parallel)
