/* SPDX-License-Identifier: Apache-2.0 */
/* State estimation against published optima: weighted least squares by independent dense algebra on
 * MATPOWER's cases and on feeders (state, objective, deviations, normalised residuals, gross
 * errors), and the CIGRE medium-voltage cases of the pyvolt estimator. */
#include "grid/build.h"
#include "grid/estimate.h"
#include "grid/format.h"
#include "tap.h"

#include <stdio.h>
#include <time.h>

static const double PI = 3.14159265358979323846;

/* A file below the data, through gzip when only NAME.gz is there; NUL behind; NULL: none. */
static char *slurp(const char *name, size_t *len)
{
    char path[1024], command[1100];
    snprintf(path, sizeof path, "%s/%s", tap_data(), name);
    FILE *f = fopen(path, "r");
    bool packed = !f;
    if (packed) {
        snprintf(command, sizeof command, "gzip -dc '%s.gz' 2>/dev/null", path);
        f = popen(command, "r");
    }
    char *data = malloc(8u << 20);
    *len = f ? fread(data, 1, (8u << 20) - 1, f) : 0;
    data[*len] = '\0';
    if (f && packed) {
        pclose(f);
    } else if (f) {
        fclose(f);
    }
    if (*len == 0) {
        free(data);
        return NULL;
    }
    return data;
}

struct job {
    struct pof_grid grid;
    struct pof_observation *o;
    size_t n;
    struct pof_se *se;
    struct pof_se_result r;
    struct pof_se_check check;
};

/* The k-th closed branch, from 1. */
static uint32_t closed_branch(const struct pof_grid *g, int k)
{
    uint32_t b = 0;
    for (; b < g->branches; b++) {
        k -= g->branch[b].closed;
        if (k == 0) {
            break;
        }
    }
    return b;
}

static uint32_t node_of(const struct pof_grid *g, const char *name)
{
    return pof_names_find(&g->node_names, pof_text(name));
}

/* type,element,value,sigma in p.u.; injections are generation there, consumption here. */
static bool read_measurement(struct job *j, const char *line)
{
    char type[32], element[32];
    double value, sigma;
    if (sscanf(line, "%31[^,],%31[^,],%lf,%lf", type, element, &value, &sigma) != 4) {
        return false;
    }
    struct pof_observation *o = &j->o[j->n++];
    double unit = j->grid.base_va;
    *o = (struct pof_observation){.quantity = POF_QUANTITY_P};
    if (strncmp(type + 2, "from", 4) == 0) {
        o->branch = true;
        o->element = closed_branch(&j->grid, (int)strtol(element, NULL, 10));
    } else {
        o->element = node_of(&j->grid, element);
        unit = -unit;
    }
    o->quantity = type[0] == 'q' ? POF_QUANTITY_Q : POF_QUANTITY_P;
    if (type[0] == 'v') {
        o->quantity = POF_QUANTITY_V;
        unit = j->grid.node[o->element].base_v;
    }
    o->value = value * unit;
    o->sigma = sigma * fabs(unit);
    return true;
}

static bool read_case(struct job *j, const char *name, char *network)
{
    char path[256];
    size_t len;
    struct pof_err err = {0};
    snprintf(network, 64, "%.*s", (int)strcspn(name, "_"), name);
    snprintf(path, sizeof path, "grids/matpower/%s.m", network);
    char *text = slurp(path, &len);
    int rc = text ? pof_matpower_read(&j->grid, (struct pof_text){text, len}, path, NULL, &err) : -1;
    free(text);
    snprintf(path, sizeof path, "grids/se/wls/%s/measurements.csv", name);
    text = slurp(path, &len);
    j->o = calloc(20000, sizeof *j->o);
    for (uint32_t i = 0; rc == 0 && i < j->grid.nodes; i++) {
        j->grid.node[i].zero_injection = false; /* the file says which ones are */
    }
    for (char *line = text ? strchr(text, '\n') : NULL; rc == 0 && line && line[1];
         line = strchr(line + 1, '\n')) {
        char node[32];
        if (sscanf(line + 1, "zero_injection,%31[^,]", node) == 1) {
            j->grid.node[node_of(&j->grid, node)].zero_injection = true;
        } else if (!read_measurement(j, line + 1)) {
            rc = -1;
        }
    }
    free(text);
    if (err.text[0]) {
        printf("# %s\n", err.text);
    }
    return rc == 0 && j->n > 0;
}

