/* SPDX-License-Identifier: Apache-2.0 */
/* A document on the web, again and again, into a spool: each content once. */
#include "io/directory.h"
#include "net/wire.h"
#include "pof-poll/parts.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"url", 0, POF_OPT_TEXT, AT(url), "URL", "document to fetch, http:// or https://", 0, 0, NULL},
    {"spool", 0, POF_OPT_FILE, AT(spool), "DIR", "directory in which its contents land", 0, 0, NULL},
    {"every", 0, POF_OPT_MICRO, AT(every_us), "S", "seconds from one request to the next (60)", 0, 86400, NULL},
    {"count", 0, POF_OPT_INT, AT(count), "N", "end after N requests; 0: never (0)", 0, INT64_MAX, NULL},
    {"give-up", 0, POF_OPT_INT, AT(give_up_s), "S", "end when every request has failed for so long; 0: never (0)", 0, 1000000000, NULL},
    {"connect", 0, POF_OPT_INT, AT(connect_s), "S", "longest time to reach the server (10)", 1, 3600, NULL},
    {"timeout", 0, POF_OPT_INT, AT(timeout_s), "S", "longest time of a request as a whole (60)", 1, 86400, NULL},
    {"max-bytes", 0, POF_OPT_INT, AT(max_bytes), "N", "longest document, unpacked (67108864)", 1, INT64_MAX, NULL},
    {"spool-max", 0, POF_OPT_INT, AT(spool_max), "N", "files that may wait; with more, nothing is fetched (1000)", 1, 1000000, NULL},
    {"ending", 0, POF_OPT_TEXT, AT(ending), "TEXT", "how names of files end (.data)", 0, 0, NULL},
    {"ca", 0, POF_OPT_FILE, AT(ca), "FILE", "authorities that may have signed the server's certificate (those of the system)", 0, 0, NULL},
    {"cert", 0, POF_OPT_FILE, AT(cert), "FILE", "the client's certificate (none)", 0, 0, NULL},
    {"key", 0, POF_OPT_FILE, AT(key), "FILE", "its key, when it is in another file", 0, 0, NULL},
    {"token-file", 0, POF_OPT_FILE, AT(token_file), "FILE", "file with a bearer token, readable by its owner only", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-poll",
    .purpose = "fetch a document on the web again and again into a spool, each content once",
    .operands = "",
    .examples = "pof-poll --url https://meters.example/today.csv --every 60 --spool in",
    .options = options};

enum { DELAY_MS = 1000, DELAY_MAX_MS = 60000, ASKED_MAX_MS = 3600000, TOKEN_MAX = 4096 };

/* --- again and again --- */

static void rest(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (ms > 0 && nanosleep(&t, &t) != 0) { /* a signal that does not end the program */
    }
}

