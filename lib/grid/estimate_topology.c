/* SPDX-License-Identifier: Apache-2.0 */
/* The net, its state without load, and the sections of buses that ideal switches join. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int pofi_se_state_new(const struct pof_se *se, struct se_state *s, struct pof_err *err)
{
    int rc = pof_alloc(&s->vr, se->net.nodes, sizeof *s->vr, err);
    rc = rc ? rc : pof_alloc(&s->vi, se->net.nodes, sizeof *s->vi, err);
    rc = rc ? rc : pof_alloc(&s->vm, se->net.nodes, sizeof *s->vm, err);
    return rc ? rc : pof_calloc(&s->x, 2 * (size_t)se->potentials, sizeof *s->x, err);
}

void pofi_se_state_free(struct se_state *s)
{
    free(s->vr);
    free(s->vi);
    free(s->vm);
    free(s->x);
    *s = (struct se_state){0};
}

void pofi_se_state_copy(const struct pof_se *se, struct se_state *to, const struct se_state *from)
{
    memcpy(to->vr, from->vr, se->net.nodes * sizeof *to->vr);
    memcpy(to->vi, from->vi, se->net.nodes * sizeof *to->vi);
    memcpy(to->vm, from->vm, se->net.nodes * sizeof *to->vm);
    memcpy(to->x, from->x, 2 * (size_t)se->potentials * sizeof *to->x);
}

static void flat_state(struct pof_se *se)
{
    double angle = 0, c = 1, s = 0; /* mostly that of the node before */
    for (uint32_t k = 0; k < se->net.nodes; k++) {
        if (se->net.flat_a[k] != angle) {
            angle = se->net.flat_a[k];
            c = cos(angle);
            s = sin(angle);
        }
        se->flat.vm[k] = se->net.flat_v[k] > 0 ? se->net.flat_v[k] : 1;
        se->flat.vr[k] = se->flat.vm[k] * c;
        se->flat.vi[k] = se->flat.vm[k] * s;
    }
}

/* --- sections --- */

static bool is_tie(const struct pof_se *se, uint32_t branch)
{
    const struct pof_branch *b = &se->grid->branch[branch];
    return pof_branch_ideal(se->grid, b) && se->net.bus_of[b->from] != POF_NONE;
}

/* Numbers the nodes of buses that have several, bus by bus. */
static int number_sections(struct pof_se *se, struct pof_err *err)
{
    uint32_t *begin = NULL;
    int rc = pof_calloc(&begin, (size_t)se->net.buses + 1, sizeof *begin, err);
    for (uint32_t i = 0; rc == 0 && i < se->grid->nodes; i++) {
        if (se->net.bus_of[i] != POF_NONE) {
            begin[se->net.bus_of[i]]++;
        }
    }
    for (uint32_t k = 0; rc == 0 && k < se->net.buses; k++) {
        uint32_t size = begin[k];
        begin[k] = se->sections;
        se->sections += size > 1 ? size : 0;
    }
    if (rc == 0 && se->sections > 0) {
        begin[se->net.buses] = se->sections;
        rc = pof_calloc(&se->section_of, se->grid->nodes, sizeof *se->section_of, err);
        rc = rc ? rc : pof_calloc(&se->section_node, se->sections, sizeof *se->section_node, err);
        uint32_t *next = NULL;
        rc = rc ? rc : pof_calloc(&next, se->net.buses, sizeof *next, err);
        for (uint32_t i = 0; rc == 0 && i < se->grid->nodes; i++) {
            uint32_t k = se->net.bus_of[i];
            se->section_of[i] = POF_NONE;
            if (k != POF_NONE && begin[k + 1] > begin[k]) {
                se->section_of[i] = begin[k] + next[k]++;
                se->section_node[se->section_of[i]] = i;
            }
        }
        free(next);
    }
    free(begin);
    se->potentials = se->sections * se->net.phases;
    return rc;
}