static double meta(const char *name, const char *key)
{
    char path[256], quoted[64];
    size_t len;
    snprintf(path, sizeof path, "grids/se/wls/%s/meta.json", name);
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    char *text = slurp(path, &len);
    char *at = text ? strstr(text, quoted) : NULL;
    double value = at ? strtod(at + strlen(quoted), NULL) : 0;
    free(text);
    return value;
}

static void compare_state(const struct job *j, const char *name)
{
    char path[256], bus[32];
    size_t len, rows = 0;
    double dv = 0, da = 0, dsd = 0;
    snprintf(path, sizeof path, "grids/se/wls/%s/expected_state.csv", name);
    char *text = slurp(path, &len);
    bool deviations = text && strncmp(text, "bus,vm_pu,va_deg,sd_vm_pu", 25) == 0;
    for (char *line = text ? strchr(text, '\n') : NULL; line && line[1];
         line = strchr(line + 1, '\n')) {
        double vm, va, sd = 0;
        if (sscanf(line + 1, "%31[^,],%lf,%lf,%lf", bus, &vm, &va, &sd) >= 3) {
            uint32_t i = node_of(&j->grid, bus);
            dv = fmax(dv, fabs(vm - j->r.v_pu[i]));
            da = fmax(da, fabs(va * PI / 180 - j->r.angle[i]));
            dsd = deviations && sd > 0 ? fmax(dsd, fabs(j->check.sd_v_pu[i] / sd - 1)) : dsd;
            rows++;
        }
    }
    free(text);
    ok(rows == j->grid.nodes && dv <= 1e-7 && da <= 1e-7,
       "%s: state of %zu nodes within 1e-7 (%.1e p.u., %.1e rad)", name, rows, dv, da);
    if (deviations) {
        ok(dsd <= 1e-4, "%s: standard deviations of voltages within 1e-4 (%.1e)", name, dsd);
    }
}

static void compare_residuals(const struct job *j, const char *name)
{
    char path[256], type[32];
    size_t len, at = 0;
    double most = 0;
    int critical = 0, differ = 0;
    snprintf(path, sizeof path, "grids/se/wls/%s/expected_residuals.csv", name);
    char *text = slurp(path, &len);
    if (!text) {
        return;
    }
    for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        int is_critical = 0;
        double residual, normalised;
        if (sscanf(line + 1, "%*d,%31[^,],%*[^,],%lf,%lf,%d", type, &residual, &normalised,
                   &is_critical) == 4 &&
            strcmp(type, "zero_injection") != 0) {
            double sign = strstr(type, "inj") ? -1 : 1;
            critical += is_critical;
            differ += (is_critical != 0) != j->check.critical[at];
            most = fmax(most, is_critical ? 0 : fabs(sign * normalised - j->check.normalised[at]));
            at++;
        }
    }
    free(text);
    ok(at == j->n && most <= 1e-4 && differ == 0,
       "%s: %zu normalised residuals within 1e-4 (%.1e), %d critical", name, at, most, critical);
}

/* Gross errors are found, one after the other, until the rest agrees. */
static void find_bad(struct job *j, const char *name)
{
    struct pof_err err = {0};
    enum pof_se_status status = POF_SE_CONVERGED;
    char what[128];
    ok(j->check.suspect && j->r.objective > j->check.chi2_limit, "%s: chi-square says bad data", name);
    ok(fabs(fabs(j->check.lnr) - fabs(meta(name, "value"))) < 1e-4,
       "%s: the injected error has the largest residual: %s, %.4f", name,
       pof_observation_name(&j->grid, &j->o[j->check.lnr_at], what, sizeof what), j->check.lnr);
    int rc = pof_se_leave_out(j->se, j->check.lnr_at, &status, &err);
    rc = rc ? rc : pof_se_check(j->se, &j->check, &err);
    pof_se_result(j->se, &j->r);
    ok(rc == 0 && status == POF_SE_CONVERGED && !j->check.suspect,
       "%s: without it J %.4g is below %.4g and nothing stands out", name, j->r.objective,
       j->check.chi2_limit);
}

