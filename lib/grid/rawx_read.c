/* SPDX-License-Identifier: Apache-2.0 */
/* RAWX: the JSON form of PSS/E 35 raw data. {"network": {"bus": {"fields": [names], "data":
 * [rows]},
 * ...}}: the same records as RAW, read by the same functions; fields are found by name, tables come
 * in any order. */
#include "grid/raw.h"

#include "record/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Names in older documents: which wanted name they stand for. */
static const struct {
    const char *name, *means;
} also[] = {{"status", "stat"}, {"shid", "shntid"}, {"swrem", "swreg"}, {"n", "name"}};

static bool means(struct pof_text name, const char *wanted)
{
    bool same = pof_text_is(name, wanted);
    for (size_t i = 0; i < sizeof also / sizeof also[0]; i++) {
        same = same || (strcmp(also[i].means, wanted) == 0 && pof_text_is(name, also[i].name));
    }
    return same;
}

/* Which column holds which wanted field. */
static int use_fields(struct pofi_raw *r, const struct pof_json *table,
                      const struct pofi_raw_part *part)
{
    struct pof_json fields;
    int rc = pof_json_array(table, "fields", &fields, r->err);
    if (rc) {
        return rc;
    }
    size_t n = pof_json_size(&fields);
    if (n > POFI_RAW_FIELDS) {
        return pof_json_fail(&fields, NULL, r->err, POF_E_TOO_LONG,
                             "%zu fields, at most %d are read", n, POFI_RAW_FIELDS);
    }
    pofi_raw_use(r, part);
    for (size_t i = 0; i < n; i++) {
        struct pof_json item = pof_json_item(&fields, i);
        struct pof_text name = {NULL, 0};
        double number;
        if (!pof_json_scalar(&item, &number, &name) || !name.ptr) {
            return pof_json_fail(&item, NULL, r->err, POF_E_TYPE, "not the name of a field");
        }
        for (size_t k = 0; part->wanted && part->wanted[k]; k++) {
            if (r->column[k] < 0 && means(name, part->wanted[k])) {
                r->column[k] = (int16_t)i;
            }
        }
    }
    return 0;
}

/* A row as the record. */
static int take_row(struct pofi_raw *r, const struct pof_json *row)
{
    size_t n = pof_json_size(row);
    if (n > POFI_RAW_FIELDS) {
        return pof_json_fail(row, NULL, r->err, POF_E_TOO_LONG, "%zu values, at most %d are read",
                             n, POFI_RAW_FIELDS);
    }
    r->rec.n = n;
    for (size_t i = 0; i < n; i++) {
        struct pof_json item = pof_json_item(row, i);
        struct pofi_raw_field *f = &r->rec.field[i];
        *f = (struct pofi_raw_field){.text = {"", 0}, .number = NAN};
        if (!pof_json_scalar(&item, &f->number, &f->text)) {
            return pof_json_fail(&item, NULL, r->err, POF_E_TYPE, "an object or array in a row");
        }
        f->numeric = !isnan(f->number);
        while (f->text.len > 0 && f->text.ptr[f->text.len - 1] == ' ') {
            f->text.len--;
        }
    }
    return 0;
}

/* An error of a reader has the name of a field; it becomes the place of the row and that name. */
static int place_row(struct pofi_raw *r, const char *table, size_t i)
{
    char name[32], place[96];
    snprintf(name, sizeof name, "%.31s", r->err->field);
    snprintf(place, sizeof place, "/network/%s/data/%zu%s%s", table, i, name[0] ? " " : "", name);
    memcpy(r->err->field, place, sizeof place);
    return r->err->code;
}

static int read_rows(struct pofi_raw *r, const struct pof_json *table,
                     const struct pofi_raw_part *part)
{
    struct pof_json data;
    int rc = use_fields(r, table, part);
    rc = rc ? rc : pof_json_array(table, "data", &data, r->err);
    size_t n = rc == 0 ? pof_json_size(&data) : 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct pof_json row = pof_json_item(&data, i);
        rc = pof_json_is_array(&row, r->err);
        rc = rc ? rc : take_row(r, &row);
        if (rc == 0 && (rc = part->read(r)) != 0) {
            rc = place_row(r, part->table, i);
        }
    }
    return rc;
}

