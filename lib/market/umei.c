/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of UMEI to records and back. */
#include "market/umei.h"

#include "num/decimal.h"
#include "num/real.h"
#include "num/time.h"
#include "num/units.h"
#include "record/json.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX_DIGITS = 18 };

const char *pof_umei_lost_text(enum pof_umei_lost lost)
{
    static const char *const text[POF_UMEI_LOSTS] = {
        "orders are not in force (rejected, inactive, completed or deleted) and become no records",
        "orders are of another market and become no records",
        "orders name a contract, which a record does not say",
        "buy orders have a least quantity, which a request does not say",
        "members are not those of an order and are passed over",
        "records are of another session or party and become no orders",
        "records have a time, a revision or a reason, which an order does not say",
        "requests have a most or a reserve, which an order does not say"};
    return text[lost];
}

/* --- reading --- */

enum { SELL, BUY };
enum { IN_FORCE = 2 }; /* statuses up to this one: Received, Pending, Active */

struct order {
    struct pof_text id, node, zone, portfolio, market, contract, from, to;
    int status, side, regulation;
    bool has_node, has_zone, has_portfolio, has_market, has_contract;
    bool has_least;
    int64_t quantity_w, least_w, price;
    int64_t start, end;
};

struct reading {
    struct pof_umei_reader *u;
    bool sound; /* the present order */
};

/* Tells a violation that stands in *e with its place. */
static void say(struct reading *r, const struct pof_err *e)
{
    r->sound = false;
    r->u->problem(r->u->ctx, e);
}

/* An optional text; true when given. */
static bool text_of(struct reading *r, const struct pof_json *at, const char *key, struct pof_text *to)
{
    struct pof_err e = {0};
    int rc = pof_json_text_opt(at, key, to, &e);
    if (rc < 0) {
        say(r, &e);
    }
    return rc > 0;
}

static int word_of(struct reading *r, const struct pof_json *at, const char *key, const char *const *words, int fallback)
{
    struct pof_err e = {0};
    if (pof_json_word_opt(at, key, words, &fallback, &e) < 0) {
        say(r, &e);
    }
    return fallback;
}

static void need(struct reading *r, const struct pof_json *at, const char *key)
{
    struct pof_err e = {0};
    struct pof_json member;
    if (!pof_json_member(at, key, &member)) {
        pof_json_fail(at, key, &e, POF_E_MISSING, "an order must have it");
        say(r, &e);
    }
}

/* A number with at most six decimals, from 0 on, in millionths; false: not given, or told. */
static bool micro_of(struct reading *r, const struct pof_json *at, const char *key, int64_t *to)
{
    const struct pof_json_range range = {0, 1e12, NULL};
    struct pof_err e = {0};
    double v = 0;
    int rc = pof_json_real_opt(at, key, &range, &v, &e);
    if (rc > 0) {
        struct pof_real_digits d = pof_real_shortest(v);
        int zeros = d.exponent + POF_MICRO;
        if (zeros < 0 || d.count + zeros > NUMBER_MAX_DIGITS) {
            rc = d.digits == 0 ? 1 : pof_json_fail(at, key, &e, POF_E_RANGE, "expected at most six decimals, as records have");
        }
        *to = d.digits == 0 ? 0 : (int64_t)d.digits;
        for (int i = 0; i < zeros && rc > 0 && d.digits; i++) {
            *to *= 10;
        }
    }
    if (rc < 0) {
        say(r, &e);
    }
    return rc > 0;
}

static void read_points(struct reading *r, const struct pof_json *at, struct order *o)
{
    struct pof_json points;
    struct pof_err e = {0};
    if (pof_json_array(at, "pricePoints", &points, &e) != 0) {
        say(r, &e);
        return;
    }
    size_t n = pof_json_size(&points);
    int64_t first = 0;
    int64_t last = -1;
    for (size_t i = 0; i < n; i++) {
        struct pof_json point = pof_json_item(&points, i);
        int64_t quantity = 0;
        if (pof_json_is_object(&point, &e) != 0) {
            say(r, &e);
            return;
        }
        need(r, &point, "quantity");
        need(r, &point, "unitPrice");
        if (!micro_of(r, &point, "quantity", &quantity) || !micro_of(r, &point, "unitPrice", &o->price)) {
            return;
        }
        if (n > 1 && (i == 0 ? quantity != 0 : quantity <= last)) {
            pof_json_fail(&point, "quantity", &e, POF_E_RANGE, "quantities of several points begin at 0 and rise");
            say(r, &e);
            return;
        }
        first = i == 0 ? o->price : first;
        o->quantity_w = last = quantity; /* megawatts with six decimals are watts */
        if (o->price != first) {
            pof_json_fail(&point, "unitPrice", &e, POF_E_RANGE,
                          "the price changes with the quantity; an offer has one: expected an order for each step");
            say(r, &e);
            return;
        }
    }
    if (n == 0) {
        pof_json_fail(at, "pricePoints", &e, POF_E_MISSING, "expected at least one point");
        say(r, &e);
    }
}

