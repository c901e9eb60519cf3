/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions folded from their steps. */
#include "trust/subscriptions.h"

#include "base/base64.h"
#include "record/words.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

/* One subscription of one point of delivery. */
struct subscription {
    struct pof_subscription terms; /* as asked, then as granted; texts in the arena */
    bool granted, revoked;
    uint32_t next; /* of the same consumer and pod, in order of asking; POF_NONE ends */
};

struct pof_subscriptions {
    struct pof_names parties; /* that have a key; the number is the key's */
    struct pof_vkey *key;
    size_t keys_cap;
    struct pof_names pods; /* the number is the owner's */
    struct pof_text *owner;
    size_t owners_cap;
    struct pof_names ids;   /* consumer, subscription and pod: the number is the subscription's */
    struct pof_names pairs; /* consumer and pod: the number is that of first and last */
    struct subscription *all;
    size_t cap;
    uint32_t *first, *last;
    size_t first_cap, last_cap;
    struct pof_arena arena;
    struct pof_jcs jcs;
    struct pof_buf text, canonical, name;
};

int pof_subscriptions_new(struct pof_subscriptions **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_subscriptions_free(struct pof_subscriptions *a)
{
    if (!a) {
        return;
    }
    pof_names_release(&a->parties);
    pof_names_release(&a->pods);
    pof_names_release(&a->ids);
    pof_names_release(&a->pairs);
    free(a->key);
    free(a->owner);
    free(a->all);
    free(a->first);
    free(a->last);
    pof_arena_release(&a->arena);
    pof_jcs_release(&a->jcs);
    pof_buf_release(&a->text);
    pof_buf_release(&a->canonical);
    pof_buf_release(&a->name);
    free(a);
}

int pof_subscriptions_key(struct pof_subscriptions *a, const struct pof_vkey *key, struct pof_err *err)
{
    uint32_t id;
    size_t before = a->parties.n;
    int rc = pof_grow(&a->key, &a->keys_cap, before + 1, sizeof *a->key, err);
    rc = rc ? rc : pof_names_add(&a->parties, pof_text(key->name), &id, err);
    if (rc) {
        return rc;
    }
    if (id < before) {
        return memcmp(a->key[id].key, key->key, sizeof key->key) == 0
                   ? 0
                   : pof_fail(err, POF_E_CONFLICT, "'%s' has two keys, expected one", key->name);
    }
    a->key[id] = *key;
    return 0;
}

int pof_subscriptions_pod(struct pof_subscriptions *a, const struct pof_pod *pod, struct pof_err *err)
{
    struct pof_text owner = POF_HAS(pod, pod, owner) ? pod->owner : (struct pof_text){"", 0};
    uint32_t id;
    size_t before = a->pods.n;
    int rc = pof_grow(&a->owner, &a->owners_cap, before + 1, sizeof *a->owner, err);
    rc = rc ? rc : pof_names_add(&a->pods, pod->pod, &id, err);
    if (rc) {
        return rc;
    }
    if (id < before) {
        return pof_text_eq(a->owner[id], owner)
                   ? 0
                   : pof_fail(err, POF_E_CONFLICT, "'%.*s' has two owners, '%.*s' and '%.*s'",
                              (int)pod->pod.len, pod->pod.ptr, (int)a->owner[id].len,
                              a->owner[id].ptr, (int)owner.len, owner.ptr);
    }
    char *copy = pof_arena_text(&a->arena, owner.ptr, owner.len, err);
    a->owner[id] = (struct pof_text){copy, owner.len};
    return copy ? 0 : (int)POF_E_NOMEM;
}

/* The bytes that are signed: the canonical form of the record without its signature. */
static int signed_bytes(const struct pof_subscription *s, struct pof_jcs *jcs, struct pof_buf *text,
                        struct pof_buf *canonical, struct pof_err *err)
{
    struct pof_subscription bare = *s;
    bare.has &= ~(UINT64_C(1) << POF_BIT_subscription_signature);
    text->len = canonical->len = 0;
    int rc = pof_record_format(text, POF_subscription, &bare, err);
    return rc ? rc : pof_jcs_add(jcs, (struct pof_text){text->data, text->len}, canonical, err);
}

int pof_subscription_sign(struct pof_subscription *s, const struct pof_signer *key, struct pof_arena *arena,
                    struct pof_err *err)
{
    uint8_t signature[POF_ED25519_SIGNATURE];
    char text[POF_BASE64_LEN(POF_ED25519_SIGNATURE)];
    struct pof_jcs jcs = {0};
    struct pof_buf plain = {0}, canonical = {0};
    int rc = signed_bytes(s, &jcs, &plain, &canonical, err);
    rc = rc ? rc
            : pof_ed25519_sign(key->seed, (struct pof_text){canonical.data, canonical.len}, signature, err);
    if (rc == 0) {
        size_t n = pof_base64_encode(signature, sizeof signature, text);
        s->signature = (struct pof_text){pof_arena_text(arena, text, n, err), n};
        POF_SET(s, subscription, signature);
        rc = s->signature.ptr ? 0 : (int)POF_E_NOMEM;
    }
    pof_jcs_release(&jcs);
    pof_buf_release(&plain);
    pof_buf_release(&canonical);
    return rc;
}

/* Is the step signed by this party? */
static int is_signed_by(struct pof_subscriptions *a, const struct pof_subscription *s, struct pof_text party,
                        bool *good, struct pof_err *err)
{
    uint8_t signature[POF_ED25519_SIGNATURE];
    size_t n = 0;
    uint32_t key = pof_names_find(&a->parties, party);
    *good = false;
    if (key == POF_NONE || !POF_HAS(s, subscription, signature) ||
        !pof_base64_decode(s->signature, signature, sizeof signature, &n) || n != sizeof signature) {
        return 0;
    }
    int rc = signed_bytes(s, &a->jcs, &a->text, &a->canonical, err);
    return rc ? rc
              : pof_ed25519_verify(a->key[key].key, (struct pof_text){a->canonical.data, a->canonical.len},
                                   signature, good, err);
}

/* Texts as one name: a zero byte cannot be in any of them. */
static int join(struct pof_subscriptions *a, const struct pof_text *part, size_t n, struct pof_text *out,
                struct pof_err *err)
{
    int rc = 0;
    a->name.len = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = pof_buf_add(&a->name, part[i].ptr, part[i].len, err);
        rc = rc ? rc : pof_buf_add(&a->name, "", 1, err);
    }
    *out = (struct pof_text){a->name.data, a->name.len};
    return rc;
}

