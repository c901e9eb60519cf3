/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a power-grid-model data set: names, ids, updates. */
#include "grid/pgm.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE(T, name) static const struct pofi_pgm_attribute attributes_##T[] = {
#define ONE(T, attribute) {#attribute, T##_##attribute, 1},
#define PHASES(T, attribute) {#attribute, T##_##attribute, 3},
#define END(T) };
#include "grid/pgm.def"

const struct pofi_pgm_kind pofi_pgm_kind[PGM_TYPES] = {
#define TYPE(T, name)                                                                              \
    {#name, sizeof attributes_##T / sizeof attributes_##T[0], T##_COLUMNS, attributes_##T},
#define ONE(T, attribute)
#define PHASES(T, attribute)
#define END(T)
#include "grid/pgm.def"
};

enum pofi_pgm_type pofi_pgm_find_type(struct pof_text name)
{
    int t = 0;
    while (t < PGM_TYPES && !pof_text_is(name, pofi_pgm_kind[t].name)) {
        t++;
    }
    return (enum pofi_pgm_type)t;
}

static void release_ids(struct pofi_pgm_ids *ids)
{
    free(ids->id);
    free(ids->place);
    *ids = (struct pofi_pgm_ids){0};
}

void pofi_pgm_release(struct pofi_pgm *p)
{
    for (int t = 0; t < PGM_TYPES; t++) {
        free(p->table[t].v);
    }
    release_ids(&p->ids);
    *p = (struct pofi_pgm){0};
}

void pofi_pgm_set_release(struct pofi_pgm_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        pofi_pgm_release(&set->scenario[i]);
    }
    free(set->scenario);
    *set = (struct pofi_pgm_set){0};
}

int pofi_pgm_copy(struct pofi_pgm *to, const struct pofi_pgm *from, struct pof_err *err)
{
    int rc = 0;
    *to = (struct pofi_pgm){.unknown = from->unknown};
    memcpy(to->unknown_name, from->unknown_name, sizeof to->unknown_name);
    for (int t = 0; t < PGM_TYPES && rc == 0; t++) {
        size_t n = (size_t)from->table[t].rows * pofi_pgm_kind[t].columns;
        rc = n ? pof_grow(&to->table[t].v, &to->table[t].cap, n, sizeof(double), err) : 0;
        if (rc == 0 && n) {
            memcpy(to->table[t].v, from->table[t].v, n * sizeof(double));
            to->table[t].rows = from->table[t].rows;
        }
    }
    rc = rc ? rc : pofi_pgm_index(to, err);
    if (rc) {
        pofi_pgm_release(to);
    }
    return rc;
}

int pofi_pgm_fail(const struct pofi_pgm_place *at, int column, struct pof_err *err,
                  enum pof_code code, const char *fmt, ...)
{
    char text[256], field[96];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const struct pofi_pgm_kind *k = &pofi_pgm_kind[at->type];
    const char *attribute = "";
    for (int i = 0; i < k->attributes && column >= 0; i++) {
        attribute = k->attribute[i].column <= column ? k->attribute[i].name : attribute;
    }
    snprintf(field, sizeof field, "/data/%s/%u%s%s", k->name, (unsigned)at->row,
             attribute[0] ? "/" : "", attribute);
    pof_fail(err, code, "%s", text);
    pof_at(err, NULL, 0, field);
    return code;
}

/* --- ids --- */

/* Fibonacci hashing: D. E. Knuth, The Art of Computer Programming 3, 6.4. Without hashing ids.slots
 * stands for all ids that are none. */
