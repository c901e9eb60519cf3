/* SPDX-License-Identifier: Apache-2.0 */
/* Awards to FlexOrders and back, revocations to FlexOfferRevocations and back. Both are about offers that came by a
 * FlexOffer, whose names are MESSAGEID/OPTION/ISP. */
#include "market/quarter.h"
#include "market/uftp_impl.h"
#include "num/decimal.h"
#include "num/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERCENT = 100, AWARD_ID_MAX = 160 };

/* --- offers by name --- */

static int offer_cmp(const void *a, const void *b)
{
    return pof_text_cmp(((const struct pof_offer *)a)->id, ((const struct pof_offer *)b)->id);
}

void pof_uftp_offers_sort(struct pof_uftp_offers *offers)
{
    if (offers->n > 1) {
        qsort(offers->offer, offers->n, sizeof *offers->offer, offer_cmp);
    }
}

struct pof_text pofi_uftp_option(struct pof_text offer)
{
    struct pof_text t = offer;
    bool named = t.len > POFI_UFTP_UUID_LEN && t.ptr[POFI_UFTP_UUID_LEN] == '/' &&
                 pof_uftp_is_uuid((struct pof_text){t.ptr, POFI_UFTP_UUID_LEN});
    while (named && t.len > POFI_UFTP_UUID_LEN && t.ptr[t.len - 1] != '/') {
        t.len--;
    }
    return named && t.len > POFI_UFTP_UUID_LEN + 2 ? (struct pof_text){t.ptr, t.len - 1} : (struct pof_text){"", 0};
}

static struct pof_text message_of(struct pof_text offer)
{
    return (struct pof_text){offer.ptr, pofi_uftp_option(offer).len ? POFI_UFTP_UUID_LEN : 0};
}

/* <0, 0, >0: the name lies before, within, behind those that begin with the prefix and a slash. */
static int prefix_cmp(struct pof_text name, struct pof_text prefix)
{
    size_t n = name.len < prefix.len ? name.len : prefix.len;
    int c = memcmp(name.ptr, prefix.ptr, n);
    return c ? c : name.len <= prefix.len ? -1 : (name.ptr[n] > '/') - (name.ptr[n] < '/');
}

/* The offers of a sorted list whose names begin with a prefix and a slash: how many, the first in *from. O(log n). */
static size_t find(const struct pof_uftp_offers *offers, struct pof_text prefix, size_t *from)
{
    size_t bound[2];
    for (int side = 0; side < 2; side++) {
        size_t low = 0;
        size_t high = offers->n;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (prefix_cmp(offers->offer[mid].id, prefix) < side) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        bound[side] = low;
    }
    *from = bound[0];
    return bound[1] - bound[0];
}

/* --- orders --- */

static int award_cmp(const void *a, const void *b)
{
    const struct pof_award *x = a;
    const struct pof_award *y = b;
    int c = pof_text_cmp(pofi_uftp_option(x->offer), pofi_uftp_option(y->offer));
    c = c ? c : pof_text_cmp(x->buyer, y->buyer);
    c = c ? c : (x->start > y->start) - (x->start < y->start);
    return c ? c : pof_text_cmp(x->id, y->id);
}

static bool same_order(const struct pof_award *x, const struct pof_award *y)
{
    return pof_text_eq(pofi_uftp_option(x->offer), pofi_uftp_option(y->offer)) && pof_text_eq(x->buyer, y->buyer);
}

static bool same_quarter(const struct pof_award *x, const struct pof_award *y)
{
    return x->start == y->start && pof_text_eq(x->offer, y->offer) && pof_text_eq(x->buyer, y->buyer);
}

/* The offer of an award; NULL: told. */
static const struct pof_offer *offer_of(const struct pof_uftp_offers *offers, const struct pof_award *a,
                                        struct pof_err *err)
{
    const struct pof_offer key = {.id = a->offer};
    const struct pof_offer *o = offers->n ? bsearch(&key, offers->offer, offers->n, sizeof key, offer_cmp) : NULL;
    if (pofi_uftp_option(a->offer).len == 0) {
        pof_fail(err, POF_E_CONFLICT, "offer '%.*s' did not come by a FlexOffer, whose offers are called "
                 "MESSAGEID/OPTION/ISP; there is nothing to order", (int)a->offer.len, a->offer.ptr);
        return NULL;
    }
    if (!o) {
        pof_fail(err, POF_E_REFERENCE, "offer '%.*s' is not among those of --offers", (int)a->offer.len, a->offer.ptr);
        return NULL;
    }
    if (a->duration_s != POF_QUARTER_S || a->start % POF_QUARTER_S || a->start < o->start || a->start >= o->end ||
        a->direction != o->direction) {
        pof_fail(err, POF_E_CONFLICT, "award '%.*s' is not for a quarter-hour and direction of its offer", (int)a->id.len,
                 a->id.ptr);
        return NULL;
    }
    return o;
}

