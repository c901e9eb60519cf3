/* SPDX-License-Identifier: Apache-2.0 */
/* GridPACK's measurements of the IEEE 14-bus case: PSS/E RAW of revision 23, and an XML document of
 * readings in p.u. There is no published estimate, so the state is held against the one stored in
 * the RAW file, which the readings were made of, and the optimum against dense least squares.
 *
 * The XML document is not well-formed: elements begin as Values and end as Value. It must be refused,
 * by its line; the estimate is of the text with those names set right. */
#include "table.h"

#include "grid/estimate.h"
#include "grid/format.h"
#include "record/xml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Voltages of the case as the RAW file has them. */
static const double stored[14][2] = {{1.06, 0},       {1.045, -4.98},  {1.01, -12.72}, {1.019, -10.33},
                                     {1.02, -8.78},   {1.07, -14.22},  {1.062, -13.37}, {1.09, -13.36},
                                     {1.056, -14.94}, {1.051, -15.1},  {1.057, -14.79}, {1.055, -15.07},
                                     {1.05, -15.16},  {1.036, -16.04}};

struct reader {
    const struct pof_grid *grid;
    struct pof_observation item[128];
    size_t n;
    char type[8];
    uint32_t from, to;
    double value, sigma;
    unsigned odd; /* measurements that mean nothing here */
};

static int open_element(void *ctx, const char *name, const char *const *attr, struct pof_err *err)
{
    struct reader *r = ctx;
    (void)attr;
    (void)err;
    if (strcmp(name, "Measurement") == 0) {
        r->type[0] = '\0';
        r->from = r->to = POF_NONE;
        r->value = r->sigma = NAN;
    }
    return 0;
}

static uint32_t bus(const struct reader *r, const char *number)
{
    char name[16];
    snprintf(name, sizeof name, "BUS-%.8s", number);
    return pof_names_find(&r->grid->node_names, pof_text(name));
}

/* The branch between two buses, and whether it is read at its to end. */
static bool place(const struct reader *r, struct pof_observation *o)
{
    for (uint32_t k = 0; k < r->grid->branches; k++) {
        const struct pof_branch *b = &r->grid->branch[k];
        o->to = b->to == r->from;
        if ((b->from == r->from && b->to == r->to) || (b->to == r->from && b->from == r->to)) {
            o->branch = true;
            o->element = k;
            return true;
        }
    }
    return false;
}

static void take(struct reader *r)
{
    struct pof_observation o = {.element = r->from, .value = r->value, .sigma = r->sigma};
    bool flow = strlen(r->type) == 3, power = r->type[0] == 'P' || r->type[0] == 'Q';
    bool known = power ? r->type[1] == 'I' : strcmp(r->type, "VM") == 0;
    if (!known || r->n == 128 || r->from == POF_NONE || (flow && !place(r, &o))) {
        r->odd++;
        return;
    }
    double unit = power ? r->grid->base_va : r->grid->node[r->from].base_v;
    o.quantity = r->type[0] == 'P' ? POF_QUANTITY_P : power ? POF_QUANTITY_Q : POF_QUANTITY_V;
    o.value *= power && !flow ? -unit : unit; /* injections there are generation */
    o.sigma *= unit;
    r->item[r->n++] = o;
}

static int close_element(void *ctx, const char *name, struct pof_text text, struct pof_err *err)
{
    struct reader *r = ctx;
    char word[32];
    (void)err;
    snprintf(word, sizeof word, "%.*s", (int)text.len, text.len ? text.ptr : "");
    if (strcmp(name, "Type") == 0) {
        snprintf(r->type, sizeof r->type, "%.7s", word);
    } else if (strcmp(name, "Bus") == 0 || strcmp(name, "FromBus") == 0) {
        r->from = bus(r, word);
    } else if (strcmp(name, "ToBus") == 0) {
        r->to = bus(r, word);
    } else if (strcmp(name, "Value") == 0) {
        r->value = strtod(word, NULL);
    } else if (strcmp(name, "Deviation") == 0) {
        r->sigma = strtod(word, NULL);
    } else if (strcmp(name, "Measurement") == 0) {
        take(r);
    }
    return 0;
}

