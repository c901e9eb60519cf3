/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/market/reserve_bid*: the table of elements of a ReserveBid_MarketDocument. */
#ifndef POF_MARKET_RESERVE_BID_FORM_H
#define POF_MARKET_RESERVE_BID_FORM_H

#include "market/reserve_bid.h"

enum {
    POFI_RESERVE_ID_MAX = 60,
    POFI_RESERVE_PARTY_MAX = 16,
    POFI_RESERVE_AREA_MAX = 18,
    POFI_RESERVE_VALUE_MAX = 64 /* bytes of any text that is kept */
};

enum pofi_reserve_form {
    POFI_RESERVE_PARENT, /* has elements, no text */
    POFI_RESERVE_ID,
    POFI_RESERVE_PARTY,
    POFI_RESERVE_AREA,
    POFI_RESERVE_RESOURCE,
    POFI_RESERVE_CODE,
    POFI_RESERVE_REVISION,
    POFI_RESERVE_SECOND,
    POFI_RESERVE_MINUTE,
    POFI_RESERVE_DURATION,
    POFI_RESERVE_DECIMAL,
    POFI_RESERVE_POSITION,
    POFI_RESERVE_YESNO,
    POFI_RESERVE_ANY, /* what is inside is not looked at */
    POFI_RESERVE_FORMS
};

/* Where an element stands, and what its elements stand in. */
enum {
    POFI_RESERVE_ROOT,
    POFI_RESERVE_DOCUMENT,
    POFI_RESERVE_WINDOW, /* reserveBid_Period.timeInterval */
    POFI_RESERVE_BID,
    POFI_RESERVE_STATUS,
    POFI_RESERVE_PERIOD,
    POFI_RESERVE_INTERVAL,
    POFI_RESERVE_POINT,
    POFI_RESERVE_LEVELS
};

/* What is kept of an element's text until its parent ends. */
enum pofi_reserve_item {
    POFI_RESERVE_NONE, /* only its form counts */
    POFI_RESERVE_TOLD, /* an offer cannot say it: counted */
    POFI_RESERVE_TYPE, POFI_RESERVE_NUMBER, POFI_RESERVE_SENDER, POFI_RESERVE_CREATED, POFI_RESERVE_FROM,
    POFI_RESERVE_TO, POFI_RESERVE_SUBJECT,
    POFI_RESERVE_NAME, POFI_RESERVE_BUSINESS, POFI_RESERVE_DOMAIN, POFI_RESERVE_UNIT, POFI_RESERVE_CURRENCY,
    POFI_RESERVE_DIVISIBLE, POFI_RESERVE_EXCLUSIVE, POFI_RESERVE_INCLUSIVE, POFI_RESERVE_BLOCK,
    POFI_RESERVE_STATE, POFI_RESERVE_POD, POFI_RESERVE_DIRECTION, POFI_RESERVE_PRICE_UNIT, POFI_RESERVE_LEAD,
    POFI_RESERVE_CURVE, POFI_RESERVE_LINKED,
    POFI_RESERVE_START, POFI_RESERVE_END, POFI_RESERVE_RESOLUTION,
    POFI_RESERVE_AT, POFI_RESERVE_QUANTITY, POFI_RESERVE_LEAST, POFI_RESERVE_PRICE,
    POFI_RESERVE_ITEMS
};

struct pofi_reserve_element {
    const char *name;
    int parent; /* level it stands in */
    int level;  /* level its elements stand in; 0: has none */
    enum pofi_reserve_form form;
    enum pofi_reserve_item item;
    bool required, many;
};

/* All elements, ended by one without a name; the order is that of the schema. */
extern const struct pofi_reserve_element pofi_reserve_elements[];

/* The element of a name at a level, NULL: it must not stand there. Names of version 7.2 for those of 7.4. */
const struct pofi_reserve_element *pofi_reserve_element(int level, const char *name);
/* Is the text of the form? words: what was expected. */
bool pofi_reserve_fits(enum pofi_reserve_form form, struct pof_text t, const char **words);
/* Seconds of a duration such as PT15M, P1D or PT1H30M; false: it is none. */
bool pofi_reserve_seconds(struct pof_text t, int64_t *s);

#endif
