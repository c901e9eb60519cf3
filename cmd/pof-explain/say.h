/* SPDX-License-Identifier: Apache-2.0 */
/* A record as a sentence with its line feed, added to a buffer. */
#include "base/text.h"
#include "record/record.h"

int explain_say_offer(struct pof_buf *b, const struct pof_explanation *e, struct pof_err *err) POF_CHECKED;
int explain_say_answer(struct pof_buf *b, const struct pof_answer *a, struct pof_err *err) POF_CHECKED;
int explain_say_change(struct pof_buf *b, const struct pof_change *c, struct pof_err *err) POF_CHECKED;
