/* SPDX-License-Identifier: Apache-2.0 */
/* The node, the directory with its lock, and what all sub-commands do with them. */
#include "parts.h"

#include "chain/abi.h"
#include "net/http.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_MAX = 16 << 20 };

/* --- the node --- */

static int post(void *ctx, struct pof_text request, struct pof_buf *answer, struct pof_err *err)
{
    struct work *w = ctx;
    struct pof_http_options o = {.max_bytes = ANSWER_MAX, .content_type = "application/json"};
    struct pof_http_answer a = {.body = *answer};
    int rc = pof_http_post(w->a->node, request, &o, &a, err);
    *answer = a.body;
    return rc;
}

static int wait(void *ctx, struct pof_err *err)
{
    struct work *w = ctx;
    struct timespec t = {w->a->poll_ms / 1000, w->a->poll_ms % 1000 * 1000000};
    if (w->waited_ms >= w->a->timeout_s * 1000) {
        return pof_fail(err, POF_E_UNAVAILABLE,
                        "not in a block with %" PRId64 " confirmations after %" PRId64
                        " s; it stays pending: run 'pof-chain status' to go on",
                        w->a->confirmations, w->a->timeout_s);
    }
    nanosleep(&t, NULL);
    w->waited_ms += w->a->poll_ms;
    return 0;
}

static void tell(void *ctx, const char *text)
{
    struct work *w = ctx;
    pof_cli_note(w->cli, "%s", text);
}

void chain_node(struct work *w)
{
    w->node = (struct pof_node){post, w, w->a->node};
}

/* --- the directory --- */

static int open_directory(struct work *w, const char *lock, struct pof_err *err)
{
    bool there;
    chain_node(w);
    int rc = pof_hasher_new(&w->hasher, err);
    rc = rc ? rc : pof_directory_open(&w->dir, w->target, lock, err);
    if (rc) {
        return rc;
    }
    w->folder = pof_directory_folder(w->dir);
    rc = pof_contracts_load(&w->folder, &w->contracts, &there, err);
    if (rc == 0 && !there) {
        rc = pof_fail(err, POF_E_CONFIG,
                      "'%s' has no file 'contracts'; 'pof-chain deploy' makes it", w->target);
    }
    return rc ? rc : pof_contracts_same(&w->contracts, &w->node, err);
}

int chain_open_to_ask(struct work *w, struct pof_err *err)
{
    return open_directory(w, NULL, err);
}

static int print_sent(struct work *w, const struct pof_sent *s, struct pof_err *err)
{
    struct pof_buf hash = {0};
    int rc = pof_hex_add(&hash, (struct pof_text){(const char *)s->hash.b, POF_WORD}, err);
    rc = rc ? rc
            : chain_print(w, err, "%s gas=%" PRIu64 " block=%" PRIu64 " tx=%.*s%s\n", s->what,
                          s->gas, s->block, (int)hash.len, hash.data, s->good ? "" : " reverted");
    pof_buf_release(&hash);
    return rc;
}

/* A contract that was created gets its place in the file. */
static int adopt(struct work *w, const struct pof_sent *s, struct pof_err *err)
{
    static const char deploy[] = "deploy ";
    if (!s->create || !s->good || strncmp(s->what, deploy, sizeof deploy - 1) != 0 ||
        pof_contracts_find(&w->contracts, s->what + sizeof deploy - 1)) {
        return 0;
    }
    int rc = pof_contracts_set(&w->contracts, s->what + sizeof deploy - 1, &s->created, err);
    return rc ? rc : pof_contracts_store(&w->folder, &w->contracts, err);
}

int chain_open_to_finish(struct work *w, struct pof_err *err)
{
    int rc = open_directory(w, "lock", err);
    w->sender = (struct pof_sender){.node = &w->node,
                                    .folder = &w->folder,
                                    .wait = wait,
                                    .tell = tell,
                                    .ctx = w,
                                    .confirmations = (uint64_t)w->a->confirmations,
                                    .chain_id = w->contracts.chain_id};
    rc = rc ? rc : pof_sender_finish(&w->sender, &w->last, err);
    rc = rc ? rc : adopt(w, &w->last, err);
    return rc || !w->last.news ? rc : print_sent(w, &w->last, err);
}

static int read_key(struct work *w, struct pof_err *err)
{
    struct pof_buf text = {0};
    if (!w->a->key) {
        return pof_fail(err, POF_E_USAGE, "expected --key FILE, a file of mode 600");
    }
    int rc = pof_secret_read(w->a->key, 256, &text, err);
    rc = rc ? rc : pof_chain_key_read(&w->key, (struct pof_text){text.data, text.len}, err);
    rc = rc ? rc : pof_chain_key_address(&w->key, &w->me, err);
    if (text.data) {
        pof_wipe(text.data, text.len);
    }
    pof_buf_release(&text);
    return rc ? pof_at(err, w->a->key, 0, NULL) : 0;
}

int chain_open_to_send(struct work *w, struct pof_err *err)
{
    int rc = read_key(w, err);
    return rc ? rc : chain_open_to_finish(w, err);
}

void chain_close(struct work *w)
{
    pof_directory_close(w->dir);
    pof_hasher_free(w->hasher);
    pof_buf_release(&w->data);
    pof_wipe(&w->key, sizeof w->key);
}

