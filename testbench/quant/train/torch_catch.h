// SPDX-License-Identifier: Apache-2.0
#pragma once

// Catch2 beside torch, whose logging library also defines CHECK. Include this header only, first.

// clang-format off
#include <ATen/ATen.h>
#undef CHECK
#undef CHECK_FALSE
#include "testbench/catch.h"
// clang-format on
