/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the records of a book on a small feeder: what is taken is cleared and certified (the
 * auction refuses to hand out a result that is not), or refused with an error that has a text. */
#include "market/auction.h"
#include "record/reader.h"

#include <stdlib.h>
#include <string.h>

static const char grid_text[] =
    "{\"schema\":\"pof.grid/1\",\"name\":\"f\",\"base_va\":1000000,\"f_hz\":50,\"nodes\":["
    "{\"name\":\"N0\",\"base_v\":400,\"kind\":\"slack\",\"v_set_pu\":1},{\"name\":\"N1\",\"base_v\":400},"
    "{\"name\":\"N2\",\"base_v\":400},{\"name\":\"N3\",\"base_v\":400}],\"branches\":["
    "{\"name\":\"L1\",\"kind\":\"line\",\"from\":\"N0\",\"to\":\"N1\",\"r_ohm\":0.1,\"x_ohm\":0.1},"
    "{\"name\":\"L2\",\"kind\":\"line\",\"from\":\"N1\",\"to\":\"N2\",\"r_ohm\":0.1,\"x_ohm\":0.1},"
    "{\"name\":\"L3\",\"kind\":\"line\",\"from\":\"N1\",\"to\":\"N3\",\"r_ohm\":0.1,\"x_ohm\":0.1}]}";

enum { QUARTERS_MAX = 200 };

static int on_award(void *ctx, const struct pof_award *award, struct pof_err *err)
{
    (void)err;
    *(int64_t *)ctx += award->p_w;
    if (award->p_w <= 0) {
        abort();
    }
    return 0;
}

static void clear(struct pof_book *book)
{
    int64_t taken = 0;
    struct pof_err err = {0};
    struct pof_auction a = {.threads = 1, .on_award = on_award, .ctx = &taken};
    struct pof_rulebook rules = {0};
    int rc = pof_book_close(book, NULL, &rules, &err);
    if (rc == 0 && book->quarters <= QUARTERS_MAX) {
        rc = pof_auction_run(&a, book, &err);
        if (rc == POF_E_INTERNAL) {
            abort(); /* not certified */
        }
    }
    if (rc && !err.text[0]) {
        abort();
    }
}

/* A session over years has no place in a fuzzer's second. */
static bool small(const struct pof_record *r)
{
    return r->type != POF_session ||
           (r->u.session.end - r->u.session.start) / POF_QUARTER_S <= QUARTERS_MAX;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct pof_grid grid;
    struct pof_feeder feeder;
    struct pof_book book;
    struct pof_err err = {0};
    struct pof_memory m = {(const char *)data, size};
    struct pof_source src = pof_source_memory(&m, "fuzz");
    struct pof_reader_options options = {.expect = POF_offer, .max_line = 1 << 16};
    struct pof_reader *r;
    if (pof_grid_parse(&grid, grid_text, sizeof grid_text - 1, "grid", &err) != 0 ||
        pof_feeder_init(&feeder, &grid, &err) != 0 || pof_book_init(&book, &feeder, &err) != 0 ||
        pof_reader_new(&r, &src, &options, &err) != 0) {
        abort();
    }
    struct pof_record record;
    for (int rc; (rc = pof_reader_next(r, &record, &err)) != 0;) {
        if (rc > 0 && small(&record)) {
            rc = pof_book_take(&book, &record, &err);
        }
        if (rc < 0 && !err.text[0]) {
            abort();
        }
    }
    clear(&book);
    pof_reader_free(r);
    pof_book_release(&book);
    pof_feeder_release(&feeder);
    pof_grid_release(&grid);
    return 0;
}