/* An order on its way. */
struct order {
    int64_t money_ueur;
    int64_t energy_ws, price; /* not in money_ueur yet: those of equal price are rounded once */
    int64_t factor;           /* largest, 1/100 */
    int64_t least_factor;     /* smallest */
    int64_t quarters;         /* ordered */
    bool below, part;
};

static int add_money(struct order *o, int64_t energy_ws, int64_t price, struct pof_err *err)
{
    int64_t money = 0;
    int rc = 0;
    if (price != o->price) {
        rc = pof_cost(o->energy_ws, o->price, &money, err);
        rc = rc ? rc : pof_add(&o->money_ueur, money, err);
        o->energy_ws = 0;
        o->price = price;
    }
    return rc ? rc : pof_add(&o->energy_ws, energy_ws, err);
}

/* The ISP of the awards [a, a + n), all of one quarter-hour and offer. */
static int add_isp(const struct pof_uftp_writer *w, struct order *order, const struct pof_offer *offer,
                   const struct pof_award *a, struct pof_buf *xml, struct pof_err *err)
{
    int64_t p_w = 0;
    int rc = 0;
    const struct pof_award *from = a;
    for (; rc == 0 && same_quarter(from, a); a++) {
        rc = pof_add(&p_w, a->p_w, err);
        rc = rc ? rc : add_money(order, a->p_w * a->duration_s, a->price_ueur_mwh, err);
    }
    if (rc == 0 && p_w > offer->p_w) {
        rc = pof_fail(err, POF_E_CONFLICT, "awards take %lld W of offer '%.*s', which has %lld W", (long long)p_w,
                      (int)offer->id.len, offer->id.ptr, (long long)offer->p_w);
    }
    int64_t factor = (p_w * PERCENT + offer->p_w - 1) / offer->p_w;
    int64_t least = POF_HAS(offer, offer, block) ? offer->p_w : POF_HAS(offer, offer, min_w) ? offer->min_w : 1;
    order->part = order->part || factor * offer->p_w != p_w * PERCENT;
    order->below = order->below || p_w < least;
    order->factor = factor > order->factor ? factor : order->factor;
    order->least_factor = order->quarters++ == 0 || factor < order->least_factor ? factor : order->least_factor;
    return rc ? rc : pof_buf_addf(xml, err, "  <ISP Power=\"%lld\" Start=\"%lld\"/>\n",
                                  (long long)(offer->direction == POF_UP ? -p_w : p_w),
                                  (long long)pofi_uftp_isp(w, from->start));
}

/* The ISPs of the awards [a, a + n); a[n] is another order's, or nothing. */
static int add_isps(const struct pof_uftp_writer *w, struct order *order, const struct pof_uftp_offers *offers,
                    const struct pof_award *a, struct pof_buf *xml, struct pof_err *err)
{
    const struct pof_award *first = a;
    int rc = 0;
    while (rc == 0 && a->offer.ptr && same_order(first, a)) {
        const struct pof_offer *offer = offer_of(offers, a, err);
        const struct pof_award *from = a;
        if (!offer) {
            return err->code;
        }
        if (pofi_uftp_day_end(w, a->start) != pofi_uftp_day_end(w, first->start)) {
            return pof_fail(err, POF_E_CONFLICT, "award '%.*s' is of another local day than its option; is --zone that of "
                            "the FlexOffer?", (int)a->id.len, a->id.ptr);
        }
        rc = add_isp(w, order, offer, a, xml, err);
        while (same_quarter(from, a)) {
            a++;
        }
    }
    return rc ? rc : add_money(order, 0, -1, err);
}