/* Is an error one of the server, or of the way there, so that it may pass? */
static bool may_pass(int rc)
{
    return rc == POF_E_UNAVAILABLE || rc == POF_E_PROTOCOL || rc == POF_E_TOO_LONG || rc == POF_E_PERMISSION;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A request failed: 0 when it is worth another, after *ms. */
static int failed(struct polling *p, int rc, int64_t wait_s, int64_t *ms, struct pof_err *err)
{
    const struct args *a = p->a;
    int64_t left = a->give_up_s * 1000 - (pof_wire_now() - p->good_ms);
    p->failed++;
    if (!may_pass(rc) || (a->give_up_s && left <= 0) || (a->count && p->requests >= (uint64_t)a->count)) {
        return rc;
    }
    *ms = most(p->delay_ms, least(wait_s, ASKED_MAX_MS / 1000) * 1000);
    *ms = a->give_up_s ? least(*ms, left) : *ms;
    p->delay_ms = least(p->delay_ms * 2, most(a->every_us / 1000, DELAY_MAX_MS));
    pof_cli_note(p->cli, "%s; again in %" PRId64 ".%" PRId64 " s", err->text, *ms / 1000, *ms % 1000 / 100);
    *err = (struct pof_err){0};
    return 0;
}

static void went_well(struct polling *p)
{
    p->good_ms = pof_wire_now();
    p->delay_ms = least(DELAY_MS, p->a->every_us / 1000);
}

/* Waits until the spool has room. */
static int make_room(struct polling *p, struct pof_err *err)
{
    size_t files;
    bool told = false;
    for (;;) {
        int rc = pof_shelf_files(p->shelf, &files, err);
        if (rc || files < (size_t)p->a->spool_max) {
            return rc;
        }
        if (!told) {
            pof_cli_note(p->cli, "%zu files wait in '%s': nothing is fetched", files, p->a->spool);
        }
        told = true;
        rest(most(least(p->a->every_us / 1000, DELAY_MS), 10));
    }
}

static int stream(struct polling *p, struct pof_err *err)
{
    int rc = 0;
    went_well(p);
    while (rc == 0 && (!p->a->count || p->requests < (uint64_t)p->a->count)) {
        int64_t wait_s = 0;
        int64_t begun = pof_wire_now();
        rc = make_room(p, err);
        rc = rc ? rc : poll_ask(p, &wait_s, err);
        int64_t ms = begun + p->a->every_us / 1000 - pof_wire_now();
        if (rc) {
            rc = failed(p, rc, wait_s, &ms, err);
        } else {
            went_well(p);
        }
        if (rc == 0 && (!p->a->count || p->requests < (uint64_t)p->a->count)) {
            rest(ms);
        }
    }
    return rc;
}

/* --- how it is called --- */

static int read_token(struct polling *p, struct pof_err *err)
{
    if (!p->a->token_file) {
        return 0;
    }
    int rc = pof_secret_read(p->a->token_file, TOKEN_MAX, &p->token, err);
    while (rc == 0 && p->token.len && strchr("\r\n", p->token.data[p->token.len - 1])) {
        p->token.len--;
    }
    for (size_t i = 0; rc == 0 && (i < p->token.len || i == 0); i++) {
        if (p->token.len == 0 || p->token.data[i] <= ' ' || p->token.data[i] == 0x7f) {
            return pof_fail(err, POF_E_CONFIG, "'%.200s' does not hold one token on one line", p->a->token_file);
        }
    }
    return rc ? rc : pof_buf_add(&p->token, "", 1, err);
}

static int check(const struct args *a, struct pof_err *err)
{
    enum { LEAST_US = 10000 };
    if (!a->url || !a->spool) {
        return pof_fail(err, POF_E_USAGE, "which document, and where to? --url URL --spool DIR");
    }
    if (strchr(a->url, '\n') || strlen(a->url) > 4096) {
        return pof_fail(err, POF_E_USAGE, "a URL of one line with at most 4096 bytes is needed");
    }
    if (a->key && !a->cert) {
        return pof_fail(err, POF_E_USAGE, "--key needs --cert");
    }
    if (a->every_us < LEAST_US) {
        return pof_fail(err, POF_E_USAGE, "--every must be at least 0.01 s");
    }
    if (!a->ending[0] || strchr(a->ending, '/') || strspn(a->ending, "0123456789") || strlen(a->ending) > 40) {
        return pof_fail(err, POF_E_USAGE, "--ending '%.60s' is not the ending of a file's name", a->ending);
    }
    return 0;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    struct polling p = {.cli = cli, .a = args};
    const char *const *operand;
    const char *left = "";
    int rc = check(p.a, err);
    if (rc == 0 && pof_cli_operands(cli, &operand)) {
        rc = pof_fail(err, POF_E_USAGE, "'%.200s': no operand is expected; the document is named by --url", operand[0]);
    }
    rc = rc ? rc : read_token(&p, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &p.names, err);
    rc = rc ? rc : pof_shelf_open(&p.shelf, (struct pof_shelf_place){p.a->spool, p.a->ending}, &left, err);
    rc = rc || !left[0] ? rc : poll_tell(&p, left, err);
    rc = rc ? rc : stream(&p, err);
    if (p.shelf) { /* nothing was begun without a spool */
        pof_cli_note(cli, "%" PRIu64 " requests: %" PRIu64 " files handed on, %" PRIu64 " times nothing new, %" PRIu64 " failed",
                     p.requests, p.files, p.same, p.failed);
    }
    pof_shelf_close(p.shelf);
    pof_buf_release(&p.token);
    pof_buf_release(&p.line);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {.every_us = 60000000,
                        .ending = ".data",
                        .connect_s = 10,
                        .timeout_s = 60,
                        .max_bytes = 64 << 20,
                        .spool_max = 1000};
    return pof_main(&program, argc, argv, &args, run);
}
