/* SPDX-License-Identifier: Apache-2.0 */
#include "market/report_table.h"

#include "num/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pofi_fixed(char *to, int64_t value, int64_t unit, int decimals)
{
    static const uint64_t scale[] = {1, 10, 100, 1000};
    int64_t rounded = 0;
    if (pof_muldiv(value, 1, unit, &rounded, NULL)) { /* |value / unit| is at most |value| */
        rounded = 0;
    }
    uint64_t size = rounded < 0 ? 0 - (uint64_t)rounded : (uint64_t)rounded;
    const char *sign = rounded < 0 ? "-" : "";
    if (decimals == 0) {
        snprintf(to, POFI_FIXED_MAX, "%s%" PRIu64, sign, size);
    } else {
        snprintf(to, POFI_FIXED_MAX, "%s%" PRIu64 ".%0*" PRIu64, sign, size / scale[decimals],
                 decimals, size % scale[decimals]);
    }
}

int pofi_cell_text(struct pofi_table *t, struct pof_text text, struct pof_err *err)
{
    int rc = pof_buf_reserve(&t->bytes, text.len, err);
    rc = rc ? rc : pof_grow(&t->end, &t->cap, t->n + 1, sizeof *t->end, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        t->bytes.data[t->bytes.len++] = c < 0x20 || c == 0x7f ? '?' : text.ptr[i];
    }
    t->end[t->n++] = t->bytes.len;
    return 0;
}

int pofi_cells_text(struct pofi_table *t, const char *const *texts, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && texts[i]; i++) {
        rc = pofi_cell_text(t, pof_text(texts[i]), err);
    }
    return rc;
}

int pofi_cell_fixed(struct pofi_table *t, int64_t value, int64_t unit, int decimals,
                    struct pof_err *err)
{
    char text[POFI_FIXED_MAX];
    pofi_fixed(text, value, unit, decimals);
    return pofi_cell_text(t, pof_text(text), err);
}

int pofi_cell_mwh(struct pofi_table *t, int64_t energy_ws, struct pof_err *err)
{
    return pofi_cell_fixed(t, energy_ws, POF_WS_PER_MWH / 1000, 3, err);
}

int pofi_cell_eur(struct pofi_table *t, int64_t money_ueur, struct pof_err *err)
{
    return pofi_cell_fixed(t, money_ueur, 10000, 2, err);
}

int pofi_cell_share(struct pofi_table *t, int64_t part, int64_t whole, struct pof_err *err)
{
    char text[POFI_FIXED_MAX + 2];
    int64_t permille;
    if (whole == 0) {
        return pofi_cell_text(t, pof_text("-"), err);
    }
    int rc = pof_muldiv(part, 1000, whole, &permille, err);
    if (rc) {
        return rc;
    }
    pofi_fixed(text, permille, 1, 1);
    strncat(text, " %", 3);
    return pofi_cell_text(t, pof_text(text), err);
}

int pofi_cell_count(struct pofi_table *t, uint64_t n, struct pof_err *err)
{
    char text[POFI_FIXED_MAX];
    snprintf(text, sizeof text, "%" PRIu64, n);
    return pofi_cell_text(t, pof_text(text), err);
}

int pofi_cell_real(struct pofi_table *t, double value, struct pof_err *err)
{
    char text[POFI_FIXED_MAX];
    snprintf(text, sizeof text, "%.1f", value);
    return pofi_cell_text(t, pof_text(text), err);
}

/* --- lines --- */

static struct pof_text cell(const struct pofi_table *t, size_t i)
{
    size_t begin = i > 0 ? t->end[i - 1] : 0;
    return (struct pof_text){t->bytes.data ? t->bytes.data + begin : "", t->end[i] - begin};
}

/* Characters, not bytes: UTF-8 continuation bytes take no place. */
static size_t width(struct pof_text text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return n;
}

static int add_row(const struct pofi_table *t, size_t first, const size_t *widths,
                   struct pof_buf *to, struct pof_err *err)
{
    int rc = 0;
    for (size_t c = 0; rc == 0 && c < t->columns; c++) {
        struct pof_text text = cell(t, first + c);
        int blanks = (int)(widths[c] - width(text));
        bool left = (t->left >> c) & 1;
        rc = pof_buf_addf(to, err, "  %*s", left ? 0 : blanks, "");
        rc = rc ? rc : pof_buf_add(to, text.ptr, text.len, err);
        rc = rc ? rc : pof_buf_addf(to, err, "%*s", left ? blanks : 0, "");
    }
    while (rc == 0 && to->len > 0 && to->data[to->len - 1] == ' ') {
        to->len--;
    }
    return rc ? rc : pof_buf_adds(to, "\n", err);
}

int pofi_table_end(struct pofi_table *t, int rc, struct pof_buf *to, struct pof_err *err)
{
    size_t *widths = NULL;
    rc = rc ? rc : pof_calloc(&widths, t->columns, sizeof *widths, err);
    for (size_t i = 0; rc == 0 && i < t->n; i++) {
        size_t w = width(cell(t, i));
        if (w > widths[i % t->columns]) {
            widths[i % t->columns] = w;
        }
    }
    for (size_t i = 0; rc == 0 && i + t->columns <= t->n; i += t->columns) {
        rc = add_row(t, i, widths, to, err);
    }
    free(widths);
    free(t->end);
    pof_buf_release(&t->bytes);
    return rc;
}
