// make_test_certificate FOLDER: writes ca.pem, cert.pem and key.pem for localhost and 127.0.0.1.
#include <exception>
#include <iostream>

#include "tests/support/tls_authority.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: make_test_certificate FOLDER\n";
        return 2;
    }
    try {
        const aim::testing::TlsAuthority authority;
        authority.WriteFiles(argv[1], authority.Issue());
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
