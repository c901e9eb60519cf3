/* SPDX-License-Identifier: Apache-2.0 */
/* A report as text. */
#include "market/report_impl.h"
#include "market/report_table.h"

#include "record/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- heading --- */

static int say_heading(const struct pof_report *r, struct pof_buf *to, struct pof_err *err)
{
    uint32_t *day = NULL;
    int rc = pof_names_sorted(&r->days, &day, err);
    rc = rc ? rc : pof_buf_adds(to, "Flexibility market", err);
    if (rc == 0 && r->days.n > 0) {
        struct pof_text first = r->days.text[day[0]];
        rc = pof_buf_addf(to, err, " of %.*s", (int)first.len, first.ptr);
    }
    if (rc == 0 && r->days.n > 1) {
        struct pof_text last = r->days.text[day[r->days.n - 1]];
        rc = pof_buf_addf(to, err, " to %.*s", (int)last.len, last.ptr);
    }
    if (rc == 0 && r->registered.n > 0) {
        rc = pof_buf_addf(to, err, ", %zu points of delivery", r->registered.n);
    }
    rc = rc ? rc
            : pof_buf_addf(to, err, ", %zu session%s\n", r->sessions.n,
                           r->sessions.n == 1 ? "" : "s");
    free(day);
    return rc;
}

/* --- sessions --- */

/* Half to even, as pof_muldiv; b > 0. */
static int64_t divide(__int128 a, __int128 b)
{
    __int128 quotient = a / b;
    __int128 twice = 2 * (a % b);
    return (int64_t)(quotient + (twice > b || (twice == b && (quotient & 1))));
}

static int add_price(struct pofi_table *t, const struct pofi_session *s, struct pof_err *err)
{
    if (s->approved == 0) {
        return pofi_cell_text(t, pof_text("-"), err);
    }
    int64_t cents = divide(s->cost, (__int128)s->approved * 10000);
    return pofi_cell_fixed(t, cents, 1, 2, err);
}

static int add_why(const struct pof_report *r, struct pofi_table *t, const struct pofi_session *s,
                   struct pof_err *err)
{
    static const char *const words[POFI_WHYS] = {"offers ran out", "too dear", "out of reach",
                                                 "grid"};
    struct pof_buf b = {0};
    int rc = 0;
    for (int w = 0; rc == 0 && w < POFI_WHYS; w++) {
        char energy[POFI_FIXED_MAX];
        if (s->why[w] > 0) {
            pofi_fixed(energy, s->why[w], POF_WS_PER_MWH / 1000, 3);
            rc = pof_buf_addf(&b, err, "%s%s %s", b.len ? ", " : "", words[w], energy);
        }
    }
    if (rc == 0 && s->why[POFI_WHY_GRID] > 0 && s->element != POF_NONE) {
        struct pof_text name = r->elements.text[s->element];
        rc = pof_buf_addf(&b, err, " (most often %.*s)", (int)name.len, name.ptr);
    }
    rc = rc ? rc : pofi_cell_text(t, (struct pof_text){b.data, b.len}, err);
    pof_buf_release(&b);
    return rc;
}

static int add_session(const struct pof_report *r, struct pofi_table *t, struct pof_text name,
                       const struct pofi_session *s, struct pof_err *err)
{
    int rc = pofi_cell_text(t, name, err);
    rc = rc ? rc : pofi_cell_mwh(t, s->requested[POF_ROLE_DSO], err);
    rc = rc ? rc : pofi_cell_mwh(t, s->requested[POF_ROLE_TSO], err);
    rc = rc ? rc : pofi_cell_mwh(t, s->offered[POF_UP], err);
    rc = rc ? rc : pofi_cell_mwh(t, s->offered[POF_DOWN], err);
    rc = rc ? rc : pofi_cell_mwh(t, s->awarded, err);
    rc = rc ? rc : pofi_cell_mwh(t, s->approved, err);
    rc = rc ? rc : add_price(t, s, err);
    rc = rc ? rc : pofi_cell_mwh(t, s->unmet, err);
    return rc ? rc : add_why(r, t, s, err);
}

static int add_up(struct pofi_session *sum, const struct pofi_session *s, struct pof_err *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < 2; i++) {
        rc = pof_add(&sum->requested[i], s->requested[i], err);
    }
    for (int w = 0; rc == 0 && w < POFI_WHYS; w++) {
        rc = pof_add(&sum->why[w], s->why[w], err);
    }
    rc = rc ? rc : pof_add(&sum->awarded, s->awarded, err);
    rc = rc ? rc : pof_add(&sum->approved, s->approved, err);
    rc = rc ? rc : pof_add(&sum->unmet, s->unmet, err);
    rc = rc ? rc : pof_add(&sum->counter, s->counter, err);
    sum->cost += s->cost;
    return rc;
}

