/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of elements and attributes of UFTP 3, and the forms of values. */
#include "market/uftp_form.h"

#include "num/decimal.h"

#include <string.h>

#define NEEDS(name, form) {name, POFI_UFTP_##form, true}
#define MAY(name, form) {name, POFI_UFTP_##form, false}

static const struct pofi_uftp_attribute payload[] = {
    NEEDS("Version", VERSION),         NEEDS("SenderDomain", DOMAIN), NEEDS("RecipientDomain", DOMAIN),
    NEEDS("TimeStamp", INSTANT),       NEEDS("MessageID", UUID),      NEEDS("ConversationID", UUID), {0}};
static const struct pofi_uftp_attribute flex[] = {
    NEEDS("ISP-Duration", DURATION), NEEDS("TimeZone", ZONE), NEEDS("Period", DATE),
    NEEDS("CongestionPoint", ENTITY), {0}};
static const struct pofi_uftp_attribute request[] = {
    NEEDS("Revision", INTEGER), NEEDS("ExpirationDateTime", INSTANT), MAY("ContractID", TEXT),
    MAY("ServiceType", TEXT), {0}};
static const struct pofi_uftp_attribute offer[] = {
    NEEDS("ExpirationDateTime", INSTANT), MAY("FlexRequestMessageID", UUID), MAY("ContractID", TEXT),
    MAY("D-PrognosisMessageID", UUID),    MAY("BaselineReference", TEXT),    NEEDS("Currency", CURRENCY),
    MAY("ServiceType", TEXT), {0}};
static const struct pofi_uftp_attribute revocation[] = {NEEDS("FlexOfferMessageID", UUID), {0}};
static const struct pofi_uftp_attribute order[] = {
    NEEDS("FlexOfferMessageID", UUID), MAY("ContractID", TEXT),        MAY("D-PrognosisMessageID", UUID),
    MAY("BaselineReference", TEXT),    NEEDS("Price", AMOUNT),         NEEDS("Currency", CURRENCY),
    NEEDS("OrderReference", TEXT),     MAY("OptionReference", TEXT),   MAY("ActivationFactor", FACTOR),
    MAY("ServiceType", TEXT), {0}};
static const struct pofi_uftp_attribute settlement[] = {
    NEEDS("PeriodStart", DATE), NEEDS("PeriodEnd", DATE), NEEDS("Currency", CURRENCY), MAY("Result", RESULT),
    MAY("RejectionReason", TEXT), {0}};
static const struct pofi_uftp_attribute isp[] = {NEEDS("Start", POSITIVE), MAY("Duration", POSITIVE), {0}};
static const struct pofi_uftp_attribute band[] = {
    MAY("Disposition", DISPOSITION), NEEDS("MinPower", INTEGER), NEEDS("MaxPower", INTEGER), {0}};
static const struct pofi_uftp_attribute power[] = {NEEDS("Power", INTEGER), {0}};
static const struct pofi_uftp_attribute option[] = {
    NEEDS("OptionReference", TEXT), NEEDS("Price", AMOUNT), MAY("MinActivationFactor", FACTOR), {0}};
static const struct pofi_uftp_attribute ordered[] = {
    NEEDS("Period", DATE), MAY("ContractID", TEXT), MAY("D-PrognosisMessageID", UUID),
    MAY("BaselineReference", TEXT), MAY("OrderReference", TEXT), NEEDS("CongestionPoint", ENTITY),
    NEEDS("Price", AMOUNT), MAY("Penalty", AMOUNT), NEEDS("NetSettlement", AMOUNT), {0}};
static const struct pofi_uftp_attribute delivered[] = {
    NEEDS("BaselinePower", INTEGER), NEEDS("OrderedFlexPower", INTEGER), NEEDS("ActualPower", INTEGER),
    NEEDS("DeliveredFlexPower", INTEGER), MAY("PowerDeficiency", INTEGER), {0}};
static const struct pofi_uftp_attribute contract[] = {NEEDS("ContractID", TEXT), {0}};
static const struct pofi_uftp_attribute period[] = {NEEDS("Period", DATE), {0}};
static const struct pofi_uftp_attribute reserved[] = {
    NEEDS("ReservedPower", INTEGER), MAY("RequestedPower", INTEGER), MAY("AvailablePower", INTEGER),
    MAY("OfferedPower", INTEGER), MAY("OrderedPower", INTEGER), {0}};

