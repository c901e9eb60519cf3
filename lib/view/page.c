/* SPDX-License-Identifier: Apache-2.0 */
/* The page: a template, a style, a script, and the data packed beside them. */
#include "view/page.h"

#include "base/base64.h"
#include "num/real.h"
#include "num/time.h"
#include "record/writer.h"
#include "record/zip.h"
#include "view/assets.h"
#include "view/picture.h"
#include "view/scale.h"

#include <string.h>

/* The header of the data while it is written. */
struct header {
    struct pof_buf *to;
    struct pof_err *err;
};

static int put(struct header *h, const char *text)
{
    return pof_buf_adds(h->to, text, h->err);
}

static int put_text(struct header *h, const char *before, struct pof_text text)
{
    int rc = put(h, before);
    return rc ? rc : pof_json_string(h->to, text, h->err);
}

static int put_real(struct header *h, const char *before, double v)
{
    char text[POF_REAL_MAX];
    int rc = put(h, before);
    return rc ? rc : pof_buf_add(h->to, text, pof_real_format(v, text), h->err);
}

static int put_nodes(struct header *h, const struct pof_view *view)
{
    static const char *const kinds[] = {"pq", "pv", "slack"};
    const struct pof_grid *g = view->grid;
    int rc = put(h, ",\"nodes\":[");
    for (uint32_t v = 0; rc == 0 && v < g->nodes; v++) {
        const struct pof_node *n = &g->node[v];
        rc = put_text(h, v ? ",[" : "[", n->name);
        rc = rc ? rc : put_text(h, ",", pof_text(kinds[n->kind]));
        rc = rc ? rc : put_real(h, ",", n->base_v);
        rc = rc ? rc : put_real(h, ",", n->v_min_pu);
        rc = rc ? rc : put_real(h, ",", n->v_max_pu);
        rc = rc ? rc : put_real(h, ",", view->x[v]);
        rc = rc ? rc : put_real(h, ",", view->y[v]);
        rc = rc ? rc : put(h, "]");
    }
    return rc ? rc : put(h, "]");
}

static int put_branches(struct header *h, const struct pof_grid *g)
{
    static const char *const kinds[] = {"line", "transformer", "switch"};
    int rc = put(h, ",\"branches\":[");
    for (uint32_t b = 0; rc == 0 && b < g->branches; b++) {
        const struct pof_branch *k = &g->branch[b];
        rc = put_text(h, b ? ",[" : "[", k->name);
        rc = rc ? rc : put_text(h, ",", pof_text(kinds[k->kind]));
        rc = rc ? rc : pof_buf_addf(h->to, h->err, ",%u,%u,%d", k->from, k->to, k->closed);
        rc = rc ? rc : put_real(h, ",", k->rating_va);
        rc = rc ? rc : put(h, "]");
    }
    return rc ? rc : put(h, "]");
}

static int put_instants(struct header *h, const struct pof_view *view)
{
    int rc = put(h, ",\"instants\":[");
    for (size_t i = 0; rc == 0 && i < view->instants; i++) {
        char text[POF_INSTANT_MAX];
        rc = put_text(h, i ? "," : "", (struct pof_text){text, pof_instant_format(view->instant[i], text)});
    }
    return rc ? rc : put(h, "]");
}

/* rows: the numbers of instants that have one; their values follow the header in this order. */
static int put_columns(struct header *h, const struct pof_view *view)
{
    static const char *const phases[] = {"", "a", "b", "c"};
    int rc = put(h, ",\"columns\":[");
    for (size_t c = 0; rc == 0 && c < view->columns; c++) {
        const struct pof_view_column *k = &view->column[c];
        bool first = true;
        rc = pof_buf_addf(h->to, h->err, "%s{\"of\":\"%s\",\"quantity\":\"%s\",\"unit\":\"%s\",\"phase\":\"%s\",\"rows\":[",
                          c ? "," : "", k->of_branches ? "branch" : "node", pof_view_quantity_name(k->quantity),
                          pof_view_quantity_unit(k->quantity), phases[k->phase]);
        for (size_t i = 0; rc == 0 && i < k->rows; i++) {
            if (k->row[i]) {
                rc = pof_buf_addf(h->to, h->err, "%s%zu", first ? "" : ",", i);
                first = false;
            }
        }
        rc = rc ? rc : put(h, "]}");
    }
    return rc ? rc : put(h, "]");
}

static int put_notes(struct header *h, const struct pof_view *view)
{
    int rc = put(h, ",\"records\":[");
    for (size_t i = 0; rc == 0 && i < view->notes; i++) {
        rc = i ? put(h, ",\n") : 0;
        rc = rc ? rc : pof_buf_add(h->to, view->note[i].json.ptr, view->note[i].json.len, h->err);
    }
    return rc ? rc : put(h, "]");
}

