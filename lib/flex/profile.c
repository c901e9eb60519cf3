/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: corner points and straight lines between them. */
#include "flex/profile.h"

enum { DAY_S = 86400, HOUR_S = 3600, NOON_S = 44100 /* 12:15 */ };

/* Per mille at the full hours: [profile][season: winter, summer][working day, weekend][hour]. */
static const short shapes[POF_PROFILE_PV][2][2][24] = {
    [POF_PROFILE_HOUSEHOLD] =
        {{{320, 260, 230, 220, 220, 240, 330, 520, 560, 500, 460, 470,
           520, 500, 450, 440, 500, 650, 860, 1000, 950, 820, 640, 460},
          {360, 300, 260, 240, 230, 230, 250, 340, 500, 640, 690, 720,
           760, 700, 620, 590, 620, 720, 880, 980, 920, 800, 650, 490}},
         {{270, 220, 200, 190, 190, 210, 290, 420, 450, 420, 410, 430,
           470, 440, 400, 390, 420, 500, 600, 680, 720, 740, 620, 420},
          {300, 250, 220, 200, 190, 190, 220, 300, 420, 520, 560, 600,
           640, 590, 520, 490, 500, 560, 640, 700, 730, 740, 620, 440}}},
    [POF_PROFILE_COMMERCIAL] =
        {{{280, 270, 260, 260, 270, 300, 420, 640, 860, 960, 1000, 1000,
           950, 960, 980, 970, 920, 850, 760, 640, 520, 420, 350, 300},
          {250, 240, 240, 230, 230, 240, 270, 340, 440, 520, 560, 570,
           540, 500, 470, 450, 440, 430, 420, 390, 350, 320, 290, 270}},
         {{270, 260, 250, 250, 250, 270, 360, 560, 780, 900, 960, 980,
           960, 980, 990, 970, 890, 780, 660, 540, 440, 370, 320, 290},
          {240, 230, 230, 220, 220, 220, 240, 300, 400, 480, 530, 550,
           530, 500, 470, 450, 430, 410, 380, 350, 320, 300, 280, 260}}},
    [POF_PROFILE_VEHICLE] =
        {{{420, 330, 260, 200, 150, 100, 80, 110, 190, 230, 210, 180,
           170, 170, 190, 240, 360, 560, 800, 960, 1000, 930, 760, 570},
          {440, 350, 270, 200, 150, 110, 90, 90, 130, 190, 240, 270,
           290, 300, 310, 340, 420, 540, 680, 780, 800, 750, 650, 530}},
         {{400, 310, 240, 180, 140, 90, 80, 110, 190, 230, 210, 190,
           180, 180, 200, 240, 340, 520, 720, 870, 910, 870, 730, 550},
          {420, 330, 250, 190, 140, 100, 80, 90, 130, 190, 240, 280,
           300, 310, 310, 330, 390, 490, 610, 700, 740, 710, 620, 510}}},
    [POF_PROFILE_HEATPUMP] =
        {{{620, 600, 600, 620, 680, 800, 960, 1000, 930, 820, 740, 680,
           640, 620, 620, 660, 740, 840, 920, 940, 900, 830, 740, 660},
          {630, 610, 600, 610, 650, 720, 830, 930, 960, 900, 810, 740,
           690, 660, 650, 680, 750, 840, 910, 930, 890, 820, 740, 670}},
         {{60, 60, 60, 60, 80, 130, 190, 210, 180, 150, 140, 150,
           170, 190, 200, 200, 190, 180, 180, 170, 150, 120, 90, 70},
          {60, 60, 60, 60, 70, 100, 150, 190, 200, 180, 160, 160,
           180, 200, 210, 210, 200, 180, 180, 170, 150, 120, 90, 70}}},
    [POF_PROFILE_BATTERY] =
        {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 100, 150, 150, 110, 50, 0, 0, -60, -130, -150, -110, -40, 0, 0},
          {0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 100, 150, 150, 110, 50, 0, 0, -60, -130, -150, -110, -40, 0, 0}},
         {{-60, 0, 0, 0, 0, 0, 0, 0, 80, 180, 300, 380, 380, 300, 180, 60, 0, 0, -140, -280, -360, -340, -240, -140},
          {-60, 0, 0, 0, 0, 0, 0, 0, 80, 180, 300, 380, 380, 300, 180, 60, 0, 0, -140, -280, -360, -340, -240, -140}}},
};

