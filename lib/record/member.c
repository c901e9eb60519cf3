/* SPDX-License-Identifier: Apache-2.0 */
/* Members of records by name, and records held against each other. */
#include "record/record.h"

#include <string.h>

static bool same_member(const struct pof_field *f, const void *a, const void *b)
{
    switch (f->kind) {
    case POF_KIND_TEXT:
    case POF_KIND_DATE:
        return pof_text_eq(*(const struct pof_text *)a, *(const struct pof_text *)b);
    case POF_KIND_WORD:
        return *(const int *)a == *(const int *)b;
    case POF_KIND_REAL:
        return memcmp(a, b, sizeof(double)) == 0;
    case POF_KIND_INT:
    case POF_KIND_MICRO:
    case POF_KIND_INSTANT:
    case POF_KIND_MILLIS:
        break;
    }
    return *(const int64_t *)a == *(const int64_t *)b;
}

const void *pof_record_get(const struct pof_record *r, const char *name)
{
    const struct pof_layout *l = pof_layout(r->type);
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->fields[i].name, name) == 0) {
            bool given = l->fields[i].required || (r->u.has >> i & 1);
            return given ? (const char *)&r->u + l->fields[i].offset : NULL;
        }
    }
    return NULL;
}

const struct pof_field *pof_record_differ(enum pof_type type, const void *a, const void *b)
{
    const struct pof_layout *l = pof_layout(type);
    uint64_t has_a = *(const uint64_t *)a, has_b = *(const uint64_t *)b;
    for (size_t i = 0; i < l->n; i++) {
        const struct pof_field *f = &l->fields[i];
        bool in_a = f->required || (has_a >> i & 1), in_b = f->required || (has_b >> i & 1);
        if (in_a != in_b ||
            (in_a && !same_member(f, (const char *)a + f->offset, (const char *)b + f->offset))) {
            return f;
        }
    }
    return NULL;
}
