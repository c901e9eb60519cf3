/* SPDX-License-Identifier: Apache-2.0 */
/* Times of activity in spells. */
#include "market/spell.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

#define NEVER (-((pof_wide)1 << 126))

/* The least number of spells that cover all up to each time, the last one ending there. */
bool pof_spell_fits(const struct pof_spell *s, const uint32_t *at, size_t n, uint32_t *least)
{
    for (size_t j = 0; j < n; j++) {
        least[j] = POF_NONE;
        for (size_t i = j + 1; i-- > 0 && at[j] - at[i] < s->span;) {
            uint32_t before = i == 0 ? 0 : at[i] - at[i - 1] > s->rest ? least[i - 1] : POF_NONE;
            if (before != POF_NONE && before + 1 < least[j]) {
                least[j] = before + 1;
            }
        }
        if (least[j] == POF_NONE || least[j] > s->most) {
            return false;
        }
    }
    return true;
}

void pof_spell_table_release(struct pof_spell_table *t)
{
    free(t->cell);
    *t = (struct pof_spell_table){0};
}

/* The choice while it is made. */
struct choice {
    const struct pof_spell *s;
    struct pof_spell_time *time;
    size_t n, due;               /* due: the first time that must be; n: none */
    struct pof_spell_cell *cell; /* [spells][n] */
    bool any;                    /* any number of spells: one row for all */
};

/* What spells before the one that begins at i are worth at best; NEVER: there are none that can be. */
static pof_wide before(const struct choice *c, size_t spells, size_t i)
{
    pof_wide none = (spells == 0 || c->any) && c->due >= i ? 0 : NEVER;
    size_t k = i;
    while (k > 0 && c->time[i].at - c->time[k - 1].at <= c->s->rest) {
        if (c->time[--k].must) { /* due while resting */
            return NEVER;
        }
    }
    if (k == 0 || (spells == 0 && !c->any)) {
        return none;
    }
    pof_wide best = c->cell[(c->any ? 0 : spells - 1) * c->n + k - 1].best;
    return best > none ? best : none;
}

static void fill(const struct choice *c, size_t spells)
{
    struct pof_spell_cell *row = c->cell + spells * c->n;
    for (size_t j = 0; j < c->n; j++) {
        pof_wide worth = 0;
        row[j] = (struct pof_spell_cell){NEVER, NEVER, 0, (uint32_t)j};
        for (size_t i = j + 1; i-- > 0 && c->time[j].at - c->time[i].at < c->s->span;) {
            pof_wide base = before(c, spells, i);
            worth += c->time[i].worth;
            if (base != NEVER && base + worth > row[j].end) {
                row[j].end = base + worth;
                row[j].first = (uint32_t)i;
            }
        }
        row[j].best = row[j].end;
        if (j > 0 && !c->time[j].must && row[j - 1].best >= row[j].best) {
            row[j].best = row[j - 1].best;
            row[j].from = row[j - 1].from;
        }
    }
}

/* Marks the times of a best choice that ends with a spell of the row at j. */
static void mark(const struct choice *c, size_t row, size_t j)
{
    for (;;) {
        const struct pof_spell_cell *x = &c->cell[row * c->n + j];
        pof_wide worth = 0;
        size_t i = x->first, k = i;
        for (size_t m = i; m <= j; m++) {
            c->time[m].kept = c->time[m].worth > 0;
            worth += c->time[m].worth;
        }
        while (k > 0 && c->time[i].at - c->time[k - 1].at <= c->s->rest) {
            k--;
        }
        size_t up = c->any ? 0 : row - 1;
        if (k == 0 || (row == 0 && !c->any) || c->cell[up * c->n + k - 1].best != x->end - worth) {
            return; /* nothing before it */
        }
        row = up;
        j = c->cell[row * c->n + k - 1].from;
    }
}

int pof_spell_best(const struct pof_spell *s, struct pof_spell_time *time, size_t n,
                   struct pof_spell_table *table, pof_wide *worth, struct pof_err *err)
{
    struct choice c = {.s = s, .time = time, .n = n, .due = n, .any = s->most >= n};
    size_t rows = c.any ? 1 : s->most, row = 0;
    int rc = pof_grow(&table->cell, &table->cap, rows * n + 1, sizeof *table->cell, err);
    c.cell = table->cell;
    for (size_t i = 0; i < n; i++) {
        time[i].kept = false;
        c.due = time[i].must && c.due == n ? i : c.due;
    }
    *worth = c.due < n ? NEVER : 0;
    for (size_t k = 0; rc == 0 && n > 0 && k < rows; k++) {
        fill(&c, k);
        pof_wide best = c.cell[k * n + n - 1].best;
        row = best > *worth ? k + 1 : row;
        *worth = best > *worth ? best : *worth;
    }
    if (rc == 0 && row > 0) {
        mark(&c, row - 1, c.cell[(row - 1) * n + n - 1].from);
    }
    *worth = *worth == NEVER ? -1 : *worth;
    return rc;
}
