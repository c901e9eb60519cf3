/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of a grid operator from the forecast of its radial grid.
 *
 * Each quarter-hour of the session's window is solved as an AC power flow. An overloaded branch or
 * a voltage outside its limits becomes a request on an area: all that is fed through one branch.
 *
 * Overload: the area is that of the branch itself; direction up when the branch feeds consumption,
 * down when it carries off generation. Deeper branches come first, so that an enclosing request
 * counts what the enclosed ones do already.
 * Voltage: the branch nearest to the root below which every node moves the voltage of the worst one
 * at least POF_REQUEST_EFFECTIVE times as much as that node itself does (feeder.h), so that many
 * may offer and none in vain; where nothing flexible is connected there, the smallest area above
 * with anything flexible. Direction up for low voltage, down for high.
 *
 * Size: the least whole number of watts, spread over the area in proportion to its pods' registered
 * flexibility in that direction (without any: to the load of its nodes; without that: at the node
 * behind the branch), that brings the element to its limit less a margin, found and checked by
 * power flows. Then enlarged by the ratio of the mean effect of that spread to the effect at the
 * pod where a watt helps least, to first order (losses on the way, or resistance of the common
 * path), so that it suffices from wherever in the area it is delivered; the margin is for the rest.
 * p_w of a request is the net change of its whole area: its own part, plus those of the requests
 * enclosed in it, less those of the opposite direction, as clear.h counts (its own part alone where
 * that leaves nothing). Requests met in full make the forecast clean, wherever in their areas they are
 * met, unless one lies in the area of another that asks for the opposite: then a place can be chosen at
 * which it does not, and pof-validate has to say so.
 *
 * With deviations of the forecast each quarter-hour is sized twice: up with every node's consumption so much
 * higher, down with it so much lower, and limits are those of the worse of both.
 *
 * A limit says how far net activation below a branch may move its flow before its rating is
 * reached: with P, Q towards the leaves, at both ends, and S the apparent power that gives the
 * rated current at the voltage there, up: P + sqrt(S^2 - Q^2),  down: sqrt(S^2 - Q^2) - P, the
 * smaller end, rounded down, never below 0. First order (losses and voltages held): pof-validate
 * has the last word. */
#ifndef POF_MARKET_REQUEST_H
#define POF_MARKET_REQUEST_H

#include "market/forecast.h"
#include "record/words.h"

#define POF_REQUEST_EFFECTIVE 0.8

struct pof_request_options {
    const char *buyer;
    bool has_price_limit;
    int64_t price_limit_ueur_mwh;
    double max_loading; /* share of the rating that is allowed; 1: all of it */
    double margin;      /* share of the limit kept free when sizing, for example 0.001 */
    bool limits;        /* compute limits too */
    const double *deviation_w; /* [quarters * nodes] of pof_forecast_deviation(), NULL: the forecast is taken as it is */
    unsigned threads;
};

/* A violation that no change of active power behind it cures; branch or node by kind. */
struct pof_request_trouble {
    uint32_t quarter;
    enum pof_violation kind;
    struct pof_text element; /* of the grid; empty when the power flow diverged */
    double value, limit;     /* share of rating, or p.u. */
};

struct pof_requests {
    struct pof_request *request; /* by branch, direction, start; texts in arena or grid */
    size_t n;
    struct pof_request_trouble *trouble; /* by quarter-hour */
    size_t troubles;
    uint64_t violations; /* in all quarter-hours of the forecast, before any request */
    uint32_t quarters_violated;
    uint32_t dead_pods; /* at nodes that are not connected: they load nothing */
    int64_t *room_up_w, *room_down_w; /* [quarters * branches] limits; NULL unless asked for */
    struct pof_arena arena;
};

/* grid, forecast and buyer must outlive the result. POF_E_TOPOLOGY: not radial. The result does not
 * depend on the number of threads. On failure *r is empty. O(quarters * (1 + needs) * power flow).
 */
int pof_requests_make(struct pof_requests *r, const struct pof_forecast *f,
                      const struct pof_grid *grid, const struct pof_request_options *options,
                      struct pof_err *err) POF_CHECKED;

/* The limit of a rated, connected branch in a quarter-hour; false: it has none. */
bool pof_requests_limit(const struct pof_requests *r, const struct pof_forecast *f,
                        const struct pof_grid *grid, uint32_t branch, uint32_t quarter,
                        struct pof_limit *limit);

void pof_requests_release(struct pof_requests *r);

#endif