/* --- contracts --- */

int chain_contract(struct work *w, const char *name, const struct pof_address **out,
                   struct pof_err *err)
{
    *out = pof_contracts_find(&w->contracts, name);
    return *out ? 0
                : pof_fail(err, POF_E_CONFIG,
                           "'%s' knows no contract '%s'; 'pof-chain deploy' makes it", w->target,
                           name);
}

/* Why a contract refused within a block: the same call again on the state before it. */
static int say_why(struct work *w, const struct pof_sent *s, const struct pof_address *to,
                   struct pof_err *err)
{
    char tag[32];
    struct pof_buf none = {0};
    struct pof_call call = {&w->me, to, {w->data.data, w->data.len}, tag};
    snprintf(tag, sizeof tag, "0x%" PRIx64, s->block - 1);
    int rc = pof_rpc_call(&w->node, &call, &none, err);
    pof_buf_release(&none);
    return rc ? rc
              : pof_fail(err, POF_E_ANSWER_NO, "%s: reverted in block %" PRIu64, s->what, s->block);
}

int chain_do(struct work *w, const char *what, const struct pof_address *to, struct pof_err *err)
{
    struct pof_sent sent;
    struct pof_action action = {what, to, {w->data.data, w->data.len}, &w->key};
    w->waited_ms = 0;
    int rc = pof_sender_do(&w->sender, &action, &sent, err);
    rc = rc ? rc : adopt(w, &sent, err);
    rc = rc ? rc : print_sent(w, &sent, err);
    if (rc == 0) {
        w->last = sent;
    }
    return rc || sent.good ? rc : say_why(w, &sent, to, err);
}

int chain_ask(struct work *w, const struct pof_address *to, struct pof_err *err)
{
    struct pof_buf out = {0};
    struct pof_call call = {NULL, to, {w->data.data, w->data.len}, NULL};
    int rc = pof_rpc_call(&w->node, &call, &out, err);
    pof_buf_release(&w->data);
    w->data = out;
    return rc;
}

int chain_ask_word(struct work *w, const struct pof_address *to, struct pof_word *out,
                   struct pof_err *err)
{
    int rc = chain_ask(w, to, err);
    if (rc == 0 && !pof_abi_word_at((struct pof_text){w->data.data, w->data.len}, 0, out)) {
        rc = pof_fail(err, POF_E_PROTOCOL, "the contract answers with nothing: is it deployed?");
    }
    return rc;
}

/* --- words --- */

int chain_print(struct work *w, struct pof_err *err, const char *fmt, ...)
{
    char line[512];
    struct pof_sink out;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    int rc = pof_cli_sink(w->cli, NULL, &out, err);
    return rc ? rc
              : out.write(out.ctx, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1,
                          err);
}

struct pof_word chain_sha256(struct work *w, struct pof_text text)
{
    struct pof_hash hash;
    struct pof_word out;
    pof_hash_two(w->hasher, text, (struct pof_text){"", 0}, &hash);
    memcpy(out.b, hash.b, sizeof out.b);
    return out;
}

int chain_address(const char *option, const char *value, struct pof_address *out,
                  struct pof_err *err)
{
    if (value && pof_hex_read(pof_text(value), out->b, POF_ADDRESS)) {
        return 0;
    }
    return pof_fail(err, POF_E_USAGE, "--%s: '%.60s' is not an address; expected 0x and 40 digits",
                    option, value ? value : "");
}

int chain_text(const char *option, const char *value, struct pof_err *err)
{
    size_t n = value ? strlen(value) : 0;
    bool good = n > 0 && n <= 64;
    for (size_t i = 0; good && i < n; i++) {
        good = (unsigned char)value[i] >= ' ' && value[i] != '"' && value[i] != '\\';
    }
    return good ? 0
                : pof_fail(err, POF_E_USAGE,
                           "--%s: expected 1 to 64 bytes without control characters, '\"' and '\\'",
                           option);
}

int chain_settlement(struct work *w, char name[POF_CONTRACT_NAME], struct pof_word *terms,
                     struct pof_err *err)
{
    struct pof_kept_records kept = {0};
    struct pof_hash hash;
    char hex[POF_TERMS_HEX];
    if (!w->a->terms) {
        return pof_fail(err, POF_E_USAGE, "expected --terms FILE: the settlement of which terms?");
    }
    int rc = pof_cli_keep_file(w->cli, w->a->terms, &kept, err);
    if (rc == 0 && (kept.n != 1 || kept.at[0].r.type != POF_terms)) {
        rc = pof_fail(
            err, POF_E_SCHEMA,
            "'%s': expected one record pof.terms/1 and nothing else: a settlement contract "
            "is for one",
            w->a->terms);
    }
    rc = rc ? rc : pof_terms_hash(&kept.at[0].r.u.terms, &hash, err);
    rc = rc ? rc : pof_terms_hex(&kept.at[0].r.u.terms, hex, err);
    if (rc == 0) {
        memcpy(terms->b, hash.b, POF_WORD);
        snprintf(name, POF_CONTRACT_NAME, "Settlement 0x%s", hex);
    }
    pof_kept_release(&kept);
    return rc;
}
