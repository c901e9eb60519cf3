/* SPDX-License-Identifier: Apache-2.0 */
/* Power flow of a radial grid by backward/forward sweep (D. Shirmohammadi, H. W. Hong, A. Semlyen,
 * G. X. Luo, "A compensation-based power flow method for weakly meshed distribution and transmission
 * networks", IEEE Trans. Power Systems 3(2), 1988).
 *
 * Everything is referred to the slack node: with T the complex ratio of all transformers between the
 * slack node and a node, V = T V~ and I = I~ / conj(T) leave powers as they are, impedances become
 * z / |T|^2, and the transformers vanish. What remains is a tree of impedances with a constant power
 * and a shunt at each node. Nodes are numbered by their place in the tree, parents first, so that
 * both sweeps run through memory in one direction. */
#include "grid/solver.h"

#include <math.h>
#include <stdlib.h>

/* What a node and the branch to its parent are. */
struct segment {
    double zr, zi; /* series impedance to the parent, referred */
    double g, b;   /* all shunts at the node, referred */
    double tr, ti; /* T */
    uint32_t parent;
    uint32_t node; /* in the grid */
};

/* What changes in a case. */
struct moving {
    double p, q;   /* consumption */
    double vr, vi; /* voltage, referred */
    double lr, li; /* current of the consumption */
    double jr, ji; /* current through the branch to the parent */
};

struct pofi_sweep {
    struct segment *segment;
    struct moving *moving;
    uint32_t n;
    bool warm; /* moving holds a solution */
};

struct ratio {
    double re, im;
};

/* T at the far end of a branch, from T at the near one. */
static struct ratio pass(const struct pof_branch *b, bool from_is_near, struct ratio t)
{
    double c = cos(b->shift), d = sin(b->shift), m = b->ratio;
    if (from_is_near) {
        return (struct ratio){(t.re * c + t.im * d) / m, (t.im * c - t.re * d) / m};
    }
    return (struct ratio){(t.re * c - t.im * d) * m, (t.im * c + t.re * d) * m};
}

static double square(struct ratio t)
{
    return t.re * t.re + t.im * t.im;
}

static void refer(struct pofi_sweep *s, const struct pof_grid *grid, const struct pof_tree *tree,
                  uint32_t *place)
{
    for (uint32_t k = 0; k < tree->n; k++) {
        struct segment *seg = &s->segment[k];
        uint32_t node = tree->order[k];
        place[node] = k;
        seg->node = node;
        struct ratio t = {1, 0};
        if (k > 0) {
            const struct pof_branch *b = &grid->branch[tree->parent_branch[node]];
            struct segment *up = &s->segment[place[tree->parent[node]]];
            bool from_is_near = b->to == node;
            struct ratio near = {up->tr, up->ti};
            t = pass(b, from_is_near, near);
            double tt = square(from_is_near ? t : near); /* at the to end, where z is */
            seg->parent = place[tree->parent[node]];
            seg->zr = b->r / tt;
            seg->zi = b->x / tt;
            seg->g += b->g / 2 * tt;
            seg->b += b->b / 2 * tt;
            up->g += b->g / 2 * tt;
            up->b += b->b / 2 * tt;
        }
        struct pof_shunt shunt = pof_node_shunt(grid, node);
        seg->tr = t.re;
        seg->ti = t.im;
        seg->g += shunt.g * square(t);
        seg->b += shunt.b * square(t);
    }
}

static int refuse_pv(const struct pof_grid *grid, const struct pof_tree *tree, struct pof_err *err)
{
    for (uint32_t k = 0; k < tree->n; k++) {
        const struct pof_node *node = &grid->node[tree->order[k]];
        if (node->kind == POF_NODE_PV) {
            return pof_fail(err, POF_E_TOPOLOGY,
                            "node '%s' holds its voltage; a sweep needs a grid where only the slack "
                            "node does",
                            node->name.ptr);
        }
    }
    return 0;
}

