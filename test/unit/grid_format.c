/* SPDX-License-Identifier: Apache-2.0 */
/* Grids of other programs: read right, refused with their place, the same power flow after any way
 * through the formats. */
#include "grid/format.h"
#include "grid/powerflow.h"
#include "tap.h"

/* The last things told, joined by "; ". */
static char told[4096];
/* What the writer of RAW said when it was last asked by round_trip. */
static char told_raw[sizeof told];

static void hear(void *ctx, const char *text)
{
    (void)ctx;
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s; ", text);
}

static const struct pof_teller teller = {hear, NULL};

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    char *data = malloc(4u << 20);
    *len = f ? fread(data, 1, (4u << 20) - 1, f) : 0;
    data[*len] = '\0';
    if (f) {
        fclose(f);
    }
    return data;
}

static bool read_text(struct pof_grid *g, const char *text, struct pof_err *err)
{
    told[0] = '\0';
    *err = (struct pof_err){0};
    return pof_grid_read(g, pof_text(text), "in", &teller, err) == 0;
}

static struct pof_pf *solve(const struct pof_grid *g, struct pof_pf_result *r)
{
    struct pof_pf *pf = NULL;
    struct pof_err err = {0};
    enum pof_pf_status status = POF_PF_DIVERGED;
    struct pof_pf_options o = {.method = POF_PF_NEWTON, .tolerance = 1e-10};
    if (pof_pf_new(&pf, g, &o, &err) || pof_pf_solve(pf, NULL, NULL, true, &status, &err) ||
        status != POF_PF_CONVERGED) {
        printf("# %s, status %d\n", err.text, status);
        pof_pf_free(pf);
        return NULL;
    }
    pof_pf_result(pf, r);
    return pf;
}

/* Largest differences of voltages (by place), flows of branches in total, and slack power. */
static void compare(const struct pof_grid *g, const struct pof_grid *h, const char *what)
{
    struct pof_pf_result a, b;
    struct pof_pf *p = solve(g, &a), *q = solve(h, &b);
    if (ok(p && q && g->nodes == h->nodes && g->branches == h->branches, "%s: both are solved", what)) {
        double dv = 0, da = 0;
        for (uint32_t i = 0; i < g->nodes; i++) {
            dv = fmax(dv, fabs(a.v_pu[i] - b.v_pu[i]));
            da = fmax(da, fabs(remainder(a.angle[i] - b.angle[i], 2 * 3.14159265358979323846)));
        }
        double ds = fabs(a.slack_p_w - b.slack_p_w) / g->base_va, most = 1e-10;
        /* A switch joins its ends; a format without switches has a reactance of 1e-6 p.u. of 1 MVA. */
        for (uint32_t k = 0; k < g->branches; k++) {
            most = g->branch[k].kind == POF_BRANCH_SWITCH ? 2e-6 : most;
        }
        ok(dv < most && da < most && ds < 1e-7, "%s: the same power flow: %.1e p.u., %.1e rad, %.1e",
           what, dv, da, ds);
    }
    pof_pf_free(p);
    pof_pf_free(q);
}

static void round_trip(const struct pof_grid *g, const char *what)
{
    static const char *const name[] = {"grid", "matpower", "raw", "pgm"};
    for (int f = 0; f < POF_GRID_CIM; f++) { /* the formats behind are only read */
        struct pof_buf to = {0}, again = {0};
        struct pof_err err = {0};
        struct pof_grid h;
        char label[128];
        snprintf(label, sizeof label, "%s as %s", what, name[f]);
        told[0] = '\0';
        int rc = pof_grid_write_as((enum pof_grid_format)f, g, &to, &teller, &err);
        if (f == POF_GRID_RAW) {
            memcpy(told_raw, told, sizeof told);
        }
        rc = rc ? rc : pof_buf_add(&to, "", 1, &err);
        is_int(rc ? -1 : (int)pof_grid_guess((struct pof_text){to.data, to.len - 1}), f, label);
        if (ok(rc == 0 && pof_grid_read(&h, (struct pof_text){to.data, to.len - 1}, label, &teller, &err) == 0,
               "%s is read again", label)) {
            compare(g, &h, label);
            rc = pof_grid_write_as((enum pof_grid_format)f, &h, &again, NULL, &err);
            ok(rc == 0 && (f != POF_GRID_JSON || (again.len + 1 == to.len &&
                                                  memcmp(again.data, to.data, again.len) == 0)),
               "%s is written again", label);
            pof_grid_release(&h);
        } else {
            printf("# %s:%llu:%s: %s\n", err.source, (unsigned long long)err.line, err.field, err.text);
        }
        if (f == POF_GRID_RAW) {
            memcpy(told_raw, told, sizeof told);
        }
        pof_buf_release(&to);
        pof_buf_release(&again);
    }
}

/* Everything that is hard to carry: shunts of transformers, conductances, shifts, a switch, parallel
 * branches, open ones, an isolated node, pv nodes, names with quotes. */
