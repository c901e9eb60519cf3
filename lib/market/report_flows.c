/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of a day beside the times of another. */
#include "market/report_impl.h"
#include "market/report_table.h"
#include "num/decimal.h"

#include <stdlib.h>
#include <string.h>

enum { REFERENCE_COLUMNS = 4, SIZES_MAX = 8 };

/* --- reading the table of times --- */

static struct pof_text until(struct pof_text *rest, char stop)
{
    const char *at = memchr(rest->ptr, stop, rest->len);
    struct pof_text head = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
    size_t used = head.len + (at ? 1 : 0);
    rest->ptr += used;
    rest->len -= used;
    return head;
}

static int add_time(struct pof_report *r, const struct pof_text *column, struct pof_err *err)
{
    struct pofi_reference row = {.kind = pof_word_of(pof_words("kpi_kind"), column[1])};
    if (column[0].len == 0) {
        pof_fail(err, POF_E_MISSING, "no flow is named; flow0 to flow8 or flow7b is expected");
        return pof_at(err, NULL, 0, "flow");
    }
    if (row.kind != POF_KPI_EXECUTION && row.kind != POF_KPI_COMMUNICATION) {
        pof_fail(err, POF_E_ENUM, "'%.*s' is neither execution nor communication",
                 (int)column[1].len, column[1].ptr);
        return pof_at(err, NULL, 0, "kind");
    }
    if (!pof_decimal_parse(column[2], 0, &row.pods) || row.pods <= 0) {
        pof_fail(err, POF_E_NUMBER, "'%.*s' is not a whole number above 0", (int)column[2].len,
                 column[2].ptr);
        return pof_at(err, NULL, 0, "pods");
    }
    if (!pof_decimal_parse(column[3], 3, &row.us) || row.us < 0) {
        pof_fail(err, POF_E_NUMBER, "'%.*s' is not a decimal number of at least 0 with up to three "
                 "decimals", (int)column[3].len, column[3].ptr);
        return pof_at(err, NULL, 0, "ms");
    }
    int rc = pof_names_add(&r->flows, column[0], &row.flow, err);
    rc = rc ? rc
            : pof_grow(&r->reference, &r->reference_cap, r->references + 1, sizeof row, err);
    if (rc == 0) {
        r->reference[r->references++] = row;
    }
    return rc;
}

static int parse_line(struct pof_report *r, struct pof_text text, bool header, struct pof_err *err)
{
    struct pof_text column[REFERENCE_COLUMNS] = {{"", 0}};
    struct pof_text rest = text;
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++) {
        n += text.ptr[i] == ',';
    }
    if (header && !pof_text_is(text, "flow,kind,pods,ms")) {
        return pof_fail(err, POF_E_SYNTAX, "the header is '%.*s'; 'flow,kind,pods,ms' is expected",
                        text.len > 80 ? 80 : (int)text.len, text.ptr);
    }
    if (n != REFERENCE_COLUMNS) {
        return pof_fail(err, POF_E_COLUMNS, "%zu columns, 4 are expected", n);
    }
    for (size_t i = 0; i < n; i++) {
        column[i] = until(&rest, ',');
    }
    return header ? 0 : add_time(r, column, err);
}

int pofi_reference_parse(struct pof_report *r, struct pof_text csv, const char *name,
                         struct pof_err *err)
{
    uint64_t line = 0;
    while (csv.len > 0) {
        struct pof_text text = until(&csv, '\n');
        line++;
        if (text.len > 0 && text.ptr[text.len - 1] == '\r') {
            text.len--;
        }
        if (text.len > 0 || line == 1) {
            int rc = parse_line(r, text, line == 1, err);
            if (rc) {
                return pof_at(err, name, line, NULL);
            }
        }
    }
    if (line == 0) {
        pof_fail(err, POF_E_SYNTAX, "it is empty; the header 'flow,kind,pods,ms' is expected");
        return pof_at(err, name, 1, NULL);
    }
    return 0;
}

