#pragma once

namespace aim::pipeline {
struct Features;
}

namespace aim::business_api {

// The whole process: configuration, signals, start, wait, drain. Returns the exit status.
int RunProcess();

// With some features off, which a measurement of their toll wants.
int RunProcess(const pipeline::Features& features);

}  // namespace aim::business_api
