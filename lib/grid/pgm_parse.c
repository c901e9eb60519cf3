/* SPDX-License-Identifier: Apache-2.0 */
/* power-grid-model JSON to tables. A scanner that looks at each byte once; nesting is counted, not
 * called. */
#include "grid/pgm.h"
#include "grid/pgm_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN = 64 }; /* members of one object, and names in one list of attributes */

/* The list of a type in `attributes`. */
struct listed {
    uint8_t n;
    int8_t attribute[SEEN]; /* index in the kind; -1: not known */
    int16_t column[SEEN];   /* of an attribute of one number; -1: it is not one */
};

struct parse {
    struct pofi_scan s;
    struct pofi_pgm_set *set;
    struct pofi_pgm *p; /* the scenario being read */
    struct listed listed[PGM_TYPES];
    uint8_t order[PGM_TYPES][SEEN]; /* attribute by place in the object before: what comes next is
                                       guessed before it is searched */
    const char *data; /* begin of the data when it came before the rest */
    bool has_type, has_batch;
    enum pofi_pgm_type type;
    uint32_t row;
};

static int fail_at(struct parse *q, int attribute, const char *found, const char *wanted)
{
    const struct pofi_pgm_kind *k = &pofi_pgm_kind[q->type];
    char field[96];
    pofi_scan_fail(&q->s, "%s: expected %s", found, wanted);
    snprintf(field, sizeof field, "/data/%s/%u%s%s", k->name, (unsigned)q->row,
             attribute < 0 ? "" : "/", attribute < 0 ? "" : k->attribute[attribute].name);
    return pof_at(q->s.err, NULL, 0, field);
}

static void unknown(struct pofi_pgm *p, struct pof_text name)
{
    /* "extra" is where power-grid-model's own tools put what it does not look at. */
    if (!pof_text_is(name, "extra") && p->unknown++ == 0) {
        snprintf(p->unknown_name, sizeof p->unknown_name, "%.*s", (int)(name.len < 40 ? name.len : 40),
                 name.ptr);
    }
}

static int find_attribute(const struct pofi_pgm_kind *k, struct pof_text name)
{
    for (int i = 0; i < k->attributes; i++) {
        if (pof_text_is(name, k->attribute[i].name)) {
            return i;
        }
    }
    return -1;
}

/* A number, null for none, or an infinity as a text. */
static int value_one(struct parse *q, int attribute, double *to)
{
    struct pofi_scan *s = &q->s;
    struct pof_text word;
    char c = pofi_scan_peek(s);
    if (c == 'n') {
        return pofi_scan_word(s, "null") ? 0 : fail_at(q, attribute, "not a value", "a number or null");
    }
    if (c != '"') {
        return pofi_scan_number(s, to) ? 0 : fail_at(q, attribute, "not a number", "a number");
    }
    int rc = pofi_scan_text(s, &word);
    if (rc == 0 && (pof_text_is(word, "inf") || pof_text_is(word, "+inf"))) {
        *to = INFINITY;
    } else if (rc == 0 && pof_text_is(word, "-inf")) {
        *to = -INFINITY;
    } else if (rc == 0) {
        rc = fail_at(q, attribute, "a text", "a number, \"inf\" or \"-inf\"");
    }
    return rc;
}

static int value(struct parse *q, int attribute, double *row)
{
    const struct pofi_pgm_attribute *a = &pofi_pgm_kind[q->type].attribute[attribute];
    double *to = row + a->column;
    if (a->width == 1) {
        return value_one(q, attribute, to);
    }
    if (pofi_scan_peek(&q->s) == 'n' && pofi_scan_word(&q->s, "null")) {
        return 0;
    }
    if (!pofi_scan_take(&q->s, '[')) {
        return fail_at(q, attribute, "not an array", "three numbers, of the phases");
    }
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = i > 0 && !pofi_scan_take(&q->s, ',') ? fail_at(q, attribute, "fewer than three numbers", "three")
                                                  : value_one(q, attribute, to + i);
    }
    if (rc == 0 && !pofi_scan_take(&q->s, ']')) {
        rc = fail_at(q, attribute, "more than three numbers", "three");
    }
    return rc;
}

