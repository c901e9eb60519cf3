/* SPDX-License-Identifier: Apache-2.0 */
/* What awards are paid: the price rules, and requests that only one seller can serve. */
#include "market/auction_impl.h"

#include <stdlib.h>

/* --- zones --- */

static int zone_of_branch(const struct pof_feeder *f, const struct pof_price_zone *z,
                          uint32_t *node, struct pof_err *err)
{
    uint32_t branch = pof_names_find(&f->grid->branch_names, z->branch);
    *node = branch == POF_NONE ? POF_NONE : f->child[branch];
    if (branch == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE, "price zone '%.*s': '%.*s' is no branch of the grid",
                 (int)z->zone.len, z->zone.ptr, (int)z->branch.len, z->branch.ptr);
        return pof_at(err, NULL, 0, "branch");
    }
    return 0;
}

/* zone[node]: 0 for what is in none, else the number of its name. */
static int make_zones(struct pofi_job *j, struct pof_err *err)
{
    const struct pof_forest *f = &j->book->forest;
    const struct pof_rulebook *rules = j->book->rulebook;
    struct pof_names names = {0};
    uint32_t node, number, *zone = NULL;
    int rc = pof_calloc(&zone, f->n, sizeof *zone, err);
    for (size_t i = 0; rc == 0 && i < rules->zones; i++) {
        rc = zone_of_branch(j->book->feeder, &rules->zone[i], &node, err);
        rc = rc ? rc : pof_names_add(&names, rules->zone[i].zone, &number, err);
        if (rc == 0 && node != POF_NONE) {
            zone[node] = number + 1;
        }
    }
    for (uint32_t at = f->n; rc == 0 && at-- > 0;) {
        if (zone[f->node[at]] == 0 && f->up[at] != POF_NONE) {
            zone[f->node[at]] = zone[f->node[f->up[at]]];
        }
    }
    j->zones = names.n + 1;
    j->zone = zone;
    pof_names_release(&names);
    return rc;
}

int pofi_prices_open(struct pofi_job *j, struct pof_err *err)
{
    const struct pof_rules *rules = &j->book->rules;
    return rules->price == POF_PRICE_RULE_ZONAL ? make_zones(j, err) : 0;
}

void pofi_prices_close(struct pofi_job *j)
{
    free(j->zone);
}

/* --- price rules --- */

/* Rows of one request and why stand together, the dearest offer last. Both directions can only meet
 * among counter rows: those are priced apart. */
static void price_uniform(const struct pof_book *b, struct pofi_quarter *out)
{
    size_t end = 0;
    for (size_t i = 0; i < out->rows; i = end) {
        int64_t highest[2] = {0, 0};
        for (end = i; end < out->rows && out->row[end].request == out->row[i].request &&
                      out->row[end].why == out->row[i].why;
             end++) {
            highest[b->offer[out->row[end].offer].direction] = out->row[end].price_ueur;
        }
        for (size_t k = i; k < end; k++) {
            out->row[k].price_ueur = highest[b->offer[out->row[k].offer].direction];
        }
    }
}

/* One price for each zone and direction: the highest ask taken there, for whatever request. */
static int price_zonal(const struct pofi_job *j, struct pofi_quarter *out, struct pof_err *err)
{
    const struct pof_book_offer *offer = j->book->offer;
    int64_t(*highest)[2];
    int rc = pof_calloc(&highest, j->zones, sizeof *highest, err);
    for (size_t i = 0; rc == 0 && i < out->rows; i++) {
        const struct pof_book_offer *o = &offer[out->row[i].offer];
        int64_t *top = &highest[j->zone[o->node]][o->direction];
        *top = out->row[i].price_ueur > *top ? out->row[i].price_ueur : *top;
    }
    for (size_t i = 0; rc == 0 && i < out->rows; i++) {
        const struct pof_book_offer *o = &offer[out->row[i].offer];
        out->row[i].price_ueur = highest[j->zone[o->node]][o->direction];
    }
    free(highest);
    return rc;
}

/* What one more watt of its direction is worth at its node. Divisible offers are taken at prices that
 * cover their asks; indivisible ones get their ask where the price is below it. */
static void price_nodal(const struct pofi_job *j, const struct pofi_slot *s,
                        struct pofi_quarter *out)
{
    for (size_t i = 0; i < out->rows; i++) {
        struct pofi_row *x = &out->row[i];
        const struct pof_book_offer *o = &j->book->offer[x->offer];
        int64_t price = s->result.own_price_ueur[o->node];
        price = o->direction == POF_UP ? price : -price;
        x->price_ueur = price > x->price_ueur ? price : x->price_ueur;
    }
}

/* --- single sellers --- */

/* Who offers a direction in an area. */
struct crowd {
    int64_t p_w;
    uint32_t offer; /* one of them, by its index in the book; POF_NONE: nobody */
    bool several;
};