static const char hard[] =
    "{\"schema\":\"pof.grid/1\",\"name\":\"hard 'one'\",\"base_va\":1e7,\"nodes\":["
    "{\"name\":\"feeder's head\",\"base_v\":110000,\"kind\":\"slack\",\"v_set_pu\":1.02,\"angle_deg\":3},"
    "{\"name\":\"b\",\"base_v\":20000,\"p_w\":4e6,\"q_var\":1e6,\"g_w\":1000,\"b_var\":2e5},"
    "{\"name\":\"c\",\"base_v\":20000,\"kind\":\"pv\",\"v_set_pu\":1.01,\"p_w\":-3e6},"
    "{\"name\":\"d\",\"base_v\":20000,\"rated_w\":5,\"x\":1,\"y\":2},"
    "{\"name\":\"e\",\"base_v\":20000,\"p_w\":1e6},"
    "{\"name\":\"alone\",\"base_v\":400,\"p_w\":1}],\"branches\":["
    "{\"name\":\"t1\",\"kind\":\"transformer\",\"from\":\"feeder's head\",\"to\":\"b\",\"sn_va\":25e6,"
    "\"v_from_v\":112000,\"v_to_v\":20500,\"uk_pct\":12,\"pk_w\":40000,\"i0_pct\":0.3,\"p0_w\":30000,"
    "\"tap_pct\":-2.5,\"shift_deg\":330},"
    "{\"name\":\"t2\",\"kind\":\"transformer\",\"from\":\"feeder's head\",\"to\":\"b\",\"r_pu\":0.002,"
    "\"x_pu\":0.05,\"g_pu\":0.001,\"b_pu\":-0.003,\"ratio\":0.978,\"shift_deg\":-30},"
    "{\"name\":\"l1\",\"kind\":\"line\",\"from\":\"b\",\"to\":\"c\",\"length_km\":3.7,"
    "\"r_ohm_per_km\":0.3,\"x_ohm_per_km\":0.12,\"c_nf_per_km\":270,\"rating_a\":210},"
    "{\"name\":\"l2\",\"kind\":\"line\",\"from\":\"c\",\"to\":\"b\",\"r_pu\":0.03,\"x_pu\":0.02,"
    "\"g_pu\":0.002,\"b_pu\":0.01},"
    "{\"name\":\"l3\",\"kind\":\"line\",\"from\":\"c\",\"to\":\"d\",\"r_ohm\":0.3,\"x_ohm\":0.2},"
    "{\"name\":\"l4\",\"kind\":\"line\",\"from\":\"d\",\"to\":\"b\",\"r_ohm\":0.3,\"x_ohm\":0.2,"
    "\"closed\":false},"
    "{\"name\":\"s\",\"kind\":\"switch\",\"from\":\"d\",\"to\":\"e\"}]}";

static void test_round_trips(void)
{
    struct pof_grid g;
    struct pof_err err;
    if (ok(read_text(&g, hard, &err), "the hard grid is read")) {
        round_trip(&g, "hard");
        ok(strstr(told_raw, "rated_w") && strstr(told_raw, "place") && strstr(told_raw, "second bus") &&
               strstr(told_raw, "switches"),
           "what RAW cannot hold is told: %.200s", told_raw);
        pof_grid_release(&g);
    }
    const char *const sample[] = {"samples/cigre-mv.json", "samples/lv-feeder.json"};
    for (int i = 0; i < 2; i++) {
        size_t len;
        char *text = slurp(sample[i], &len);
        if (ok(read_text(&g, text, &err), "%s", sample[i])) {
            for (uint32_t k = 0; k < g.nodes; k++) {
                g.node[k].p_w = g.node[k].rated_w / 2;
                g.node[k].q_var = g.node[k].rated_w / 7;
            }
            round_trip(&g, sample[i]);
            pof_grid_release(&g);
        }
        free(text);
    }
}

/* --- statements of MATPOWER cases --- */

#define CASE_HEAD "function mpc = small\nmpc.version = '2';\n%% comment\nmpc.baseMVA = 20/2;\n"
#define CASE_BUS                                                                                   \
    "mpc.bus = [ % Pd in kW\n1 3 0 0 0 0 1 1 0 12.66 1 1.1 .9;\n"                                  \
    "2, 1, 100, 60, 0, 0, 1, 1, 0, 12.66, 1, 1.1, 0.9\n];\n"
#define CASE_GEN "mpc.gen = [1 0 0 Inf -Inf 1 100 1 10 0];\n"
#define CASE_BRANCH "mpc.branch = [\n1\t2\t0.0922\t0.0470\t0 5 0 0 0 0 1 -360 360;\n];\n"
#define CASE CASE_HEAD CASE_BUS CASE_GEN CASE_BRANCH

