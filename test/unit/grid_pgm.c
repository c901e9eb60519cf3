/* SPDX-License-Identifier: Apache-2.0 */
/* Data sets of power-grid-model: both forms of rows, updates, what is refused, and back. */
#include "../tap.h"
#include "grid/pgm.h"
#include "grid/pgm_scan.h"
#include "num/real.h"

#define HEAD "{\"version\": \"1.0\", \"type\": \"input\", \"is_batch\": false, "

static const char rows_as_objects[] =
    HEAD "\"attributes\": {}, \"data\": {"
         "\"node\": [{\"id\": 1, \"u_rated\": 1e4}, {\"id\": 2, \"u_rated\": 1e4, \"extra\": {\"a\": [1]}}],"
         "\"line\": [{\"id\": 3, \"from_node\": 1, \"to_node\": 2, \"from_status\": 1, \"to_status\": 1,"
         " \"r1\": 1, \"x1\": 2, \"c1\": 0, \"tan1\": 0}],"
         "\"source\": [{\"id\": 4, \"node\": 1, \"status\": 1, \"u_ref\": 1.02}],"
         "\"sym_load\": [{\"id\": 5, \"node\": 2, \"status\": 1, \"type\": 0, \"p_specified\": 1e5,"
         " \"q_specified\": null}],"
         "\"sym_power_sensor\": [{\"id\": 6, \"measured_object\": 5, \"measured_terminal_type\": 4,"
         " \"power_sigma\": 100, \"p_measured\": 2e5, \"q_measured\": 1e4},"
         "{\"id\": 7, \"measured_object\": 3, \"measured_terminal_type\": 1, \"power_sigma\": \"inf\","
         " \"p_measured\": 1, \"q_measured\": 1}]}}";

static const char rows_as_arrays[] =
    "{\"data\": {\"node\": [[1e4, 1], {\"id\": 2, \"u_rated\": 10000}]},"
    "\"attributes\": {\"node\": [\"u_rated\", \"id\"]}, \"version\": \"1.0\", \"type\": \"input\"}";

static int parse(struct pofi_pgm_set *set, const char *text, struct pof_err *err)
{
    *err = (struct pof_err){0};
    return pofi_pgm_parse(set, (struct pof_text){text, strlen(text)}, "t", err);
}

static void test_rows(void)
{
    struct pofi_pgm_set set;
    struct pof_err err;
    if (ok(parse(&set, rows_as_arrays, &err) == 0, "arrays before their attributes: %s", err.text)) {
        is_int(set.scenario[0].table[PGM_NODE].rows, 2, "two nodes");
        is_int((int64_t)pofi_pgm_row(&set.scenario[0], PGM_NODE, 0)[NODE_id], 1, "attributes in their order");
        pofi_pgm_set_release(&set);
    }
}

/* Numbers as the scanner of reals has them, however short. */
static void test_numbers(void)
{
    static const char *const text[] = {"0", "7", "12,", "123456789", "1234567890", "12345678901234567890]",
                                       "01", "00", "-1", "1e5", "1E5", "12.5", "1.", "0.5}", "0e0",
                                       "999999999", "9999999999", "", "x", "1x", "4294967296"};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        struct pof_err err = {0};
        const char *end = text[i] + strlen(text[i]);
        struct pofi_scan s = {.at = text[i], .begin = text[i], .end = end, .name = "t", .err = &err};
        double got = -3, want = -3;
        const char *behind = pof_real_scan(text[i], end, POF_REAL_JSON, &want);
        bool good = pofi_scan_number(&s, &got);
        wrong += good != (behind > text[i]) || s.at != behind || (good && got != want);
    }
    is_int(wrong, 0, "short numbers are numbers as all others are");
}

/* Ids far apart, and ids that lie close together. */
static void test_ids(void)
{
    static const char *const text[] = {
        HEAD "\"attributes\": {\"node\": [\"id\"]}, \"data\": {\"node\": [[-5], [2147483647], [-2147483648], [7]]}}",
        HEAD "\"attributes\": {\"node\": [\"id\"]}, \"data\": {\"node\": [[12], [-2], [3]]}}",
        HEAD "\"attributes\": {}, \"data\": {}}"};
    static const double ids[][3] = {{2147483647, -2147483648.0, 7}, {-2, 3, 12}, {0}};
    static const uint32_t rows[][3] = {{1, 2, 3}, {1, 2, 0}, {0}};
    static const double none[] = {4, -3, 13, -2147483647, 2147483646, 0.5, 1e300, NAN};
    for (int i = 0; i < 3; i++) {
        struct pofi_pgm_set set;
        struct pof_err err;
        unsigned wrong = 0;
        if (!ok(parse(&set, text[i], &err) == 0 && pofi_pgm_index(set.scenario, &err) == 0, "ids: %s",
                err.text)) {
            continue;
        }
        for (int k = 0; k < 3 && i < 2; k++) {
            struct pofi_pgm_place at = pofi_pgm_find(set.scenario, ids[i][k]);
            wrong += at.type != PGM_NODE || at.row != rows[i][k];
        }
        for (size_t k = 0; k < sizeof none / sizeof none[0]; k++) {
            wrong += pofi_pgm_find(set.scenario, none[k]).type != PGM_TYPES;
        }
        is_int(wrong, 0, "each id is found, others are not");
        pofi_pgm_set_release(&set);
    }
}

