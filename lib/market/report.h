/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a market day, as text for people: what each session was asked, offered, awarded and
 * allowed, what stayed unmet and why, the money, and the time of each flow.
 *
 * Records come in any order and the text does not depend on it. Energy is summed in integer W.s,
 * money in 1e-6 EUR; rounding, half to even, happens when a figure is printed.
 *
 * An award, its verdict, its outcome and its settlement meet by the award's id; an outcome counts
 * where there is one, else the verdict. An award without either counts as not yet approved.
 *
 * Offers that a session leaves over are given again to the next one, with another id, power or
 * time. So all offers of one session, seller, pod, direction and price are one, and in a
 * quarter-hour the largest of them counts. What a later session is offered is that, less what
 * earlier sessions took of it.
 *
 * Without the grid, a request is met by the awards made for it and by nothing else. Why it stays
 * unmet in a quarter-hour: what was awarded and then cut is 'grid'. Of the rest,
 * when all that was offered in its direction was taken: 'offers ran out'; when the cheapest offer
 * left asks more than the request's limit: 'too dear'; else 'out of reach' (the offers left are
 * elsewhere in the grid, or behind a limit).
 *
 * Kept in memory: each name once; a row for every offer (56 bytes), request (64), award (104) and
 * event (40); a cell for every quarter-hour of a session and of a request. */
#ifndef POF_MARKET_REPORT_H
#define POF_MARKET_REPORT_H

#include "base/text.h"
#include "record/record.h"

struct pof_report;

int pof_report_new(struct pof_report **out, struct pof_err *err) POF_CHECKED;
void pof_report_free(struct pof_report *r); /* NULL allowed */

/* pod, session, request, offer, award, verdict, outcome, settlement, statement and event records. */
int pof_report_take(struct pof_report *r, const struct pof_record *record,
                    struct pof_err *err) POF_CHECKED;

/* Times to stand beside ours: CSV with the header flow,kind,pods,ms. name is for messages. */
int pof_report_reference(struct pof_report *r, struct pof_text csv, const char *name,
                         struct pof_err *err) POF_CHECKED;

/* What is left of the requests, as pof_join_unmet() hands it out: the whole request, or a part called
 * ID/TIME. It takes the grid to know that an award for one request serves another as well; once
 * pof_report_unmet_given() was called, only these records say what is unmet. */
void pof_report_unmet_given(struct pof_report *r);
int pof_report_unmet(struct pof_report *r, const struct pof_request *left,
                     struct pof_err *err) POF_CHECKED;

/* Adds the report. Once, after the last record. */
int pof_report_write(struct pof_report *r, struct pof_buf *to, struct pof_err *err) POF_CHECKED;

#endif
