/* SPDX-License-Identifier: Apache-2.0 */
/* A document on the web as a source of bytes: HTTP GET, over TLS with https.
 *
 * The body is read as it comes, with at most 512 KiB waiting in memory. Certificates and host names
 * are verified against the system's authorities; there is no switch to leave that out. Redirects
 * are followed, five at most, never from https to http nor to another scheme. No proxy, no cookies,
 * no .netrc, nothing from the environment. URLs with a name and password in them are refused:
 * command lines are no place for secrets. http.c is the only file of the toolkit that includes
 * curl.h.
 *
 * Errors: UNAVAILABLE (no such host, no connection, timeout, cut off, status 404, 410, 429, 5xx: to
 * be tried again later), PROTOCOL (no HTTP, a bad certificate, a forbidden redirect, any other
 * status than 200), TOO_LONG, USAGE (not a URL of this kind), NOMEM. */
#ifndef POF_NET_HTTP_H
#define POF_NET_HTTP_H

#include "base/stream.h"
#include "base/text.h"

#include <stdbool.h>

struct pof_http_options {
    long connect_s;     /* to reach the server, TLS included; 0: 10 s */
    long stall_s;       /* without a byte; 0: 30 s */
    uint64_t max_bytes; /* of the body, after decoding; 0: 1 GiB */
    const char *content_type; /* of what is posted; NULL: "text/plain; charset=utf-8" */
    long whole_s;             /* from the request to the last byte; 0: any */
    const char *ca, *cert, *key; /* files of PEM as in tls.h, NULL: none */
    const char *token;           /* sent as "Authorization: Bearer", with https only; NULL: none */
};

struct pof_http;

/* Does a text begin with http:// or https://? Nothing else is fetched. */
bool pof_http_is_url(const char *text);

/* Sends the request and reads to the end of the headers: a bad answer fails here, not in the middle
 * of reading. */
int pof_http_open(struct pof_http **out, const char *url, const struct pof_http_options *options,
                  struct pof_err *err) POF_CHECKED;
/* Valid until close. */
struct pof_source pof_http_source(struct pof_http *h);
void pof_http_close(struct pof_http *h); /* NULL allowed */

/* How a server tells one content of a document from another (RFC 9110, section 8.8); "" when it does
 * not, or in more than fits. */
struct pof_http_version {
    char etag[512];    /* with its quotes */
    char modified[64]; /* a date of HTTP */
};

/* A document that is fetched when it is another one. */
struct pof_http_fetch {
    struct pof_sink to;              /* where it goes as it comes; what came before an error is there */
    struct pof_http_version version; /* in: of the one that is here; out: of the one that came */
    bool same;      /* out: the server says it is the one that is here (304); nothing was written */
    int64_t wait_s; /* out, of a failure: for how long the server does not want to be asked; 0: it
                       does not say */
};
/* Errors as above, of the sink, CONFIG (a certificate or key cannot be used), PERMISSION (status 401
 * or 403). Takes no more memory than libcurl's own, whatever comes. */
int pof_http_fetch(const char *url, const struct pof_http_options *options, struct pof_http_fetch *f,
                   struct pof_err *err) POF_CHECKED;

/* What a server answered to a POST. */
struct pof_http_answer {
    long status;
    struct pof_buf body; /* owned by the caller */
};

/* Sends a body and reads the answer, whatever its status, of at most options->max_bytes (TOO_LONG).
 * Certificates, proxies and secrets as above; redirects are not followed. UNAVAILABLE when there is
 * no answer. */
int pof_http_post(const char *url, struct pof_text body, const struct pof_http_options *options,
                  struct pof_http_answer *answer, struct pof_err *err) POF_CHECKED;

#endif
