/* SPDX-License-Identifier: Apache-2.0 */
/* Records to messages of UFTP 3. */
#include "market/uftp.h"
#include "market/uftp_impl.h"
#include "num/decimal.h"
#include "num/units.h"
#include "record/xml.h"

#include <stdlib.h>
#include <string.h>

enum { PERCENT = 100, UEUR_PER_AMOUNT = 100 };

const char *pof_uftp_lost_text(enum pof_uftp_lost lost)
{
    static const char *const text[POF_UFTP_LOSTS] = {
        "ISPs only tell available space, which a request does not say",
        "requests have a least deviation, which a request does not say",
        "messages expire, which a record does not say",
        "messages name a contract or service type, which a record does not say",
        "options can be activated in part over several ISPs; they are blocks, whole or not at all",
        "prices are not a whole millionth EUR/MWh; they are rounded",
        "requests have a price limit, which a FlexRequest does not say",
        "offers have a parent, which a FlexOffer does not say",
        "offers of several quarter-hours may be taken in each by itself; an option is activated in all alike",
        "offers may be taken by less, or to other amounts, than whole hundredths; the least factor is the next one up",
        "options cost no whole ten-thousandth of a euro; they are rounded up",
        "settlements have amounts that are no whole ten-thousandth of a euro; their sums are rounded",
        "settlements have tokens or an owner's part, which a FlexSettlement does not say",
        "orders do not say which request they serve; their conversation stands for it",
        "revocations are of requests, which UFTP cannot revoke",
        "orders are not the same part of their option in all of its ISPs; ActivationFactor is the largest",
        "orders are no whole hundredth of their option; ActivationFactor is the next one up",
        "orders are for less than the least part of their option",
        "orders cost no whole ten-thousandth of a euro; they are rounded",
        "outcomes have no power left and order nothing",
        "settled orders are of several ISPs; their amounts are divided by what each delivered and missed",
        "contracts are settled, which records do not say"};
    return text[lost];
}

int pof_uftp_writer_check(const struct pof_uftp_writer *w, struct pof_err *err)
{
    struct pof_buf b = {0};
    if (w->sender.len && !pof_uftp_is_domain(w->sender)) {
        return pof_fail(err, POF_E_USAGE, "sender '%.*s' is not an Internet domain in small letters",
                        (int)w->sender.len, w->sender.ptr);
    }
    if (!pof_uftp_is_domain(w->recipient)) {
        return pof_fail(err, POF_E_USAGE, "recipient '%.*s' is not an Internet domain in small letters",
                        (int)w->recipient.len, w->recipient.ptr);
    }
    int rc = pof_buf_add(&b, w->area.ptr, w->area.len, err);
    rc = rc ? rc : pof_buf_adds(&b, ":x", err);
    if (rc == 0 && !pof_uftp_is_entity((struct pof_text){b.data, b.len})) {
        rc = pof_fail(err, POF_E_USAGE, "'%.*s' does not begin an entity address; expected such as "
                      "ea1.2026-11.dso.example", (int)w->area.len, w->area.ptr);
    }
    pof_buf_release(&b);
    return rc;
}

int pofi_uftp_add(struct pof_buf *to, const char *name, struct pof_text value, struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, " %s=\"", name);
    rc = rc ? rc : pof_xml_add(to, value, err);
    return rc ? rc : pof_buf_adds(to, "\"", err);
}

static int add_instant(struct pof_buf *to, const char *name, int64_t s, struct pof_err *err)
{
    char text[POF_INSTANT_MAX];
    return pofi_uftp_add(to, name, (struct pof_text){text, pof_instant_format(s, text)}, err);
}

int pofi_uftp_name(struct pof_uftp_writer *w, struct pofi_uftp_head *h, const struct pof_text part[3],
                        struct pof_err *err)
{
    struct pof_buf b = {0};
    int rc = pof_buf_addf(&b, err, "%s %lld", h->kind, (long long)h->start);
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = pof_buf_addf(&b, err, " %zu:", part[i].len);
        rc = rc ? rc : pof_buf_add(&b, part[i].ptr, part[i].len, err);
    }
    rc = rc ? rc : w->uuid(w->ctx, (struct pof_text){b.data, b.len}, h->uuid, err);
    pof_buf_release(&b);
    return rc;
}

