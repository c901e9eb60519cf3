/* SPDX-License-Identifier: Apache-2.0 */
/* ReserveBid_MarketDocument to offers, bid by bid. */
#include "market/reserve_bid.h"
#include "market/reserve_bid_form.h"
#include "num/decimal.h"
#include "num/time.h"
#include "num/units.h"
#include "record/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 128, POINTS_MAX = 10000, ID_MAX = 96 };

struct value {
    char text[POFI_RESERVE_VALUE_MAX];
    size_t len;
};

struct point {
    uint64_t line;
    int64_t at, w, least_w, price;
    bool priced;
};

/* Equal points that follow each other. */
struct part {
    uint64_t line;
    int64_t start, end, w, least_w, price;
    bool priced;
};

struct document {
    struct pof_reserve_reader *u;
    const char *name;
    uint64_t line; /* of the present element */
    const struct pofi_reserve_element *open[POFI_RESERVE_LEVELS + 1];
    int depth;
    int skipped; /* elements within each other that are not looked at */
    bool eic;    /* the present element's code is one */
    bool seen[ELEMENTS_MAX];
    struct value value[POFI_RESERVE_ITEMS];
    bool in_bids, in_bid; /* behind the header; within a bid */
    bool sound;           /* the header, or the present bid */
    bool header_sound;
    uint64_t bid_line;
    int64_t from, to; /* period of the document */
    struct point *point;
    size_t points, point_cap;
    struct part *part;
    size_t parts, part_cap;
};

/* Tells a violation, whose code and text stand in *e. */
static void say(struct document *d, struct pof_err *e, uint64_t line, const char *field)
{
    pof_at(e, d->name, line, field);
    d->u->counts.unsound += d->in_bids && !d->in_bid;
    d->sound = false;
    d->u->problem(d->u->ctx, e);
}

static struct pof_text value_of(const struct document *d, enum pofi_reserve_item item)
{
    return (struct pof_text){d->value[item].text, d->value[item].len};
}

static bool has(const struct document *d, enum pofi_reserve_item item)
{
    return d->value[item].len > 0;
}

static bool is(const struct document *d, enum pofi_reserve_item item, const char *text)
{
    return pof_text_is(value_of(d, item), text);
}

/* --- elements --- */

static size_t number_of(const struct pofi_reserve_element *e)
{
    return (size_t)(e - pofi_reserve_elements);
}

/* Forgets what stood in an element of this level before. */
static void clear(struct document *d, int level)
{
    for (const struct pofi_reserve_element *e = pofi_reserve_elements; e->name; e++) {
        if (e->parent == level) {
            d->seen[number_of(e)] = false;
            d->value[e->item].len = 0;
            if (e->level && e->level != level) {
                clear(d, e->level);
            }
        }
    }
}

static void check_required(struct document *d, int level, const char *name)
{
    for (const struct pofi_reserve_element *e = pofi_reserve_elements; e->name; e++) {
        if (e->parent == level && e->required && !d->seen[number_of(e)]) {
            struct pof_err err = {0};
            pof_fail(&err, POF_E_MISSING, "%s must have it", name);
            say(d, &err, d->line, e->name);
        }
    }
}

static void check_attributes(struct document *d, const struct pofi_reserve_element *e, const char *const *attr)
{
    struct pof_err err = {0};
    bool coded = e->form == POFI_RESERVE_PARTY || e->form == POFI_RESERVE_AREA || e->form == POFI_RESERVE_RESOURCE;
    const char *scheme = NULL;
    for (size_t i = 0; attr[i]; i += 2) {
        if (strcmp(attr[i], "codingScheme") == 0 && coded) {
            scheme = attr[i + 1];
        } else if (!strchr(attr[i], ' ')) { /* of another namespace: such as where a schema lies */
            pof_fail(&err, POF_E_UNKNOWN, "%s has no attribute '%.40s'", e->name, attr[i]);
            say(d, &err, d->line, e->name);
        }
    }
    if (coded && !scheme) {
        pof_fail(&err, POF_E_MISSING, "a code must have a codingScheme, such as A01 for EIC");
        say(d, &err, d->line, e->name);
    }
    d->eic = scheme && strcmp(scheme, "A01") == 0 && e->form != POFI_RESERVE_RESOURCE;
}

