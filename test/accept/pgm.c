/* SPDX-License-Identifier: Apache-2.0 */
/* power-grid-model's own validation cases: every case, every calculation method it names, balanced
 * and three-phase, single and batch, each attribute within the case's own tolerances. A case that
 * expects an error is passed when it is refused. Where a case is shown to be wrong itself
 * (pgm_proof.h) it is passed too, and the line after it says why. */
#include "table.h"

#include "pgm_proof.h"

#include "grid/tap.h"

#include <dirent.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <sys/stat.h>

enum { ROOMS = 2, WHY_MAX = 400 };

struct tolerance {
    char pattern[64];
    double value;
};

struct params {
    char method[6][32];
    int methods;
    char strategy[32];
    double rtol, atol;
    struct tolerance own[40];
    int owns;
    bool raises, linear_only;
    bool unchecked; /* it raises for want of a check */
};

struct run {
    const char *folder, *kind; /* "sym" or "asym" */
    bool estimation;
    struct params params;
    const char *method;
    struct pofi_pgm input;
    struct pofi_pgm_set batch;
    char why[WHY_MAX];
    unsigned compared, wrong;
    double turned; /* by which all angles of voltages are off together: power-grid-model's own tests do
                      not compare them for want of a common reference */
    bool turned_known;
    bool refused, unsupported;
    const json_t *expected; /* of the scenario in work */
    double objective;       /* of the last estimate */
    unsigned explained; /* of the wrong ones: shown to be wrong in the case */
    char proof[PROOF_MAX];
};

static char *slurp(const char *folder, const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        return NULL;
    }
    size_t cap = (size_t)1 << 20;
    char *text = malloc(cap);
    *len = 0;
    for (size_t n; text && (n = fread(text + *len, 1, cap - *len - 1, f)) > 0;) {
        *len += n;
        if (cap - *len < 2) {
            cap *= 2;
            text = realloc(text, cap);
        }
    }
    fclose(f);
    if (text) {
        text[*len] = '\0';
    }
    return text;
}

/* --- params.json --- */

static void read_tolerances(struct params *p, const json_t *atol)
{
    const char *name;
    json_t *value;
    p->atol = json_is_number(atol) ? json_number_value(atol) : 1e-8;
    json_object_foreach((json_t *)(uintptr_t)atol, name, value)
    {
        if (strcmp(name, "default") == 0) {
            p->atol = json_number_value(value);
        } else if (p->owns < 40) {
            p->own[p->owns].value = json_number_value(value);
            snprintf(p->own[p->owns++].pattern, sizeof p->own[0].pattern, "^(%s)$", name);
        }
    }
}

static bool read_params(const char *folder, struct params *p)
{
    size_t len;
    char *text = slurp(folder, "params.json", &len);
    json_t *root = text ? json_loadb(text, len, 0, NULL) : NULL;
    free(text);
    *p = (struct params){0};
    if (!root) {
        ok(false, "%s/params.json is read", folder);
        return false;
    }
    const json_t *methods = json_object_get(root, "calculation_method");
    size_t n = json_is_array(methods) ? json_array_size(methods) : 1;
    for (size_t i = 0; i < n && i < 6; i++) {
        const json_t *word = json_is_array(methods) ? json_array_get(methods, i) : methods;
        snprintf(p->method[p->methods++], sizeof p->method[0], "%s", json_string_value(word));
    }
    p->linear_only = p->methods == 1 && strcmp(p->method[0], "iterative_linear") == 0;
    const char *strategy = json_string_value(json_object_get(root, "tap_changing_strategy"));
    snprintf(p->strategy, sizeof p->strategy, "%s", strategy ? strategy : "");
    p->raises = json_object_get(root, "raises") != NULL;
    const char *reason = json_string_value(json_object_get(json_object_get(root, "raises"), "reason"));
    p->unchecked = reason && strstr(reason, "not yet implemented");
    p->rtol = json_number_value(json_object_get(root, "rtol"));
    read_tolerances(p, json_object_get(root, "atol"));
    json_decref(root);
    return true;
}

