#include "services/health_worker/process.hpp"

int main() { return aim::health_worker::RunProcess(); }
