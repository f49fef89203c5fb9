#include "services/health_worker/application.hpp"

int main() { return aim::health_worker::RunProcess(); }