static void read_times(struct reading *r, const struct pof_json *at, struct order *o)
{
    struct pof_err e = {0};
    static const char *const key[2] = {"periodFrom", "periodTo"};
    int64_t *const to[2] = {&o->start, &o->end};
    for (int i = 0; i < 2; i++) {
        struct pof_text t = {"", 0};
        bool given = text_of(r, at, key[i], &t);
        need(r, at, key[i]);
        if (given && !pof_instant_parse(t, to[i])) {
            pof_json_fail(at, key[i], &e, POF_E_TIME, "'%.*s' is not date, time and zone (RFC 3339)",
                          (int)(t.len < 60 ? t.len : 60), t.ptr);
            say(r, &e);
        }
    }
    if (r->sound && o->end <= o->start) {
        pof_json_fail(at, "periodTo", &e, POF_E_TIME, "it is not behind periodFrom");
        say(r, &e);
    }
}

static void count_members(struct reading *r, const struct pof_json *at)
{
    static const char *const known[] = {"id", "status", "gridNodeId", "flexibilityZoneId", "marketId", "portfolioId",
                                        "regulationType", "side", "pricePoints", "minimumAcceptanceQuantity",
                                        "periodFrom", "periodTo", "longflexContractId", "links"};
    struct pof_json member;
    for (size_t i = 0; pof_json_each(at, i, &member); i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            found = found || strcmp(known[k], member.key) == 0;
        }
        r->u->counts.lost[POF_UMEI_LOST_MEMBER] += !found;
    }
}

static void read_order(struct reading *r, const struct pof_json *at, struct order *o)
{
    static const char *const statuses[] = {"Received", "Pending", "Active", "Rejected", "Inactive", "Completed",
                                           "Deleted", NULL};
    static const char *const sides[] = {"Sell", "Buy", NULL};
    static const char *const regulations[] = {"Up", "Down", NULL};
    struct pof_err e = {0};
    *o = (struct order){.status = word_of(r, at, "status", statuses, 0),
                        .side = word_of(r, at, "side", sides, -1),
                        .regulation = word_of(r, at, "regulationType", regulations, -1)};
    need(r, at, "side");
    need(r, at, "regulationType");
    need(r, at, "id");
    text_of(r, at, "id", &o->id);
    o->has_node = text_of(r, at, "gridNodeId", &o->node);
    o->has_zone = text_of(r, at, "flexibilityZoneId", &o->zone);
    o->has_portfolio = text_of(r, at, "portfolioId", &o->portfolio);
    o->has_market = text_of(r, at, "marketId", &o->market);
    o->has_contract = text_of(r, at, "longflexContractId", &o->contract);
    read_points(r, at, o);
    o->has_least = micro_of(r, at, "minimumAcceptanceQuantity", &o->least_w) && o->least_w > 0;
    read_times(r, at, o);
    if (r->sound && o->has_least && o->least_w > o->quantity_w) {
        pof_json_fail(at, "minimumAcceptanceQuantity", &e, POF_E_RANGE, "it is above the quantity");
        say(r, &e);
    }
    if (r->sound && o->side == SELL && !o->has_portfolio) {
        pof_json_fail(at, "portfolioId", &e, POF_E_MISSING, "a sell order must have it");
        say(r, &e);
    }
    count_members(r, at);
}

/* A record that a writer would refuse is a violation of the order. */
static bool holds(struct reading *r, const struct pof_json *at, enum pof_type type, const void *record)
{
    struct pof_err e = {0};
    if (pof_record_check(type, record, &e) == 0) {
        return true;
    }
    e.field[0] = '\0';
    pof_json_place(at, NULL, &e);
    say(r, &e);
    return false;
}

