/* SPDX-License-Identifier: Apache-2.0 */
/* Flexibility of pods into offers. */
#include "market/offer.h"

#include "num/time.h"
#include "num/units.h"
#include "record/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pof_offer_rows {
    struct pof_availability *lent;
    size_t lents, lent_cap;
    struct pof_pricerule *rule;
    bool *used; /* [rules] after sorting */
    size_t rules, rule_cap;
};

int pof_offers_init(struct pof_offers *o, struct pof_err *err)
{
    *o = (struct pof_offers){0};
    return pof_calloc(&o->rows, 1, sizeof *o->rows, err);
}

void pof_offers_release(struct pof_offers *o)
{
    if (o->rows) {
        free(o->rows->lent);
        free(o->rows->rule);
        free(o->rows->used);
        free(o->rows);
    }
    pof_arena_release(&o->arena);
    *o = (struct pof_offers){0};
}

static int take_availability(struct pof_offers *o, const struct pof_availability *a,
                             struct pof_err *err)
{
    struct pof_offer_rows *r = o->rows;
    if (a->end <= a->start) {
        pof_fail(err, POF_E_RANGE, "the availability does not end after its start");
        return pof_at(err, NULL, 0, "end");
    }
    int rc = pof_grow(&r->lent, &r->lent_cap, r->lents + 1, sizeof *a, err);
    if (rc == 0) {
        rc = pof_record_copy(POF_availability, a, &r->lent[r->lents], &o->arena, err);
        r->lents += rc == 0;
    }
    return rc;
}

static int take_rule(struct pof_offers *o, const struct pof_pricerule *p, struct pof_err *err)
{
    struct pof_offer_rows *r = o->rows;
    int rc = pof_grow(&r->rule, &r->rule_cap, r->rules + 1, sizeof *p, err);
    if (rc == 0) {
        rc = pof_record_copy(POF_pricerule, p, &r->rule[r->rules], &o->arena, err);
        r->rules += rc == 0;
    }
    return rc;
}

int pof_offers_take(struct pof_offers *o, const struct pof_record *record, struct pof_err *err)
{
    switch (record->type) {
    case POF_availability:
        return take_availability(o, &record->u.availability, err);
    case POF_pricerule:
        return take_rule(o, &record->u.pricerule, err);
    default:
        return pof_fail(err, POF_E_SCHEMA, "a record of type '%s' has no place in offers",
                        pof_layout(record->type)->name);
    }
}

/* --- price rules --- */

/* How specific a rule is; more is more specific. */
enum level { GENERAL, KIND, AGGREGATOR, AGGREGATOR_KIND, POD, LEVELS };

static enum level level_of(const struct pof_pricerule *r)
{
    if (POF_HAS(r, pricerule, pod)) {
        return POD;
    }
    bool kind = POF_HAS(r, pricerule, kind);
    if (POF_HAS(r, pricerule, aggregator)) {
        return kind ? AGGREGATOR_KIND : AGGREGATOR;
    }
    return kind ? KIND : GENERAL;
}

/* The part of the order that a search can use: direction, level, and what the level names. */
static int by_level(const struct pof_pricerule *x, const struct pof_pricerule *y)
{
    enum level lx = level_of(x);
    enum level ly = level_of(y);
    if (x->direction != y->direction || lx != ly) {
        return x->direction != y->direction ? x->direction - y->direction : (int)lx - (int)ly;
    }
    int c = lx == POD ? pof_text_cmp(x->pod, y->pod) : 0;
    if (c == 0 && (lx == AGGREGATOR || lx == AGGREGATOR_KIND)) {
        c = pof_text_cmp(x->aggregator, y->aggregator);
    }
    return c == 0 && (lx == KIND || lx == AGGREGATOR_KIND) ? x->kind - y->kind : c;
}

static int by_rule(const void *a, const void *b)
{
    const struct pof_pricerule *x = a;
    const struct pof_pricerule *y = b;
    int c = by_level(x, y);
    return c ? c
             : (x->price_ueur_mwh > y->price_ueur_mwh) - (x->price_ueur_mwh < y->price_ueur_mwh);
}

