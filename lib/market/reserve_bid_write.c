/* SPDX-License-Identifier: Apache-2.0 */
/* Offers to a ReserveBid_MarketDocument. */
#include "market/reserve_bid.h"
#include "market/reserve_bid_form.h"
#include "num/decimal.h"
#include "num/sha256.h"
#include "num/time.h"
#include "num/units.h"
#include "record/xml.h"

#include <stdlib.h>
#include <string.h>

static int check_code(const struct pof_reserve_writer *w, struct pof_text code, const char *what, size_t most,
                      struct pof_err *err)
{
    bool eic = pof_text_is(w->scheme, "A01");
    if (code.len >= 1 && code.len <= most && (!eic || pof_eic_is(code))) {
        return 0;
    }
    return pof_fail(err, POF_E_USAGE, "%s '%.*s' is not a code of the scheme %.*s%s", what, (int)code.len, code.ptr,
                    (int)w->scheme.len, w->scheme.ptr, eic ? " (EIC: 16 characters, the last one fits the others)" : "");
}

int pof_reserve_writer_check(const struct pof_reserve_writer *w, struct pof_err *err)
{
    const char *words;
    int rc = check_code(w, w->receiver, "receiver", POFI_RESERVE_PARTY_MAX, err);
    rc = rc ? rc : check_code(w, w->domain, "domain", POFI_RESERVE_AREA_MAX, err);
    rc = rc || !w->sender.len ? rc : check_code(w, w->sender, "sender", POFI_RESERVE_PARTY_MAX, err);
    if (rc == 0 && !pofi_reserve_fits(POFI_RESERVE_CODE, w->process, &words)) {
        rc = pof_fail(err, POF_E_USAGE, "process '%.*s' is not %s", (int)w->process.len, w->process.ptr, words);
    }
    return rc;
}

/* --- elements --- */

static int add(struct pof_buf *to, int depth, const char *name, struct pof_text text, struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "%*s<%s>", 2 * depth, "", name);
    rc = rc ? rc : pof_xml_add(to, text, err);
    return rc ? rc : pof_buf_addf(to, err, "</%s>\n", name);
}

static int add_coded(struct pof_buf *to, int depth, const char *name, const struct pof_text code[2],
                     struct pof_err *err)
{
    int rc = pof_buf_addf(to, err, "%*s<%s codingScheme=\"", 2 * depth, "", name);
    rc = rc ? rc : pof_xml_add(to, code[0], err);
    rc = rc ? rc : pof_buf_adds(to, "\">", err);
    rc = rc ? rc : pof_xml_add(to, code[1], err);
    return rc ? rc : pof_buf_addf(to, err, "</%s>\n", name);
}

static int add_number(struct pof_buf *to, const char *name, int64_t micro, struct pof_err *err)
{
    char text[POF_DECIMAL_MAX];
    return add(to, 4, name, (struct pof_text){text, pof_decimal_format(micro, POF_MICRO, text)}, err);
}

/* To the minute: 2026-03-10T10:00Z. */
static int add_interval(struct pof_buf *to, int depth, const int64_t time[2], struct pof_err *err)
{
    enum { MINUTES = 16 }; /* bytes before the seconds */
    static const char *const name[2] = {"start", "end"};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        char text[POF_INSTANT_MAX];
        pof_instant_format(time[i], text);
        rc = pof_buf_addf(to, err, "%*s<%s>%.*sZ</%s>\n", 2 * depth, "", name[i], MINUTES, text, name[i]);
    }
    return rc;
}

/* --- bids --- */

static struct pof_text name_of(const struct pof_offer *o)
{
    return POF_HAS(o, offer, block) ? o->block : o->id;
}

static int offer_cmp(const void *a, const void *b)
{
    const struct pof_offer *x = a;
    const struct pof_offer *y = b;
    int c = (int)POF_HAS(x, offer, block) - (int)POF_HAS(y, offer, block);
    c = c ? c : pof_text_cmp(name_of(x), name_of(y));
    c = c ? c : (x->start > y->start) - (x->start < y->start);
    return c ? c : pof_text_cmp(x->id, y->id);
}

static int64_t revision_of(const struct pof_offer *o)
{
    return POF_HAS(o, offer, revision) ? o->revision : 1;
}

