/* SPDX-License-Identifier: Apache-2.0 */
/* Powers through ideal switches: which of them readings determine.
 *
 * With potentials phi of the sections of a bus, what section s consumes is
 * -(what its branches and shunts take) - sum (phi_s - phi_o) over its switches to sections o, and the
 * flow of a switch from f to t is phi_f - phi_t. Both are linear with small integers, the same for
 * all phases, so that Gaussian elimination on what is read in one bus tells which potentials are
 * determined (its pivots: they are unknowns, the others are held at 0), and which flows and
 * consumptions are. */
#include "grid/estimate_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A busbar of more would take minutes. */
enum { COLUMNS_MAX = 1500 };

/* Elements are integers' neighbours. */
static const double NOTHING = 1e-9;

static uint32_t far_section(const struct pof_se *se, uint32_t end)
{
    const struct pof_branch *b = &se->grid->branch[end / 2];
    return se->section_of[end % 2 ? b->from : b->to];
}

static bool has_terms(const struct pof_se *se, const struct se_row *row)
{
    return se->sections > 0 &&
           (row->quantity == POF_QUANTITY_P || row->quantity == POF_QUANTITY_Q) &&
           (row->branch ? row->place == POF_NONE : se->section_of[row->element] != POF_NONE);
}

uint32_t pofi_se_terms_max(const struct pof_se *se, const struct se_row *row)
{
    if (!has_terms(se, row)) {
        return 0;
    }
    uint32_t s = row->branch ? 0 : se->section_of[row->element];
    return row->branch ? 2 : 1 + se->tie_begin[s + 1] - se->tie_begin[s];
}

uint32_t pofi_se_terms(const struct pof_se *se, const struct se_row *row, struct se_term *term)
{
    if (!has_terms(se, row)) {
        return 0;
    }
    if (row->branch) {
        const struct pof_branch *b = &se->grid->branch[row->element];
        term[0] = (struct se_term){se->section_of[row->to ? b->to : b->from], 1};
        term[1] = (struct se_term){se->section_of[row->to ? b->from : b->to], -1};
        return 2;
    }
    uint32_t s = se->section_of[row->element], n = 1;
    term[0] = (struct se_term){s, 0};
    for (uint32_t p = se->tie_begin[s]; p < se->tie_begin[s + 1]; p++) {
        term[0].factor -= 1;
        term[n++] = (struct se_term){far_section(se, se->tie[p]), 1};
    }
    return n;
}

/* What is read in one bus: rows in echelon form. */
struct echelon {
    uint32_t columns;
    uint32_t ranks;
    uint32_t *pivot;  /* [ranks] */
    double *row;      /* [ranks * columns] */
    double *next;     /* [columns] a row to be added or asked about */
};

/* Takes out of `next` what the rows already say; returns the place of its largest element. */
static uint32_t reduce(struct echelon *e)
{
    for (uint32_t k = 0; k < e->ranks; k++) {
        const double *from = e->row + (size_t)k * e->columns;
        double f = e->next[e->pivot[k]] / from[e->pivot[k]];
        for (uint32_t c = 0; f != 0 && c < e->columns; c++) {
            e->next[c] -= f * from[c];
        }
    }
    uint32_t most = 0;
    for (uint32_t c = 1; c < e->columns; c++) {
        most = fabs(e->next[c]) > fabs(e->next[most]) ? c : most;
    }
    return most;
}

/* Puts a row into `next`: potentials of one phase, or of all; the first section is held at 0. */
static void put(const struct pof_se *se, struct echelon *e, const struct se_row *row,
                struct se_term *term)
{
    uint32_t phases = se->net.phases, n = pofi_se_terms(se, row, term);
    memset(e->next, 0, e->columns * sizeof *e->next);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t first = se->section_of[se->net.first_of[se->net.bus_of[se->section_node[term[k].section]]]];
        for (uint32_t f = 0; f < phases && term[k].section != first; f++) {
            if (row->phase == 0 || row->phase == f + 1) {
                e->next[(term[k].section - first - 1) * phases + f] += term[k].factor;
            }
        }
    }
}

static void add(struct echelon *e)
{
    uint32_t pivot = reduce(e);
    if (fabs(e->next[pivot]) > NOTHING) {
        e->pivot[e->ranks] = pivot;
        memcpy(e->row + (size_t)e->ranks++ * e->columns, e->next, e->columns * sizeof *e->next);
    }
}

static bool follows(struct echelon *e)
{
    return fabs(e->next[reduce(e)]) <= NOTHING;
}