static int64_t quarters_of(const struct pof_uftp_offers *offers, struct pof_text option)
{
    size_t from;
    size_t n = find(offers, option, &from);
    int64_t sum = 0;
    for (size_t i = from; i < from + n; i++) {
        sum += (offers->offer[i].end - offers->offer[i].start) / POF_QUARTER_S;
    }
    return sum;
}

static void count_order(struct pof_uftp_writer *w, const struct order *order, int64_t quarters)
{
    uint64_t *lost = w->counts.lost;
    lost[POF_UFTP_LOST_UNEVEN] += order->factor != order->least_factor || order->quarters != quarters;
    lost[POF_UFTP_LOST_PART] += order->part;
    lost[POF_UFTP_LOST_BELOW] += order->below;
    lost[POF_UFTP_LOST_MONEY] += order->money_ueur % POFI_UFTP_UEUR != 0;
    w->counts.sound[POF_UFTP_ORDER]++;
}

/* The order that begins at a. */
static int write_order(struct pof_uftp_writer *w, const struct pof_award *a, const struct pof_uftp_offers *offers,
                       struct pof_err *err)
{
    struct pof_buf xml = {0};
    struct pof_buf isps = {0};
    struct order order = {0};
    char text[2][POF_DECIMAL_MAX];
    int64_t amount = 0;
    struct pof_text option = pofi_uftp_option(a->offer);
    struct pof_text message = {option.ptr, POFI_UFTP_UUID_LEN};
    struct pof_text name = {option.ptr + POFI_UFTP_UUID_LEN + 1, option.len - POFI_UFTP_UUID_LEN - 1};
    struct pofi_uftp_head h = {.kind = "FlexOrder", .place = "node", .party = a->buyer, .name = a->node,
                               .start = a->start, .lasting = true};
    const struct pof_text part[3] = {a->buyer, a->session, option};
    h.other = pof_uftp_is_domain(a->seller) ? a->seller : h.other;
    int rc = add_isps(w, &order, offers, a, &isps, err);
    rc = rc ? rc : pof_muldiv(order.money_ueur, 1, POFI_UFTP_UEUR, &amount, err);
    rc = rc ? rc : pofi_uftp_name(w, &h, part, err);
    rc = rc ? rc : pofi_uftp_open(w, &h, &xml, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "FlexOfferMessageID", message, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "BaselineReference", a->pod, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "Price", (struct pof_text){text[0], pof_decimal_format(amount, 4, text[0])}, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "Currency", pof_text("EUR"), err);
    rc = rc ? rc : pofi_uftp_add(&xml, "OrderReference", option, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "OptionReference", name, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "ActivationFactor",
                                 (struct pof_text){text[1], pof_decimal_format(order.factor, 2, text[1])}, err);
    rc = rc ? rc : pof_buf_adds(&xml, ">\n", err);
    rc = rc ? rc : pof_buf_add(&xml, isps.data, isps.len, err);
    rc = rc ? rc : pof_buf_adds(&xml, "</FlexOrder>\n", err);
    rc = rc ? rc : w->message(w->ctx, h.kind, h.uuid, (struct pof_text){xml.data, xml.len}, err);
    if (rc == 0) {
        count_order(w, &order, quarters_of(offers, option));
    }
    pof_buf_release(&xml);
    pof_buf_release(&isps);
    return rc;
}

int pof_uftp_write_orders(struct pof_uftp_writer *w, struct pof_award *awards, size_t n,
                          const struct pof_uftp_offers *offers, struct pof_err *err)
{
    struct pof_award *sorted = NULL; /* and one behind that is nobody's */
    int rc = pof_calloc(&sorted, n + 1, sizeof *sorted, err);
    if (rc == 0 && n) {
        memcpy(sorted, awards, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, award_cmp);
    }
    for (size_t i = 0; i < n && rc == 0;) {
        size_t from = i;
        rc = offer_of(offers, &sorted[i], err) ? write_order(w, &sorted[i], offers, err) : (int)err->code;
        while (i < n && same_order(&sorted[from], &sorted[i])) {
            i++;
        }
    }
    free(sorted);
    return rc;
}

/* A record that a writer would refuse is a violation of the message. */
static bool holds(struct pofi_uftp_message *m, enum pof_type type, const void *record, uint64_t line)
{
    struct pof_err e = {0};
    if (pof_record_check(type, record, &e) != 0) {
        pofi_uftp_say(m, &e, line, NULL);
        return false;
    }
    return true;
}

