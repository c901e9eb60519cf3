/* SPDX-License-Identifier: Apache-2.0 */
/* Instants and market days.
 *
 * An instant is int64 seconds since 1970-01-01T00:00:00Z (no leap seconds, as POSIX). A market day
 * is local: it has 92, 96 or 100 quarter-hours. The European rule for summer time (last Sunday of
 * March and October, 01:00 UTC; Directive 2000/84/EC) is computed here, so results do not depend on
 * the machine's time-zone files. Years 1970 to 9999. */
#ifndef POF_NUM_TIME_H
#define POF_NUM_TIME_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { POF_INSTANT_MAX = 28 };

/* RFC 3339: 2026-03-29T00:15:00Z, 2026-03-29T01:15:00+01:00, 2026-03-29T01:15Z (seconds may be
 * left out, fractions must be zero). false: not of this form or not a date. */
bool pof_instant_parse(struct pof_text text, int64_t *out_s);
/* The same in milliseconds, up to three decimals. */
bool pof_instant_ms_parse(struct pof_text text, int64_t *out_ms);

/* Always UTC with Z; milliseconds with three decimals. to has POF_INSTANT_MAX bytes, not
 * NUL-terminated; returns the length. */
size_t pof_instant_format(int64_t s, char *to);
size_t pof_instant_ms_format(int64_t ms, char *to);

/* The instant that was written last: others are mostly the same, or of the same day. Initialise with
 * {0}. */
struct pof_near {
    int64_t s;
    int64_t days;  /* since 1970-01-01 */
    char text[20]; /* 2026-03-29T00:15:00Z; empty before the first */
};
/* As pof_instant_format(). */
size_t pof_instant_format_near(int64_t s, struct pof_near *near, char *to);

#define POF_INSTANT_LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct pof_date {
    int year;
    int month; /* 1..12 */
    int day;   /* 1..31 */
};

/* 2026-03-29 */
bool pof_date_parse(struct pof_text text, struct pof_date *out);
/* to has 10 bytes. */
void pof_date_format(struct pof_date d, char *to);
int64_t pof_date_days(struct pof_date d);         /* days since 1970-01-01 */
struct pof_date pof_date_of_days(int64_t days);
int pof_date_weekday(struct pof_date d);          /* 0 Monday .. 6 Sunday */

/* European market zones; standard offset from UTC 0, 1, 2 hours. */
enum pof_zone { POF_ZONE_UTC, POF_ZONE_WET, POF_ZONE_CET, POF_ZONE_EET };

/* "UTC", "WET", "CET", "EET", or one of their cities: Europe/Lisbon, Europe/Rome, Europe/Berlin,
 * Europe/Madrid, Europe/Paris, Europe/Amsterdam, Europe/Athens ... */
bool pof_zone_parse(struct pof_text text, enum pof_zone *out);
const char *pof_zone_name(enum pof_zone zone);

/* Seconds to add to UTC at an instant. */
int64_t pof_zone_offset(enum pof_zone zone, int64_t instant);

/* The instant of a local wall-clock second of a date (0 = 00:00). In the hour that occurs twice the
 * first is meant; in the hour that is skipped, the instant of the jump onward. */
int64_t pof_local_instant(enum pof_zone zone, struct pof_date d, int64_t second_of_day);

/* The local date that contains an instant. */
struct pof_date pof_local_date(enum pof_zone zone, int64_t instant);

/* [*start, *end) of a market day; the length is 92, 96 or 100 quarter-hours. */
void pof_market_day(enum pof_zone zone, struct pof_date d, int64_t *start, int64_t *end);

#endif