static int hand_on_offer(struct reading *r, const struct pof_json *at, const struct order *o, struct pof_err *err)
{
    struct pof_err e = {0};
    struct pof_offer offer = {.id = o->id, .session = r->u->session, .seller = r->u->party, .pod = o->portfolio,
                              .node = o->node, .direction = o->regulation, .start = o->start, .end = o->end,
                              .p_w = o->quantity_w, .price_ueur_mwh = o->price, .min_w = o->least_w};
    offer.has = (uint64_t)o->has_least << POF_BIT_offer_min_w;
    if (!o->has_node) {
        pof_json_fail(at, "gridNodeId", &e, POF_E_MISSING, "an offer needs it; a flexibility zone is not enough");
        say(r, &e);
        return 0;
    }
    return holds(r, at, POF_offer, &offer) ? r->u->offer(r->u->ctx, &offer, err) : 0;
}

static int hand_on_request(struct reading *r, const struct pof_json *at, const struct order *o, struct pof_err *err)
{
    struct pof_err e = {0};
    struct pof_request q = {.id = o->id, .session = r->u->session, .buyer = r->u->party, .role = r->u->role,
                            .branch = o->zone, .node = o->node, .direction = o->regulation, .start = o->start,
                            .end = o->end, .p_w = o->quantity_w, .price_limit_ueur_mwh = o->price};
    q.has = (uint64_t)o->has_zone << POF_BIT_request_branch | (uint64_t)o->has_node << POF_BIT_request_node |
            UINT64_C(1) << POF_BIT_request_price_limit_ueur_mwh;
    if (o->has_zone && o->has_node) {
        pof_json_fail(at, "flexibilityZoneId", &e, POF_E_CONFLICT, "a request is of a zone or of a node, not of both");
        say(r, &e);
        return 0;
    }
    r->u->counts.lost[POF_UMEI_LOST_LEAST] += o->has_least;
    return holds(r, at, POF_request, &q) ? r->u->request(r->u->ctx, &q, err) : 0;
}

static int take_order(struct reading *r, const struct pof_json *at, struct pof_err *err)
{
    struct order o;
    struct pof_umei_counts *n = &r->u->counts;
    struct pof_err e = {0};
    int rc = 0;
    r->sound = true;
    if (pof_json_is_object(at, &e) != 0) {
        say(r, &e);
        n->unsound++;
        return 0;
    }
    read_order(r, at, &o);
    bool elsewhere = r->u->market.len && (!o.has_market || !pof_text_eq(o.market, r->u->market));
    if (r->sound && o.status > IN_FORCE) {
        n->lost[POF_UMEI_LOST_STATUS]++;
        return 0;
    }
    if (r->sound && elsewhere) {
        n->lost[POF_UMEI_LOST_MARKET]++;
        return 0;
    }
    if (r->sound && r->u->offer) {
        rc = o.side == SELL ? hand_on_offer(r, at, &o, err) : hand_on_request(r, at, &o, err);
    }
    n->lost[POF_UMEI_LOST_CONTRACT] += r->sound && o.has_contract;
    *(!r->sound ? &n->unsound : o.side == SELL ? &n->sell : &n->buy) += 1;
    return rc;
}

int pof_umei_read(struct pof_umei_reader *u, struct pof_text document, const char *name, struct pof_err *err)
{
    struct pof_json_doc *doc = NULL;
    struct reading r = {.u = u};
    int rc = pof_json_parse(&doc, document.ptr, document.len, name, err);
    if (rc) {
        return rc;
    }
    struct pof_err own = {0};
    struct pof_json root = pof_json_root(doc);
    struct pof_json list = root;
    bool single = pof_json_is_object(&root, &own) == 0 && !pof_json_member(&root, "items", &list);
    if (!single && pof_json_is_array(&list, err) != 0) {
        rc = err ? (int)err->code : POF_E_TYPE;
    }
    size_t n = single ? 1 : rc ? 0 : pof_json_size(&list);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct pof_json item = single ? root : pof_json_item(&list, i);
        rc = take_order(&r, &item, err);
    }
    pof_json_free(doc);
    return rc;
}

/* --- writing --- */

