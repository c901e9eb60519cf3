/* SPDX-License-Identifier: Apache-2.0 */
/* The elements of a ReserveBid_MarketDocument and the forms of their texts. */
#include "market/reserve_bid_form.h"

#include "num/decimal.h"
#include "num/time.h"

#include <string.h>

#define ROW(name, in, level, form, item, required, many) \
    {name, POFI_RESERVE_##in, level, POFI_RESERVE_##form, POFI_RESERVE_##item, required, many}
#define NEEDS(name, in, form, item) ROW(name, in, 0, form, item, true, false)
#define MAY(name, in, form, item) ROW(name, in, 0, form, item, false, false)

const struct pofi_reserve_element pofi_reserve_elements[] = {
    ROW("ReserveBid_MarketDocument", ROOT, POFI_RESERVE_DOCUMENT, PARENT, NONE, true, false),
    NEEDS("mRID", DOCUMENT, ID, NONE),
    NEEDS("revisionNumber", DOCUMENT, REVISION, NUMBER),
    NEEDS("type", DOCUMENT, CODE, TYPE),
    NEEDS("process.processType", DOCUMENT, CODE, NONE),
    NEEDS("sender_MarketParticipant.mRID", DOCUMENT, PARTY, SENDER),
    NEEDS("sender_MarketParticipant.marketRole.type", DOCUMENT, CODE, NONE),
    NEEDS("receiver_MarketParticipant.mRID", DOCUMENT, PARTY, NONE),
    NEEDS("receiver_MarketParticipant.marketRole.type", DOCUMENT, CODE, NONE),
    NEEDS("createdDateTime", DOCUMENT, SECOND, CREATED),
    ROW("reserveBid_Period.timeInterval", DOCUMENT, POFI_RESERVE_WINDOW, PARENT, NONE, true, false),
    NEEDS("start", WINDOW, MINUTE, FROM),
    NEEDS("end", WINDOW, MINUTE, TO),
    MAY("domain.mRID", DOCUMENT, AREA, NONE),
    MAY("subject_MarketParticipant.mRID", DOCUMENT, PARTY, SUBJECT),
    MAY("subject_MarketParticipant.marketRole.type", DOCUMENT, CODE, NONE),
    ROW("Bid_TimeSeries", DOCUMENT, POFI_RESERVE_BID, PARENT, NONE, false, true),
    NEEDS("mRID", BID, ID, NAME),
    MAY("auction.mRID", BID, ID, NONE),
    NEEDS("businessType", BID, CODE, BUSINESS),
    NEEDS("acquiring_Domain.mRID", BID, AREA, NONE),
    NEEDS("connecting_Domain.mRID", BID, AREA, DOMAIN),
    MAY("provider_MarketParticipant.mRID", BID, PARTY, TOLD),
    NEEDS("quantity_Measurement_Unit.name", BID, CODE, UNIT),
    MAY("currency_Unit.name", BID, CODE, CURRENCY),
    MAY("price_Measurement_Unit.name", BID, CODE, NONE),
    NEEDS("divisible", BID, YESNO, DIVISIBLE),
    MAY("linkedBidsIdentification", BID, ID, TOLD),
    MAY("multipartBidIdentification", BID, ID, TOLD),
    MAY("exclusiveBidsIdentification", BID, ID, EXCLUSIVE),
    MAY("inclusiveBidsIdentification", BID, ID, INCLUSIVE),
    MAY("blockBid", BID, YESNO, BLOCK),
    ROW("status", BID, POFI_RESERVE_STATUS, PARENT, NONE, false, false),
    NEEDS("value", STATUS, CODE, STATE),
    MAY("priority", BID, POSITION, TOLD),
    MAY("registeredResource.mRID", BID, RESOURCE, POD),
    NEEDS("flowDirection.direction", BID, CODE, DIRECTION),
    MAY("stepIncrementQuantity", BID, DECIMAL, TOLD),
    MAY("energyPrice_Measurement_Unit.name", BID, CODE, PRICE_UNIT),
    MAY("marketAgreement.type", BID, CODE, TOLD),
    MAY("marketAgreement.mRID", BID, ID, TOLD),
    MAY("marketAgreement.createdDateTime", BID, SECOND, TOLD),
    MAY("activation_ConstraintDuration.duration", BID, DURATION, LEAD),
    MAY("resting_ConstraintDuration.duration", BID, DURATION, TOLD),
    MAY("minimum_ConstraintDuration.duration", BID, DURATION, TOLD),
    MAY("maximum_ConstraintDuration.duration", BID, DURATION, TOLD),
    MAY("standard_MarketProduct.marketProductType", BID, CODE, NONE),
    MAY("original_MarketProduct.marketProductType", BID, CODE, NONE),
    MAY("validity_Period.timeInterval", BID, ANY, TOLD),
    MAY("mktPSRType.psrType", BID, CODE, TOLD),
    MAY("Note", BID, ANY, TOLD),
    MAY("curveType", BID, CODE, CURVE),
    ROW("Period", BID, POFI_RESERVE_PERIOD, PARENT, NONE, true, true),
    ROW("timeInterval", PERIOD, POFI_RESERVE_INTERVAL, PARENT, NONE, true, false),
    NEEDS("start", INTERVAL, MINUTE, START),
    NEEDS("end", INTERVAL, MINUTE, END),
    NEEDS("resolution", PERIOD, DURATION, RESOLUTION),
    ROW("Point", PERIOD, POFI_RESERVE_POINT, PARENT, NONE, true, true),
    NEEDS("position", POINT, POSITION, AT),
    NEEDS("quantity.quantity", POINT, DECIMAL, QUANTITY),
    MAY("minimum_Quantity.quantity", POINT, DECIMAL, LEAST),
    MAY("price.amount", POINT, DECIMAL, TOLD),
    MAY("energy_Price.amount", POINT, DECIMAL, PRICE),
    ROW("AvailableBiddingZone_Domain", BID, 0, ANY, TOLD, false, true),
    ROW("Reason", BID, 0, ANY, TOLD, false, true),
    ROW("Linked_BidTimeSeries", BID, 0, ANY, LINKED, false, true),
    ROW("ProcuredFor_MarketParticipant", BID, 0, ANY, TOLD, false, true),
    ROW("SharedWith_MarketParticipant", BID, 0, ANY, TOLD, false, true),
    ROW("ExchangedWith_MarketParticipant", BID, 0, ANY, TOLD, false, true),
    {0}};

const struct pofi_reserve_element *pofi_reserve_element(int level, const char *name)
{
    static const char *const older[][2] = {
        {"quantity_Measure_Unit.name", "quantity_Measurement_Unit.name"},
        {"price_Measure_Unit.name", "price_Measurement_Unit.name"},
        {"energyPrice_Measure_Unit.name", "energyPrice_Measurement_Unit.name"}};
    for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
        name = strcmp(name, older[i][0]) == 0 ? older[i][1] : name;
    }
    for (const struct pofi_reserve_element *e = pofi_reserve_elements; e->name; e++) {
        if (e->parent == level && strcmp(e->name, name) == 0) {
            return e;
        }
    }
    return NULL;
}

