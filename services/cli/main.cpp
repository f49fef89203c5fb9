#include "services/cli/command_line.hpp"

int main(int argc, char** argv) { return aim::cli::RunCommandLine(argc, argv); }
