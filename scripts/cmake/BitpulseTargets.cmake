# Targets and functions every room uses.

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Warnings of our own code; linked PRIVATE.
add_library(bitpulse_warnings INTERFACE)
add_library(bitpulse::warnings ALIAS bitpulse_warnings)
target_compile_options(bitpulse_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion
                       $<$<BOOL:${BITPULSE_WERROR}>:-Werror>)

# Sanitizers must reach every object of the program.
if(BITPULSE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# bitpulse_library(<room> SOURCES ... PUBLIC ... PRIVATE ...): static library bitpulse_<room> with
# the alias bitpulse::<room>; includes start at the project's root.
function(bitpulse_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(bitpulse_${name} STATIC ${ARG_SOURCES})
  add_library(bitpulse::${name} ALIAS bitpulse_${name})
  target_include_directories(bitpulse_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(bitpulse_${name} PUBLIC ${ARG_PUBLIC}
                        PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:bitpulse::warnings>)
endfunction()

# bitpulse_test(<name> SOURCES ... LINK ... [LABELS ...] [TIMEOUT s]): one Catch2 program; CTest runs
# each of its cases in a process of its own. Tests that read ../shared find it beside the sources.
function(bitpulse_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS ${name})  # an empty value would vanish and shift the properties behind it
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE bitpulse_catch ${ARG_LINK} bitpulse::warnings)
  target_compile_definitions(test_${name} PRIVATE BITPULSE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             BITPULSE_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
  catch_discover_tests(test_${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}: "
                       PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 4)
endfunction()
