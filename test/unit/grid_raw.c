/* SPDX-License-Identifier: Apache-2.0 */
/* PSS/E RAW and RAWX files of several programs against the state stored in them, and against power
 * flows of other tools; every file written as RAW and read again has the same power flow. */
#include "grid/format.h"
#include "grid/powerflow.h"
#include "tap.h"

static char told[4096];

static void hear(void *ctx, const char *text)
{
    (void)ctx;
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s; ", text);
}

static const struct pof_teller teller = {hear, NULL};

/* NULL when there is no such file. */
static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        return NULL;
    }
    char *data = malloc(8u << 20);
    *len = fread(data, 1, (8u << 20) - 1, f);
    data[*len] = '\0';
    fclose(f);
    return data;
}

static struct pof_pf *solve(const struct pof_grid *g, bool limits, struct pof_pf_result *r)
{
    struct pof_pf *pf = NULL;
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    struct pof_pf_options o = {.method = POF_PF_NEWTON, .tolerance = 1e-10, .q_limits = limits};
    if (pof_pf_new(&pf, g, &o, &err) || pof_pf_solve(pf, NULL, NULL, true, &status, &err) ||
        status != POF_PF_CONVERGED) {
        printf("# not solved: %s\n", err.text);
        pof_pf_free(pf);
        return NULL;
    }
    pof_pf_result(pf, r);
    return pf;
}

/* Where the expected voltages stand. */
enum oracle {
    STORED,  /* in the file itself, 5 decimals of p.u. and 4 of degrees */
    OTHER,   /* FILE.pf.csv: another tool's power flow of the same file */
    SOLVED,  /* a commercial tool's result beside the file: NUMBER NAME|V|ANGLE */
    REFUSED, /* not a sound file: code and place */
    READ     /* read and written only; why there is no state to hold it against */
};

struct expected {
    double v, deg;
    bool there;
};

/* The voltage of bus n, n = 1 ... 999, from lines of numbers; -1 when a line is none. */
static int bus_of(const char *line, enum oracle oracle, struct expected *e)
{
    int n = -1, type;
    char name[64];
    if (oracle == OTHER && sscanf(line, "%d,%d,%lf,%lf", &n, &type, &e->v, &e->deg) == 4) {
        return n;
    }
    if (oracle == SOLVED && sscanf(line, "%d %63[^|]|%lf|%lf", &n, name, &e->v, &e->deg) == 4) {
        return n;
    }
    return -1;
}

/* A bus record of the file itself: VM and VA are the 8th and 9th value, in revision 23 and before
 * too. */
static int stored_of(const char *line, struct expected *e)
{
    double v[9];
    int values = 0;
    for (const char *p = line; values < 9; p++) {
        char *end;
        p += strspn(p, " [");
        if (*p == '\'' || *p == '"') {
            end = strchr(p + 1, *p);
            if (!end) {
                return -1;
            }
            end++;
        } else {
            v[values] = strtod(p, &end);
            if (end == p) {
                return -1;
            }
        }
        values++;
        p = end + strspn(end, " ");
        if (*p != ',' && values < 9) {
            return -1;
        }
    }
    e->v = v[7];
    e->deg = v[8];
    return (int)v[0];
}

static void collect(const char *text, enum oracle oracle, struct expected *bus)
{
    bool buses = oracle != STORED;
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        struct expected e = {.there = true};
        if (oracle == STORED) {
            char head[100];
            snprintf(head, sizeof head, "%.90s", line);
            head[strcspn(head, "\n")] = '\0';
            buses = buses ? !(head[strspn(head, " ")] == '0' || strstr(head, "]")) || strstr(head, "[")
                          : true;
        }
        int n = oracle == STORED ? stored_of(line, &e) : bus_of(line, oracle, &e);
        if (oracle == STORED && (strncmp(line + strspn(line, " "), "0 /", 3) == 0 ||
                                 strncmp(line, "0 ", 2) == 0) && bus[0].there) {
            return; /* the end of the bus data */
        }
        if (n > 0 && n < 1000 && !bus[n].there && e.v > 0.3 && e.v < 1.6) {
            bus[n] = e;
            bus[0].there = true;
        }
    }
}

