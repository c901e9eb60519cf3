/* SPDX-License-Identifier: Apache-2.0 */
#include "record/fill.h"

#include "base/mem.h"
#include "num/units.h"
#include "record/words.h"

#include <stdlib.h>

struct filling {
    const struct pofi_fill *how;
    struct pof_names pods;
    struct pof_measurement *last; /* by number of pod; their texts are the list's */
    size_t last_cap;
    struct pof_measurement *made;
    size_t n, cap;
};

/* a + (b - a) k / n */
static int between(int64_t a, int64_t b, const int64_t share[2], int64_t *out, struct pof_err *err)
{
    int rc = pof_muldiv(b - a, share[0], share[1], out, err);
    *out += a;
    return rc;
}

static int make(struct filling *f, const struct pof_measurement *a, const struct pof_measurement *b,
                const int64_t share[2], struct pof_err *err)
{
    struct pof_measurement m = {.pod = a->pod,
                                .start = a->start + share[0] * a->duration_s,
                                .duration_s = a->duration_s,
                                .p_w = a->p_w,
                                .q_var = a->q_var,
                                .quality = POF_QUALITY_ESTIMATED};
    bool line = f->how->rule == POF_FILL_LINEAR;
    bool reactive = POF_HAS(a, measurement, q_var) && (!line || POF_HAS(b, measurement, q_var));
    int rc = pof_grow(&f->made, &f->cap, f->n + 1, sizeof *f->made, err);
    rc = rc || !line ? rc : between(a->p_w, b->p_w, share, &m.p_w, err);
    rc = rc || !line || !reactive ? rc : between(a->q_var, b->q_var, share, &m.q_var, err);
    POF_SET(&m, measurement, quality);
    m.has |= (uint64_t)reactive << POF_BIT_measurement_q_var;
    if (rc == 0) {
        f->made[f->n++] = m;
    }
    return rc;
}

static int fill_between(struct filling *f, const struct pof_measurement *a, const struct pof_measurement *b,
                        struct pof_err *err)
{
    int64_t gap = b->start - a->start - a->duration_s;
    int rc = 0;
    if (a->duration_s != b->duration_s || gap <= 0 || gap > f->how->longest_s || gap % a->duration_s != 0) {
        return 0;
    }
    for (int64_t k = 1; k <= gap / a->duration_s && rc == 0; k++) {
        rc = make(f, a, b, (const int64_t[2]){k, gap / a->duration_s + 1}, err);
    }
    return rc;
}

static int see(void *ctx, const struct pof_measurement *m, const struct pof_origin *origin,
               enum pof_fate fate, struct pof_err *err)
{
    struct filling *f = ctx;
    uint32_t id;
    size_t before = f->pods.n;
    (void)origin;
    if (fate == POF_FATE_REJECTED) { /* nobody knows what was here: nothing is filled up to it or from it */
        id = pof_names_find(&f->pods, m->pod);
        if (id != POF_NONE) {
            f->last[id].duration_s = 0;
        }
        return 0;
    }
    if (fate != POF_FATE_OUT) {
        return 0;
    }
    int rc = pof_names_add(&f->pods, m->pod, &id, err);
    rc = rc ? rc : pof_grow(&f->last, &f->last_cap, (size_t)id + 1, sizeof *f->last, err);
    rc = rc || id == before ? rc : fill_between(f, &f->last[id], m, err);
    if (rc == 0) {
        f->last[id] = *m;
    }
    return rc;
}

int pofi_fill(struct pof_sorted *list, struct pofi_fill *how, struct pof_err *err)
{
    static const struct pof_origin none = {.source = "fill", .offset = POF_NO_OFFSET};
    struct filling f = {.how = how};
    int rc = pof_sorted_each(list, how->dup, see, &f, err);
    for (size_t i = 0; i < f.n && rc == 0; i++) {
        rc = pof_sorted_add(list, &f.made[i], &none, err);
    }
    how->filled = f.n;
    pof_names_release(&f.pods);
    free(f.last);
    free(f.made);
    return rc;
}
