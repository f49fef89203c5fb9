// See aim_precompiled() in AimTargets.cmake.
#pragma once

#include "precompiled_asio.hpp"
#include "precompiled_test.hpp"
