/* SPDX-License-Identifier: Apache-2.0 */
/* TLS between two buffers of OpenSSL. */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <limits.h>
#include <stdlib.h>

struct pof_tls {
    SSL_CTX *ctx;
    SSL *ssl;      /* owns both buffers */
    BIO *in, *out; /* from and to the socket */
    bool ready;
};

/* What OpenSSL has to say, oldest first; it keeps nothing. */
static const char *complaint(char *to, size_t n)
{
    unsigned long e = ERR_get_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    const char *text = reason ? reason : e ? "an error of the system" : "no reason is given";
    size_t i = 0;
    for (; text[i] && i + 1 < n; i++) {
        to[i] = text[i];
    }
    to[i] = '\0';
    ERR_clear_error();
    return to;
}

static int unusable(const char *what, const char *path, struct pof_err *err)
{
    char why[120];
    return pof_fail(err, POF_E_CONFIG, "'%.80s' cannot be used as %s: %s",
                    path ? path : "the system", what, complaint(why, sizeof why));
}

/* Refuses a key with a password instead of asking the terminal for it. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf, (void)size, (void)rwflag, (void)ctx;
    return -1;
}

static int load(struct pof_tls *t, const struct pof_tls_options *o, struct pof_err *err)
{
    SSL_CTX_set_default_passwd_cb(t->ctx, no_password);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1) {
        return unusable("TLS 1.2", NULL, err);
    }
    if (o->ca ? SSL_CTX_load_verify_locations(t->ctx, o->ca, NULL) != 1
              : SSL_CTX_set_default_verify_paths(t->ctx) != 1) {
        return unusable("a list of authorities", o->ca, err);
    }
    if (o->cert && SSL_CTX_use_certificate_chain_file(t->ctx, o->cert) != 1) {
        return unusable("the client's certificate", o->cert, err);
    }
    const char *key = o->key ? o->key : o->cert;
    if (o->cert && (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1 ||
                    SSL_CTX_check_private_key(t->ctx) != 1)) {
        return unusable("the key of the client's certificate", key, err);
    }
    return 0;
}

/* Whom the certificate must name: an address where the host is one. */
static bool expect_host(struct pof_tls *t, const char *host)
{
    X509_VERIFY_PARAM *p = SSL_get0_param(t->ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1) {
        return true;
    }
    ERR_clear_error();
    return SSL_set1_host(t->ssl, host) == 1 && SSL_set_tlsext_host_name(t->ssl, host) == 1;
}

static int start(struct pof_tls *t, const struct pof_tls_options *o, struct pof_err *err)
{
    t->ssl = SSL_new(t->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    BIO_set_mem_eof_return(t->in, -1); /* empty: more will come */
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_connect_state(t->ssl);
    if (!expect_host(t, o->host)) {
        return unusable("the name of a server", o->host, err);
    }
    bool over;
    return pof_tls_in(t, (struct pof_text){"", 0}, NULL, &over, err); /* the first message */
}

int pof_tls_open(struct pof_tls **out, const struct pof_tls_options *options, struct pof_err *err)
{
    struct pof_tls *t;
    int rc = pof_calloc(&t, 1, sizeof *t, err);
    *out = NULL;
    if (rc) {
        return rc;
    }
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1) {
        t->ctx = SSL_CTX_new(TLS_client_method());
    }
    rc = t->ctx ? load(t, options, err) : pof_fail(err, POF_E_NOMEM, "OpenSSL cannot start");
    rc = rc ? rc : start(t, options, err);
    if (rc) {
        pof_tls_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

/* The stream cannot go on; for a bad certificate, the reason of that. */
static int refuse(struct pof_tls *t, struct pof_err *err)
{
    char why[120];
    long verify = SSL_get_verify_result(t->ssl);
    complaint(why, sizeof why);
    return pof_fail(err, POF_E_PROTOCOL, "TLS ends: %s%s%s", why, verify == X509_V_OK ? "" : ": ",
                    verify == X509_V_OK ? "" : X509_verify_cert_error_string(verify));
}

static int shake(struct pof_tls *t, struct pof_err *err)
{
    ERR_clear_error();
    int n = SSL_do_handshake(t->ssl);
    t->ready = n == 1;
    return t->ready || SSL_get_error(t->ssl, n) == SSL_ERROR_WANT_READ ? 0 : refuse(t, err);
}

static int read_plain(struct pof_tls *t, struct pof_buf *to, bool *over, struct pof_err *err)
{
    enum { RECORD = 16384 }; /* most plain bytes of one record (RFC 8446, section 5.1) */
    for (;;) {
        int rc = pof_buf_reserve(to, RECORD, err);
        if (rc) {
            return rc;
        }
        ERR_clear_error();
        int n = SSL_read(t->ssl, to->data + to->len, RECORD);
        if (n <= 0) {
            int what = SSL_get_error(t->ssl, n);
            *over = what == SSL_ERROR_ZERO_RETURN;
            return *over || what == SSL_ERROR_WANT_READ ? 0 : refuse(t, err);
        }
        to->len += (size_t)n;
    }
}

int pof_tls_in(struct pof_tls *t, struct pof_text bytes, struct pof_buf *to, bool *over,
               struct pof_err *err)
{
    *over = false;
    if (bytes.len &&
        (bytes.len > INT_MAX || BIO_write(t->in, bytes.ptr, (int)bytes.len) != (int)bytes.len)) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    int rc = t->ready ? 0 : shake(t, err);
    return rc || !t->ready || !to ? rc : read_plain(t, to, over, err);
}

bool pof_tls_ready(const struct pof_tls *t)
{
    return t->ready;
}

int pof_tls_out(struct pof_tls *t, struct pof_text plain, struct pof_err *err)
{
    size_t done = 0;
    ERR_clear_error();
    /* Into memory, everything is written at once. */
    return plain.len == 0 || SSL_write_ex(t->ssl, plain.ptr, plain.len, &done) == 1
               ? 0
               : refuse(t, err);
}

int pof_tls_carry(struct pof_tls *t, struct pof_buf *to, struct pof_err *err)
{
    size_t n = BIO_ctrl_pending(t->out);
    int rc = n ? pof_buf_reserve(to, n, err) : 0;
    if (rc == 0 && n) {
        int got = n <= INT_MAX ? BIO_read(t->out, to->data + to->len, (int)n) : -1;
        to->len += got > 0 ? (size_t)got : 0;
    }
    return rc;
}

void pof_tls_close(struct pof_tls *t)
{
    if (t) {
        SSL_free(t->ssl);
        SSL_CTX_free(t->ctx);
        free(t);
    }
}
