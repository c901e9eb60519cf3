/* SPDX-License-Identifier: Apache-2.0 */
/* What changed from one result to another. */
#include "market/differ.h"

#include "record/words.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHY_MAX = 80 };

/* Records of a kind by name and quarter-hour; others behind. */
static int kind_of(const struct pof_record *r)
{
    return r->type == POF_explanation  ? POF_CHANGED_OFFER
           : r->type == POF_answer     ? POF_CHANGED_REQUEST
           : r->type == POF_node_price && r->u.node_price.scope == POF_SCOPE_BELOW
               ? POF_CHANGED_NODE
               : POF_CHANGED_NODE + 1; /* not compared; nor are a node's own offers */
}

static struct pof_text name_of(const struct pof_record *r)
{
    return r->type == POF_explanation  ? r->u.explanation.offer
           : r->type == POF_answer     ? r->u.answer.request
           : r->type == POF_node_price ? r->u.node_price.node
                                       : (struct pof_text){0};
}

static int by_subject(const void *pa, const void *pb)
{
    const struct pof_record *a = &((const struct pof_kept *)pa)->r, *b = &((const struct pof_kept *)pb)->r;
    const int64_t *s = pof_record_get(a, "start"), *t = pof_record_get(b, "start");
    int order = kind_of(a) - kind_of(b);
    if (order || kind_of(a) > POF_CHANGED_NODE) {
        return order;
    }
    order = pof_text_cmp(name_of(a), name_of(b));
    return order ? order : (*s > *t) - (*s < *t);
}

/* "grid L4-5", or the word alone. */
static struct pof_text say_why(const struct pof_record *r, char to[WHY_MAX + 1])
{
    const struct pof_text *branch = pof_record_get(r, "branch");
    const int *why = pof_record_get(r, "why");
    if (!why) {
        return (struct pof_text){0};
    }
    const char *word = pof_words(r->type == POF_answer ? "lack" : "why")[*why];
    int n = branch ? snprintf(to, WHY_MAX + 1, "%s %.*s", word, (int)branch->len, branch->ptr)
                   : snprintf(to, WHY_MAX + 1, "%s", word);
    return (struct pof_text){to, (size_t)(n < WHY_MAX ? n : WHY_MAX)};
}

/* The figures of a record as one side of a change. */
struct side {
    bool has_worth, has_price, has_w;
    int64_t w, p_w, price, worth, congestion, allowed;
    struct pof_text why, branch;
    char buffer[WHY_MAX + 1];
};

static void read_side(struct side *s, const struct pof_record *r)
{
    const struct pof_explanation *e = &r->u.explanation;
    *s = (struct side){.has_price = true, .has_w = true, .allowed = -1};
    s->why = say_why(r, s->buffer);
    if (r->type == POF_explanation) {
        s->w = e->taken_w;
        s->p_w = e->p_w;
        s->price = e->price_ueur_mwh;
        s->has_worth = POF_HAS(e, explanation, worth_ueur_mwh);
        s->worth = s->has_worth ? e->worth_ueur_mwh : 0;
        s->congestion = POF_HAS(e, explanation, congestion_ueur_mwh) ? e->congestion_ueur_mwh : 0;
        s->branch = POF_HAS(e, explanation, branch) ? e->branch : s->branch;
        s->allowed = POF_HAS(e, explanation, allowed_w) ? e->allowed_w : -1;
    } else if (r->type == POF_answer) {
        s->w = r->u.answer.met_w;
        s->p_w = r->u.answer.asked_w;
        s->price = r->u.answer.price_ueur_mwh;
        s->congestion = POF_HAS(&r->u.answer, answer, congestion_ueur_mwh) ? r->u.answer.congestion_ueur_mwh : 0;
        s->branch = POF_HAS(&r->u.answer, answer, branch) ? r->u.answer.branch : s->branch;
    } else {
        s->w = r->u.node_price.net_w;
        s->price = r->u.node_price.step_ueur_mwh;
        s->worth = r->u.node_price.price_ueur_mwh;
        s->has_worth = true;
    }
}

