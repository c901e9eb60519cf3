/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E RAW: lines and switching devices. */
#include "grid/raw.h"

#include <stdio.h>

#define MEGA 1e6

int pofi_raw_add_branch(struct pofi_raw *r, struct pof_branch *b, struct pof_text name,
                        struct pof_text circuit)
{
    const struct pof_grid *g = r->build.grid;
    char text[POF_GRID_NAME_MAX + 1], ckt[16];
    snprintf(ckt, sizeof ckt, "%.*s", (int)(circuit.len < 8 ? circuit.len : 8), circuit.ptr);
    bool isolated_from = b->from < r->numbers.n && r->isolated[b->from];
    bool isolated_to = b->to < r->numbers.n && r->isolated[b->to];
    if (b->closed && isolated_from != isolated_to) {
        b->closed = false;
        r->told.opened++;
    }
    bool taken = name.len == 0 || name.len > POF_GRID_NAME_MAX ||
                 pof_names_find(&g->branch_names, name) != POF_NONE;
    b->name = taken ? pofi_branch_name(g, b->from, b->to, ckt, text) : name;
    return pof_build_branch(&r->build, b, r->err);
}

/* Shunts at the ends, where they are unequal a part of the nodes. */
static void line_shunts(struct pofi_raw *r, struct pof_branch *b, const double gb[4])
{
    struct pof_grid *g = r->build.grid;
    if (gb[0] == gb[2] && gb[1] == gb[3]) {
        b->g = 2 * gb[0];
        b->b += 2 * gb[1];
    } else if (b->closed) {
        g->node[b->from].g_w += gb[0] * g->base_va;
        g->node[b->from].b_var += gb[1] * g->base_va;
        g->node[b->to].g_w += gb[2] * g->base_va;
        g->node[b->to].b_var += gb[3] * g->base_va;
        r->told.asymmetric++;
    }
}

int pofi_raw_read_line(struct pofi_raw *r)
{
    enum { I, J, CKT, R, X, B, RATE, GI, BI, GJ, BJ, ST, RATIO, ANG, NAME };
    const struct pof_grid *g = r->build.grid;
    double v[] = {[ST] = 1, [ANG] = 0};
    struct pof_branch b = {.ratio = 1};
    int rc = pofi_raw_bus(r, I, &b.from);
    rc = rc ? rc : pofi_raw_bus(r, J, &b.to);
    rc = rc ? rc : pofi_raw_reals(r, R, NAME - R, v + R);
    if (rc) {
        return rc;
    }
    b.r = v[R];
    b.x = v[X];
    b.b = v[B];
    b.rating_va = v[RATE] * MEGA;
    b.closed = v[ST] != 0;
    bool levels = g->node[b.from].base_v != g->node[b.to].base_v;
    if (v[RATIO] != 0 || v[ANG] != 0 || (levels && (b.r != 0 || b.x != 0))) {
        b.kind =
            POF_BRANCH_TRANSFORMER; /* in old revisions transformers are branches with a ratio */
        b.ratio = v[RATIO] != 0 ? v[RATIO] : 1;
        b.shift = pof_rad_of_deg(v[ANG]);
    }
    if (b.r == 0 && b.x == 0) {
        b.kind = b.kind == POF_BRANCH_LINE ? POF_BRANCH_SWITCH : b.kind;
        b.x = POF_SWITCH_X_PER_VA * g->base_va;
        r->told.switches++;
    }
    line_shunts(r, &b, v + GI);
    return pofi_raw_add_branch(r, &b, pofi_raw_text(r, NAME), pofi_raw_text(r, CKT));
}

/* A breaker or a disconnector between two buses. Its reactance is one that a solver can bear, no
 * property of the device. */
int pofi_raw_read_switch(struct pofi_raw *r)
{
    enum { I, J, CKT, X, RATE, STAT, NAME };
    double v[] = {[STAT] = 1};
    struct pof_branch b = {.kind = POF_BRANCH_SWITCH, .ratio = 1};
    int rc = pofi_raw_bus(r, I, &b.from);
    rc = rc ? rc : pofi_raw_bus(r, J, &b.to);
    rc = rc ? rc : pofi_raw_reals(r, X, NAME - X, v + X);
    if (rc) {
        return rc;
    }
    b.x = POF_SWITCH_X_PER_VA * r->build.grid->base_va;
    b.rating_va = v[RATE] * MEGA;
    b.closed = v[STAT] != 0;
    return pofi_raw_add_branch(r, &b, pofi_raw_text(r, NAME), pofi_raw_text(r, CKT));
}