static char *slurp(const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/grids/se/gridpack_IEEE14/%s", tap_data(), name);
    FILE *f = fopen(path, "rb");
    char *text = f ? calloc(1, (1u << 20) + 1) : NULL;
    *len = text ? fread(text, 1, 1u << 20, f) : 0;
    if (f) {
        fclose(f);
    }
    return text;
}

/* The document as it is, refused; then with <Values> as <Value> and a blank. */
static int read_xml(struct reader *r, char *xml, size_t len, struct pof_err *err)
{
    const struct pof_xml_taker taker = {open_element, close_element, r};
    const struct pof_text text = {xml, len};
    int rc = pof_xml_parse(text, "IEEE14_meas.xml", &taker, NULL, err);
    ok(rc != 0 && err->line == 251, "a tag that another one closes is refused in line %d: %s",
       (int)err->line, err->text);
    for (char *wrong = xml; (wrong = strstr(wrong, "<Values>")) != NULL;) {
        memcpy(wrong, "<Value> ", 8);
    }
    r->n = r->odd = 0;
    *err = (struct pof_err){0};
    return pof_xml_parse(text, "IEEE14_meas.xml", &taker, NULL, err);
}

/* J; NAN when there is no estimate. State into v and angle when they are given. */
static double estimate(const struct reader *r, bool dense, double *v, double *angle, char *why)
{
    struct pof_err err = {0};
    struct pof_se *se = NULL;
    struct pof_se_options how = {.dense = dense};
    enum pof_se_status status = POF_SE_DIVERGED;
    struct pof_se_result t = {0};
    int rc = pof_se_new(&se, r->grid, &how, &err);
    rc = rc ? rc : pof_se_solve(se, r->item, r->n, &status, &err);
    if (rc == 0) {
        pof_se_result(se, &t);
    }
    snprintf(why, 200, "%.100s%.90s", err.text, t.detail ? t.detail : "");
    for (uint32_t i = 0; rc == 0 && i < r->grid->nodes && v; i++) {
        v[i] = t.v_pu[i];
        angle[i] = t.angle[i] * 180 / acos(-1);
    }
    double objective = rc == 0 && status == POF_SE_CONVERGED ? t.objective : NAN;
    pof_se_free(se);
    return objective;
}

static void judge(struct family *f, const struct reader *r)
{
    double v[14], angle[14], off = 0, turned = 0;
    char why[200] = "", text[500];
    double sparse = estimate(r, false, v, angle, why), dense = estimate(r, true, NULL, NULL, why);
    for (int i = 0; i < 14 && isfinite(sparse); i++) {
        off = fmax(off, fabs(v[i] - stored[i][0]));
        turned = fmax(turned, fabs(angle[i] - stored[i][1]));
    }
    /* Readings have four digits and deviations of 0.005 to 0.01 p.u. */
    bool good = r->n == 63 && r->odd == 0 && fabs(sparse - dense) <= 1e-6 * dense && sparse < 80 &&
                off < 0.01 && turned < 0.5;
    snprintf(text, sizeof text,
             "%zu readings, %u not understood, J = %.10g and %.10g by dense least squares, %.3g p.u. and "
             "%.3g degrees from the stored state; %s",
             r->n, r->odd, sparse, dense, off, turned, why);
    accept_case(f, "IEEE14", good ? PASSED : FAILED, text);
    printf("# %s\n", text);
}

int main(void)
{
    struct family f = {.name = "gridpack"};
    struct pof_err err = {0};
    struct pof_grid grid = {0};
    struct reader r = {.grid = &grid};
    size_t raw_len, xml_len;
    if (!tap_data()) {
        skip("measurements of GridPACK", "no shared data");
        return done();
    }
    char *raw = slurp("IEEE14.raw", &raw_len), *xml = slurp("IEEE14_meas.xml", &xml_len);
    int rc = raw && xml ? 0 : pof_fail(&err, POF_E_REFERENCE, "the files are not there");
    rc = rc ? rc : pof_raw_read(&grid, (struct pof_text){raw, raw_len}, "IEEE14.raw", NULL, &err);
    rc = rc ? rc : read_xml(&r, xml, xml_len, &err);
    if (rc || grid.nodes != 14) {
        accept_case(&f, "IEEE14", FAILED, err.text);
    } else {
        judge(&f, &r);
    }
    accept_table(&f, 1);
    accept_floor(&f, 1);
    pof_grid_release(&grid);
    free(raw);
    free(xml);
    return done();
}
