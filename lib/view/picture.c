/* SPDX-License-Identifier: Apache-2.0 */
/* SVG of one instant. */
#include "view/picture.h"

#include "num/decimal.h"
#include "num/time.h"
#include "view/scale.h"

#include <math.h>

enum { MARGIN = 40, LEGEND = 64, LABELS_UP_TO = 120 };

struct drawing {
    const struct pof_view *view;
    size_t instant;
    double scale, top, span, dot;
    struct pof_buf *to;
    struct pof_err *err;
};

int pof_view_escape(struct pof_buf *to, struct pof_text text, struct pof_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text.len; i++) {
        char c = text.ptr[i];
        rc = c == '&'   ? pof_buf_adds(to, "&amp;", err)
             : c == '<' ? pof_buf_adds(to, "&lt;", err)
             : c == '>' ? pof_buf_adds(to, "&gt;", err)
             : c == '"' ? pof_buf_adds(to, "&quot;", err)
                        : pof_buf_add(to, &c, 1, err);
    }
    return rc;
}

double pof_view_voltage_span(const struct pof_view *view)
{
    double most = 0.02;
    for (size_t c = 0; c < view->columns; c++) {
        const struct pof_view_column *k = &view->column[c];
        for (size_t i = 0; k->quantity == POF_VIEW_V_PU && i < k->rows; i++) {
            for (uint32_t v = 0; k->row[i] && v < view->grid->nodes; v++) {
                double away = fabs(k->row[i][v] - 1);
                most = away > most ? away : most; /* not for NaN; 0 is a dead node and no scale */
            }
        }
    }
    return fmin(ceil(most * 100 - 1e-9) / 100, 0.2);
}

/* To tenths of a pixel. */
static int px(double v, char *to)
{
    return (int)pof_decimal_format(lrint(v * 10), 1, to);
}

static int add_value(struct drawing *d, const char *what, bool branch, enum pof_view_quantity q, uint32_t i)
{
    double value = d->instant == SIZE_MAX ? NAN : pof_view_value(d->view, branch, q, d->instant, i);
    if (isnan(value)) {
        return 0;
    }
    value = q == POF_VIEW_P_W ? rint(value) + 0.0 : value; /* no one wants to read of nanowatts */
    return pof_buf_addf(d->to, d->err, ", %s %.6g %s", what, value, pof_view_quantity_unit(q));
}

static int add_title(struct drawing *d, bool branch, uint32_t i)
{
    const struct pof_grid *g = d->view->grid;
    int rc = pof_buf_adds(d->to, "<title>", d->err);
    rc = rc ? rc : pof_view_escape(d->to, branch ? g->branch[i].name : g->node[i].name, d->err);
    if (branch) {
        rc = rc ? rc : add_value(d, "loading", true, POF_VIEW_LOADING_PCT, i);
        rc = rc ? rc : add_value(d, "P", true, POF_VIEW_P_W, i);
        rc = rc || g->branch[i].closed ? rc : pof_buf_adds(d->to, ", open", d->err);
    } else {
        rc = rc ? rc : add_value(d, "voltage", false, POF_VIEW_V_PU, i);
        rc = rc ? rc : add_value(d, "P", false, POF_VIEW_P_W, i);
    }
    return rc ? rc : pof_buf_adds(d->to, "</title>", d->err);
}

static double place_x(const struct drawing *d, uint32_t v)
{
    return MARGIN + d->view->x[v] * d->scale;
}

static double place_y(const struct drawing *d, uint32_t v)
{
    return MARGIN + (d->view->y[v] - d->top) * d->scale;
}

