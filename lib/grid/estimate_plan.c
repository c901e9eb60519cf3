/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of the kernels: rows and nodes in the order of elimination, piece by piece. */
#include "grid/estimate_eval.h"

#include <stdlib.h>
#include <string.h>

/* Rows that are evaluated together, one behind the other as the estimator has them. */
enum kind { NODE_ROW, PAIR, WEIGHTED, EXACT, GROUP, KINDS };

struct unit {
    uint32_t begin, end; /* rows */
    uint32_t form;       /* first of those that are evaluated together; POF_NONE: none */
    uint32_t place;      /* of the first block touched, in the order of elimination */
    uint32_t piece;
    enum kind kind;
};

struct making {
    const struct pof_se *se;
    struct se_plan *p;
    struct unit *unit;   /* [units] in the order of rows, then of the plan */
    uint32_t units;
    uint32_t forms, entries, terms;
    uint32_t *node_at;   /* [nodes] of the net: number in the plan */
    uint32_t rows, node_rows, exacts, plains, groups, group_rows; /* so far */
};

static bool at_node(const struct se_row *row)
{
    return row->quantity == POF_QUANTITY_V || row->quantity == POF_QUANTITY_ANGLE;
}

/* First of the forms that are evaluated together with a row's; POF_NONE: none. */
static uint32_t base_form(const struct pof_se *se, const struct se_row *row)
{
    return row->place == POF_NONE ? POF_NONE : row->place - row->place % se->net.phases;
}

/* --- units --- */

static bool has_terms(const struct pof_se *se, const struct se_row *row)
{
    for (uint32_t k = 0; k < row->n; k++) {
        if (se->block[row->begin + k] >= se->net.nodes) {
            return true;
        }
    }
    return false;
}

static enum kind kind_of(const struct pof_se *se, const struct unit *u)
{
    const struct se_row *row = &se->row[u->begin];
    if (at_node(row)) {
        return NODE_ROW;
    }
    bool plain = se->net.phases == 1 && u->form != POF_NONE && u->end - u->begin == 2 &&
                 row[0].quantity == POF_QUANTITY_P && row[1].quantity == POF_QUANTITY_Q &&
                 row[0].exact == row[1].exact && !row[1].mixed && !has_terms(se, row) && !has_terms(se, row + 1);
    if (!plain) {
        return GROUP;
    }
    uint32_t entries = se->forms.begin[u->form + 1] - se->forms.begin[u->form];
    return row->exact ? EXACT : entries == 2 ? PAIR : WEIGHTED;
}

static void list_units(struct making *m)
{
    const struct pof_se *se = m->se;
    for (uint32_t i = 0; i < se->rows; i++) {
        const struct se_row *row = &se->row[i];
        uint32_t base = at_node(row) ? POF_NONE : base_form(se, row);
        struct unit *last = m->units > 0 ? &m->unit[m->units - 1] : NULL;
        if (base != POF_NONE && last && last->form == base) {
            last->end++;
        } else {
            m->unit[m->units++] = (struct unit){.begin = i, .end = i + 1, .form = base};
        }
    }
}

/* Where each unit belongs, and how much there is of everything. */
static void place_units(struct making *m, const uint32_t *piece_of)
{
    const struct pof_se *se = m->se;
    struct se_plan *p = m->p;
    for (struct unit *u = m->unit; u < m->unit + m->units; u++) {
        u->place = p->unknowns / 2 - 1;
        for (uint32_t i = u->begin; i < u->end; i++) {
            const struct se_row *row = &se->row[i];
            for (uint32_t k = 0; k < row->n; k++) {
                uint32_t b = se->block[row->begin + k], at = p->order[b];
                u->place = at < u->place ? at : u->place;
                m->terms += b >= se->net.nodes;
            }
            p->exacts += row->exact;
        }
        u->piece = p->unknowns > 0 ? piece_of[u->place] : 0;
        u->kind = kind_of(se, u);
        uint32_t n = u->end - u->begin;
        p->node_rows += u->kind == NODE_ROW;
        p->groups += u->kind == GROUP;
        p->group_rows += u->kind == GROUP ? n : 0;
        p->plains += u->kind != NODE_ROW && u->kind != GROUP;
        for (uint32_t k = 0; k < p->width && u->form != POF_NONE; k++, m->forms++) {
            m->entries += se->forms.begin[u->form + k + 1] - se->forms.begin[u->form + k] + 1;
        }
    }
}