static void test_statements(void)
{
    static const char text[] = CASE
        "[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...\n"
        "    VA, BASE_KV, ZONE, VMAX, VMIN, LAM_P, LAM_Q, MU_VMAX, MU_VMIN] = idx_bus;\n"
        "[F_BUS, T_BUS, BR_R, BR_X] = idx_brch;\n"
        "Vbase = mpc.bus(1, BASE_KV) * 1e3; % V\nSbase = mpc.baseMVA * 1e6;\n"
        "mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);\n"
        "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;\n"
        "pf = 0.8;\nmpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\n"
        "mpc.bus(:, PD) = mpc.bus(:, PD) * pf;\n";
    struct pof_grid g;
    struct pof_err err;
    if (!ok(read_text(&g, text, &err), "unit conversions are carried out")) {
        printf("# %llu: %s\n", (unsigned long long)err.line, err.text);
        return;
    }
    is_near(g.base_va, 1e7, 0, "an expression as base");
    is_near(g.node[1].p_w, 80e3, 1e-9, "kVA to W");
    is_near(g.node[1].q_var, 60e3, 1e-9, "and var");
    is_near(g.branch[0].r, 0.0922 / (12.66 * 12.66 / 10), 1e-16, "ohm to p.u.");
    is_near(g.branch[0].rating_va, 5e6, 0, "rating");
    is_int(g.branch[0].kind, POF_BRANCH_LINE, "tap 0 is a line");
    ok(!g.node[0].has_q_limits, "a slack node has no reactive limits");
    pof_grid_release(&g);

    ok(read_text(&g, CASE "mpc.gencost = [2 0 0 3 0 20 0];\nmpc.bus_name = {'a'; 'b}'};\n"
                          "%{\nmpc.bus = broken\n%}\n", &err), "costs and names are skipped");
    ok(strstr(told, "fields of the case left out: 2, the first is mpc.gencost") != NULL, "%s", told);
    pof_grid_release(&g);
}

static const struct {
    const char *what, *text;
    enum pof_code code;
    uint64_t line;
} refused_cases[] = {
    {"a statement not known", CASE "mpc = scale(mpc);\n", POF_E_REFERENCE, 13},
    {"a loop", CASE "\nfor i = 1:3\nend\n", POF_E_SYNTAX, 14},
    {"a statement behind another", CASE "mpc.baseMVA = 3 mpc.x = 2;\n", POF_E_SYNTAX, 13},
    {"version 1", "function mpc = c\nmpc.version = '1';\n", POF_E_SCHEMA, 2},
    {"a matrix without end", CASE_HEAD "mpc.bus = [1 2 3;\n", POF_E_TRUNCATED, 6},
    {"a ragged matrix", CASE_HEAD "mpc.bus = [1 2 3;\n1 2\n]", POF_E_COLUMNS, 6},
    {"a table twice", CASE CASE_GEN, POF_E_DUPLICATE, 13},
    {"a name instead of a number", CASE_HEAD "mpc.bus = [1 two];\n", POF_E_REFERENCE, 5},
    {"an index outside", CASE "x = mpc.bus(3, 1);\n", POF_E_RANGE, 13},
    {"rows where a value is wanted", CASE "x = mpc.bus(:, 1);\n", POF_E_SYNTAX, 13},
    {"deep nesting", CASE "x = ((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))));\n",
     POF_E_DEPTH, 13},
    {"no branch columns", CASE_HEAD CASE_BUS CASE_GEN "mpc.branch = [1 2 3];\n", POF_E_COLUMNS, 0},
    {"an unknown bus", CASE_HEAD CASE_BUS CASE_GEN "mpc.branch = [1 7 1 1 0 0 0 0 0 0 1];\n",
     POF_E_REFERENCE, 0},
    {"a bus twice", CASE_HEAD CASE_GEN "mpc.bus = [1 3 0 0 0 0 1 1 0 12 1 1.1 .9\n"
                                       "1 3 0 0 0 0 1 1 0 12 1 1.1 .9];\n", POF_E_DUPLICATE, 0},
    {"no buses", CASE_HEAD CASE_GEN CASE_BRANCH, POF_E_MISSING, 0},
    {"neither format", "bus,1,2\n", POF_E_SCHEMA, 1},
    {"nothing", "", POF_E_SCHEMA, 1},
};

static void test_refused_cases(void)
{
    for (size_t i = 0; i < sizeof refused_cases / sizeof refused_cases[0]; i++) {
        struct pof_grid g;
        struct pof_err err;
        bool taken = read_text(&g, refused_cases[i].text, &err);
        if (!ok(!taken && err.code == refused_cases[i].code && err.line == refused_cases[i].line,
                "refused: %s", refused_cases[i].what)) {
            printf("# taken %d, code %d, line %llu, %s: %s\n", taken, err.code,
                   (unsigned long long)err.line, err.field, err.text);
        }
        if (taken) {
            pof_grid_release(&g);
        }
    }
}

/* --- PSS/E --- */

