/* SPDX-License-Identifier: Apache-2.0 */
/* pof-pf --contingency: what is found when one branch is lost. */
#include "parts.h"

#include "record/words.h"

#include <inttypes.h>
#include <stdlib.h>

static int choose(struct pf_outages *o, const struct pof_texts *names, struct pof_err *err)
{
    const struct pof_grid *g = o->grid;
    size_t most = names->n ? names->n : g->branches;
    int rc = pof_calloc(&o->branch, most, sizeof *o->branch, err);
    for (size_t i = 0; i < names->n && rc == 0; i++) {
        uint32_t k = pof_names_find(&g->branch_names, pof_text(names->item[i]));
        if (k == POF_NONE) {
            rc = pof_fail(err, POF_E_REFERENCE, "--outage: the grid has no branch '%.80s'",
                          names->item[i]);
        } else {
            o->branch[o->n++] = k;
        }
    }
    for (uint32_t k = 0; k < g->branches && rc == 0 && names->n == 0; k++) {
        if (g->branch[k].closed) {
            o->branch[o->n++] = k;
        }
    }
    return rc;
}

int pf_outages_open(struct pf_outages *o, const char *path, const struct pof_texts *names,
                    struct pof_err *err)
{
    if (!path) {
        return names->n ? pof_fail(err, POF_E_USAGE, "--outage needs --contingency FILE") : 0;
    }
    int rc = choose(o, names, err);
    return rc ? rc : pof_cli_writer(o->cli, path, &o->out, err);
}

/* Where it was found, and how far beyond; loadings in percent. */
static void set_element(const struct pof_grid *g, const struct pof_finding *f,
                        struct pof_contingency *r)
{
    bool branch = f->kind == POF_FINDING_LOADING, limit = f->kind != POF_FINDING_ISLANDED;
    double unit = branch ? 100 : 1;
    if (f->kind == POF_FINDING_SECURE || f->kind == POF_FINDING_DIVERGED) {
        return;
    }
    r->element = branch ? POF_ELEMENT_BRANCH : POF_ELEMENT_NODE;
    r->name = branch ? g->branch[f->element].name : g->node[f->element].name;
    r->value = f->value * unit;
    r->before = f->before * unit;
    POF_SET(r, contingency, element);
    POF_SET(r, contingency, name);
    POF_SET(r, contingency, value);
    if (f->outage != POF_NONE) {
        POF_SET(r, contingency, before);
    }
    if (limit) {
        r->limit = f->limit * unit;
        POF_SET(r, contingency, limit);
    }
}

static int take(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    struct pf_outages *o = ctx;
    struct pof_contingency r = {.start = o->start, .finding = (int)f->kind};
    if (f->outage != POF_NONE) {
        r.outage = o->grid->branch[f->outage].name;
        POF_SET(&r, contingency, outage);
        o->insecure += f->kind != POF_FINDING_SECURE && f->outage != o->last;
        o->last = f->outage;
    }
    set_element(o->grid, f, &r);
    return pof_writer_put(o->out, POF_contingency, &r, err);
}

int pf_outages_case(struct pf_outages *o, int64_t start, struct pof_outages *c, struct pof_err *err)
{
    if (!o->out) {
        return 0;
    }
    o->start = start;
    o->last = POF_NONE;
    c->outage = o->branch;
    c->outages = o->n;
    c->threads = pof_cli_threads(o->cli);
    return pof_outages_run(c, take, o, err);
}

void pf_outages_close(struct pf_outages *o)
{
    free(o->branch);
}
