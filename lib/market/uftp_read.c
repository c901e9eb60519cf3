/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of UFTP 3 to records. */
#include "market/uftp.h"
#include "market/uftp_form.h"
#include "market/uftp_impl.h"
#include "num/decimal.h"
#include "num/units.h"
#include "record/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = POFI_UFTP_DEPTH, ROOT_MAX = POFI_UFTP_ROOT_MAX, ISP_DAY_MAX = 100, ID_MAX = 96, PERCENT = 100 };

struct option {
    uint64_t line;
    struct pof_text name;
    int64_t price;  /* 1e-4 */
    int64_t factor; /* 1/100 */
};

void pofi_uftp_say(struct pofi_uftp_message *m, struct pof_err *e, uint64_t line, const char *field)
{
    pof_at(e, m->name, line, field);
    m->sound = false;
    m->u->problem(m->u->ctx, e);
}

/* --- elements --- */

static const char *attribute_of(const char *const *attr, const char *name)
{
    for (size_t i = 0; attr[i]; i += 2) {
        if (strcmp(attr[i], name) == 0) {
            return attr[i + 1];
        }
    }
    return NULL;
}

static void check_attributes(struct pofi_uftp_message *m, const struct pofi_uftp_element *e, const char *const *attr)
{
    struct pof_err err = {0};
    const char *words;
    for (size_t i = 0; attr[i]; i += 2) {
        const struct pofi_uftp_attribute *a = pofi_uftp_attribute(e, attr[i]);
        if (strchr(attr[i], ' ')) {
            continue; /* of another namespace, such as where a schema lies */
        }
        if (!a) {
            pof_fail(&err, POF_E_UNKNOWN, "%s has no such attribute", e->name);
            pofi_uftp_say(m, &err, m->line, attr[i]);
        } else if (!pofi_uftp_fits(a->form, pof_text(attr[i + 1]), &words)) {
            pof_fail(&err, POF_E_TYPE, "'%.100s' is not %s", attr[i + 1], words);
            pofi_uftp_say(m, &err, m->line, attr[i]);
        }
    }
    for (int l = 0; l < 3 && e->lists[l]; l++) {
        for (const struct pofi_uftp_attribute *a = e->lists[l]; a->name; a++) {
            if (a->required && !attribute_of(attr, a->name)) {
                pof_fail(&err, POF_E_MISSING, "%s must have it", e->name);
                pofi_uftp_say(m, &err, m->line, a->name);
            }
        }
    }
}

/* A number of an attribute, fallback when it is not there or not one (which was told then). */
static int64_t number_of(const char *const *attr, const char *name, int scale, int64_t fallback)
{
    int64_t v;
    const char *t = attribute_of(attr, name);
    return t && pof_decimal_parse(pof_text(t), scale, &v) ? v : fallback;
}

static int keep_root(struct pofi_uftp_message *m, const char *const *attr, struct pof_err *err)
{
    for (size_t i = 0; attr[i] && m->keys < ROOT_MAX; i += 2) {
        char *key = pof_arena_text(&m->arena, attr[i], strlen(attr[i]), err);
        char *value = key ? pof_arena_text(&m->arena, attr[i + 1], strlen(attr[i + 1]), err) : NULL;
        if (!value) {
            return err->code;
        }
        m->key[m->keys] = pof_text(key);
        m->value[m->keys++] = pof_text(value);
    }
    return 0;
}

static int keep_option(struct pofi_uftp_message *m, const char *const *attr, struct pof_err *err)
{
    const char *name = attribute_of(attr, "OptionReference");
    struct option o = {.line = m->line,
                       .price = number_of(attr, "Price", 4, 0),
                       .factor = number_of(attr, "MinActivationFactor", 2, PERCENT)};
    name = name ? name : "";
    char *copy = pof_arena_text(&m->arena, name, strlen(name), err);
    int rc = copy ? pof_grow(&m->option, &m->option_cap, m->options + 1, sizeof o, err) : (int)err->code;
    uint32_t id;
    size_t before = m->references.n;
    rc = rc ? rc : pof_names_add(&m->references, pof_text(name), &id, err);
    if (rc == 0) {
        o.name = pof_text(copy);
        m->option[m->options++] = o;
    }
    if (rc == 0 && m->references.n == before) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_DUPLICATE, "option '%.60s' is given twice", name);
        pofi_uftp_say(m, &e, m->line, "OptionReference");
    }
    return rc;
}