static int add_text(struct pof_buf *to, const char *key, struct pof_text t, struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, ",\"%s\":\"", key);
    for (size_t i = 0; i < t.len && rc == 0; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c == '"' || c == '\\') {
            rc = pof_buf_add(to, "\\", 1, err);
        }
        rc = rc ? rc : c < ' ' ? pof_buf_addf(to, err, "\\u%04x", c) : pof_buf_add(to, &t.ptr[i], 1, err);
    }
    return rc ? rc : pof_buf_add(to, "\"", 1, err);
}

static int add_number(struct pof_buf *to, const char *key, int64_t micro, struct pof_err *err)
{
    char text[POF_DECIMAL_MAX];
    int n = (int)pof_decimal_format(micro, POF_MICRO, text);
    return pof_buf_addf(to, err, "\"%s\":%.*s", key, n, text);
}

static int add_instant(struct pof_buf *to, const char *key, int64_t s, struct pof_err *err)
{
    char text[POF_INSTANT_MAX];
    return add_text(to, key, (struct pof_text){text, pof_instant_format(s, text)}, err);
}

/* What sell and buy orders have alike; places: keys and names, NULL key: none. */
struct common {
    struct pof_text id;
    const char *place[2];
    struct pof_text name[2];
    int side, direction;
    int64_t p_w, price, least_w, start, end;
};

struct pof_umei_line {
    size_t at, id, end; /* in text: the object begins, its id ends, it ends */
    const char *text;   /* while lines are sorted */
};

static int add_order(struct pof_umei_writer *w, const struct common *c, struct pof_err *err)
{
    struct pof_buf *to = &w->text;
    struct pof_umei_line line = {.at = to->len};
    int rc = pof_grow(&w->line, &w->line_cap, w->lines + 1, sizeof line, err);
    rc = rc ? rc : add_text(to, "id", c->id, err);
    line.id = to->len;
    rc = rc ? rc : pof_buf_adds(to, ",\"status\":\"Active\"", err);
    rc = rc ? rc : add_text(to, "marketId", w->market, err);
    for (int i = 0; i < 2 && rc == 0; i++) {
        rc = c->place[i] ? add_text(to, c->place[i], c->name[i], err) : 0;
    }
    rc = rc ? rc : add_text(to, "regulationType", pof_text(c->direction == POF_UP ? "Up" : "Down"), err);
    rc = rc ? rc : add_text(to, "side", pof_text(c->side == SELL ? "Sell" : "Buy"), err);
    rc = rc ? rc : pof_buf_adds(to, ",\"pricePoints\":[{", err);
    rc = rc ? rc : add_number(to, "quantity", c->p_w, err);
    rc = rc ? rc : pof_buf_adds(to, ",", err);
    rc = rc ? rc : add_number(to, "unitPrice", c->price, err);
    rc = rc ? rc : pof_buf_adds(to, c->least_w ? "}]," : "}]", err);
    rc = rc || !c->least_w ? rc : add_number(to, "minimumAcceptanceQuantity", c->least_w, err);
    rc = rc ? rc : add_instant(to, "periodFrom", c->start, err);
    rc = rc ? rc : add_instant(to, "periodTo", c->end, err);
    line.end = to->len;
    if (rc == 0) {
        w->line[w->lines++] = line;
    }
    *(c->side == SELL ? &w->counts.sell : &w->counts.buy) += rc == 0;
    return rc;
}

static bool ours(struct pof_umei_writer *w, struct pof_text session, struct pof_text party)
{
    bool same = pof_text_eq(session, w->session) && pof_text_eq(party, w->party);
    w->counts.lost[POF_UMEI_LOST_PARTY] += !same;
    return same;
}

int pof_umei_write_offer(struct pof_umei_writer *w, const struct pof_offer *o, struct pof_err *err)
{
    const uint64_t known = UINT64_C(1) << POF_BIT_offer_min_w | UINT64_C(1) << POF_BIT_offer_received |
                           UINT64_C(1) << POF_BIT_offer_revision;
    const struct pof_field *beyond = pof_record_beyond(POF_offer, o->has, known);
    if (!ours(w, o->session, o->seller)) {
        return 0;
    }
    if (beyond) {
        return pof_fail(err, POF_E_CONFLICT, "offer '%.*s' has %s, which an order of UMEI cannot say; expected offers that "
                        "may be taken each by itself", (int)o->id.len, o->id.ptr, beyond->name);
    }
    const struct common c = {.id = o->id, .place = {"gridNodeId", "portfolioId"}, .name = {o->node, o->pod},
                             .side = SELL, .direction = o->direction, .p_w = o->p_w, .price = o->price_ueur_mwh,
                             .least_w = POF_HAS(o, offer, min_w) ? o->min_w : 0, .start = o->start, .end = o->end};
    w->counts.lost[POF_UMEI_LOST_TIME] += POF_HAS(o, offer, received) || POF_HAS(o, offer, revision);
    return add_order(w, &c, err);
}