static const struct pofi_uftp_element elements[] = {
    {"FlexRequest", -1, POF_UFTP_REQUEST, {payload, flex, request}},
    {"FlexOffer", -1, POF_UFTP_OFFER, {payload, flex, offer}},
    {"FlexOfferRevocation", -1, POF_UFTP_REVOCATION, {payload, revocation}},
    {"FlexOrder", -1, POF_UFTP_ORDER, {payload, flex, order}},
    {"FlexSettlement", -1, POF_UFTP_SETTLEMENT, {payload, settlement}},
    {"ISP", POF_UFTP_REQUEST, POFI_UFTP_ISP, {isp, band}},
    {"ISP", POFI_UFTP_OPTION, POFI_UFTP_ISP, {isp, power}},
    {"ISP", POF_UFTP_ORDER, POFI_UFTP_ISP, {isp, power}},
    {"ISP", POFI_UFTP_ORDER_SETTLEMENT, POFI_UFTP_ISP, {isp, delivered}},
    {"OfferOption", POF_UFTP_OFFER, POFI_UFTP_OPTION, {option}},
    {"FlexOrderSettlement", POF_UFTP_SETTLEMENT, POFI_UFTP_ORDER_SETTLEMENT, {ordered}},
    {"ContractSettlement", POF_UFTP_SETTLEMENT, POFI_UFTP_CONTRACT, {contract}},
    {"Period", POFI_UFTP_CONTRACT, POFI_UFTP_CONTRACT_PERIOD, {period}},
    {"ISP", POFI_UFTP_CONTRACT_PERIOD, POFI_UFTP_CONTRACT_ISP, {isp, reserved}},
};

const struct pofi_uftp_element *pofi_uftp_element(int parent, const char *name)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        if (elements[i].parent == parent && strcmp(elements[i].name, name) == 0) {
            return &elements[i];
        }
    }
    return NULL;
}

const struct pofi_uftp_attribute *pofi_uftp_attribute(const struct pofi_uftp_element *e, const char *name)
{
    for (int l = 0; l < 3 && e->lists[l]; l++) {
        for (const struct pofi_uftp_attribute *a = e->lists[l]; a->name; a++) {
            if (strcmp(a->name, name) == 0) {
                return a;
            }
        }
    }
    return NULL;
}

/* --- forms --- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool small(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Does it have the pattern? d digit, x hexadecimal digit, A capital, others themselves. */
static bool like(struct pof_text t, const char *pattern)
{
    if (t.len != strlen(pattern)) {
        return false;
    }
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        bool good = pattern[i] == 'd'   ? digit(c)
                    : pattern[i] == 'x' ? digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')
                    : pattern[i] == 'A' ? c >= 'A' && c <= 'Z'
                                        : c == pattern[i];
        if (!good) {
            return false;
        }
    }
    return true;
}

