/* SPDX-License-Identifier: Apache-2.0 */
/* MATPOWER's cases against MATPOWER's own power flows; reactive limits of generators. */
#include "grid/format.h"
#include "grid/powerflow.h"
#include "tap.h"

/* All of a file, unpacked when its name ends in .gz; NULL when it is not there. */
static char *slurp(const char *path, size_t *len)
{
    char command[600];
    snprintf(command, sizeof command, "gzip -dcf '%s' 2>/dev/null", path);
    FILE *f = popen(command, "r");
    enum { MOST = 16 << 20 };
    char *data = malloc(MOST);
    *len = f ? fread(data, 1, MOST - 1, f) : 0;
    data[*len] = '\0';
    if (!f || pclose(f) != 0 || *len == 0) {
        free(data);
        return NULL;
    }
    return data;
}

/* Every row "bus,type,vm,va" of the reference, against the node of that name. */
static bool holds(const struct pof_grid *g, const struct pof_pf_result *r, const char *csv,
                  double *dv, double *da)
{
    unsigned rows = 0;
    *dv = *da = 0;
    for (const char *line = strchr(csv, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char name[16];
        int type;
        double v, deg;
        if (sscanf(line + 1, "%15[^,],%d,%lf,%lf", name, &type, &v, &deg) != 4) {
            return false;
        }
        uint32_t i = pof_names_find(&g->node_names, pof_text(name));
        if (i == POF_NONE) {
            return false;
        }
        double angle = r->angle[i] * (180 / 3.14159265358979323846);
        *dv = fmax(*dv, fabs(r->v_pu[i] - v));
        *da = fmax(*da, fabs(remainder(angle - deg, 360)));
        rows++;
    }
    return rows == g->nodes;
}

static bool check(const char *folder, const char *name, const char *reference, const char *packed)
{
    char path[500];
    size_t len;
    struct pof_grid g = {0};
    struct pof_err err = {0};
    struct pof_pf *pf = NULL;
    enum pof_pf_status status = POF_PF_DIVERGED;
    struct pof_pf_options o = {.method = POF_PF_NEWTON, .tolerance = 1e-9};
    snprintf(path, sizeof path, "%s/%s%s", folder, name, strstr(packed, "m") ? ".m.gz" : ".m");
    char *text = slurp(path, &len);
    snprintf(path, sizeof path, "%s/%s.pf.csv%s", folder, reference,
             strstr(packed, "c") ? ".gz" : "");
    size_t csv_len;
    char *csv = slurp(path, &csv_len);
    double dv = NAN, da = NAN;
    bool good =
        text && csv && pof_grid_read(&g, (struct pof_text){text, len}, name, NULL, &err) == 0 &&
        pof_pf_new(&pf, &g, &o, &err) == 0 &&
        pof_pf_solve(pf, NULL, NULL, true, &status, &err) == 0 && status == POF_PF_CONVERGED;
    if (good) {
        struct pof_pf_result r;
        pof_pf_result(pf, &r);
        good = holds(&g, &r, csv, &dv, &da) && dv <= 1e-8 && da <= 1e-6;
    }
    printf("# %-18s %6u buses, differs by %.1e p.u., %.1e degrees%s %s%s\n", name, g.nodes, dv, da,
           text && csv ? "" : "; a file is not there", err.text, good ? "" : " <---");
    pof_pf_free(pf);
    pof_grid_release(&g);
    free(text);
    free(csv);
    return good;
}

static void accept(const char *data)
{
    static const struct {
        const char *name, *reference, *packed; /* m: the case, c: the reference */
    } cases[] = {{"case4gs", "case4gs", ""},
                 {"case9", "case9", ""},
                 {"case14", "case14", ""},
                 {"case30", "case30", ""},
                 {"case33bw", "case33bw", ""},
                 {"case33bw_pu", "case33bw", ""},
                 {"case57", "case57", ""},
                 {"case69", "case69", ""},
                 {"case69_pu", "case69", ""},
                 {"case118", "case118", ""},
                 {"case141", "case141", ""},
                 {"case141_pu", "case141", ""},
                 {"case300", "case300", ""},
                 {"case533mt_hi", "case533mt_hi", ""},
                 {"case1354pegase", "case1354pegase", ""},
                 {"case2869pegase", "case2869pegase", "m"},
                 {"case9241pegase", "case9241pegase", "mc"},
                 {"case_ACTIVSg200", "case_ACTIVSg200", ""},
                 {"rad100", "rad100", ""},
                 {"rad1k", "rad1k", ""}};
    char folder[400];
    snprintf(folder, sizeof folder, "%s/grids/matpower", data);
    unsigned passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool good = check(folder, cases[i].name, cases[i].reference, cases[i].packed);
        passed += good;
        failed += !good;
    }
    printf("# accept family=matpower passed=%u failed=%u unsupported=0\n", passed, failed);
    ok(failed == 0, "MATPOWER cases: %u passed, %u failed", passed, failed);
}

/* Limits of the generators at a bus add up; one of no known limit makes the node free. */
static void limits(void)
{
    static const char text[] =
        "function mpc = t\nmpc.version = '2';\nmpc.baseMVA = 100;\n"
        "mpc.bus = [1 3 0 0 0 0 1 1 0 110 1 1.1 0.9; 2 2 0 0 0 0 1 1 0 110 1 1.1 0.9;\n"
        " 3 2 0 0 0 0 1 1 0 110 1 1.1 0.9; 4 2 0 0 0 0 1 1 0 110 1 1.1 0.9];\n"
        "mpc.gen = [1 0 0 50 -50 1 100 1 0 0; 2 10 0 50 -20 1.02 100 1 0 0; 2 5 0 30 -10 1.02 100 "
        "1 0 0;\n"
        " 3 5 0 10 -10 1 100 1 0 0; 3 5 0 Inf -Inf 1 100 1 0 0; 4 1 0 5 6 1 100 1 0 0];\n"
        "mpc.branch = [1 2 0.01 0.1 0 0 0 0 0 0 1; 2 3 0.01 0.1 0 0 0 0 0 0 1; 3 4 0.01 0.1 0 0 0 "
        "0 0 0 1];\n"
        "mpc.dcline = [1 2 1 1];\n";
    struct pof_grid g;
    struct pof_err err = {0};
    struct pof_buf to = {0};
    if (!ok(pof_grid_read(&g, pof_text(text), "t", NULL, &err) == 0, "a case with limits %s",
            err.text)) {
        return;
    }
    ok(!g.node[0].has_q_limits && g.node[1].has_q_limits && !g.node[2].has_q_limits &&
           !g.node[3].has_q_limits,
       "which nodes are limited");
    is_near(g.node[1].q_max_var, 80e6, 1e-6, "upper limits add up");
    is_near(g.node[1].q_min_var, -30e6, 1e-6, "and the lower ones");
    struct pof_grid h;
    if (ok(pof_matpower_write(&g, &to, NULL, &err) == 0 && pof_buf_add(&to, "", 1, &err) == 0 &&
               pof_matpower_read(&h, (struct pof_text){to.data, to.len - 1}, "again", NULL, &err) ==
                   0,
           "written and read again")) {
        is_near(h.node[1].q_max_var, 80e6, 1e-6, "with its limits");
        pof_grid_release(&h);
    }
    pof_buf_release(&to);
    pof_grid_release(&g);
}

int main(void)
{
    const char *data = tap_data();
    limits();
    if (data) {
        accept(data);
    } else {
        skip("MATPOWER's cases", "no shared data");
    }
    return done();
}
