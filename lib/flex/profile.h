/* SPDX-License-Identifier: Apache-2.0 */
/* Load and photovoltaic profiles of a day, as integers.
 *
 * The shapes are this project's own, synthetic, drawn in the style of standard load profiles: a
 * curve per kind of customer for working days and weekends in winter and summer, with the seasons
 * of the German standard profiles (VDEW/BDEW: winter 1 November to 20 March, summer 15 May to
 * 14 September) and a linear passage between them. They are no measurement of anybody. Holidays
 * count by their weekday.
 *
 * A value is per mille of the customer's size: 1000 is the highest winter value of a load, the
 * installed peak power of a photovoltaic plant under a clear sky. Consumption is positive. */
#ifndef POF_FLEX_PROFILE_H
#define POF_FLEX_PROFILE_H

#include "num/time.h"

#include <stdbool.h>

enum pof_profile {
    POF_PROFILE_HOUSEHOLD,
    POF_PROFILE_COMMERCIAL,
    POF_PROFILE_VEHICLE,
    POF_PROFILE_HEATPUMP,
    POF_PROFILE_BATTERY, /* what it would do by itself: store at noon, give in the evening */
    POF_PROFILE_PV,
    POF_PROFILES
};

/* What all hours of a local day have in common. */
struct pof_profile_day {
    int winter_permille;  /* 1000 in winter, 0 in summer */
    bool weekend;
    int pv_peak_permille; /* of installed power at solar noon */
    int pv_half_day_s;    /* from solar noon to sunset */
};

void pof_profile_day(struct pof_profile_day *day, struct pof_date date);

/* The value at a second of the day, linear between the corner points. load_s is wall-clock time,
 * what people live by; sun_s is standard time (without summer time), what the sun goes by. Any
 * integer is taken modulo a day. */
int pof_profile_at(enum pof_profile profile, const struct pof_profile_day *day, int load_s,
                   int sun_s);

#endif