/* Branch ends at each section: ideal switches (ties), or all others. */
static int list_ends(const struct pof_se *se, bool ties, uint32_t **begin, uint32_t **end,
                     struct pof_err *err)
{
    int rc = pof_calloc(begin, (size_t)se->sections + 2, sizeof **begin, err);
    rc = rc ? rc : pof_calloc(end, 2 * (size_t)se->grid->branches, sizeof **end, err);
    for (int pass = 0; rc == 0 && pass < 2; pass++) {
        for (uint32_t e = 0; e < 2 * se->grid->branches; e++) {
            const struct pof_branch *b = &se->grid->branch[e / 2];
            uint32_t s = se->section_of[e % 2 ? b->to : b->from];
            bool fits = ties ? is_tie(se, e / 2)
                             : se->net.at[pof_net_end(&se->net, e / 2, e % 2, 0)] != POF_NONE;
            if (s == POF_NONE || !fits) {
                continue;
            }
            if (pass == 0) {
                (*begin)[s + 2]++;
            } else {
                (*end)[(*begin)[s + 1]++] = e;
            }
        }
        for (uint32_t s = 0; pass == 0 && s < se->sections; s++) {
            (*begin)[s + 2] += (*begin)[s + 1];
        }
    }
    return rc;
}

/* Forms of sections under construction. */
struct making {
    uint32_t *begin, *end; /* branch ends of sections */
    double *g, *b;         /* [net.nodes] a form */
    uint32_t *mark;        /* [net.nodes] form that a node is in, from 1 */
    uint32_t *node;        /* [net.nodes] its nodes */
    uint32_t nodes;
    uint32_t at, entries;  /* next form, next entry */
};

static void add_entry(struct making *m, uint32_t node, double g, double b)
{
    if (m->mark[node] != m->at + 1) {
        m->mark[node] = m->at + 1;
        m->node[m->nodes++] = node;
        m->g[node] = m->b[node] = 0;
    }
    m->g[node] += g;
    m->b[node] += b;
}

