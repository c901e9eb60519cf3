/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/market/uftp*: the tables of elements and attributes. */
#ifndef POF_MARKET_UFTP_FORM_H
#define POF_MARKET_UFTP_FORM_H

#include "market/uftp.h"

enum pofi_uftp_form {
    POFI_UFTP_TEXT,
    POFI_UFTP_VERSION,
    POFI_UFTP_DOMAIN,
    POFI_UFTP_UUID,
    POFI_UFTP_ENTITY,
    POFI_UFTP_INSTANT,
    POFI_UFTP_DATE,
    POFI_UFTP_DURATION,
    POFI_UFTP_ZONE,
    POFI_UFTP_CURRENCY,
    POFI_UFTP_AMOUNT,
    POFI_UFTP_FACTOR,
    POFI_UFTP_INTEGER,
    POFI_UFTP_POSITIVE,
    POFI_UFTP_DISPOSITION,
    POFI_UFTP_RESULT,
    POFI_UFTP_FORMS
};

struct pofi_uftp_attribute {
    const char *name; /* NULL ends the list */
    enum pofi_uftp_form form;
    bool required;
};

enum {
    POFI_UFTP_ISP = POF_UFTP_KINDS, /* elements below the roots, which are enum pof_uftp_kind */
    POFI_UFTP_OPTION,
    POFI_UFTP_ORDER_SETTLEMENT,
    POFI_UFTP_CONTRACT,
    POFI_UFTP_CONTRACT_PERIOD,
    POFI_UFTP_CONTRACT_ISP,
    POFI_UFTP_ELEMENTS
};

/* Of ISPs there are four kinds, by what they stand in. */
struct pofi_uftp_element {
    const char *name;
    int parent; /* -1: a root */
    int number; /* one of the above */
    const struct pofi_uftp_attribute *lists[3];
};

/* The element of a name in a parent (-1: none), NULL when it must not stand there. */
const struct pofi_uftp_element *pofi_uftp_element(int parent, const char *name);
/* Its attribute of a name, NULL when it has none. */
const struct pofi_uftp_attribute *pofi_uftp_attribute(const struct pofi_uftp_element *e, const char *name);
/* Is the text of the form? words: what was expected. */
bool pofi_uftp_fits(enum pofi_uftp_form form, struct pof_text t, const char **words);

#endif