static void join_crowd(const struct pofi_job *j, struct crowd *to, const struct crowd *x)
{
    if (x->offer == POF_NONE) {
        return;
    }
    if (to->offer == POF_NONE) {
        *to = *x;
        return;
    }
    to->several |= x->several || j->book->terms[to->offer].seller != j->book->terms[x->offer].seller;
    to->p_w += x->p_w;
}

/* own[node], below[node], by direction. Sums stay within those that clearing has checked. */
static void gather_crowds(const struct pofi_job *j, const struct pofi_slot *s,
                          struct crowd (*own)[2], struct crowd (*below)[2])
{
    const struct pof_forest *f = s->problem.forest;
    for (uint32_t v = 0; v < f->n; v++) {
        own[v][0] = own[v][1] = below[v][0] = below[v][1] = (struct crowd){0, POF_NONE, false};
    }
    for (size_t i = 0; i < s->problem.offers; i++) {
        uint32_t k = s->offer_of[i];
        const struct pof_book_offer *o = &j->book->offer[k];
        const struct crowd one = {o->p_w, k, false};
        join_crowd(j, &own[o->node][o->direction], &one);
    }
    for (uint32_t at = 0; at < f->n; at++) {
        uint32_t v = f->node[at];
        for (int d = 0; d < 2; d++) {
            join_crowd(j, &below[v][d], &own[v][d]);
            if (f->up[at] != POF_NONE) {
                join_crowd(j, &below[f->node[f->up[at]]][d], &below[v][d]);
            }
        }
    }
}

static int mark_single(const struct pofi_job *j, const struct pofi_slot *s,
                       struct pofi_quarter *out, struct pof_err *err)
{
    struct crowd(*crowd)[2];
    uint32_t n = s->problem.forest->n;
    int rc = pof_calloc(&crowd, (size_t)n * 2, sizeof *crowd, err);
    rc = rc ? rc : pof_calloc(&out->single, s->problem.requests, sizeof *out->single, err);
    if (rc == 0) {
        gather_crowds(j, s, crowd, crowd + n);
    }
    for (size_t i = 0; rc == 0 && i < s->problem.requests; i++) {
        const struct pof_clear_request *r = &s->request[i];
        const struct crowd *c = &crowd[r->own ? r->node : n + r->node][r->direction];
        if (c->offer != POF_NONE && !c->several) {
            out->single[out->singles++] =
                (struct pofi_single){s->request_of[i], c->offer, c->p_w};
        }
    }
    free(crowd);
    return rc;
}

/* Requests of a slot are in the order of the book; so are those marked, and the rows. */
static void pay_asks(const struct pof_book *b, struct pofi_quarter *out)
{
    size_t k = 0;
    for (size_t i = 0; i < out->rows; i++) {
        struct pofi_row *x = &out->row[i];
        while (k < out->singles && out->single[k].request < x->request) {
            k++;
        }
        if (k < out->singles && out->single[k].request == x->request) {
            x->price_ueur = b->offer[x->offer].price_ueur_mwh;
        }
    }
}

int pofi_price_named(const struct pofi_job *j, const struct pofi_slot *s, struct pofi_quarter *out,
                     struct pof_err *err)
{
    const struct pof_rules *rules = &j->book->rules;
    int rc = 0;
    switch ((enum pof_price_rule)rules->price) {
    case POF_PRICE_RULE_PAY_AS_BID:
        break;
    case POF_PRICE_RULE_UNIFORM:
        price_uniform(j->book, out);
        break;
    case POF_PRICE_RULE_ZONAL:
        rc = price_zonal(j, out, err);
        break;
    case POF_PRICE_RULE_NODAL:
        price_nodal(j, s, out);
        break;
    }
    if (rc == 0 && rules->single_seller == POF_SINGLE_SELLER_AS_BID) {
        pay_asks(j->book, out);
    }
    return rc;
}

int pofi_price_rows(const struct pofi_job *j, const struct pofi_slot *s, struct pofi_quarter *out,
                    struct pof_err *err)
{
    int rc = 0;
    if (j->book->rules.single_seller != POF_SINGLE_SELLER_IGNORE) {
        rc = mark_single(j, s, out, err);
    }
    return rc || out->unasked ? rc : pofi_price_named(j, s, out, err);
}

int pofi_hand_out_singles(struct pof_auction *a, const struct pofi_job *j, size_t q,
                          struct pof_err *err)
{
    const struct pof_book *b = j->book;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < j->quarter[q].singles; i++) {
        const struct pofi_single *x = &j->quarter[q].single[i];
        const struct pof_request *r = &b->request[x->request].record;
        const struct pof_single_seller s = {.session = b->session.id,
                                            .request = r->id,
                                            .seller = b->seller_ids.text[b->terms[x->offer].seller],
                                            .start = b->session.start + (int64_t)q * POF_QUARTER_S,
                                            .duration_s = POF_QUARTER_S,
                                            .p_w = r->p_w,
                                            .offered_w = x->offered_w};
        a->singles++;
        rc = a->on_single ? a->on_single(a->single_ctx, &s, err) : 0;
    }
    return rc;
}