static int64_t lead_of(const struct pof_offer *o)
{
    return POF_HAS(o, offer, lead_s) ? o->lead_s : -1;
}

static bool same_group(const struct pof_offer *x, const struct pof_offer *y)
{
    return POF_HAS(x, offer, group) == POF_HAS(y, offer, group) &&
           (!POF_HAS(x, offer, group) || pof_text_eq(x->group, y->group));
}

/* What a document cannot say in one; first: the first offer of all, bid: of its bid, last: before it in the bid. */
static int check_offer(const struct pof_offer *first, const struct pof_offer *bid, const struct pof_offer *last,
                       const struct pof_offer *o, struct pof_err *err)
{
    struct pof_text name = name_of(o);
    const char *why = NULL;
    const uint64_t known = UINT64_C(1) << POF_BIT_offer_min_w | UINT64_C(1) << POF_BIT_offer_block |
                           UINT64_C(1) << POF_BIT_offer_group | UINT64_C(1) << POF_BIT_offer_received |
                           UINT64_C(1) << POF_BIT_offer_revision | UINT64_C(1) << POF_BIT_offer_lead_s;
    const struct pof_field *beyond = pof_record_beyond(POF_offer, o->has, known);
    if (beyond) {
        return pof_fail(err, POF_E_CONFLICT, "offer '%.*s' has %s, which bids do not have", (int)o->id.len, o->id.ptr,
                        beyond->name);
    }
    if (o->start % POF_QUARTER_S || o->end % POF_QUARTER_S || o->end <= o->start) {
        return pof_fail(err, POF_E_RANGE, "offer '%.*s' is not for whole quarter-hours", (int)o->id.len, o->id.ptr);
    }
    if (name.len > POFI_RESERVE_ID_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "'%.*s' has more than the %d bytes of an identification", (int)name.len,
                        name.ptr, POFI_RESERVE_ID_MAX);
    }
    if (!pof_text_eq(first->seller, o->seller) || !pof_text_eq(first->session, o->session) ||
        revision_of(first) != revision_of(o)) {
        why = "is of another seller, session or revision than others; a document is of one";
    } else if (last && !POF_HAS(o, offer, block)) {
        why = "is given twice";
    } else if (!pof_text_eq(bid->pod, o->pod) || bid->direction != o->direction || !same_group(bid, o) ||
               lead_of(bid) != lead_of(o)) {
        why = "has another pod, direction, group or lead time than its block, which is one bid";
    } else if (last && last->end > o->start) {
        why = "is for a time of which its block has another offer";
    } else if (POF_HAS(o, offer, group) && o->group.len > POFI_RESERVE_ID_MAX) {
        why = "has a group whose name is longer than an identification, 60 bytes";
    } else if (o->pod.len > POFI_RESERVE_ID_MAX) {
        why = "has a pod whose name is longer than the code of a resource, 60 bytes";
    }
    return why ? pof_fail(err, POF_E_CONFLICT, "offer '%.*s' %s", (int)o->id.len, o->id.ptr, why) : 0;
}

/* The quarter-hours of offers that follow each other without a gap, [o, o + n). */
static int add_period(struct pof_buf *to, const struct pof_offer *o, size_t n, struct pof_err *err)
{
    const int64_t time[2] = {o[0].start, o[n - 1].end};
    int position = 1;
    int rc = pof_buf_adds(to, "    <Period>\n      <timeInterval>\n", err);
    rc = rc ? rc : add_interval(to, 4, time, err);
    rc = rc ? rc : pof_buf_adds(to, "      </timeInterval>\n      <resolution>PT15M</resolution>\n", err);
    for (size_t i = 0; i < n; i++) {
        for (int64_t at = o[i].start; at < o[i].end && rc == 0; at += POF_QUARTER_S) {
            bool least = POF_HAS(&o[i], offer, min_w) && o[i].min_w < o[i].p_w;
            rc = pof_buf_addf(to, err, "      <Point>\n        <position>%d</position>\n", position++);
            rc = rc ? rc : add_number(to, "quantity.quantity", o[i].p_w, err);
            rc = rc || !least ? rc : add_number(to, "minimum_Quantity.quantity", o[i].min_w, err);
            rc = rc ? rc : add_number(to, "energy_Price.amount", o[i].price_ueur_mwh, err);
            rc = rc ? rc : pof_buf_adds(to, "      </Point>\n", err);
        }
    }
    return rc ? rc : pof_buf_adds(to, "    </Period>\n", err);
}