/* The head is one row without a list around it, or with. */
static int read_head(struct pofi_raw *r, const struct pof_json *network)
{
    static const char *const wanted[] = {"ic",     "sbase",  "rev",    "xfrrat",
                                         "nxfrat", "basfrq", "title1", NULL};
    static const struct pofi_raw_part head = {"head", "caseid", wanted, {{0, NULL}}, NULL};
    enum { TITLE = 6 };
    struct pof_json table, row;
    if (!pof_json_member(network, "caseid", &table)) {
        return pof_json_fail(network, "caseid", r->err, POF_E_MISSING, "'caseid' is required");
    }
    int rc = pof_json_is_object(&table, r->err);
    rc = rc ? rc : use_fields(r, &table, &head);
    rc = rc ? rc : pof_json_array(&table, "data", &row, r->err);
    if (rc) {
        return rc;
    }
    struct pof_json first = pof_json_item(&row, 0), inner = row;
    double number;
    struct pof_text text;
    if (pof_json_size(&row) > 0 && !pof_json_scalar(&first, &number, &text)) {
        inner = first;
    }
    rc = take_row(r, &inner);
    rc = rc ? rc : pofi_raw_head(r);
    rc = rc ? place_row(r, "caseid", 0) : pofi_raw_title(r, pofi_raw_text(r, TITLE));
    r->revision = POFI_RAW_NEW;
    return rc;
}

static bool is_part(const char *table)
{
    bool found = strcmp(table, "caseid") == 0;
    for (const struct pofi_raw_part *const *p = pofi_raw_parts(POFI_RAW_NEW); *p && !found; p++) {
        found = (*p)->table && strcmp((*p)->table, table) == 0;
    }
    return found;
}

/* Tables that are no part of ours are counted; those that name sub are the inside of substations.
 */
static int count_others(struct pofi_raw *r, const struct pof_json *network)
{
    struct pof_json table, data;
    for (size_t i = 0; pof_json_each(network, i, &table); i++) {
        if (is_part(table.key)) {
            continue;
        }
        bool node = strcmp(table.key, "subnode") == 0;
        if (node && pof_json_is_object(&table, r->err) == 0 &&
            pof_json_member(&table, "data", &data) && pof_json_is_array(&data, r->err) == 0) {
            r->told.nodes += (unsigned)pof_json_size(&data);
        } else {
            r->told.tables++;
        }
    }
    return 0;
}

static int read_network(struct pofi_raw *r, const struct pof_json *network)
{
    int rc = read_head(r, network);
    for (const struct pofi_raw_part *const *p = pofi_raw_parts(POFI_RAW_NEW); *p && rc == 0; p++) {
        struct pof_json table;
        if ((*p)->table && pof_json_member(network, (*p)->table, &table)) {
            rc = pof_json_is_object(&table, r->err);
            rc = rc ? rc : read_rows(r, &table, *p);
        }
        if (rc == 0 && (*p)->read == pofi_raw_read_bus) {
            rc = pofi_raw_buses_done(r);
        }
    }
    return rc ? rc : count_others(r, network);
}

int pofi_rawx_read(struct pofi_raw *r, struct pof_text text, const char *name)
{
    struct pof_json_doc *doc = NULL;
    int rc = pof_json_parse(&doc, text.ptr, text.len, name, r->err);
    if (rc) {
        return rc;
    }
    struct pof_json root = pof_json_root(doc), network;
    rc = pof_json_is_object(&root, r->err);
    if (rc == 0 && !pof_json_member(&root, "network", &network)) {
        rc = pof_json_fail(&root, "network", r->err, POF_E_MISSING, "'network' is required");
    }
    rc = rc ? rc : pof_json_is_object(&network, r->err);
    rc = rc ? rc : read_network(r, &network);
    pof_json_free(doc);
    return rc;
}