static void tell(struct document *d, const struct pofi_reserve_element *e)
{
    if (d->u->counts.told++ == 0) {
        snprintf(d->u->counts.first_told, POF_RESERVE_NAME_MAX, "%s", e->name);
    }
}

static void check_root(struct document *d, const char *name)
{
    const char *blank = strchr(name, ' ');
    const char *at = strstr(name, ":reservebiddocument:7:");
    if (!blank || !at || at > blank) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_SCHEMA, "the namespace '%.*s' is not that of a reservebiddocument of version 7",
                 blank ? (int)(blank - name < 100 ? blank - name : 100) : 0, name);
        say(d, &e, d->line, NULL);
    }
}

/* What the header says, once the first bid begins, or the document ends. */
static void check_header(struct document *d)
{
    struct pof_err e = {0};
    if (d->in_bids) {
        return;
    }
    for (const struct pofi_reserve_element *x = pofi_reserve_elements; x->name; x++) {
        if (x->parent == POFI_RESERVE_DOCUMENT && x->required && !d->seen[number_of(x)]) {
            pof_fail(&e, POF_E_MISSING, "the document must have it, before its bids");
            say(d, &e, d->line, x->name);
        }
    }
    if (has(d, POFI_RESERVE_TYPE) && !is(d, POFI_RESERVE_TYPE, "A37")) {
        pof_fail(&e, POF_E_RANGE, "'%.*s' is not A37, a document of reserve bids",
                 (int)d->value[POFI_RESERVE_TYPE].len, d->value[POFI_RESERVE_TYPE].text);
        say(d, &e, d->line, "type");
    }
    bool times = pof_instant_parse(value_of(d, POFI_RESERVE_FROM), &d->from) &&
                 pof_instant_parse(value_of(d, POFI_RESERVE_TO), &d->to);
    if (times && d->to <= d->from) {
        pof_fail(&e, POF_E_TIME, "the end of the document is not behind its start");
        say(d, &e, d->line, "reserveBid_Period.timeInterval");
    }
    d->in_bids = true;
    d->header_sound = d->sound;
    d->u->counts.unsound += !d->sound;
}

static void enter(struct document *d, const struct pofi_reserve_element *e)
{
    if (e->level == POFI_RESERVE_BID) {
        check_header(d);
        d->in_bid = true;
        d->sound = true;
        d->bid_line = d->line;
        d->parts = 0;
    }
    if (e->level == POFI_RESERVE_PERIOD) {
        d->points = 0;
    }
    clear(d, e->level);
}

static int on_open(void *ctx, const char *full, const char *const *attr, struct pof_err *err)
{
    struct document *d = ctx;
    const char *name = pof_xml_local(full);
    int level = d->depth ? d->open[d->depth - 1]->level : POFI_RESERVE_ROOT;
    struct pof_err own = {0};
    (void)err;
    if (d->skipped) {
        d->skipped++;
        return 0;
    }
    const struct pofi_reserve_element *e = level || d->depth == 0 ? pofi_reserve_element(level, name) : NULL;
    if (!e) {
        pof_fail(&own, POF_E_UNKNOWN, d->depth ? "'%.60s' must not stand there" : "'%.60s' is not a ReserveBid_MarketDocument",
                 name);
        say(d, &own, d->line, NULL);
        d->skipped = 1;
        return 0;
    }
    if (level == POFI_RESERVE_ROOT) {
        check_root(d, full);
    }
    if (d->in_bids && !d->in_bid && e->level != POFI_RESERVE_BID) {
        pof_fail(&own, POF_E_CONFLICT, "it stands behind a Bid_TimeSeries, expected before");
        say(d, &own, d->line, e->name);
    }
    if (d->seen[number_of(e)] && !e->many) {
        pof_fail(&own, POF_E_DUPLICATE, "it is given twice");
        say(d, &own, d->line, e->name);
    }
    check_attributes(d, e, attr);
    if (e->level) {
        enter(d, e);
    }
    d->seen[number_of(e)] = true;
    if (e->form == POFI_RESERVE_ANY) {
        e->item == POFI_RESERVE_TOLD ? tell(d, e) : (void)(d->value[e->item].len = 1);
        d->skipped = 1;
        return 0;
    }
    d->open[d->depth++] = e;
    return 0;
}

