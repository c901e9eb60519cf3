/* SPDX-License-Identifier: Apache-2.0 */
/* pof-convert: grids from and to the files of other programs. */
#include "cli/cli.h"
#include "grid/estimate_feed.h"
#include "grid/format.h"
#include "pof-convert/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct args {
    const char *study_case, *slack, *readings;
    int64_t at;
    int to, loads, names;
    bool per_phase;
};

/* In the order of enum pof_grid_format. */
static const char *const formats[] = {"grid", "matpower", "raw", "pgm", NULL};
enum { LOADS_FIXED, LOADS_RATED };
static const char *const loads[] = {"fixed", "rated", NULL};

static const char *const names[] = {"name", "mrid", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"to", 't', POF_OPT_WORD, AT(to), "FORMAT", "grid, matpower, raw or pgm (grid)", 0, 0, formats},
    {"loads", 'l', POF_OPT_WORD, AT(loads), "HOW", "fixed, or rated: consumption becomes rated_w (fixed)", 0, 0, loads},
    {"readings", 'r', POF_OPT_OUTPUT, AT(readings), "FILE", "write the readings in the input there; the grid is for estimation then", 0, 0, NULL},
    {"at", 0, POF_OPT_INSTANT, AT(at), "TIME", "instant of the readings (1970-01-01T00:00:00Z)", 0, 0, NULL},
    {"per-phase", 0, POF_OPT_FLAG, AT(per_phase), NULL, "the input is of one phase: powers times 3, voltages times sqrt(3)", 0, 0, NULL},
    {"study-case", 0, POF_OPT_TEXT, AT(study_case), "NAME", "of a SimBench data set: hL, n1, hW, hPV, lW, lPV (none)", 0, 0, NULL},
    {"names", 0, POF_OPT_WORD, AT(names), "WHICH", "of CIM: name, or mrid (name)", 0, 0, names},
    {"slack", 0, POF_OPT_TEXT, AT(slack), "NODE", "of CIM: the node that feeds the grid (as documents say)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-convert",
    .purpose = "convert grids from and to the files of other programs",
    .operands = "FILE|DIRECTORY ...",
    .examples = "pof-convert case33bw.m > grid.json\n"
                "pof-convert --to raw grid.json > grid.raw\n"
                "pof-convert cgmes.zip boundary.zip > grid.json",
    .options = options,
};

static void tell(void *ctx, const char *text)
{
    pof_cli_warn(ctx, "%s", text);
}

/* --- a SimBench folder --- */

struct folder {
    struct pof_simbench tables;
    char *data[POF_SIMBENCH_TABLES];
    char path[POF_SIMBENCH_TABLES][4096];
};

static int known_table(const char *name)
{
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        if (strcmp(name, pof_simbench_file[t]) == 0) {
            return t;
        }
    }
    return -1;
}

static int read_table(struct pof_cli *cli, struct folder *f, const char *directory, const char *name,
                      struct pof_err *err)
{
    int t = known_table(name);
    size_t n = strlen(name);
    bool series = strstr(name, "Profile") || strcmp(name, "NodePFResult.csv") == 0;
    if (t < 0 && n > 4 && strcmp(name + n - 4, ".csv") == 0 && !series) {
        pof_cli_warn(cli, "table '%s' is left out", name);
    }
    if (t < 0) {
        return 0;
    }
    snprintf(f->path[t], sizeof f->path[t], "%s/%s", directory, name);
    f->tables.path[t] = f->path[t];
    int rc = pof_cli_slurp(cli, f->path[t], &f->data[t], &f->tables.len[t], err);
    f->tables.data[t] = f->data[t];
    return rc;
}

static int read_folder(struct pof_cli *cli, const struct args *a, const char *path,
                       struct pof_grid *grid, struct pof_err *err)
{
    struct pof_teller teller = {tell, cli};
    struct folder f = {.tables = {.study_case = a->study_case}};
    struct dirent **entry;
    int n = scandir(path, &entry, NULL, alphasort);
    int rc = n < 0 ? pof_fail_errno(err, POF_E_OPEN, errno, "cannot open '%s'", path) : 0;
    for (int i = 0; i < n; i++) {
        rc = rc ? rc : read_table(cli, &f, path, entry[i]->d_name, err);
        free(entry[i]);
    }
    if (n >= 0) {
        free(entry);
    }
    rc = rc ? rc : pof_simbench_read(grid, &f.tables, &teller, err);
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        free(f.data[t]);
    }
    return rc;
}

/* --- files --- */

/* --- several documents of one grid --- */