static int say_sessions(const struct pof_report *r, struct pofi_session *sum, struct pof_buf *to,
                        struct pof_err *err)
{
    static const char *const head[] = {
        "",        "requested", "requested", "offered", "offered",  "",        "",
        "price,",  "",          "",          "session", "by DSO",   "by TSO",  "up",
        "down",    "awarded",   "approved",  "EUR/MWh", "unmet",    "why unmet", NULL};
    struct pofi_table t = {.columns = 10, .left = 1 | 1u << 9};
    *sum = (struct pofi_session){.offered = {r->first_offered[0], r->first_offered[1]},
                                 .element = POF_NONE};
    int rc = pof_buf_adds(to, "\nSessions, energy in MWh\n\n", err);
    rc = rc ? rc : pofi_cells_text(&t, head, err);
    for (size_t i = 0; rc == 0 && i < r->sessions.n; i++) {
        uint32_t s = r->order[i];
        rc = add_session(r, &t, r->sessions.text[s], &r->session[s], err);
        rc = rc ? rc : add_up(sum, &r->session[s], err);
    }
    rc = rc ? rc : add_session(r, &t, pof_text("all"), sum, err);
    rc = pofi_table_end(&t, rc, to, err);
    return rc ? rc
              : pof_buf_adds(to,
                             "\n  A session is also offered what earlier ones left over; the last "
                             "line counts each offer once.\n",
                             err);
}

/* --- what is odd about the records --- */

static int say_one(struct pof_buf *to, uint64_t n, const char *what, struct pof_err *err)
{
    return n == 0 ? 0 : pof_buf_addf(to, err, "  %" PRIu64 " %s\n", n, what);
}

static int say_odd(const struct pof_report *r, const struct pofi_session *sum, struct pof_buf *to,
                   struct pof_err *err)
{
    char energy[POFI_FIXED_MAX];
    int rc = 0;
    if (sum->counter > 0) {
        pofi_fixed(energy, sum->counter, POF_WS_PER_MWH / 1000, 3);
        rc = pof_buf_addf(to, err, "  %s MWh more were approved to make room for others.\n", energy);
    }
    if (rc == 0 && sum->unmet > 0 && !r->left_given) {
        rc = pof_buf_adds(to, "  Unmet is what the awards for a request itself leave; others may serve "
                              "it too (see --unmet).\n", err);
    }
    rc = rc ? rc : say_one(to, r->unasked, "awards name requests that are not here.", err);
    rc = rc ? rc : say_one(to, r->unjudged, "awards have neither verdict nor outcome.", err);
    return rc ? rc : say_one(to, r->unawarded, "verdicts are for awards that are not here.", err);
}

/* --- key figures of the market --- */

/* Herfindahl-Hirschman index: the sum of the squares of shares in percent, 10000 for one seller
 * alone. Shares are rounded to 1e-6 first, so the index is good to 0.1 for up to 10^5 sellers. */
static int concentration(const struct pof_report *r, int64_t *index, uint64_t *sellers,
                         struct pof_err *err)
{
    int64_t all = 0, squares = 0;
    int rc = 0;
    *sellers = 0;
    for (size_t i = 0; rc == 0 && i < r->parties.n; i++) {
        rc = pof_add(&all, r->sold[i], err);
        *sellers += r->sold[i] > 0;
    }
    for (size_t i = 0; rc == 0 && all > 0 && i < r->parties.n; i++) {
        int64_t ppm;
        rc = pof_muldiv(r->sold[i], 1000000, all, &ppm, err);
        squares += rc ? 0 : ppm * ppm; /* shares add up to about 1e6: fits */
    }
    return rc ? rc : pof_muldiv(squares, 1, 100000000, index, err);
}

static int add_share(struct pofi_table *t, const char *name, int64_t part, int64_t whole,
                     struct pof_err *err)
{
    int rc = pofi_cell_text(t, pof_text(name), err);
    return rc ? rc : pofi_cell_share(t, part, whole, err);
}

static int add_remark(struct pofi_table *t, int rc, const char *remark, struct pof_err *err)
{
    return rc ? rc : pofi_cell_text(t, pof_text(remark), err);
}