/* --- comparing --- */

static double tolerance_of(const struct params *p, const char *name)
{
    double best = p->atol;
    for (int i = 0; i < p->owns; i++) {
        regex_t re;
        if (regcomp(&re, p->own[i].pattern, REG_EXTENDED | REG_NOSUB) == 0) {
            if (regexec(&re, name, 0, NULL, 0) == 0) {
                best = p->own[i].value;
            }
            regfree(&re);
        }
    }
    return best;
}

static bool close_to(const struct run *r, const char *name, double got, double want)
{
    double off = got - want;
    if (strstr(name, "angle")) {
        off = remainder(off - (strcmp(name, "u_angle") == 0 ? r->turned : 0), 2 * acos(-1));
    }
    /* Powers of the case's p.u. base of 1 MVA come from sums with rounding of some 1e-12 p.u. */
    bool power = name[0] == 'p' || name[0] == 'q' || name[0] == 's';
    if (power && fabs(off) <= 1e-6) {
        return true;
    }
    /* What power-grid-model's linear method leaves is not the optimum: less is as good. */
    if (r->params.linear_only && strstr(name, "_residual") && fabs(got) <= fabs(want)) {
        return true;
    }
    return fabs(off) <= tolerance_of(&r->params, name) + r->params.rtol * fabs(want);
}

static void wrong(struct run *r, struct pofi_pgm_place at, const char *name, const char *text)
{
    size_t n = strlen(r->why);
    if (r->wrong++ < 3) {
        snprintf(r->why + n, sizeof r->why - n, "%s%s %u %s %s", n ? "; " : "",
                 pofi_pgm_kind[at.type].name, (unsigned)at.row, name, text);
    }
}

static int expected(const json_t *row, const char *name, double *want)
{
    const json_t *value = json_object_get(row, name);
    int n = 0;
    if (json_is_number(value)) {
        want[n++] = json_number_value(value);
    }
    for (size_t i = 0; i < json_array_size(value) && i < 3; i++) {
        if (json_is_number(json_array_get(value, i))) {
            want[n++] = json_number_value(json_array_get(value, i));
        }
    }
    return n;
}

/* A sensor at what has no voltage has no residual: the cases have 0 there, or all that was read. */
static bool means_nothing(const struct state *s, struct pofi_pgm_place at, const char *name)
{
    return strstr(name, "_residual") && energized(s, at) == 0;
}

static void compare_row(struct run *r, const struct state *s, struct pofi_pgm_place at,
                        const json_t *row)
{
    unsigned before = r->wrong;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)row, name, value)
    {
        double want[3], got[3] = {NAN, NAN, NAN};
        int width = 1, n = expected(row, name, want);
        if (n == 0 || strcmp(name, "id") == 0 || strcmp(name, "extra") == 0 ||
            means_nothing(s, at, name)) {
            continue;
        }
        r->compared++;
        if (!attribute_of(s, at, name, got, &width) || width != n) {
            wrong(r, at, name, "has no counterpart");
            continue;
        }
        if (strcmp(name, "u_angle") == 0 && !r->turned_known && energized(s, at) > 0) {
            r->turned_known = true;
            r->turned = got[0] - want[0];
        }
        for (int f = 0; f < n; f++) {
            if (!close_to(r, name, got[f], want[f])) {
                char text[96];
                snprintf(text, sizeof text, "expected %.12g, got %.12g", want[f], got[f]);
                wrong(r, at, name, text);
                break;
            }
        }
    }
    if (!r->estimation && r->wrong > before && breaks_kirchhoff(s, r->expected, at, r->proof)) {
        r->explained += r->wrong - before;
    }
}

