/* SPDX-License-Identifier: Apache-2.0 */
/* Requests stacked by area and direction. */
#include "market/need.h"

#include <stdlib.h>

static int need_cmp(const void *pa, const void *pb)
{
    const struct pof_need *a = pa, *b = pb;
    if (a->place != b->place) {
        return a->place < b->place ? -1 : 1;
    }
    if (a->own != b->own) {
        return a->own ? -1 : 1;
    }
    if (a->direction != b->direction) {
        return a->direction < b->direction ? -1 : 1;
    }
    if (a->ceiling_ueur != b->ceiling_ueur) {
        return a->ceiling_ueur > b->ceiling_ueur ? -1 : 1;
    }
    return (a->request > b->request) - (a->request < b->request);
}

void pof_needs_build(struct pof_need *needs, const struct pof_clear_problem *problem)
{
    for (size_t i = 0; i < problem->requests; i++) {
        const struct pof_clear_request *r = &problem->request[i];
        needs[i] = (struct pof_need){.place = problem->forest->pos[r->node],
                                     .own = r->own,
                                     .direction = r->direction,
                                     .p_w = r->p_w,
                                     .ceiling_ueur = r->ceiling_ueur,
                                     .request = (uint32_t)i};
    }
    if (problem->requests > 1) {
        qsort(needs, problem->requests, sizeof *needs, need_cmp);
    }
}

size_t pof_stack_end(const struct pof_need *needs, size_t i, size_t n)
{
    size_t end = i + 1;
    while (end < n && needs[end].place == needs[i].place && needs[end].own == needs[i].own &&
           needs[end].direction == needs[i].direction) {
        end++;
    }
    return end;
}

int64_t pof_stack_w(const struct pof_need *needs, size_t i, size_t end)
{
    int64_t sum = 0;
    for (; i < end; i++) {
        sum += needs[i].p_w;
    }
    return sum;
}