/* By a key, units of equal keys staying as they are. */
static int sort_units(struct making *m, uint32_t keys, uint32_t (*key)(const struct unit *u),
                      struct pof_err *err)
{
    uint32_t *next = NULL;
    struct unit *sorted = NULL;
    int rc = pof_calloc(&next, (size_t)keys + 1, sizeof *next, err);
    rc = rc ? rc : pof_alloc(&sorted, m->units, sizeof *sorted, err);
    if (rc == 0) {
        for (uint32_t i = 0; i < m->units; i++) {
            next[key(&m->unit[i]) + 1]++;
        }
        for (uint32_t k = 0; k < keys; k++) {
            next[k + 1] += next[k];
        }
        for (uint32_t i = 0; i < m->units; i++) {
            sorted[next[key(&m->unit[i])]++] = m->unit[i];
        }
        free(m->unit);
        m->unit = sorted;
    }
    free(next);
    return rc;
}

static uint32_t by_place(const struct unit *u)
{
    return u->place;
}

static uint32_t by_piece(const struct unit *u)
{
    return u->piece * KINDS + u->kind;
}

/* --- filling --- */

static void put_form(struct making *m, uint32_t from, double sign)
{
    const struct se_forms *f = &m->se->forms;
    struct se_plan *p = m->p;
    uint32_t to = m->forms++, e = p->begin[to];
    p->at[to] = m->node_at[f->at[from]];
    for (uint32_t k = f->begin[from]; k < f->begin[from + 1]; k++, e++) {
        p->entry[e] = (struct eval_entry){f->g[k] * sign, f->b[k] * sign, m->node_at[f->to[k]]};
    }
    p->begin[to + 1] = e;
}

/* The same of an exact row: its own node first, with all admittances, for voltages of the others are
 * taken as differences. */
static void put_exact_form(struct making *m, uint32_t from, double sign)
{
    struct se_plan *p = m->p;
    uint32_t form = m->forms;
    put_form(m, from, sign);
    uint32_t begin = p->begin[form], end = p->begin[form + 1], at = p->at[form], kept = begin;
    struct eval_entry all = {.to = at};
    for (uint32_t e = begin; e < end; e++) {
        all.g += p->entry[e].g;
        all.b += p->entry[e].b;
        if (p->entry[e].to != at) {
            p->entry[kept++] = p->entry[e];
        }
    }
    memmove(p->entry + begin + 1, p->entry + begin, (kept - begin) * sizeof *p->entry);
    p->entry[begin] = all;
    p->begin[form + 1] = kept + 1;
}

/* The number of a row, and its place among the exact ones. */
static uint32_t number_row(struct making *m, uint32_t i)
{
    const struct se_row *row = &m->se->row[i];
    m->p->row_at[i] = m->rows;
    if (row->exact) {
        uint32_t extra = 2 * m->p->order[row->extra / 2] + row->extra % 2;
        m->p->exact[m->exacts] = (struct eval_exact){.row = m->rows, .extra = extra};
        m->p->exact_row[m->exacts++] = i;
    }
    return m->rows++;
}

static void put_row(struct making *m, uint32_t i, struct eval_row *to)
{
    const struct pof_se *se = m->se;
    const struct se_row *row = &se->row[i];
    uint32_t q = row->quantity == POF_QUANTITY_Q;
    *to = (struct eval_row){.quantity = row->quantity, .sign = row->sign, .mixed = row->mixed, .of = i};
    to->exact = row->exact ? m->exacts : POF_NONE;
    to->at = number_row(m, i);
    to->node = at_node(row) ? m->node_at[row->place] : 0;
    to->which = (uint8_t)(row->place == POF_NONE ? 4
                          : row->forms == 3      ? 3
                                                 : row->place % se->net.phases);
    to->tbegin = m->terms;
    for (uint32_t k = 0; k < row->n; k++) {
        uint32_t b = se->block[row->begin + k];
        if (b >= se->net.nodes) {
            m->p->term[m->terms++] =
                (struct eval_term){2 * (b - se->net.nodes) + q, 2 * m->p->order[b] + q,
                                   se->constant[2 * ((size_t)row->begin + k) + q]};
        }
    }
    to->tend = m->terms;
}

