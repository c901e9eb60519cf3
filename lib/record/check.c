/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on a stream of measurements. */
#include "record/check.h"

#include "num/time.h"
#include "record/bytes.h"
#include "record/recall.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is remembered of a pod: one line of the cache. */
struct span {
    int64_t first;  /* earliest start taken */
    int64_t newest; /* latest start taken; INT64_MIN before */
    int64_t end;    /* end of that one */
    int64_t p_w;    /* its power */
    uint64_t taken;
    int64_t seen;    /* latest start remembered by pof_check_repeat(); INT64_MIN before */
    uint32_t next;   /* the pod that came behind it last */
    uint32_t source; /* the source it had last */
};

/* What is remembered of a source: which of 64 numbers side by side it used; the others lie in the
 * table. Numbers mostly rise by one. */
struct sender {
    int64_t newest;  /* latest start with a number; INT64_MIN before */
    uint64_t used;   /* a bit for each number of the block */
    int64_t block;   /* number / 64 */
    uint32_t minute; /* of the latest start in the block */
};

struct pof_check {
    struct pof_check_rules rules;
    struct pof_names allowed, pods, sources;
    struct span *span; /* by number of pod */
    size_t spans, span_cap;
    int64_t on_raster;     /* a start found on it, 0 at first */
    uint32_t pod;          /* the one looked up last */
    struct sender *sender; /* by number of source */
    size_t senders, sender_cap;
    bool on_ring;
    struct pofi_ring ring;              /* contents of starts, on a raster */
    struct pofi_table starts, numbers;  /* without one; blocks of numbers that are not in sender */
    uint64_t out_of_order;
};

int pof_check_new(struct pof_check **out, const struct pof_check_rules *rules, struct pof_err *err)
{
    struct pof_check *c;
    int rc = pof_calloc(&c, 1, sizeof *c, err);
    if (rc == 0) {
        c->rules = *rules;
        c->on_ring = pofi_ring_fits(rules->raster_s, rules->window_s);
        if (c->on_ring) {
            pofi_ring_init(&c->ring, rules->raster_s, rules->window_s);
        }
        *out = c;
    }
    return rc;
}

void pof_check_free(struct pof_check *c)
{
    if (c) {
        pof_names_release(&c->allowed);
        pof_names_release(&c->pods);
        pof_names_release(&c->sources);
        pofi_ring_release(&c->ring);
        pofi_table_release(&c->starts);
        pofi_table_release(&c->numbers);
        free(c->span);
        free(c->sender);
        free(c);
    }
}

int pof_check_allow(struct pof_check *c, struct pof_text pod, struct pof_err *err)
{
    uint32_t ignored;
    return pof_names_add(&c->allowed, pod, &ignored, err);
}

/* --- values --- */

static int refuse(enum pof_code code, const char *field, struct pof_err *err)
{
    pof_at(err, NULL, 0, field);
    return code;
}

static int check_times(struct pof_check *c, const struct pof_measurement *m, struct pof_err *err)
{
    const struct pof_check_rules *r = &c->rules;
    if (r->raster_s && m->duration_s != r->raster_s) {
        pof_fail(err, POF_E_RANGE, "an interval of %" PRId64 " s, the raster is %" PRId64 " s",
                 m->duration_s, r->raster_s);
        return refuse(POF_E_RANGE, "duration_s", err);
    }
    /* Divisions are slow, and many measurements in a row begin together. */
    if (r->raster_s && m->start != c->on_raster && m->start % r->raster_s != 0) {
        pof_fail(err, POF_E_RANGE,
                 "begins %" PRId64 " s after a step of the raster of %" PRId64 " s",
                 m->start % r->raster_s, r->raster_s);
        return refuse(POF_E_RANGE, "start", err);
    }
    if (m->start > r->latest_end - m->duration_s) {
        char at[POF_INSTANT_MAX];
        size_t n = pof_instant_format(r->latest_end, at);
        pof_fail(err, POF_E_TIME, "the interval ends in the future, after %.*s", (int)n, at);
        return refuse(POF_E_TIME, "start", err);
    }
    c->on_raster = m->start;
    return 0;
}

