/* SPDX-License-Identifier: Apache-2.0 */
/* How well readings are known, what stands in for missing ones, and for how long: the options of pof-se
 * and pof-case, the same words in both. */
#ifndef POF_CMD_FEED_H
#define POF_CMD_FEED_H

#include "cli/cli.h"
#include "grid/estimate_feed.h"

#include <stddef.h>

/* What the options say, 1e-6 percent; begins as USUAL_FEED. */
struct feed_args {
    int64_t sigma_meter, sigma_voltage, pseudo, pseudo_load, age_power, age_voltage;
    int64_t age_limit; /* s */
    bool allocate;
};
#define USUAL_FEED(seconds)                                                                        \
    {.sigma_meter = 1000000,                                                                       \
     .sigma_voltage = 500000,                                                                      \
     .pseudo_load = 30000000,                                                                      \
     .age_limit = (seconds),                                                                       \
     .age_power = 20000000,                                                                        \
     .age_voltage = 500000}

/* Rows of an option table; args has a member struct feed_args feed. usual: its age limit, as text. */
#define FEED_OPTIONS(args, usual)                                                                  \
    {"sigma-meter", 0, POF_OPT_MICRO, offsetof(args, feed.sigma_meter), "PERCENT",                 \
     "standard deviation of pods' p and q (1)", 0, 1000, NULL},                                    \
    {"sigma-voltage", 0, POF_OPT_MICRO, offsetof(args, feed.sigma_voltage), "PERCENT",             \
     "standard deviation of pods' voltage (0.5)", 0, 100, NULL},                                   \
    {"pseudo", 'p', POF_OPT_MICRO, offsetof(args, feed.pseudo), "PERCENT",                         \
     "assume consumption nobody reads, so well (0: assume nothing)", 0, 1000, NULL},               \
    {"pseudo-load", 0, POF_OPT_MICRO, offsetof(args, feed.pseudo_load), "PERCENT",                 \
     "of rated power: consumption where nothing better is known (30)", 0, 1000, NULL},             \
    {"allocate", 0, POF_OPT_FLAG, offsetof(args, feed.allocate), NULL,                             \
     "shift what is assumed until it sums up to measured feeder flows (no)", 0, 0, NULL},          \
    {"age-limit", 'a', POF_OPT_INT, offsetof(args, feed.age_limit), "SECONDS",                     \
     "last values stand in so long for missing newer ones (" usual ")", 0, 31622400, NULL},        \
    {"age-power", 0, POF_OPT_MICRO, offsetof(args, feed.age_power), "PERCENT",                     \
     "p, q and i change so much in an hour (20)", 0, 100000, NULL},                                \
    {"age-voltage", 0, POF_OPT_MICRO, offsetof(args, feed.age_voltage), "PERCENT",                 \
     "v does, and angles in percent of a radian (0.5)", 0, 100000, NULL}

static inline struct pof_feed_options feed_options(const struct feed_args *a)
{
    return (struct pof_feed_options){.sigma_meter = (double)a->sigma_meter / 1e8,
                                     .sigma_voltage = (double)a->sigma_voltage / 1e8,
                                     .sigma_pseudo = (double)a->pseudo / 1e8,
                                     .load_share = (double)a->pseudo_load / 1e8,
                                     .allocate = a->allocate,
                                     .age_limit_s = a->age_limit,
                                     .age_power = (double)a->age_power / 1e8,
                                     .age_voltage = (double)a->age_voltage / 1e8};
}

#endif