/* --- points and periods --- */

static int64_t number(const struct document *d, enum pofi_reserve_item item, int scale, int64_t fallback)
{
    int64_t v;
    return pof_decimal_parse(value_of(d, item), scale, &v) ? v : fallback;
}

/* Megawatts with six decimals are watts. */
static int keep_point(struct document *d, struct pof_err *err)
{
    struct point p = {.line = d->line,
                      .at = number(d, POFI_RESERVE_AT, 0, 0),
                      .w = number(d, POFI_RESERVE_QUANTITY, POF_MICRO, 0),
                      .least_w = number(d, POFI_RESERVE_LEAST, POF_MICRO, 0),
                      .price = number(d, POFI_RESERVE_PRICE, POF_MICRO, 0),
                      .priced = has(d, POFI_RESERVE_PRICE)};
    struct pof_err e = {0};
    if (p.w < 0 || p.least_w < 0 || p.least_w > p.w) {
        pof_fail(&e, POF_E_RANGE, "%lld W, at least %lld W; expected 0 <= least <= power", (long long)p.w,
                 (long long)p.least_w);
        say(d, &e, d->line, p.w < 0 ? "quantity.quantity" : "minimum_Quantity.quantity");
    }
    if (d->points == POINTS_MAX) {
        pof_fail(&e, POF_E_TOO_LONG, "a period of more than %d points", POINTS_MAX);
        say(d, &e, d->line, "Point");
    }
    if (d->points > 0 && d->point[d->points - 1].at >= p.at) {
        pof_fail(&e, POF_E_CONFLICT, "position %lld does not follow %lld", (long long)p.at,
                 (long long)d->point[d->points - 1].at);
        say(d, &e, d->line, "position");
    }
    int rc = d->points < POINTS_MAX ? pof_grow(&d->point, &d->point_cap, d->points + 1, sizeof p, err) : 0;
    if (rc == 0 && d->points < POINTS_MAX) {
        d->point[d->points++] = p;
    }
    return rc;
}

static int keep_part(struct document *d, const struct point *p, int64_t start, int64_t end, struct pof_err *err)
{
    struct part *last = d->parts ? &d->part[d->parts - 1] : NULL;
    if (last && last->end == start && last->w == p->w && last->least_w == p->least_w && last->price == p->price &&
        last->priced == p->priced) {
        last->end = end;
        return 0;
    }
    int rc = pof_grow(&d->part, &d->part_cap, d->parts + 1, sizeof *d->part, err);
    if (rc == 0) {
        d->part[d->parts++] = (struct part){p->line, start, end, p->w, p->least_w, p->price, p->priced};
    }
    return rc;
}

/* The interval of a period and its step; false: told. */
static bool find_period(struct document *d, int64_t *start, int64_t *end, int64_t *step)
{
    struct pof_err e = {0};
    if (!pof_instant_parse(value_of(d, POFI_RESERVE_START), start) ||
        !pof_instant_parse(value_of(d, POFI_RESERVE_END), end) ||
        !pofi_reserve_seconds(value_of(d, POFI_RESERVE_RESOLUTION), step)) {
        return false; /* told with the element */
    }
    if (*start < d->from || *end > d->to || *end <= *start) {
        pof_fail(&e, POF_E_TIME, "it does not lie within the period of the document");
        say(d, &e, d->line, "timeInterval");
        return false;
    }
    if (*step % POF_QUARTER_S || *start % POF_QUARTER_S || (*end - *start) % *step) {
        pof_fail(&e, POF_E_RANGE, "expected whole quarter-hours that fill the interval, such as PT15M");
        say(d, &e, d->line, "resolution");
        return false;
    }
    return true;
}