static void test_readings(void)
{
    struct pof_grid grid;
    struct pof_readings readings = {.phases = 1};
    struct pof_grid_wish wish = {.readings = &readings};
    struct pof_err err = {0};
    struct pof_text text = {rows_as_objects, strlen(rows_as_objects)};
    is_int(pof_grid_guess(text), POF_GRID_PGM, "found out from the content");
    if (ok(pof_grid_read_with(&grid, text, "t", &wish, &err) == 0, "read for estimation: %s", err.text)) {
        is_int(grid.nodes, 2, "a source is a slack node");
        is_int((int64_t)readings.n, 2, "a sensor of infinite sigma is none");
        is_int(readings.item[0].branch, false, "the load's sensor is one of its node");
        is_near(readings.item[0].value, 2e5, 0, "consumption positive");
        is_near(readings.item[0].sigma, 100 / sqrt(2), 1e-12, "apparent power in two parts");
        pof_grid_release(&grid);
    }
    pof_readings_release(&readings);
    ok(pof_grid_read(&grid, text, "t", NULL, &err) == POF_E_MISSING && strstr(err.field, "q_specified"),
       "a power flow needs every load: %s", err.field);
}

static void test_update(void)
{
    static const char by_id[] =
        "{\"version\": \"1.0\", \"type\": \"update\", \"is_batch\": true, \"attributes\": {}, \"data\": ["
        "{\"sym_load\": [{\"id\": 5, \"q_specified\": 7}]}, {\"sym_load\": [{\"p_specified\": 8}]},"
        "{\"sym_load\": [{\"id\": 4, \"p_specified\": 8}]}, {\"line\": [{\"to_status\": 0}, {}]}]}";
    struct pofi_pgm_set set, updates;
    struct pof_err err;
    bool good = parse(&set, rows_as_objects, &err) == 0 && pofi_pgm_index(&set.scenario[0], &err) == 0;
    if (!ok(good && parse(&updates, by_id, &err) == 0, "a batch of four: %s", err.text)) {
        return;
    }
    struct pofi_pgm *p = &set.scenario[0];
    ok(pofi_pgm_update(p, &updates.scenario[0], &err) == 0 && pofi_pgm_update(p, &updates.scenario[1], &err) == 0,
       "with and without id");
    is_near(pofi_pgm_row(p, PGM_SYM_LOAD, 0)[SYM_LOAD_q_specified], 7, 0, "by id");
    is_near(pofi_pgm_row(p, PGM_SYM_LOAD, 0)[SYM_LOAD_p_specified], 8, 0, "in order");
    is_int(pofi_pgm_update(p, &updates.scenario[2], &err), POF_E_REFERENCE, "an id of another type");
    is_int(pofi_pgm_update(p, &updates.scenario[3], &err), POF_E_REFERENCE, "more rows than components");
    pofi_pgm_set_release(&set);
    pofi_pgm_set_release(&updates);
}

static void test_refused(void)
{
    static const struct {
        const char *text, *what;
        int code;
    } cases[] = {
        {HEAD "\"data\": {\"node\": [{\"id\": 1, \"id\": 2}]}}", "an attribute twice", POF_E_SYNTAX},
        {HEAD "\"data\": {\"node\": [{\"id\": NaN}]}}", "NaN", POF_E_SYNTAX},
        {HEAD "\"data\": {\"node\": [{\"id\": 1e400}]}}", "a number beyond doubles", POF_E_SYNTAX},
        {HEAD "\"data\": {\"node\": [[1, 2]]}}", "arrays without attributes", POF_E_SYNTAX},
        {HEAD "\"data\": {\"node\": [{\"id\": 1}", "a text cut off", POF_E_SYNTAX},
        {"{\"version\": \"2.0\", \"data\": {}}", "another version", POF_E_SYNTAX},
        {HEAD "\"data\": {\"x\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "deep nesting", POF_E_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pofi_pgm_set set;
        struct pof_err err;
        is_int(parse(&set, cases[i].text, &err), cases[i].code, cases[i].what);
        ok(err.line == 1, "%s: its line", cases[i].what);
    }
    struct pof_grid grid;
    struct pof_err err = {0};
    static const char twice[] = HEAD "\"data\": {\"node\": [{\"id\": 1, \"u_rated\": 400}, {\"id\": 1, \"u_rated\": 400}]}}";
    is_int(pof_grid_read(&grid, (struct pof_text){twice, strlen(twice)}, "t", NULL, &err), POF_E_DUPLICATE,
           "an id twice");
    is_text(err.field, strlen(err.field), "/data/node/1/id", "and where");
    static const char nowhere[] =
        HEAD "\"data\": {\"node\": [{\"id\": 1, \"u_rated\": 400}], \"link\": [{\"id\": 2, \"from_node\": 1,"
             "\"to_node\": 9, \"from_status\": 1, \"to_status\": 1}]}}";
    err = (struct pof_err){0};
    is_int(pof_grid_read(&grid, (struct pof_text){nowhere, strlen(nowhere)}, "t", NULL, &err), POF_E_REFERENCE,
           "an end at no node");
}

int main(void)
{
    test_rows();
    test_numbers();
    test_ids();
    test_readings();
    test_update();
    test_refused();
    return done();
}
