/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP GET through libcurl's multi interface, because a source is read, not pushed. libcurl brings some
 * thirty libraries along and eight milliseconds of start: it is loaded with the first URL. */
#include "net/http.h"

#include "base/text.h"

#define CURL_DISABLE_TYPECHECK /* its macros know functions by name only */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 512 * 1024, POLL_MS = 1000, REDIRECTS = 5, CONNECT_S = 10, STALL_S = 30 };

#define FUNCTIONS(X)                                                                               \
    X(curl_global_init)                                                                       \
    X(curl_global_cleanup)                                                                    \
    X(curl_easy_init)                                                                         \
    X(curl_easy_cleanup)                                                                      \
    X(curl_easy_setopt)                                                                       \
    X(curl_easy_getinfo)                                                                      \
    X(curl_easy_header)                                                                       \
    X(curl_easy_perform)                                                                      \
    X(curl_easy_pause)                                                                        \
    X(curl_easy_strerror)                                                                     \
    X(curl_multi_init)                                                                        \
    X(curl_multi_cleanup)                                                                     \
    X(curl_multi_add_handle)                                                                  \
    X(curl_multi_remove_handle)                                                               \
    X(curl_multi_perform)                                                                     \
    X(curl_multi_info_read)                                                                   \
    X(curl_multi_poll)                                                                        \
    X(curl_multi_strerror)                                                                    \
    X(curl_slist_append)                                                                      \
    X(curl_slist_free_all)

