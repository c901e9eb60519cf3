/* SPDX-License-Identifier: Apache-2.0 */
/* Settlements held against the same ones computed again. */
#include "market/resettle.h"

#include "market/series.h"
#include "record/writer.h"

#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 32 + 1 + 160 };

bool pof_settlement_concerns(const struct pof_settlement *s, struct pof_text party)
{
    return pof_text_eq(s->buyer, party) || pof_text_eq(s->seller, party) ||
           (POF_HAS(s, settlement, owner) && pof_text_eq(s->owner, party));
}

int pof_resettle_init(struct pof_resettle *v, const struct pof_kept_records *given,
                      struct pof_err *err)
{
    *v = (struct pof_resettle){.given = given};
    int rc = pof_calloc(&v->seen, given->n, sizeof *v->seen, err);
    for (size_t i = 0; i < given->n && rc == 0; i++) {
        const struct pof_kept *k = &given->at[i];
        if (k->r.type != POF_settlement) {
            rc = pof_fail(err, POF_E_SCHEMA, "a %s record; expected settlements",
                          pof_layout(k->r.type)->name);
        } else {
            rc = pof_award_once(&v->awards, k->r.u.settlement.session, k->r.u.settlement.award, err);
        }
        if (rc) {
            pof_at(err, k->file, k->line, NULL);
        }
    }
    return rc;
}

void pof_resettle_release(struct pof_resettle *v)
{
    pof_names_release(&v->awards);
    free(v->seen);
}

static void say(struct pof_resettle *v, struct pof_err *e)
{
    v->different++;
    v->problem(v->ctx, e);
}

/* A member as text: what is there, or "nothing". */
static struct pof_text member_text(const struct pof_record *r, const struct pof_field *f,
                                   char to[static 64])
{
    const void *m = pof_record_get(r, f->name);
    if (!m) {
        return pof_text("nothing");
    }
    if (f->kind == POF_KIND_TEXT || f->kind == POF_KIND_DATE) {
        return *(const struct pof_text *)m;
    }
    return (struct pof_text){to, pof_value_format(f, m, to)};
}

static const struct pof_field *field_named(const char *name)
{
    const struct pof_layout *l = pof_layout(POF_settlement);
    size_t i = 0;
    while (strcmp(l->fields[i].name, name) != 0) {
        i++;
    }
    return &l->fields[i];
}

/* The field to name: other terms explain all other differences. */
static const struct pof_field *difference(const struct pof_settlement *a,
                                          const struct pof_settlement *b)
{
    bool here = POF_HAS(a, settlement, terms);
    if (here != POF_HAS(b, settlement, terms) || (here && !pof_text_eq(a->terms, b->terms))) {
        return field_named("terms");
    }
    return pof_record_differ(POF_settlement, a, b);
}

int pof_resettle_take(struct pof_resettle *v, const struct pof_settlement *s, struct pof_err *err)
{
    char id[ID_MAX];
    struct pof_err e = {0};
    if (s->session.len + s->award.len + 1 > sizeof id) {
        return pof_fail(err, POF_E_RANGE, "award '%.*s' is too long", (int)s->award.len, s->award.ptr);
    }
    memcpy(id, s->session.ptr, s->session.len);
    id[s->session.len] = '\0';
    memcpy(id + s->session.len + 1, s->award.ptr, s->award.len);
    uint32_t i = pof_names_find(&v->awards, (struct pof_text){id, s->session.len + 1 + s->award.len});
    if (i == POF_NONE) {
        if (v->party.len == 0 || pof_settlement_concerns(s, v->party)) {
            pof_fail(&e, POF_E_ANSWER_NO, "award '%.*s' of session '%.*s' is to be settled, and no "
                     "settlement of it is given", (int)s->award.len, s->award.ptr,
                     (int)s->session.len, s->session.ptr);
            say(v, &e);
        }
        return 0;
    }
    const struct pof_kept *k = &v->given->at[i];
    const struct pof_record again = {.type = POF_settlement, .u.settlement = *s};
    const struct pof_field *f = difference(&k->r.u.settlement, s);
    v->seen[i] = true;
    v->equal += !f;
    if (f) {
        char buf[2][64];
        struct pof_text was = member_text(&k->r, f, buf[0]);
        struct pof_text is = member_text(&again, f, buf[1]);
        pof_fail(&e, POF_E_ANSWER_NO, "award '%.*s': %.*s; computed again it is %.*s",
                 (int)s->award.len, s->award.ptr, (int)was.len, was.ptr, (int)is.len, is.ptr);
        pof_at(&e, k->file, k->line, f->name);
        say(v, &e);
    }
    return 0;
}

void pof_resettle_close(struct pof_resettle *v)
{
    for (size_t i = 0; i < v->given->n; i++) {
        const struct pof_kept *k = &v->given->at[i];
        const struct pof_settlement *s = &k->r.u.settlement;
        if (!v->seen[i]) {
            struct pof_err e = {0};
            pof_fail(&e, POF_E_ANSWER_NO, "award '%.*s' of session '%.*s' cannot be computed again: no "
                     "outcome of more than 0 W with its baseline and measurement is given",
                     (int)s->award.len, s->award.ptr, (int)s->session.len, s->session.ptr);
            pof_at(&e, k->file, k->line, NULL);
            say(v, &e);
        }
    }
}