static void wls(const char *name)
{
    struct job j = {0};
    struct pof_err err = {0};
    char network[64];
    enum pof_se_status status = POF_SE_DIVERGED;
    if (!ok(read_case(&j, name, network), "%s: read", name)) {
        return;
    }
    int rc = pof_se_new(&j.se, &j.grid, NULL, &err);
    clock_t begin = clock();
    rc = rc ? rc : pof_se_solve(j.se, j.o, j.n, &status, &err);
    double first = (double)(clock() - begin) * 1e3 / CLOCKS_PER_SEC;
    begin = clock();
    rc = rc ? rc : pof_se_solve(j.se, j.o, j.n, &status, &err);
    double again = (double)(clock() - begin) * 1e3 / CLOCKS_PER_SEC;
    if (!ok(rc == 0 && status == POF_SE_CONVERGED, "%s: converged", name)) {
        printf("# %s\n", err.text);
    } else {
        pof_se_result(j.se, &j.r);
        printf("# %s: %d iterations, first %.1f ms, again %.1f ms\n", name, j.r.iterations, first,
               again);
        begin = clock();
        rc = pof_se_check(j.se, &j.check, &err);
        printf("# %s: residual tests %.1f ms\n", name,
               (double)(clock() - begin) * 1e3 / CLOCKS_PER_SEC);
        double want = meta(name, "J");
        ok(rc == 0 && fabs(j.r.objective / want - 1) <= 1e-6, "%s: J %.10g, expected %.10g", name,
           j.r.objective, want);
        is_int(j.r.dof, (int64_t)meta(name, "dof"), "degrees of freedom");
        compare_state(&j, name);
        compare_residuals(&j, name);
        if (strstr(name, "_bad")) {
            find_bad(&j, name);
        } else {
            ok(!j.check.suspect, "%s: clean data raise no alarm", name);
        }
    }
    pof_se_free(j.se);
    free(j.o);
    pof_grid_release(&j.grid);
}

/* --- pyvolt --- */

static int add_branch(struct pof_build *b, const char *line, struct pof_err *err)
{
    char name[32], from[32], to[32];
    double kv, r_ohm, x_ohm;
    if (sscanf(line, "%31[^,],%31[^,],%31[^,],%lf,%lf,%lf", name, from, to, &kv, &r_ohm, &x_ohm) !=
        6) {
        return -1;
    }
    double z = kv * kv * 1e6 / b->grid->base_va;
    struct pof_branch branch = {
        .name = pof_text(name), .ratio = 1, .closed = true, .r = r_ohm / z, .x = x_ohm / z};
    branch.kind = name[0] == 'T' ? POF_BRANCH_TRANSFORMER : POF_BRANCH_LINE;
    branch.from = node_of(b->grid, from);
    branch.to = node_of(b->grid, to);
    return pof_build_branch(b, &branch, err);
}

static bool cigre(struct pof_grid *g)
{
    struct pof_build b = {.grid = g};
    struct pof_err err = {0};
    size_t len;
    char *nodes = slurp("pyvolt/se_cases/pf.csv", &len);
    char *branches = slurp("pyvolt/se_cases/branches.csv", &len);
    int rc = nodes && branches ? 0 : -1;
    *g = (struct pof_grid){.base_va = 25e6, .f_hz = 50};
    for (char *l = nodes ? strchr(nodes, '\n') : NULL; rc == 0 && l && l[1]; l = strchr(l + 1, '\n')) {
        char name[32], type[16];
        double kv;
        rc = sscanf(l + 1, "%31[^,],%*d,%15[^,],%lf", name, type, &kv) == 3 ? 0 : -1;
        struct pof_node node = pof_node_default(pof_text(name), kv * 1e3);
        node.kind = strcmp(type, "SLACK") == 0 ? POF_NODE_SLACK : POF_NODE_PQ;
        rc = rc ? rc : pof_build_node(&b, &node, &err);
    }
    for (char *l = branches ? strchr(branches, '\n') : NULL; rc == 0 && l && l[1];
         l = strchr(l + 1, '\n')) {
        rc = add_branch(&b, l + 1, &err);
    }
    rc = rc ? rc : pof_build_finish(&b, &err);
    free(nodes);
    free(branches);
    if (rc) {
        printf("# %s\n", err.text);
    }
    return rc == 0;
}