/* Asks for every section and switch of the bus, in every phase. */
static void ask(struct pof_se *se, struct echelon *e, uint32_t first, struct se_term *term,
                bool reactive)
{
    uint32_t phases = se->net.phases, end = first + 1 + e->columns / phases;
    struct se_row row = {.quantity = reactive ? POF_QUANTITY_Q : POF_QUANTITY_P, .place = POF_NONE};
    for (uint32_t s = first; s < end; s++) {
        for (uint32_t f = 0; f < phases; f++) {
            row.phase = (uint8_t)(phases == 1 ? 0 : f + 1);
            row.branch = false;
            row.element = se->section_node[s];
            put(se, e, &row, term);
            se->section_known[2 * (s * phases + f) + reactive] = follows(e);
            row.branch = true;
            for (uint32_t p = se->tie_begin[s]; p < se->tie_begin[s + 1]; p++) {
                row.element = se->tie[p] / 2;
                put(se, e, &row, term);
                se->tie_known[2 * (row.element * phases + f) + reactive] = follows(e);
            }
        }
    }
}

/* Rows with potentials, by the first section of their bus. */
struct sorted {
    uint32_t *begin; /* [sections + 2] */
    uint32_t *row;
};

static int sort_rows(const struct pof_se *se, struct sorted *s, struct pof_err *err)
{
    int rc = pof_calloc(&s->begin, (size_t)se->sections + 2, sizeof *s->begin, err);
    rc = rc ? rc : pof_calloc(&s->row, se->rows, sizeof *s->row, err);
    for (int pass = 0; rc == 0 && pass < 2; pass++) {
        for (size_t i = 0; i < se->rows; i++) {
            const struct se_row *row = &se->row[i];
            if (!has_terms(se, row)) {
                continue;
            }
            uint32_t node = row->branch ? se->grid->branch[row->element].from : row->element;
            uint32_t first = se->section_of[se->net.first_of[se->net.bus_of[node]]];
            if (pass == 0) {
                s->begin[first + 2]++;
            } else {
                s->row[s->begin[first + 1]++] = (uint32_t)i;
            }
        }
        for (uint32_t k = 0; pass == 0 && k < se->sections; k++) {
            s->begin[k + 2] += s->begin[k + 1];
        }
    }
    return rc;
}

static int one_bus(struct pof_se *se, const struct sorted *sorted, uint32_t first, uint32_t end,
                   struct pof_err *err)
{
    struct echelon e = {.columns = (end - first - 1) * se->net.phases};
    struct se_term *term = NULL;
    if (e.columns > COLUMNS_MAX) {
        return pof_fail(err, POF_E_RANGE, "%u nodes are joined by switches without impedance: "
                                          "expected at most %u", end - first,
                        COLUMNS_MAX / se->net.phases);
    }
    int rc = pof_calloc(&e.pivot, e.columns, sizeof *e.pivot, err);
    rc = rc ? rc : pof_calloc(&e.next, e.columns, sizeof *e.next, err);
    rc = rc ? rc : pof_calloc(&e.row, (size_t)e.columns * e.columns, sizeof *e.row, err);
    rc = rc ? rc : pof_calloc(&term, 3 + (size_t)se->tie_begin[end] - se->tie_begin[first],
                              sizeof *term, err);
    for (int reactive = 0; rc == 0 && reactive < 2; reactive++) {
        e.ranks = 0;
        for (uint32_t k = sorted->begin[first]; k < sorted->begin[first + 1]; k++) {
            const struct se_row *row = &se->row[sorted->row[k]];
            if ((row->quantity == POF_QUANTITY_Q) == reactive) {
                put(se, &e, row, term);
                add(&e);
            }
        }
        for (uint32_t k = 0; k < e.ranks; k++) {
            se->is_state[2 * ((first + 1) * se->net.phases + e.pivot[k]) + (uint32_t)reactive] = true;
        }
        ask(se, &e, first, term, reactive);
    }
    free(term);
    free(e.row);
    free(e.next);
    free(e.pivot);
    return rc;
}

int pofi_se_potentials(struct pof_se *se, struct pof_err *err)
{
    struct sorted sorted = {0};
    if (se->sections == 0) {
        return 0;
    }
    memset(se->is_state, 0, 2 * (size_t)se->potentials * sizeof *se->is_state);
    int rc = sort_rows(se, &sorted, err);
    for (uint32_t first = 0, end; rc == 0 && first < se->sections; first = end) {
        uint32_t bus = se->net.bus_of[se->section_node[first]];
        end = first + 1;
        while (end < se->sections && se->net.bus_of[se->section_node[end]] == bus) {
            end++;
        }
        rc = one_bus(se, &sorted, first, end, err);
    }
    free(sorted.row);
    free(sorted.begin);
    return rc;
}