int pof_umei_write_request(struct pof_umei_writer *w, const struct pof_request *r, struct pof_err *err)
{
    bool branch = POF_HAS(r, request, branch);
    bool node = POF_HAS(r, request, node);
    bool priced = POF_HAS(r, request, price_limit_ueur_mwh);
    if (!ours(w, r->session, r->buyer)) {
        return 0;
    }
    const uint64_t known = UINT64_C(1) << POF_BIT_request_branch | UINT64_C(1) << POF_BIT_request_node |
                           UINT64_C(1) << POF_BIT_request_price_limit_ueur_mwh | UINT64_C(1) << POF_BIT_request_max_w |
                           UINT64_C(1) << POF_BIT_request_reserve_permille | UINT64_C(1) << POF_BIT_request_received |
                           UINT64_C(1) << POF_BIT_request_revision | UINT64_C(1) << POF_BIT_request_reason;
    const struct pof_field *beyond = pof_record_beyond(POF_request, r->has, known);
    if (beyond) {
        return pof_fail(err, POF_E_CONFLICT, "request '%.*s' has %s, which an order of UMEI cannot say", (int)r->id.len,
                        r->id.ptr, beyond->name);
    }
    if (!priced && !w->has_ceiling) {
        return pof_fail(err, POF_E_MISSING, "request '%.*s' has no price limit, and an order must have a price; "
                        "give the market's ceiling", (int)r->id.len, r->id.ptr);
    }
    const struct common c = {.id = r->id, .place = {branch ? "flexibilityZoneId" : node ? "gridNodeId" : NULL, NULL},
                             .name = {branch ? r->branch : r->node, {"", 0}}, .side = BUY, .direction = r->direction,
                             .p_w = r->p_w, .price = priced ? r->price_limit_ueur_mwh : w->ceiling_ueur_mwh,
                             .start = r->start, .end = r->end};
    w->counts.lost[POF_UMEI_LOST_TIME] += POF_HAS(r, request, received) || POF_HAS(r, request, revision) ||
                                          POF_HAS(r, request, reason);
    w->counts.lost[POF_UMEI_LOST_NEED] += POF_HAS(r, request, max_w) || POF_HAS(r, request, reserve_permille);
    return add_order(w, &c, err);
}

static int line_cmp(const void *a, const void *b)
{
    const struct pof_umei_line *x = a;
    const struct pof_umei_line *y = b;
    return pof_text_cmp((struct pof_text){x->text + x->at, x->id - x->at},
                        (struct pof_text){y->text + y->at, y->id - y->at});
}

int pof_umei_write_end(struct pof_umei_writer *w, struct pof_buf *json, struct pof_err *err)
{
    int rc = pof_buf_adds(json, "[", err);
    for (size_t i = 0; i < w->lines; i++) {
        w->line[i].text = w->text.data;
    }
    if (w->lines > 1) {
        qsort(w->line, w->lines, sizeof *w->line, line_cmp);
    }
    for (size_t i = 0; i < w->lines && rc == 0; i++) {
        const struct pof_umei_line *l = &w->line[i];
        if (i && line_cmp(l - 1, l) == 0) {
            return pof_fail(err, POF_E_DUPLICATE, "two orders have the id '%.*s'", (int)(l->id - l->at - 8),
                            l->text + l->at + 7); /* behind ,"id":" */
        }
        rc = pof_buf_adds(json, i ? ",\n{" : "{", err);
        rc = rc ? rc : pof_buf_add(json, l->text + l->at + 1, l->end - l->at - 1, err);
        rc = rc ? rc : pof_buf_adds(json, "}", err);
    }
    return rc ? rc : pof_buf_adds(json, "]\n", err);
}

void pof_umei_writer_release(struct pof_umei_writer *w)
{
    free(w->line);
    pof_buf_release(&w->text);
}