static int draw_branch(struct drawing *d, uint32_t b)
{
    const struct pof_branch *k = &d->view->grid->branch[b];
    double load = d->instant == SIZE_MAX ? NAN
                                         : pof_view_value(d->view, true, POF_VIEW_LOADING_PCT, d->instant, b);
    char x1[POF_DECIMAL_MAX], y1[POF_DECIMAL_MAX], x2[POF_DECIMAL_MAX], y2[POF_DECIMAL_MAX];
    int a = px(place_x(d, k->from), x1), c = px(place_y(d, k->from), y1);
    int e = px(place_x(d, k->to), x2), f = px(place_y(d, k->to), y2);
    const char *class = !k->closed ? " class=\"open\"" : load > 100 ? " class=\"over\"" : "";
    int rc = pof_buf_addf(d->to, d->err, "<line x1=\"%.*s\" y1=\"%.*s\" x2=\"%.*s\" y2=\"%.*s\"%s stroke=\"#%06x\">",
                          a, x1, c, y1, e, x2, f, y2, class,
                          pof_view_colour(pof_view_loading_stops, load / 100));
    rc = rc ? rc : add_title(d, true, b);
    return rc ? rc : pof_buf_adds(d->to, "</line>\n", d->err);
}

/* Within limits a dot; above them a triangle up, below them one down; a cross where nothing is known. */
static int draw_node(struct drawing *d, uint32_t v)
{
    const struct pof_node *n = &d->view->grid->node[v];
    double pu = d->instant == SIZE_MAX ? NAN : pof_view_value(d->view, false, POF_VIEW_V_PU, d->instant, v);
    double up = pu > n->v_max_pu ? -1 : pu < n->v_min_pu ? 1 : 0;
    char x[POF_DECIMAL_MAX], y[POF_DECIMAL_MAX], r[POF_DECIMAL_MAX];
    int a = px(place_x(d, v), x), b = px(place_y(d, v), y), c = px(d->dot, r);
    uint32_t colour = pof_view_colour(pof_view_voltage_stops, 0.5 + (pu - 1) / (2 * d->span));
    int rc;
    if (up != 0) {
        char tip[POF_DECIMAL_MAX], foot[POF_DECIMAL_MAX], wide[POF_DECIMAL_MAX];
        int t = px(up * 2.4 * d->dot, tip), f = px(-up * 1.4 * d->dot, foot), w = px(2.2 * d->dot, wide);
        rc = pof_buf_addf(d->to, d->err,
                          "<path class=\"beyond\" transform=\"translate(%.*s %.*s)\" d=\"M0 %.*sL%.*s %.*sH-%.*sZ\" "
                          "fill=\"#%06x\">",
                          a, x, b, y, t, tip, w, wide, f, foot, w, wide, colour);
    } else if (d->instant != SIZE_MAX && isnan(pu)) {
        rc = pof_buf_addf(d->to, d->err,
                          "<path class=\"unknown\" transform=\"translate(%.*s %.*s)\" "
                          "d=\"M-%.*s -%.*sL%.*s %.*sM-%.*s %.*sL%.*s -%.*s\">",
                          a, x, b, y, c, r, c, r, c, r, c, r, c, r, c, r, c, r, c, r);
    } else {
        rc = pof_buf_addf(d->to, d->err, "<circle cx=\"%.*s\" cy=\"%.*s\" r=\"%.*s\" fill=\"#%06x\"%s>", a, x, b, y,
                          c, r, colour, n->kind == POF_NODE_SLACK ? " class=\"slack\"" : "");
    }
    rc = rc ? rc : add_title(d, false, v);
    return rc ? rc : pof_buf_adds(d->to, up != 0 || (d->instant != SIZE_MAX && isnan(pu)) ? "</path>\n" : "</circle>\n", d->err);
}

static int draw_label(struct drawing *d, uint32_t v)
{
    char x[POF_DECIMAL_MAX], y[POF_DECIMAL_MAX];
    int a = px(place_x(d, v) + 9, x), b = px(place_y(d, v) - 7, y);
    int rc = pof_buf_addf(d->to, d->err, "<text x=\"%.*s\" y=\"%.*s\">", a, x, b, y);
    rc = rc ? rc : pof_view_escape(d->to, d->view->grid->node[v].name, d->err);
    return rc ? rc : pof_buf_adds(d->to, "</text>\n", d->err);
}