/* Curve type A03: a point holds until the next one; else every position has its point. */
static int keep_period(struct document *d, struct pof_err *err)
{
    int64_t start, end, step;
    bool held = is(d, POFI_RESERVE_CURVE, "A03");
    struct pof_err e = {0};
    if (!d->sound || !find_period(d, &start, &end, &step)) {
        return 0;
    }
    int64_t n = (end - start) / step;
    if (d->point[0].at != 1 || d->point[d->points - 1].at > n || (!held && (int64_t)d->points != n)) {
        pof_fail(&e, POF_E_RANGE, "%zu points from position %lld to %lld; expected %s%lld", d->points,
                 (long long)d->point[0].at, (long long)d->point[d->points - 1].at,
                 held ? "the first at 1, none behind " : "each from 1 to ", (long long)n);
        say(d, &e, d->line, "position");
        return 0;
    }
    int rc = 0;
    for (size_t k = 0; k < d->points && rc == 0; k++) {
        int64_t next = k + 1 < d->points ? d->point[k + 1].at : n + 1;
        rc = keep_part(d, &d->point[k], start + (d->point[k].at - 1) * step, start + (next - 1) * step, err);
    }
    return rc;
}

/* --- bids --- */

static int part_cmp(const void *a, const void *b)
{
    const struct part *x = a;
    const struct part *y = b;
    return x->start != y->start ? (x->start < y->start ? -1 : 1) : (x->line > y->line) - (x->line < y->line);
}

static void check_parts(struct document *d)
{
    if (d->parts > 1) {
        qsort(d->part, d->parts, sizeof *d->part, part_cmp);
    }
    for (size_t k = 1; k < d->parts; k++) {
        if (d->part[k - 1].end > d->part[k].start) {
            struct pof_err e = {0};
            pof_fail(&e, POF_E_DUPLICATE, "two points of the bid are for the same time");
            say(d, &e, d->part[k].line, "Period");
            return;
        }
    }
}

/* A code that an offer needs to be what it is. */
static void need(struct document *d, enum pofi_reserve_item item, const char *code, const char *field)
{
    if (has(d, item) && !is(d, item, code)) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_RANGE, "'%.*s' cannot be an offer; expected %s", (int)d->value[item].len, d->value[item].text,
                 code);
        say(d, &e, d->bid_line, field);
    }
}

static void check_use(struct document *d)
{
    struct pof_err e = {0};
    need(d, POFI_RESERVE_UNIT, "MAW", "quantity_Measurement_Unit.name");
    need(d, POFI_RESERVE_CURRENCY, "EUR", "currency_Unit.name");
    need(d, POFI_RESERVE_PRICE_UNIT, "MWH", "energyPrice_Measurement_Unit.name");
    need(d, POFI_RESERVE_STATE, "A06", "status");
    if (is(d, POFI_RESERVE_BUSINESS, "B75")) {
        pof_fail(&e, POF_E_RANGE, "'B75', a need, cannot be an offer; expected such as B74");
        say(d, &e, d->bid_line, "businessType");
    }
    if (!is(d, POFI_RESERVE_DIRECTION, "A01") && !is(d, POFI_RESERVE_DIRECTION, "A02")) {
        pof_fail(&e, POF_E_RANGE, "'%.*s' cannot be an offer; expected A01 (up) or A02 (down)",
                 (int)d->value[POFI_RESERVE_DIRECTION].len, d->value[POFI_RESERVE_DIRECTION].text);
        say(d, &e, d->bid_line, "flowDirection.direction");
    }
    if (!has(d, POFI_RESERVE_POD)) {
        pof_fail(&e, POF_E_MISSING, "an offer needs it: the point of delivery that will act");
        say(d, &e, d->bid_line, "registeredResource.mRID");
    }
    if (d->value[POFI_RESERVE_LINKED].len) {
        pof_fail(&e, POF_E_CONFLICT, "a bid that depends on another one's activation cannot be an offer");
        say(d, &e, d->bid_line, "Linked_BidTimeSeries");
    }
    for (size_t k = 0; k < d->parts; k++) {
        if (d->part[k].w && !d->part[k].priced) {
            pof_fail(&e, POF_E_MISSING, "an offer needs it");
            say(d, &e, d->part[k].line, "energy_Price.amount");
        }
    }
}