/* A new subscription at the end of those of its consumer and pod. */
static int ask(struct pof_subscriptions *a, const struct pof_subscription *s, struct pof_err *err)
{
    struct pof_text whole[] = {s->consumer, s->id, s->pod}, pair[] = {s->consumer, s->pod}, name;
    uint32_t id, at;
    size_t pairs = a->pairs.n;
    int rc = pof_grow(&a->all, &a->cap, a->ids.n + 1, sizeof *a->all, err);
    rc = rc ? rc : pof_grow(&a->first, &a->first_cap, pairs + 1, sizeof *a->first, err);
    rc = rc ? rc : pof_grow(&a->last, &a->last_cap, pairs + 1, sizeof *a->last, err);
    struct subscription fresh = {.next = POF_NONE};
    rc = rc ? rc : pof_record_copy(POF_subscription, s, &fresh.terms, &a->arena, err);
    rc = rc ? rc : join(a, pair, 2, &name, err);
    rc = rc ? rc : pof_names_add(&a->pairs, name, &at, err);
    rc = rc ? rc : join(a, whole, 3, &name, err);
    rc = rc ? rc : pof_names_add(&a->ids, name, &id, err);
    if (rc) {
        return rc;
    }
    a->all[id] = fresh;
    if (at == pairs) {
        a->first[at] = id;
    } else {
        a->all[a->last[at]].next = id;
    }
    a->last[at] = id;
    return 0;
}

/* Does a grant give no more than was asked for? */
static bool is_within(const struct pof_subscription *grant, const struct pof_subscription *asked)
{
    bool bounded = !POF_HAS(asked, subscription, expires) ||
                   (POF_HAS(grant, subscription, expires) && grant->expires <= asked->expires);
    return pof_text_eq(grant->data, asked->data) && pof_text_eq(grant->purpose, asked->purpose) &&
           pof_text_eq(grant->owner, asked->owner) && grant->start >= asked->start &&
           grant->end <= asked->end && bounded;
}

static int grant(struct pof_subscriptions *a, const struct pof_subscription *s, uint32_t id, const char **why,
                 struct pof_err *err)
{
    uint32_t pod = pof_names_find(&a->pods, s->pod);
    if (pod == POF_NONE || !pof_text_eq(a->owner[pod], s->owner)) {
        *why = "who grants is not the owner of the point of delivery";
    } else if (a->all[id].granted || a->all[id].revoked) {
        *why = a->all[id].revoked ? "it was revoked before" : "it was granted before";
    } else if (!is_within(s, &a->all[id].terms)) {
        *why = "it grants something else than was asked for";
    } else {
        a->all[id].granted = true;
        return pof_record_copy(POF_subscription, s, &a->all[id].terms, &a->arena, err);
    }
    return 0;
}