/* element,type,value in p.u. or rad,sigma in p.u. or rad */
static size_t pyvolt_readings(const struct pof_grid *g, const char *name, struct pof_observation *o)
{
    char path[128], element[32], type[32];
    size_t len, n = 0;
    double value, sigma;
    snprintf(path, sizeof path, "pyvolt/se_cases/%s_meas.csv", name);
    char *text = slurp(path, &len);
    for (char *l = text ? strchr(text, '\n') : NULL; l && l[1]; l = strchr(l + 1, '\n')) {
        if (sscanf(l + 1, "%31[^,],%31[^,],%lf,%lf", element, type, &value, &sigma) != 4) {
            continue;
        }
        struct pof_observation *x = &o[n++];
        double unit = -g->base_va;
        *x = (struct pof_observation){.element = node_of(g, element)};
        if (strcmp(type, "Sinj_real") == 0) {
            x->quantity = POF_QUANTITY_P;
        } else if (strcmp(type, "Sinj_imag") == 0) {
            x->quantity = POF_QUANTITY_Q;
        } else if (strcmp(type, "Vpmu_phase") == 0) {
            x->quantity = POF_QUANTITY_ANGLE;
            unit = 180 / PI;
        } else {
            x->quantity = POF_QUANTITY_V;
            unit = g->node[x->element].base_v;
        }
        x->value = value * unit;
        x->sigma = fabs(sigma * unit);
    }
    free(text);
    return n;
}

static double pyvolt_error(const struct pof_grid *g, const char *file, int v_column,
                           const struct pof_se_result *r)
{
    char path[128], name[32];
    size_t len;
    double most = 0;
    snprintf(path, sizeof path, "pyvolt/se_cases/%s.csv", file);
    char *text = slurp(path, &len);
    for (char *l = text ? strchr(text, '\n') : NULL; l && l[1]; l = strchr(l + 1, '\n')) {
        double v = 0, a = 0;
        char *at = l + 1;
        sscanf(at, "%31[^,]", name);
        for (int k = 0; k < v_column; k++) {
            at = strchr(at, ',') + 1;
        }
        sscanf(at, "%lf,%lf", &v, &a);
        uint32_t i = node_of(g, name);
        most = fmax(most, hypot(v * cos(a) - r->v_pu[i] * cos(r->angle[i]),
                                v * sin(a) - r->v_pu[i] * sin(r->angle[i])));
    }
    free(text);
    return most;
}

static void pyvolt(const struct pof_grid *g, const char *kind, bool ideal)
{
    struct pof_observation o[100];
    struct pof_se *se = NULL;
    struct pof_se_result r;
    struct pof_err err = {0};
    enum pof_se_status status = POF_SE_DIVERGED;
    char name[64];
    snprintf(name, sizeof name, "%s_%s", kind, ideal ? "ideal" : "uniform1");
    size_t n = pyvolt_readings(g, name, o);
    int rc = pof_se_new(&se, g, NULL, &err);
    rc = rc ? rc : pof_se_solve(se, o, n, &status, &err);
    pof_se_result(se, &r);
    double most = pyvolt_error(g, "pf", 6, &r);
    if (ideal) {
        ok(rc == 0 && status == POF_SE_CONVERGED && most <= 1e-9,
           "pyvolt %s: %zu ideal readings give the power flow, complex error %.1e p.u.", name, n, most);
    } else {
        /* other weights for PMU pairs there: the same neighbourhood, not the same numbers */
        strcat(name, "_est");
        double apart = pyvolt_error(g, name, 1, &r);
        ok(rc == 0 && status == POF_SE_CONVERGED && most < 0.04 && apart < 0.02,
           "pyvolt %s: noisy readings, off by %.4f p.u., from its estimate by %.4f", name, most, apart);
    }
    pof_se_free(se);
}

int main(void)
{
    static const char *const cases[] = {"case14_std",   "case14_lean",  "case14_bad1", "case118_std",
                                        "case118_lean", "case118_bad1", "case300_std", "rad100_dist",
                                        "rad1k_dist",   "case1354pegase_std"};
    static const char *const kinds[] = {"trad", "pmu1", "pmu5", "mixed"};
    if (!tap_data()) {
        skip("published estimation cases", "no shared data");
        return done();
    }
    int passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int before = tap_failed;
        wls(cases[i]);
        passed += tap_failed == before;
        failed += tap_failed != before;
    }
    printf("# accept family=wls passed=%d failed=%d unsupported=0\n", passed, failed);
    struct pof_grid g = {0};
    ok(cigre(&g), "the CIGRE grid of pyvolt");
    for (size_t i = 0; i < 4; i++) {
        pyvolt(&g, kinds[i], true);
        pyvolt(&g, kinds[i], false);
    }
    pof_grid_release(&g);
    return done();
}
