/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical bytes of a JSON value: RFC 8785, JSON Canonicalization Scheme (JCS).
 *
 * No white space, members sorted by the UTF-16 units of their names, strings with the fewest
 * escapes, numbers as ECMAScript prints them. Refused, so that two records that differ never get
 * the same bytes by accident: duplicate names, lone surrogates, bytes that are not UTF-8, numbers
 * beyond a double, and integers of 2^53 and more written as integers (beyond it neighbours share a
 * double; RFC 8785 section 3.2.2.3 and appendix D). Numbers with a point or an exponent are
 * doubles, as the RFC has it: beyond 17 significant digits they are rounded.
 *
 * An integer, or a decimal of at most 15 significant digits that is not below 1e-6, is its own
 * canonical form once trailing zeros are gone, because a double holds 15 digits exactly (IEEE 754
 * binary64, DBL_DIG); it is copied. Everything else becomes the shortest text that reads back as
 * the same double. */
#ifndef POF_TRUST_JCS_H
#define POF_TRUST_JCS_H

#include "base/text.h"

enum { POF_JCS_DEPTH = 64 };

/* Scratch memory, kept from one record to the next. Initialise with {0}. */
struct pof_jcs {
    struct pof_jcs_member *member; /* of all open objects; owned */
    size_t members;
    size_t member_cap;
    struct pof_buf scratch;
};

/* Adds the canonical bytes of the one JSON value in text to a buffer. Errors: SYNTAX, ENCODING,
 * DUPLICATE, NUMBER, DEPTH (64), NOMEM; `to` keeps its length then. The error's field is "byte N".
 * O(n log n) in the bytes of text; no recursion. */
int pof_jcs_add(struct pof_jcs *jcs, struct pof_text text, struct pof_buf *to,
                struct pof_err *err) POF_CHECKED;
void pof_jcs_release(struct pof_jcs *jcs);

/* The form of a double that RFC 8785 section 3.2.2.3 prescribes (ECMAScript Number::toString);
 * v finite. Returns the length; to has 32 bytes and is not NUL-terminated. */
size_t pof_jcs_number(double v, char *to);

#endif