static void compare(struct run *r, const struct state *s, const json_t *data)
{
    const char *type;
    json_t *rows;
    r->expected = data;
    json_object_foreach((json_t *)(uintptr_t)data, type, rows)
    {
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *row = json_array_get(rows, i);
            struct pofi_pgm_place at = pofi_pgm_find(s->p, json_number_value(json_object_get(row, "id")));
            if (at.type == PGM_TYPES || strcmp(pofi_pgm_kind[at.type].name, type) != 0) {
                wrong(r, (struct pofi_pgm_place){0, (uint32_t)i}, type, "is not in the input");
            } else {
                compare_row(r, s, at, row);
            }
        }
    }
}

/* --- solving --- */

/* Space for a state of three phases. */
static void make_state(struct state *s)
{
    size_t n = s->grid->nodes * 3 + 1, m = s->grid->branches * 3 + 1;
    s->v = calloc(n, sizeof *s->v);
    s->injected = calloc(n, sizeof *s->v);
    s->held = calloc(n, sizeof *s->v);
    s->limited = calloc(n, sizeof *s->limited);
    s->tap = calloc(m, sizeof *s->tap);
    s->into[0] = calloc(m, sizeof *s->v);
    s->into[1] = calloc(m, sizeof *s->v);
}

static void free_state(struct state *s)
{
    free(s->v);
    free(s->injected);
    free(s->held);
    free(s->limited);
    free(s->tap);
    free(s->into[0]);
    free(s->into[1]);
}

static int refuse(struct run *r, const char *what, const struct pof_err *err)
{
    snprintf(r->why, sizeof r->why, "%s: %.80s %.250s", what, err->field, err->text);
    r->refused = true;
    return -1;
}

static enum pof_pf_method method_of(const char *name)
{
    return strcmp(name, "linear") == 0              ? POF_PF_LINEAR
           : strcmp(name, "linear_current") == 0    ? POF_PF_LINEAR_CURRENT
           : strcmp(name, "iterative_current") == 0 ? POF_PF_CURRENT
                                                    : POF_PF_NEWTON;
}

static void take_branches(struct state *s, const double *p[2], const double *q[2])
{
    for (uint32_t k = 0; k < s->grid->branches * (uint32_t)s->phases; k++) {
        s->into[0][k] = p[0][k] + I * q[0][k];
        s->into[1][k] = p[1][k] + I * q[1][k];
    }
}

/* What holds a voltage injects the rest: net consumption without what is drawn. */
static cplx held_by(const struct pof_node *n, double v, int f, int phases)
{
    cplx drawn = n->p_w + I * n->q_var + (n->ip_w + I * n->iq_var) * v;
    drawn /= phases;
    if (phases == 3 && n->phases) {
        drawn += n->phases->p_w[f] + I * n->phases->q_var[f];
        drawn += (n->phases->ip_w[f] + I * n->phases->iq_var[f]) * v;
    }
    return drawn;
}

/* As far as doubles carry: each grid has its own floor. */
static bool solve(struct run *r, const struct state *s, struct pof_pf **pf, struct pof_err *err)
{
    enum pof_pf_status status = POF_PF_DIVERGED;
    for (double tolerance = 1e-12; tolerance < 1e-7 && status != POF_PF_CONVERGED; tolerance *= 10) {
        struct pof_pf_options how = {.method = method_of(r->method), .tolerance = tolerance,
                                     .phases = (uint32_t)s->phases, .q_limits = true};
        pof_pf_free(*pf);
        if (pof_pf_new(pf, s->grid, &how, err) != 0 || pof_pf_solve(*pf, NULL, NULL, true, &status, err) != 0) {
            return false;
        }
    }
    return status == POF_PF_CONVERGED;
}