int pofi_sweep_new(struct pofi_sweep **out, const struct pof_grid *grid, struct pof_err *err)
{
    *out = NULL;
    struct pof_tree tree;
    struct pofi_sweep *s = NULL;
    uint32_t *place = NULL;
    int rc = pof_tree_build(&tree, grid, err);
    if (rc) {
        return rc;
    }
    rc = refuse_pv(grid, &tree, err);
    rc = rc ? rc : pof_calloc(&s, 1, sizeof *s, err);
    rc = rc ? rc : pof_calloc(&s->segment, tree.n, sizeof *s->segment, err);
    rc = rc ? rc : pof_calloc(&s->moving, tree.n, sizeof *s->moving, err);
    rc = rc ? rc : pof_calloc(&place, grid->nodes, sizeof *place, err);
    if (rc == 0) {
        s->n = tree.n;
        refer(s, grid, &tree, place);
        const struct pof_node *slack = &grid->node[tree.order[0]];
        s->moving[0].vr = slack->v_set_pu * cos(slack->angle_set);
        s->moving[0].vi = slack->v_set_pu * sin(slack->angle_set);
        *out = s;
    } else {
        pofi_sweep_free(s);
    }
    free(place);
    pof_tree_release(&tree);
    return rc;
}

static void start(struct pofi_sweep *s, const struct pofi_case *c)
{
    bool flat = c->cold || !s->warm;
    struct moving *m = s->moving;
    for (uint32_t k = 0; k < s->n; k++) {
        m[k].p = c->p[s->segment[k].node];
        m[k].q = c->q[s->segment[k].node];
        if (flat) {
            m[k].vr = m[0].vr;
            m[k].vi = m[0].vi;
        }
    }
}

/* Currents, from the leaves to the root: conj(S / V) + Y V of the node and all below it. */
static void backward(struct pofi_sweep *s)
{
    struct moving *m = s->moving;
    for (uint32_t k = 0; k < s->n; k++) {
        const struct segment *seg = &s->segment[k];
        double vv = m[k].vr * m[k].vr + m[k].vi * m[k].vi;
        m[k].lr = (m[k].p * m[k].vr + m[k].q * m[k].vi) / vv;
        m[k].li = (m[k].p * m[k].vi - m[k].q * m[k].vr) / vv;
        m[k].jr = m[k].lr + seg->g * m[k].vr - seg->b * m[k].vi;
        m[k].ji = m[k].li + seg->g * m[k].vi + seg->b * m[k].vr;
    }
    for (uint32_t k = s->n - 1; k > 0; k--) {
        struct moving *up = &m[s->segment[k].parent];
        up->jr += m[k].jr;
        up->ji += m[k].ji;
    }
}

/* Voltages, from the root to the leaves. Returns the largest mismatch that the currents, which
 * belong to the old voltages, leave at the new ones: dV conj(I) - conj(Y) V conj(dV). */
static double forward(struct pofi_sweep *s)
{
    struct moving *m = s->moving;
    double worst = 0, sum = 0;
    for (uint32_t k = 1; k < s->n; k++) {
        const struct segment *seg = &s->segment[k];
        const struct moving *up = &m[seg->parent];
        double vr = up->vr - (seg->zr * m[k].jr - seg->zi * m[k].ji);
        double vi = up->vi - (seg->zr * m[k].ji + seg->zi * m[k].jr);
        double dr = vr - m[k].vr, di = vi - m[k].vi;
        /* V conj(dV) */
        double wr = vr * dr + vi * di, wi = vi * dr - vr * di;
        double dp = dr * m[k].lr + di * m[k].li - (seg->g * wr + seg->b * wi);
        double dq = di * m[k].lr - dr * m[k].li - (seg->g * wi - seg->b * wr);
        m[k].vr = vr;
        m[k].vi = vi;
        dp = fabs(dp);
        dq = fabs(dq);
        worst = dp > worst ? dp : worst;
        worst = dq > worst ? dq : worst;
        sum += dp + dq;
    }
    return isfinite(sum) ? worst : INFINITY; /* comparisons alone would lose a NaN */
}

/* Beyond this the iteration has left the region in which it can return. */
#define HOPELESS 1e6

void pofi_sweep_solve(struct pofi_sweep *s, struct pofi_case *c)
{
    start(s, c);
    c->converged = false;
    c->mismatch = 0;
    for (c->iterations = 0; c->iterations < c->max_iterations && !c->converged;) {
        backward(s);
        c->mismatch = forward(s);
        c->iterations++;
        c->converged = c->mismatch <= c->tolerance;
        if (!(c->mismatch < HOPELESS)) {
            break;
        }
    }
    s->warm = c->converged;
    for (uint32_t k = 0; k < s->n && c->converged; k++) {
        const struct segment *seg = &s->segment[k];
        const struct moving *m = &s->moving[k];
        c->vr[seg->node] = seg->tr * m->vr - seg->ti * m->vi;
        c->vi[seg->node] = seg->tr * m->vi + seg->ti * m->vr;
    }
}

void pofi_sweep_free(struct pofi_sweep *s)
{
    if (s) {
        free(s->segment);
        free(s->moving);
        free(s);
    }
}