/* What an order takes of an offer in a quarter-hour. */
static int take_quarter(struct pofi_uftp_message *m, const struct pof_offer *o, int64_t start, int64_t p_w, int64_t price,
                        struct pof_err *err)
{
    char id[AWARD_ID_MAX + 1];
    char quarter[POF_QUARTER_NAME + 1];
    pof_quarter_name(start, quarter);
    int n = snprintf(id, sizeof id, "%.*s:%.*s:%s", (int)m->u->session.len, m->u->session.ptr, (int)o->id.len, o->id.ptr,
                     quarter);
    struct pof_award a = {.id = {id, (size_t)n}, .session = m->u->session, .request = pofi_uftp_value(m, "ConversationID"),
                          .offer = o->id, .pod = o->pod, .node = o->node, .buyer = pofi_uftp_value(m, "SenderDomain"),
                          .seller = o->seller, .direction = o->direction, .start = start, .duration_s = POF_QUARTER_S,
                          .p_w = p_w, .offer_price_ueur_mwh = o->price_ueur_mwh, .price_ueur_mwh = price};
    return n <= AWARD_ID_MAX && holds(m, POF_award, &a, m->root_line) ? m->u->award(m->u->ctx, &a, err) : 0;
}

/* The offer of an option that an ISP of an order is about in a quarter-hour; NULL: told. */
static const struct pof_offer *ordered(struct pofi_uftp_message *m, struct pof_text option, const struct pofi_uftp_isp *i,
                                       int64_t start)
{
    size_t from;
    size_t n = find(m->u->offers, option, &from);
    int64_t p_w = i->low < 0 ? -i->low : i->low;
    struct pof_err e = {0};
    for (size_t k = from; k < from + n; k++) {
        const struct pof_offer *o = &m->u->offers->offer[k];
        if (start >= o->start && start < o->end) {
            if ((o->direction == POF_UP) == (i->low < 0) && p_w <= o->p_w) {
                return o;
            }
            pof_fail(&e, POF_E_CONFLICT, "%lld W are ordered, %s%lld W are offered", (long long)i->low,
                     o->direction == POF_UP ? "-" : "", (long long)o->p_w);
            pofi_uftp_say(m, &e, i->line, "Power");
            return NULL;
        }
    }
    pof_fail(&e, POF_E_REFERENCE, "no offer '%.*s' is known for that time", (int)option.len, option.ptr);
    pofi_uftp_say(m, &e, i->line, "Start");
    return NULL;
}

static int64_t order_price(struct pofi_uftp_message *m, int64_t energy_ws)
{
    int64_t amount = 0;
    int64_t price = INT64_MAX; /* no record can have it */
    int64_t back = 0;
    struct pof_err e = {0};
    if (pof_decimal_parse(pofi_uftp_value(m, "Price"), 4, &amount) && energy_ws > 0 &&
        pof_muldiv(amount * POFI_UFTP_UEUR, POF_WS_PER_MWH, energy_ws, &price, &e) == 0 &&
        pof_cost(energy_ws, price, &back, &e) == 0) {
        m->u->counts.lost[POF_UFTP_LOST_PRICE] += back != amount * POFI_UFTP_UEUR;
    }
    return price;
}

int pofi_uftp_take_order(struct pofi_uftp_message *m, struct pof_err *err)
{
    char key[POFI_UFTP_UUID_LEN + 1 + 255 + 1];
    struct pof_text name = pofi_uftp_value(m, "OptionReference");
    struct pof_text message = pofi_uftp_value(m, "FlexOfferMessageID");
    int64_t energy_ws = 0;
    int rc = 0;
    int len = snprintf(key, sizeof key, "%.*s/%.*s", (int)message.len, message.ptr, (int)name.len, name.ptr);
    struct pof_text option = {key, (size_t)len};
    for (size_t k = 0; k < m->isps; k++) {
        energy_ws += (m->isp[k].low < 0 ? -m->isp[k].low : m->isp[k].low) * POF_QUARTER_S * m->isp[k].duration;
        for (int64_t q = 0; q < m->isp[k].duration && m->isp[k].low && m->sound; q++) {
            ordered(m, option, &m->isp[k], m->day + (m->isp[k].start - 1 + q) * POF_QUARTER_S);
        }
    }
    if (!m->sound) {
        return 0;
    }
    int64_t price = order_price(m, energy_ws);
    m->u->counts.lost[POF_UFTP_LOST_ASKED]++;
    for (size_t k = 0; k < m->isps && rc == 0; k++) {
        const struct pofi_uftp_isp *i = &m->isp[k];
        for (int64_t q = 0; q < i->duration && i->low && rc == 0; q++) {
            int64_t start = m->day + (i->start - 1 + q) * POF_QUARTER_S;
            rc = take_quarter(m, ordered(m, option, i, start), start, i->low < 0 ? -i->low : i->low, price, err);
        }
    }
    return rc;
}