static void put_unit(struct making *m, const struct unit *u)
{
    struct se_plan *p = m->p;
    if (u->kind == NODE_ROW) {
        put_row(m, u->begin, &p->node_row[m->node_rows++]);
        return;
    }
    uint32_t form = m->forms;
    for (uint32_t k = 0; k < p->width && u->form != POF_NONE; k++) {
        double sign = u->kind == GROUP ? 1 : m->se->row[u->begin].sign;
        (u->kind == EXACT ? put_exact_form : put_form)(m, u->form + k, sign);
    }
    if (u->kind != GROUP) {
        uint32_t exact = m->exacts, row = number_row(m, u->begin);
        number_row(m, u->begin + 1);
        p->plain[m->plains++] =
            (struct eval_plain){row, p->at[form], p->begin[form], p->begin[form + 1], exact};
        return;
    }
    struct eval_group *g = &p->group[m->groups++];
    *g = (struct eval_group){u->form == POF_NONE ? POF_NONE : form, m->group_rows, 0};
    for (uint32_t i = u->begin; i < u->end; i++) {
        put_row(m, i, &p->row[m->group_rows++]);
    }
    g->end = m->group_rows;
}

/* Rows of all pieces; what ends a piece begins the next. */
static void fill(struct making *m)
{
    struct se_plan *p = m->p;
    const struct unit *u = m->unit, *end = m->unit + m->units;
    m->terms = m->forms = 0;
    for (uint32_t k = 0; k <= p->pieces; k++) {
        struct eval_piece *q = &p->piece[k];
        q->row_of_plan = m->rows;
        q->node_row = m->node_rows;
        q->group = m->groups;
        q->exact = m->exacts;
        q->plain = q->pairs_end = q->weighted_end = m->plains;
        for (; u < end && u->piece == k; u++) {
            put_unit(m, u);
            q->pairs_end = u->kind <= PAIR ? m->plains : q->pairs_end;
            q->weighted_end = u->kind <= WEIGHTED ? m->plains : q->weighted_end;
        }
    }
}

/* --- nodes --- */

/* Blocks of nodes and of potentials as elimination has them. */
static void order_blocks(struct making *m, const uint32_t *block_at)
{
    struct se_plan *p = m->p;
    uint32_t nodes = 0, potentials = 0, states = p->nodes + p->potentials;
    for (uint32_t at = 0, k = 0; at <= p->unknowns / 2; at++) {
        for (; k <= p->pieces && p->piece[k].block == at; k++) {
            p->piece[k].node = nodes;
            p->piece[k].potential = potentials;
        }
        uint32_t b = at < p->unknowns / 2 ? block_at[at] : states;
        if (b < p->nodes) {
            p->net_node[nodes] = b;
            p->unknown[nodes] = 2 * at;
            m->node_at[b] = nodes++;
        } else if (b < states) {
            p->potential[potentials++] = (struct eval_term){2 * (b - p->nodes), 2 * at, 1};
        }
    }
}

/* Pieces as the factors have them; which one each place is in, and which block is there. */
static int make_pieces(struct making *m, uint32_t **piece_of, uint32_t **block_at,
                       struct pof_err *err)
{
    struct se_plan *p = m->p;
    const uint32_t *begin = pof_ldl_pieces(m->se->gain.ldl, &p->pieces);
    uint32_t blocks = p->unknowns / 2;
    int rc = pof_calloc(&p->piece, (size_t)p->pieces + 1, sizeof *p->piece, err);
    rc = rc ? rc : pof_alloc(piece_of, blocks, sizeof **piece_of, err);
    rc = rc ? rc : pof_alloc(block_at, blocks, sizeof **block_at, err);
    for (uint32_t k = 0; rc == 0 && k <= p->pieces; k++) {
        p->piece[k].block = begin[k];
        for (uint32_t i = begin[k]; k < p->pieces && i < begin[k + 1]; i++) {
            (*piece_of)[i] = k;
        }
    }
    for (uint32_t b = 0; rc == 0 && b < blocks; b++) {
        (*block_at)[p->order[b]] = b;
    }
    return rc;
}