/* --- the section --- */

struct flow_row {
    struct pof_text flow;
    int64_t passages;
    double median_ms, cpu_ms, memory_kib;
    bool timed, costed;
};

struct flow_rows {
    struct flow_row *row;
    size_t n, cap;
    int64_t size[SIZES_MAX]; /* of the reference, ascending */
    size_t sizes;
};

static int on_figure(void *ctx, const struct pof_kpi *kpi, struct pof_err *err)
{
    struct flow_rows *f = ctx;
    if (f->n == 0 || !pof_text_eq(f->row[f->n - 1].flow, kpi->flow)) {
        int rc = pof_grow(&f->row, &f->cap, f->n + 1, sizeof *f->row, err);
        if (rc) {
            return rc;
        }
        f->row[f->n++] = (struct flow_row){.flow = kpi->flow};
    }
    struct flow_row *row = &f->row[f->n - 1];
    if (kpi->kind == POF_KPI_EXECUTION) {
        row->timed = true;
        row->passages = kpi->count;
        row->median_ms = kpi->p50;
    } else if (kpi->kind == POF_KPI_CPU) {
        row->costed = true;
        row->cpu_ms = kpi->mean * (double)kpi->count;
    } else if (kpi->kind == POF_KPI_MEMORY) {
        row->memory_kib = kpi->max;
    }
    return 0;
}

