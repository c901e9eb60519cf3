/* SPDX-License-Identifier: Apache-2.0 */
/* The grid as a tree, records by their ids, and each award beside its offer and request. */
#include "verify.h"

#include <stdlib.h>

/* The tie rule: received earlier first, not said last, or the lower lot; then byte order of ids. */
static int by_tie_rule(const void *pa, const void *pb)
{
    const struct line *a = pa, *b = pb;
    return a->lot != b->lot ? (a->lot < b->lot ? -1 : 1)
                            : pof_text_cmp(a->r.u.offer.id, b->r.u.offer.id);
}

static int by_id(const void *pa, const void *pb)
{
    const struct line *a = pa, *b = pb;
    return pof_text_cmp(a->r.u.request.id, b->r.u.request.id);
}

static int grow_tree(struct market *m, struct pof_err *err)
{
    int rc = pof_tree_build(&m->tree, &m->grid, err);
    uint32_t n = rc ? 0 : m->tree.n;
    rc = rc ? rc : pof_calloc(&m->place, m->grid.nodes, sizeof *m->place, err);
    rc = rc ? rc : pof_calloc(&m->up, n, sizeof *m->up, err);
    rc = rc ? rc : pof_calloc(&m->end, n, sizeof *m->end, err);
    rc = rc ? rc : pof_calloc(&m->child, m->grid.branches, sizeof *m->child, err);
    rc = rc ? rc : pof_calloc(&m->area[0], n, sizeof *m->area[0], err);
    rc = rc ? rc : pof_calloc(&m->area[1], n, sizeof *m->area[1], err);
    for (uint32_t i = 0; rc == 0 && i < m->grid.nodes; i++) {
        m->place[i] = POF_NONE;
    }
    for (uint32_t i = 0; rc == 0 && i < m->grid.branches; i++) {
        m->child[i] = POF_NONE;
    }
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        m->place[m->tree.order[i]] = i;
        m->up[i] = i ? m->place[m->tree.parent[m->tree.order[i]]] : POF_NONE;
        m->end[i] = i + 1;
        if (i) {
            m->child[m->tree.parent_branch[m->tree.order[i]]] = i;
        }
    }
    for (uint32_t i = n; rc == 0 && i-- > 1;) {
        m->end[m->up[i]] = m->end[i] > m->end[m->up[i]] ? m->end[i] : m->end[m->up[i]];
    }
    return rc;
}

/* Numbers an id; it must be new. */
static int number(struct pof_names *ids, struct pof_text id, const struct line *l,
                  struct pof_err *err)
{
    uint32_t next = (uint32_t)ids->n, got;
    int rc = pof_names_add(ids, id, &got, err);
    return rc || got == next ? rc : REFUSE(l, "id", "'%.*s' was given before", TEXT(id));
}

static int index_offers(struct market *m, struct pof_err *err)
{
    size_t n = m->n[POF_offer];
    uint32_t rank = 0;
    int rc = pof_calloc(&m->offer, n, sizeof *m->offer, err);
    for (size_t i = 0; i < n; i++) {
        m->of[POF_offer][i].lot = verify_lot(m, &m->of[POF_offer][i].r.u.offer);
    }
    if (rc == 0 && n > 1) {
        qsort(m->of[POF_offer], n, sizeof(struct line), by_tie_rule);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct line *l = &m->of[POF_offer][i];
        struct pof_offer *o = &l->r.u.offer;
        uint32_t node = pof_names_find(&m->grid.node_names, o->node);
        if (node == POF_NONE) {
            return REFUSE(l, "node", "'%.*s' is no node of the grid", TEXT(o->node));
        }
        bool in = o->start < m->session->end && o->end > m->session->start &&
                  m->place[node] != POF_NONE;
        bool late = POF_HAS(o, offer, received) && o->received >= m->session->gate;
        m->offer[i] = (struct offer){.from = l,
                                     .r = o,
                                     .at = m->place[node],
                                     .late = late,
                                     .refused = !late && !verify_allowed(m, o)};
        if (in && !late && !m->offer[i].refused) {
            m->offer[i].rank = ++rank;
        }
        m->blocks |= POF_HAS(o, offer, min_w) || POF_HAS(o, offer, block) ||
                     POF_HAS(o, offer, parent) || POF_HAS(o, offer, group);
        rc = number(&m->offer_ids, o->id, l, err);
    }
    return rc;
}