static int keep_isp(struct pofi_uftp_message *m, const char *const *attr, struct pof_err *err)
{
    const char *disposition = attribute_of(attr, "Disposition");
    int64_t power = number_of(attr, "Power", 0, 0);
    struct pofi_uftp_isp i = {.line = m->line,
                    .start = number_of(attr, "Start", 0, 1),
                    .duration = number_of(attr, "Duration", 0, 1),
                    .low = number_of(attr, "MinPower", 0, power),
                    .high = number_of(attr, "MaxPower", 0, power),
                    .option = (uint32_t)m->options,
                    .available = disposition && strcmp(disposition, "Available") == 0,
                    .baseline = number_of(attr, "BaselinePower", 0, 0),
                    .ordered = number_of(attr, "OrderedFlexPower", 0, 0),
                    .actual = number_of(attr, "ActualPower", 0, 0),
                    .delivered = number_of(attr, "DeliveredFlexPower", 0, 0),
                    .deficiency = number_of(attr, "PowerDeficiency", 0, 0)};
    int rc = pof_grow(&m->isp, &m->isp_cap, m->isps + 1, sizeof i, err);
    if (rc == 0) {
        m->isp[m->isps++] = i;
    }
    if (rc == 0 && i.low > i.high) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_RANGE, "%lld is above MaxPower %lld", (long long)i.low, (long long)i.high);
        pofi_uftp_say(m, &e, m->line, "MinPower");
    }
    return rc;
}

static void check_net(struct pofi_uftp_message *m, const char *const *attr)
{
    int64_t price = number_of(attr, "Price", 4, 0), penalty = number_of(attr, "Penalty", 4, 0);
    if (number_of(attr, "NetSettlement", 4, price - penalty) != price - penalty) {
        struct pof_err e = {0};
        char want[POF_DECIMAL_MAX];
        int n = (int)pof_decimal_format(price - penalty, 4, want);
        pof_fail(&e, POF_E_CONFLICT, "'%s' is not Price less Penalty, %.*s",
                 attribute_of(attr, "NetSettlement"), n, want);
        pofi_uftp_say(m, &e, m->line, "NetSettlement");
    }
}

static int keep_text(struct pofi_uftp_message *m, const char *const *attr, const char *name, struct pof_text *to,
                     struct pof_err *err)
{
    const char *t = attribute_of(attr, name);
    char *copy = pof_arena_text(&m->arena, t ? t : "", t ? strlen(t) : 0, err);
    *to = pof_text(copy ? copy : "");
    return copy ? 0 : (int)err->code;
}

/* Its ISPs are its own, told by its number. */
static int keep_settled(struct pofi_uftp_message *m, const char *const *attr, struct pof_err *err)
{
    struct pofi_uftp_settled s = {.line = m->line,
                                  .price = number_of(attr, "Price", 4, 0),
                                  .penalty = number_of(attr, "Penalty", 4, 0)};
    int rc = keep_text(m, attr, "Period", &s.period, err);
    rc = rc ? rc : keep_text(m, attr, "OrderReference", &s.order, err);
    rc = rc ? rc : keep_text(m, attr, "BaselineReference", &s.baseline, err);
    rc = rc ? rc : keep_text(m, attr, "CongestionPoint", &s.point, err);
    rc = rc ? rc : pof_grow(&m->settled, &m->settled_cap, m->options + 1, sizeof s, err);
    if (rc == 0) {
        m->settled[m->options++] = s;
    }
    return rc;
}

