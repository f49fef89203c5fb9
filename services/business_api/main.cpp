#include "services/business_api/application.hpp"

int main() { return aim::business_api::RunProcess(); }
