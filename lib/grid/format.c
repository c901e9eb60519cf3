/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a file has. */
#include "grid/format_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct pof_text first_line_with_text(struct pof_text text, bool skip_comments)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        while (at < stop && (*at == ' ' || *at == '\t' || *at == '\r')) {
            at++;
        }
        if (at < stop && !(skip_comments && *at == '%')) {
            return (struct pof_text){at, (size_t)(stop - at)};
        }
        at = stop < end ? stop + 1 : end;
    }
    return (struct pof_text){text.ptr, 0};
}

static bool begins(struct pof_text t, const char *word)
{
    size_t n = strlen(word);
    return t.len >= n && memcmp(t.ptr, word, n) == 0;
}

/* "0, 100.00, 33, ...": change code 0 or 1, then the base power, by commas or blanks. */
static bool is_raw(struct pof_text line)
{
    const char *p = line.ptr, *end = line.ptr + line.len;
    if (begins(line, "@!")) {
        return true; /* a comment, from revision 35 on */
    }
    if (p == end || (*p != '0' && *p != '1')) {
        return false;
    }
    p++;
    size_t gap = 0;
    for (; p < end && (*p == ' ' || *p == '\t' || *p == ','); p++) {
        gap++;
    }
    return gap > 0 && p < end && ((*p >= '0' && *p <= '9') || *p == '.');
}

/* {"network": ...}: RAWX. */
static bool is_rawx(struct pof_text text)
{
    static const char key[] = "\"network\"";
    const char *p = memchr(text.ptr, '{', text.len), *end = text.ptr + text.len;
    for (p = p ? p + 1 : end; p < end && memchr(" \t\r\n", *p, 4); p++) {
    }
    return (size_t)(end - p) >= sizeof key - 1 && memcmp(p, key, sizeof key - 1) == 0;
}

/* A JSON object whose first member is one of a power-grid-model data set. */
static bool is_pgm(struct pof_text text)
{
    static const char *const keys[] = {"\"version\"", "\"type\"", "\"is_batch\"", "\"attributes\"",
                                       "\"data\""};
    const char *at = memchr(text.ptr, '{', text.len), *end = text.ptr + text.len;
    for (at = at ? at + 1 : end; at < end && strchr(" \t\r\n", *at); at++) {
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (begins((struct pof_text){at, (size_t)(end - at)}, keys[i])) {
            return true;
        }
    }
    return false;
}

enum pof_grid_format pof_grid_guess(struct pof_text text)
{
    struct pof_text line = first_line_with_text(text, false);
    if (begins(line, "{") && is_rawx(text)) {
        return POF_GRID_RAW;
    }
    if (begins(line, "{")) {
        return is_pgm(text) ? POF_GRID_PGM : POF_GRID_JSON;
    }
    if (pof_cim_is(text)) {
        return POF_GRID_CIM;
    }
    struct pof_text code = first_line_with_text(text, true);
    if (begins(code, "function") || begins(code, "mpc.")) {
        return POF_GRID_MATPOWER;
    }
    return is_raw(line) ? POF_GRID_RAW : POF_GRID_FORMATS;
}

int pof_readings_add(struct pof_readings *readings, const struct pof_observation *observation,
                     struct pof_err *err)
{
    int rc = pof_grow(&readings->item, &readings->cap, readings->n + 1, sizeof *readings->item, err);
    if (rc == 0) {
        readings->item[readings->n++] = *observation;
    }
    return rc;
}

void pof_readings_release(struct pof_readings *readings)
{
    free(readings->item);
    *readings = (struct pof_readings){.phases = readings->phases};
}

int pof_grid_read(struct pof_grid *grid, struct pof_text text, const char *name,
                  const struct pof_teller *teller, struct pof_err *err)
{
    return pof_grid_read_with(grid, text, name, &(struct pof_grid_wish){.teller = teller}, err);
}

int pof_grid_read_with(struct pof_grid *grid, struct pof_text text, const char *name,
                       const struct pof_grid_wish *wish, struct pof_err *err)
{
    const struct pof_teller *teller = wish->teller;
    *grid = (struct pof_grid){0};
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark says nothing */
        text.ptr += 3;
        text.len -= 3;
    }
    switch (pof_grid_guess(text)) {
    case POF_GRID_JSON:
        return pof_grid_parse(grid, text.ptr, text.len, name, err);
    case POF_GRID_MATPOWER:
        return pof_matpower_read(grid, text, name, teller, err);
    case POF_GRID_RAW:
        return pof_raw_read(grid, text, name, teller, err);
    case POF_GRID_PGM:
        return pof_pgm_read(grid, text, name, wish, err);
    case POF_GRID_CIM:
        return pof_cim_read(grid, &(struct pof_cim){.document = &(struct pof_cim_document){text, name}, .documents = 1},
                            wish, err);
    case POF_GRID_FORMATS:
        break;
    }
    int rc = pof_fail(err, POF_E_SCHEMA,
                      "neither a pof.grid/1 document, nor a MATPOWER case, PSS/E RAW, CIM XML or a "
                      "power-grid-model data set");
    pof_at(err, name, 1, NULL);
    return rc;
}

int pof_grid_write_as(enum pof_grid_format format, const struct pof_grid *grid, struct pof_buf *to,
                      const struct pof_teller *teller, struct pof_err *err)
{
    switch (format) {
    case POF_GRID_JSON:
        return pof_grid_write(grid, to, err);
    case POF_GRID_MATPOWER:
        return pof_matpower_write(grid, to, teller, err);
    case POF_GRID_RAW:
        return pof_raw_write(grid, to, teller, err);
    case POF_GRID_PGM:
        return pof_pgm_write(grid, NULL, to, teller, err);
    case POF_GRID_CIM:
    case POF_GRID_FORMATS:
        break;
    }
    return pof_fail(err, POF_E_INTERNAL, "a format that grids are not written in");
}

/* Voltages that come from a quotient by sqrt(3) get back the round number they had. */
static double line_to_line(double to_neutral)
{
    double v = to_neutral * sqrt(3), round = nearbyint(v);
    return fabs(v - round) <= 1e-9 * v ? round : v;
}

int pof_grid_three_phases(struct pof_grid *grid, struct pof_err *err)
{
    grid->base_va *= 3;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        struct pof_node *n = &grid->node[i];
        n->base_v = line_to_line(n->base_v);
        n->p_w *= 3;
        n->q_var *= 3;
        n->rated_w *= 3;
        n->g_w *= 3;
        n->b_var *= 3;
        if (n->base_v > 1.5e6) {
            return pof_fail(err, POF_E_RANGE, "node '%s' gets %.15g V; is the input of one phase?",
                            n->name.ptr, n->base_v);
        }
    }
    for (uint32_t k = 0; k < grid->branches; k++) {
        grid->branch[k].rating_va *= 3;
        grid->branch[k].asset = NULL;
    }
    return 0;
}

void pof_grid_loads_to_rated(struct pof_grid *grid, const struct pof_teller *teller)
{
    unsigned moved = 0, kept = 0;
    for (uint32_t i = 0; i < grid->nodes; i++) {
        struct pof_node *n = &grid->node[i];
        if (n->p_w > 0) {
            n->rated_w += n->p_w;
            n->p_w = 0;
            n->q_var = 0;
            moved++;
        } else if (n->p_w < 0 || n->q_var != 0) {
            kept++;
        }
    }
    pofi_tell_count(teller, moved, "fixed loads that became rated_w, their reactive part left out");
    pofi_tell_count(teller, kept, "nodes that stay as they are, with net generation or only reactive power");
}
