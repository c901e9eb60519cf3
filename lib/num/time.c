/* SPDX-License-Identifier: Apache-2.0 */
/* Instants and market days. */
#include "num/time.h"

#include <string.h>

enum { DAY_S = 86400 };

/* Days and dates after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", with years that
 * begin in March so that the leap day is the last. */
int64_t pof_date_days(struct pof_date d)
{
    int64_t y = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct pof_date pof_date_of_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct pof_date){(int)(yoe + era * 400 + (month <= 2)), month,
                             (int)(doy - (153 * mp + 2) / 5 + 1)};
}

int pof_date_weekday(struct pof_date d)
{
    int64_t w = (pof_date_days(d) + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(w < 0 ? w + 7 : w);
}

static bool digits(const char *p, int n, int *out)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
        v = v * 10 + (p[i] - '0');
    }
    *out = v;
    return true;
}

static int month_length(int year, int month)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : length[month - 1];
}

bool pof_date_parse(struct pof_text t, struct pof_date *out)
{
    struct pof_date d;
    if (t.len != 10 || t.ptr[4] != '-' || t.ptr[7] != '-' || !digits(t.ptr, 4, &d.year) ||
        !digits(t.ptr + 5, 2, &d.month) || !digits(t.ptr + 8, 2, &d.day)) {
        return false;
    }
    if (d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > month_length(d.year, d.month)) {
        return false;
    }
    *out = d;
    return true;
}

static void two(char *to, int v)
{
    to[0] = (char)('0' + v / 10 % 10);
    to[1] = (char)('0' + v % 10);
}

void pof_date_format(struct pof_date d, char *to)
{
    two(to, d.year / 100);
    two(to + 2, d.year % 100);
    to[4] = '-';
    two(to + 5, d.month);
    to[7] = '-';
    two(to + 8, d.day);
}

/* +hh:mm or -hh:mm in seconds. */
static bool parse_offset(const char *p, size_t n, int *seconds)
{
    int h;
    int m;
    if (n != 6 || (p[0] != '+' && p[0] != '-') || p[3] != ':' || !digits(p + 1, 2, &h) ||
        !digits(p + 4, 2, &m) || h > 23 || m > 59) {
        return false;
    }
    *seconds = (h * 3600 + m * 60) * (p[0] == '-' ? -1 : 1);
    return true;
}

/* .d, .dd or longer: milliseconds; digits beyond the third must be zero. */
static bool parse_fraction(const char **p, const char *end, int *ms)
{
    static const int weight[] = {100, 10, 1};
    const char *q = *p + 1;
    int n = 0;
    for (*ms = 0; q < end && *q >= '0' && *q <= '9'; q++, n++) {
        if (n < 3) {
            *ms += weight[n] * (*q - '0');
        } else if (*q != '0') {
            return false;
        }
    }
    *p = q;
    return n > 0;
}

bool pof_instant_ms_parse(struct pof_text t, int64_t *out_ms)
{
    struct pof_date d;
    int h;
    int m;
    int s = 0;
    int ms = 0;
    int offset = 0;
    const char *p = t.ptr;
    const char *end = p + t.len;
    if (t.len < 17 || !pof_date_parse((struct pof_text){p, 10}, &d) || p[10] != 'T' ||
        p[13] != ':' || !digits(p + 11, 2, &h) || !digits(p + 14, 2, &m) || h > 23 || m > 59) {
        return false;
    }
    p += 16;
    if (*p == ':') {
        if (end - p < 4 || !digits(p + 1, 2, &s) || s > 59) {
            return false;
        }
        p += 3;
        if (*p == '.' && !parse_fraction(&p, end, &ms)) {
            return false;
        }
    }
    bool utc = end - p == 1 && *p == 'Z';
    if (!utc && !parse_offset(p, (size_t)(end - p), &offset)) {
        return false;
    }
    *out_ms = (pof_date_days(d) * DAY_S + h * 3600 + m * 60 + s - offset) * 1000 + ms;
    return *out_ms >= 0;
}

bool pof_instant_parse(struct pof_text t, int64_t *out_s)
{
    int64_t ms;
    if (!pof_instant_ms_parse(t, &ms) || ms % 1000 != 0) {
        return false;
    }
    *out_s = ms / 1000;
    return true;
}

size_t pof_instant_format(int64_t s, char *to)
{
    struct pof_near near = {0};
    return pof_instant_format_near(s, &near, to);
}

static void move_to(struct pof_near *near, int64_t s)
{
    int64_t days = s / DAY_S;
    int rest = (int)(s % DAY_S);
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    if (days != near->days || near->text[0] == '\0') {
        pof_date_format(pof_date_of_days(days), near->text);
        near->days = days;
    }
    near->s = s;
    near->text[10] = 'T';
    two(near->text + 11, rest / 3600);
    near->text[13] = ':';
    two(near->text + 14, rest / 60 % 60);
    near->text[16] = ':';
    two(near->text + 17, rest % 60);
    near->text[19] = 'Z';
}