static int on_open(void *ctx, const char *name, const char *const *attr, struct pof_err *err)
{
    struct pofi_uftp_message *m = ctx;
    int parent = m->depth ? (m->depth <= DEPTH && m->open[m->depth - 1] ? m->open[m->depth - 1]->number : -2) : -1;
    const struct pofi_uftp_element *e = m->depth < DEPTH ? pofi_uftp_element(parent, name) : NULL;
    if (m->depth && m->depth <= DEPTH) {
        m->inside[m->depth - 1] += e != NULL;
    }
    if (m->depth < DEPTH) {
        m->open[m->depth] = e;
        m->inside[m->depth] = 0;
    }
    m->depth++;
    if (!e) {
        struct pof_err own = {0};
        pof_fail(&own, POF_E_UNKNOWN, parent == -1 ? "'%.60s' is not a message that is known here"
                                                   : "'%.60s' must not stand there", name);
        if (parent != -2) { /* what is inside an unknown element is told with it */
            pofi_uftp_say(m, &own, m->line, NULL);
        }
        return 0;
    }
    check_attributes(m, e, attr);
    switch (e->number) {
    case POFI_UFTP_OPTION: return keep_option(m, attr, err);
    case POFI_UFTP_ISP: return keep_isp(m, attr, err);
    case POFI_UFTP_ORDER_SETTLEMENT:
        check_net(m, attr);
        return keep_settled(m, attr, err);
    case POFI_UFTP_CONTRACT:
        m->u->counts.lost[POF_UFTP_LOST_RESERVED] += m->u->settlement != NULL;
        return 0;
    case POFI_UFTP_CONTRACT_PERIOD:
    case POFI_UFTP_CONTRACT_ISP: return 0;
    default: m->kind = e->number; m->root_line = m->line; return keep_root(m, attr, err);
    }
}

static bool needs_children(int number)
{
    return number == POF_UFTP_REQUEST || number == POF_UFTP_OFFER || number == POF_UFTP_ORDER ||
           number == POFI_UFTP_OPTION;
}

static int on_close(void *ctx, const char *name, struct pof_text text, struct pof_err *err)
{
    struct pofi_uftp_message *m = ctx;
    struct pof_err e = {0};
    (void)err;
    m->depth--;
    if (m->depth >= DEPTH || !m->open[m->depth]) {
        return 0;
    }
    if (text.len) {
        pof_fail(&e, POF_E_SYNTAX, "'%.*s' stands in %.40s, which has no text",
                 (int)(text.len < 60 ? text.len : 60), text.ptr, name);
        pofi_uftp_say(m, &e, m->line, NULL);
    }
    if (needs_children(m->open[m->depth]->number) && m->inside[m->depth] == 0) {
        pof_fail(&e, POF_E_MISSING, "%.40s must have %s", name,
                 m->open[m->depth]->number == POF_UFTP_OFFER ? "an OfferOption" : "an ISP");
        pofi_uftp_say(m, &e, m->line, NULL);
    }
    return 0;
}

/* --- what schemas cannot say --- */

struct pof_text pofi_uftp_value(const struct pofi_uftp_message *m, const char *key)
{
    for (size_t i = 0; i < m->keys; i++) {
        if (pof_text_is(m->key[i], key)) {
            return m->value[i];
        }
    }
    return (struct pof_text){"", 0};
}

static int isp_cmp(const void *a, const void *b)
{
    const struct pofi_uftp_isp *x = a;
    const struct pofi_uftp_isp *y = b;
    if (x->option != y->option) {
        return x->option < y->option ? -1 : 1;
    }
    return x->start != y->start ? (x->start < y->start ? -1 : 1) : (x->line > y->line) - (x->line < y->line);
}

static void check_isps(struct pofi_uftp_message *m)
{
    struct pof_err e = {0};
    int64_t last = m->day_end > m->day ? (m->day_end - m->day) / POF_QUARTER_S : ISP_DAY_MAX;
    bool requested = m->kind != POF_UFTP_REQUEST;
    if (m->isps > 1) {
        qsort(m->isp, m->isps, sizeof *m->isp, isp_cmp);
    }
    for (size_t k = 0; k < m->isps; k++) {
        const struct pofi_uftp_isp *i = &m->isp[k];
        requested = requested || !i->available;
        if (i->duration > last || i->start + i->duration - 1 > last) {
            pof_fail(&e, POF_E_RANGE, "ISP %lld of %lld ISPs ends behind the day, which has %lld",
                     (long long)i->start, (long long)i->duration, (long long)last);
            pofi_uftp_say(m, &e, i->line, "Start");
        } else if (k && m->isp[k - 1].option == i->option &&
                   m->isp[k - 1].start + m->isp[k - 1].duration > i->start) {
            pof_fail(&e, POF_E_DUPLICATE, "ISP %lld is given twice", (long long)i->start);
            pofi_uftp_say(m, &e, i->line, "Start");
        }
    }
    if (!requested && m->isps) {
        pof_fail(&e, POF_E_MISSING, "no ISP is Requested; expected one or more");
        pofi_uftp_say(m, &e, m->isp[0].line, "Disposition");
    }
}