static int draw_scale(struct drawing *d, const uint32_t *stops, const char *id, int x, int y)
{
    int rc = pof_buf_addf(d->to, d->err, "<linearGradient id=\"%s\">", id);
    for (int i = 0; rc == 0 && i < POF_VIEW_STOPS; i++) {
        rc = pof_buf_addf(d->to, d->err, "<stop offset=\"%d%%\" stop-color=\"#%06x\"/>",
                          i * 100 / (POF_VIEW_STOPS - 1), stops[i]);
    }
    return rc ? rc
              : pof_buf_addf(d->to, d->err,
                             "</linearGradient>\n<rect x=\"%d\" y=\"%d\" width=\"180\" height=\"12\" fill=\"url(#%s)\"/>\n",
                             x, y, id);
}

static int draw_legend(struct drawing *d, int y)
{
    char low[POF_DECIMAL_MAX], high[POF_DECIMAL_MAX], when[POF_INSTANT_MAX];
    int a = (int)pof_decimal_format(lrint((1 - d->span) * 100), 2, low);
    int b = (int)pof_decimal_format(lrint((1 + d->span) * 100), 2, high);
    int t = d->instant == SIZE_MAX ? 0 : (int)pof_instant_format(d->view->instant[d->instant], when);
    int rc = draw_scale(d, pof_view_voltage_stops, "voltage", MARGIN, y);
    rc = rc ? rc : draw_scale(d, pof_view_loading_stops, "loading", MARGIN + 240, y);
    return rc ? rc
              : pof_buf_addf(d->to, d->err,
                             "<text x=\"%d\" y=\"%d\">voltage %.*s to %.*s p.u.</text>\n"
                             "<text x=\"%d\" y=\"%d\">loading 0 to 100 %%</text>\n"
                             "<text x=\"%d\" y=\"%d\">%.*s</text>\n",
                             MARGIN, y + 28, a, low, b, high, MARGIN + 240, y + 28, 12, 20, t, when);
}

static int draw_head(struct drawing *d, int width, int height)
{
    int rc = pof_buf_addf(d->to, d->err,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                          "role=\"img\">\n<title>",
                          width, height, width, height);
    struct pof_text name = d->view->grid->name.len ? d->view->grid->name : pof_text("Grid");
    rc = rc ? rc : pof_view_escape(d->to, name, d->err);
    return rc ? rc
              : pof_buf_adds(d->to,
                             "</title>\n<style>line{stroke-width:2.5;stroke-linecap:round}"
                             ".open{stroke-dasharray:2 6}.over{stroke-width:7;stroke-dasharray:10 4}"
                             "circle,.beyond{stroke:#222;stroke-width:.8}.slack{stroke-width:3}"
                             ".unknown{stroke:#555;stroke-width:1.5;fill:none}"
                             "text{font:12px sans-serif;fill:#222}</style>\n"
                             "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
                             d->err);
}

int pof_view_picture(const struct pof_view *view, size_t instant, int width, struct pof_buf *to,
                     struct pof_err *err)
{
    const struct pof_grid *g = view->grid;
    double bottom = 0, top = 10000;
    for (uint32_t v = 0; v < g->nodes; v++) {
        bottom = fmax(bottom, view->y[v]);
        top = fmin(top, view->y[v]);
    }
    struct drawing d = {.view = view, .instant = instant, .scale = (width - 2.0 * MARGIN) / 10000,
                        .top = top, .span = pof_view_voltage_span(view), .to = to, .err = err,
                        .dot = g->nodes > 2000 ? 2 : g->nodes > LABELS_UP_TO ? 4 : 7};
    int height = (int)(2 * MARGIN + (bottom - top) * d.scale) + LEGEND;
    int rc = draw_head(&d, width, height);
    for (uint32_t b = 0; rc == 0 && b < g->branches; b++) {
        rc = draw_branch(&d, b);
    }
    for (uint32_t v = 0; rc == 0 && v < g->nodes; v++) {
        rc = draw_node(&d, v);
    }
    for (uint32_t v = 0; rc == 0 && g->nodes <= LABELS_UP_TO && v < g->nodes; v++) {
        rc = draw_label(&d, v);
    }
    rc = rc ? rc : draw_legend(&d, height - LEGEND + 16);
    return rc ? rc : pof_buf_adds(to, "</svg>\n", err);
}
