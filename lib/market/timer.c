/* SPDX-License-Identifier: Apache-2.0 */
/* Time tables as crontab lines and systemd units. */
#include "market/timer.h"

#include <string.h>

enum { DAY_MIN = 1440 };

const char *pof_timer_zone(const char *asked, enum pof_zone zone)
{
    static const char *const city[] = {"UTC", "Europe/Lisbon", "Europe/Rome", "Europe/Athens"};
    return strchr(asked, '/') ? asked : city[zone];
}

static bool plain(const char *s, const char *also)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._+-/";
    for (; *s; s++) {
        if (!strchr(letters, *s) && !strchr(also, *s)) {
            return false;
        }
    }
    return true;
}

int pof_timer_check(const struct pof_timer *timer, struct pof_err *err)
{
    if (timer->dir[0] != '/' || !plain(timer->dir, " ")) {
        return pof_fail(err, POF_E_USAGE,
                        "'%.80s' is not an absolute directory of letters, digits, spaces and ._+-/",
                        timer->dir);
    }
    if (!timer->command[0] || !plain(timer->command, " ")) {
        return pof_fail(err, POF_E_USAGE,
                        "'%.80s' is not a command of letters, digits, spaces and ._+-/",
                        timer->command);
    }
    if (!plain(timer->zone, "")) {
        return pof_fail(err, POF_E_USAGE, "'%.80s' is not the name of a zone", timer->zone);
    }
    return 0;
}

/* The gate's wall-clock minutes, and the days from the day of the gate to the market day. */
static int gate_of(const struct pof_slot *slot, int *days)
{
    int gate = slot->at_min[POF_SLOT_GATE];
    int minutes = ((gate % DAY_MIN) + DAY_MIN) % DAY_MIN;
    *days = (minutes - gate) / DAY_MIN;
    return minutes;
}

int pof_timer_cron(const struct pof_slots *slots, const struct pof_timer *timer, struct pof_buf *to,
                   struct pof_err *err)
{
    /* CRON_TZ: when to run (cronie; Debian's cron takes the system's zone). TZ: for date(1). */
    int rc = pof_buf_addf(to, err, "SHELL=/bin/sh\nCRON_TZ=%s\nTZ=%s\n", timer->zone, timer->zone);
    for (size_t i = 0; i < slots->n && rc == 0; i++) {
        const struct pof_slot *s = &slots->slot[i];
        int days;
        int at = gate_of(s, &days);
        rc = pof_buf_addf(to, err,
                          "%d %d * * * cd '%s' && %s \"$(date -d '%+d day' +\\%%F)-%.*s\"\n",
                          at % 60, at / 60, timer->dir, timer->command, days, (int)s->name.len,
                          s->name.ptr);
    }
    return rc;
}

int pof_timer_systemd(const struct pof_slot *slot, const struct pof_timer *timer,
                      struct pof_buf *to, struct pof_err *err)
{
    int days;
    int at = gate_of(slot, &days);
    return pof_buf_addf(to, err,
                        "[Unit]\nDescription=Gate closure of market session %.*s\n\n"
                        "[Timer]\nOnCalendar=*-*-* %02d:%02d:00 %s\nAccuracySec=1s\n\n"
                        "[Install]\nWantedBy=timers.target\n",
                        (int)slot->name.len, slot->name.ptr, at / 60, at % 60, timer->zone);
}

int pof_timer_service(const struct pof_slot *slot, const struct pof_timer *timer,
                      struct pof_buf *to, struct pof_err *err)
{
    int days;
    gate_of(slot, &days);
    return pof_buf_addf(to, err,
                        "[Unit]\nDescription=Market session %.*s\n\n"
                        "[Service]\nType=oneshot\nWorkingDirectory=%s\nEnvironment=TZ=%s\n"
                        "ExecStart=/bin/sh -c 'exec %s \"$(date -d \"%+d day\" +%%%%F)-%.*s\"'\n",
                        (int)slot->name.len, slot->name.ptr, timer->dir, timer->zone,
                        timer->command, days, (int)slot->name.len, slot->name.ptr);
}