static void find_day(struct pofi_uftp_message *m)
{
    struct pof_date date;
    enum pof_zone zone;
    if (pof_date_parse(pofi_uftp_value(m, "Period"), &date) && pof_zone_parse(pofi_uftp_value(m, "TimeZone"), &zone)) {
        pof_market_day(zone, date, &m->day, &m->day_end);
    }
}

/* What a sound message must be besides to become records. */
static void check_use(struct pofi_uftp_message *m)
{
    struct pof_err e = {0};
    struct pof_text currency = pofi_uftp_value(m, "Currency");
    struct pof_text duration = pofi_uftp_value(m, "ISP-Duration");
    if (duration.len && !pof_text_is(duration, "PT15M")) {
        pof_fail(&e, POF_E_RANGE, "ISPs of '%.*s'; quarter-hours (PT15M) are taken here", (int)duration.len,
                 duration.ptr);
        pofi_uftp_say(m, &e, m->root_line, "ISP-Duration");
    }
    if (currency.len && !pof_text_is(currency, "EUR")) {
        pof_fail(&e, POF_E_RANGE, "amounts in '%.*s'; euros (EUR) are taken here", (int)currency.len,
                 currency.ptr);
        pofi_uftp_say(m, &e, m->root_line, "Currency");
    }
}

/* --- records --- */

/* The area of a congestion point: branch.NAME and node.NAME behind the colon are these, grid is the
 * whole; any other is the name of a branch. */
struct area {
    bool node, branch;
    struct pof_text name;
};

static struct area area_of(struct pof_text entity)
{
    const char *colon = memchr(entity.ptr, ':', entity.len);
    struct pof_text t = entity;
    if (colon) {
        t.len = (size_t)(entity.ptr + entity.len - colon - 1);
        t.ptr = colon + 1;
    }
    if (pof_text_is(t, "grid")) {
        return (struct area){.name = t};
    }
    bool node = t.len > 5 && memcmp(t.ptr, "node.", 5) == 0;
    bool branch = t.len > 7 && memcmp(t.ptr, "branch.", 7) == 0;
    size_t skip = node ? 5 : branch ? 7 : 0;
    return (struct area){node, !node, {t.ptr + skip, t.len - skip}};
}

static int make_id(char to[ID_MAX + 1], struct pof_text message, struct pof_text option, int64_t start)
{
    int n = start ? snprintf(to, ID_MAX + 1, "%.*s/%.*s/%lld", (int)message.len, message.ptr,
                             (int)(option.len < ID_MAX ? option.len : ID_MAX), option.ptr, (long long)start)
                  : snprintf(to, ID_MAX + 1, "%.*s/%.*s", (int)message.len, message.ptr,
                             (int)(option.len < ID_MAX ? option.len : ID_MAX), option.ptr);
    return n;
}

static void lose(struct pofi_uftp_message *m, enum pof_uftp_lost what)
{
    m->u->counts.lost[what]++;
}

/* A record that a writer would refuse is a violation of the message. */
static int hand_on(struct pofi_uftp_message *m, enum pof_type type, const void *record, uint64_t line, struct pof_err *err)
{
    struct pof_err e = {0};
    if (pof_record_check(type, record, &e) != 0) {
        pofi_uftp_say(m, &e, line, NULL);
        return 0;
    }
    return type == POF_request ? m->u->request(m->u->ctx, record, err) : m->u->offer(m->u->ctx, record, err);
}

