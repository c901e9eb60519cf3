/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping days that need not be kept any longer. */
#include "store/inside.h"

static int count_days(struct pof_store *s, int series, int64_t day, struct pof_forgotten *out,
                      struct pof_err *err)
{
    struct pof_stmt *rows;
    struct pof_block block;
    int rc = pof_db_prepare_rows(s->db, "SELECT layer,slots FROM day WHERE series=?1 AND day<?2",
                                 &rows, err);
    if (rc) {
        return rc;
    }
    pof_stmt_int(rows, 1, series);
    pof_stmt_int(rows, 2, day);
    while ((rc = pof_stmt_step(rows, err)) > 0) {
        struct pof_text bytes = pof_stmt_get_text(rows, 1);
        bool counts = pof_stmt_get_int(rows, 0) == 0;
        rc = pof_block_unpack(&block, (const uint8_t *)bytes.ptr, bytes.len, err);
        if (rc) {
            break;
        }
        out->days += counts;
        *(counts ? &out->records : &out->revisions) += pof_block_count(&block);
    }
    pof_stmt_free(rows);
    return rc;
}

static int drop_days(struct pof_store *s, int series, int64_t day, struct pof_err *err)
{
    struct pof_stmt *drop;
    int rc = pof_db_prepare(s->db, "DELETE FROM day WHERE series=?1 AND day<?2", &drop, err);
    if (rc) {
        return rc;
    }
    pof_stmt_int(drop, 1, series);
    pof_stmt_int(drop, 2, day);
    rc = pof_stmt_run(drop, err);
    pof_stmt_free(drop);
    return rc;
}

int pof_store_forget(struct pof_store *s, int64_t before, struct pof_forgotten *out,
                     struct pof_err *err)
{
    int64_t day = before > 0 ? before / POFI_DAY_S : 0; /* days begin in 1970 */
    *out = (struct pof_forgotten){.until = day * POFI_DAY_S};
    int rc = pof_db_begin(s->db, true, err);
    if (rc) {
        return rc;
    }
    for (int series = 0; series < POF_SERIES && rc == 0; series++) {
        rc = count_days(s, series, day, out, err);
        rc = rc ? rc : drop_days(s, series, day, err);
    }
    return pof_db_end(s->db, rc, err);
}