static int make_nodes(struct making *m, struct pof_err *err)
{
    struct se_plan *p = m->p;
    uint32_t *piece_of = NULL, *block_at = NULL;
    int rc = make_pieces(m, &piece_of, &block_at, err);
    rc = rc ? rc : pof_alloc(&m->node_at, p->nodes, sizeof *m->node_at, err);
    rc = rc ? rc : pof_alloc(&p->net_node, p->nodes, sizeof *p->net_node, err);
    rc = rc ? rc : pof_alloc(&p->unknown, p->nodes, sizeof *p->unknown, err);
    rc = rc ? rc : pof_calloc(&p->potential, p->potentials, sizeof *p->potential, err);
    rc = rc ? rc : pof_alloc(&m->unit, p->rows, sizeof *m->unit, err);
    if (rc == 0) {
        order_blocks(m, block_at);
        list_units(m);
        place_units(m, piece_of);
    }
    free(piece_of);
    free(block_at);
    return rc;
}

/* --- the whole --- */

static int make_rows(struct making *m, struct pof_err *err)
{
    struct se_plan *p = m->p;
    int rc = sort_units(m, p->unknowns / 2 + 1, by_place, err);
    rc = rc ? rc : sort_units(m, p->pieces * KINDS, by_piece, err);
    rc = rc ? rc : pof_alloc(&p->row_at, p->rows, sizeof *p->row_at, err);
    rc = rc ? rc : pof_calloc(&p->node_row, p->node_rows, sizeof *p->node_row, err);
    rc = rc ? rc : pof_calloc(&p->row, p->group_rows, sizeof *p->row, err);
    rc = rc ? rc : pof_calloc(&p->exact, p->exacts, sizeof *p->exact, err);
    rc = rc ? rc : pof_calloc(&p->exact_row, p->exacts, sizeof *p->exact_row, err);
    rc = rc ? rc : pof_calloc(&p->group, p->groups, sizeof *p->group, err);
    rc = rc ? rc : pof_alloc(&p->plain, p->plains, sizeof *p->plain, err);
    rc = rc ? rc : pof_calloc(&p->term, m->terms, sizeof *p->term, err);
    rc = rc ? rc : pof_calloc(&p->at, m->forms, sizeof *p->at, err);
    rc = rc ? rc : pof_calloc(&p->begin, (size_t)m->forms + 1, sizeof *p->begin, err);
    rc = rc ? rc : pof_alloc(&p->entry, m->entries, sizeof *p->entry, err);
    if (rc == 0) {
        fill(m);
    }
    return rc;
}

int pofi_se_plan_new(const struct pof_se *se, struct se_plan **out, struct pof_err *err)
{
    struct making m = {.se = se};
    *out = NULL;
    int rc = pof_calloc(&m.p, 1, sizeof *m.p, err);
    if (rc) {
        return rc;
    }
    m.p->nodes = se->net.nodes;
    m.p->phases = m.p->width = se->net.phases;
    m.p->potentials = se->potentials;
    m.p->rows = (uint32_t)se->rows;
    m.p->unknowns = 2 * se->gain.blocks;
    m.p->order = pof_ldl_order(se->gain.ldl);
    rc = make_nodes(&m, err);
    rc = rc ? rc : make_rows(&m, err);
    free(m.unit);
    free(m.node_at);
    if (rc) {
        pofi_se_plan_free(m.p);
        return rc;
    }
    pofi_se_plan_scale(se, m.p);
    *out = m.p;
    return 0;
}

void pofi_se_plan_scale(const struct pof_se *se, struct se_plan *p)
{
    for (uint32_t k = 0; k < p->exacts; k++) {
        p->exact[k].scale = se->row[p->exact_row[k]].weight;
        p->exact[k].rho = pofi_se_rho(se, p->exact_row[k]);
    }
    for (uint32_t k = 0; k < p->group_rows; k++) {
        p->row[k].mix = p->row[k].mixed ? se->row[p->row[k].of].mix : 0;
    }
}

void pofi_se_plan_free(struct se_plan *p)
{
    if (!p) {
        return;
    }
    void *owned[] = {p->net_node, p->unknown,   p->row_at, p->piece, p->node_row, p->row,
                     p->exact,    p->exact_row, p->plain,  p->group, p->term,     p->potential,
                     p->at,       p->begin,     p->entry,  p};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
}