static int new_row(struct parse *q, double **row)
{
    struct pofi_pgm_table *t = &q->p->table[q->type];
    size_t width = pofi_pgm_kind[q->type].columns;
    if (t->rows >= INT32_MAX / 4) {
        return fail_at(q, -1, "more components than a grid may have", "fewer");
    }
    int rc = pof_grow(&t->v, &t->cap, ((size_t)t->rows + 1) * width, sizeof *t->v, q->s.err);
    if (rc) {
        return rc;
    }
    *row = t->v + (size_t)t->rows * width;
    for (size_t i = 0; i < width; i++) {
        (*row)[i] = NAN;
    }
    q->row = t->rows++;
    return 0;
}

static int member(struct parse *q, double *row, unsigned place, uint64_t *given)
{
    const struct pofi_pgm_kind *k = &pofi_pgm_kind[q->type];
    struct pof_text name;
    int rc = pofi_scan_text(&q->s, &name);
    if (rc) {
        return rc;
    }
    if (!pofi_scan_take(&q->s, ':')) {
        return fail_at(q, -1, "a name without ':'", "\"name\": value");
    }
    int guess = place < SEEN ? q->order[q->type][place] : 0;
    int a = guess < k->attributes && pof_text_is(name, k->attribute[guess].name) ? guess
                                                                               : find_attribute(k, name);
    if (a < 0) {
        unknown(q->p, name);
        return pofi_scan_skip(&q->s);
    }
    if (*given >> a & 1) {
        return fail_at(q, a, "given twice", "each attribute once");
    }
    *given |= (uint64_t)1 << a;
    if (place < SEEN) {
        q->order[q->type][place] = (uint8_t)a;
    }
    return value(q, a, row);
}

static int object_row(struct parse *q, double *row)
{
    uint64_t given = 0; /* no kind has more than 64 attributes */
    if (pofi_scan_take(&q->s, '}')) {
        return 0;
    }
    for (unsigned place = 0;; place++) {
        int rc = member(q, row, place, &given);
        if (rc) {
            return rc;
        }
        if (pofi_scan_take(&q->s, '}')) {
            return 0;
        }
        if (!pofi_scan_take(&q->s, ',')) {
            return fail_at(q, -1, "no ',' or '}'", "the next member or the end of the object");
        }
    }
}

static int array_row(struct parse *q, double *row)
{
    const struct listed *l = &q->listed[q->type];
    if (l->n == 0) {
        return fail_at(q, -1, "a row as an array", "the type in /attributes, or objects");
    }
    for (unsigned i = 0; i < l->n; i++) {
        if (i > 0 && !pofi_scan_take(&q->s, ',')) {
            return fail_at(q, -1, "too few values", "as many as /attributes has");
        }
        double *to = l->column[i] >= 0 ? row + l->column[i] : NULL;
        if (to && (pofi_scan_whole(&q->s, to) || pofi_scan_number(&q->s, to))) {
            continue;
        }
        int rc = l->attribute[i] < 0 ? pofi_scan_skip(&q->s) : value(q, l->attribute[i], row);
        if (rc) {
            return rc;
        }
    }
    return pofi_scan_take(&q->s, ']') ? 0 : fail_at(q, -1, "too many values", "as many as /attributes has");
}

