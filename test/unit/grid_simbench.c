/* SPDX-License-Identifier: Apache-2.0 */
/* A SimBench data set against the power flow that is part of it (NodePFResult.csv). */
#include "grid/format.h"
#include "grid/powerflow.h"
#include "tap.h"

static char *slurp(const char *folder, const char *name, size_t *len)
{
    enum { MOST = 4 << 20 };
    char path[500];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (!f) {
        return NULL;
    }
    char *data = malloc(MOST);
    *len = fread(data, 1, MOST - 1, f);
    data[*len] = '\0';
    fclose(f);
    return data;
}

/* Its angles leave out the phase shift of the transformer's vector group: they are compared as
 * differences to the first node of the same level. */
static void compare(const struct pof_grid *g, const struct pof_pf_result *r, const char *csv)
{
    double dv = 0, da = 0, offset = NAN;
    unsigned rows = 0;
    for (const char *line = strchr(csv, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char name[80];
        double v, deg;
        uint32_t i = sscanf(line + 1, "%79[^;];%lf;%lf", name, &v, &deg) == 3
                         ? pof_names_find(&g->node_names, pof_text(name))
                         : POF_NONE;
        if (!ok(i != POF_NONE, "node '%s'", name)) {
            return;
        }
        dv = fmax(dv, fabs(r->v_pu[i] - v));
        if (g->node[i].base_v < 1000) {
            double angle = r->angle[i] * (180 / 3.14159265358979323846) - deg;
            offset = isnan(offset) ? angle : offset;
            da = fmax(da, fabs(remainder(angle - offset, 360)));
        }
        rows++;
    }
    ok(rows == g->nodes && dv <= 1e-5 && da <= 1e-4, "%u nodes as in NodePFResult.csv: %.1e p.u., %.1e degrees",
       rows, dv, da);
    printf("# accept family=simbench passed=%d failed=%d unsupported=0\n", !tap_failed, tap_failed);
}

int main(void)
{
    const char *data = tap_data();
    char folder[400];
    snprintf(folder, sizeof folder, "%s/market/simbench-1-LV-rural1-0-no_sw", data ? data : "");
    size_t len;
    char *result = slurp(folder, "NodePFResult.csv", &len);
    if (!result) {
        skip("a SimBench data set", "no shared data");
        return done();
    }
    struct pof_simbench s = {0};
    char *text[POF_SIMBENCH_TABLES];
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        s.data[t] = text[t] = slurp(folder, pof_simbench_file[t], &s.len[t]);
        s.path[t] = pof_simbench_file[t];
    }
    struct pof_grid g;
    struct pof_err err = {0};
    struct pof_pf *pf = NULL;
    enum pof_pf_status status = POF_PF_DIVERGED;
    if (ok(pof_simbench_read(&g, &s, NULL, &err) == 0 && pof_pf_new(&pf, &g, NULL, &err) == 0 &&
               pof_pf_solve(pf, NULL, NULL, true, &status, &err) == 0 && status == POF_PF_CONVERGED,
           "read and solved %s", err.text)) {
        struct pof_pf_result r;
        pof_pf_result(pf, &r);
        compare(&g, &r, result);
    }
    pof_pf_free(pf);
    pof_grid_release(&g);
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        free(text[t]);
    }
    free(result);
    return done();
}
