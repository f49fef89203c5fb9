#include "services/business_api/process.hpp"

int main() { return aim::business_api::RunProcess(); }