static const char raw[] =
    "0, 100.0, 33, 0, 0, 50.0 / a comment\na small grid\n\n"
    "1,'NORTH',110.0,3,1,1,1,1.02,0.0,1.1,0.9,1.1,0.9\n"
    "2,'SOUTH',20.0,2,1,1,1,1.0,0.0\n"
    "3 'EAST' 20.0 1\n"
    "4,'TERTIARY',10.0,1\n"
    "0 / end of buses\n"
    "3,'1',1,1,1,10.0,2.0,1.0,0.5,2.0,-1.0\n3,'2',0,1,1,99.0\n4,'1',1,1,1,1.0\n"
    "0\n3,'1',1,0.5,3.0\n0\n"
    "1,'1',0,0,99,-99,1.02\n2,'1',8.0,0,99,-99,1.01,0,100,0,1,0,0,1,1\n0\n"
    "2,3,'1',0.01,0.05,0.02,40,0,0,0.001,0.002,0.001,0.002,1\n"
    "2,-3,'2',0.01,0.05,0.02,40,0,0,0.001,0.0,0.003,0.002,1\n"
    "2,3,'3',0,0,0\n0\n"
    "1,2,0,'1',2,3,2,50000,0.005,2,'BIG TRAFO',1\n160000,0.12,80\n112.0,112.0,30,80\n20.5,20.5\n"
    "1,2,4,'2',1,1,1,0,0,2,'',3\n0.001,0.1,100,0.002,0.2,100,0.001,0.15,100,1,0\n"
    "1.02,0,0\n1,0,0\n1,0,30\n0\n"
    "1,1,0,0,'AREA'\n0\n0\n0\n0\n0\n0\n1,'ZONE'\n0\n0\n1,'OWNER'\n0\n0\n"
    "3,1,0,1,1.0,1.0,0,100,'',-7.5,1,-7.5\n0\n0\n0\nQ\n";

static void test_raw(void)
{
    struct pof_grid g;
    struct pof_err err;
    if (!ok(read_text(&g, raw, &err), "RAW 33 is read")) {
        printf("# %llu:%s: %s\n", (unsigned long long)err.line, err.field, err.text);
        return;
    }
    is_int(g.nodes, 5, "four buses and a star");
    is_int(g.branches, 7, "three lines, one transformer, three windings");
    is_text(g.node[2].name.ptr, g.node[2].name.len, "EAST", "buses by name");
    is_near(g.node[2].p_w, 10e6, 1e-6, "constant power");
    is_near(g.node[2].ip_w, 1e6, 1e-6, "constant current");
    is_near(g.node[2].g_w, 2e6 + 0.5e6 + 0.003 * 100e6, 1e-6, "shunts of load, bus and unequal line");
    is_near(g.node[2].b_var, -1e6 + 3e6 - 7.5e6 + 0.002 * 100e6, 1e-6, "and of the switched one");
    is_near(g.branch[0].g, 0.002, 1e-18, "equal line shunts stay with the line");
    is_near(g.branch[0].b, 0.024, 1e-18, "on top of its charging");
    is_int(g.branch[2].kind, POF_BRANCH_SWITCH, "no impedance is a switch");
    const struct pof_branch *t = &g.branch[3];
    is_text(t->name.ptr, t->name.len, "BIG TRAFO", "a transformer by its name");
    is_near(t->ratio, 112.0 / 110 / (20.5 / 20), 1e-15, "winding voltages in kV");
    double r = 160000 / 1e6 / 80, scale = 100.0 / 80 * (112.0 / 110) * (112.0 / 110) * (20.5 / 20) * (20.5 / 20);
    is_near(t->r, r * scale, 1e-15, "load losses to p.u.");
    is_near(t->x, sqrt(0.12 * 0.12 - r * r) * scale, 1e-15, "impedance to p.u.");
    is_near(t->shift, 30 * 3.14159265358979323846 / 180, 1e-15, "angle");
    is_near(t->rating_va, 80e6, 0, "rating");
    is_near(g.node[0].g_w, 0.05e6 / (112.0 / 110 * 112.0 / 110), 1e-6, "no-load losses at the first bus");
    is_near(g.branch[4].x, (0.1 + 0.15 - 0.2) / 2, 1e-16, "winding 1 of the star");
    is_near(g.branch[5].x, (0.1 + 0.2 - 0.15) / 2, 1e-16, "winding 2");
    is_near(g.branch[6].x, (0.2 + 0.15 - 0.1) / 2, 1e-16, "winding 3");
    ok(g.branch[4].closed && g.branch[5].closed && !g.branch[6].closed, "status 3 opens winding 3");
    ok(g.banks == 1 && g.bank[0].blocks == 1 && g.bank[0].block[0].b_var == -7.5e6 && g.bank[0].v_high_pu == 1,
       "a switched shunt keeps its steps and its band");
    ok(!strstr(told, "fixed at their initial value") && strstr(told, "unequal shunts") && strstr(told, "stars") &&
           strstr(told, "areas"), "what was left out is told: %.300s", told);
    pof_grid_release(&g);
}