static int rows(struct parse *q)
{
    if (!pofi_scan_take(&q->s, '[')) {
        return fail_at(q, -1, "not an array", "an array of components");
    }
    if (pofi_scan_take(&q->s, ']')) {
        return 0;
    }
    for (;;) {
        double *row = NULL;
        int rc = new_row(q, &row);
        if (rc == 0 && pofi_scan_take(&q->s, '{')) {
            rc = object_row(q, row);
        } else if (rc == 0 && pofi_scan_take(&q->s, '[')) {
            rc = array_row(q, row);
        } else if (rc == 0) {
            rc = fail_at(q, -1, "neither an object nor an array", "a component");
        }
        if (rc) {
            return rc;
        }
        if (pofi_scan_take(&q->s, ']')) {
            return 0;
        }
        if (!pofi_scan_take(&q->s, ',')) {
            return fail_at(q, -1, "no ',' or ']'", "the next component or the end");
        }
    }
}

static int component(void *ctx, struct pof_text name)
{
    struct parse *q = ctx;
    q->type = pofi_pgm_find_type(name);
    if (q->type == PGM_TYPES) {
        unknown(q->p, name);
        return pofi_scan_skip(&q->s);
    }
    if (q->p->table[q->type].rows > 0) {
        q->row = 0;
        return fail_at(q, -1, "a second list of these components", "one");
    }
    return rows(q);
}

static int scenario(struct parse *q)
{
    struct pofi_pgm_set *set = q->set;
    int rc = pof_grow(&set->scenario, &set->cap, set->n + 1, sizeof *set->scenario, q->s.err);
    if (rc) {
        return rc;
    }
    q->p = &set->scenario[set->n++];
    *q->p = (struct pofi_pgm){0};
    return pofi_scan_object(&q->s, component, q);
}

static int data(struct parse *q)
{
    if (pofi_scan_peek(&q->s) == '{') {
        return scenario(q);
    }
    if (!pofi_scan_take(&q->s, '[')) {
        return pofi_scan_fail(&q->s, "data is neither an object nor an array of objects");
    }
    q->set->batch = true;
    if (pofi_scan_take(&q->s, ']')) {
        return 0;
    }
    for (;;) {
        int rc = scenario(q);
        if (rc) {
            return rc;
        }
        if (pofi_scan_take(&q->s, ']')) {
            return 0;
        }
        if (!pofi_scan_take(&q->s, ',')) {
            return pofi_scan_fail(&q->s, "no ',' or ']' behind a scenario");
        }
    }
}

static int attribute_list(void *ctx, struct pof_text name)
{
    struct parse *q = ctx;
    enum pofi_pgm_type type = pofi_pgm_find_type(name);
    if (type == PGM_TYPES) {
        return pofi_scan_skip(&q->s);
    }
    struct listed *l = &q->listed[type];
    l->n = 0;
    if (!pofi_scan_take(&q->s, '[')) {
        return pofi_scan_fail(&q->s, "attributes of '%.*s' are not an array of names", (int)name.len,
                              name.ptr);
    }
    uint64_t given = 0;
    while (!pofi_scan_take(&q->s, ']')) {
        struct pof_text attribute;
        if (l->n > 0 && !pofi_scan_take(&q->s, ',')) {
            return pofi_scan_fail(&q->s, "no ',' or ']' between names of attributes");
        }
        int rc = pofi_scan_text(&q->s, &attribute);
        if (rc) {
            return rc;
        }
        int a = find_attribute(&pofi_pgm_kind[type], attribute);
        if (l->n == SEEN || (a >= 0 && (given >> a & 1))) {
            return pofi_scan_fail(&q->s, "attribute '%.*s' is listed twice, or more than %d are",
                                  (int)(attribute.len < 40 ? attribute.len : 40), attribute.ptr, SEEN);
        }
        given |= a < 0 ? 0 : (uint64_t)1 << a;
        const struct pofi_pgm_attribute *known = a < 0 ? NULL : &pofi_pgm_kind[type].attribute[a];
        l->column[l->n] = known && known->width == 1 ? known->column : -1;
        l->attribute[l->n++] = (int8_t)a;
    }
    return 0;
}

