# Verilated models as static libraries. A model is verilated when it is built, never when CMake
# runs, and compiled as one translation unit, so that dozens of them configure at once and ccache
# knows each.

find_program(VERILATOR verilator)
if(NOT VERILATOR)
  message(STATUS "rtl: no Verilator; the RTL models, their engine and their tests are left out")
  return()
endif()
execute_process(COMMAND ${VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE VERILATOR_ROOT
                OUTPUT_STRIP_TRAILING_WHITESPACE)
find_package(Threads REQUIRED)

add_library(bitpulse_verilated_runtime STATIC ${VERILATOR_ROOT}/include/verilated.cpp
                                              ${VERILATOR_ROOT}/include/verilated_threads.cpp)
target_include_directories(bitpulse_verilated_runtime SYSTEM PUBLIC ${VERILATOR_ROOT}/include
                                                                    ${VERILATOR_ROOT}/include/vltstd)
target_compile_definitions(bitpulse_verilated_runtime PUBLIC VM_COVERAGE=0 VM_SC=0 VM_TRACE=0)
target_link_libraries(bitpulse_verilated_runtime PUBLIC Threads::Threads)

# Optimization of Verilated code is part of what it is: the same in every build type.
set(BITPULSE_VERILATED_OPTIONS -O3 -w -fno-sanitize=all)
if(BITPULSE_NATIVE)
  list(APPEND BITPULSE_VERILATED_OPTIONS -march=native)
endif()

# bitpulse_verilate(<name> TOP <module> [PARAMETERS Name=value ...] [SOURCES extra.cpp ...]):
# static library <name> with the class V<name> (header V<name>.h) of module TOP. Extra sources are
# compiled in the same translation unit and may include that header.
function(bitpulse_verilate name)
  cmake_parse_arguments(ARG "" "TOP" "PARAMETERS;SOURCES" ${ARGN})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${name}.verilated)
  list(TRANSFORM ARG_PARAMETERS PREPEND -G)
  add_custom_command(
    OUTPUT ${dir}/${name}.cpp
    COMMAND ${CMAKE_COMMAND} -DVERILATOR=${VERILATOR} -DNAME=${name} -DTOP=${ARG_TOP} -DDIR=${dir}
            "-DPARAMETERS=${ARG_PARAMETERS}" "-DSOURCES=${BITPULSE_RTL_SOURCES}"
            "-DEXTRA=${ARG_SOURCES}" -DINCLUDE=${PROJECT_SOURCE_DIR}/rtl
            -P ${PROJECT_SOURCE_DIR}/scripts/cmake/verilate.cmake
    DEPENDS ${BITPULSE_RTL_SOURCES} ${BITPULSE_RTL_HEADERS} ${ARG_SOURCES}
            ${PROJECT_SOURCE_DIR}/scripts/cmake/verilate.cmake
    COMMENT "Verilating ${name}" VERBATIM)
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${dir}/${name}.cpp)
  target_include_directories(${name} SYSTEM PUBLIC ${dir})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${BITPULSE_VERILATED_OPTIONS})
  target_link_libraries(${name} PUBLIC bitpulse_verilated_runtime)
endfunction()