int pofi_uftp_open_payload(struct pof_uftp_writer *w, const struct pofi_uftp_head *h, struct pof_buf *to, struct pof_err *err)
{
    struct pof_text sender = w->sender.len ? w->sender : h->party;
    if (!pof_uftp_is_domain(sender)) {
        return pof_fail(err, POF_E_USAGE, "'%.*s' is not an Internet domain; name one by --sender",
                        (int)sender.len, sender.ptr);
    }
    int rc = pof_buf_addf(to, err, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s Version=\"3.0.0\"", h->kind);
    rc = rc ? rc : pofi_uftp_add(to, "SenderDomain", sender, err);
    rc = rc ? rc : pofi_uftp_add(to, "RecipientDomain", h->other.len ? h->other : w->recipient, err);
    rc = rc ? rc : add_instant(to, "TimeStamp", w->now, err);
    rc = rc ? rc : pofi_uftp_add(to, "MessageID", pof_text(h->uuid), err);
    return rc ? rc : pofi_uftp_add(to, "ConversationID", pof_text(h->uuid), err);
}

int pofi_uftp_open(struct pof_uftp_writer *w, const struct pofi_uftp_head *h, struct pof_buf *to, struct pof_err *err)
{
    char date[10];
    struct pof_buf point = {0};
    pof_date_format(pof_local_date(w->zone, h->start), date);
    int rc = pofi_uftp_open_payload(w, h, to, err);
    rc = rc ? rc : pofi_uftp_add(to, "ISP-Duration", pof_text("PT15M"), err);
    rc = rc ? rc : pofi_uftp_add(to, "TimeZone", pof_text(w->zone_name), err);
    rc = rc ? rc : pofi_uftp_add(to, "Period", (struct pof_text){date, sizeof date}, err);
    rc = rc ? rc : pof_buf_addf(&point, err, "%.*s:", (int)w->area.len, w->area.ptr);
    rc = rc ? rc : *h->place ? pof_buf_addf(&point, err, "%s.", h->place) : 0;
    rc = rc ? rc : pof_buf_add(&point, h->name.ptr, h->name.len, err);
    rc = rc ? rc : pofi_uftp_add(to, "CongestionPoint", (struct pof_text){point.data, point.len}, err);
    if (rc == 0 && !h->lasting) {
        rc = add_instant(to, "ExpirationDateTime", w->expires == INT64_MIN ? h->start : w->expires, err);
    }
    pof_buf_release(&point);
    return rc;
}

/* Number of the ISP that begins at an instant of the local day of h, from 1. */
int64_t pofi_uftp_isp(const struct pof_uftp_writer *w, int64_t at)
{
    int64_t start;
    int64_t end;
    pof_market_day(w->zone, pof_local_date(w->zone, at), &start, &end);
    return (at - start) / POF_QUARTER_S + 1;
}

int64_t pofi_uftp_day_end(const struct pof_uftp_writer *w, int64_t at)
{
    int64_t start;
    int64_t end;
    pof_market_day(w->zone, pof_local_date(w->zone, at), &start, &end);
    return end;
}

static int check_quarters(int64_t start, int64_t end, struct pof_err *err)
{
    return start % POF_QUARTER_S == 0 && end % POF_QUARTER_S == 0 && end > start
               ? 0
               : pof_fail(err, POF_E_TIME, "start and end must be begins of quarter-hours, end behind start");
}

/* --- requests --- */

static int request_of_day(struct pof_uftp_writer *w, const struct pof_request *r, int64_t from, int64_t to,
                          struct pof_err *err)
{
    bool branch = POF_HAS(r, request, branch), node = POF_HAS(r, request, node);
    struct pofi_uftp_head h = {.kind = "FlexRequest", .place = branch ? "branch" : node ? "node" : "", .party = r->buyer,
                     .name = branch ? r->branch : node ? r->node : pof_text("grid"), .start = from};
    const struct pof_text part[3] = {r->buyer, r->session, r->id};
    struct pof_buf xml = {0};
    int64_t p = r->direction == POF_UP ? -r->p_w : r->p_w;
    int rc = pofi_uftp_name(w, &h, part, err);
    rc = rc ? rc : pofi_uftp_open(w, &h, &xml, err);
    rc = rc ? rc : pof_buf_addf(&xml, err, " Revision=\"1\">\n  <ISP Disposition=\"Requested\" MinPower=\"%lld\" "
                                "MaxPower=\"%lld\" Start=\"%lld\" Duration=\"%lld\"/>\n</FlexRequest>\n",
                                (long long)(p < 0 ? p : 0), (long long)(p < 0 ? 0 : p),
                                (long long)pofi_uftp_isp(w, from), (long long)((to - from) / POF_QUARTER_S));
    rc = rc ? rc : w->message(w->ctx, h.kind, h.uuid, (struct pof_text){xml.data, xml.len}, err);
    w->counts.sound[POF_UFTP_REQUEST] += rc == 0;
    pof_buf_release(&xml);
    return rc;
}