static int add_lead(struct pof_buf *to, int64_t s, struct pof_err *err)
{
    const char *name = "activation_ConstraintDuration.duration";
    return s % 60 ? pof_buf_addf(to, err, "    <%s>PT%lldS</%s>\n", name, (long long)s, name)
                  : pof_buf_addf(to, err, "    <%s>PT%lldM</%s>\n", name, (long long)(s / 60), name);
}

/* The offers [o, o + n) of one bid. */
static int add_bid(struct pof_reserve_writer *w, struct pof_buf *to, const struct pof_offer *o, size_t n,
                   struct pof_err *err)
{
    const struct pof_text domain[2] = {w->scheme, w->domain};
    const struct pof_text pod[2] = {w->resource_scheme, o->pod};
    bool block = POF_HAS(o, offer, block);
    bool whole = block || (POF_HAS(o, offer, min_w) && o->min_w >= o->p_w);
    int rc = pof_buf_adds(to, "  <Bid_TimeSeries>\n", err);
    rc = rc ? rc : add(to, 2, "mRID", name_of(o), err);
    rc = rc ? rc : pof_buf_adds(to, "    <businessType>B74</businessType>\n", err);
    rc = rc ? rc : add_coded(to, 2, "acquiring_Domain.mRID", domain, err);
    rc = rc ? rc : add_coded(to, 2, "connecting_Domain.mRID", domain, err);
    rc = rc ? rc : pof_buf_addf(to, err, "    <quantity_Measurement_Unit.name>MAW</quantity_Measurement_Unit.name>\n"
                                "    <currency_Unit.name>EUR</currency_Unit.name>\n    <divisible>%s</divisible>\n",
                                whole ? "A02" : "A01");
    rc = rc || !POF_HAS(o, offer, group) ? rc : add(to, 2, "exclusiveBidsIdentification", o->group, err);
    rc = rc || !block ? rc : pof_buf_adds(to, "    <blockBid>A01</blockBid>\n", err);
    rc = rc ? rc : pof_buf_adds(to, "    <status>\n      <value>A06</value>\n    </status>\n", err);
    rc = rc ? rc : add_coded(to, 2, "registeredResource.mRID", pod, err);
    rc = rc ? rc : add(to, 2, "flowDirection.direction", pof_text(o->direction == POF_UP ? "A01" : "A02"), err);
    rc = rc ? rc : pof_buf_adds(to, "    <energyPrice_Measurement_Unit.name>MWH</energyPrice_Measurement_Unit.name>\n", err);
    rc = rc || lead_of(o) <= 0 ? rc : add_lead(to, o->lead_s, err);
    for (size_t i = 0; i < n && rc == 0;) {
        size_t next = i + 1;
        while (next < n && o[next].start == o[next - 1].end) {
            next++;
        }
        rc = add_period(to, &o[i], next - i, err);
        i = next;
    }
    w->bids += rc == 0;
    return rc ? rc : pof_buf_adds(to, "  </Bid_TimeSeries>\n", err);
}

static int add_bids(struct pof_reserve_writer *w, struct pof_buf *to, const struct pof_offer *o, size_t n,
                    struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0, next; i < n && rc == 0; i = next) {
        for (next = i; next < n && rc == 0 && (next == i || (POF_HAS(&o[i], offer, block) == POF_HAS(&o[next], offer, block) &&
                                               pof_text_eq(name_of(&o[i]), name_of(&o[next])))); next++) {
            rc = check_offer(&o[0], &o[i], next > i ? &o[next - 1] : NULL, &o[next], err);
            w->received += POF_HAS(&o[next], offer, received) && o[next].received != w->now;
        }
        rc = rc ? rc : add_bid(w, to, &o[i], next - i, err);
    }
    return rc;
}

/* --- the document --- */

static void make_uuid(const struct pof_text part[3], char to[POF_UUID_MAX])
{
    struct pof_sha256 h;
    uint8_t digest[POF_SHA256_BYTES];
    pof_sha256_init(&h);
    for (int i = 0; i < 3; i++) {
        pof_sha256_add(&h, part[i].ptr, part[i].len);
        pof_sha256_add(&h, "", 1);
    }
    pof_sha256_end(&h, digest);
    pof_sha256_uuid(digest, to);
}