static bool fits(const struct pof_pricerule *r, const struct pof_forecast_pod *pod)
{
    return (!POF_HAS(r, pricerule, pod) || pof_text_eq(r->pod, pod->name)) &&
           (!POF_HAS(r, pricerule, aggregator) || pof_text_eq(r->aggregator, pod->aggregator)) &&
           (!POF_HAS(r, pricerule, kind) || r->kind == pod->kind);
}

/* The first rule not before key. */
static size_t lower_bound(const struct pof_offer_rows *r, const struct pof_pricerule *key)
{
    size_t low = 0;
    size_t high = r->rules;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (by_level(&r->rule[mid], key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* A rule of that level as it would have to read for a pod. */
static struct pof_pricerule key_of(const struct pof_forecast_pod *pod, int direction, enum level l)
{
    struct pof_pricerule key = {
        .pod = pod->name, .aggregator = pod->aggregator, .kind = pod->kind, .direction = direction};
    if (l == POD) {
        POF_SET(&key, pricerule, pod);
    }
    if (l == AGGREGATOR || l == AGGREGATOR_KIND) {
        POF_SET(&key, pricerule, aggregator);
    }
    if (l == KIND || l == AGGREGATOR_KIND) {
        POF_SET(&key, pricerule, kind);
    }
    return key;
}

static int find_price(struct pof_offers *o, const struct pof_forecast_pod *pod, int direction,
                      const struct pof_pricerule **found, struct pof_err *err)
{
    struct pof_offer_rows *r = o->rows;
    *found = NULL;
    for (int level = LEVELS - 1; !*found && level >= 0; level--) {
        struct pof_pricerule key = key_of(pod, direction, (enum level)level);
        for (size_t i = lower_bound(r, &key); i < r->rules && by_level(&r->rule[i], &key) == 0;
             i++) {
            if (!fits(&r->rule[i], pod)) {
                continue;
            }
            r->used[i] = true;
            if (*found && (*found)->price_ueur_mwh != r->rule[i].price_ueur_mwh) {
                return pof_fail(err, POF_E_CONFLICT,
                                "two equally specific price rules of pod '%.*s', direction '%s', "
                                "ask different prices",
                                (int)pod->name.len, pod->name.ptr,
                                direction == POF_UP ? "up" : "down");
            }
            *found = &r->rule[i];
        }
    }
    return 0;
}

/* --- what is possible --- */

int64_t pof_offer_possible(int kind, int direction, int64_t baseline_w)
{
    switch (kind) {
    case POF_POD_KIND_BATTERY:
    case POF_POD_KIND_OTHER:
        return INT64_MAX;
    case POF_POD_KIND_PV:
        return direction == POF_DOWN && baseline_w < 0 ? -baseline_w : 0;
    default:
        return direction == POF_DOWN ? INT64_MAX : baseline_w > 0 ? baseline_w : 0;
    }
}

/* One pod in work. */
struct maker {
    struct pof_offers *o;
    const struct pof_forecast *f;
    const struct pof_offer_options *options;
    pof_on_offer *emit;
    void *ctx;
    int64_t *lent_w[2]; /* [quarters] by direction */
    int64_t *power_w;   /* [quarters] of the direction in work */
    size_t next_lent;   /* of rows, sorted by pod */
};

static int by_pod(const void *a, const void *b)
{
    const struct pof_availability *x = a;
    const struct pof_availability *y = b;
    return pof_text_cmp(x->pod, y->pod);
}

static void lend(struct maker *m, const struct pof_availability *a, bool *covered)
{
    for (uint32_t q = 0; q < m->f->quarters; q++) {
        int64_t start = pof_forecast_instant(m->f, q);
        if (a->start > start || a->end < start + POF_QUARTER_S) {
            continue;
        }
        if (!covered[q] || a->p_up_w < m->lent_w[POF_UP][q]) {
            m->lent_w[POF_UP][q] = a->p_up_w;
        }
        if (!covered[q] || a->p_down_w < m->lent_w[POF_DOWN][q]) {
            m->lent_w[POF_DOWN][q] = a->p_down_w;
        }
        covered[q] = true;
    }
}

/* Fills lent_w for a pod. Both lists are sorted by pod, so they are walked together; an
 * availability that is left behind names a pod that does not exist. */
static int lend_all(struct maker *m, const struct pof_forecast_pod *pod, struct pof_err *err)
{
    const struct pof_offer_rows *r = m->o->rows;
    bool *covered;
    int rc = pof_calloc(&covered, m->f->quarters, sizeof *covered, err);
    if (rc) {
        return rc;
    }
    size_t first = m->next_lent;
    while (m->next_lent < r->lents && pof_text_eq(r->lent[m->next_lent].pod, pod->name)) {
        m->next_lent++;
    }
    for (uint32_t q = 0; q < m->f->quarters; q++) {
        m->lent_w[POF_UP][q] = m->lent_w[POF_DOWN][q] = m->next_lent > first ? 0 : INT64_MAX;
    }
    for (size_t i = first; i < m->next_lent; i++) {
        lend(m, &r->lent[i], covered);
    }
    free(covered);
    return 0;
}

static int check_lent(struct maker *m, struct pof_err *err)
{
    struct pof_offer_rows *r = m->o->rows;
    if (r->lents) {
        qsort(r->lent, r->lents, sizeof *r->lent, by_pod);
    }
    for (size_t i = 0; i < r->lents; i++) {
        struct pof_text pod = r->lent[i].pod;
        if (pof_forecast_find(m->f, pod) == POF_NONE) {
            return pof_fail(err, POF_E_REFERENCE,
                            "an availability of pod '%.*s', which no pod record registers",
                            (int)pod.len, pod.ptr);
        }
    }
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Fills power_w; false: nothing at all. */
static bool find_power(struct maker *m, uint32_t pod, int direction)
{
    const struct pof_forecast *f = m->f;
    const struct pof_forecast_pod *p = &f->pod[pod];
    const int64_t *taken = direction == POF_UP ? f->up_w : f->down_w;
    int64_t registered = direction == POF_UP ? p->p_up_max_w : p->p_down_max_w;
    bool any = false;
    for (uint32_t q = 0; q < f->quarters; q++) {
        size_t cell = (size_t)pod * f->quarters + q;
        int64_t power = 0;
        if (f->base_w[cell] != POF_FORECAST_NONE) {
            power = least(registered, m->lent_w[direction][q]);
            power = least(power, pof_offer_possible(p->kind, direction, f->base_w[cell]));
            power -= taken ? taken[cell] : 0;
        }
        m->power_w[q] = power > 0 ? power : 0;
        any = any || power > 0;
    }
    return any;
}

/* --- offers --- */

enum { OFFER_ID_MAX = 96 }; /* records.def */

static int emit_offer(struct maker *m, struct pof_offer *offer, uint32_t first, uint32_t end,
                      struct pof_err *err)
{
    char id[OFFER_ID_MAX + 1];
    char stamp[POF_STAMP_MAX];
    pof_forecast_stamp(m->f, first, stamp);
    int n = snprintf(id, sizeof id, "%.*s-%.*s-%s-%s", (int)offer->session.len, offer->session.ptr,
                     (int)offer->pod.len, offer->pod.ptr,
                     offer->direction == POF_UP ? "up" : "down", stamp);
    if (n > OFFER_ID_MAX) {
        return pof_fail(err, POF_E_TOO_LONG,
                        "the names of session and pod '%.*s' make an offer id of %d bytes, at most "
                        "%d are allowed",
                        (int)offer->pod.len, offer->pod.ptr, n, OFFER_ID_MAX);
    }
    offer->id = pof_text(id);
    offer->start = pof_forecast_instant(m->f, first);
    offer->end = pof_forecast_instant(m->f, end);
    offer->p_w = m->power_w[first];
    m->o->counts.offers++;
    return m->emit(m->ctx, offer, err);
}

static int emit_direction(struct maker *m, struct pof_offer *offer, struct pof_err *err)
{
    uint32_t first = 0;
    for (uint32_t q = 1; q <= m->f->quarters; q++) {
        if (q < m->f->quarters && m->power_w[q] == m->power_w[first]) {
            continue;
        }
        int rc = m->power_w[first] ? emit_offer(m, offer, first, q, err) : 0;
        if (rc) {
            return rc;
        }
        first = q;
    }
    return 0;
}

static int offer_direction(struct maker *m, uint32_t pod, int direction, bool *unpriced,
                           struct pof_err *err)
{
    const struct pof_forecast_pod *p = &m->f->pod[pod];
    const struct pof_pricerule *rule;
    int rc = find_price(m->o, p, direction, &rule, err);
    if (rc || !find_power(m, pod, direction)) {
        return rc;
    }
    if (!rule && !m->options->has_price) {
        *unpriced = true;
        return 0;
    }
    struct pof_offer offer = {.session = m->f->session.id,
                              .seller = p->aggregator,
                              .pod = p->name,
                              .node = p->node,
                              .direction = direction,
                              .price_ueur_mwh =
                                  rule ? rule->price_ueur_mwh : m->options->price_ueur_mwh};
    if (m->options->has_received) {
        POF_SET(&offer, offer, received);
        offer.received = m->options->received;
    }
    return emit_direction(m, &offer, err);
}

static bool has_baseline(const struct pof_forecast *f, uint32_t pod)
{
    for (uint32_t q = 0; q < f->quarters; q++) {
        if (f->base_w[(size_t)pod * f->quarters + q] != POF_FORECAST_NONE) {
            return true;
        }
    }
    return false;
}

static int offer_pod(struct maker *m, uint32_t pod, struct pof_err *err)
{
    const struct pof_forecast_pod *p = &m->f->pod[pod];
    bool unpriced = false;
    int rc = lend_all(m, p, err);
    if (rc || (m->options->aggregator && !pof_text_is(p->aggregator, m->options->aggregator))) {
        return rc;
    }
    for (int direction = POF_UP; rc == 0 && direction <= POF_DOWN; direction++) {
        rc = offer_direction(m, pod, direction, &unpriced, err);
    }
    m->o->counts.unpriced += unpriced;
    m->o->counts.unbaselined += !has_baseline(m->f, pod);
    return rc;
}

static int check_gate(const struct maker *m, struct pof_err *err)
{
    const struct pof_session *s = &m->f->session;
    if (!m->options->has_received ||
        (m->options->received >= s->opens && m->options->received < s->gate)) {
        return 0;
    }
    char text[POF_INSTANT_MAX + 1];
    bool late = m->options->received >= s->gate;
    text[pof_instant_format(late ? s->gate : s->opens, text)] = '\0';
    return pof_fail(err, POF_E_ANSWER_NO, "session '%.*s' %s at %s: no offer is made",
                    (int)s->id.len, s->id.ptr, late ? "closed its gate" : "opens only", text);
}

int pof_offers_make(struct pof_offers *o, const struct pof_forecast *f,
                    const struct pof_offer_options *options, pof_on_offer *emit, void *ctx,
                    struct pof_err *err)
{
    struct maker m = {.o = o, .f = f, .options = options, .emit = emit, .ctx = ctx};
    struct pof_offer_rows *r = o->rows;
    if (r->rules) {
        qsort(r->rule, r->rules, sizeof *r->rule, by_rule);
    }
    int rc = check_gate(&m, err);
    if (rc == 0) {
        rc = check_lent(&m, err);
    }
    if (rc == 0) {
        rc = pof_calloc(&r->used, r->rules, sizeof *r->used, err);
    }
    for (int d = POF_UP; rc == 0 && d <= POF_DOWN; d++) {
        rc = pof_calloc(&m.lent_w[d], f->quarters, sizeof *m.lent_w[d], err);
    }
    if (rc == 0) {
        rc = pof_calloc(&m.power_w, f->quarters, sizeof *m.power_w, err);
    }
    for (uint32_t pod = 0; rc == 0 && pod < f->pods; pod++) {
        rc = offer_pod(&m, pod, err);
    }
    for (size_t i = 0; rc == 0 && i < r->rules; i++) {
        o->counts.unused_rules += !r->used[i];
    }
    free(m.lent_w[POF_UP]);
    free(m.lent_w[POF_DOWN]);
    free(m.power_w);
    return rc;
}
