/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements collected, sorted and made unique. */
#include "record/sorted.h"

#include <stdlib.h>
#include <string.h>

struct held {
    struct pof_measurement m; /* texts are those of the name sets */
    struct pof_origin origin;
    uint64_t ordinal; /* in the input */
};

struct pof_sorted {
    struct held *held;
    size_t n, cap;
    struct pof_names names; /* pods and sources */
    struct pof_arena raw;
};

int pof_sorted_new(struct pof_sorted **out, struct pof_err *err)
{
    return pof_calloc(out, 1, sizeof **out, err);
}

void pof_sorted_free(struct pof_sorted *s)
{
    if (s) {
        free(s->held);
        pof_names_release(&s->names);
        pof_arena_release(&s->raw);
        free(s);
    }
}

static int intern(struct pof_sorted *s, struct pof_text *t, struct pof_err *err)
{
    uint32_t id;
    int rc = pof_names_add(&s->names, *t, &id, err);
    if (rc == 0) {
        *t = s->names.text[id];
    }
    return rc;
}

int pof_sorted_add(struct pof_sorted *s, const struct pof_measurement *m,
                   const struct pof_origin *origin, struct pof_err *err)
{
    int rc = pof_grow(&s->held, &s->cap, s->n + 1, sizeof *s->held, err);
    if (rc) {
        return rc;
    }
    struct held *h = &s->held[s->n];
    *h = (struct held){*m, *origin, s->n};
    rc = intern(s, &h->m.pod, err);
    if (rc == 0 && POF_HAS(m, measurement, source)) {
        rc = intern(s, &h->m.source, err);
    }
    if (rc == 0 && origin->raw.len) {
        h->origin.raw.ptr = pof_arena_text(&s->raw, origin->raw.ptr, origin->raw.len, err);
        rc = h->origin.raw.ptr ? 0 : POF_E_NOMEM;
    }
    s->n += rc == 0;
    return rc;
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Absent before present. */
static int compare_optional(const struct pof_measurement *a, const struct pof_measurement *b,
                            int bit, int64_t x, int64_t y)
{
    int in_a = (int)((a->has >> bit) & 1u);
    int in_b = (int)((b->has >> bit) & 1u);
    return in_a != in_b ? in_a - in_b : in_a ? compare_int(x, y) : 0;
}

/* 0: the same content. */
static int compare_content(const struct pof_measurement *a, const struct pof_measurement *b)
{
    int c = compare_optional(a, b, POF_BIT_measurement_seq, a->seq, b->seq);
    c = c ? c : compare_int(a->duration_s, b->duration_s);
    c = c ? c : compare_int(a->p_w, b->p_w);
    c = c ? c : compare_optional(a, b, POF_BIT_measurement_q_var, a->q_var, b->q_var);
    c = c ? c : compare_optional(a, b, POF_BIT_measurement_v_mv, a->v_mv, b->v_mv);
    c = c ? c : compare_optional(a, b, POF_BIT_measurement_quality, a->quality, b->quality);
    c = c ? c : compare_optional(a, b, POF_BIT_measurement_source, 0, 0);
    return c || !POF_HAS(a, measurement, source) ? c : pof_text_cmp(a->source, b->source);
}

static int compare(const void *left, const void *right)
{
    const struct held *a = left;
    const struct held *b = right;
    int c = compare_int(a->m.start, b->m.start);
    c = c ? c : pof_text_cmp(a->m.pod, b->m.pod);
    c = c ? c : compare_content(&a->m, &b->m);
    return c ? c : compare_int((int64_t)a->ordinal, (int64_t)b->ordinal);
}

static bool same_place(const struct held *a, const struct held *b)
{
    return a->m.start == b->m.start && pof_text_eq(a->m.pod, b->m.pod);
}

/* Did one source number both, differently? */
static bool numbered(const struct pof_measurement *a, const struct pof_measurement *b)
{
    return POF_HAS(a, measurement, seq) && POF_HAS(b, measurement, seq) &&
           POF_HAS(a, measurement, source) && POF_HAS(b, measurement, source) &&
           pof_text_eq(a->source, b->source) && a->seq != b->seq;
}

/* The one of a group [from, to) that counts; to: none. The group holds each content's first line
 * before its repetitions. */
static size_t choose(const struct pof_sorted *s, size_t from, size_t to, enum pof_dup rule)
{
    bool all_numbered = true;
    size_t contents = 1;
    size_t first = from;
    size_t last = from;
    size_t newest = from; /* the group is sorted by seq first */
    for (size_t i = from + 1; i < to; i++) {
        const struct held *h = &s->held[i];
        first = h->ordinal < s->held[first].ordinal ? i : first;
        last = h->ordinal > s->held[last].ordinal ? i : last;
        if (compare_content(&s->held[i - 1].m, &h->m) != 0) {
            contents++;
            all_numbered = all_numbered && numbered(&s->held[newest].m, &h->m);
            newest = i;
        }
    }
    if (contents == 1) {
        return from;
    }
    size_t choice = rule == POF_DUP_REJECT  ? to
                    : all_numbered          ? (rule == POF_DUP_FIRST ? from : newest)
                    : rule == POF_DUP_FIRST ? first
                                            : last;
    while (choice > from && choice < to &&
           compare_content(&s->held[choice - 1].m, &s->held[choice].m) == 0) {
        choice--; /* the first line with this content stands for all */
    }
    return choice;
}

static int give_group(struct pof_sorted *s, size_t from, size_t to, size_t choice,
                      pof_on_sorted *take, void *ctx, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = from; i < to && rc == 0; i++) {
        const struct held *h = &s->held[i];
        bool again = i > from && compare_content(&s->held[i - 1].m, &h->m) == 0;
        enum pof_fate fate = i == choice    ? POF_FATE_OUT
                             : again        ? POF_FATE_SAME
                             : choice == to ? POF_FATE_REJECTED
                                            : POF_FATE_SUPERSEDED;
        rc = take(ctx, &h->m, &h->origin, fate, err);
    }
    return rc;
}

int pof_sorted_each(struct pof_sorted *s, enum pof_dup rule, pof_on_sorted *take, void *ctx,
                    struct pof_err *err)
{
    int rc = 0;
    if (s->n) {
        qsort(s->held, s->n, sizeof *s->held, compare);
    }
    for (size_t from = 0; from < s->n && rc == 0;) {
        size_t to = from + 1;
        while (to < s->n && same_place(&s->held[from], &s->held[to])) {
            to++;
        }
        rc = give_group(s, from, to, choose(s, from, to, rule), take, ctx, err);
        from = to;
    }
    return rc;
}
