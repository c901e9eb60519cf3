/* SPDX-License-Identifier: Apache-2.0 */
/* A time table as work for cron and systemd: at each gate closure, run the session.
 *
 * The command is run by a shell in a directory, with the session's id as its last argument. The
 * market day in the id is made from the date of the run, so a run that was missed is not made up
 * for later. */
#ifndef POF_MARKET_TIMER_H
#define POF_MARKET_TIMER_H

#include "market/session.h"

struct pof_timer {
    const char *zone;    /* a zone of the system's database, such as Europe/Rome */
    const char *dir;     /* where the command is run; absolute */
    const char *command; /* for the shell, such as pipelines/session */
};

/* The system's name for a zone: what was asked for when it names a city (has a '/'), else a city
 * of the zone. */
const char *pof_timer_zone(const char *asked, enum pof_zone zone);

/* POF_E_USAGE unless zone, dir and command hold only letters, digits and ._+-/ (dir and command
 * also spaces, quoted on output) and dir begins with '/'. */
int pof_timer_check(const struct pof_timer *timer, struct pof_err *err) POF_CHECKED;

/* Lines for crontab(5), all rows. */
int pof_timer_cron(const struct pof_slots *slots, const struct pof_timer *timer, struct pof_buf *to,
                   struct pof_err *err) POF_CHECKED;
/* systemd.timer(5) and systemd.service(5) of one row, to be called pof-session-NAME.timer and
 * pof-session-NAME.service. */
int pof_timer_systemd(const struct pof_slot *slot, const struct pof_timer *timer,
                      struct pof_buf *to, struct pof_err *err) POF_CHECKED;
int pof_timer_service(const struct pof_slot *slot, const struct pof_timer *timer,
                      struct pof_buf *to, struct pof_err *err) POF_CHECKED;

#endif
