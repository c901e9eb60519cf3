/* SPDX-License-Identifier: Apache-2.0 */
/* A grid and its records as one HTML page that needs nothing else: no network, no other file. */
#ifndef POF_VIEW_PAGE_H
#define POF_VIEW_PAGE_H

#include "view/view.h"

struct pof_view_page {
    const char *title; /* NULL: the grid's name */
    int reload_s;      /* the page loads itself again after so many seconds; 0: never */
};

/* Adds the page. Its data are one packed block: a JSON header (names, places, instants, records as
 * their lines) and the columns as little-endian doubles, so that the page shows exactly the numbers of
 * the records. O(values). NOMEM. */
int pof_view_page(const struct pof_view *view, const struct pof_view_page *page, struct pof_buf *to,
                  struct pof_err *err) POF_CHECKED;

#endif