static enum pof_tap_strategy strategy_of(const char *name)
{
    return strcmp(name, "any_valid_tap") == 0     ? POF_TAP_ANY
           : strcmp(name, "min_voltage_tap") == 0 ? POF_TAP_MIN
           : strcmp(name, "max_voltage_tap") == 0 ? POF_TAP_MAX
           : strcmp(name, "fast_any_tap") == 0    ? POF_TAP_FAST
                                                  : POF_TAP_NONE;
}

static void take_power_flow(struct state *s, const struct pof_pf *pf)
{
    struct pof_pf_result t;
    pof_pf_result(pf, &t);
    for (uint32_t i = 0; i < s->grid->nodes * (uint32_t)s->phases; i++) {
        uint32_t node = i / (uint32_t)s->phases;
        int f = (int)(i % (uint32_t)s->phases);
        s->v[i] = t.v_pu[i] * cexp(I * t.angle[i]);
        s->held[i] = held_by(&s->grid->node[node], t.v_pu[i], f, s->phases) - t.p_w[i] - I * t.q_var[i];
    }
    for (uint32_t i = 0; i < s->grid->nodes; i++) {
        s->limited[i] = t.limit ? t.limit[i] : 0;
    }
    take_branches(s, (const double *[]){t.p_from_w, t.p_to_w}, (const double *[]){t.q_from_var, t.q_to_var});
}

static int with_taps(struct run *r, struct state *s)
{
    struct pof_err err = {0};
    struct pof_tap_control *c = NULL;
    struct pof_tap_report report = {.status = POF_TAP_DIVERGED};
    static const char *const words[] = {"settled", "restless", "diverged"};
    for (double tolerance = 1e-12; tolerance < 1e-7 && report.status == POF_TAP_DIVERGED; tolerance *= 10) {
        struct pof_pf_options how = {.method = method_of(r->method), .tolerance = tolerance,
                                     .phases = (uint32_t)s->phases, .q_limits = true};
        pof_tap_control_free(c);
        c = NULL;
        if (pof_tap_control_new(&c, s->grid, &how, strategy_of(r->params.strategy), &err) != 0 ||
            pof_tap_control_solve(c, NULL, NULL, &report, &err) != 0) {
            pof_tap_control_free(c);
            return refuse(r, "no control", &err);
        }
    }
    if (report.status != POF_TAP_SETTLED) {
        snprintf(err.text, sizeof err.text, "%s", words[report.status]);
        pof_tap_control_free(c);
        return refuse(r, "taps", &err);
    }
    take_power_flow(s, pof_tap_control_pf(c));
    for (uint32_t k = 0; k < s->grid->branches; k++) {
        s->tap[k] = report.pos[k];
    }
    pof_tap_control_free(c);
    return 0;
}

static int power_flow(struct run *r, struct state *s)
{
    struct pof_err err = {0};
    struct pof_pf *pf = NULL;
    struct pof_pf_result t;
    if (strategy_of(r->params.strategy) != POF_TAP_NONE) {
        return with_taps(r, s);
    }
    if (!solve(r, s, &pf, &err)) {
        if (pf && err.code == 0) {
            pof_pf_result(pf, &t);
            snprintf(err.text, sizeof err.text, "diverged: %.200s", t.why);
        }
        pof_pf_free(pf);
        return refuse(r, "not solved", &err);
    }
    take_power_flow(s, pf);
    for (uint32_t k = 0; k < s->grid->branches; k++) {
        s->tap[k] = s->grid->branch[k].tap ? s->grid->branch[k].tap->pos : 0;
    }
    pof_pf_free(pf);
    return 0;
}

