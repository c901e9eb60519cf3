/* SPDX-License-Identifier: Apache-2.0 */
/* The time table of a market and the sessions it makes of a day.
 *
 * A time table says, in local wall-clock time relative to the market day D, when each session
 * opens, closes its gate, has its results due, and which window of the day it is for. The day has
 * 92, 96 or 100 quarter-hours; a window from D 00:00 to D 04:00 has then 12, 16 or 20. Wall-clock
 * times become instants by the rules of num/time.h. */
#ifndef POF_MARKET_SESSION_H
#define POF_MARKET_SESSION_H

#include "base/mem.h"
#include "base/stream.h"
#include "num/time.h"
#include "record/record.h"

enum { POF_SESSION_ID_MAX = 32 };

enum pof_slot_time {
    POF_SLOT_OPENS,
    POF_SLOT_GATE,
    POF_SLOT_CLEAR_BY,
    POF_SLOT_VALIDATE_BY,
    POF_SLOT_FINAL_BY,
    POF_SLOT_START,
    POF_SLOT_END,
    POF_SLOT_TIMES
};

/* One row of a time table. */
struct pof_slot {
    struct pof_text name;           /* in the table's arena; letters, digits, '-' and '_' */
    int kind;                       /* word of session_kind */
    int32_t at_min[POF_SLOT_TIMES]; /* wall-clock minutes from 00:00 of the market day */
    uint64_t line;                  /* of the file it came from */
};

/* Initialise with {0}. Rows are in order of gate, then name. */
struct pof_slots {
    struct pof_slot *slot;
    size_t n, cap;
    struct pof_arena arena;
};

/* Reads timetable records and checks that they make sense: opens < gate <= clear_by <= validate_by
 * <= final_by <= start < end; windows on quarter-hours within the day; names given once; the
 * windows of each kind of session cover the day without gap or overlap. A table that fails is
 * POF_E_CONFIG (or what the reader says) with line and field; slots is then empty. */
int pof_slots_read(struct pof_slots *slots, const struct pof_source *src,
                       struct pof_err *err) POF_CHECKED;
/* The table that samples/sessions.csv holds: one day-ahead session, six of four hours. */
int pof_slots_default(struct pof_slots *slots, struct pof_err *err) POF_CHECKED;
void pof_slots_release(struct pof_slots *slots);

/* The session of a row on a market day. The texts of *session point into id and day. */
struct pof_session_text {
    char id[POF_SESSION_ID_MAX];
    char day[10];
};
void pof_session_make(const struct pof_slot *slot, enum pof_zone zone, struct pof_date day,
                      struct pof_session *session, struct pof_session_text *text);

/* The row and market day of a session id such as 2026-03-10-RT1. POF_E_REFERENCE when the table has
 * no such session. */
int pof_session_find(const struct pof_slots *slots, struct pof_text id, const struct pof_slot **slot,
                     struct pof_date *day, struct pof_err *err) POF_CHECKED;

enum pof_gate { POF_GATE_EARLY, POF_GATE_OPEN, POF_GATE_CLOSED };
enum pof_gate pof_session_gate(const struct pof_session *session, int64_t now);

/* Calls each(ctx, session) for every session that is under way at an instant: opens <= now <
 * final_by. In order of market day and gate. Stops when each fails and returns that. */
int pof_session_current(const struct pof_slots *slots, enum pof_zone zone, int64_t now,
                        int (*each)(void *ctx, const struct pof_session *s, struct pof_err *err),
                        void *ctx, struct pof_err *err) POF_CHECKED;

/* Order of session ids: bytes, but runs of digits by their value, so RT2 is before RT10. <0, 0, >0;
 * 0 only for equal ids. */
int pof_session_id_cmp(struct pof_text a, struct pof_text b);

#endif
