/* SPDX-License-Identifier: Apache-2.0 */
/* One instant of a grid as SVG 1.1, for reports. */
#ifndef POF_VIEW_PICTURE_H
#define POF_VIEW_PICTURE_H

#include "view/view.h"

/* Adds a picture of the given width in pixels: branches by loading, nodes by voltage, what is beyond a
 * limit with a shape of its own, a title for each element with its values to six digits, a legend. instant: number of one of
 * view's, or SIZE_MAX for the grid alone. The same bytes for the same values. O(elements). NOMEM. */
int pof_view_picture(const struct pof_view *view, size_t instant, int width, struct pof_buf *to,
                     struct pof_err *err) POF_CHECKED;

/* How far from 1 p.u. the scale of voltages reaches: the largest distance of any value, in steps of
 * 0.01, at least 0.02. */
double pof_view_voltage_span(const struct pof_view *view);

/* Text with & < > " as entities, added to a buffer. */
int pof_view_escape(struct pof_buf *to, struct pof_text text, struct pof_err *err) POF_CHECKED;

#endif