bool pof_uftp_is_uuid(struct pof_text t)
{
    return like(t, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

/* Labels of small letters and digits, with single hyphens inside, joined by points; the last has only letters, two or
 * more. */
bool pof_uftp_is_domain(struct pof_text t)
{
    size_t labels = 0;
    size_t from = 0;
    bool letters = true;
    for (size_t i = 0; i <= t.len; i++) {
        char c = i < t.len ? t.ptr[i] : '.';
        if (c == '.') {
            if (i == from || t.ptr[i - 1] == '-') {
                return false;
            }
            labels++;
            if (i == t.len) {
                return labels > 1 && letters && i - from >= 2;
            }
            from = i + 1;
            letters = true;
        } else if (c == '-' ? i == from || t.ptr[i - 1] == '-' : !digit(c) && !small(c)) {
            return false;
        }
        letters = letters && (c == '.' || small(c));
    }
    return false;
}

bool pof_uftp_is_entity(struct pof_text t)
{
    if (t.len > 4 && memcmp(t.ptr, "ean.", 4) == 0) {
        size_t n = 4;
        while (n < t.len && digit(t.ptr[n])) {
            n++;
        }
        return n == t.len && n - 4 >= 12 && n - 4 <= 34;
    }
    enum { DATE = 12, PART = 244 }; /* ea1.2026-11. */
    if (t.len <= DATE || !like((struct pof_text){t.ptr, DATE}, "ea1.dddd-dd.")) {
        return false;
    }
    const char *colon = memchr(t.ptr + DATE, ':', t.len - DATE);
    size_t before = colon ? (size_t)(colon - t.ptr) - DATE : 0;
    size_t after = colon ? t.len - DATE - before - 1 : 0;
    return before >= 1 && before <= PART && after >= 1 && after <= PART;
}

static bool is_number(struct pof_text t, int scale, int64_t min, int64_t max)
{
    int64_t v;
    return pof_decimal_parse(t, scale, &v) && v >= min && v <= max;
}

/* PTnM, n from 1. */
static bool is_minutes(struct pof_text t)
{
    return t.len >= 4 && t.len <= 7 && memcmp(t.ptr, "PT", 2) == 0 && t.ptr[t.len - 1] == 'M' &&
           is_number((struct pof_text){t.ptr + 2, t.len - 3}, 0, 1, 9999);
}

static bool is_version(struct pof_text t)
{
    size_t points = 0;
    for (size_t i = 0; i < t.len; i++) {
        bool after_digit = i > 0 && digit(t.ptr[i - 1]);
        if (!digit(t.ptr[i]) && !(t.ptr[i] == '.' && after_digit && i + 1 < t.len)) {
            return false;
        }
        points += t.ptr[i] == '.';
    }
    return points == 2 && t.len > 1 && t.ptr[0] == '3' && t.ptr[1] == '.';
}

bool pofi_uftp_fits(enum pofi_uftp_form form, struct pof_text t, const char **words)
{
    static const char *const expected[POFI_UFTP_FORMS] = {
        "a text of 1 to 255 bytes", "a version 3 such as 3.0.0", "an Internet domain in small letters",
        "a UUID", "an entity address such as ea1.2026-11.dso.example:feeder-1, or ean. and 12 to 34 digits",
        "date, time and zone (RFC 3339)", "a date such as 2026-03-10", "a duration in minutes such as PT15M",
        "a European time zone that is known here, such as Europe/Rome", "a currency of three capitals",
        "an amount with at most four decimals", "a factor from 0.01 to 1.00 with at most two decimals",
        "a whole number", "a whole number from 1", "Available or Requested", "Accepted or Rejected"};
    struct pof_date date;
    enum pof_zone zone;
    int64_t ms;
    *words = expected[form];
    switch (form) {
    case POFI_UFTP_TEXT: return t.len >= 1 && t.len <= 255;
    case POFI_UFTP_VERSION: return is_version(t);
    case POFI_UFTP_DOMAIN: return pof_uftp_is_domain(t);
    case POFI_UFTP_UUID: return pof_uftp_is_uuid(t);
    case POFI_UFTP_ENTITY: return pof_uftp_is_entity(t);
    case POFI_UFTP_INSTANT: return pof_instant_ms_parse(t, &ms);
    case POFI_UFTP_DATE: return pof_date_parse(t, &date);
    case POFI_UFTP_DURATION: return is_minutes(t);
    case POFI_UFTP_ZONE: return t.len > 7 && memcmp(t.ptr, "Europe/", 7) == 0 && pof_zone_parse(t, &zone);
    case POFI_UFTP_CURRENCY: return like(t, "AAA");
    case POFI_UFTP_AMOUNT: return is_number(t, 4, -INT64_C(9999999999999), INT64_C(9999999999999));
    case POFI_UFTP_FACTOR: return is_number(t, 2, 1, 100);
    case POFI_UFTP_INTEGER: return is_number(t, 0, -INT64_C(1000000000000), INT64_C(1000000000000));
    case POFI_UFTP_POSITIVE: return is_number(t, 0, 1, INT64_C(1000000000));
    case POFI_UFTP_DISPOSITION: return pof_text_is(t, "Available") || pof_text_is(t, "Requested");
    case POFI_UFTP_RESULT: return pof_text_is(t, "Accepted") || pof_text_is(t, "Rejected");
    default: return false;
    }
}
