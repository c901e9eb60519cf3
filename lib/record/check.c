/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on a stream of measurements. */
#include "record/check.h"

#include "num/rng.h"
#include "num/time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is remembered of a pod: 48 bytes. */
struct span {
    int64_t first;  /* earliest start taken */
    int64_t newest; /* latest start taken; INT64_MIN before */
    int64_t end;    /* end of that one */
    int64_t p_w;    /* its power */
    uint64_t taken;
    int64_t seen; /* latest start remembered by pof_check_repeat(); INT64_MIN before */
};

/* One thing remembered: that a pod had content for a start, or a source for a seq. */
struct entry {
    uint64_t content; /* hash of the content; made odd, so that 0 is an empty place */
    int64_t key;      /* start or seq */
    uint32_t who;     /* number of the pod, or of the source */
    uint32_t minute;  /* of the start, since 1970: enough to the year 10000 */
};

/* Open addressing, a power of two of places, at most two thirds used. */
struct table {
    struct entry *entry;
    size_t places, used;
};

struct pof_check {
    struct pof_check_rules rules;
    struct pof_names allowed, pods, sources;
    struct span *span; /* by number of pod */
    size_t spans, span_cap;
    int64_t *newest; /* latest start by number of source */
    size_t newest_n, newest_cap;
    struct table starts, numbers;
    uint64_t out_of_order;
};

