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