static const struct {
    const char *what, *from, *to;
    enum pof_code code;
    uint64_t line;
} refused_raws[] = {
    {"revision 36", "33, 0", "36, 0", POF_E_SCHEMA, 1},
    {"a change code of 2", "0, 100.0", "2, 100.0", POF_E_SCHEMA, 1},
    {"a bus twice", "2,'SOUTH'", "1,'SOUTH'", POF_E_DUPLICATE, 5},
    {"a bus type of 7", "20.0,2,1", "20.0,7,1", POF_E_RANGE, 5},
    {"text for a number", "110.0,3", "11x,3", POF_E_NUMBER, 4},
    {"a load at no bus", "4,'1',1,1,1,1.0", "9,'1',1,1,1,1.0", POF_E_REFERENCE, 11},
    {"a generator of 9 p.u.", "99,-99,1.02", "99,-99,9.02", POF_E_PHYSICS, 15},
    {"more losses than impedance", "160000,0.12", "160000000,0.12", POF_E_PHYSICS, 23},
    {"a code of 9", "'1',2,3,2", "'1',9,3,2", POF_E_RANGE, 22},
    {"winding voltage 0", "112.0,112.0", "0,112.0", POF_E_PHYSICS, 24},
    {"a branch to itself", "2,3,'1'", "2,2,'1'", POF_E_TOPOLOGY, 18},
};

static void test_refused_raws(void)
{
    for (size_t i = 0; i < sizeof refused_raws / sizeof refused_raws[0]; i++) {
        struct pof_grid g;
        struct pof_err err = {0};
        const char *at = strstr(raw, refused_raws[i].from);
        char text[sizeof raw + 64];
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - raw), raw, refused_raws[i].to,
                 at + strlen(refused_raws[i].from));
        bool taken = read_text(&g, text, &err);
        if (!ok(!taken && err.code == refused_raws[i].code && err.line == refused_raws[i].line,
                "refused: %s", refused_raws[i].what)) {
            printf("# taken %d, code %d, line %llu, %s: %s\n", taken, err.code,
                   (unsigned long long)err.line, err.field, err.text);
        }
        if (taken) {
            pof_grid_release(&g);
        }
    }
}

/* --- SimBench --- */

static const char *const simbench[POF_SIMBENCH_TABLES] = {
    [POF_SIMBENCH_NODE] = "id;type;vmSetp;vaSetp;vmR;vmMin;vmMax;substation;coordID;subnet;voltLvl\r\n"
                          "MV;busbar;1.025;0.0;20;0.965;1.055;NULL;c1;s;5\r\n"
                          "LV;busbar;NULL;NULL;0.4;0.9;1.1;NULL;NULL;s;7\r\n"
                          "End;node;NULL;NULL;0.4;0.9;1.1;NULL;c2;s;7\r\n",
    [POF_SIMBENCH_COORDINATES] = "id;x;y;subnet;voltLvl\nc1;11.4;53.6;s;7\nc2;11.5;53.5;s;7\n",
    [POF_SIMBENCH_LINE] = "id;nodeA;nodeB;type;length;loadingMax;subnet;voltLvl\n"
                          "L;LV;End;NAYY;0.1;80;s;7\n",
    [POF_SIMBENCH_LINETYPE] = "id;r;x;b;iMax;type\nother;1;1;1;1;ohl\nNAYY;0.2067;0.08;260;270;cable\n",
    [POF_SIMBENCH_TRANSFORMER] =
        "id;nodeHV;nodeLV;type;tappos;autoTap;autoTapSide;loadingMax;substation;subnet;voltLvl\n"
        "T;MV;LV;T160;1;1;LV;100;NULL;s;6\n",
    [POF_SIMBENCH_TRANSFORMERTYPE] =
        "id;sR;vmHV;vmLV;va0;vmImp;pCu;pFe;iNoLoad;tapable;tapside;dVm;dVa;tapNeutr;tapMin;tapMax\n"
        "T160;0.16;20;0.4;150;4;2.35;0.46;0.28751;1;HV;2.5;0;0;-2;2\n",
    [POF_SIMBENCH_LOAD] = "id;node;profile;pLoad;qLoad;sR;subnet;voltLvl\nA;End;H0;0.01;0.002;0.01;s;7\n",
    [POF_SIMBENCH_RES] = "id;node;type;profile;calc_type;pRES;qRES;sR;subnet;voltLvl\n"
                         "R;End;PV;PV1;pq;0.004;0;0.004;s;7\n",
    [POF_SIMBENCH_EXTERNALNET] = "id;node;calc_type;dspf\nN;MV;vavm;1\n",
    [POF_SIMBENCH_STUDYCASES] = "Study Case;pload;qload;Wind_p;PV_p;RES_p;Slack_vm\n"
                                "hL;1;1;0;0;0;0.965\nlPV;0.1;0.2;0.85;0.95;1;1.055\n"};

static int read_simbench(struct pof_grid *g, int table, const char *text, const char *study_case,
                         struct pof_err *err)
{
    struct pof_simbench s = {.study_case = study_case};
    told[0] = '\0';
    *err = (struct pof_err){0};
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        s.data[t] = t == table ? text : simbench[t];
        s.len[t] = s.data[t] ? strlen(s.data[t]) : 0;
        s.path[t] = pof_simbench_file[t];
    }
    return pof_simbench_read(g, &s, &teller, err);
}