/* The first of these that is not the same: what the party itself changed comes first. */
static enum pof_cause cause_of(const struct side *a, const struct side *b, int kind)
{
    bool full = a->congestion != b->congestion || !pof_text_eq(a->branch, b->branch);
    return a->p_w != b->p_w                                        ? POF_CAUSE_POWER
           : kind != POF_CHANGED_NODE && a->price != b->price      ? POF_CAUSE_ASKED_PRICE
           : a->allowed != b->allowed                              ? POF_CAUSE_VALIDATION
           : full || (kind == POF_CHANGED_NODE && a->price != b->price) ? POF_CAUSE_GRID
           : a->has_worth != b->has_worth || a->worth != b->worth  ? POF_CAUSE_WORTH
                                                                   : POF_CAUSE_ORDER;
}

static bool same_sides(const struct side *a, const struct side *b, int kind)
{
    return a->w == b->w && pof_text_eq(a->why, b->why) && cause_of(a, b, kind) == POF_CAUSE_ORDER;
}

static void put_before(struct pof_change *c, const struct side *s)
{
    POF_SET(c, change, before_w);
    POF_SET(c, change, before_ueur_mwh);
    c->before_w = s->w;
    c->before_ueur_mwh = s->price;
    c->worth_before_ueur_mwh = s->worth;
    c->why_before = s->why;
    c->has |= (uint64_t)s->has_worth << POF_BIT_change_worth_before_ueur_mwh |
              (uint64_t)(s->why.len > 0) << POF_BIT_change_why_before;
}

static void put_after(struct pof_change *c, const struct side *s)
{
    POF_SET(c, change, after_w);
    POF_SET(c, change, after_ueur_mwh);
    c->after_w = s->w;
    c->after_ueur_mwh = s->price;
    c->worth_after_ueur_mwh = s->worth;
    c->why_after = s->why;
    c->has |= (uint64_t)s->has_worth << POF_BIT_change_worth_after_ueur_mwh |
              (uint64_t)(s->why.len > 0) << POF_BIT_change_why_after;
}

/* One of them may be NULL. */
static int compare(const struct pof_record *before, const struct pof_record *after, pof_on_change *on,
                   void *ctx, struct pof_err *err)
{
    const struct pof_record *r = after ? after : before;
    struct side a, b;
    struct pof_change c = {.kind = kind_of(r),
                           .name = name_of(r),
                           .start = *(const int64_t *)pof_record_get(r, "start"),
                           .duration_s = *(const int64_t *)pof_record_get(r, "duration_s"),
                           .cause = before ? POF_CAUSE_GONE : POF_CAUSE_NEW};
    if (before) {
        read_side(&a, before);
        put_before(&c, &a);
    }
    if (after) {
        read_side(&b, after);
        put_after(&c, &b);
    }
    if (before && after) {
        c.cause = (int)cause_of(&a, &b, c.kind);
    }
    return before && after && same_sides(&a, &b, c.kind) ? 0 : on(ctx, &c, err);
}

static int sort_side(struct pof_kept_records *k, size_t *n, struct pof_err *err)
{
    if (k->n > 1) {
        qsort(k->at, k->n, sizeof *k->at, by_subject);
    }
    for (*n = 0; *n < k->n && kind_of(&k->at[*n].r) <= POF_CHANGED_NODE; ++*n) {
        const struct pof_kept *x = &k->at[*n];
        if (*n > 0 && by_subject(x - 1, x) == 0) {
            struct pof_text name = name_of(&x->r);
            pof_fail(err, POF_E_DUPLICATE, "'%.*s' was told of before in this quarter-hour", (int)name.len,
                     name.ptr);
            return pof_at(err, x->file, x->line, NULL);
        }
    }
    return 0;
}

int pof_differ_run(struct pof_kept_records *before, struct pof_kept_records *after, pof_on_change *on,
                   void *ctx, struct pof_err *err)
{
    size_t n, m, i = 0, k = 0;
    int rc = sort_side(before, &n, err);
    rc = rc ? rc : sort_side(after, &m, err);
    while (rc == 0 && (i < n || k < m)) {
        int order = i == n ? 1 : k == m ? -1 : by_subject(&before->at[i], &after->at[k]);
        rc = compare(order <= 0 ? &before->at[i].r : NULL, order >= 0 ? &after->at[k].r : NULL, on, ctx,
                     err);
        i += order <= 0;
        k += order >= 0;
    }
    return rc;
}