static int one_request(struct pofi_uftp_message *m, const struct pofi_uftp_isp *i, int64_t n, struct pof_err *err)
{
    char id[ID_MAX + 1];
    struct pof_text message = pofi_uftp_value(m, "MessageID");
    struct area area = area_of(pofi_uftp_value(m, "CongestionPoint"));
    bool up = i->high <= 0 && i->low < 0;
    struct pof_request r = {.session = m->u->session,
                            .buyer = pofi_uftp_value(m, "SenderDomain"),
                            .direction = up ? POF_UP : POF_DOWN,
                            .start = m->day + (i->start - 1) * POF_QUARTER_S,
                            .end = m->day + (i->start - 1 + n) * POF_QUARTER_S,
                            .p_w = up ? -i->low : i->high};
    if (r.p_w <= 0 || (!up && i->low < 0)) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_RANGE, "%lld to %lld W are asked for; expected one direction", (long long)i->low,
                 (long long)i->high);
        pofi_uftp_say(m, &e, i->line, "MinPower");
        return 0;
    }
    m->u->counts.lost[POF_UFTP_LOST_LEAST] += (up ? i->high : i->low) != 0;
    int len = snprintf(id, sizeof id, "%.*s/%lld", (int)message.len, message.ptr, (long long)i->start);
    r.id = (struct pof_text){id, (size_t)len};
    r.branch = r.node = area.name;
    r.has = (uint64_t)area.branch << POF_BIT_request_branch | (uint64_t)area.node << POF_BIT_request_node;
    return hand_on(m, POF_request, &r, i->line, err);
}

struct pof_text pofi_uftp_pod(struct pof_text entity)
{
    struct pof_text t = area_of(entity).name;
    bool pod = t.len > 4 && memcmp(t.ptr, "pod.", 4) == 0;
    return pod ? (struct pof_text){t.ptr + 4, t.len - 4} : t;
}

/* Equal ISPs that follow each other are one request. */
static int requests(struct pofi_uftp_message *m, struct pof_err *err)
{
    int rc = 0;
    for (size_t k = 0; k < m->isps && rc == 0;) {
        const struct pofi_uftp_isp *i = &m->isp[k++];
        int64_t n = i->duration;
        if (i->available) {
            lose(m, POF_UFTP_LOST_AVAILABLE);
            continue;
        }
        while (k < m->isps && !m->isp[k].available && m->isp[k].start == i->start + n &&
               m->isp[k].low == i->low && m->isp[k].high == i->high) {
            n += m->isp[k++].duration;
        }
        rc = one_request(m, i, n, err);
    }
    return rc;
}

/* Price of an option for each MWh it moves. */
static int64_t option_price(struct pofi_uftp_message *m, const struct option *o, int64_t energy_ws)
{
    int64_t price;
    int64_t back = 0;
    int64_t money = o->price * POFI_UFTP_UEUR;
    struct pof_err e = {0};
    if (pof_muldiv(money, POF_WS_PER_MWH, energy_ws, &price, &e) || pof_cost(energy_ws, price, &back, &e)) {
        return INT64_MAX; /* no record can have such a price */
    }
    m->u->counts.lost[POF_UFTP_LOST_PRICE] += back != money;
    return price;
}

/* r has a min_w when any part of the option may be taken, from its least on. */
static int one_offer(struct pofi_uftp_message *m, const struct option *o, const struct pofi_uftp_isp *i, struct pof_offer *r,
                     struct pof_err *err)
{
    char id[ID_MAX + 1];
    char block[ID_MAX + 1];
    struct pof_text message = pofi_uftp_value(m, "MessageID");
    int n = make_id(id, message, o->name, i->start);
    r->direction = i->low < 0 ? POF_UP : POF_DOWN;
    r->p_w = i->low < 0 ? -i->low : i->low;
    r->start = m->day + (i->start - 1) * POF_QUARTER_S;
    r->end = r->start + i->duration * POF_QUARTER_S;
    r->id = (struct pof_text){id, (size_t)n};
    if (n > ID_MAX) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_TOO_LONG, "option '%.60s...' is too long for an id", o->name.ptr);
        pofi_uftp_say(m, &e, o->line, "OptionReference");
        return 0;
    }
    if (POF_HAS(r, offer, min_w)) {
        r->min_w = (r->p_w * o->factor + PERCENT - 1) / PERCENT;
    } else {
        r->block = (struct pof_text){block, (size_t)make_id(block, message, o->name, 0)};
        POF_SET(r, offer, block);
    }
    return hand_on(m, POF_offer, r, i->line, err);
}