static int put_scale(struct header *h, const char *name, const uint32_t *stops)
{
    int rc = pof_buf_addf(h->to, h->err, ",\"%s\":[", name);
    for (int i = 0; rc == 0 && i < POF_VIEW_STOPS; i++) {
        rc = pof_buf_addf(h->to, h->err, "%s%u", i ? "," : "", stops[i]);
    }
    return rc ? rc : put(h, "]");
}

static int put_header(struct header *h, const struct pof_view *view)
{
    int rc = put_text(h, "{\"schema\":\"pof.view/1\",\"name\":", view->grid->name);
    rc = rc ? rc : put_real(h, ",\"voltage_span\":", pof_view_voltage_span(view));
    rc = rc ? rc : put_scale(h, "voltage_stops", pof_view_voltage_stops);
    rc = rc ? rc : put_scale(h, "loading_stops", pof_view_loading_stops);
    rc = rc ? rc : put_nodes(h, view);
    rc = rc ? rc : put_branches(h, view->grid);
    rc = rc ? rc : put_instants(h, view);
    rc = rc ? rc : put_columns(h, view);
    rc = rc ? rc : put_notes(h, view);
    return rc ? rc : put(h, "}");
}

static int put_values(struct pof_buf *to, const double *value, size_t n, struct pof_err *err)
{
    int rc = pof_buf_reserve(to, 8 * n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        for (int k = 0; k < 8; k++) {
            to->data[to->len++] = (char)(bits >> 8 * k & 255);
        }
    }
    return rc;
}

/* Length of the header in four bytes, header, zeros up to a multiple of 8, values. */
static int data_block(const struct pof_view *view, struct pof_buf *to, struct pof_err *err)
{
    struct header h = {to, err};
    int rc = pof_buf_add(to, "\0\0\0\0", 4, err);
    rc = rc ? rc : put_header(&h, view);
    if (rc) {
        return rc;
    }
    size_t len = to->len - 4;
    if (len > INT32_MAX) {
        return pof_fail(err, POF_E_TOO_LONG, "names and records of %zu MiB are too much for one page", len >> 20);
    }
    for (int k = 0; k < 4; k++) {
        to->data[k] = (char)(len >> 8 * k & 255);
    }
    while (rc == 0 && to->len % 8) {
        rc = pof_buf_add(to, "", 1, err);
    }
    for (size_t c = 0; rc == 0 && c < view->columns; c++) {
        const struct pof_view_column *k = &view->column[c];
        size_t n = k->of_branches ? view->grid->branches : view->grid->nodes;
        for (size_t i = 0; rc == 0 && i < k->rows; i++) {
            rc = k->row[i] ? put_values(to, k->row[i], n, err) : 0;
        }
    }
    return rc;
}

static int put_data(const struct pof_view *view, struct pof_buf *to, struct pof_err *err)
{
    struct pof_buf raw = {0}, packed = {0};
    int rc = data_block(view, &raw, err);
    rc = rc ? rc : pof_zip_pack(&packed, (struct pof_text){raw.data, raw.len}, err);
    pof_buf_release(&raw);
    rc = rc ? rc : pof_base64_add(to, packed.data, packed.len, err);
    pof_buf_release(&packed);
    return rc;
}

/* What stands for a mark of the template. */
static int fill(const struct pof_view *view, const struct pof_view_page *page, struct pof_text mark,
                struct pof_buf *to, struct pof_err *err)
{
    if (pof_text_is(mark, "title")) {
        struct pof_text name = view->grid->name.len ? view->grid->name : pof_text("Grid");
        return pof_view_escape(to, page->title ? pof_text(page->title) : name, err);
    }
    if (pof_text_is(mark, "head")) {
        return page->reload_s ? pof_buf_addf(to, err, "<meta http-equiv=\"refresh\" content=\"%d\">", page->reload_s)
                              : 0;
    }
    if (pof_text_is(mark, "data")) {
        return put_data(view, to, err);
    }
    struct pof_text asset = pof_text_is(mark, "style") ? pof_view_style() : pof_view_script();
    return pof_buf_add(to, asset.ptr, asset.len, err);
}

int pof_view_page(const struct pof_view *view, const struct pof_view_page *page, struct pof_buf *to,
                  struct pof_err *err)
{
    struct pof_text html = pof_view_html();
    const char *at = html.ptr, *end = html.ptr + html.len, *open;
    int rc = 0;
    while (rc == 0 && (open = memmem(at, (size_t)(end - at), "{{", 2)) != NULL) {
        const char *close = memmem(open, (size_t)(end - open), "}}", 2);
        rc = pof_buf_add(to, at, (size_t)(open - at), err);
        rc = rc ? rc : fill(view, page, (struct pof_text){open + 2, (size_t)(close - open - 2)}, to, err);
        at = close + 2;
    }
    return rc ? rc : pof_buf_add(to, at, (size_t)(end - at), err);
}