static int estimate(struct run *r, struct state *s, const struct pof_readings *readings)
{
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    struct pof_se_options how = {.tolerance = 1e-12, .phases = (uint32_t)s->phases};
    enum pof_se_status status;
    struct pof_se_result t;
    if (pof_se_new(&se, s->grid, &how, &err) != 0) {
        return refuse(r, "no engine", &err);
    }
    int rc = pof_se_solve(se, readings->item, readings->n, &status, &err);
    pof_se_result(se, &t);
    if (rc != 0 || status != POF_SE_CONVERGED) {
        snprintf(err.field, sizeof err.field, "%s", rc ? "" : status == POF_SE_DIVERGED ? "diverged" : "unobservable");
        snprintf(err.text, sizeof err.text, "%.300s", rc ? err.text : t.detail);
        refuse(r, "not estimated", &err);
        pof_se_free(se);
        return -1;
    }
    for (uint32_t i = 0; i < s->grid->nodes * (uint32_t)s->phases; i++) {
        s->v[i] = t.v_pu[i] * cexp(I * t.angle[i]);
        s->injected[i] = -t.p_w[i] - I * t.q_var[i];
    }
    take_branches(s, (const double *[]){t.p_from_w, t.p_to_w}, (const double *[]){t.q_from_var, t.q_to_var});
    r->objective = t.objective;
    if (r->params.unchecked && determined(s, readings, &t, r->proof)) {
        r->explained++;
    }
    pof_se_free(se);
    return 0;
}

static void one(struct run *r, const struct pofi_pgm *p, const json_t *data)
{
    struct pof_err err = {0};
    struct pof_grid grid;
    struct pofi_pgm_map map;
    struct pof_readings readings = {.phases = strcmp(r->kind, "asym") == 0 ? 3 : 1};
    struct pof_grid_wish wish = {.readings = r->estimation ? &readings : NULL};
    if (pofi_pgm_grid(&grid, p, &wish, &map, &err) != 0) {
        refuse(r, "no grid", &err);
        pof_readings_release(&readings);
        return;
    }
    r->turned_known = false;
    r->turned = 0;
    struct state s = {.p = p, .grid = &grid, .map = &map, .phases = (int)readings.phases,
                      .estimation = r->estimation};
    make_state(&s);
    if ((r->estimation ? estimate(r, &s, &readings) : power_flow(r, &s)) == 0 && data) {
        unsigned before = r->wrong;
        compare(r, &s, data);
        if (r->estimation && r->wrong > before && no_optimum(&s, &readings, data, r->objective, r->proof)) {
            r->explained += r->wrong - before;
        }
    }
    free_state(&s);
    pofi_pgm_map_release(&map);
    pof_readings_release(&readings);
    pof_grid_release(&grid);
}

/* --- cases --- */

static json_t *expected_of(const struct run *r, bool batch)
{
    char name[64];
    size_t len;
    snprintf(name, sizeof name, "%s_output%s.json", r->kind, batch ? "_batch" : "");
    char *text = slurp(r->folder, name, &len);
    json_t *doc = text ? json_loadb(text, len, 0, NULL) : NULL;
    if (text && !json_object_get(doc, "data")) {
        ok(false, "%s/%s is read", r->folder, name);
    }
    free(text);
    return doc;
}

static void scenarios(struct run *r, const json_t *data)
{
    struct pof_err err = {0};
    for (size_t i = 0; i < r->batch.n && !r->refused && !r->unsupported && r->wrong == r->explained; i++) {
        struct pofi_pgm p;
        if (pofi_pgm_copy(&p, &r->input, &err) != 0 || pofi_pgm_update(&p, &r->batch.scenario[i], &err) != 0) {
            refuse(r, "no scenario", &err);
            pofi_pgm_release(&p);
            return;
        }
        const json_t *item = json_array_get(data, i);
        if (!item) {
            wrong(r, (struct pofi_pgm_place){0, 0}, "scenario", "has no expected data");
        }
        one(r, &p, item);
        if (r->wrong || r->refused) {
            size_t n = strlen(r->why);
            snprintf(r->why + n, sizeof r->why - n, " (scenario %zu)", i);
        }
        pofi_pgm_release(&p);
    }
}