int pof_check_new(struct pof_check **out, const struct pof_check_rules *rules, struct pof_err *err)
{
    struct pof_check *c;
    int rc = pof_calloc(&c, 1, sizeof *c, err);
    if (rc == 0) {
        c->rules = *rules;
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
        free(c->span);
        free(c->newest);
        free(c->starts.entry);
        free(c->numbers.entry);
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

static int check_times(const struct pof_check_rules *r, const struct pof_measurement *m,
                       struct pof_err *err)
{
    if (r->raster_s && m->duration_s != r->raster_s) {
        pof_fail(err, POF_E_RANGE, "an interval of %" PRId64 " s, the raster is %" PRId64 " s",
                 m->duration_s, r->raster_s);
        return refuse(POF_E_RANGE, "duration_s", err);
    }
    if (r->raster_s && m->start % r->raster_s != 0) {
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
    return 0;
}

static uint64_t distance(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static int check_change(const struct pof_check *c, const struct pof_measurement *m,
                        struct pof_err *err)
{
    uint32_t pod = pof_names_find(&c->pods, m->pod);
    if (!c->rules.change_max_w || pod == POF_NONE || pod >= c->spans) {
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
    int rc = check_times(&c->rules, m, err);
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

/* --- repetition --- */

static uint64_t hash_int(uint64_t h, int64_t v)
{
    return pof_mix(h ^ (uint64_t)v);
}

static uint64_t hash_text(uint64_t h, struct pof_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        h = (h ^ (unsigned char)t.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return hash_int(h, (int64_t)t.len);
}

uint64_t pof_measurement_hash(const struct pof_measurement *m)
{
    const uint64_t optional =
        UINT64_C(1) << POF_BIT_measurement_q_var | UINT64_C(1) << POF_BIT_measurement_v_mv |
        UINT64_C(1) << POF_BIT_measurement_quality | UINT64_C(1) << POF_BIT_measurement_source |
        UINT64_C(1) << POF_BIT_measurement_seq;
    uint64_t h = hash_text(UINT64_C(0xcbf29ce484222325), m->pod);
    h = hash_int(h, m->start);
    h = hash_int(h, m->duration_s);
    h = hash_int(h, m->p_w);
    h = hash_int(h, (int64_t)(m->has & optional));
    h = POF_HAS(m, measurement, q_var) ? hash_int(h, m->q_var) : h;
    h = POF_HAS(m, measurement, v_mv) ? hash_int(h, m->v_mv) : h;
    h = POF_HAS(m, measurement, quality) ? hash_int(h, m->quality) : h;
    h = POF_HAS(m, measurement, source) ? hash_text(h, m->source) : h;
    return POF_HAS(m, measurement, seq) ? hash_int(h, m->seq) : h;
}

/* The place of a key, or the empty place where it belongs. */
static size_t place(const struct table *t, uint32_t who, int64_t key)
{
    size_t i = (size_t)pof_random(who, (uint64_t)key, 0) & (t->places - 1);
    while (t->entry[i].content && (t->entry[i].who != who || t->entry[i].key != key)) {
        i = (i + 1) & (t->places - 1);
    }
    return i;
}

static const struct entry *find(const struct table *t, uint32_t who, int64_t key)
{
    if (!t->places) {
        return NULL;
    }
    const struct entry *e = &t->entry[place(t, who, key)];
    return e->content ? e : NULL;
}

/* Is an entry older than the window behind the newest of its pod or source? */
static bool expired(const struct pof_check *c, const struct table *t, const struct entry *e)
{
    int64_t newest = t == &c->starts ? c->span[e->who].seen : c->newest[e->who];
    return (int64_t)e->minute * 60 < newest - c->rules.window_s - 60;
}

/* Room for one more: forgets what has expired, and grows only when that was not enough. */
static int make_room(struct pof_check *c, struct table *t, struct pof_err *err)
{
    if ((t->used + 1) * 3 <= t->places * 2) {
        return 0;
    }
    size_t live = 0;
    for (size_t i = 0; i < t->places; i++) {
        live += t->entry[i].content && !expired(c, t, &t->entry[i]);
    }
    struct table fresh = {.places = t->places ? t->places : 64};
    while ((live + 1) * 2 > fresh.places) {
        fresh.places *= 2;
    }
    int rc = pof_calloc(&fresh.entry, fresh.places, sizeof *fresh.entry, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < t->places; i++) {
        const struct entry *e = &t->entry[i];
        if (e->content && !expired(c, t, e)) {
            fresh.entry[place(&fresh, e->who, e->key)] = *e;
            fresh.used++;
        }
    }
    free(t->entry);
    *t = fresh;
    return 0;
}

static int remember(struct pof_check *c, struct table *t, const struct entry *e,
                    struct pof_err *err)
{
    int rc = make_room(c, t, err);
    if (rc == 0) {
        t->entry[place(t, e->who, e->key)] = *e;
        t->used++;
    }
    return rc;
}

/* The number of a pod, its span made when it is new. */
static int number_of_pod(struct pof_check *c, struct pof_text pod, uint32_t *number,
                         struct pof_err *err)
{
    int rc = pof_names_add(&c->pods, pod, number, err);
    rc = rc ? rc : pof_grow(&c->span, &c->span_cap, (size_t)*number + 1, sizeof *c->span, err);
    while (rc == 0 && c->spans <= *number) {
        c->span[c->spans++] = (struct span){.newest = INT64_MIN, .seen = INT64_MIN};
    }
    return rc;
}

static int number_of_source(struct pof_check *c, const struct pof_measurement *m, uint32_t *number,
                            struct pof_err *err)
{
    static const struct pof_text nobody = {"", 0};
    int rc = pof_names_add(&c->sources, POF_HAS(m, measurement, source) ? m->source : nobody,
                           number, err);
    rc =
        rc ? rc : pof_grow(&c->newest, &c->newest_cap, (size_t)*number + 1, sizeof *c->newest, err);
    while (rc == 0 && c->newest_n <= *number) {
        c->newest[c->newest_n++] = INT64_MIN;
    }
    return rc;
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

static enum pof_repeat look(const struct pof_check *c, const struct pof_measurement *m,
                            uint32_t pod, uint32_t source, uint64_t content)
{
    const struct entry *e = find(&c->starts, pod, m->start);
    if (e) {
        return e->content == content ? POF_REPEAT_SAME : POF_REPEAT_DIFFERS;
    }
    int64_t seen = c->span[pod].seen;
    if (seen != INT64_MIN && m->start < seen - c->rules.window_s) {
        return POF_REPEAT_TOO_LATE;
    }
    return source != POF_NONE && find(&c->numbers, source, m->seq) ? POF_REPEAT_NUMBER
                                                                   : POF_REPEAT_NONE;
}

int pof_check_repeat(struct pof_check *c, const struct pof_measurement *m, enum pof_repeat *what,
                     struct pof_err *why, struct pof_err *err)
{
    uint32_t pod;
    uint32_t source = POF_NONE;
    *what = POF_REPEAT_NONE;
    if (c->rules.window_s == 0) {
        return 0;
    }
    int rc = number_of_pod(c, m->pod, &pod, err);
    if (rc == 0 && POF_HAS(m, measurement, seq) && POF_HAS(m, measurement, source)) {
        rc = number_of_source(c, m, &source, err);
    }
    if (rc) {
        return rc;
    }
    uint64_t content = pof_measurement_hash(m) | 1;
    *what = look(c, m, pod, source, content);
    explain(*what, c, m, why);
    if (*what != POF_REPEAT_NONE) {
        return 0;
    }
    struct entry e = {content, m->start, pod, (uint32_t)(m->start / 60)};
    c->span[pod].seen = m->start > c->span[pod].seen ? m->start : c->span[pod].seen;
    rc = remember(c, &c->starts, &e, err);
    if (rc == 0 && source != POF_NONE) {
        e.key = m->seq;
        e.who = source;
        c->newest[source] = m->start > c->newest[source] ? m->start : c->newest[source];
        rc = remember(c, &c->numbers, &e, err);
    }
    return rc;
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