static int size_cmp(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int list_sizes(const struct pof_report *r, struct flow_rows *f, struct pof_err *err)
{
    for (size_t i = 0; i < r->references; i++) {
        size_t k = 0;
        while (k < f->sizes && f->size[k] != r->reference[i].pods) {
            k++;
        }
        if (k == SIZES_MAX) {
            return pof_fail(err, POF_E_RANGE, "the reference has more than %d numbers of points of "
                            "delivery; the columns of the report end there", SIZES_MAX);
        }
        f->size[k] = r->reference[i].pods;
        f->sizes += k == f->sizes;
    }
    qsort(f->size, f->sizes, sizeof f->size[0], size_cmp);
    return 0;
}

static const struct pofi_reference *find_time(const struct pof_report *r, struct pof_text flow,
                                              int kind, int64_t pods)
{
    for (size_t i = 0; i < r->references; i++) {
        const struct pofi_reference *t = &r->reference[i];
        if (t->kind == kind && (pods == 0 || t->pods == pods) &&
            pof_text_eq(r->flows.text[t->flow], flow)) {
            return t;
        }
    }
    return NULL;
}

static const char *content(struct pof_text flow)
{
    static const char *const known[][2] = {{"flow0", "registration"},
                                           {"flow1", "measurements to aggregators"},
                                           {"flow2", "requests and offers"},
                                           {"flow3", "clearing"},
                                           {"flow4", "technical validation"},
                                           {"flow5", "outcomes"},
                                           {"flow6", "set points"},
                                           {"flow7", "certification"},
                                           {"flow7b", "storing what is certified"},
                                           {"flow8", "settlement"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (pof_text_is(flow, known[i][0])) {
            return known[i][1];
        }
    }
    return "";
}

static int times_beside(const struct pof_report *r, const struct flow_rows *f, struct pof_text flow,
                        struct pofi_table *t, struct pof_err *err)
{
    int kind = find_time(r, flow, POF_KPI_EXECUTION, 0) ? POF_KPI_EXECUTION : POF_KPI_COMMUNICATION;
    bool any = find_time(r, flow, kind, 0) != NULL;
    int rc = pofi_cell_text(t, pof_text(any ? pof_words("kpi_kind")[kind] : "-"), err);
    for (size_t i = 0; rc == 0 && i < f->sizes; i++) {
        const struct pofi_reference *time = find_time(r, flow, kind, f->size[i]);
        rc = time ? pofi_cell_fixed(t, time->us, 100, 1, err) : pofi_cell_text(t, pof_text("-"), err);
    }
    return rc;
}

static int add_flow(const struct pof_report *r, const struct flow_rows *f, const struct flow_row *row,
                    struct pofi_table *t, struct pof_err *err)
{
    const struct pof_text none = pof_text("-");
    int rc = pofi_cell_text(t, row->flow, err);
    rc = rc ? rc : pofi_cell_text(t, pof_text(content(row->flow)), err);
    rc = rc ? rc : pofi_cell_count(t, (uint64_t)row->passages, err);
    rc = rc ? rc : row->timed ? pofi_cell_real(t, row->median_ms, err) : pofi_cell_text(t, none, err);
    rc = rc ? rc : row->costed ? pofi_cell_real(t, row->cpu_ms, err) : pofi_cell_text(t, none, err);
    rc = rc ? rc
            : row->costed ? pofi_cell_real(t, row->memory_kib / 1024, err)
                          : pofi_cell_text(t, none, err);
    return rc || f->sizes == 0 ? rc : times_beside(r, f, row->flow, t, err);
}

static int add_head(const struct flow_rows *f, struct pofi_table *t, struct pof_err *err)
{
    static const char *const over[] = {"", "", "", "execution,", "CPU, ms", "memory,", NULL};
    static const char *const head[] = {"flow",       "content",  "passages",
                                       "median, ms", "all of it", "max, MiB", NULL};
    int rc = pofi_cells_text(t, over, err);
    rc = rc || f->sizes == 0 ? rc : pofi_cell_text(t, pof_text("the document's"), err);
    for (size_t i = 0; rc == 0 && i < f->sizes; i++) {
        rc = pofi_cell_text(t, pof_text("ms at"), err);
    }
    rc = rc ? rc : pofi_cells_text(t, head, err);
    rc = rc || f->sizes == 0 ? rc : pofi_cell_text(t, pof_text("weekly means"), err);
    for (size_t i = 0; rc == 0 && i < f->sizes; i++) {
        rc = pofi_cell_count(t, (uint64_t)f->size[i], err);
    }
    return rc;
}

static int add_flows(const struct pof_report *r, const struct flow_rows *f, struct pof_buf *to,
                     struct pof_err *err)
{
    struct pofi_table t = {.columns = 6 + (f->sizes ? 1 + f->sizes : 0), .left = 1 | 2 | 64};
    int rc = pof_buf_adds(to, "\nFlows\n\n", err);
    rc = rc ? rc : add_head(f, &t, err);
    for (size_t i = 0; rc == 0 && i < f->n; i++) {
        rc = add_flow(r, f, &f->row[i], &t, err);
    }
    rc = pofi_table_end(&t, rc, to, err);
    if (rc || f->sizes == 0) {
        return rc;
    }
    return pof_buf_adds(
        to,
        "\n  Numbers at the head of the last columns: points of delivery. The source document timed\n"
        "  whole platforms with their databases, a blockchain and messages between servers, on other\n"
        "  hardware: these columns give an idea of size, they do not compare like with like. Where\n"
        "  they say communication, it has no execution time for that flow.\n",
        err);
}

int pofi_say_flows(struct pof_report *r, struct pof_buf *to, struct pof_err *err)
{
    struct flow_rows f = {0};
    uint64_t alone = 0;
    if (r->kpis.n == 0) {
        return 0;
    }
    int rc = pof_kpis_make(&r->kpis, on_figure, &f, err);
    rc = rc ? rc : list_sizes(r, &f, err);
    rc = rc ? rc : add_flows(r, &f, to, err);
    for (size_t i = 0; i < POF_EVENT_TYPES; i++) {
        alone += r->kpis.alone[i];
    }
    if (rc == 0 && alone > 0) {
        rc = pof_buf_addf(to, err, "\n  %llu of %zu events have no partner in the log.\n",
                          (unsigned long long)alone, r->kpis.n);
    }
    free(f.row);
    return rc;
}
