/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a ZIP archive (PKWARE APPNOTE 6.3), archives in it included, and packing. The only module
 * that knows zlib.
 *
 * Stored and deflated members are read, each against its CRC-32. Encrypted, split and ZIP64 archives
 * are refused. Against archives that are made to grow: members together may have POF_ZIP_RATIO times
 * the bytes of the outermost archive and POF_ZIP_FREE more, never more than POF_ZIP_MOST; archives lie
 * at most POF_ZIP_DEPTH deep in each other. */
#ifndef POF_RECORD_ZIP_H
#define POF_RECORD_ZIP_H

#include "base/text.h"

#define POF_ZIP_RATIO 200u
#define POF_ZIP_FREE ((uint64_t)64 << 20)
#define POF_ZIP_MOST ((uint64_t)4 << 30)
enum { POF_ZIP_DEPTH = 3 };

/* Whether bytes begin as an archive does. */
bool pof_zip_is(struct pof_text bytes);

struct pof_zip_taker {
    /* A member, in the order of the archive's directory; name is "ARCHIVE/PATH". The callback may
     * keep the bytes by emptying *bytes, which it then owns; a NUL stands behind them. */
    int (*take)(void *ctx, const char *name, struct pof_buf *bytes, struct pof_err *err);
    void *ctx;
};

/* SYNTAX, TRUNCATED, SCHEMA (a feature that is not read), TOO_LONG, DEPTH, CONFLICT (CRC). Each has
 * the archive, or the member, as its source. O(bytes out). */
int pof_zip_walk(struct pof_text archive, const char *name, const struct pof_zip_taker *taker,
                 struct pof_err *err) POF_CHECKED;

/* Adds bytes packed as a zlib stream (RFC 1950) to a buffer; the same version of zlib gives the same
 * bytes. NOMEM. */
int pof_zip_pack(struct pof_buf *to, struct pof_text bytes, struct pof_err *err) POF_CHECKED;

#endif