int pof_uftp_write_request(struct pof_uftp_writer *w, const struct pof_request *r, struct pof_err *err)
{
    int rc = check_quarters(r->start, r->end, err);
    if (rc == 0 && POF_HAS(r, request, nodes)) {
        pof_fail(err, POF_E_CONFLICT, "a FlexRequest has one congestion point, not a list of nodes; name the branch "
                                      "that feeds them");
        rc = pof_at(err, NULL, 0, "nodes");
    }
    w->counts.lost[POF_UFTP_LOST_LIMIT] += POF_HAS(r, request, price_limit_ueur_mwh);
    for (int64_t at = r->start; at < r->end && rc == 0;) {
        int64_t to = pofi_uftp_day_end(w, at);
        to = to < r->end ? to : r->end;
        rc = request_of_day(w, r, at, to, err);
        at = to;
    }
    return rc;
}

/* --- offers --- */

static struct pof_text option_of(const struct pof_offer *o)
{
    return POF_HAS(o, offer, block) ? o->block : o->id;
}

static struct pof_text message_of(const struct pof_offer *o)
{
    return POF_HAS(o, offer, group) ? o->group : option_of(o);
}

/* Are they of one message? Session, seller, and group, or else block, or else nothing but themselves. */
static int message_cmp(const struct pof_offer *x, const struct pof_offer *y)
{
    int c = pof_text_cmp(x->session, y->session);
    c = c ? c : pof_text_cmp(x->seller, y->seller);
    c = c ? c : (int)POF_HAS(x, offer, group) - (int)POF_HAS(y, offer, group);
    c = c || POF_HAS(x, offer, group) ? c : (int)POF_HAS(x, offer, block) - (int)POF_HAS(y, offer, block);
    return c ? c : pof_text_cmp(message_of(x), message_of(y));
}

static int option_cmp(const struct pof_offer *x, const struct pof_offer *y)
{
    int c = (int)POF_HAS(x, offer, block) - (int)POF_HAS(y, offer, block);
    return c ? c : pof_text_cmp(option_of(x), option_of(y));
}

static int offer_cmp(const void *a, const void *b)
{
    const struct pof_offer *x = a;
    const struct pof_offer *y = b;
    int c = message_cmp(x, y);
    c = c ? c : option_cmp(x, y);
    c = c ? c : (x->start > y->start) - (x->start < y->start);
    return c ? c : pof_text_cmp(x->id, y->id);
}

static int check_same(const struct pof_uftp_writer *w, const struct pof_offer *first, const struct pof_offer *o,
                      struct pof_err *err)
{
    int rc = check_quarters(o->start, o->end, err);
    const uint64_t endurance = UINT64_C(1) << POF_BIT_offer_max_active_s | UINT64_C(1) << POF_BIT_offer_rest_s |
                               UINT64_C(1) << POF_BIT_offer_max_activations;
    const struct pof_field *beyond = pof_record_beyond(POF_offer, o->has, ~endurance);
    if (rc == 0 && beyond) {
        rc = pof_fail(err, POF_E_CONFLICT, "offer '%.*s' has %s, which a FlexOffer cannot say", (int)o->id.len, o->id.ptr,
                      beyond->name);
    }
    bool place = pof_text_eq(first->pod, o->pod) && pof_text_eq(first->node, o->node);
    bool day = pofi_uftp_day_end(w, first->start) == pofi_uftp_day_end(w, o->start) && o->end <= pofi_uftp_day_end(w, o->start);
    if (rc == 0 && !(place && day)) {
        rc = pof_fail(err, POF_E_CONFLICT,
                      "offer '%.*s' does not fit one FlexOffer, which is for one pod, node and local day",
                      (int)o->id.len, o->id.ptr);
    }
    return rc;
}