static const struct file {
    const char *path;
    enum oracle oracle;
    double tolerance; /* p.u.; angles 100 times as many degrees */
    const char *why;
} files[] = {
    {"powsybl/IEEE_14_bus.raw", STORED, 1.1e-5, ""},
    {"powsybl/IEEE_14_bus.raw", OTHER, 1e-8, ""},
    {"powsybl/IEEE_14_bus_delimiter.raw", STORED, 1.1e-5, ""},
    {"powsybl/IEEE_14_bus_delimiter.raw", OTHER, 1e-8, ""},
    {"powsybl/IEEE_14_isolated_buses.raw", STORED, 1.1e-5, ""},
    {"powsybl/IEEE_14_isolated_buses.raw", OTHER, 1e-8, ""},
    {"powsybl/IEEE_14_bus_rev35.raw", STORED, 1.1e-5, ""},
    {"powsybl/IEEE_14_bus_rev35.rawx", STORED, 1.1e-5, ""},
    {"powsybl/IEEE_14_bus_nodeBreaker_rev35.raw", STORED, 1.1e-5, ""},
    {"powsybl/IEEE 39 bus.RAW", STORED, 1.1e-5, ""},
    {"powsybl/IEEE 39 bus.RAW", OTHER, 1e-8, ""},
    {"powsybl/IEEE_24_bus.raw", STORED, 1e-4, ""},
    {"powsybl/IEEE_24_bus.raw", OTHER, 1e-8, ""},
    {"powsybl/Illinois200.RAW", STORED, 1e-4, ""},
    {"powsybl/Illinois200.RAW", OTHER, 1e-8, ""},
    {"powsybl/RawCaseWithSpecialCharacters.raw", STORED, 1e-4, ""},
    {"powsybl/RawCaseWithSpecialCharacters.raw", OTHER, 1e-8, ""},
    {"powsybl/SwitchedShunt.raw", STORED, 1e-4, ""},
    {"powsybl/SwitchedShunt.raw", OTHER, 1e-8, ""},
    {"powsybl/two_area_case.raw", STORED, 1e-4, ""},
    {"powsybl/two_area_case.raw", OTHER, 1e-8, ""},
    {"powsybl/two_area_case_trf3w.raw", STORED, 1e-4, ""},
    {"powsybl/IEEE_14_bus_completed.raw", STORED, 1e-4, ""},
    {"powsybl/ExampleVersion32.raw", REFUSED, -223, "23"},
    {"gridpack/118_PTIv33.raw", REFUSED, -214, "61"},
    {"gridpack/IEEE14.raw", STORED, 1e-4, ""},
    {"gridpack/IEEE14.raw", OTHER, 1e-8, ""},
    {"gridpack/IEEE145.raw", STORED, 1e-4, ""},
    {"gridpack/IEEE145.raw", OTHER, 1e-8, ""},
    {"gridpack/IEEE14_PTIv33.raw", STORED, 1e-4, ""},
    {"gridpack/IEEE14_PTIv33.raw", OTHER, 1e-8, ""},
    {"gridpack/kundur-twoarea_v33.raw", STORED, 1e-4, ""},
    {"gridpack/kundur-twoarea_v33.raw", OTHER, 1e-8, ""},
    {"veragrid/IEEE_14_v35_3_nudox.raw", STORED, 1e-4, ""},
    {"veragrid_psse_reference/IEEE 14 bus.raw", STORED, 1.1e-5, ""},
    {"veragrid_psse_reference/IEEE 14 bus.raw", SOLVED, 1e-5, ""},
};

/* Nodes come in the order of the buses; the number of the i-th is read from the expected ones. */
static bool holds(const struct pof_pf_result *r, const struct pof_grid *g, const struct expected *bus,
                  const struct file *f)
{
    double worst_v = 0, worst_deg = 0;
    uint32_t node = 0, compared = 0, at = 0;
    for (int n = 1; n < 1000 && node < g->nodes; n++) {
        if (!bus[n].there) {
            continue;
        }
        double dv = fabs(r->v_pu[node] - bus[n].v);
        double deg = r->angle[node] * 180 / 3.14159265358979323846;
        double da = fabs(remainder(deg - bus[n].deg, 360));
        if (r->v_pu[node] > 0) {
            at = dv > worst_v ? node : at;
            worst_v = fmax(worst_v, dv);
            worst_deg = fmax(worst_deg, da);
            compared++;
        }
        node++;
    }
    bool good = compared > 1 && worst_v <= f->tolerance && worst_deg <= 100 * f->tolerance;
    printf("# %-42s %-6s %4u buses, differs by %.1e p.u. (node %s), %.1e degrees%s\n", f->path,
           f->oracle == STORED ? "stored" : "solved", compared, worst_v, g->node[at].name.ptr, worst_deg,
           good ? "" : " <---");
    return good;
}

static bool check(const char *folder, const struct file *f)
{
    char path[512];
    size_t len;
    snprintf(path, sizeof path, "%s/%s", folder, f->path);
    char *text = slurp(path, &len);
    struct pof_grid g;
    struct pof_err err = {0};
    told[0] = '\0';
    if (!text) {
        printf("# %s is not there\n", f->path);
        return false;
    }
    bool good = pof_grid_read(&g, (struct pof_text){text, len}, f->path, &teller, &err) == 0;
    if (f->oracle == REFUSED || !good) {
        printf("# %-42s %s:%llu:%s: %s\n", f->path, good ? "read" : "refused",
               (unsigned long long)err.line, err.field, err.text);
        good = f->oracle == REFUSED && !good && err.code == (enum pof_code)f->tolerance &&
               err.line == strtoull(f->why, NULL, 10);
        free(text);
        return good;
    }
    static struct expected bus[1000];
    memset(bus, 0, sizeof bus);
    char *other = NULL;
    if (f->oracle == OTHER) {
        strcat(path, ".pf.csv");
        other = slurp(path, &len);
    } else if (f->oracle == SOLVED) {
        snprintf(path, sizeof path, "%s/veragrid_psse_reference/PF Ieee14.txt.txt", folder);
        other = slurp(path, &len);
    }
    collect(other ? other : text, f->oracle, bus);
    struct pof_pf_result r;
    struct pof_pf *pf = solve(&g, f->oracle != OTHER, &r);
    good = pf && (f->oracle == READ || holds(&r, &g, bus, f));
    pof_pf_free(pf);
    pof_grid_release(&g);
    free(other);
    free(text);
    return good;
}

static void accept(const char *data)
{
    char folder[400];
    snprintf(folder, sizeof folder, "%s/grids/psse", data);
    unsigned passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        bool good = check(folder, &files[i]);
        passed += good;
        failed += !good;
    }
    printf("# accept family=raw passed=%u failed=%u unsupported=0\n", passed, failed);
    ok(failed == 0, "RAW and RAWX files: %u passed, %u failed", passed, failed);
}

int main(void)
{
    const char *data = tap_data();
    if (data) {
        accept(data);
    } else {
        skip("RAW and RAWX files of other programs", "no shared data");
    }
    return done();
}