/* --- revocations --- */

static int revocation_cmp(const void *a, const void *b)
{
    return pof_text_cmp(((const struct pof_revocation *)a)->id, ((const struct pof_revocation *)b)->id);
}

/* All offers of one FlexOffer, [r, r + n). */
static int write_revocation(struct pof_uftp_writer *w, const struct pof_revocation *r, size_t n,
                            const struct pof_uftp_offers *offers, struct pof_err *err)
{
    struct pof_buf xml = {0};
    struct pof_text message = message_of(r->id);
    struct pofi_uftp_head h = {.kind = "FlexOfferRevocation", .party = r->party, .start = r->received};
    const struct pof_text part[3] = {r->party, message, {"", 0}};
    size_t from = 0;
    size_t all = message.len ? find(offers, message, &from) : 0;
    if (all == 0 || all != n) {
        return pof_fail(err, POF_E_CONFLICT, all ? "%zu of %zu offers of FlexOffer '%.*s' are revoked; a FlexOfferRevocation takes "
                        "all of them back" : "%zu of %zu offers like '%.*s' came by a FlexOffer of --offers", n, all,
                        (int)(all ? message.len : r->id.len), r->id.ptr);
    }
    int rc = pofi_uftp_name(w, &h, part, err);
    rc = rc ? rc : pofi_uftp_open_payload(w, &h, &xml, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "FlexOfferMessageID", message, err);
    rc = rc ? rc : pof_buf_adds(&xml, "/>\n", err);
    rc = rc ? rc : w->message(w->ctx, h.kind, h.uuid, (struct pof_text){xml.data, xml.len}, err);
    w->counts.sound[POF_UFTP_REVOCATION] += rc == 0;
    pof_buf_release(&xml);
    return rc;
}

int pof_uftp_write_revocations(struct pof_uftp_writer *w, struct pof_revocation *r, size_t n,
                               const struct pof_uftp_offers *offers, struct pof_err *err)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        if (r[i].order == 0) { /* of an offer */
            r[kept++] = r[i];
        }
    }
    w->counts.lost[POF_UFTP_LOST_REVOKED] += n - kept;
    if (kept > 1) {
        qsort(r, kept, sizeof *r, revocation_cmp);
    }
    for (size_t i = 0, next; i < kept && rc == 0; i = next) {
        size_t different = 1;
        for (next = i + 1; next < kept && pof_text_eq(message_of(r[i].id), message_of(r[next].id)); next++) {
            different += !pof_text_eq(r[next - 1].id, r[next].id);
        }
        rc = write_revocation(w, &r[i], different, offers, err);
    }
    return rc;
}

int pofi_uftp_take_revocation(struct pofi_uftp_message *m, struct pof_err *err)
{
    struct pof_text message = pofi_uftp_value(m, "FlexOfferMessageID");
    struct pof_err e = {0};
    int64_t ms = 0;
    size_t from = 0;
    size_t n = find(m->u->offers, message, &from);
    int rc = 0;
    if (n == 0) {
        pof_fail(&e, POF_E_REFERENCE, "no offer of '%.*s' is known", (int)message.len, message.ptr);
        pofi_uftp_say(m, &e, m->root_line, "FlexOfferMessageID");
        return 0;
    }
    pof_instant_ms_parse(pofi_uftp_value(m, "TimeStamp"), &ms);
    for (size_t i = from; i < from + n && rc == 0; i++) {
        const struct pof_revocation r = {.id = m->u->offers->offer[i].id, .party = pofi_uftp_value(m, "SenderDomain"),
                                         .received = ms / 1000};
        rc = holds(m, POF_revocation, &r, m->root_line) ? m->u->revocation(m->u->ctx, &r, err) : 0;
    }
    return rc;
}