/* A record that a writer would refuse is a violation of the bid. */
static bool holds(struct document *d, enum pof_type type, const void *record, uint64_t line)
{
    struct pof_err e = {0};
    if (pof_record_check(type, record, &e) != 0) {
        say(d, &e, line, NULL);
        return false;
    }
    return true;
}

static struct pof_text party_of(const struct document *d)
{
    return value_of(d, has(d, POFI_RESERVE_SUBJECT) ? POFI_RESERVE_SUBJECT : POFI_RESERVE_SENDER);
}

static int withdraw(struct document *d, struct pof_err *err)
{
    struct pof_revocation r = {.order = 0, /* offer */
                               .id = value_of(d, POFI_RESERVE_NAME),
                               .party = party_of(d)};
    pof_instant_parse(value_of(d, POFI_RESERVE_CREATED), &r.received);
    d->u->counts.withdrawn++;
    return holds(d, POF_revocation, &r, d->bid_line) ? d->u->revocation(d->u->ctx, &r, err) : 0;
}

/* What all offers of a bid have in common; false: told. */
static bool make_offer(struct document *d, struct pof_offer *o)
{
    struct pof_text node = value_of(d, POFI_RESERVE_DOMAIN);
    struct pof_text pod = value_of(d, POFI_RESERVE_POD);
    *o = (struct pof_offer){.session = d->u->session, .seller = party_of(d), .pod = pod, .node = node,
                            .direction = is(d, POFI_RESERVE_DIRECTION, "A01") ? POF_UP : POF_DOWN};
    if (d->u->node && !d->u->node(d->u->ctx, pod, &o->node)) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_REFERENCE, "no pod is named '%.*s'", (int)pod.len, pod.ptr);
        say(d, &e, d->bid_line, "registeredResource.mRID");
        return false;
    }
    /* Of a group at most one offer or block is taken: a bid of several offers must be a block there. */
    bool block = is(d, POFI_RESERVE_BLOCK, "A01") || (has(d, POFI_RESERVE_EXCLUSIVE) && d->parts > 1);
    if (block || has(d, POFI_RESERVE_INCLUSIVE)) {
        o->block = value_of(d, block ? POFI_RESERVE_NAME : POFI_RESERVE_INCLUSIVE);
        POF_SET(o, offer, block);
        d->u->counts.in_part += !is(d, POFI_RESERVE_DIVISIBLE, "A02");
    }
    if (has(d, POFI_RESERVE_EXCLUSIVE)) {
        o->group = value_of(d, POFI_RESERVE_EXCLUSIVE);
        POF_SET(o, offer, group);
    }
    if (pof_instant_parse(value_of(d, POFI_RESERVE_CREATED), &o->received)) {
        POF_SET(o, offer, received);
    }
    o->revision = number(d, POFI_RESERVE_NUMBER, 0, 1);
    o->has |= (uint64_t)(o->revision > 1) << POF_BIT_offer_revision;
    if (has(d, POFI_RESERVE_LEAD) && pofi_reserve_seconds(value_of(d, POFI_RESERVE_LEAD), &o->lead_s)) {
        POF_SET(o, offer, lead_s);
    }
    return true;
}