size_t pof_instant_format_near(int64_t s, struct pof_near *near, char *to)
{
    if (s != near->s || near->text[0] == '\0') {
        move_to(near, s);
    }
    memcpy(to, near->text, sizeof near->text);
    return sizeof near->text;
}

size_t pof_instant_ms_format(int64_t ms, char *to)
{
    int64_t s = ms / 1000;
    int rest = (int)(ms % 1000);
    if (rest < 0) {
        rest += 1000;
        s--;
    }
    pof_instant_format(s, to);
    to[19] = '.';
    to[20] = (char)('0' + rest / 100);
    two(to + 21, rest % 100);
    to[23] = 'Z';
    return 24;
}

/* Zone names of the European Union and its neighbours that follow its rule. */
static const struct {
    const char *name;
    enum pof_zone zone;
} zones[] = {
    {"UTC", POF_ZONE_UTC},
    {"WET", POF_ZONE_WET},
    {"CET", POF_ZONE_CET},
    {"EET", POF_ZONE_EET},
    {"Europe/Lisbon", POF_ZONE_WET},
    {"Europe/Dublin", POF_ZONE_WET},
    {"Europe/London", POF_ZONE_WET},
    {"Europe/Rome", POF_ZONE_CET},
    {"Europe/Berlin", POF_ZONE_CET},
    {"Europe/Madrid", POF_ZONE_CET},
    {"Europe/Paris", POF_ZONE_CET},
    {"Europe/Amsterdam", POF_ZONE_CET},
    {"Europe/Brussels", POF_ZONE_CET},
    {"Europe/Vienna", POF_ZONE_CET},
    {"Europe/Prague", POF_ZONE_CET},
    {"Europe/Warsaw", POF_ZONE_CET},
    {"Europe/Stockholm", POF_ZONE_CET},
    {"Europe/Copenhagen", POF_ZONE_CET},
    {"Europe/Oslo", POF_ZONE_CET},
    {"Europe/Zurich", POF_ZONE_CET},
    {"Europe/Athens", POF_ZONE_EET},
    {"Europe/Nicosia", POF_ZONE_EET},
    {"Europe/Helsinki", POF_ZONE_EET},
    {"Europe/Sofia", POF_ZONE_EET},
    {"Europe/Bucharest", POF_ZONE_EET},
};

bool pof_zone_parse(struct pof_text text, enum pof_zone *out)
{
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (pof_text_is(text, zones[i].name)) {
            *out = zones[i].zone;
            return true;
        }
    }
    return false;
}

const char *pof_zone_name(enum pof_zone zone)
{
    return zones[zone].name;
}

/* 01:00 UTC on the last Sunday of a month of 31 days. */
static int64_t last_sunday(int year, int month)
{
    struct pof_date d = {year, month, 31};
    d.day -= (pof_date_weekday(d) + 1) % 7;
    return pof_date_days(d) * DAY_S + 3600;
}

int64_t pof_zone_offset(enum pof_zone zone, int64_t instant)
{
    if (zone == POF_ZONE_UTC) {
        return 0;
    }
    int64_t standard = ((int64_t)zone - POF_ZONE_WET) * 3600;
    int year = pof_date_of_days(instant / DAY_S).year;
    bool summer = instant >= last_sunday(year, 3) && instant < last_sunday(year, 10);
    return standard + (summer ? 3600 : 0);
}

int64_t pof_local_instant(enum pof_zone zone, struct pof_date d, int64_t second_of_day)
{
    int64_t wall = pof_date_days(d) * DAY_S + second_of_day;
    int64_t guess = wall - pof_zone_offset(zone, wall);
    int64_t earlier = wall - pof_zone_offset(zone, guess - 3600);
    if (earlier + pof_zone_offset(zone, earlier) == wall) {
        return earlier; /* the only one, or the first of two */
    }
    int64_t later = wall - pof_zone_offset(zone, guess + 3600);
    return later + pof_zone_offset(zone, later) == wall ? later : earlier;
}

struct pof_date pof_local_date(enum pof_zone zone, int64_t instant)
{
    int64_t local = instant + pof_zone_offset(zone, instant);
    int64_t days = local / DAY_S - (local % DAY_S < 0);
    return pof_date_of_days(days);
}

void pof_market_day(enum pof_zone zone, struct pof_date d, int64_t *start, int64_t *end)
{
    struct pof_date next = pof_date_of_days(pof_date_days(d) + 1);
    *start = pof_local_instant(zone, d, 0);
    *end = pof_local_instant(zone, next, 0);
}