static uint64_t distance(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static int check_change(const struct pof_check *c, const struct pof_measurement *m,
                        struct pof_err *err)
{
    uint32_t pod = c->rules.change_max_w ? pof_names_find(&c->pods, m->pod) : POF_NONE;
    if (pod == POF_NONE || pod >= c->spans) {
        return 0;
    }
    const struct span *s = &c->span[pod];
    if (s->newest == INT64_MIN || m->start != s->end ||
        distance(m->p_w, s->p_w) <= (uint64_t)c->rules.change_max_w) {
        return 0;
    }
    pof_fail(err, POF_E_RANGE,
             "%" PRId64 " W right after %" PRId64 " W, a change of at most %" PRId64
             " W is allowed",
             m->p_w, s->p_w, c->rules.change_max_w);
    return refuse(POF_E_RANGE, "p_w", err);
}

int pof_check_values(struct pof_check *c, const struct pof_measurement *m, struct pof_err *err)
{
    int rc = check_times(c, m, err);
    if (rc) {
        return rc;
    }
    if (c->rules.p_max_w && distance(m->p_w, 0) > (uint64_t)c->rules.p_max_w) {
        pof_fail(err, POF_E_RANGE, "%" PRId64 " W, at most %" PRId64 " W are plausible here",
                 m->p_w, c->rules.p_max_w);
        return refuse(POF_E_RANGE, "p_w", err);
    }
    if (c->allowed.n && pof_names_find(&c->allowed, m->pod) == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "pod '%.*s' is not one of the pods given", (int)m->pod.len,
                 m->pod.ptr);
        return refuse(POF_E_REFERENCE, "pod", err);
    }
    return check_change(c, m, err);
}

/* --- pods and sources by number --- */

/* Is it the name of that number? */
static inline bool is_name(const struct pof_names *names, uint32_t number, struct pof_text name)
{
    if (number >= names->n || names->text[number].len != name.len) {
        return false;
    }
    const char *known = names->text[number].ptr;
    return name.len >= 4 && name.len <= 32 ? pofi_same(known, name.ptr, name.len)
                                           : memcmp(known, name.ptr, name.len) == 0;
}

static int new_pod(struct pof_check *c, struct pof_text pod, uint32_t *number, struct pof_err *err)
{
    int rc = pof_names_add(&c->pods, pod, number, err);
    rc = rc ? rc : pof_grow(&c->span, &c->span_cap, (size_t)*number + 1, sizeof *c->span, err);
    while (rc == 0 && c->spans <= *number) {
        c->span[c->spans++] = (struct span){
            .newest = INT64_MIN, .seen = INT64_MIN, .next = POF_NONE, .source = POF_NONE};
    }
    return rc;
}

/* The number of a pod, its span made when it is new. Mostly it is the one before, or the one that came
 * behind that the last time. */
static int number_of_pod(struct pof_check *c, struct pof_text pod, uint32_t *number,
                         struct pof_err *err)
{
    uint32_t before = c->pod;
    if (before < c->spans) {
        *number = is_name(&c->pods, before, pod) ? before : c->span[before].next;
        if (*number == before || is_name(&c->pods, *number, pod)) {
            c->pod = *number;
            return 0;
        }
    }
    int rc = new_pod(c, pod, number, err);
    if (rc == 0 && before != *number) {
        c->span[before].next = *number;
    }
    c->pod = rc ? before : *number;
    return rc;
}

/* The number of a measurement's source, mostly the one its pod had before; POF_NONE: it has no source
 * or no number. */
static int number_of_source(struct pof_check *c, const struct pof_measurement *m, uint32_t pod,
                            uint32_t *number, struct pof_err *err)
{
    *number = POF_NONE;
    if (!POF_HAS(m, measurement, seq) || !POF_HAS(m, measurement, source)) {
        return 0;
    }
    *number = c->span[pod].source;
    if (is_name(&c->sources, *number, m->source)) {
        return 0;
    }
    int rc = pof_names_add(&c->sources, m->source, number, err);
    rc = rc ? rc
            : pof_grow(&c->sender, &c->sender_cap, (size_t)*number + 1, sizeof *c->sender, err);
    while (rc == 0 && c->senders <= *number) {
        c->sender[c->senders++] = (struct sender){.newest = INT64_MIN};
    }
    c->span[pod].source = rc ? POF_NONE : *number;
    return rc;
}

/* --- contents --- */

