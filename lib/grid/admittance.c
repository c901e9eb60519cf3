/* SPDX-License-Identifier: Apache-2.0 */
/* Branches and shunts as admittances. */
#include "grid/admittance.h"

#include "grid/net_impl.h"

#include <math.h>

struct pof_pi pof_branch_pi(const struct pof_branch *b)
{
    double zz = b->r * b->r + b->x * b->x;
    double g = b->r / zz, s = -b->x / zz; /* ys = g + js */
    double gtt = g + b->g / 2, btt = s + b->b / 2;
    double m = b->ratio, c = cos(b->shift), d = sin(b->shift);
    return (struct pof_pi){
        .gff = gtt / (m * m),
        .bff = btt / (m * m),
        /* -ys e^(j shift) / m and -ys e^(-j shift) / m */
        .gft = -(g * c - s * d) / m,
        .bft = -(s * c + g * d) / m,
        .gtf = -(g * c + s * d) / m,
        .btf = -(s * c - g * d) / m,
        .gtt = gtt,
        .btt = btt,
    };
}

int pof_branch_y(const struct pof_grid *grid, uint32_t branch, uint32_t phases, struct pof_y *y,
                 struct pof_err *err)
{
    if (phases == 3) {
        return pofi_branch_y3(&grid->branch[branch], y, err);
    }
    struct pof_pi pi = pof_branch_pi(&grid->branch[branch]);
    y->g[0] = pi.gff, y->b[0] = pi.bff;
    y->g[1] = pi.gft, y->b[1] = pi.bft;
    y->g[2] = pi.gtf, y->b[2] = pi.btf;
    y->g[3] = pi.gtt, y->b[3] = pi.btt;
    return 0;
}

bool pof_node_y(const struct pof_grid *grid, uint32_t node, uint32_t phases, struct pof_y *y)
{
    const struct pof_node *n = &grid->node[node];
    if (phases == 3) {
        return pofi_node_y3(grid, node, y);
    }
    y->g[0] = n->g_w / grid->base_va;
    y->b[0] = n->b_var / grid->base_va;
    return n->g_w != 0 || n->b_var != 0;
}

struct pof_flow pof_pi_flow(const struct pof_pi *y, double v_from, double a_from, double v_to,
                            double a_to)
{
    double c = cos(a_from - a_to), d = sin(a_from - a_to), vv = v_from * v_to;
    return (struct pof_flow){
        .p_from = v_from * v_from * y->gff + vv * (y->gft * c + y->bft * d),
        .q_from = -v_from * v_from * y->bff + vv * (y->gft * d - y->bft * c),
        .p_to = v_to * v_to * y->gtt + vv * (y->gtf * c - y->btf * d),
        .q_to = -v_to * v_to * y->btt - vv * (y->gtf * d + y->btf * c),
    };
}

struct pof_shunt pof_node_shunt(const struct pof_grid *grid, uint32_t node)
{
    return (struct pof_shunt){grid->node[node].g_w / grid->base_va,
                              grid->node[node].b_var / grid->base_va};
}

double pof_base_current(const struct pof_grid *grid, uint32_t node)
{
    return grid->base_va / (sqrt(3) * grid->node[node].base_v);
}
