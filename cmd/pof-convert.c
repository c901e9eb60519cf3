/* SPDX-License-Identifier: Apache-2.0 */
/* pof-convert: grids from and to the files of other programs. */
#include "cli/cli.h"
#include "grid/format.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct args {
    const char *study_case;
    int to, loads;
    bool per_phase;
};

/* In the order of enum pof_grid_format. */
static const char *const formats[] = {"grid", "matpower", "raw", NULL};
enum { LOADS_FIXED, LOADS_RATED };
static const char *const loads[] = {"fixed", "rated", NULL};

#define AT(member) offsetof(struct args, member)
static const struct pof_option options[] = {
    {"to", 't', POF_OPT_WORD, AT(to), "FORMAT", "grid, matpower or raw (grid)", 0, 0, formats},
    {"loads", 'l', POF_OPT_WORD, AT(loads), "HOW", "fixed, or rated: consumption becomes rated_w (fixed)", 0, 0, loads},
    {"per-phase", 0, POF_OPT_FLAG, AT(per_phase), NULL, "the input is of one phase: powers times 3, voltages times sqrt(3)", 0, 0, NULL},
    {"study-case", 0, POF_OPT_TEXT, AT(study_case), "NAME", "of a SimBench data set: hL, n1, hW, hPV, lW, lPV (none)", 0, 0, NULL},
    {0}};
#undef AT

static const struct pof_program program = {
    .name = "pof-convert",
    .purpose = "convert grids from and to the files of other programs",
    .operands = "FILE|DIRECTORY",
    .examples = "pof-convert case33bw.m > grid.json\n"
                "pof-convert --to raw grid.json > grid.raw",
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

static int read_file(struct pof_cli *cli, const char *path, struct pof_grid *grid, struct pof_err *err)
{
    struct pof_teller teller = {tell, cli};
    char *data = NULL;
    size_t len;
    int rc = pof_cli_slurp(cli, path, &data, &len, err);
    rc = rc ? rc : pof_grid_read(grid, (struct pof_text){data, len}, path, &teller, err);
    free(data);
    return rc;
}

static int read_input(struct pof_cli *cli, const struct args *a, struct pof_grid *grid,
                      struct pof_err *err)
{
    const char *const *paths;
    struct stat st;
    size_t n = pof_cli_operands(cli, &paths);
    if (n > 1) {
        return pof_fail(err, POF_E_USAGE, "one file or directory is converted at a time, %zu are given", n);
    }
    const char *path = n ? paths[0] : "-";
    bool directory = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (a->study_case && !directory) {
        return pof_fail(err, POF_E_USAGE, "--study-case is for a SimBench directory");
    }
    return directory ? read_folder(cli, a, path, grid, err) : read_file(cli, path, grid, err);
}

static int write_output(struct pof_cli *cli, const struct args *a, const struct pof_grid *grid,
                        struct pof_err *err)
{
    struct pof_teller teller = {tell, cli};
    struct pof_buf text = {0};
    struct pof_sink out;
    int rc = pof_grid_write_as((enum pof_grid_format)a->to, grid, &text, &teller, err);
    rc = rc ? rc : pof_cli_sink(cli, NULL, &out, err);
    rc = rc ? rc : out.write(out.ctx, text.data, text.len, err);
    pof_buf_release(&text);
    return rc;
}

static int run(struct pof_cli *cli, void *args, struct pof_err *err)
{
    const struct args *a = args;
    struct pof_teller teller = {tell, cli};
    struct pof_grid grid = {0};
    int rc = read_input(cli, a, &grid, err);
    if (rc == 0 && a->per_phase) {
        rc = pof_grid_three_phases(&grid, err);
    }
    if (rc == 0 && a->loads == LOADS_RATED) {
        pof_grid_loads_to_rated(&grid, &teller);
    }
    rc = rc ? rc : write_output(cli, a, &grid, err);
    pof_grid_release(&grid);
    return rc;
}

int main(int argc, char **argv)
{
    struct args args = {0};
    return pof_main(&program, argc, argv, &args, run);
}