/* Both halves of a product, in which every bit of both factors counts. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
                          (b ^ UINT64_C(0xbf58476d1ce4e5b9));
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t hash_text(struct pof_text t)
{
    uint64_t h = t.len, w = 0;
    size_t i = 0;
    for (; i + 8 <= t.len; i += 8) {
        h = fold(h, pofi_load8(t.ptr + i));
    }
    for (; i < t.len; i++) {
        w = w << 8 | (unsigned char)t.ptr[i];
    }
    return fold(h, w);
}

/* All that a measurement says beside its pod and start; odd, so that it is never 0. */
static uint64_t content_of(const struct pof_measurement *m)
{
    const uint64_t optional =
        UINT64_C(1) << POF_BIT_measurement_q_var | UINT64_C(1) << POF_BIT_measurement_v_mv |
        UINT64_C(1) << POF_BIT_measurement_quality | UINT64_C(1) << POF_BIT_measurement_source |
        UINT64_C(1) << POF_BIT_measurement_seq;
    uint64_t h = fold((uint64_t)m->duration_s, (uint64_t)m->p_w);
    h = fold(h, m->has & optional);
    h = POF_HAS(m, measurement, q_var) ? fold(h, (uint64_t)m->q_var) : h;
    h = POF_HAS(m, measurement, v_mv) ? fold(h, (uint64_t)m->v_mv) : h;
    h = POF_HAS(m, measurement, quality) ? fold(h, (uint64_t)m->quality) : h;
    h = POF_HAS(m, measurement, source) ? fold(h, hash_text(m->source)) : h;
    return (POF_HAS(m, measurement, seq) ? fold(h, (uint64_t)m->seq) : h) | 1;
}

/* --- repetition --- */

static bool start_expired(const void *ctx, const struct pofi_entry *e)
{
    const struct pof_check *c = ctx;
    return pofi_expired(e, c->span[e->who].seen, c->rules.window_s);
}

static bool numbers_expired(const void *ctx, const struct pofi_entry *e)
{
    const struct pof_check *c = ctx;
    return pofi_expired(e, c->sender[e->who].newest, c->rules.window_s);
}

/* What the pod had for this start, 0: nothing. */
static int content_before(struct pof_check *c, uint32_t pod, int64_t start, uint64_t *content,
                          struct pof_err *err)
{
    *content = 0;
    if (c->on_ring && start <= c->span[pod].seen) {
        const uint64_t *place = pofi_ring_place(&c->ring, pod, start, err);
        *content = place ? *place : 0;
        return place ? 0 : POF_E_NOMEM;
    }
    const struct pofi_entry *e = c->on_ring ? NULL : pofi_table_find(&c->starts, pod, start);
    *content = e ? e->content : 0;
    return 0;
}

static int keep_content(struct pof_check *c, uint32_t pod, int64_t start, uint64_t content,
                        struct pof_err *err)
{
    int64_t seen = c->span[pod].seen;
    if (start > seen) {
        c->span[pod].seen = start;
    }
    if (!c->on_ring) {
        const struct pofi_forget how = {start_expired, c};
        const struct pofi_entry e = {content, start, pod, (uint32_t)(start / 60)};
        return pofi_table_keep(&c->starts, &e, &how, err);
    }
    if (start > seen) {
        pofi_ring_advance(&c->ring, pod, seen, start);
    }
    uint64_t *place = pofi_ring_place(&c->ring, pod, start, err);
    if (!place) {
        return POF_E_NOMEM;
    }
    *place = content;
    return 0;
}

/* Makes the block of a number the one at hand. */
static int turn_to(struct pof_check *c, uint32_t source, int64_t block, struct pof_err *err)
{
    struct sender *s = &c->sender[source];
    if (s->block == block) {
        return 0;
    }
    if (s->used) {
        const struct pofi_forget how = {numbers_expired, c};
        const struct pofi_entry old = {s->used, s->block, source, s->minute};
        int rc = pofi_table_keep(&c->numbers, &old, &how, err);
        if (rc) {
            return rc;
        }
    }
    const struct pofi_entry *e = pofi_table_find(&c->numbers, source, block);
    bool known = e && !numbers_expired(c, e);
    s->block = block;
    s->used = known ? e->content : 0;
    s->minute = known ? e->minute : 0;
    return 0;
}

