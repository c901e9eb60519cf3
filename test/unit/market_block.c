/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions by hand: sessions small enough to decide on paper. */
#include "market/block.h"

#include "base/text.h"
#include "tap.h"

#define EUR INT64_C(1000000)

enum { QUARTERS = 3 };

/* A block over all quarter-hours of a feeder of two nodes, wanted in all of them
 * and more than its line carries in each: relaxed it is taken by more than half, so it is rounded up,
 * and what repairs one quarter-hour repairs the others. */
static void try_block_beyond_limits(void)
{
    uint32_t parent[] = {POF_NONE, 0};
    struct pof_clear_offer offer[] = {{1, POF_UP, 80, 0, 20 * EUR, 1}};
    struct pof_clear_request request[] = {{0, false, POF_UP, 80, 100 * EUR}};
    struct pof_clear_limit limit[] = {{1, 50, 50}};
    struct pof_forest forest;
    struct pof_err err = {0};
    struct pof_clear_problem quarter[QUARTERS];
    struct pof_unit_entry entry[QUARTERS];
    bool on[1] = {true};
    int rc = pof_forest_build(&forest, parent, 2, &err);
    for (uint32_t q = 0; q < QUARTERS; q++) {
        quarter[q] = (struct pof_clear_problem){&forest, offer, 1, request, 1, limit, 1};
        entry[q] = (struct pof_unit_entry){q, 0, 80};
    }
    struct pof_unit unit[] = {{.last = QUARTERS, .parent = POF_NONE, .group = POF_NONE}};
    struct pof_block_problem p = {.quarter = quarter,
                                  .quarters = QUARTERS,
                                  .unit = unit,
                                  .units = 1,
                                  .entry = entry,
                                  .entries = QUARTERS};
    struct pof_effort effort = {.budget = 100, .threads = 1};
    struct pof_decided d = {.on = on};
    rc = rc ? rc : pof_block_solve(&p, &effort, &d, &err);
    ok(rc == 0 && !on[0], "a block that no quarter-hour can carry is left out %s", err.text);
    is_int((int64_t)d.cost, QUARTERS * 80 * 100 * EUR, "and nothing is served");
    ok(d.bound == d.cost && d.open == 0, "which is proven");
    pof_forest_release(&forest);
}

int main(void)
{
    try_block_beyond_limits();
    return done();
}
