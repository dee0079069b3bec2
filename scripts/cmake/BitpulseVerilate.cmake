# Verilated models as static libraries. A model is verilated when it is built, never when CMake
# runs, and compiled as one translation unit, so that dozens of them configure at once and ccache
# knows each.

# Optimization of Verilated code is part of what it is: the same in every build type, but where
# sanitizers watch the code around it.
set(BITPULSE_VERILATOR_OPTIONS -Wall -Wno-fatal -O3 --x-assign fast --x-initial fast --noassert)
set(BITPULSE_VERILATED_OPTIONS -O3 -w -fno-sanitize=all)
if(BITPULSE_SANITIZE)
  list(APPEND BITPULSE_VERILATED_OPTIONS -O1 -g0)
endif()
set(BITPULSE_PROCESSOR_OPTIONS $<$<BOOL:${BITPULSE_NATIVE}>:-march=native>)

# bitpulse_array_models(<target> <shape> ...): static library of Verilated arrays with the table that
# make_array_model() of sim/rtl/array_model.h reads. A shape is <ws|os>_<int8|int4|int2|fused>_RxC,
# with _structural behind it for the array of separate PEs.
function(bitpulse_array_models target)
  set(widths int8 8 int4 4 int2 2 fused 32)
  set(kinds int8 kInt8 int4 kInt4 int2 kInt2 fused kFused)
  set(DECLARATIONS "")
  set(ENTRIES "")
  foreach(shape ${ARGN})
    if(NOT shape MATCHES "^(ws|os)_(int8|int4|int2|fused)_([0-9]+)x([0-9]+)(_structural)?$")
      message(FATAL_ERROR "bitpulse_array_models: ${shape} is not a shape")
    endif()
    set(flow ${CMAKE_MATCH_1})
    set(pe ${CMAKE_MATCH_2})
    set(rows ${CMAKE_MATCH_3})
    set(cols ${CMAKE_MATCH_4})
    set(rolled 1)
    set(structural false)
    if(CMAKE_MATCH_5)
      set(rolled 0)
      set(structural true)
    endif()
    list(FIND widths ${pe} at)
    math(EXPR at "${at} + 1")
    list(GET widths ${at} width)
    list(GET kinds ${at} kind)
    set(output_stationary false)
    if(flow STREQUAL os)
      set(output_stationary true)
    endif()
    set(MODEL array_${shape})
    set(maker ${CMAKE_CURRENT_BINARY_DIR}/${target}/${MODEL}.cpp)
    configure_file(${PROJECT_SOURCE_DIR}/sim/rtl/array_model_maker.cpp.in ${maker} @ONLY)
    if(NOT TARGET ${MODEL})
      bitpulse_verilate(${MODEL} TOP array_top_${flow}
                        PARAMETERS OperandWidth=${width} Rows=${rows} Cols=${cols} "Rolled=1'b${rolled}")
    endif()
    string(APPEND DECLARATIONS "std::unique_ptr<ArrayModel> make_${MODEL}(const ArrayShape&);\n")
    string(APPEND ENTRIES
           "    {{PeKind::${kind}, ${output_stationary}, ${rows}, ${cols}, ${structural}}, make_${MODEL}},\n")
    list(APPEND models ${MODEL})
    list(APPEND makers ${maker})
  endforeach()
  set(table ${CMAKE_CURRENT_BINARY_DIR}/${target}/table.cpp)
  configure_file(${PROJECT_SOURCE_DIR}/sim/rtl/array_models.cpp.in ${table} @ONLY)
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${table} ${makers})
  target_link_libraries(${target} PUBLIC bitpulse::rtl PRIVATE ${models} bitpulse::warnings)
endfunction()

find_program(VERILATOR verilator)
if(NOT BITPULSE_RTL)
  set(VERILATOR "")
endif()
if(NOT VERILATOR)
  message(STATUS "rtl: no Verilator, or BITPULSE_RTL is off; no arrays are built into the program, and the tests of the RTL are left out")
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

# bitpulse_verilate(<name> TOP <module> [PARAMETERS Name=value ...] [OPTIONS ...]): static library
# <name> with the class V<name> (header V<name>.h) of module TOP; OPTIONS are Verilator's.
function(bitpulse_verilate name)
  cmake_parse_arguments(ARG "" "TOP" "PARAMETERS;OPTIONS" ${ARGN})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${name}.verilated)
  list(TRANSFORM ARG_PARAMETERS PREPEND -G)
  add_custom_command(
    OUTPUT ${dir}/${name}.cpp
    COMMAND ${CMAKE_COMMAND} -DVERILATOR=${VERILATOR} -DNAME=${name} -DTOP=${ARG_TOP} -DDIR=${dir}
            "-DPARAMETERS=${ARG_PARAMETERS}" "-DSOURCES=${BITPULSE_RTL_SOURCES}"
            -DINCLUDE=${PROJECT_SOURCE_DIR}/rtl "-DOPTIONS=${BITPULSE_VERILATOR_OPTIONS};${ARG_OPTIONS}"
            -P ${PROJECT_SOURCE_DIR}/scripts/cmake/verilate.cmake
    DEPENDS ${BITPULSE_RTL_SOURCES} ${BITPULSE_RTL_HEADERS}
            ${PROJECT_SOURCE_DIR}/scripts/cmake/verilate.cmake
    COMMENT "Verilating ${name}" VERBATIM)
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${dir}/${name}.cpp)
  target_include_directories(${name} SYSTEM PUBLIC ${dir})
  target_compile_options(${name} PRIVATE ${BITPULSE_VERILATED_OPTIONS} ${BITPULSE_PROCESSOR_OPTIONS})
  target_link_libraries(${name} PUBLIC bitpulse_verilated_runtime)
endfunction()
