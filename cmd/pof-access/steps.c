/* SPDX-License-Identifier: Apache-2.0 */
/* key, ask, grant and revoke: records for the log. */
#include "parts.h"

#include "io/directory.h"
#include "record/words.h"

#include <string.h>

static int load_key(const char *path, struct pof_signer *out, struct pof_err *err)
{
    struct pof_buf text = {0};
    if (!path) {
        return pof_fail(err, POF_E_USAGE, "--key FILE is needed; 'pof-access key' makes one");
    }
    int rc = pof_secret_read(path, 4096, &text, err);
    rc = rc ? rc : pof_signer_parse(out, (struct pof_text){text.data, text.len}, err);
    if (text.data) {
        pof_wipe(text.data, text.len);
    }
    pof_buf_release(&text);
    return rc ? pof_at(err, path, 0, NULL) : 0;
}

int access_key(struct work *w, struct pof_err *err)
{
    uint8_t seed[POF_ED25519_KEY];
    struct pof_signer key = {0};
    struct pof_buf text = {0};
    struct pof_sink out;
    if (!w->a->name || !w->a->key) {
        return pof_fail(err, POF_E_USAGE, "key needs --name NAME and --key FILE");
    }
    int rc = pof_random_bytes(seed, sizeof seed, err);
    rc = rc ? rc : pof_signer_make(&key, pof_text(w->a->name), seed, err);
    rc = rc ? rc : pof_signer_format(&text, &key, err);
    rc = rc ? rc : pof_buf_add(&text, "\n", 1, err);
    rc = rc ? rc : pof_secret_write(w->a->key, (struct pof_text){text.data, text.len}, err);
    if (text.data) {
        pof_wipe(text.data, text.len);
    }
    text.len = 0;
    rc = rc ? rc : pof_vkey_format(&text, &key.vkey, err);
    rc = rc ? rc : pof_buf_add(&text, "\n", 1, err);
    rc = rc ? rc : pof_cli_sink(w->cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, text.data, text.len, err);
    pof_wipe(seed, sizeof seed);
    pof_wipe(&key, sizeof key);
    pof_buf_release(&text);
    return rc;
}

/* Signs a step and writes it. */
static int put(struct work *w, struct pof_subscription *s, const struct pof_signer *key, struct pof_err *err)
{
    struct pof_arena arena = {0};
    int rc = s->start < s->end ? 0
                               : pof_fail(err, POF_E_RANGE, "the data end before they start");
    rc = rc ? rc : pof_subscription_sign(s, key, &arena, err);
    rc = rc ? rc : pof_writer_put(pof_cli_out(w->cli), POF_subscription, s, err);
    pof_arena_release(&arena);
    return rc;
}

int access_ask(struct work *w, struct pof_err *err)
{
    const struct args *a = w->a;
    struct pof_signer key = {0};
    if (!a->id || !a->owner || !a->purpose || a->pod.n == 0 || a->start == INT64_MIN || a->end == INT64_MIN) {
        return pof_fail(err, POF_E_USAGE, "ask needs --id, --owner, --pod, --purpose, --start and --end");
    }
    int rc = load_key(a->key, &key, err);
    for (size_t i = 0; i < a->pod.n && rc == 0; i++) {
        struct pof_subscription s = {.id = pof_text(a->id),
                                     .step = POF_SUBSCRIPTION_STEP_ASK,
                                     .consumer = pof_text(key.vkey.name),
                                     .owner = pof_text(a->owner),
                                     .pod = pof_text(a->pod.item[i]),
                                     .data = pof_text(a->data),
                                     .purpose = pof_text(a->purpose),
                                     .start = a->start,
                                     .end = a->end,
                                     .at = pof_cli_now(w->cli)};
        if (a->expires != INT64_MIN) {
            s.expires = a->expires;
            POF_SET(&s, subscription, expires);
        }
        rc = put(w, &s, &key, err);
    }
    pof_wipe(&key, sizeof key);
    return rc;
}

/* Answers steps of others. */
struct answering {
    struct work *w;
    struct pof_signer key;
    uint64_t others; /* steps that are not this party's to answer */
};

static int on_grant(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct answering *g = ctx;
    const struct args *a = g->w->a;
    struct pof_subscription s = r->u.subscription;
    if (s.step != POF_SUBSCRIPTION_STEP_ASK || !pof_text_is(s.owner, g->key.vkey.name)) {
        g->others++;
        return 0;
    }
    s.step = POF_SUBSCRIPTION_STEP_GRANT;
    s.at = pof_cli_now(g->w->cli);
    s.start = a->start > s.start ? a->start : s.start;
    s.end = a->end != INT64_MIN && a->end < s.end ? a->end : s.end;
    if (a->expires != INT64_MIN && (!POF_HAS(&s, subscription, expires) || a->expires < s.expires)) {
        s.expires = a->expires;
        POF_SET(&s, subscription, expires);
    }
    return put(g->w, &s, &g->key, err);
}

static int on_revoke(void *ctx, const struct pof_record *r, struct pof_err *err)
{
    struct answering *g = ctx;
    struct pof_subscription s = r->u.subscription;
    bool mine = pof_text_is(s.owner, g->key.vkey.name) || pof_text_is(s.consumer, g->key.vkey.name);
    if (s.step != POF_SUBSCRIPTION_STEP_ASK || !mine) {
        g->others++;
        return 0;
    }
    s.step = POF_SUBSCRIPTION_STEP_REVOKE;
    s.at = pof_cli_now(g->w->cli);
    return put(g->w, &s, &g->key, err);
}

static int answer(struct work *w, pof_on_record *how, struct pof_err *err)
{
    struct answering g = {.w = w};
    const struct pof_want want = {POF_subscription, how};
    int rc = load_key(w->a->key, &g.key, err);
    rc = rc ? rc : pof_cli_read_files(w->cli, w->rest, w->n_rest, &want, 1, &g, err);
    if (rc == 0 && g.others) {
        pof_cli_note(w->cli, "%llu steps are not for '%s' to answer", (unsigned long long)g.others,
                     g.key.vkey.name);
    }
    pof_wipe(&g.key, sizeof g.key);
    return rc;
}

int access_grant(struct work *w, struct pof_err *err)
{
    return answer(w, on_grant, err);
}

int access_revoke(struct work *w, struct pof_err *err)
{
    return answer(w, on_revoke, err);
}
