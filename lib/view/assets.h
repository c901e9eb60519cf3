/* SPDX-License-Identifier: Apache-2.0 */
/* The files of share/view, as they were when the program was built. */
#ifndef POF_VIEW_ASSETS_H
#define POF_VIEW_ASSETS_H

#include "base/text.h"

struct pof_text pof_view_html(void);   /* page.html: {{title}} {{head}} {{style}} {{data}} {{script}} */
struct pof_text pof_view_style(void);  /* page.css */
struct pof_text pof_view_script(void); /* page.js */

#endif