static int hand_on(struct document *d, struct pof_err *err)
{
    struct pof_offer o;
    char id[ID_MAX + 1];
    int rc = 0;
    if (!make_offer(d, &o)) {
        return 0;
    }
    const struct value *name = &d->value[POFI_RESERVE_NAME];
    bool whole = is(d, POFI_RESERVE_DIVISIBLE, "A02") && !POF_HAS(&o, offer, block);
    for (size_t k = 0; k < d->parts && rc == 0; k++) {
        const struct part *p = &d->part[k];
        int len = d->parts == 1 ? snprintf(id, sizeof id, "%.*s", (int)name->len, name->text)
                                : snprintf(id, sizeof id, "%.*s/%zu", (int)name->len, name->text, k + 1);
        o.id = (struct pof_text){id, (size_t)len};
        o.start = p->start;
        o.end = p->end;
        o.p_w = p->w;
        o.price_ueur_mwh = p->price;
        o.min_w = whole ? p->w : p->least_w;
        o.has &= ~(UINT64_C(1) << POF_BIT_offer_min_w);
        o.has |= (uint64_t)(o.min_w > 0 && !POF_HAS(&o, offer, block)) << POF_BIT_offer_min_w;
        if (p->w && holds(d, POF_offer, &o, p->line)) {
            rc = d->u->offer(d->u->ctx, &o, err);
        }
    }
    return rc;
}

static int use_bid(struct document *d, struct pof_err *err)
{
    int64_t most = 0;
    int rc = 0;
    check_parts(d);
    for (size_t k = 0; k < d->parts; k++) {
        most = d->part[k].w > most ? d->part[k].w : most;
    }
    if (d->sound && d->header_sound && d->u->offer) {
        if (most > 0) {
            check_use(d);
            rc = d->sound ? hand_on(d, err) : 0;
        } else {
            rc = withdraw(d, err);
        }
    }
    *(d->sound ? &d->u->counts.sound : &d->u->counts.unsound) += 1;
    d->in_bid = false;
    return rc;
}

/* --- the end of an element --- */

static void keep_text(struct document *d, const struct pofi_reserve_element *e, struct pof_text text)
{
    struct pof_err err = {0};
    const char *words;
    struct value *to = &d->value[e->item];
    if (!pofi_reserve_fits(e->form, text, &words)) {
        pof_fail(&err, POF_E_TYPE, "'%.*s' is not %s", (int)(text.len < 100 ? text.len : 100), text.ptr, words);
        say(d, &err, d->line, e->name);
        return;
    }
    if (d->eic && !pof_eic_is(text) && e->form != POFI_RESERVE_PARENT) {
        pof_fail(&err, POF_E_TYPE, "'%.*s' is not an EIC code: 16 characters of which the last fits the others",
                 (int)text.len, text.ptr);
        say(d, &err, d->line, e->name);
    }
    if (e->item == POFI_RESERVE_TOLD) {
        tell(d, e);
    } else if (e->item != POFI_RESERVE_NONE && text.len < sizeof to->text) {
        memcpy(to->text, text.ptr, text.len);
        to->len = text.len;
    }
}

static int on_close(void *ctx, const char *name, struct pof_text text, struct pof_err *err)
{
    struct document *d = ctx;
    (void)name;
    if (d->skipped) {
        d->skipped--;
        return 0;
    }
    const struct pofi_reserve_element *e = d->open[--d->depth];
    keep_text(d, e, text);
    d->eic = false;
    if (e->level == POFI_RESERVE_DOCUMENT) {
        check_header(d);
    } else if (e->level) {
        check_required(d, e->level, e->name);
    }
    switch (e->level) {
    case POFI_RESERVE_POINT: return keep_point(d, err);
    case POFI_RESERVE_PERIOD: return d->points ? keep_period(d, err) : 0;
    case POFI_RESERVE_BID: return use_bid(d, err);
    default: return 0;
    }
}

int pof_reserve_read(struct pof_reserve_reader *u, const struct pof_source *src, struct pof_err *err)
{
    struct document *d = NULL;
    int rc = pof_calloc(&d, 1, sizeof *d, err);
    if (rc == 0) {
        *d = (struct document){.u = u, .name = src->name, .sound = true};
        const struct pof_xml_taker taker = {on_open, on_close, d};
        rc = pof_xml_read(src, &taker, &d->line, err);
        u->counts.unsound += rc == 0 && !d->in_bids; /* not such a document at all */
        free(d->point);
        free(d->part);
        free(d);
    }
    return rc;
}
