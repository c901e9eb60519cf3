/* SPDX-License-Identifier: Apache-2.0 */
/* Points to InfluxDB 1.x by HTTP. */
#include "parts.h"

#include "net/http.h"

#include <string.h>
#include <time.h>

enum { FIRST_WAIT_MS = 250, LONGEST_WAIT_MS = 10000, ANSWER_BYTES = 1 << 16 };

/* Of a status that is not success. */
static enum pof_code code_of(long status)
{
    switch (status) {
    case 400:
    case 413:
        return POF_E_WRITE; /* not a line's fault alone, and no reason to go on */
    case 401:
    case 403:
        return POF_E_PERMISSION;
    case 404:
        return POF_E_OPEN;
    default:
        return status == 408 || status == 429 || status >= 500 ? POF_E_UNAVAILABLE : POF_E_PROTOCOL;
    }
}

static int judge(const struct pof_http_answer *a, struct pof_err *err)
{
    if (a->status == 200 || a->status == 204) {
        return 0;
    }
    size_t n = a->body.len < 200 ? a->body.len : 200;
    while (n > 0 && (a->body.data[n - 1] == '\n' || a->body.data[n - 1] == ' ')) {
        n--;
    }
    return pof_fail(err, code_of(a->status), "the database answers %ld to points: %.*s", a->status,
                    (int)n, n ? a->body.data : "");
}

static int post_once(const char *url, struct pof_text lines, struct pof_err *err)
{
    static const struct pof_http_options options = {.max_bytes = ANSWER_BYTES};
    struct pof_http_answer answer = {0};
    int rc = pof_http_post(url, lines, &options, &answer, err);
    rc = rc ? rc : judge(&answer, err);
    pof_buf_release(&answer.body);
    return rc;
}

static void wait_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

int export_post(struct export_server *s, struct pof_text lines, struct pof_err *err)
{
    struct pof_buf url = {0};
    int64_t wait = FIRST_WAIT_MS;
    int64_t left = s->retry_s * 1000;
    int rc = pof_buf_addf(&url, err, "%s%sprecision=%s", s->url, strchr(s->url, '?') ? "&" : "?",
                          s->unit);
    rc = rc ? rc : post_once(url.data, lines, err);
    while (rc == POF_E_UNAVAILABLE && left > 0) {
        wait = wait < left ? wait : left;
        wait_ms(wait);
        left -= wait;
        wait = 2 * wait < LONGEST_WAIT_MS ? 2 * wait : LONGEST_WAIT_MS;
        s->retries++;
        *err = (struct pof_err){0};
        rc = post_once(url.data, lines, err);
    }
    s->batches += rc == 0;
    pof_buf_release(&url);
    return rc;
}
