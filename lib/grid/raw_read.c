/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E power flow raw data to grids: the file as a whole (PSS/E Program Operation Manual, chapter
 * on power flow raw data). */
#include "grid/raw.h"

#include <stdlib.h>
#include <string.h>

#define MEGA 1e6

/* --- parts without a use --- */

int pofi_raw_bookkeeping(struct pofi_raw *r)
{
    r->told.bookkeeping++;
    return 0;
}

int pofi_raw_left_out(struct pofi_raw *r)
{
    r->told.left_out++;
    return 0;
}

int pofi_raw_controls(struct pofi_raw *r)
{
    r->told.controls++;
    return 0;
}

static int inside(struct pofi_raw *r, void (*count)(struct pofi_raw *r))
{
    for (;;) {
        if (!pofi_raw_next(r)) {
            return pof_fail(r->err, POF_E_TRUNCATED, "the file ends in its substation data");
        }
        if (r->rec.n == 1 && pof_text_is(r->rec.field[0].text, "0")) {
            return 0;
        }
        count(r);
    }
}

static void count_node(struct pofi_raw *r)
{
    r->told.nodes++;
}

/* I, J, CKT, NAME, TYPE, STATUS ... */
static void count_switch(struct pofi_raw *r)
{
    r->told.open_inside += r->rec.n > 5 && pof_text_is(r->rec.field[5].text, "0");
}

static void count_nothing(struct pofi_raw *r)
{
    (void)r;
}

/* A substation: its line, nodes, switching devices, terminals. Buses are the model, what lies
 * inside of them is looked through and told. */
int pofi_raw_read_substation(struct pofi_raw *r)
{
    int rc = inside(r, count_node);
    rc = rc ? rc : inside(r, count_switch);
    return rc ? rc : inside(r, count_nothing);
}

/* --- the head --- */

enum { IC, SBASE, REV, XFRRAT, NXFRAT, BASFRQ, HEAD };
static const char *const head_fields[] = {"IC", "SBASE", "REV", "XFRRAT", "NXFRAT", "BASFRQ", NULL};

static int head_fail(struct pofi_raw *r, size_t k)
{
    return pof_at(r->err, NULL, r->document ? 0 : r->line, head_fields[k]);
}

static int check_head(struct pofi_raw *r, const double *v)
{
    if (v[REV] != 0 && !(v[REV] >= POFI_RAW_OLD && v[REV] < POFI_RAW_NEW + 1)) {
        pof_fail(r->err, POF_E_SCHEMA, "revision %.15g; those up to %d are read", v[REV],
                 POFI_RAW_NEW);
        return head_fail(r, REV);
    }
    if (v[IC] != 0 && v[IC] != 1) {
        pof_fail(r->err, POF_E_SCHEMA, "change code %.15g is not 0 or 1", v[IC]);
        return head_fail(r, IC);
    }
    r->told.adds += v[IC] == 1;
    if (!(v[SBASE] >= 1e-6 && v[SBASE] <= 1e6)) {
        pof_fail(r->err, POF_E_RANGE, "system base %.15g MVA is not in 1e-6 .. 1e6", v[SBASE]);
        return head_fail(r, SBASE);
    }
    return 0;
}

int pofi_raw_head(struct pofi_raw *r)
{
    static const struct pofi_raw_part head = {
        "head", "caseid", head_fields, {{0, "IC SBASE REV XFRRAT NXFRAT BASFRQ"}}, NULL};
    double v[HEAD] = {[SBASE] = 100, [BASFRQ] = 50};
    struct pof_grid *g = r->build.grid;
    if (!r->document) {
        pofi_raw_use(r, &head);
    }
    int rc = pofi_raw_reals(r, 0, HEAD, v);
    rc = rc ? rc : check_head(r, v);
    if (rc) {
        return rc;
    }
    r->revision = (int)v[REV];
    r->base_mva = v[SBASE];
    g->base_va = v[SBASE] * MEGA;
    g->f_hz = v[BASFRQ] > 0 ? v[BASFRQ] : 50;
    return 0;
}

/* The plain characters of a title. */
int pofi_raw_title(struct pofi_raw *r, struct pof_text title)
{
    while (title.len > 0 && (*title.ptr == ' ' || *title.ptr == '\t')) {
        title.ptr++;
        title.len--;
    }
    size_t n = 0;
    while (n < title.len && n < POF_GRID_NAME_MAX && title.ptr[n] >= 0x20 && title.ptr[n] < 0x7f) {
        n++;
    }
    while (n > 0 && title.ptr[n - 1] == ' ') {
        n--;
    }
    char *name = pof_arena_text(&r->build.grid->arena, title.ptr, n, r->err);
    r->build.grid->name = (struct pof_text){name, n};
    return name ? 0 : POF_E_NOMEM;
}

/* Revisions before 31 do not say which they are: 29 and 30 begin their buses with number and name,
 * the older ones with number and type. */
static void guess_revision(struct pofi_raw *r)
{
    if (r->revision == 0) {
        const char *p = r->at;
        p += strspn(p, " \t0123456789,");
        r->revision = *p == '\'' || *p == '"' ? 30 : POFI_RAW_OLD;
    }
}