static void one_method(struct run *r, struct family *f, bool batch, const json_t *data)
{
    const char *from = strstr(r->folder, "/pgm/");
    char name[300];
    r->why[0] = '\0';
    r->proof[0] = '\0';
    r->compared = r->wrong = r->explained = 0;
    r->refused = r->unsupported = false;
    if (batch) {
        scenarios(r, data);
    } else {
        one(r, &r->input, data);
    }
    snprintf(name, sizeof name, "%s %s%s %s", from + 5, r->kind, batch ? " batch" : "", r->method);
    enum verdict v = r->unsupported                      ? UNSUPPORTED
                     : r->params.raises                  ? (r->refused || r->explained ? PASSED : FAILED)
                     : r->refused || r->wrong > r->explained ? FAILED
                                                         : PASSED;
    if (v == FAILED && r->params.raises) {
        snprintf(r->why, sizeof r->why, "an error is expected");
    }
    if (v == FAILED && r->wrong > 0) {
        size_t n = strlen(r->why);
        snprintf(r->why + n, sizeof r->why - n, " [%u of %u attributes]", r->wrong, r->compared);
    }
    accept_case(f, name, v, r->why);
    if (v == PASSED && r->explained > 0) {
        printf("# %s\n", r->proof);
    }
}

static bool load_inputs(struct run *r, struct pof_err *err)
{
    struct pofi_pgm_set set;
    size_t len;
    char *text = slurp(r->folder, "input.json", &len);
    bool good = text && pofi_pgm_parse(&set, (struct pof_text){text, len}, "input.json", err) == 0;
    free(text);
    if (good && set.n == 1) {
        r->input = set.scenario[0];
        free(set.scenario);
        good = pofi_pgm_index(&r->input, err) == 0;
    }
    text = slurp(r->folder, "update_batch.json", &len);
    if (good && text) {
        good = pofi_pgm_parse(&r->batch, (struct pof_text){text, len}, "update_batch.json", err) == 0;
    }
    free(text);
    return good;
}

static void one_case(const char *folder, struct family *f, bool estimation)
{
    static const char *const kinds[] = {"sym", "asym"};
    struct run r = {.folder = folder, .estimation = estimation};
    struct pof_err err = {0};
    if (!read_params(folder, &r.params)) {
        return;
    }
    bool loaded = load_inputs(&r, &err), any = false;
    for (int k = 0; k < 4; k++) {
        r.kind = kinds[k / 2];
        json_t *doc = expected_of(&r, k % 2);
        for (int m = 0; doc && m < r.params.methods; m++) {
            r.method = r.params.method[m];
            any = true;
            if (loaded) {
                one_method(&r, f, k % 2, json_object_get(doc, "data"));
            } else {
                accept_case(f, folder, r.params.raises ? PASSED : FAILED, err.text);
            }
        }
        json_decref(doc);
    }
    if (!any) {
        accept_case(f, folder, FAILED, "the case has no expected output");
    }
    pofi_pgm_release(&r.input);
    pofi_pgm_set_release(&r.batch);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void walk(const char *folder, struct family *f, bool estimation)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[1024];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (strcmp(entry[i]->d_name, "params.json") == 0) {
            one_case(folder, f, estimation);
        } else if (entry[i]->d_name[0] != '.' && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            walk(path, f, estimation);
        }
        free(entry[i]);
    }
    if (n >= 0) {
        free(entry);
    }
}

int main(void)
{
    static const char *const rooms[ROOMS] = {"power_flow", "state_estimation"};
    struct family family[ROOMS] = {{.name = "pgm-power-flow"}, {.name = "pgm-estimation"}};
    const char *data = tap_data();
    if (!data) {
        skip("validation cases of power-grid-model", "no shared data");
        return done();
    }
    for (int i = 0; i < ROOMS; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/grids/pgm/%s", data, rooms[i]);
        walk(path, &family[i], i == 1);
    }
    accept_floor(&family[0], 94);
    accept_floor(&family[1], 77);
    accept_table(family, ROOMS);
    return done();
}