static void test_simbench(void)
{
    struct pof_grid g;
    struct pof_err err;
    if (!ok(read_simbench(&g, -1, NULL, "lPV", &err) == 0, "a SimBench data set is read")) {
        printf("# %s:%llu: %s\n", err.source, (unsigned long long)err.line, err.text);
        return;
    }
    is_near(g.node[0].v_set_pu, 1.055, 0, "slack of the study case");
    is_near(g.node[2].p_w, 0.1 * 10000 - 0.95 * 4000, 1e-9, "shares of the study case");
    is_near(g.node[2].q_var, 0.2 * 2000, 1e-9, "reactive power too");
    ok(g.node[1].zero_injection && !g.node[1].has_xy && g.node[2].has_xy, "an empty node; places");
    is_near(g.branch[0].rating_va, sqrt(3) * 400 * 216, 1e-9, "80 % of 270 A");
    is_near(g.branch[1].ratio, 1.025, 1e-15, "one tap of 2.5 %");
    ok(strstr(told, "change taps by themselves") != NULL, "automatic taps are told");
    pof_grid_release(&g);
    if (ok(read_simbench(&g, -1, NULL, NULL, &err) == 0, "without a study case")) {
        is_near(g.node[0].v_set_pu, 1.025, 0, "the slack holds its vmSetp");
        is_near(g.node[2].p_w, 6000, 1e-9, "loads and generation in full");
        pof_grid_release(&g);
    }
    if (ok(read_simbench(&g, POF_SIMBENCH_SWITCH,
                         "id;nodeA;nodeB;type;cond;substation;subnet;voltLvl\nS1;LV;End;CB;0;NULL;s;7\n", NULL,
                         &err) == 0,
           "a switch")) {
        ok(g.branches == 3 && g.branch[2].kind == POF_BRANCH_SWITCH && !g.branch[2].closed, "which is open");
        pof_grid_release(&g);
    }
    if (ok(read_simbench(&g, POF_SIMBENCH_SHUNT, "id;node;p0;q0;vmR;step;subnet;voltLvl\nC;End;0.001;-0.02;0.8;2;s;7\n",
                         NULL, &err) == 0,
           "a shunt")) {
        is_near(g.node[2].g_w, 500, 1e-9, "two steps, at half of its rated voltage");
        is_near(g.node[2].b_var, 10000, 1e-9, "negative consumption is a capacitor");
        pof_grid_release(&g);
    }
    if (ok(read_simbench(&g, POF_SIMBENCH_STORAGE, "id;node;type;pStor;qStor\nB;End;x;0.003;0.001\n", NULL, &err) == 0,
           "a storage")) {
        is_near(g.node[2].p_w, 9000, 1e-9, "charges");
        ok(strstr(told, "storages") != NULL, "which is told");
        pof_grid_release(&g);
    }
    if (ok(read_simbench(&g, POF_SIMBENCH_POWERPLANT,
                         "id;node;calc_type;pPP;qPP;qMin;qMax\nP;End;pvm;0.002;0;-0.001;0.004\nQ;LV;pq;0.001;0.0005;NULL;NULL\n",
                         NULL, &err) == 0,
           "power plants")) {
        ok(g.node[2].kind == POF_NODE_PV && g.node[2].has_q_limits && g.node[1].kind == POF_NODE_PQ,
           "one holds a voltage within limits, one does not");
        is_near(g.node[2].q_max_var, 4000, 1e-9, "its limit");
        is_near(g.node[1].q_var, -500, 1e-9, "reactive power of the other");
        pof_grid_release(&g);
    }
    static const struct {
        const char *what;
        int table;
        const char *text, *study_case;
        enum pof_code code;
        uint64_t line;
    } bad[] = {
        {"no such study case", -1, NULL, "xx", POF_E_REFERENCE, 0},
        {"no lines", POF_SIMBENCH_LINE, NULL, NULL, POF_E_MISSING, 0},
        {"no type of line", POF_SIMBENCH_LINE, "id;nodeA;nodeB;type;length;loadingMax\nL;LV;End;X;1;1\n",
         NULL, POF_E_REFERENCE, 2},
        {"a ragged row", POF_SIMBENCH_LOAD, "id;node;pLoad;qLoad\nA;End;1\n", NULL, POF_E_COLUMNS, 2},
        {"no column", POF_SIMBENCH_LOAD, "id;node;pLoad\nA;End;1\n", NULL, POF_E_MISSING, 2},
        {"text for a number", POF_SIMBENCH_LOAD, "id;node;pLoad;qLoad\n\nA;End;1;x\n", NULL, POF_E_NUMBER, 3},
        {"an unknown node", POF_SIMBENCH_LOAD, "id;node;pLoad;qLoad\nA;Nowhere;1;1\n", NULL,
         POF_E_REFERENCE, 2},
        {"another external net", POF_SIMBENCH_EXTERNALNET, "id;node;calc_type\nN;MV;Ward\n", NULL,
         POF_E_ENUM, 2},
        {"no external net", POF_SIMBENCH_EXTERNALNET, "id;node;calc_type\n", NULL, POF_E_TOPOLOGY, 0},
        {"three windings", POF_SIMBENCH_TRANSFORMER3W, "id;nodeHV\nT3;MV\n", NULL, POF_E_SCHEMA, 2},
        {"a switch that is half open", POF_SIMBENCH_SWITCH, "id;nodeA;nodeB;cond\nS;LV;End;0.5\n", NULL,
         POF_E_ENUM, 2},
        {"a plant of another kind", POF_SIMBENCH_POWERPLANT,
         "id;node;calc_type;pPP;qPP;qMin;qMax\nP;End;x;0;0;0;0\n", NULL, POF_E_ENUM, 2},
        {"a type twice", POF_SIMBENCH_LINETYPE, "id;r;x;b;iMax\nNAYY;1;1;1;1\nNAYY;1;1;1;1\n", NULL,
         POF_E_DUPLICATE, 3},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int rc = read_simbench(&g, bad[i].table,
                               bad[i].text, bad[i].study_case, &err);
        if (!ok(rc == (int)bad[i].code && err.line == bad[i].line, "refused: %s", bad[i].what)) {
            printf("# code %d, %s:%llu: %s\n", rc, err.source, (unsigned long long)err.line, err.text);
        }
        if (rc == 0) {
            pof_grid_release(&g);
        }
    }
}