/* Did the source use this number? A block is forgotten as a whole. */
static int number_before(struct pof_check *c, uint32_t source, int64_t number, bool *used,
                         struct pof_err *err)
{
    int rc = turn_to(c, source, number / 64, err);
    struct sender *s = &c->sender[source];
    const struct pofi_entry now = {.content = s->used, .who = source, .minute = s->minute};
    if (rc == 0 && s->used && numbers_expired(c, &now)) {
        s->used = 0;
    }
    *used = s->used >> number % 64 & 1;
    return rc;
}

static void keep_number(struct sender *s, int64_t number, int64_t start)
{
    uint32_t minute = (uint32_t)(start / 60);
    s->used |= UINT64_C(1) << number % 64;
    s->minute = minute > s->minute ? minute : s->minute;
    s->newest = start > s->newest ? start : s->newest;
}

static void explain(enum pof_repeat what, const struct pof_check *c,
                    const struct pof_measurement *m, struct pof_err *why)
{
    if (what == POF_REPEAT_DIFFERS) {
        pof_fail(why, POF_E_CONFLICT, "pod '%.*s' had another measurement for this interval before",
                 (int)m->pod.len, m->pod.ptr);
        pof_at(why, NULL, 0, "start");
    } else if (what == POF_REPEAT_NUMBER) {
        pof_fail(why, POF_E_DUPLICATE, "its source used the number %" PRId64 " for another message",
                 m->seq);
        pof_at(why, NULL, 0, "seq");
    } else if (what == POF_REPEAT_TOO_LATE) {
        pof_fail(why, POF_E_TIME,
                 "begins more than %" PRId64 " s before the newest of its pod, too late to tell "
                 "whether it is here twice; a longer --window or --sort can",
                 c->rules.window_s);
        pof_at(why, NULL, 0, "start");
    }
}

int pof_check_repeat(struct pof_check *c, const struct pof_measurement *m, enum pof_repeat *what,
                     struct pof_err *why, struct pof_err *err)
{
    uint32_t pod, source;
    uint64_t before;
    bool used = false;
    *what = POF_REPEAT_NONE;
    if (c->rules.window_s == 0) {
        return 0;
    }
    int rc = number_of_pod(c, m->pod, &pod, err);
    if (rc) {
        return rc;
    }
    if (c->span[pod].seen != INT64_MIN && m->start < c->span[pod].seen - c->rules.window_s) {
        *what = POF_REPEAT_TOO_LATE;
        explain(*what, c, m, why);
        return 0;
    }
    uint64_t content = content_of(m);
    rc = content_before(c, pod, m->start, &before, err);
    rc = rc ? rc : number_of_source(c, m, pod, &source, err);
    if (rc == 0 && before == 0 && source != POF_NONE) {
        rc = number_before(c, source, m->seq, &used, err);
    }
    if (rc) {
        return rc;
    }
    if (before || used) {
        *what = before == content ? POF_REPEAT_SAME : before ? POF_REPEAT_DIFFERS : POF_REPEAT_NUMBER;
        explain(*what, c, m, why);
        return 0;
    }
    if (source != POF_NONE) {
        keep_number(&c->sender[source], m->seq, m->start);
    }
    return keep_content(c, pod, m->start, content, err);
}

/* --- what was taken --- */

int pof_check_take(struct pof_check *c, const struct pof_measurement *m, struct pof_err *err)
{
    uint32_t pod;
    int rc = number_of_pod(c, m->pod, &pod, err);
    if (rc) {
        return rc;
    }
    struct span *s = &c->span[pod];
    c->out_of_order += s->newest != INT64_MIN && m->start < s->newest;
    s->first = s->taken == 0 || m->start < s->first ? m->start : s->first;
    s->taken++;
    if (m->start >= s->newest) {
        s->newest = m->start;
        s->end = m->start + m->duration_s;
        s->p_w = m->p_w;
    }
    return 0;
}

void pof_check_counts(const struct pof_check *c, struct pof_check_counts *out)
{
    *out = (struct pof_check_counts){.out_of_order = c->out_of_order};
    for (size_t i = 0; i < c->spans; i++) {
        const struct span *s = &c->span[i];
        out->taken += s->taken;
        out->pods += s->taken > 0;
        if (s->taken && c->rules.raster_s) {
            uint64_t steps = (uint64_t)((s->end - s->first) / c->rules.raster_s);
            out->missing += steps > s->taken ? steps - s->taken : 0;
        }
    }
}
