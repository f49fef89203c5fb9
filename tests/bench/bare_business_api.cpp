// The business API without some of its features, so that tools/bench.sh can tell what each of them
// costs:
//
//   BENCH_WITHOUT="authentication ledger metrics" bare_business_api
//
// Everything else comes from the environment as in aimanager-business-api. For measuring alone:
// without authentication anybody may ask.
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "core/pipeline/settings.hpp"
#include "services/business_api/process.hpp"

int main() {
    aim::pipeline::Features features;
    const char* without = std::getenv("BENCH_WITHOUT");
    std::istringstream names(without == nullptr ? "" : without);
    for (std::string name; names >> name;) {
        if (name == "authentication") {
            features.authentication = false;
        } else if (name == "ledger") {
            features.ledger = false;
        } else if (name == "metrics") {
            features.metrics = false;
        } else {
            std::fprintf(
                stderr,
                "bare_business_api: BENCH_WITHOUT: %s is none of authentication, ledger, metrics\n",
                name.c_str());
            return 2;
        }
    }
    return aim::business_api::RunProcess(features);
}