/* sin(pi x)^1.3 for x = 0, 1/64 ... 1/2: a clear day from sunrise to noon. */
static const short clear_sky[33] = {0,   20,  49,  83,  119, 159, 200, 243, 287, 331, 376,
                                    421, 466, 510, 553, 596, 637, 677, 716, 752, 787, 819,
                                    849, 877, 902, 925, 944, 961, 975, 986, 994, 998, 1000};

/* Middle of each month at 45 degrees north: clear-sky peak and half the length of the day. */
static const short pv_peak[12] = {360, 490, 640, 750, 800, 820, 810, 770, 680, 530, 390, 320};
static const short pv_half_min[12] = {276, 315, 357, 405, 444, 465, 456, 420, 375, 330, 288, 264};

/* How far v has come from a to b, in per mille, 0 and 1000 outside. */
static int64_t passage(int64_t v, int64_t a, int64_t b)
{
    return v <= a ? 0 : v >= b ? 1000 : (v - a) * 1000 / (b - a);
}

static int64_t between(int64_t a, int64_t b, int64_t part, int64_t whole)
{
    return a + (b - a) * part / whole;
}

static int winter_share(struct pof_date date)
{
    int64_t d = pof_date_days(date);
    if (date.month < 7) {
        return 1000 - (int)passage(d, pof_date_days((struct pof_date){date.year, 3, 20}),
                                   pof_date_days((struct pof_date){date.year, 5, 15}));
    }
    return (int)passage(d, pof_date_days((struct pof_date){date.year, 9, 14}),
                        pof_date_days((struct pof_date){date.year, 11, 1}));
}

void pof_profile_day(struct pof_profile_day *day, struct pof_date date)
{
    /* The sun's year in 12 months of equal length: position in 1/1000 month from mid January. */
    int64_t doy = pof_date_days(date) - pof_date_days((struct pof_date){date.year, 1, 1});
    int64_t pos = (doy * 12000 / 365 + 11500) % 12000;
    int a = (int)(pos / 1000);
    int b = (a + 1) % 12;
    int64_t part = pos % 1000;
    day->winter_permille = winter_share(date);
    day->weekend = pof_date_weekday(date) >= 5;
    day->pv_peak_permille = (int)between(pv_peak[a], pv_peak[b], part, 1000);
    day->pv_half_day_s = (int)between(pv_half_min[a] * 60, pv_half_min[b] * 60, part, 1000);
}

static int pv_at(const struct pof_profile_day *day, int sun_s)
{
    int64_t from_noon = sun_s < NOON_S ? NOON_S - sun_s : sun_s - NOON_S;
    int64_t up = day->pv_half_day_s - from_noon; /* seconds after sunrise, mirrored at noon */
    if (up <= 0) {
        return 0;
    }
    int64_t pos = up * 32000 / day->pv_half_day_s;
    int64_t i = pos / 1000;
    int64_t sky = i >= 32 ? 1000 : between(clear_sky[i], clear_sky[i + 1], pos % 1000, 1000);
    return (int)(-sky * day->pv_peak_permille / 1000);
}

static int wrap(int s)
{
    s %= DAY_S;
    return s < 0 ? s + DAY_S : s;
}

int pof_profile_at(enum pof_profile profile, const struct pof_profile_day *day, int load_s,
                   int sun_s)
{
    if (profile == POF_PROFILE_PV) {
        return pv_at(day, wrap(sun_s));
    }
    int s = wrap(load_s);
    int a = s / HOUR_S;
    int b = (a + 1) % 24;
    const short *w = shapes[profile][0][day->weekend];
    const short *u = shapes[profile][1][day->weekend];
    int64_t winter = between(w[a], w[b], s % HOUR_S, HOUR_S);
    int64_t summer = between(u[a], u[b], s % HOUR_S, HOUR_S);
    return (int)between(summer, winter, day->winter_permille, 1000);
}
