/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers and writers of grid formats share. */
#include "grid/format_impl.h"
#include "num/real.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool named_number(struct pof_text t, size_t i, double *out)
{
    struct pof_text rest = {t.ptr + i, t.len - i};
    bool minus = i > 0 && t.ptr[0] == '-';
    if (pof_text_is(rest, "Inf") || pof_text_is(rest, "inf")) {
        *out = minus ? -INFINITY : INFINITY;
        return true;
    }
    *out = NAN;
    return pof_text_is(rest, "NaN") || pof_text_is(rest, "nan");
}

bool pofi_number(struct pof_text t, bool not_finite, double *out)
{
    if (t.len == 0) {
        return false;
    }
    size_t i = t.ptr[0] == '-' || t.ptr[0] == '+';
    if (not_finite && i < t.len && named_number(t, i, out)) {
        return true;
    }
    const char *end = t.ptr + t.len;
    return pof_real_scan(t.ptr, end, POF_REAL_FREE, out) == end && isfinite(*out);
}

/* --- telling --- */

void pofi_tell(const struct pof_teller *teller, const char *fmt, ...)
{
    if (!teller || !teller->tell) {
        return;
    }
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    teller->tell(teller->ctx, text);
}

void pofi_tell_count(const struct pof_teller *teller, unsigned count, const char *what)
{
    if (count > 0) {
        pofi_tell(teller, "%s: %u", what, count);
    }
}

struct pof_text pofi_branch_name(const struct pof_grid *grid, uint32_t from, uint32_t to,
                                 const char *circuit, char *text)
{
    struct pof_text a_name = grid->node[from].name, b_name = grid->node[to].name;
    const char *a = a_name.ptr, *b = b_name.ptr;
    size_t size = POF_GRID_NAME_MAX + 1;
    int n = (int)(a_name.len + 1 + b_name.len); /* names have at most POF_GRID_NAME_MAX bytes */
    if ((size_t)n < size) {
        memcpy(text, a, a_name.len);
        text[a_name.len] = '-';
        memcpy(text + a_name.len + 1, b, b_name.len + 1);
    }
    for (int i = 1; i < 1000 && n > 0 && (size_t)n < size; i++) {
        struct pof_text name = {text, (size_t)n};
        if (pof_names_find(&grid->branch_names, name) == POF_NONE) {
            return name;
        }
        n = i == 1 && circuit && *circuit ? snprintf(text, size, "%s-%s-%s", a, b, circuit)
                                          : snprintf(text, size, "%s-%s-%d", a, b, i + 1);
    }
    n = snprintf(text, size, "branch %u", grid->branches + 1);
    return (struct pof_text){text, (size_t)n};
}

static bool is_number(struct pof_text name, long most)
{
    bool good = name.len > 0 && name.len <= 9 && name.ptr[0] != '0';
    for (size_t i = 0; i < name.len && good; i++) {
        good = digit(name.ptr[i]);
    }
    return good && strtol(name.ptr, NULL, 10) <= most;
}

bool pofi_numbered(const struct pof_grid *grid, long most)
{
    for (uint32_t i = 0; i < grid->nodes; i++) {
        if (!is_number(grid->node[i].name, most)) {
            return false;
        }
    }
    return true;
}

double pofi_bus_number(const struct pof_grid *grid, bool numbered, uint32_t node)
{
    return numbered ? strtod(grid->node[node].name.ptr, NULL) : node + 1.0;
}

bool pofi_plain_name(const struct pof_grid *grid, uint32_t branch)
{
    const struct pof_branch *b = &grid->branch[branch];
    const char *a = grid->node[b->from].name.ptr, *name = b->name.ptr;
    size_t n = strlen(a);
    return strncmp(name, a, n) == 0 && name[n] == '-' &&
           strcmp(name + n + 1, grid->node[b->to].name.ptr) == 0;
}

void pofi_start_from(struct pof_node *node, double v_pu, double deg)
{
    bool said = v_pu != 1 || deg != 0; /* what files have where nothing is known */
    bool usable = said && v_pu > 0.2 && v_pu < 2 && deg >= -360 && deg <= 360;
    node->v_start_pu = usable ? v_pu : 0;
    node->angle_start = usable ? pof_rad_of_deg(deg) : 0;
}

double pofi_start_angle(const struct pof_node *node)
{
    return node->kind == POF_NODE_SLACK ? node->angle_set : node->angle_start;
}