/* A text cut anywhere, or with a byte changed, is refused or read, never a crash. */
static void test_damage(const char *text, const char *what)
{
    size_t len = strlen(text), taken = 0;
    char *copy = malloc(len + 1);
    struct pof_err err;
    struct pof_grid g;
    for (size_t i = 0; i < len; i++) {
        memcpy(copy, text, len + 1);
        copy[i] = (char)(copy[i] ^ (1 << (i % 7)));
        if (pof_grid_read(&g, (struct pof_text){copy, len}, "d", NULL, &err) == 0) {
            pof_grid_release(&g);
            taken++;
        }
        memcpy(copy, text, i);
        copy[i] = '\0';
        if (pof_grid_read(&g, (struct pof_text){copy, i}, "d", NULL, &err) == 0) {
            pof_grid_release(&g);
        }
    }
    free(copy);
    ok(taken < len, "%s: %zu of %zu damaged texts still mean something", what, taken, len);
}

static void test_phases_and_loads(void)
{
    struct pof_grid g;
    struct pof_err err;
    if (!ok(read_text(&g, CASE, &err), "a case")) {
        return;
    }
    g.node[0].base_v = g.node[1].base_v = 12000 / sqrt(3);
    double r = g.branch[0].r;
    ok(pof_grid_three_phases(&g, &err) == 0, "as three phases");
    is_near(g.node[1].base_v, 12000, 0, "12 kV, exactly");
    is_near(g.node[1].p_w, 300e6, 1e-6, "three times the power");
    is_near(g.base_va, 3e7, 0, "on three times the base");
    is_near(g.branch[0].r, r, 0, "nothing changes per unit");
    g.node[0].p_w = -5;
    told[0] = '\0';
    pof_grid_loads_to_rated(&g, &teller);
    is_near(g.node[1].rated_w, 300e6, 1e-6, "consumption becomes a rating");
    ok(g.node[1].p_w == 0 && g.node[1].q_var == 0 && g.node[0].p_w == -5, "generation stays");
    ok(strstr(told, "left out: 1;") && strstr(told, "net generation or only reactive power: 1"), "told: %s", told);
    pof_grid_release(&g);
}

/* --- real files --- */

static void test_real_cases(void)
{
    static const char *const name[] = {"case14.m", "case30.m", "case118.m", "case300.m",
                                       "case533mt_hi.m", "case141.m", "rad100.m"};
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        char path[1024];
        size_t len;
        struct pof_grid g;
        struct pof_err err;
        snprintf(path, sizeof path, "%s/grids/matpower/%s", tap_data(), name[i]);
        char *text = slurp(path, &len);
        if (ok(read_text(&g, text, &err), "%s", name[i])) {
            round_trip(&g, name[i]);
            pof_grid_release(&g);
        }
        free(text);
    }
}

/* Voltages by MATPOWER's reader of RAW (which leaves out magnetising shunts: those files not here). */
static void test_real_raws(void)
{
    static const char *const name[] = {
        "powsybl/IEEE_14_bus.raw", "powsybl/IEEE_14_bus_delimiter.raw", "powsybl/two_area_case.raw",
        "gridpack/IEEE14_PTIv33.raw", "gridpack/kundur-twoarea_v33.raw", "powsybl/IEEE 39 bus.RAW",
        "powsybl/Illinois200.RAW"};
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        char path[1024];
        size_t len;
        struct pof_grid g;
        struct pof_err err;
        struct pof_pf_result r;
        snprintf(path, sizeof path, "%s/grids/psse/%s", tap_data(), name[i]);
        char *text = slurp(path, &len);
        if (!ok(read_text(&g, text, &err), "%s", name[i])) {
            free(text);
            continue;
        }
        free(text);
        round_trip(&g, name[i]);
        snprintf(path, sizeof path, "%s/grids/psse/%s.pf.csv", tap_data(), name[i]);
        text = slurp(path, &len);
        struct pof_pf *pf = solve(&g, &r);
        double dv = 0;
        uint32_t row = 0;
        for (char *line = strchr(text, '\n'); pf && line && line[1]; line = strchr(line + 1, '\n')) {
            double v;
            if (sscanf(line + 1, "%*d,%*d,%lf", &v) == 1 && row < g.nodes) {
                dv = fmax(dv, fabs(v - r.v_pu[row++]));
            }
        }
        ok(pf && row == g.nodes && dv < 2e-9, "%s: %u voltages agree: %.1e p.u.", name[i], row, dv);
        free(text);
        pof_pf_free(pf);
        pof_grid_release(&g);
    }
}

