/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of one quarter-hour, stacked by area and direction. */
#ifndef POF_MARKET_NEED_H
#define POF_MARKET_NEED_H

#include "market/clear.h"

/* One request in its stack. */
struct pof_need {
    uint32_t place; /* of its node in the forest */
    bool own;
    enum pof_direction direction;
    int64_t p_w;
    int64_t ceiling_ueur;
    uint32_t request; /* index in the problem */
};

/* All requests in order of place, own areas before subtrees, up before down, dearest ceiling first,
 * then index. needs has problem->requests elements. O(m log m). */
void pof_needs_build(struct pof_need *needs, const struct pof_clear_problem *problem);

/* The end of the stack (same area and direction) that begins at needs[i]. */
size_t pof_stack_end(const struct pof_need *needs, size_t i, size_t n);

/* Watts a stack [i, end) asks for in all. */
int64_t pof_stack_w(const struct pof_need *needs, size_t i, size_t end);

#endif