static size_t slot_of(const struct pofi_pgm_ids *ids, int32_t id)
{
    if (!ids->id) {
        size_t place = (uint32_t)id - (uint32_t)ids->first;
        return place < ids->slots ? place : ids->slots;
    }
    size_t i = ((uint32_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 32 & (ids->slots - 1);
    while (ids->place[i].type != PGM_TYPES && ids->id[i] != id) {
        i = (i + 1) & (ids->slots - 1);
    }
    return i;
}

static bool is_id(double v)
{
    return v >= INT32_MIN && v <= INT32_MAX && v == (double)(int32_t)v;
}

static int add_id(struct pofi_pgm *p, struct pofi_pgm_place at, double v, struct pof_err *err)
{
    if (!is_id(v)) {
        return pofi_pgm_fail(&at, 0, err, POF_E_RANGE,
                             isnan(v) ? "no id given" : "id %.15g is no whole number of 32 bits", v);
    }
    size_t i = slot_of(&p->ids, (int32_t)v);
    if (p->ids.place[i].type != PGM_TYPES) {
        return pofi_pgm_fail(&at, 0, err, POF_E_DUPLICATE, "id %.0f was given before, to %s %u", v,
                             pofi_pgm_kind[p->ids.place[i].type].name,
                             (unsigned)p->ids.place[i].row);
    }
    if (p->ids.id) {
        p->ids.id[i] = (int32_t)v;
    }
    p->ids.place[i] = at;
    return 0;
}

/* Room for all ids; what is no id is refused when it is added. */
static int make_ids(struct pofi_pgm *p, struct pof_err *err)
{
    struct pofi_pgm_ids *ids = &p->ids;
    int64_t first = INT32_MAX, last = INT32_MIN;
    size_t n = 0;
    for (int t = 0; t < PGM_TYPES; t++) {
        for (uint32_t i = 0; i < p->table[t].rows; i++) {
            double v = pofi_pgm_row(p, (enum pofi_pgm_type)t, i)[0];
            first = is_id(v) && v < (double)first ? (int64_t)v : first;
            last = is_id(v) && v > (double)last ? (int64_t)v : last;
        }
        n += p->table[t].rows;
    }
    bool close = last < first || (uint64_t)(last - first) < 4 * (uint64_t)n;
    ids->first = (int32_t)first;
    ids->slots = close && last >= first ? (size_t)(last - first) + 1 : 16;
    while (!close && ids->slots < 2 * n) {
        ids->slots *= 2;
    }
    int rc = close ? 0 : pof_calloc(&ids->id, ids->slots, sizeof *ids->id, err);
    rc = rc ? rc : pof_calloc(&ids->place, ids->slots + 1, sizeof *ids->place, err);
    for (size_t i = 0; i <= ids->slots && rc == 0; i++) {
        ids->place[i].type = PGM_TYPES;
    }
    return rc;
}

int pofi_pgm_index(struct pofi_pgm *p, struct pof_err *err)
{
    release_ids(&p->ids);
    int rc = make_ids(p, err);
    for (int t = 0; t < PGM_TYPES; t++) {
        for (uint32_t i = 0; i < p->table[t].rows && rc == 0; i++) {
            struct pofi_pgm_place at = {(uint8_t)t, i};
            rc = add_id(p, at, pofi_pgm_row(p, (enum pofi_pgm_type)t, i)[0], err);
        }
    }
    if (rc) {
        release_ids(&p->ids);
    }
    return rc;
}

struct pofi_pgm_place pofi_pgm_find(const struct pofi_pgm *p, double id)
{
    if (!is_id(id) || p->ids.slots == 0) {
        return (struct pofi_pgm_place){PGM_TYPES, 0};
    }
    return p->ids.place[slot_of(&p->ids, (int32_t)id)];
}

/* --- updates --- */

static void change(double *row, const double *by, int columns)
{
    for (int c = 1; c < columns; c++) { /* an id does not change */
        row[c] = isnan(by[c]) ? row[c] : by[c];
    }
}

/* Rows without ids: as many as there are components. */
static bool without_ids(const struct pofi_pgm *update, enum pofi_pgm_type type)
{
    for (uint32_t i = 0; i < update->table[type].rows; i++) {
        if (!isnan(pofi_pgm_row(update, type, i)[0])) {
            return false;
        }
    }
    return update->table[type].rows > 0;
}

static int update_type(struct pofi_pgm *p, const struct pofi_pgm *update, enum pofi_pgm_type type,
                       struct pof_err *err)
{
    const struct pofi_pgm_table *u = &update->table[type];
    int columns = pofi_pgm_kind[type].columns;
    bool in_order = without_ids(update, type);
    if (in_order && u->rows != p->table[type].rows) {
        const struct pofi_pgm_place at = {(uint8_t)type, 0};
        return pofi_pgm_fail(&at, -1, err, POF_E_REFERENCE,
                             "%u rows without id for %u components: expected as many",
                             (unsigned)u->rows, (unsigned)p->table[type].rows);
    }
    for (uint32_t i = 0; i < u->rows; i++) {
        const double *by = pofi_pgm_row(update, type, i);
        struct pofi_pgm_place at = in_order ? (struct pofi_pgm_place){(uint8_t)type, i}
                                            : pofi_pgm_find(p, by[0]);
        if (at.type != type) {
            at = (struct pofi_pgm_place){(uint8_t)type, i};
            return pofi_pgm_fail(&at, 0, err, POF_E_REFERENCE, "there is no %s of id %.15g",
                                 pofi_pgm_kind[type].name, by[0]);
        }
        change(p->table[type].v + (size_t)at.row * (size_t)columns, by, columns);
    }
    return 0;
}

int pofi_pgm_update(struct pofi_pgm *p, const struct pofi_pgm *update, struct pof_err *err)
{
    int rc = 0;
    for (int t = 0; t < PGM_TYPES && rc == 0; t++) {
        rc = update_type(p, update, (enum pofi_pgm_type)t, err);
    }
    return rc;
}