static int index_requests(struct market *m, struct pof_err *err)
{
    struct line *l = m->of[POF_request];
    size_t n = 0;
    for (size_t i = 0; i < m->n[POF_request]; i++) {
        const struct pof_request *r = &l[i].r.u.request;
        bool late = POF_HAS(r, request, received) && r->received >= m->session->gate;
        if (pof_text_eq(r->session, m->session->id) && !late) {
            l[n++] = l[i];
        }
    }
    m->n[POF_request] = n;
    int rc = pof_calloc(&m->request, n, sizeof *m->request, err);
    if (rc == 0 && n > 1) {
        qsort(l, n, sizeof *l, by_id);
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct pof_request *r = &l[i].r.u.request;
        struct request *x = &m->request[i];
        bool own = POF_HAS(r, request, node), branch = POF_HAS(r, request, branch);
        *x = (struct request){&l[i], r, 0, own, m->rules.ceiling_ueur_mwh};
        uint32_t k = own      ? pof_names_find(&m->grid.node_names, r->node)
                     : branch ? pof_names_find(&m->grid.branch_names, r->branch)
                              : 0;
        if (k == POF_NONE) {
            return REFUSE(&l[i], own ? "node" : "branch", "is not of the grid");
        }
        x->at = own ? m->place[k] : branch ? m->child[k] : 0;
        x->ceiling = POF_HAS(r, request, price_limit_ueur_mwh) ? r->price_limit_ueur_mwh : x->ceiling;
        rc = number(&m->request_ids, r->id, &l[i], err);
    }
    return rc;
}

int verify_index(struct market *m, const char *session, struct pof_err *err)
{
    for (size_t i = 0; i < m->n[POF_session]; i++) {
        const struct pof_session *s = &m->of[POF_session][i].r.u.session;
        if (session ? pof_text_is(s->id, session) : m->n[POF_session] == 1) {
            m->session = s;
        }
    }
    if (!m->session) {
        return pof_fail(err, POF_E_REFERENCE, "%zu sessions are given; --session says which",
                        m->n[POF_session]);
    }
    int rc = verify_rules(m, err);
    rc = rc ? rc : grow_tree(m, err);
    for (size_t i = 0; rc == 0 && i < m->n[POF_verdict]; i++) {
        rc = number(&m->judged, m->of[POF_verdict][i].r.u.verdict.award, &m->of[POF_verdict][i], err);
    }
    rc = rc ? rc : index_offers(m, err);
    return rc ? rc : index_requests(m, err);
}

/* --- awards --- */

bool verify_active(int64_t from, int64_t to, int64_t t)
{
    return from <= t && t < to;
}

static int check_award(const struct market *m, const struct line *l, struct pof_err *err)
{
    const struct pof_award *a = &l->r.u.award;
    uint32_t k = pof_names_find(&m->offer_ids, a->offer);
    uint32_t n = pof_names_find(&m->request_ids, a->request);
    if (k == POF_NONE || m->offer[k].rank == 0) {
        return REFUSE(l, "offer", "no offer '%.*s' takes part in the session", TEXT(a->offer));
    }
    if (n == POF_NONE) {
        return REFUSE(l, "request", "the session has no request '%.*s'", TEXT(a->request));
    }
    const struct pof_offer *o = m->offer[k].r;
    const struct pof_request *r = m->request[n].r;
    const struct {
        const char *field;
        struct pof_text has, wants;
    } texts[] = {{"session", a->session, m->session->id}, {"pod", a->pod, o->pod},
                 {"node", a->node, o->node},              {"seller", a->seller, o->seller},
                 {"buyer", a->buyer, r->buyer}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!pof_text_eq(texts[i].has, texts[i].wants)) {
            return REFUSE(l, texts[i].field, "is '%.*s', not '%.*s' as offer and request say",
                          TEXT(texts[i].has), TEXT(texts[i].wants));
        }
    }
    if (a->direction != o->direction || a->offer_price_ueur_mwh != o->price_ueur_mwh) {
        return REFUSE(l, "offer", "direction or price is not that of the offer");
    }
    if (a->role != r->role) {
        return REFUSE(l, "role", "is not that of the request");
    }
    if (a->start % POF_QUARTER_S || a->duration_s != POF_QUARTER_S ||
        !verify_active(m->session->start, m->session->end, a->start) ||
        !verify_active(o->start, o->end, a->start) || !verify_active(r->start, r->end, a->start)) {
        return REFUSE(l, "start", "is no quarter-hour of session, offer and request");
    }
    return 0;
}

static int by_quarter(const void *pa, const void *pb)
{
    const struct pof_award *a = &(*(const struct line *const *)pa)->r.u.award;
    const struct pof_award *b = &(*(const struct line *const *)pb)->r.u.award;
    if (a->start != b->start) {
        return a->start < b->start ? -1 : 1;
    }
    int c = pof_text_cmp(a->request, b->request);
    c = c ? c : (a->why > b->why) - (a->why < b->why);
    return c ? c : pof_text_cmp(a->offer, b->offer);
}

int verify_awards(struct market *m, struct pof_err *err)
{
    size_t n = m->n[POF_award];
    int rc = pof_calloc(&m->award, n, sizeof *m->award, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        m->award[i] = &m->of[POF_award][i];
        rc = check_award(m, m->award[i], err);
    }
    if (rc == 0 && n > 1) {
        qsort(m->award, n, sizeof *m->award, by_quarter);
    }
    return rc;
}
