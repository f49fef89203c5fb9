#include "tests/support/tls_authority.hpp"

#include <fstream>
#include <stdexcept>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace aim::testing {
namespace {

void Require(bool condition, const char* what) {
    if (!condition) throw std::runtime_error(std::string("TlsAuthority: ") + what);
}

template <typename WriteFunction>
std::string ToPem(WriteFunction write) {
    BIO* bio = BIO_new(BIO_s_mem());
    const bool written = write(bio) == 1;
    char* data = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio, &data));
    std::string text(data == nullptr ? "" : data, data == nullptr ? 0 : size);
    BIO_free(bio);
    Require(written, "cannot write PEM");
    return text;
}

void AddExtension(X509* certificate, X509* issuer, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    Require(extension != nullptr, "bad extension");
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    Require(added, "cannot add an extension");
}

void SetValidity(X509* certificate, std::chrono::hours from, std::chrono::hours until) {
    using std::chrono::seconds;
    X509_gmtime_adj(X509_getm_notBefore(certificate), static_cast<long>(seconds(from).count()));
    X509_gmtime_adj(X509_getm_notAfter(certificate), static_cast<long>(seconds(until).count()));
}

std::string AlternativeNames(const TlsLeafRequest& request) {
    std::string names;
    for (const std::string& name : request.names)
        names += (names.empty() ? "DNS:" : ",DNS:") + name;
    for (const std::string& address : request.addresses)
        names += (names.empty() ? "IP:" : ",IP:") + address;
    return names;
}

}  // namespace

TlsAuthority::KeyPtr TlsAuthority::MakeKey() {
    KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    Require(key != nullptr, "cannot make a key");
    return key;
}

TlsAuthority::CertificatePtr TlsAuthority::MakeCertificate(EVP_PKEY* key,
                                                           const std::string& common_name) {
    CertificatePtr certificate(X509_new());
    Require(certificate != nullptr, "out of memory");
    X509_set_version(certificate.get(), X509_VERSION_3);
    unsigned char serial[8] = {};
    Require(RAND_bytes(serial, sizeof serial) == 1, "no random bytes");
    std::uint64_t number = 1;
    for (const unsigned char byte : serial) number = (number << 7) ^ byte;
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), number);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    Require(X509_set_pubkey(certificate.get(), key) == 1, "cannot set the public key");
    return certificate;
}

TlsAuthority::TlsAuthority(const std::string& common_name)
    : key_(MakeKey()), certificate_(MakeCertificate(key_.get(), common_name)) {
    X509* certificate = certificate_.get();
    SetValidity(certificate, std::chrono::hours(-48), std::chrono::hours(48));
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    AddExtension(certificate, certificate, NID_subject_key_identifier, "hash");
    Require(X509_sign(certificate, key_.get(), EVP_sha256()) > 0, "cannot sign");
    certificate_pem_ = ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

TlsCertificate TlsAuthority::Issue(const TlsLeafRequest& request) const {
    const KeyPtr key = MakeKey();
    const CertificatePtr leaf = MakeCertificate(key.get(), "fake provider");
    SetValidity(leaf.get(), request.valid_from, request.valid_until);
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(certificate_.get()));
    AddExtension(leaf.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
    AddExtension(leaf.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature");
    AddExtension(leaf.get(), certificate_.get(), NID_ext_key_usage, "serverAuth");
    AddExtension(leaf.get(), certificate_.get(), NID_authority_key_identifier, "keyid");
    const std::string names = AlternativeNames(request);
    if (!names.empty()) AddExtension(leaf.get(), certificate_.get(), NID_subject_alt_name, names);
    Require(X509_sign(leaf.get(), key_.get(), EVP_sha256()) > 0, "cannot sign");
    TlsCertificate result;
    result.certificate_pem = ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, leaf.get()); });
    result.key_pem = ToPem([&](BIO* bio) {
        return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    return result;
}

void TlsAuthority::WriteFiles(const std::filesystem::path& folder,
                              const TlsCertificate& leaf) const {
    namespace fs = std::filesystem;
    fs::create_directories(folder);
    const auto write = [&folder](const char* name, const std::string& text) {
        std::ofstream file(folder / name, std::ios::binary);
        file << text;
        Require(file.good(), "cannot write a file");
    };
    write("ca.pem", certificate_pem_);
    write("cert.pem", leaf.certificate_pem);
    write("key.pem", "");
    fs::permissions(folder / "key.pem", fs::perms::owner_read | fs::perms::owner_write);
    write("key.pem", leaf.key_pem);
}

}  // namespace aim::testing