static int head_type(struct parse *q)
{
    struct pof_text word;
    int rc = pofi_scan_text(&q->s, &word);
    if (rc) {
        return rc;
    }
    q->set->update = pof_text_is(word, "update");
    if (!q->set->update && !pof_text_is(word, "input")) {
        return pofi_scan_fail(&q->s, "a data set of type '%.*s': expected input or update",
                              (int)(word.len < 40 ? word.len : 40), word.ptr);
    }
    return 0;
}

static int head_version(struct parse *q)
{
    struct pof_text word;
    int rc = pofi_scan_text(&q->s, &word);
    if (rc == 0 && !pof_text_is(word, "1.0")) {
        rc = pofi_scan_fail(&q->s, "version '%.*s' of the data set: this reader knows 1.0",
                            (int)(word.len < 40 ? word.len : 40), word.ptr);
    }
    return rc;
}

static int head_batch(struct parse *q, bool *batch)
{
    if (pofi_scan_word(&q->s, "true") || pofi_scan_word(&q->s, "false")) {
        *batch = q->s.at[-2] == 'u';
        return 0;
    }
    return pofi_scan_fail(&q->s, "is_batch is neither true nor false");
}

struct head {
    struct parse *q;
    bool batch, batch_given, attributes, read;
    bool version, type;
};

static int head(void *ctx, struct pof_text name)
{
    struct head *h = ctx;
    struct parse *q = h->q;
    bool *given = pof_text_is(name, "version")      ? &h->version
                  : pof_text_is(name, "type")       ? &h->type
                  : pof_text_is(name, "is_batch")   ? &h->batch_given
                  : pof_text_is(name, "attributes") ? &h->attributes
                                                    : NULL;
    bool second = given ? *given : pof_text_is(name, "data") && q->data;
    if (second) {
        return pofi_scan_fail(&q->s, "'%.*s' is given twice", (int)name.len, name.ptr);
    }
    if (given) {
        *given = true;
    }
    if (given == &h->version) {
        return head_version(q);
    }
    if (given == &h->type) {
        return head_type(q);
    }
    if (given == &h->batch_given) {
        return head_batch(q, &h->batch);
    }
    if (given == &h->attributes) {
        return pofi_scan_object(&q->s, attribute_list, q);
    }
    if (!pof_text_is(name, "data")) {
        return pofi_scan_skip(&q->s);
    }
    q->data = q->s.at;
    if (!h->attributes) {
        return pofi_scan_skip(&q->s); /* what its arrays mean may still come */
    }
    h->read = true;
    return data(q);
}

static int parse(struct parse *q)
{
    struct head h = {.q = q};
    int rc = pofi_scan_object(&q->s, head, &h);
    if (rc == 0 && (pofi_scan_peek(&q->s) != '\0' || q->s.at != q->s.end)) {
        rc = pofi_scan_fail(&q->s, "text behind the end of the data set");
    }
    if (rc == 0 && !q->data) {
        rc = pofi_scan_fail(&q->s, "the data set has no data");
    }
    if (rc == 0 && !h.read) {
        q->s.at = q->data;
        rc = data(q);
    }
    if (rc == 0 && h.batch_given && h.batch != q->set->batch) {
        rc = pofi_scan_fail(&q->s, "is_batch does not fit the data");
    }
    return rc;
}

int pofi_pgm_parse(struct pofi_pgm_set *set, struct pof_text text, const char *name,
                   struct pof_err *err)
{
    struct parse *q = NULL;
    *set = (struct pofi_pgm_set){0};
    int rc = pof_calloc(&q, 1, sizeof *q, err);
    if (rc) {
        return rc;
    }
    q->s = (struct pofi_scan){.at = text.ptr, .begin = text.ptr, .end = text.ptr + text.len,
                              .name = name, .err = err};
    q->set = set;
    for (int t = 0; t < PGM_TYPES; t++) {
        for (int i = 0; i < SEEN; i++) {
            q->order[t][i] = (uint8_t)i;
        }
    }
    rc = parse(q);
    free(q);
    if (rc) {
        pofi_pgm_set_release(set);
    }
    return rc;
}