/* Least activation in 1/100, rounded up; of a block all. */
static int64_t least_factor(struct pof_uftp_writer *w, const struct pof_offer *o)
{
    if (POF_HAS(o, offer, block)) {
        return PERCENT;
    }
    int64_t least = POF_HAS(o, offer, min_w) ? o->min_w : 1;
    int64_t factor = (least * PERCENT + o->p_w - 1) / o->p_w;
    w->counts.lost[POF_UFTP_LOST_PERCENT] += least != o->p_w && least * PERCENT != factor * o->p_w;
    w->counts.lost[POF_UFTP_LOST_DIVISIBLE] += o->end - o->start > POF_QUARTER_S;
    return factor;
}

/* The offers [o, o + n) of one option. */
static int add_option(struct pof_uftp_writer *w, struct pof_buf *xml, const struct pof_offer *o, size_t n,
                      struct pof_err *err)
{
    char price[POF_DECIMAL_MAX];
    char factor[POF_DECIMAL_MAX];
    int64_t money = 0;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        int64_t one;
        rc = pof_cost(o[i].p_w * (o[i].end - o[i].start), o[i].price_ueur_mwh, &one, err);
        rc = rc ? rc : pof_add(&money, one, err);
        if (rc == 0 && i && o[i - 1].end > o[i].start) {
            rc = pof_fail(err, POF_E_DUPLICATE, "offers '%.*s' and '%.*s' of one block are for the same time",
                          (int)o[i - 1].id.len, o[i - 1].id.ptr, (int)o[i].id.len, o[i].id.ptr);
        }
    }
    int64_t amount = money / UEUR_PER_AMOUNT + (money % UEUR_PER_AMOUNT != 0);
    w->counts.lost[POF_UFTP_LOST_CENT] += money % UEUR_PER_AMOUNT != 0;
    int a = (int)pof_decimal_format(amount, 4, price);
    int f = (int)pof_decimal_format(least_factor(w, o), 2, factor);
    rc = rc ? rc : pof_buf_adds(xml, "  <OfferOption", err);
    rc = rc ? rc : pofi_uftp_add(xml, "OptionReference", option_of(o), err);
    rc = rc ? rc : pof_buf_addf(xml, err, " Price=\"%.*s\" MinActivationFactor=\"%.*s\">\n", a, price, f, factor);
    for (size_t i = 0; i < n && rc == 0; i++) {
        int64_t p = o[i].direction == POF_UP ? -o[i].p_w : o[i].p_w;
        rc = pof_buf_addf(xml, err, "    <ISP Power=\"%lld\" Start=\"%lld\" Duration=\"%lld\"/>\n", (long long)p,
                          (long long)pofi_uftp_isp(w, o[i].start),
                          (long long)((o[i].end - o[i].start) / POF_QUARTER_S));
        w->counts.lost[POF_UFTP_LOST_PARENT] += POF_HAS(&o[i], offer, parent);
    }
    return rc ? rc : pof_buf_adds(xml, "  </OfferOption>\n", err);
}

/* The offers [o, o + n) of one message. */
static int write_offer(struct pof_uftp_writer *w, const struct pof_offer *o, size_t n, struct pof_err *err)
{
    struct pof_buf xml = {0};
    struct pofi_uftp_head h = {.kind = "FlexOffer", .place = "node", .party = o->seller, .name = o->node, .start = o->start};
    const struct pof_text part[3] = {o->seller, o->session, message_of(o)};
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = check_same(w, o, &o[i], err);
        h.start = o[i].start < h.start ? o[i].start : h.start;
    }
    rc = rc ? rc : pofi_uftp_name(w, &h, part, err);
    rc = rc ? rc : pofi_uftp_open(w, &h, &xml, err);
    rc = rc ? rc : pofi_uftp_add(&xml, "BaselineReference", o->pod, err);
    rc = rc ? rc : pof_buf_adds(&xml, " Currency=\"EUR\">\n", err);
    for (size_t i = 0; i < n && rc == 0;) {
        size_t to = i + 1;
        while (to < n && option_cmp(&o[i], &o[to]) == 0) {
            to++;
        }
        rc = add_option(w, &xml, &o[i], to - i, err);
        i = to;
    }
    rc = rc ? rc : pof_buf_adds(&xml, "</FlexOffer>\n", err);
    rc = rc ? rc : w->message(w->ctx, h.kind, h.uuid, (struct pof_text){xml.data, xml.len}, err);
    w->counts.sound[POF_UFTP_OFFER] += rc == 0;
    pof_buf_release(&xml);
    return rc;
}

