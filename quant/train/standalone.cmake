# quant/train without the rest of the project: bitpulse-train for a machine that has libtorch and
# nothing else of ours, for example one with a GPU. It reads CIFAR-10 files and draws the figures;
# model.safetensors then goes to a full build, which makes the integers.
#   cmake -S quant/train -B build/train -DCMAKE_PREFIX_PATH=<libtorch> && cmake --build build/train
set(root ${CMAKE_CURRENT_LIST_DIR}/../..)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
include(${root}/scripts/cmake/BitpulseTargets.cmake)
find_path(JSON_INCLUDE nlohmann/json.hpp REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)

include(${CMAKE_CURRENT_LIST_DIR}/standalone_sources.cmake)
list(TRANSFORM models PREPEND ${root}/models/)
list(TRANSFORM quant PREPEND ${root}/quant/)
list(TRANSFORM integer PREPEND ${root}/quant/integer/)
list(TRANSFORM models APPEND .cpp)
list(TRANSFORM quant APPEND .cpp)
list(TRANSFORM integer APPEND .cpp)
add_library(bitpulse_quant STATIC ${models} ${quant} ${integer} absent_formats.cpp)
add_library(bitpulse::quant ALIAS bitpulse_quant)
target_include_directories(bitpulse_quant PUBLIC ${root} ${JSON_INCLUDE})
target_link_libraries(bitpulse_quant PRIVATE OpenSSL::Crypto bitpulse::warnings)
set_source_files_properties(${root}/quant/methods/lsq.cpp ${root}/quant/methods/llsq.cpp PROPERTIES
  COMPILE_OPTIONS -fno-trapping-math)
set_source_files_properties(${root}/models/io/shipped.cpp PROPERTIES COMPILE_DEFINITIONS
  "BITPULSE_SOURCE_DATA=\"${root}/workloads\";BITPULSE_INSTALLED_DATA=\"share/bitpulse\"")
