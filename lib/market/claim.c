/* SPDX-License-Identifier: Apache-2.0 */
/* Every record to its place. */
#include "market/claim.h"

#include "num/time.h"
#include "num/units.h"
#include "record/words.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

int64_t pof_claim_ceiling(const struct pof_claim *c, const struct pof_request *r)
{
    return POF_HAS(r, request, price_limit_ueur_mwh) ? r->price_limit_ueur_mwh
                                                    : c->rules.ceiling_ueur_mwh;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The tie rule: received earlier first, not said last, or the lower lot; then byte order of ids. */
static uint64_t lot_of(const struct pof_claim *c, const struct pof_offer *o)
{
    if (c->rules.tie == POF_TIE_RULE_LOTTERY) {
        return pof_rules_draw(c->rules.seed, c->session->id, o->id);
    }
    return POF_HAS(o, offer, received) ? (uint64_t)o->received : UINT64_MAX;
}

static int by_tie_rule(const struct pof_claim *c, const struct pof_offer *a, const struct pof_offer *b)
{
    uint64_t x = lot_of(c, a), y = lot_of(c, b);
    return x != y ? (x < y ? -1 : 1) : pof_text_cmp(a->id, b->id);
}

static int by_request(const struct pof_award *a, const struct pof_award *b)
{
    int order = pof_text_cmp(a->request, b->request);
    return order ? order : a->why - b->why;
}

static int by_rule(const void *pa, const void *pb, void *claim)
{
    const struct pof_kept *x = pa, *y = pb;
    const struct pof_record *a = &x->r, *b = &y->r;
    int order = (int)a->type - (int)b->type;
    if (order == 0 && a->type == POF_request) {
        order = compare(pof_claim_ceiling(claim, &b->u.request), pof_claim_ceiling(claim, &a->u.request));
        order = order ? order : pof_text_cmp(a->u.request.id, b->u.request.id);
    } else if (order == 0 && a->type == POF_offer) {
        order = by_tie_rule(claim, &a->u.offer, &b->u.offer);
    } else if (order == 0 && a->type == POF_award) {
        order = by_request(&a->u.award, &b->u.award);
    }
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

int pof_claim_name(struct pof_claim *c, char kind, struct pof_text session,
                   const struct pof_text *text, struct pof_claim_name **to, struct pof_err *err)
{
    struct pof_buf key = {0};
    uint32_t k = 0;
    *to = NULL;
    if (!text) {
        return 0;
    }
    int rc = pof_buf_addf(&key, err, "%c%.*s\x1f%.*s", kind, POF_TEXT(session), POF_TEXT(*text));
    rc = rc ? rc : pof_names_add(&c->ids, (struct pof_text){key.data, key.len}, &k, err);
    *to = rc ? NULL : &c->name[k];
    pof_buf_release(&key);
    return rc;
}

bool pof_claim_inside(const struct pof_claim *c, uint32_t area, uint32_t in)
{
    for (; area != in && area != POF_NONE && in != POF_NONE && in % 2 == 0;) {
        uint32_t up = c->tree.parent[area / 2];
        area = area % 2 ? area - 1 : up == POF_NONE ? POF_NONE : 2 * up;
    }
    return area == in && area != POF_NONE;
}

int pof_claim_same(const struct pof_claim_line *l, const void *expected, struct pof_err *err)
{
    const struct pof_field *f = pof_record_differ(l->r->type, &l->r->u, expected);
    struct pof_buf b = {0};
    if (!f) {
        return 0;
    }
    int rc = pof_record_format(&b, l->r->type, expected, err);
    rc = rc ? rc : POF_REFUSE(l, f->name, "the other records make this %.*s", (int)b.len, b.data);
    pof_buf_release(&b);
    return rc;
}

/* The first line of a quarter-hour whose type is at least this. */
static size_t lower(const struct pof_claim *c, int64_t quarter, int type)
{
    size_t low = c->slices.first[quarter], high = c->slices.first[quarter + 1];
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if ((int)c->line[c->slices.at[mid]].r->type < type) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

size_t pof_claim_lines(const struct pof_claim *c, int64_t quarter, enum pof_type type,
                       const uint32_t **at)
{
    size_t from = lower(c, quarter, (int)type);
    *at = c->slices.at + from;
    return lower(c, quarter, (int)type + 1) - from;
}

bool pof_claim_active(const struct pof_claim *c, int64_t quarter, int64_t from, int64_t to)
{
    int64_t now = c->session->start + quarter * POF_QUARTER_S;
    return from <= now && now < to;
}

int64_t pof_claim_money(pof_claim_wide paid, bool up)
{
    const int64_t per = POF_WS_PER_MWH / POF_QUARTER_S;
    pof_claim_wide whole = paid / per, rest = paid % per * 2;
    whole += up ? rest > 0 : rest > per || (rest == per && whole % 2);
    return whole > INT64_MAX ? -1 : (int64_t)whole;
}

static int award_id(struct pof_buf *id, const struct pof_award *a, unsigned n, struct pof_err *err)
{
    char t[POF_INSTANT_MAX]; /* 2026-03-10T13:15:00Z becomes 20260310T1315Z */
    bool held = a->why == POF_FOR_RESERVE;
    pof_instant_format(a->start, t);
    int rc = pof_buf_addf(id, err, "%.*s:%.*s:%.4s%.2s%.5s%.2sZ%s", POF_TEXT(a->session),
                          POF_TEXT(a->offer), t, t + 5, t + 8, t + 14, held ? ":r" : "");
    return rc || n == 1 ? rc : pof_buf_addf(id, err, held ? "%u" : ":%u", n);
}

/* Does anybody ask for something in the quarter-hour? */
static bool is_asked(const struct pof_claim *c, int64_t quarter)
{
    const uint32_t *at;
    bool any = false;
    for (size_t n = pof_claim_lines(c, quarter, POF_request, &at); n-- > 0;) {
        any |= c->line[at[n]].name && c->line[at[n]].area != POF_NONE;
    }
    return any;
}

/* Activations of a limited length must hold all active quarter-hours, with rest between: the least number of
 * them up to this one, from those up to the ones before. */
int pof_claim_act(const struct pof_claim_line *l, int64_t quarter, struct pof_err *err)
{
    const struct pof_offer *o = &l->offer->line->r->u.offer;
    struct pof_claim_name *x = l->offer;
    int64_t rest = POF_HAS(o, offer, rest_s) ? o->rest_s : 0, least = INT64_MAX;
    int64_t most = POF_HAS(o, offer, max_activations) ? o->max_activations : INT64_MAX - 1;
    if (!POF_HAS(o, offer, max_active_s) || (x->acts > 0 && x->act[x->acts - 1].quarter == quarter)) {
        return 0;
    }
    int rc = pof_grow(&x->act, &x->act_cap, x->acts + 1, sizeof *x->act, err);
    if (rc) {
        return rc;
    }
    x->act[x->acts++].quarter = quarter;
    for (size_t i = x->acts; i-- > 0 && (quarter - x->act[i].quarter + 1) * POF_QUARTER_S <= o->max_active_s;) {
        int64_t idle = i ? (x->act[i].quarter - x->act[i - 1].quarter - 1) * POF_QUARTER_S : rest;
        int64_t before = i ? x->act[i - 1].least : 0;
        least = idle >= rest && before < least ? before + 1 : least;
    }
    x->act[x->acts - 1].least = least;
    return least <= most ? 0 : POF_REFUSE(l, "start", "its offer is active for longer or more often than it can be");
}

int pof_claim_award(const struct pof_claim *c, int64_t quarter, const struct pof_claim_line *l,
                    unsigned n, struct pof_err *err)
{
    const struct pof_offer *o = &l->offer->line->r->u.offer;
    const struct pof_request *r = &l->request->line->r->u.request;
    struct pof_award a = l->r->u.award;
    struct pof_buf id = {0};
    a.session = c->session->id;
    a.pod = o->pod;
    a.node = o->node;
    a.seller = o->seller;
    a.direction = o->direction;
    a.offer_price_ueur_mwh = o->price_ueur_mwh;
    a.price_ueur_mwh = a.why == POF_FOR_RESERVE ? o->price_ueur_mwh : a.price_ueur_mwh;
    a.buyer = r->buyer;
    a.role = r->role;
    a.duration_s = POF_QUARTER_S;
    int rc = award_id(&id, &a, n, err);
    a.id = (struct pof_text){id.data, id.len};
    rc = rc ? rc : pof_claim_same(l, &a, err);
    pof_buf_release(&id);
    if (rc) {
        return rc;
    }
    bool reaches = a.why == POF_FOR_COUNTER && (POF_HAS(o, offer, block) || !is_asked(c, quarter));
    if (!pof_claim_active(c, quarter, o->start, o->end) ||
        !(reaches || pof_claim_active(c, quarter, r->start, r->end))) {
        return POF_REFUSE(l, "start", "offer or request is not for this quarter-hour");
    }
    if (l->request->line->area == POF_NONE) {
        return POF_REFUSE(l, "request", "nothing is connected where it asks");
    }
    bool asked = a.direction == r->direction && pof_claim_inside(c, l->area, l->request->line->area);
    return asked || a.why != POF_FOR_REQUEST
               ? pof_claim_act(l, quarter, err) : POF_REFUSE(l, "request", "does not ask for this direction at this node");
}

/* Marks the nodes that a list names, each once. */
static int mark_listed(const struct pof_claim *c, const struct pof_claim_line *l, bool *listed, struct pof_err *err)
{
    const char *at = l->r->u.request.nodes.ptr, *end = at + l->r->u.request.nodes.len, *to;
    for (; at < end; at = to + 1) {
        to = memchr(at, ' ', (size_t)(end - at));
        to = to ? to : end;
        uint32_t v = pof_names_find(&c->grid->node_names, (struct pof_text){at, (size_t)(to - at)});
        if (to > at && (v == POF_NONE || listed[v])) {
            return POF_REFUSE(l, "nodes", "'%.*s' is not of the grid, or named twice", (int)(to - at), at);
        }
        if (to > at) {
            listed[v] = true;
        }
    }
    return 0;
}

/* A list of nodes is an area when one branch at most leads out of it, to the root, and none further in: or
 * when it is one node. */
static int find_listed(const struct pof_claim *c, struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_tree *t = &c->tree;
    uint32_t n = 0, tops = 0, top = 0, holes = 0;
    bool *listed;
    int rc = pof_calloc(&listed, c->grid->nodes, sizeof *listed, err);
    rc = rc ? rc : mark_listed(c, l, listed, err);
    for (uint32_t i = 0; rc == 0 && i < t->n; i++) {
        uint32_t v = t->order[i], up = t->parent[v];
        bool below = up != POF_NONE && listed[up];
        n += listed[v];
        tops += listed[v] && !below;
        top = listed[v] && !below ? v : top;
        holes += !listed[v] && below;
    }
    free(listed);
    bool loop = n > 1 && t->loop && t->parent[top] != POF_NONE && t->loop[t->parent_branch[top]];
    if (rc == 0 && n > 1 && (tops > 1 || holes || loop)) {
        return POF_REFUSE(l, "nodes", "is no area: neither one node nor all that one branch feeds");
    }
    l->area = n == 0 ? POF_NONE : 2 * top + (n == 1);
    return rc;
}

/* The area of a node, of what a branch feeds, or (neither) the whole grid. */
static int find_area(struct pof_claim *c, struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_text *node = pof_record_get(l->r, "node"), *branch = pof_record_get(l->r, "branch");
    const int *scope = pof_record_get(l->r, "scope");
    if (l->r->type == POF_request && POF_HAS(&l->r->u.request, request, nodes)) {
        return node || branch ? POF_REFUSE(l, "nodes", "is said beside a node or branch") : find_listed(c, l, err);
    }
    const struct pof_tree *t = &c->tree;
    uint32_t v = node ? pof_names_find(&c->grid->node_names, *node) : t->order[0];
    uint32_t e = branch ? pof_names_find(&c->grid->branch_names, *branch) : POF_NONE;
    if (v == POF_NONE || (branch && e == POF_NONE)) {
        return POF_REFUSE(l, branch ? "branch" : "node", "is not of the grid");
    }
    bool fed = v == t->order[0] || t->parent[v] != POF_NONE;
    if (branch && t->loop && t->loop[e]) { /* feeds no area alone */
        const struct pof_limit *x = &l->r->u.limit;
        if (l->r->type != POF_limit) {
            return POF_REFUSE(l, "branch", "is part of a loop, so nothing is fed through it alone");
        }
        c->loops = c->loops || (x->start < c->session->end && x->start + x->duration_s > c->session->start);
        return 0;
    }
    if (branch) {
        v = c->grid->branch[e].from;
        v = t->parent_branch[v] == e ? v : c->grid->branch[e].to;
        fed = t->parent_branch[v] == e;
    }
    l->area = !fed ? POF_NONE : 2 * v + (scope ? *scope == POF_SCOPE_OWN : node != NULL);
    return 0;
}

/* The first quarter-hour that an offer can act in after results are due. */
static int64_t ready_at(const struct pof_claim *c, const struct pof_offer *o)
{
    int64_t at = c->session->final_by + (POF_HAS(o, offer, lead_s) ? o->lead_s : 0);
    return at + (POF_QUARTER_S - at % POF_QUARTER_S) % POF_QUARTER_S;
}

/* Do the rules keep an offer out? */
static bool is_refused(const struct pof_claim *c, const struct pof_offer *o)
{
    int64_t low, high;
    pof_rules_bounds(&c->rules, o->direction, &low, &high);
    bool slow = POF_HAS(o, offer, lead_s) && (o->end <= ready_at(c, o) ||
                (POF_HAS(o, offer, block) && o->start < ready_at(c, o)));
    return slow || o->price_ueur_mwh < low || o->price_ueur_mwh > high;
}

static bool is_late(const struct pof_claim *c, const struct pof_record *r)
{
    return r->type == POF_offer
               ? POF_HAS(&r->u.offer, offer, received) && r->u.offer.received >= c->session->gate
               : POF_HAS(&r->u.request, request, received) &&
                     r->u.request.received >= c->session->gate;
}

/* What an offer cannot do yet it does not offer. */
static void make_ready(struct pof_claim *c)
{
    for (size_t i = 0; i < c->kept.n; i++) {
        struct pof_offer *o = &c->kept.at[i].r.u.offer;
        if (c->kept.at[i].r.type == POF_offer && POF_HAS(o, offer, lead_s) && !is_refused(c, o) &&
            !is_late(c, &c->kept.at[i].r) && o->start < ready_at(c, o)) {
            o->start = ready_at(c, o);
        }
    }
}

/* Offers and requests get their names, offers their blocks. */
static int add_order(struct pof_claim *c, struct pof_claim_line *l, struct pof_err *err)
{
    bool offer = l->r->type == POF_offer;
    const struct pof_text none = {0}, *id = pof_record_get(l->r, "id");
    const struct pof_offer *o = &l->r->u.offer;
    int rc = pof_claim_name(c, offer ? 'o' : 'r', none, id, &l->name, err);
    if (rc || l->name->line) {
        return rc ? rc : POF_REFUSE(l, "id", "'%.*s' was given before", POF_TEXT(*id));
    }
    l->name->line = l;
    if (!offer) {
        return 0;
    }
    bool now = o->start < c->session->end && o->end > c->session->start;
    rc = pof_claim_name(c, 'b', o->session, pof_record_get(l->r, "block"), &l->block, err);
    bool whole = l->block != NULL;
    l->block = whole ? l->block : l->name;
    struct pof_claim_name *b = l->block, *parent = NULL;
    rc = rc ? rc : pof_claim_name(c, 'b', o->session, pof_record_get(l->r, "parent"), &parent, err);
    rc = rc ? rc : pof_claim_name(c, 'g', o->session, pof_record_get(l->r, "group"), &l->group, err);
    if (rc == 0) {
        l->whole = whole || parent || l->group || POF_HAS(o, offer, min_w) || POF_HAS(o, offer, max_active_s);
        l->late = now && is_late(c, l->r);
        l->refused = now && !l->late && is_refused(c, o);
        b->parent = parent ? parent : b->parent;
        b->inside |= now && l->area != POF_NONE && !l->late && !l->refused;
        b->refused |= l->late || l->refused;
        b->broken |= b->refused || (whole && (l->area == POF_NONE || o->start < c->session->start ||
                                                         o->end > c->session->end));
    }
    return rc;
}

/* Who is no part of the session takes what hangs on it along. Each chain of parents is followed up to
 * where it was before, and down again by the same way; a cycle ends where it began. */
static void settle(struct pof_claim_name *x)
{
    struct pof_claim_name *up = NULL;
    for (; x && !x->settled; x = x->parent) {
        x->settled = true;
        x->child = up;
        up = x;
    }
    for (; up; up = up->child) {
        up->out = up->broken || !up->inside || (up->parent && up->parent->out);
    }
}

/* Offers that take part have ranks. */
static void rank_offers(struct pof_claim *c)
{
    int64_t rank = 0;
    for (size_t i = 0; i < c->kept.n; i++) {
        struct pof_claim_line *l = &c->line[i];
        if (l->r->type == POF_offer) {
            const struct pof_offer *o = &l->r->u.offer;
            settle(l->block);
            bool now = o->start < c->session->end && o->end > c->session->start;
            bool in = now && l->area != POF_NONE && !l->block->out;
            l->refused |= now && l->block->refused && !l->late;
            l->rank = in ? ++rank : 0;
            l->block->left |= !in || o->start < c->session->start || o->end > c->session->end;
        }
    }
}

/* The zone of a node is that of the branch that feeds it, else that of the node above. */
static int find_zones(struct pof_claim *c, struct pof_err *err)
{
    const struct pof_rulebook *b = &c->rulebook;
    struct pof_names names = {0};
    uint32_t *first = NULL, number = 0;
    int rc = pof_calloc(&c->zone, c->grid->nodes, sizeof *c->zone, err);
    rc = rc ? rc : pof_calloc(&first, b->zones, sizeof *first, err);
    for (uint32_t v = 0; rc == 0 && v < c->grid->nodes; v++) {
        c->zone[v] = POF_NONE;
    }
    for (size_t i = 0; rc == 0 && c->rules.price == POF_PRICE_RULE_ZONAL && i < b->zones; i++) {
        uint32_t e = pof_names_find(&c->grid->branch_names, b->zone[i].branch);
        if (e == POF_NONE) {
            rc = pof_fail(err, POF_E_REFERENCE, "price zone '%.*s': '%.*s' is no branch of the grid",
                          POF_TEXT(b->zone[i].zone), POF_TEXT(b->zone[i].branch));
            break;
        }
        uint32_t from = c->grid->branch[e].from;
        uint32_t v = c->tree.parent_branch[from] == e ? from : c->grid->branch[e].to;
        rc = pof_names_add(&names, b->zone[i].zone, &number, err);
        if (rc == 0 && c->tree.parent_branch[v] == e) {
            first[number] = first[number] ? first[number] : v + 1;
            c->zone[v] = first[number] - 1;
        }
    }
    for (uint32_t i = 0; rc == 0 && i < c->tree.n; i++) {
        uint32_t v = c->tree.order[i], up = c->tree.parent[v];
        c->zone[v] = c->zone[v] != POF_NONE ? c->zone[v] : up == POF_NONE ? v : c->zone[up];
    }
    free(first);
    pof_names_release(&names);
    return rc;
}

/* Results stand beside the orders they name. */
static int add_result(struct pof_claim *c, struct pof_claim_line *l, struct pof_err *err)
{
    const struct pof_text none = {0}, *offer = pof_record_get(l->r, "offer");
    const struct pof_text *request = pof_record_get(l->r, "request");
    const int64_t *start = pof_record_get(l->r, "start");
    int rc = pof_claim_name(c, 'o', none, offer, &l->offer, err);
    rc = rc ? rc : pof_claim_name(c, 'r', none, request, &l->request, err);
    if (rc == 0 && l->request && !l->request->line) {
        return POF_REFUSE(l, "request", "'%.*s' is no request of the session", POF_TEXT(*request));
    }
    if (rc == 0 && l->offer &&
        (!l->offer->line || (l->r->type == POF_award && l->offer->line->rank == 0))) {
        return POF_REFUSE(l, "offer", "'%.*s' takes no part in the session", POF_TEXT(*offer));
    }
    if (rc == 0 && l->r->type == POF_cleared && POF_HAS(&l->r->u.cleared, cleared, rules) &&
        !pof_text_eq(l->r->u.cleared.rules, (struct pof_text){c->rules_name, sizeof c->rules_name})) {
        return POF_REFUSE(l, "rules", "the rules given are %.*s", POF_SHA256_HEX, c->rules_name);
    }
    if (rc == 0 && start && (*start % POF_QUARTER_S || *start < c->session->start ||
                             *start >= c->session->end)) {
        return POF_REFUSE(l, "start", "is no quarter-hour of the session");
    }
    return rc;
}

static int add_line(struct pof_claim *c, struct pof_claim_line *l, struct pof_err *err)
{
    switch (l->r->type) {
    case POF_session:
        return 0;
    case POF_request:
        if (!pof_text_eq(l->r->u.request.session, c->session->id) || is_late(c, l->r)) {
            return 0;
        }
        break;
    case POF_offer:
    case POF_limit:
    case POF_award:
    case POF_node_price:
    case POF_served:
    case POF_cleared:
    case POF_verdict:
    case POF_explanation:
    case POF_answer:
        break;
    default:
        return POF_REFUSE(l, NULL, "a %s is no order and no result", pof_layout(l->r->type)->name);
    }
    bool order = l->r->type == POF_offer || l->r->type == POF_request;
    bool wide = l->r->type == POF_explanation || l->r->type == POF_answer ||
                l->r->type == POF_verdict || l->r->type == POF_cleared;
    int rc = wide ? 0 : find_area(c, l, err);
    return rc                            ? rc
           : order                       ? add_order(c, l, err)
           : l->r->type == POF_limit ? 0
                                         : add_result(c, l, err);
}

static int choose_session(struct pof_claim *c, const char *session, struct pof_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < c->kept.n; i++) {
        const struct pof_record *r = &c->kept.at[i].r;
        if (r->type == POF_session && (!session || pof_text_is(r->u.session.id, session))) {
            c->session = &r->u.session;
            n++;
        }
        c->ties |= r->type == POF_node_price && POF_HAS(&r->u.node_price, node_price, tie_unmet);
    }
    if (n != 1) {
        return pof_fail(err, POF_E_REFERENCE, "%zu sessions are given; --session says which", n);
    }
    c->quarters = (c->session->end - c->session->start) / POF_QUARTER_S;
    return c->quarters > 0 ? 0 : pof_fail(err, POF_E_TIME, "the session has no quarter-hour");
}

int pof_claim_index(struct pof_claim *c, const char *session, struct pof_err *err)
{
    int rc = choose_session(c, session, err);
    rc = rc ? rc : pof_rulebook_choose(&c->rulebook, c->session->kind, &c->rules, err);
    const struct pof_session chosen = rc ? (struct pof_session){0} : *c->session;
    c->session = &chosen; /* sorting moves records */
    if (rc == 0 && c->kept.n > 1) {
        qsort_r(c->kept.at, c->kept.n, sizeof *c->kept.at, by_rule, c);
    }
    rc = rc ? rc : choose_session(c, session, err);
    if (rc) {
        c->session = NULL;
        return rc;
    }
    make_ready(c);
    rc = pof_rulebook_digest(&c->rulebook, &c->rules, c->rules_name, err);
    rc = rc ? rc : (c->meshed ? pof_tree_span : pof_tree_build)(&c->tree, c->grid, err);
    rc = rc ? rc : pof_calloc(&c->line, c->kept.n, sizeof *c->line, err);
    /* A line has at most an id, two names it refers to, a block, a parent and a group. */
    rc = rc ? rc : pof_calloc(&c->name, 6 * c->kept.n, sizeof *c->name, err);
    for (size_t i = 0; rc == 0 && i < c->kept.n; i++) {
        c->line[i] = (struct pof_claim_line){.at = &c->kept.at[i], .r = &c->kept.at[i].r, .area = POF_NONE};
    }
    for (size_t i = 0; rc == 0 && i < c->kept.n; i++) {
        rc = add_line(c, &c->line[i], err);
        if (c->line[i].r->type == POF_offer && (i + 1 == c->kept.n || c->kept.at[i + 1].r.type != POF_offer)) {
            rank_offers(c); /* before results, which come behind: they stand beside who takes part */
        }
    }
    rc = rc ? rc : find_zones(c, err);
    return rc ? rc : pof_kept_slice(&c->slices, &c->kept, c->session->start, (size_t)c->quarters, err);
}

void pof_claim_release(struct pof_claim *c)
{
    for (uint32_t k = 0; c->name && k < c->ids.n; k++) {
        free(c->name[k].act);
    }
    pof_kept_release(&c->kept);
    pof_rulebook_release(&c->rulebook);
    pof_kept_slices_release(&c->slices);
    pof_names_release(&c->ids);
    pof_tree_release(&c->tree);
    pof_claim_loops_free(c);
    free(c->line);
    free(c->name);
    free(c->zone);
}