static int say_market(const struct pof_report *r, const struct pofi_session *sum, struct pof_buf *to,
                      struct pof_err *err)
{
    struct pofi_table t = {.columns = 3, .left = 1 | 4};
    int64_t index = 0, asked = sum->requested[0];
    uint64_t sellers = 0;
    int rc = concentration(r, &index, &sellers, err);
    rc = rc ? rc : pof_add(&asked, sum->requested[1], err);
    rc = rc ? rc : pof_buf_adds(to, "\nMarket\n\n", err);
    rc = rc ? rc : add_share(&t, "clearing ratio", sum->awarded, asked, err);
    rc = add_remark(&t, rc, "awarded of requested energy; an award may serve a second request as well", err);
    rc = rc ? rc : add_share(&t, "technical acceptance", sum->approved, sum->awarded, err);
    rc = add_remark(&t, rc, "approved of awarded energy", err);
    rc = rc ? rc
            : add_share(&t, "reliability", r->settled.delivered_ws, r->settled.ordered_ws, err);
    rc = add_remark(&t, rc, "delivered of ordered energy", err);
    rc = rc ? rc : add_share(&t, "liquidity up", r->first_offered[POF_UP], r->asked[POF_UP], err);
    rc = add_remark(&t, rc, "offered against requested energy", err);
    rc = rc ? rc
            : add_share(&t, "liquidity down", r->first_offered[POF_DOWN], r->asked[POF_DOWN], err);
    rc = add_remark(&t, rc, "", err);
    rc = rc ? rc : pofi_cell_text(&t, pof_text("sellers"), err);
    rc = rc ? rc : pofi_cell_count(&t, sellers, err);
    rc = add_remark(&t, rc, "with approved energy", err);
    rc = rc ? rc : pofi_cell_text(&t, pof_text("concentration"), err);
    rc = rc ? rc : pofi_cell_count(&t, (uint64_t)index, err);
    rc = add_remark(&t, rc, "Herfindahl-Hirschman index of their shares, 10000: one seller", err);
    return pofi_table_end(&t, rc, to, err);
}

/* --- settlement --- */

static int add_account(struct pofi_table *t, struct pof_text name, const struct pofi_settled *s,
                       struct pof_err *err)
{
    int rc = pofi_cell_text(t, name, err);
    rc = rc ? rc : pofi_cell_count(t, s->n, err);
    rc = rc ? rc : pofi_cell_mwh(t, s->ordered_ws, err);
    rc = rc ? rc : pofi_cell_mwh(t, s->delivered_ws, err);
    rc = rc ? rc : pofi_cell_share(t, s->delivered_ws, s->ordered_ws, err);
    rc = rc ? rc : pofi_cell_eur(t, s->fee, err);
    rc = rc ? rc : pofi_cell_eur(t, s->penalty, err);
    rc = rc ? rc : pofi_cell_eur(t, s->net, err);
    return rc ? rc : pofi_cell_count(t, (uint64_t)s->tokens, err);
}

static int add_statements(const struct pof_report *r, struct pofi_table *t, struct pof_err *err)
{
    uint32_t *order = NULL;
    int rc = pof_names_sorted(&r->parties, &order, err);
    for (size_t i = 0; rc == 0 && i < r->parties.n; i++) {
        for (size_t k = 0; rc == 0 && k < r->statements; k++) {
            if (r->statement[k].party == order[i]) {
                rc = add_account(t, r->parties.text[order[i]], &r->statement[k].sum, err);
            }
        }
    }
    free(order);
    return rc;
}

static int say_settlement(const struct pof_report *r, struct pof_buf *to, struct pof_err *err)
{
    static const char *const head[] = {"",         "settled",  "ordered",       "delivered",
                                       "",         "fees,",    "penalties,",    "net,",
                                       "",         "account",  "quarter-hours", "MWh",
                                       "MWh",      "share",    "EUR",           "EUR",
                                       "EUR",      "tokens",   NULL};
    struct pofi_table t = {.columns = 9, .left = 1};
    if (r->settled.n == 0 && r->statements == 0) {
        return pof_buf_adds(to, "\nSettlement: no settlement and no statement is here.\n", err);
    }
    int rc = pof_buf_adds(to, "\nSettlement\n\n", err);
    rc = rc ? rc : pofi_cells_text(&t, head, err);
    rc = rc ? rc : add_account(&t, pof_text("all settlements"), &r->settled, err);
    rc = rc ? rc : add_statements(r, &t, err);
    rc = pofi_table_end(&t, rc, to, err);
    return rc ? rc
              : pof_buf_adds(to,
                             "\n  In the first line, what buyers pay to sellers; in an account, "
                             "received, or paid where negative.\n",
                             err);
}

int pof_report_write(struct pof_report *r, struct pof_buf *to, struct pof_err *err)
{
    struct pofi_session sum;
    int rc = pofi_report_sum(r, err);
    rc = rc ? rc : say_heading(r, to, err);
    rc = rc ? rc : say_sessions(r, &sum, to, err);
    rc = rc ? rc : say_odd(r, &sum, to, err);
    rc = rc ? rc : say_market(r, &sum, to, err);
    rc = rc ? rc : say_settlement(r, to, err);
    return rc ? rc : pofi_say_flows(r, to, err);
}