int pof_uftp_write_offers(struct pof_uftp_writer *w, struct pof_offer *offers, size_t n, struct pof_err *err)
{
    int rc = 0;
    if (n > 1) {
        qsort(offers, n, sizeof *offers, offer_cmp);
    }
    for (size_t i = 0; i < n && rc == 0;) {
        size_t to = i + 1;
        while (to < n && message_cmp(&offers[i], &offers[to]) == 0) {
            to++;
        }
        rc = write_offer(w, &offers[i], to - i, err);
        i = to;
    }
    return rc;
}

/* --- settlements --- */

static int settlement_cmp(const void *a, const void *b)
{
    const struct pof_settlement *x = a;
    const struct pof_settlement *y = b;
    int c = pof_text_cmp(x->buyer, y->buyer);
    c = c ? c : pof_text_cmp(x->seller, y->seller);
    c = c ? c : (x->start > y->start) - (x->start < y->start);
    c = c ? c : pof_text_cmp(x->pod, y->pod);
    c = c ? c : pof_text_cmp(x->session, y->session);
    return c ? c : pof_text_cmp(x->award, y->award);
}

/* The amounts of a message so far, in 1e-6 EUR, and as they were written, in 1e-4. Each amount is what is new in the
 * rounded sum, so rounding never adds up. */
struct sums {
    int64_t fee, penalty, fee_written, penalty_written;
};

static int next_amount(int64_t *sum, int64_t add, int64_t *written, int64_t *amount, struct pof_err *err)
{
    int64_t rounded = 0;
    int rc = pof_add(sum, add, err);
    rc = rc ? rc : pof_muldiv(*sum, 1, UEUR_PER_AMOUNT, &rounded, err);
    *amount = rounded - *written;
    *written = rounded;
    return rc;
}

static int add_amount(struct pof_buf *xml, const char *name, int64_t amount, struct pof_err *err)
{
    char text[POF_DECIMAL_MAX];
    return pofi_uftp_add(xml, name, (struct pof_text){text, pof_decimal_format(amount, 4, text)}, err);
}

static int add_point(const struct pof_uftp_writer *w, struct pof_buf *xml, struct pof_text pod, struct pof_err *err)
{
    struct pof_buf point = {0};
    int rc = pof_buf_addf(&point, err, "%.*s:pod.%.*s", (int)w->area.len, w->area.ptr, (int)pod.len, pod.ptr);
    rc = rc ? rc : pofi_uftp_add(xml, "CongestionPoint", (struct pof_text){point.data, point.len}, err);
    pof_buf_release(&point);
    return rc;
}

/* What the FlexOrder of an award is called: as pof-clear names it, SESSION:OFFER:TIME, with the offer of a FlexOffer it is
 * the option; of any other the award. */
static struct pof_text order_of(const struct pof_settlement *s)
{
    struct pof_text t = s->award;
    if (t.len > s->session.len && memcmp(t.ptr, s->session.ptr, s->session.len) == 0 && t.ptr[s->session.len] == ':') {
        t.ptr += s->session.len + 1;
        t.len -= s->session.len + 1;
        t = pofi_uftp_option(t);
    }
    return t.len && t.ptr != s->award.ptr ? t : s->award;
}