int pof_subscriptions_step(struct pof_subscriptions *a, const struct pof_subscription *s, const char **why,
                    struct pof_err *err)
{
    struct pof_text whole[] = {s->consumer, s->id, s->pod}, name;
    bool by_owner = false, by_consumer = false;
    int rc = s->step == POF_SUBSCRIPTION_STEP_ASK ? 0 : is_signed_by(a, s, s->owner, &by_owner, err);
    rc = rc || s->step == POF_SUBSCRIPTION_STEP_GRANT ? rc
                                                      : is_signed_by(a, s, s->consumer, &by_consumer, err);
    rc = rc ? rc : join(a, whole, 3, &name, err);
    if (rc) {
        return rc;
    }
    uint32_t id = pof_names_find(&a->ids, name);
    *why = NULL;
    if (!by_owner && !by_consumer) {
        *why = "it does not bear a good signature of the party that may take this step";
    } else if (s->step == POF_SUBSCRIPTION_STEP_ASK) {
        *why = id == POF_NONE ? NULL : "it was asked for before";
        rc = *why ? 0 : ask(a, s, err);
    } else if (id == POF_NONE) {
        *why = "nobody asked for it";
    } else if (s->step == POF_SUBSCRIPTION_STEP_REVOKE && !pof_text_eq(s->owner, a->all[id].terms.owner)) {
        *why = "its owner is another one";
    } else if (s->step == POF_SUBSCRIPTION_STEP_REVOKE) {
        a->all[id].revoked = true;
    } else {
        rc = grant(a, s, id, why, err);
    }
    return rc;
}

/* What stands between a subscription and the right to read. */
static int obstacle(const struct subscription *k, const struct pof_question *q, int64_t start)
{
    const struct pof_subscription *t = &k->terms;
    if (!pof_text_eq(t->data, q->data)) {
        return POF_ACCESS_WHY_DATA;
    }
    if (!pof_text_eq(t->purpose, q->purpose)) {
        return POF_ACCESS_WHY_PURPOSE;
    }
    if (k->revoked || !k->granted) {
        return k->revoked ? POF_ACCESS_WHY_REVOKED : POF_ACCESS_WHY_NOT_GRANTED;
    }
    if (POF_HAS(t, subscription, expires) && q->now >= t->expires) {
        return POF_ACCESS_WHY_EXPIRED;
    }
    return start < t->start || start >= t->end ? POF_ACCESS_WHY_TIME : POF_ACCESS_WHY_GRANTED;
}

/* How near to a grant an obstacle is. */
static int nearness(int why)
{
    static const int order[] = {
        [POF_ACCESS_WHY_NOT_ASKED] = 0,   [POF_ACCESS_WHY_DATA] = 1,    [POF_ACCESS_WHY_PURPOSE] = 2,
        [POF_ACCESS_WHY_NOT_GRANTED] = 3, [POF_ACCESS_WHY_REVOKED] = 4, [POF_ACCESS_WHY_EXPIRED] = 5,
        [POF_ACCESS_WHY_TIME] = 6,        [POF_ACCESS_WHY_GRANTED] = 7};
    return order[why];
}

static void fill(const struct subscription *k, int why, struct pof_permission *out)
{
    *out = (struct pof_permission){.allow = why == POF_ACCESS_WHY_GRANTED, .why = why, .subscription = k->terms.id};
    if (out->allow) {
        out->start = k->terms.start;
        out->end = k->terms.end;
    }
}

/* The number of texts joined by zero bytes in a set of names; POF_NONE when it is not there. */
static uint32_t find(const struct pof_names *set, const struct pof_text *part, size_t n)
{
    char name[3 * (64 + 1)];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (len + part[i].len + 1 > sizeof name) {
            return POF_NONE; /* no record has names so long */
        }
        memcpy(name + len, part[i].ptr, part[i].len);
        len += part[i].len;
        name[len++] = '\0';
    }
    return pof_names_find(set, (struct pof_text){name, len});
}

void pof_subscriptions_permit(const struct pof_subscriptions *a, const struct pof_question *question,
                              struct pof_text pod, int64_t start, struct pof_permission *out)
{
    struct pof_text pair[] = {question->consumer, pod};
    uint32_t at = find(&a->pairs, pair, 2);
    *out = (struct pof_permission){.why = POF_ACCESS_WHY_NOT_ASKED, .subscription = {"", 0}};
    for (uint32_t i = at == POF_NONE ? POF_NONE : a->first[at]; i != POF_NONE && !out->allow; i = a->all[i].next) {
        int why = obstacle(&a->all[i], question, start);
        if (nearness(why) > nearness(out->why)) {
            fill(&a->all[i], why, out);
        }
    }
}

void pof_subscriptions_standing(const struct pof_subscriptions *a, const struct pof_subscription *terms,
                                int64_t now, struct pof_permission *out)
{
    struct pof_text whole[] = {terms->consumer, terms->id, terms->pod};
    uint32_t id = find(&a->ids, whole, 3);
    *out = (struct pof_permission){.why = POF_ACCESS_WHY_NOT_ASKED, .subscription = {"", 0}};
    if (id != POF_NONE) {
        const struct pof_subscription *t = &a->all[id].terms;
        struct pof_question own = {t->consumer, t->data, t->purpose, now};
        fill(&a->all[id], obstacle(&a->all[id], &own, t->start), out);
    }
}
