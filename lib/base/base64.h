/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 section 4, standard alphabet, with padding, strictly.
 *
 * One value has one text: no white space, no missing padding, unused bits must be zero (RFC 4648
 * section 3.5), so that a signed text cannot be rewritten without breaking it. */
#ifndef POF_BASE_BASE64_H
#define POF_BASE_BASE64_H

#include "base/text.h"

#include <stdint.h>

/* Bytes of the text of n bytes. */
#define POF_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Writes POF_BASE64_LEN(n) bytes to `to`, not NUL-terminated; returns their number. */
size_t pof_base64_encode(const void *from, size_t n, char *to);
/* The same, added to a buffer. */
int pof_base64_add(struct pof_buf *to, const void *from, size_t n, struct pof_err *err) POF_CHECKED;
/* Decodes into at most cap bytes; *n gets their number. false: not of this form, or more. */
bool pof_base64_decode(struct pof_text text, void *to, size_t cap, size_t *n);

#endif