/* What a conversion works on. */
struct work {
    struct pof_grid grid;
    struct pof_readings readings;
    bool with_readings;
};

static int read_documents(struct pof_cli *cli, const struct args *a, const struct documents *d,
                          struct work *w, struct pof_err *err)
{
    const struct pof_teller teller = {tell, cli};
    const struct pof_grid_wish wish = {.teller = &teller,
                                       .readings = w->with_readings ? &w->readings : NULL};
    struct pof_cim input = {.document = d->item, .documents = d->n, .by_id = a->names == 1, .slack = a->slack};
    bool cim = true;
    for (size_t i = 0; i < d->n; i++) {
        cim = cim && pof_cim_is(d->item[i].text);
    }
    if (cim && d->n > 0) {
        return pof_cim_read(&w->grid, &input, &wish, err);
    }
    if (a->slack || a->names) {
        return pof_fail(err, POF_E_USAGE, "--slack and --names are for documents of the Common Information Model");
    }
    if (d->n == 0) {
        return pof_fail(err, POF_E_MISSING,
                        "a directory holds neither the tables of SimBench (%s ...) nor documents "
                        "of the Common Information Model (*.xml, *.zip)",
                        pof_simbench_file[POF_SIMBENCH_NODE]);
    }
    if (d->n != 1) {
        return pof_fail(err, POF_E_USAGE,
                        "only documents of the Common Information Model come in several files; %zu are given", d->n);
    }
    return pof_grid_read_with(&w->grid, d->item[0].text, d->item[0].name, &wish, err);
}

static bool is_simbench(const char *path)
{
    char node[4096];
    FILE *f = NULL;
    if (snprintf(node, sizeof node, "%s/%s", path, pof_simbench_file[POF_SIMBENCH_NODE]) < (int)sizeof node) {
        f = fopen(node, "r");
    }
    return f && fclose(f) == 0;
}

static int read_input(struct pof_cli *cli, const struct args *a, struct work *w,
                      struct pof_err *err)
{
    static const char *const standard_input[] = {"-"};
    const char *const *paths;
    struct documents d = {.cli = cli};
    size_t n = pof_cli_operands(cli, &paths);
    if (n == 1 && is_directory(paths[0]) && is_simbench(paths[0])) {
        return read_folder(cli, a, paths[0], &w->grid, err);
    }
    if (a->study_case) {
        return pof_fail(err, POF_E_USAGE, "--study-case is for a SimBench directory");
    }
    paths = n ? paths : standard_input;
    int rc = 0;
    for (size_t i = 0; i < (n ? n : 1) && rc == 0; i++) {
        rc = documents_add(&d, paths[i], err);
    }
    rc = rc ? rc : read_documents(cli, a, &d, w, err);
    documents_release(&d);
    return rc;
}

static int write_output(struct pof_cli *cli, const struct args *a, const struct work *w,
                        struct pof_err *err)
{
    struct pof_teller teller = {tell, cli};
    struct pof_buf text = {0};
    struct pof_sink out;
    bool sensors = a->to == POF_GRID_PGM;
    int rc = sensors ? pof_pgm_write(&w->grid, &w->readings, &text, &teller, err)
                     : pof_grid_write_as((enum pof_grid_format)a->to, &w->grid, &text, &teller, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, text.data, text.len, err);
    pof_buf_release(&text);
    return rc;
}

static int write_readings(struct pof_cli *cli, const struct args *a, const struct work *w,
                          struct pof_err *err)
{
    struct pof_writer *out = NULL;
    int rc = a->readings ? pof_cli_writer(cli, a->readings, &out, err) : 0;
    for (size_t i = 0; i < w->readings.n && rc == 0 && out; i++) {
        struct pof_reading r = pof_reading_of(&w->grid, &w->readings.item[i], a->at);
        rc = pof_writer_put(out, POF_reading, &r, err);
    }
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct pof_teller teller = {tell, cli};
    struct work w = {.readings.phases = 1, .with_readings = a->readings != NULL};
    int rc = read_input(cli, a, &w, err);
    if (rc == 0 && a->per_phase) {
        rc = pof_grid_three_phases(&w.grid, err);
    }
    if (rc == 0 && a->loads == LOADS_RATED) {
        pof_grid_loads_to_rated(&w.grid, &teller);
    }
    rc = rc ? rc : write_output(cli, a, &w, err);
    rc = rc ? rc : write_readings(cli, a, &w, err);
    pof_readings_release(&w.readings);
    pof_grid_release(&w.grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {0};
    return pof_main(&program, argc, argv, &args, run);
}
