/* SPDX-License-Identifier: Apache-2.0 */
/* A cleared session in a few sentences. */
#include "say.h"

#include "num/decimal.h"

#include <inttypes.h>

static void say_left_out(struct pof_cli *cli, uint64_t n, const char *what)
{
    if (n) {
        pof_cli_note(cli, "%s: %" PRIu64, what, n);
    }
}

static void say_input(struct pof_cli *cli, const struct pof_book *b)
{
    const struct pof_book_counts *c = &b->counts;
    pof_cli_note(cli,
                 "session %.*s: %u quarter-hours, %" PRIu64 " requests, %" PRIu64
                 " offers, %" PRIu64 " limits",
                 (int)b->session.id.len, b->session.id.ptr, b->quarters, c->requests, c->offers,
                 c->limits);
    say_left_out(cli, b->refusals, "orders refused by the rules, see --refused");
    say_left_out(cli, c->requests_elsewhere, "requests of other sessions left out");
    say_left_out(cli, c->requests_outside, "requests outside the session's window left out");
    say_left_out(cli, c->offers_outside, "offers outside the session's window left out");
    say_left_out(cli, c->limits_outside, "limits outside the session's window left out");
    say_left_out(cli, c->requests_unfed, "requests where no closed branch leads cannot be met");
    say_left_out(cli, c->offers_unfed, "offers where no closed branch leads left out");
    say_left_out(cli, c->blocks_partial,
                 "blocks that reach beyond the window or are not all connected left out");
    say_left_out(cli, c->blocks_orphan, "blocks that lose their parent by that left out");
    say_left_out(cli, c->offers_in_blocks_out, "offers left out with their blocks");
    say_left_out(cli, c->limits_unfed, "limits of branches that feed nothing left out");
}

/* A quarter-hour of 1 W is 0.25 Wh. */
static int kwh(int64_t wq, char *to)
{
    return (int)pof_decimal_format(wq * 25, 5, to);
}

static void say_result(struct pof_cli *cli, const struct pof_auction *a)
{
    char requested[POF_DECIMAL_MAX], unmet[POF_DECIMAL_MAX], up[POF_DECIMAL_MAX],
        down[POF_DECIMAL_MAX], paid[POF_DECIMAL_MAX];
    int requested_n = kwh(a->requested_wq, requested), unmet_n = kwh(a->unmet_wq, unmet);
    int up_n = kwh(a->up_wq, up), down_n = kwh(a->down_wq, down);
    int paid_n = (int)pof_decimal_format(a->paid_ueur, POF_MICRO, paid);
    pof_cli_note(cli,
                 "%" PRIu64 " awards: %.*s kWh up and %.*s kWh down for %.*s EUR; %.*s of %.*s kWh "
                 "asked for stay unmet",
                 a->awards, up_n, up, down_n, down, paid_n, paid, unmet_n, unmet, requested_n,
                 requested);
}

static void say_reserve(struct pof_cli *cli, const struct pof_auction *a)
{
    char asked[POF_DECIMAL_MAX], held[POF_DECIMAL_MAX];
    if (a->reserve_asked_wq > 0) {
        int n = kwh(a->reserve_asked_wq, asked), m = kwh(a->reserve_wq, held);
        pof_cli_note(cli, "%.*s of %.*s kWh of reliability margins held ready", m, held, n, asked);
    }
}

static void say_decisions(struct pof_cli *cli, const struct pof_auction *a)
{
    for (unsigned k = 0; a->units > 0 && k < a->passes; k++) {
        char gap[POF_DECIMAL_MAX];
        int n = (int)pof_decimal_format(pof_auction_gap_ppm(&a->pass[k]), 4, gap);
        pof_cli_note(cli,
                     "pass %u: %zu of %zu decisions taken, %" PRIu64 " nodes searched, "
                     "at most %.*s %% above the least cost (%s)",
                     k + 1, a->units_taken, a->units, a->pass[k].nodes, n, gap,
                     a->units_lost       ? "decisions at a loss are left out"
                     : a->pass[k].open ? "--budget ended the search"
                                         : "optimal");
    }
    say_left_out(cli, a->units_lost, "decisions left out because they would lose at node prices");
}

void clear_say(struct pof_cli *cli, const struct pof_book *book, const struct pof_auction *auction)
{
    say_input(cli, book);
    say_result(cli, auction);
    say_reserve(cli, auction);
    say_decisions(cli, auction);
    say_left_out(cli, auction->singles, "requests and quarter-hours that one seller alone can serve");
}