/* --- forms --- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool pofi_reserve_seconds(struct pof_text t, int64_t *s)
{
    static const struct {
        char unit;
        bool timed;
        int64_t s;
    } part[] = {{'D', false, 86400}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1}};
    size_t at = 1;
    size_t next = 0;
    bool timed = false;
    *s = 0;
    if (t.len < 3 || t.ptr[0] != 'P') {
        return false;
    }
    while (at < t.len) {
        if (t.ptr[at] == 'T' && !timed) {
            timed = true;
            at++;
        }
        int64_t n = 0;
        size_t from = at;
        while (at < t.len && digit(t.ptr[at]) && at - from < 7) {
            n = n * 10 + (t.ptr[at++] - '0');
        }
        while (next < 4 && at < t.len && (part[next].unit != t.ptr[at] || part[next].timed != timed)) {
            next++;
        }
        if (at == from || at == t.len || next == 4) {
            return false;
        }
        *s += n * part[next++].s;
        at++;
    }
    return true;
}

bool pof_eic_is(struct pof_text t)
{
    enum { LEN = 16, SIGNS = 37 };
    static const char sign[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    int sum = 0;
    if (t.len != LEN) {
        return false;
    }
    for (int i = 0; i < LEN; i++) {
        const char *at = memchr(sign, t.ptr[i], SIGNS);
        if (!at) {
            return false;
        }
        sum += i < LEN - 1 ? (int)(at - sign) * (LEN - i) : 0;
    }
    return t.ptr[LEN - 1] == sign[SIGNS - 1 - (sum + SIGNS - 1) % SIGNS];
}

static bool is_code(struct pof_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (!digit(t.ptr[i]) && !(t.ptr[i] >= 'A' && t.ptr[i] <= 'Z')) {
            return false;
        }
    }
    return t.len >= 1 && t.len <= 4;
}

static bool is_number(struct pof_text t, int scale, int64_t min, int64_t max)
{
    int64_t v;
    return t.len < POFI_RESERVE_VALUE_MAX && pof_decimal_parse(t, scale, &v) && v >= min && v <= max;
}

bool pofi_reserve_fits(enum pofi_reserve_form form, struct pof_text t, const char **words)
{
    static const char *const expected[POFI_RESERVE_FORMS] = {
        "white space or elements", "an identification of 1 to 60 bytes", "the code of a party, 1 to 16 bytes",
        "the code of an area, 1 to 18 bytes", "the code of a resource, 1 to 60 bytes",
        "a code such as A37, of capitals and digits", "a number from 1 to 999",
        "date and time in UTC with seconds, such as 2026-03-09T10:00:00Z",
        "date and time in UTC to the minute, such as 2026-03-10T10:00Z", "a duration such as PT15M",
        "a number with at most six decimals", "a whole number from 1 to 999999", "A01 (yes) or A02 (no)", "anything"};
    const int64_t most = INT64_C(1000000000000000);
    int64_t v;
    *words = expected[form];
    switch (form) {
    case POFI_RESERVE_PARENT: return t.len == 0;
    case POFI_RESERVE_ID:
    case POFI_RESERVE_RESOURCE: return t.len >= 1 && t.len <= POFI_RESERVE_ID_MAX;
    case POFI_RESERVE_PARTY: return t.len >= 1 && t.len <= POFI_RESERVE_PARTY_MAX;
    case POFI_RESERVE_AREA: return t.len >= 1 && t.len <= POFI_RESERVE_AREA_MAX;
    case POFI_RESERVE_CODE: return is_code(t);
    case POFI_RESERVE_REVISION: return is_number(t, 0, 1, 999);
    case POFI_RESERVE_SECOND: return t.len == 20 && t.ptr[19] == 'Z' && pof_instant_parse(t, &v);
    case POFI_RESERVE_MINUTE: return t.len == 17 && t.ptr[16] == 'Z' && pof_instant_parse(t, &v);
    case POFI_RESERVE_DURATION: return pofi_reserve_seconds(t, &v) && v > 0;
    case POFI_RESERVE_DECIMAL: return is_number(t, POF_MICRO, -most, most);
    case POFI_RESERVE_POSITION: return is_number(t, 0, 1, 999999);
    case POFI_RESERVE_YESNO: return pof_text_is(t, "A01") || pof_text_is(t, "A02");
    default: return true;
    }
}
