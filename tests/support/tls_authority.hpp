// A certificate authority made at run time, so that no test needs key files in the tree.
//
//     TlsAuthority authority;
//     const TlsCertificate leaf = authority.Issue({.names = {"localhost"}, .addresses =
//     {"127.0.0.1"}});
//
// Everything throws std::runtime_error when OpenSSL or the file system refuses.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace aim::testing {

struct TlsCertificate {
    std::string certificate_pem;
    std::string key_pem;
};

struct TlsLeafRequest {
    std::vector<std::string> names{"localhost"};
    std::vector<std::string> addresses{"127.0.0.1"};
    // Relative to now. An expired certificate is {-2 days, -1 day}; a wrong name is another one in
    // `names`.
    std::chrono::hours valid_from{-1};
    std::chrono::hours valid_until{24};
};

class TlsAuthority {
  public:
    explicit TlsAuthority(const std::string& common_name = "Fake Test Authority");

    // What a client must trust, as PEM.
    const std::string& certificate_pem() const { return certificate_pem_; }
    TlsCertificate Issue(const TlsLeafRequest& request = {}) const;

    // Writes ca.pem, and cert.pem and key.pem of the leaf, into the folder.
    void WriteFiles(const std::filesystem::path& folder, const TlsCertificate& leaf) const;

  private:
    struct Deleter {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
        void operator()(X509* certificate) const { X509_free(certificate); }
    };
    using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter>;
    using CertificatePtr = std::unique_ptr<X509, Deleter>;

    static KeyPtr MakeKey();
    static CertificatePtr MakeCertificate(EVP_PKEY* key, const std::string& common_name);

    KeyPtr key_;
    CertificatePtr certificate_;
    std::string certificate_pem_;
};

}  // namespace aim::testing