struct curl {
#define MEMBER(name) __typeof__(name) *name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

struct pof_http {
    struct curl curl;
    char *url; /* owned */
    CURL *easy;
    CURLM *multi;
    bool global; /* curl_global_init was called */
    bool done;   /* the transfer ended, result says how */
    bool paused;
    CURLcode result;
    struct pof_buf waiting; /* bytes not read yet, from pos on */
    size_t pos;
    uint64_t received, max;
    bool too_long, no_memory; /* why on_body took no more; libcurl itself also calls it an error of
                                 writing when a packed body does not end where it should */
    const char *content_type; /* of what is posted */
    const struct pof_sink *to; /* of a fetch: where the body goes; NULL: it waits to be read */
    struct pof_err *to_err;    /* what the sink says */
    int to_rc;
    char reason[CURL_ERROR_SIZE];
};

bool pof_http_is_url(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static long status_of(const struct pof_http *h)
{
    long status = 0;
    h->curl.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct pof_http *h = ctx;
    if (h->to && status_of(h) != 200) { /* nobody reads the pages of errors, which may be endless */
        return 0;
    }
    if (!h->to && h->waiting.len - h->pos >= WAITING_MAX) {
        h->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (h->received + n > h->max) {
        h->too_long = true;
        return 0;
    }
    h->received += n;
    if (h->to) {
        h->to_rc = h->to->write(h->to->ctx, bytes, size * n, h->to_err);
        return h->to_rc == 0 ? n : 0;
    }
    h->no_memory = pof_buf_add(&h->waiting, bytes, size * n, NULL) != 0;
    return h->no_memory ? 0 : n;
}

static enum pof_code code_of(CURLcode c)
{
    switch (c) {
    case CURLE_OUT_OF_MEMORY:
        return POF_E_NOMEM;
    case CURLE_URL_MALFORMAT:
        return POF_E_USAGE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return POF_E_UNAVAILABLE;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return POF_E_CONFIG;
    default:
        return POF_E_PROTOCOL;
    }
}

static int fail_transfer(const struct pof_http *h, struct pof_err *err)
{
    if (h->too_long) {
        return pof_fail(err, POF_E_TOO_LONG, "'%.120s' is longer than %llu bytes", h->url,
                        (unsigned long long)h->max);
    }
    if (h->no_memory) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    if (h->result == CURLE_WRITE_ERROR) {
        return pof_fail(err, POF_E_PROTOCOL, "'%.120s' has more behind the end of its packed content", h->url);
    }
    return pof_fail(err, code_of(h->result), "'%.120s': %.160s", h->url,
                    h->reason[0] ? h->reason : h->curl.curl_easy_strerror(h->result));
}

/* Was the answer the document? Only 200 says so. */
static int check_status(const struct pof_http *h, struct pof_err *err)
{
    long status = status_of(h);
    if (status == 200) {
        return 0;
    }
    bool later = status == 404 || status == 410 || status == 429 || status / 100 == 5;
    return pof_fail(err, later ? POF_E_UNAVAILABLE : POF_E_PROTOCOL,
                    "'%.200s': the server answers with status %ld, expected 200", h->url, status);
}

/* Lets the transfer go on until bytes are waiting or it has ended. */
static int pump(struct pof_http *h, struct pof_err *err)
{
    while (!h->done && h->pos == h->waiting.len) {
        int running;
        int left;
        h->pos = h->waiting.len = 0;
        if (h->paused) {
            h->paused = false;
            h->curl.curl_easy_pause(h->easy, CURLPAUSE_CONT);
        }
        CURLMcode rc = h->curl.curl_multi_perform(h->multi, &running);
        const CURLMsg *message = h->curl.curl_multi_info_read(h->multi, &left);
        if (message && message->msg == CURLMSG_DONE) {
            h->done = true;
            h->result = message->data.result;
        }
        if (rc == CURLM_OK && !h->done && h->waiting.len == 0) {
            rc = h->curl.curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
        }
        if (rc != CURLM_OK) {
            return pof_fail(err, rc == CURLM_OUT_OF_MEMORY ? POF_E_NOMEM : POF_E_INTERNAL,
                            "'%.200s': %s", h->url, h->curl.curl_multi_strerror(rc));
        }
    }
    return 0;
}

static ssize_t http_read(void *ctx, void *to, size_t n, struct pof_err *err)
{
    struct pof_http *h = ctx;
    int rc = pump(h, err);
    if (rc) {
        return rc;
    }
    size_t have = h->waiting.len - h->pos;
    if (have == 0) {
        return h->result == CURLE_OK ? 0 : fail_transfer(h, err);
    }
    n = n < have ? n : have;
    memcpy(to, h->waiting.data + h->pos, n);
    h->pos += n;
    return (ssize_t)n;
}

/* "https://name:secret@host/": the part before the first '/' behind the scheme has an '@'. */
static bool has_secret(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

static CURLcode configure(struct pof_http *h, const struct pof_http_options *o)
{
    bool tls = strncmp(h->url, "https://", 8) == 0;
    CURL *e = h->easy;
    CURLcode rc = CURLE_OK;
#define SET(option, value) (rc = rc ? rc : h->curl.curl_easy_setopt(e, CURLOPT_##option, value))
    SET(URL, h->url);
    SET(PROTOCOLS_STR, tls ? "https" : "http");
    SET(REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
    SET(FOLLOWLOCATION, 1L);
    SET(MAXREDIRS, (long)REDIRECTS);
    SET(PROXY, "");
    SET(NOSIGNAL, 1L);
    SET(CONNECTTIMEOUT, o->connect_s ? o->connect_s : (long)CONNECT_S);
    SET(LOW_SPEED_LIMIT, 1L);
    SET(LOW_SPEED_TIME, o->stall_s ? o->stall_s : (long)STALL_S);
    SET(TIMEOUT, o->whole_s);
    SET(ACCEPT_ENCODING, ""); /* all that is built in */
    if (o->ca) {
        SET(CAINFO, o->ca);
    }
    if (o->cert) {
        SET(SSLCERT, o->cert);
        SET(SSLKEY, o->key ? o->key : o->cert);
    }
    if (o->token) { /* libcurl does not hand it to another host that a redirect names */
        SET(XOAUTH2_BEARER, o->token);
        SET(HTTPAUTH, (long)CURLAUTH_BEARER);
    }
    SET(USERAGENT, "pof/" POF_VERSION);
    SET(ERRORBUFFER, h->reason);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, h);
#undef SET
    return rc;
}

static int load_library(struct curl *curl, struct pof_err *err)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    bool whole = library != NULL;
    void *at;
#define FIND(name)                                                                                 \
    at = library ? dlsym(library, #name) : NULL;                                                   \
    memcpy(&curl->name, &at, sizeof at); /* ISO C has no cast from an object pointer */            \
    whole = whole && at;
    FUNCTIONS(FIND)
#undef FIND
    return whole ? 0
                 : pof_fail(err, POF_E_CONFIG,
                            "a URL needs libcurl.so.4, which is not there; install package libcurl4");
}

static int start(struct pof_http *h, const struct pof_http_options *o, struct pof_err *err)
{
    int loaded = load_library(&h->curl, err);
    if (loaded) {
        return loaded;
    }
    h->global = h->curl.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    h->easy = h->global ? h->curl.curl_easy_init() : NULL;
    h->multi = h->easy ? h->curl.curl_multi_init() : NULL;
    if (!h->multi) {
        return pof_fail(err, POF_E_NOMEM, "the HTTP library cannot start");
    }
    CURLcode rc = configure(h, o);
    if (rc != CURLE_OK) {
        return pof_fail(err, code_of(rc), "'%.200s': %s", h->url, h->curl.curl_easy_strerror(rc));
    }
    if (h->curl.curl_multi_add_handle(h->multi, h->easy) != CURLM_OK) {
        return pof_fail(err, POF_E_NOMEM, "the HTTP library cannot start");
    }
    return 0;
}

/* A handle for a URL, nothing sent yet. */
static int make(struct pof_http **out, const char *url, const struct pof_http_options *options,
                struct pof_err *err)
{
    if (!pof_http_is_url(url)) {
        return pof_fail(err, POF_E_USAGE, "'%.200s' is not a URL with http:// or https://", url);
    }
    if (has_secret(url)) {
        return pof_fail(
            err, POF_E_USAGE,
            "a URL with a name or password is refused; use curl --netrc-file and a pipe");
    }
    if (options->token && strncmp(url, "https://", 8) != 0) {
        return pof_fail(err, POF_E_USAGE, "'%.200s': a token goes over https:// only", url);
    }
    struct pof_http *h;
    int rc = pof_calloc(&h, 1, sizeof *h, err);
    if (rc) {
        return rc;
    }
    h->max = options->max_bytes ? options->max_bytes : UINT64_C(1) << 30;
    h->content_type = options->content_type;
    h->url = strdup(url);
    rc = h->url ? start(h, options, err) : pof_fail(err, POF_E_NOMEM, "out of memory");
    if (rc) {
        pof_http_close(h);
        return rc;
    }
    *out = h;
    return 0;
}

int pof_http_open(struct pof_http **out, const char *url, const struct pof_http_options *options,
                  struct pof_err *err)
{
    struct pof_http *h;
    int rc = make(&h, url, options, err);
    if (rc) {
        return rc;
    }
    rc = pump(h, err);
    rc = rc || !h->done || h->result == CURLE_OK ? rc : fail_transfer(h, err);
    rc = rc ? rc : check_status(h, err);
    if (rc) {
        pof_http_close(h);
        return rc;
    }
    *out = h;
    return 0;
}

/* Sets what makes a request a POST; the body must outlive the transfer. */
static int make_post(struct pof_http *h, struct pof_text body, struct curl_slist **headers,
                     struct pof_err *err)
{
    char type[128];
    snprintf(type, sizeof type, "Content-Type: %s",
             h->content_type ? h->content_type : "text/plain; charset=utf-8");
    *headers = h->curl.curl_slist_append(NULL, type);
    struct curl_slist *more = *headers ? h->curl.curl_slist_append(*headers, "Expect:") : NULL;
    if (!more || h->curl.curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK ||
        h->curl.curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, more) != CURLE_OK ||
        h->curl.curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK ||
        h->curl.curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body.ptr) != CURLE_OK) {
        return pof_fail(err, POF_E_NOMEM, "the HTTP library cannot start");
    }
    return 0;
}

int pof_http_post(const char *url, struct pof_text body, const struct pof_http_options *options,
                  struct pof_http_answer *answer, struct pof_err *err)
{
    struct pof_http *h;
    struct curl_slist *headers = NULL;
    char some[4096];
    int rc = make(&h, url, options, err);
    if (rc) {
        return rc;
    }
    rc = make_post(h, body, &headers, err);
    answer->body.len = 0;
    ssize_t n = 1;
    while (rc == 0 && n > 0) {
        n = http_read(h, some, sizeof some, err);
        rc = n < 0 ? (int)n : pof_buf_add(&answer->body, some, (size_t)n, err);
    }
    h->curl.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    h->curl.curl_slist_free_all(headers);
    pof_http_close(h);
    return rc;
}

/* --- a document that is fetched when it is another one --- */

/* Adds a header; the list is freed when there is no memory. */
static int add_header(const struct pof_http *h, struct curl_slist **list, const char *name,
                      const char *value, struct pof_err *err)
{
    char line[sizeof((struct pof_http_version *)0)->etag + 32];
    if (!value[0]) {
        return 0;
    }
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *more = h->curl.curl_slist_append(*list, line);
    if (!more) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    *list = more;
    return 0;
}

/* A header of the answer, "" when there is none, or one too long or with control characters. */
static void header_of(const struct pof_http *h, const char *name, char *to, size_t size)
{
    struct curl_header *found;
    to[0] = '\0';
    if (h->curl.curl_easy_header(h->easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK &&
        strlen(found->value) < size) {
        memcpy(to, found->value, strlen(found->value) + 1);
        for (const char *p = to; *p; p++) {
            if ((unsigned char)*p < 0x20 || *p == 0x7f) {
                to[0] = '\0';
                return;
            }
        }
    }
}

/* What an ended transfer means. */
static int judge(struct pof_http *h, struct pof_http_fetch *f, bool asked, struct pof_err *err)
{
    curl_off_t wait = 0;
    long status = status_of(h);
    if (h->to_rc) {
        return h->to_rc;
    }
    h->curl.curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &wait);
    f->wait_s = wait > 0 ? (int64_t)wait : 0;
    if (asked && status == 304 && h->result == CURLE_OK) {
        f->same = true;
        return 0;
    }
    if (status == 401 || status == 403) {
        return pof_fail(err, POF_E_PERMISSION, "'%.200s': the server refuses the client with status %ld",
                        h->url, status);
    }
    bool refused = h->result == CURLE_WRITE_ERROR && status != 200; /* by on_body, for its status */
    if (h->result != CURLE_OK && !refused) {
        return fail_transfer(h, err);
    }
    int rc = check_status(h, err);
    if (rc == 0) {
        header_of(h, "ETag", f->version.etag, sizeof f->version.etag);
        header_of(h, "Last-Modified", f->version.modified, sizeof f->version.modified);
    }
    return rc;
}

int pof_http_fetch(const char *url, const struct pof_http_options *options, struct pof_http_fetch *f,
                   struct pof_err *err)
{
    struct pof_http *h;
    struct curl_slist *headers = NULL;
    bool asked = f->version.etag[0] || f->version.modified[0];
    f->same = false;
    f->wait_s = 0;
    int rc = make(&h, url, options, err);
    if (rc) {
        return rc;
    }
    h->to = &f->to;
    h->to_err = err;
    rc = add_header(h, &headers, "If-None-Match", f->version.etag, err);
    rc = rc ? rc : add_header(h, &headers, "If-Modified-Since", f->version.modified, err);
    if (rc == 0) {
        h->curl.curl_multi_remove_handle(h->multi, h->easy);
        h->curl.curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, headers);
        h->result = h->curl.curl_easy_perform(h->easy);
        rc = judge(h, f, asked, err);
    }
    h->curl.curl_slist_free_all(headers);
    pof_http_close(h);
    return rc;
}

struct pof_source pof_http_source(struct pof_http *h)
{
    return (struct pof_source){http_read, h, h->url};
}

void pof_http_close(struct pof_http *h)
{
    if (h) {
        if (h->multi && h->easy) {
            h->curl.curl_multi_remove_handle(h->multi, h->easy);
        }
        if (h->global) {
            h->curl.curl_multi_cleanup(h->multi);
            h->curl.curl_easy_cleanup(h->easy);
            h->curl.curl_global_cleanup();
        }
        pof_buf_release(&h->waiting);
        free(h->url);
        free(h);
    }
}