/* Solved by a commercial program; its text has "number name|voltage|angle". */
static void test_commercial(void)
{
    char path[1024];
    size_t len;
    struct pof_grid g;
    struct pof_err err;
    struct pof_pf_result r;
    snprintf(path, sizeof path, "%s/grids/psse/veragrid_psse_reference/IEEE 14 bus.raw", tap_data());
    char *text = slurp(path, &len);
    bool taken = ok(read_text(&g, text, &err), "IEEE 14, revision 32");
    free(text);
    if (!taken) {
        return;
    }
    snprintf(path, sizeof path, "%s/grids/psse/veragrid_psse_reference/PF Ieee14.txt.txt", tap_data());
    text = slurp(path, &len);
    struct pof_pf *pf = solve(&g, &r);
    double dv = 0, da = 0;
    int rows = 0, number;
    double v, a;
    for (char *line = text; pf && line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (sscanf(line, "%d BUS %*d|%lf|%lf", &number, &v, &a) == 3 && number >= 1 && number <= 14) {
            dv = fmax(dv, fabs(v - r.v_pu[number - 1]));
            da = fmax(da, fabs(a - r.angle[number - 1] * 180 / 3.14159265358979323846));
            rows++;
        }
    }
    ok(rows == 14 && dv < 1e-6 && da < 1e-4, "%d voltages agree: %.1e p.u., %.1e degrees", rows, dv, da);
    free(text);
    pof_pf_free(pf);
    pof_grid_release(&g);
}

/* NodePFResult.csv of the LV feeder has six digits and belongs to the data as they are: all loads and
 * generation in full, the slack node at its vmSetp of 1.025; phase shifts not counted. */
static void test_real_simbench(void)
{
    struct pof_simbench s = {0};
    char path[POF_SIMBENCH_TABLES][1024], *data[POF_SIMBENCH_TABLES];
    struct pof_grid g;
    struct pof_err err = {0};
    struct pof_pf_result r;
    size_t len;
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        snprintf(path[t], sizeof path[t], "%s/market/simbench-1-LV-rural1-0-no_sw/%s", tap_data(),
                 pof_simbench_file[t]);
        data[t] = slurp(path[t], &s.len[t]);
        s.data[t] = data[t];
        s.path[t] = path[t];
    }
    if (ok(pof_simbench_read(&g, &s, NULL, &err) == 0, "the rural LV feeder is read")) {
        char result[1200];
        snprintf(result, sizeof result, "%s/market/simbench-1-LV-rural1-0-no_sw/NodePFResult.csv", tap_data());
        char *text = slurp(result, &len);
        struct pof_pf *pf = solve(&g, &r);
        double dv = 0, da = 0;
        uint32_t rows = 0;
        for (char *line = strchr(text, '\n'); pf && line && line[1]; line = strchr(line + 1, '\n')) {
            char name[65];
            double v, a;
            if (sscanf(line + 1, "%64[^;];%lf;%lf", name, &v, &a) == 3) {
                uint32_t i = pof_names_find(&g.node_names, pof_text(name));
                double shifted = i == POF_NONE || g.node[i].kind == POF_NODE_SLACK ? 0 : 150;
                double deg = i == POF_NONE ? NAN : r.angle[i] * 180 / 3.14159265358979323846 + shifted;
                dv = fmax(dv, i == POF_NONE ? 1 : fabs(v - r.v_pu[i]));
                da = fmax(da, fabs(a - deg));
                rows++;
            }
        }
        ok(rows == g.nodes && dv < 6e-6 && da < 5e-5,
           "%u published voltages of six digits agree: %.1e p.u., %.1e degrees", rows, dv, da);
        free(text);
        pof_pf_free(pf);
        pof_grid_release(&g);
    }
    for (int t = 0; t < POF_SIMBENCH_TABLES; t++) {
        free(data[t]);
    }
}

int main(void)
{
    test_round_trips();
    test_statements();
    test_refused_cases();
    test_raw();
    test_refused_raws();
    test_simbench();
    test_damage(raw, "RAW");
    test_damage(CASE "x = mpc.bus(1, 2) * (3 - 1)^2;\nmpc.bus(:, [3 4]) = mpc.bus(:, [3 4]) / 1e3;\n",
                "MATPOWER");
    test_phases_and_loads();
    if (tap_data()) {
        test_real_cases();
        test_real_raws();
        test_commercial();
        test_real_simbench();
    } else {
        skip("published grids", "no shared data");
    }
    return done();
}
