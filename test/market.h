/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the market room: records from text, grids from text. */
#ifndef POF_TEST_MARKET_H
#define POF_TEST_MARKET_H

#include "grid/grid.h"
#include "record/reader.h"
#include "tap.h"

/* Hands each line of NDJSON to take; the first error ends it. */
__attribute__((unused)) static int
take_lines(const char *text, int (*take)(void *ctx, const struct pof_record *, struct pof_err *),
           void *ctx, struct pof_err *err)
{
    struct pof_memory m = {text, strlen(text)};
    struct pof_source src = pof_source_memory(&m, "t");
    struct pof_reader_options o = {.expect = POF_TYPES};
    struct pof_reader *r = NULL;
    struct pof_record record;
    int rc = pof_reader_new(&r, &src, &o, err);
    while (rc == 0) {
        rc = pof_reader_next(r, &record, err);
        if (rc <= 0) {
            break;
        }
        rc = take(ctx, &record, err);
    }
    pof_reader_free(r);
    return rc;
}

/* Ends the test program when a grid of the test itself does not parse. */
__attribute__((unused)) static void must_parse(struct pof_grid *grid, const char *json)
{
    struct pof_err err = {0};
    if (pof_grid_parse(grid, json, strlen(json), "test", &err) != 0) {
        printf("Bail out! test grid: %s %s\n", err.field, err.text);
        exit(1);
    }
}

/* One session of four quarter-hours, 10:00 to 11:00. */
#define SESSION                                                                                    \
    "{\"schema\":\"pof.session/1\",\"id\":\"S\",\"kind\":\"day_ahead\",\"day\":\"2026-03-10\","    \
    "\"opens\":\"2026-03-09T12:00:00Z\",\"gate\":\"2026-03-09T15:00:00Z\","                        \
    "\"clear_by\":\"2026-03-09T16:00:00Z\",\"validate_by\":\"2026-03-09T16:30:00Z\","              \
    "\"final_by\":\"2026-03-09T17:00:00Z\",\"start\":\"2026-03-10T10:00:00Z\","                    \
    "\"end\":\"2026-03-10T11:00:00Z\"}\n"

#endif