static void find_window(const struct pof_offer *o, size_t n, int64_t window[2])
{
    window[0] = o[0].start;
    window[1] = o[0].end;
    for (size_t i = 1; i < n; i++) {
        window[0] = o[i].start < window[0] ? o[i].start : window[0];
        window[1] = o[i].end > window[1] ? o[i].end : window[1];
    }
}

struct content {
    const struct pof_offer *first;
    int64_t window[2];
    struct pof_text bids;
};

static int add_header(const struct pof_reserve_writer *w, const struct content *c, struct pof_buf *to,
                      struct pof_err *err)
{
    char uuid[POF_UUID_MAX];
    char now[POF_INSTANT_MAX];
    struct pof_text sender = w->sender.len ? w->sender : c->first->seller;
    const struct pof_text from[2] = {w->scheme, sender};
    const struct pof_text receiver[2] = {w->scheme, w->receiver};
    const struct pof_text domain[2] = {w->scheme, w->domain};
    const struct pof_text part[3] = {sender, w->receiver, c->bids};
    make_uuid(part, uuid);
    int rc = pof_buf_addf(to, err, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ReserveBid_MarketDocument "
                          "xmlns=\"urn:iec62325.351:tc57wg16:451-7:reservebiddocument:7:4\">\n  <mRID>%s</mRID>\n"
                          "  <revisionNumber>%lld</revisionNumber>\n  <type>A37</type>\n", uuid,
                          (long long)revision_of(c->first));
    rc = rc ? rc : add(to, 1, "process.processType", w->process, err);
    rc = rc ? rc : add_coded(to, 1, "sender_MarketParticipant.mRID", from, err);
    rc = rc ? rc : add(to, 1, "sender_MarketParticipant.marketRole.type", pof_text("A46"), err);
    rc = rc ? rc : add_coded(to, 1, "receiver_MarketParticipant.mRID", receiver, err);
    rc = rc ? rc : add(to, 1, "receiver_MarketParticipant.marketRole.type", pof_text("A34"), err);
    rc = rc ? rc : add(to, 1, "createdDateTime", (struct pof_text){now, pof_instant_format(w->now, now)}, err);
    rc = rc ? rc : pof_buf_adds(to, "  <reserveBid_Period.timeInterval>\n", err);
    rc = rc ? rc : add_interval(to, 2, c->window, err);
    rc = rc ? rc : pof_buf_adds(to, "  </reserveBid_Period.timeInterval>\n", err);
    rc = rc ? rc : add_coded(to, 1, "domain.mRID", domain, err);
    rc = rc ? rc : add_coded(to, 1, "subject_MarketParticipant.mRID", from, err);
    return rc ? rc : add(to, 1, "subject_MarketParticipant.marketRole.type", pof_text("A46"), err);
}

int pof_reserve_write(struct pof_reserve_writer *w, struct pof_offer *offers, size_t n, struct pof_buf *xml,
                      struct pof_err *err)
{
    struct pof_buf bids = {0};
    if (n == 0) {
        return pof_fail(err, POF_E_MISSING, "no offers; a document has at least one bid");
    }
    qsort(offers, n, sizeof *offers, offer_cmp);
    int rc = w->sender.len ? 0 : check_code(w, offers[0].seller, "seller", POFI_RESERVE_PARTY_MAX, err);
    if (rc && err) {
        pof_at(err, NULL, 0, "seller");
    }
    if (rc == 0 && revision_of(&offers[0]) > 999) {
        rc = pof_fail(err, POF_E_RANGE, "revision %lld; a document has 1 to 999", (long long)revision_of(&offers[0]));
    }
    rc = rc ? rc : add_bids(w, &bids, offers, n, err);
    struct content c = {.first = offers, .bids = {bids.data, bids.len}};
    find_window(offers, n, c.window);
    rc = rc ? rc : add_header(w, &c, xml, err);
    rc = rc ? rc : pof_buf_add(xml, bids.data, bids.len, err);
    rc = rc ? rc : pof_buf_adds(xml, "</ReserveBid_MarketDocument>\n", err);
    pof_buf_release(&bids);
    return rc;
}