static int read_head(struct pofi_raw *r)
{
    if (!pofi_raw_next(r)) {
        return pof_fail(r->err, POF_E_TRUNCATED, "the file is empty");
    }
    int rc = pofi_raw_head(r);
    const char *from = r->at;
    pofi_raw_skip(r);
    rc = rc ? rc : pofi_raw_title(r, (struct pof_text){from, (size_t)(r->at - from)});
    pofi_raw_skip(r);
    guess_revision(r);
    return rc;
}

/* --- the file --- */

enum {
    PARTS_LEAST = 4
}; /* buses, what they consume, generators, branches: without one it is torn */

static int read_part(struct pofi_raw *r, const struct pofi_raw_part *part, bool *more)
{
    pofi_raw_use(r, part);
    for (;;) {
        *more = pofi_raw_next(r);
        if (!*more || pofi_raw_end_of_part(r)) {
            return 0;
        }
        int rc = part->read(r);
        if (rc) {
            return rc;
        }
    }
}

static int read_file(struct pofi_raw *r)
{
    bool more = true;
    int rc = read_head(r);
    if (rc) {
        return rc;
    }
    const struct pofi_raw_part *const *part = pofi_raw_parts(r->revision);
    size_t done = 0;
    for (; part[done] && more && rc == 0; done++) {
        rc = read_part(r, part[done], &more);
        if (rc == 0 && part[done]->read == pofi_raw_read_bus) {
            rc = pofi_raw_buses_done(r);
        }
    }
    if (rc == 0 && !more && done <= PARTS_LEAST) {
        return pof_fail(r->err, POF_E_TRUNCATED, "the file ends in its %s data",
                        part[done - 1]->name);
    }
    return rc;
}

static void tell(const struct pofi_raw *r, const struct pof_teller *teller)
{
    const struct pofi_raw_told *t = &r->told;
    const struct {
        unsigned count;
        const char *what;
    } all[] = {
        {t->left_out,
         "records of multi-terminal DC, GNE or induction machine data left out, flows will differ"},
        {t->dc, "DC lines, now fixed consumption and generation at their scheduled power"},
        {t->vsc, "converters of DC lines, now fixed at their scheduled power"},
        {t->facts, "FACTS devices, now fixed at their scheduled values"},
        {t->adds, "change code 1: the file adds to a case; read as a case of its own"},
        {t->off_step, "tap changers beyond their positions, now fixed"},
        {t->bookkeeping, "lines of areas, zones, owners and the like left out"},
        {t->tables, "tables of the document left out"},
        {t->no_base, "buses without base voltage, 1 kV taken"},
        {t->limits, "buses whose voltage limits leave no room, 0.9 .. 1.1 taken"},
        {t->impossible,
         "generators whose lower reactive limit is above the upper, their mean taken"},
        {t->no_gen, "buses of type 2 without generator in service, now pq"},
        {t->generation, "loads with distributed generation, now their balance"},
        {t->remote, "generators that regulate another bus, now they hold their own"},
        {t->switches, "branches without impedance, now switches"},
        {t->opened, "branches to isolated buses (type 4), now open"},
        {t->asymmetric, "branches with unequal shunts, now shunts of their nodes"},
        {t->magnetising, "transformers whose magnetising shunts are now those of their nodes"},
        {t->star, "three-winding transformers, now stars of three branches"},
        {t->no_star, "windings without impedance, 1e-6 p.u. of 1 MVA taken"},
        {t->corrected, "windings whose impedance is corrected by a table, at their present tap"},
        {t->controls, "transformer controls of flow or angle left out, they stand as given"},
        {t->shunt_control, "switched shunts that hold no voltage in modes 1 or 2, fixed at their initial value"},
        {t->nodes, "nodes inside of substations left out, buses are the model"},
        {t->open_inside, "open switches inside of substations left out"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pofi_tell_count(teller, all[i].count, all[i].what);
    }
}

static bool is_document(struct pof_text text)
{
    size_t i = 0;
    while (i < text.len && strchr(" \t\r\n", text.ptr[i]) && text.ptr[i]) {
        i++;
    }
    return i < text.len && text.ptr[i] == '{';
}

int pof_raw_read(struct pof_grid *grid, struct pof_text text, const char *name,
                 const struct pof_teller *teller, struct pof_err *err)
{
    struct pof_err own = {0};
    *grid = (struct pof_grid){0};
    struct pofi_raw r = {.build = {.grid = grid},
                         .at = text.ptr,
                         .end = text.ptr + text.len,
                         .document = is_document(text),
                         .err = err ? err : &own};
    int rc = r.document ? pofi_rawx_read(&r, text, name) : read_file(&r);
    if (rc == 0) {
        pofi_raw_settle_kinds(&r);
        rc = pofi_raw_correct(&r);
        rc = rc ? rc : pof_build_finish(&r.build, r.err);
    }
    if (rc) {
        pof_at(r.err, name, r.line, NULL);
        pof_grid_release(grid);
    } else {
        tell(&r, teller);
    }
    pof_names_release(&r.numbers);
    pof_names_release(&r.names);
    free(r.isolated);
    free(r.stored_v);
    free(r.in_service);
    free(r.correction);
    free(r.point);
    return rc;
}