static int ascending(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

/* All that leaves section s in phase f by branches and shunts, as one form. */
static void section_form(const struct pof_se *se, struct making *m, uint32_t s, uint32_t f)
{
    const struct pof_net *net = &se->net;
    uint32_t i = se->section_node[s], bus = net->bus_of[i];
    struct pof_y y;
    m->nodes = 0;
    add_entry(m, bus * net->phases + f, 0, 0);
    for (uint32_t p = m->begin[s]; p < m->begin[s + 1]; p++) {
        uint32_t k = pof_net_end(net, m->end[p] / 2, m->end[p] % 2, f);
        for (uint32_t e = net->begin[k]; e < net->begin[k + 1]; e++) {
            add_entry(m, net->to[e], net->g[e], net->b[e]);
        }
    }
    if (pof_node_y(se->grid, i, net->phases, &y)) {
        for (uint32_t c = 0; c < net->phases; c++) {
            add_entry(m, bus * net->phases + c, y.g[f * net->phases + c], y.b[f * net->phases + c]);
        }
    }
    qsort(m->node, m->nodes, sizeof *m->node, ascending);
}

static int fill_forms(struct pof_se *se, struct making *m, size_t room, struct pof_err *err)
{
    const struct pof_net *net = &se->net;
    struct se_forms *to = &se->forms;
    size_t forms = (size_t)net->forms + se->potentials, entries = net->begin[net->forms] + room;
    if (forms >= UINT32_MAX || entries >= UINT32_MAX) {
        return pof_fail(err, POF_E_RANGE, "the grid is too large: %zu admittances", entries);
    }
    const size_t size[] = {sizeof *net->at, sizeof *net->begin, sizeof *net->to, sizeof *net->g,
                           sizeof *net->b};
    const size_t n[] = {forms, forms + 1, entries, entries, entries};
    const void *from[] = {net->at, net->begin, net->to, net->g, net->b};
    int rc = 0;
    for (int i = 0; rc == 0 && i < 5; i++) {
        rc = pof_calloc(&to->own[i], n[i], size[i], err);
        if (rc == 0) {
            memcpy(to->own[i], from[i], (i < 2 ? net->forms : net->begin[net->forms]) * size[i]);
        }
    }
    m->at = net->forms;
    m->entries = net->begin[net->forms];
    for (uint32_t k = 0; rc == 0 && k < se->potentials; k++, m->at++) {
        section_form(se, m, k / net->phases, k % net->phases);
        ((uint32_t *)to->own[0])[m->at] =
            net->bus_of[se->section_node[k / net->phases]] * net->phases + k % net->phases;
        ((uint32_t *)to->own[1])[m->at] = m->entries;
        for (uint32_t e = 0; e < m->nodes; e++, m->entries++) {
            ((uint32_t *)to->own[2])[m->entries] = m->node[e];
            ((double *)to->own[3])[m->entries] = m->g[m->node[e]];
            ((double *)to->own[4])[m->entries] = m->b[m->node[e]];
        }
    }
    if (rc == 0) {
        ((uint32_t *)to->own[1])[m->at] = m->entries;
        *to = (struct se_forms){.n = (uint32_t)forms, .at = to->own[0], .begin = to->own[1],
                                .to = to->own[2], .g = to->own[3], .b = to->own[4],
                                .own = {to->own[0], to->own[1], to->own[2], to->own[3], to->own[4]}};
    }
    return rc;
}

static int make_forms(struct pof_se *se, struct pof_err *err)
{
    struct making m = {0};
    size_t n = se->net.nodes, phases = se->net.phases;
    int rc = list_ends(se, false, &m.begin, &m.end, err);
    rc = rc ? rc : pof_calloc(&m.g, n, sizeof *m.g, err);
    rc = rc ? rc : pof_calloc(&m.b, n, sizeof *m.b, err);
    rc = rc ? rc : pof_calloc(&m.mark, n, sizeof *m.mark, err);
    rc = rc ? rc : pof_calloc(&m.node, n, sizeof *m.node, err);
    if (rc == 0) {
        size_t room = phases * phases * (se->sections + 2 * (size_t)m.begin[se->sections]);
        rc = fill_forms(se, &m, room, err);
    }
    free(m.node);
    free(m.mark);
    free(m.b);
    free(m.g);
    free(m.end);
    free(m.begin);
    return rc;
}

int pofi_se_topology(struct pof_se *se, struct pof_err *err)
{
    struct pof_net *net = &se->net;
    int rc = pof_net_build(net, se->grid, se->options.phases == 3 ? 3 : 1, err);
    if (rc) {
        return rc;
    }
    se->forms = (struct se_forms){.n = net->forms, .at = net->at, .begin = net->begin,
                                  .to = net->to, .g = net->g, .b = net->b};
    rc = number_sections(se, err);
    if (rc == 0 && se->sections > 0) {
        size_t flows = 2 * (size_t)se->grid->branches * net->phases;
        rc = list_ends(se, true, &se->tie_begin, &se->tie, err);
        rc = rc ? rc : make_forms(se, err);
        rc = rc ? rc : pof_calloc(&se->is_state, 2 * (size_t)se->potentials, sizeof *se->is_state, err);
        rc = rc ? rc : pof_calloc(&se->section_known, 2 * (size_t)se->potentials,
                                  sizeof *se->section_known, err);
        rc = rc ? rc : pof_calloc(&se->tie_known, flows, sizeof *se->tie_known, err);
    }
    rc = rc ? rc : pofi_se_state_new(se, &se->state, err);
    rc = rc ? rc : pofi_se_state_new(se, &se->from, err);
    rc = rc ? rc : pofi_se_state_new(se, &se->flat, err);
    if (rc == 0) {
        flat_state(se);
    }
    return rc;
}

void pofi_se_topology_free(struct pof_se *se)
{
    pof_net_release(&se->net);
    pofi_se_state_free(&se->state);
    pofi_se_state_free(&se->from);
    pofi_se_state_free(&se->flat);
    for (int i = 0; i < 5; i++) {
        free(se->forms.own[i]);
    }
    free(se->section_of);
    free(se->section_node);
    free(se->tie_begin);
    free(se->tie);
    free(se->is_state);
    free(se->section_known);
    free(se->tie_known);
}