static int one_option(struct pofi_uftp_message *m, uint32_t number, const struct pofi_uftp_isp *i, size_t n, struct pof_err *err)
{
    const struct option *o = &m->option[number - 1];
    struct pof_text baseline = pofi_uftp_value(m, "BaselineReference");
    struct area area = area_of(pofi_uftp_value(m, "CongestionPoint"));
    int64_t energy_ws = 0;
    int64_t ms = 0;
    size_t some = 0;
    size_t only = 0;
    for (size_t k = 0; k < n; k++) {
        energy_ws += (i[k].low < 0 ? -i[k].low : i[k].low) * POF_QUARTER_S * i[k].duration;
        some += i[k].low != 0;
        only = i[k].low != 0 ? k : only;
    }
    bool alone = some == 1 && i[only].duration == 1;
    if (energy_ws == 0) {
        struct pof_err e = {0};
        pof_fail(&e, POF_E_RANGE, "option '%.60s' moves nothing", o->name.ptr);
        pofi_uftp_say(m, &e, o->line, "Power");
        return 0;
    }
    struct pof_offer r = {.session = m->u->session, .seller = pofi_uftp_value(m, "SenderDomain"), .node = area.name,
                          .pod = baseline.len ? baseline : area.name, .group = pofi_uftp_value(m, "MessageID")};
    r.has = (uint64_t)(m->options > 1) << POF_BIT_offer_group | (uint64_t)alone << POF_BIT_offer_min_w;
    if (pof_instant_ms_parse(pofi_uftp_value(m, "TimeStamp"), &ms)) {
        r.received = ms / 1000;
        POF_SET(&r, offer, received);
    }
    m->u->counts.lost[POF_UFTP_LOST_FACTOR] += !alone && o->factor < PERCENT;
    r.price_ueur_mwh = option_price(m, o, energy_ws);
    int rc = 0;
    for (size_t k = 0; k < n && rc == 0; k++) {
        struct pof_offer each = r;
        rc = i[k].low ? one_offer(m, o, &i[k], &each, err) : 0;
    }
    return rc;
}

static int offers(struct pofi_uftp_message *m, struct pof_err *err)
{
    int rc = 0;
    for (size_t k = 0; k < m->isps && rc == 0;) {
        size_t to = k;
        while (to < m->isps && m->isp[to].option == m->isp[k].option) {
            to++;
        }
        rc = one_option(m, m->isp[k].option, &m->isp[k], to - k, err);
        k = to;
    }
    return rc;
}

static int use(struct pofi_uftp_message *m, struct pof_err *err)
{
    int rc = 0;
    bool orders = m->kind == POF_UFTP_REVOCATION || m->kind == POF_UFTP_ORDER;
    bool wanted = (m->kind == POF_UFTP_REQUEST && m->u->request) || (m->kind == POF_UFTP_OFFER && m->u->offer) ||
                  (orders && m->u->offers) || (m->kind == POF_UFTP_SETTLEMENT && m->u->settlement);
    if (!wanted || !m->sound) {
        return 0;
    }
    check_use(m);
    if (m->sound && orders) {
        rc = m->kind == POF_UFTP_ORDER ? pofi_uftp_take_order(m, err) : pofi_uftp_take_revocation(m, err);
    } else if (m->sound && m->kind == POF_UFTP_SETTLEMENT) {
        rc = pofi_uftp_take_settlement(m, err);
    } else if (m->sound) {
        lose(m, POF_UFTP_LOST_EXPIRY);
        m->u->counts.lost[POF_UFTP_LOST_CONTRACT] +=
            pofi_uftp_value(m, "ContractID").len || pofi_uftp_value(m, "ServiceType").len;
        rc = m->kind == POF_UFTP_REQUEST ? requests(m, err) : offers(m, err);
    }
    return rc;
}

int pof_uftp_read(struct pof_uftp_reader *u, struct pof_text document, const char *name, struct pof_err *err)
{
    struct pofi_uftp_message m = {.u = u, .name = name, .sound = true, .kind = -1};
    const struct pof_xml_taker taker = {on_open, on_close, &m};
    int rc = pof_xml_parse(document, name, &taker, &m.line, err);
    if (rc == 0 && m.kind >= 0) {
        find_day(&m);
        check_isps(&m);
        rc = use(&m, err);
    }
    if (rc == 0) {
        *(m.sound ? &u->counts.sound[m.kind] : &u->counts.unsound) += 1;
    }
    free(m.isp);
    free(m.option);
    free(m.settled);
    pof_names_release(&m.references);
    pof_arena_release(&m.arena);
    return rc;
}