static int add_settlement(struct pof_uftp_writer *w, struct pof_buf *xml, const struct pof_settlement *s,
                          struct sums *sums, struct pof_err *err)
{
    char date[10];
    int64_t price = 0;
    int64_t penalty = 0;
    int64_t sign = s->direction == POF_UP ? -1 : 1;
    pof_date_format(pof_local_date(w->zone, s->start), date);
    w->counts.lost[POF_UFTP_LOST_AMOUNT] += s->fee_ueur % UEUR_PER_AMOUNT || s->penalty_ueur % UEUR_PER_AMOUNT;
    w->counts.lost[POF_UFTP_LOST_SHARE] += s->tokens || POF_HAS(s, settlement, owner);
    int rc = check_quarters(s->start, s->start + s->duration_s, err);
    rc = rc ? rc : next_amount(&sums->fee, s->fee_ueur, &sums->fee_written, &price, err);
    rc = rc ? rc : next_amount(&sums->penalty, s->penalty_ueur, &sums->penalty_written, &penalty, err);
    rc = rc ? rc : pof_buf_adds(xml, "  <FlexOrderSettlement", err);
    rc = rc ? rc : pofi_uftp_add(xml, "Period", (struct pof_text){date, sizeof date}, err);
    rc = rc ? rc : pofi_uftp_add(xml, "BaselineReference", s->pod, err);
    rc = rc ? rc : pofi_uftp_add(xml, "OrderReference", order_of(s), err);
    rc = rc ? rc : add_point(w, xml, s->pod, err);
    rc = rc ? rc : add_amount(xml, "Price", price, err);
    rc = rc ? rc : add_amount(xml, "Penalty", penalty, err);
    rc = rc ? rc : add_amount(xml, "NetSettlement", price - penalty, err);
    rc = rc ? rc : pof_buf_addf(xml, err, ">\n    <ISP Start=\"%lld\" Duration=\"%lld\" BaselinePower=\"%lld\" "
                                "OrderedFlexPower=\"%lld\"", (long long)pofi_uftp_isp(w, s->start),
                                (long long)(s->duration_s / POF_QUARTER_S), (long long)s->baseline_w,
                                (long long)(sign * s->ordered_w));
    return rc ? rc : pof_buf_addf(xml, err, " ActualPower=\"%lld\" DeliveredFlexPower=\"%lld\" "
                                  "PowerDeficiency=\"%lld\"/>\n  </FlexOrderSettlement>\n", (long long)s->measured_w,
                                  (long long)(sign * s->delivered_w), (long long)s->deficiency_w);
}

/* The settlements [s, s + n) between one buyer and one seller. */
static int write_settlement(struct pof_uftp_writer *w, const struct pof_settlement *s, size_t n, struct pof_err *err)
{
    char date[10];
    struct pof_buf xml = {0};
    struct sums sums = {0};
    struct pofi_uftp_head h = {.kind = "FlexSettlement", .party = s->buyer, .start = s->start};
    const struct pof_text part[3] = {s->buyer, s->session, s->seller};
    int rc = pofi_uftp_name(w, &h, part, err);
    rc = rc ? rc : pofi_uftp_open_payload(w, &h, &xml, err);
    pof_date_format(pof_local_date(w->zone, s->start), date);
    rc = rc ? rc : pofi_uftp_add(&xml, "PeriodStart", (struct pof_text){date, sizeof date}, err);
    pof_date_format(pof_local_date(w->zone, s[n - 1].start), date);
    rc = rc ? rc : pofi_uftp_add(&xml, "PeriodEnd", (struct pof_text){date, sizeof date}, err);
    rc = rc ? rc : pof_buf_adds(&xml, " Currency=\"EUR\">\n", err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = add_settlement(w, &xml, &s[i], &sums, err);
    }
    rc = rc ? rc : pof_buf_adds(&xml, "</FlexSettlement>\n", err);
    rc = rc ? rc : w->message(w->ctx, h.kind, h.uuid, (struct pof_text){xml.data, xml.len}, err);
    w->counts.sound[POF_UFTP_SETTLEMENT] += rc == 0;
    pof_buf_release(&xml);
    return rc;
}

int pof_uftp_write_settlements(struct pof_uftp_writer *w, struct pof_settlement *s, size_t n, struct pof_err *err)
{
    int rc = 0;
    if (n > 1) {
        qsort(s, n, sizeof *s, settlement_cmp);
    }
    for (size_t i = 0; i < n && rc == 0;) {
        size_t to = i + 1;
        while (to < n && pof_text_eq(s[to].buyer, s[i].buyer) && pof_text_eq(s[to].seller, s[i].seller)) {
            to++;
        }
        rc = write_settlement(w, &s[i], to - i, err);
        i = to;
    }
    return rc;
}
