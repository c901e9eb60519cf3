/* SPDX-License-Identifier: Apache-2.0 */
/* What names and units of measurements mean when other programs write them.
 *
 * Power may come as power, or as the energy of the interval: P = E / T, rounded once to whole watts,
 * half to even. Both together must agree. Everything is integers: energies count 1e-6 Wh. */
#include "record/form.h"

#include "num/decimal.h"
#include "num/scaled.h"
#include "num/time.h"
#include "num/units.h"

#include <inttypes.h>
#include <string.h>

enum meaning { POWER, REACTIVE, VOLTAGE, IN, OUT, NET, DURATION, START, END, QUANTITIES, TRAP };

/* A name, and how many digits the point moves to the unit that is kept: W, var, mV, 1e-6 Wh, s. */
struct term {
    const char *name;
    enum meaning what;
    int power;
    const char *advice; /* of a trap */
};

static const char no_unit[] = "has no unit and no direction: name it p_w or p_kw, or e_in_wh, e_out_kwh ... "
                              "for the energy of the interval";
static const char two_units[] = "may be thousandths or millions: name it with w, kw or wh, kwh";

static const char counter[] = "is the reading of a counter: expected the energy of each interval (delta data, "
                              "accumulation 4)";

static const struct term terms[] = {
    {"p_w", POWER, 0, NULL},       {"p_kw", POWER, 3, NULL},      {"q_var", REACTIVE, 0, NULL},
    {"q_kvar", REACTIVE, 3, NULL}, {"v_mv", VOLTAGE, 0, NULL},    {"v_v", VOLTAGE, 3, NULL},
    {"v_kv", VOLTAGE, 6, NULL},    {"e_in_wh", IN, 6, NULL},      {"e_in_kwh", IN, 9, NULL},
    {"e_out_wh", OUT, 6, NULL},    {"e_out_kwh", OUT, 9, NULL},   {"e_wh", NET, 6, NULL},
    {"e_kwh", NET, 9, NULL},       {"duration_s", DURATION, 0, NULL}, {"start", START, 0, NULL},
    {"ts", START, 0, NULL},        {"timestamp", START, 0, NULL}, {"time", START, 0, NULL},
    {"end", END, 0, NULL},         {"p", TRAP, 0, no_unit},       {"power", TRAP, 0, no_unit},
    {"value", TRAP, 0, no_unit},   {"e", TRAP, 0, no_unit},       {"energy", TRAP, 0, no_unit},
    {"kwh", TRAP, 0, no_unit},     {"kw", TRAP, 0, no_unit},      {"p_mw", TRAP, 0, two_units},
    {"e_in_mwh", TRAP, 0, two_units}, {"e_out_mwh", TRAP, 0, two_units},
    {"counter_wh", TRAP, 0, counter}};

static const struct term *term_of(struct pof_text name)
{
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        if (pof_text_is(name, terms[i].name)) {
            return &terms[i];
        }
    }
    return NULL;
}

bool pofi_is_term(struct pof_text name)
{
    const struct term *t = term_of(name);
    bool ours = t && (t->what == TRAP || pof_text_is(name, "p_w") || pof_text_is(name, "q_var") ||
                      pof_text_is(name, "v_mv") || pof_text_is(name, "start") ||
                      pof_text_is(name, "duration_s"));
    return t && !ours;
}

/* --- instants --- */

/* Numbers of seconds or finer; which they are is plain from their size: seconds reach 1e11 in the year
 * 5138, milliseconds passed it in March 1973. */
static int64_t unit_by_size(int64_t v)
{
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    return size < UINT64_C(100000000000)         ? 1
           : size < UINT64_C(100000000000000)    ? 1000
           : size < UINT64_C(100000000000000000) ? 1000000
                                                 : 1000000000;
}

static bool unix_time(int64_t per_second, struct pof_text text, int64_t *ms)
{
    int64_t v;
    bool exact;
    if (!pof_decimal_scaled(text, 0, &v, &exact)) {
        return false;
    }
    int64_t per = per_second ? per_second : unit_by_size(v);
    if (per == 1) {
        return pof_decimal_scaled(text, 3, ms, &exact);
    }
    *ms = v / (per / 1000) - (v % (per / 1000) < 0);
    return true;
}

/* 2026-03-29T00:15[:00[.123456]], a blank instead of T allowed, then what follows: an offset or nothing. */
static size_t clock_part(struct pof_text t)
{
    size_t n = 16;
    if (t.len < n || t.ptr[4] != '-' || (t.ptr[10] != 'T' && t.ptr[10] != ' ') || t.ptr[13] != ':') {
        return 0;
    }
    if (n < t.len && t.ptr[n] == ':') {
        n += 3;
        if (n < t.len && t.ptr[n] == '.') {
            do {
                n++;
            } while (n < t.len && t.ptr[n] >= '0' && t.ptr[n] <= '9');
        }
    }
    return n <= t.len ? n : 0;
}

static int no_zone(struct pof_text text, struct pof_err *err)
{
    return pof_fail(err, POF_E_TIME,
                    "'%.*s' does not say its offset from UTC: it may be local time; expected Z or +01:00 "
                    "behind it, or --zone",
                    (int)(text.len < 40 ? text.len : 40), text.ptr);
}

/* An instant of the clock on the wall, as it would be in UTC, to UTC. */
static int from_wall(enum pof_zone zone, int64_t wall_ms, struct pof_err *err, int64_t *ms)
{
    int64_t wall = wall_ms / 1000;
    int64_t day = wall / 86400;
    int64_t at = pof_local_instant(zone, pof_date_of_days(day), wall - day * 86400);
    if (at + pof_zone_offset(zone, at) != wall) {
        return pof_fail(err, POF_E_TIME, "a time that the clocks skip on this day in %s",
                        pof_zone_name(zone));
    }
    /* An hour later it is the same time again on the day that has 25 hours. */
    if (zone != POF_ZONE_UTC && at + 3600 + pof_zone_offset(zone, at + 3600) == wall) {
        return pof_fail(err, POF_E_TIME,
                        "a time that comes twice on this day in %s: expected an offset behind it",
                        pof_zone_name(zone));
    }
    *ms = at * 1000 + wall_ms % 1000;
    return 0;
}

int pofi_instant_of(const struct pof_form_options *how, struct pof_text text, int64_t *ms,
                    struct pof_err *err)
{
    char plain[POF_INSTANT_MAX + 8];
    if (text.len < sizeof plain && unix_time(how->per_second, text, ms)) {
        return 0;
    }
    size_t n = clock_part(text), tail = text.len - n;
    size_t head = n < 23 ? n : 23; /* to milliseconds: what is finer is cut off */
    if (n == 0 || tail > 6) {
        return pof_fail(err, POF_E_TIME, "'%.*s' is not an instant such as 2026-03-29T00:15:00Z",
                        (int)(text.len < 40 ? text.len : 40), text.ptr);
    }
    memcpy(plain, text.ptr, head);
    plain[10] = 'T';
    memcpy(plain + head, tail ? text.ptr + n : "Z", tail ? tail : 1);
    if (!pof_instant_ms_parse((struct pof_text){plain, head + (tail ? tail : 1)}, ms)) {
        return pof_fail(err, POF_E_TIME, "'%.*s' is not an instant such as 2026-03-29T00:15:00Z",
                        (int)(text.len < 40 ? text.len : 40), text.ptr);
    }
    if (tail) {
        return 0;
    }
    return how->zone < 0 ? no_zone(text, err) : from_wall((enum pof_zone)how->zone, *ms, err, ms);
}

/* --- values --- */

/* What a record says, by meaning. */
struct said {
    const struct pofi_value *at[QUANTITIES]; /* where it was found; NULL: not there */
    int64_t value[QUANTITIES];               /* in the unit kept */
    const struct pofi_value *trap;
    const struct term *trap_term;
    bool suspect; /* power and energy do not agree, and this is not an error */
};

static int place(struct pof_err *err, const struct pofi_value *v)
{
    char name[sizeof err->field];
    size_t n = v->name.len < sizeof name - 1 ? v->name.len : sizeof name - 1;
    memcpy(name, v->name.ptr, n);
    name[n] = '\0';
    return pof_at(err, NULL, 0, name);
}

static int read_number(const struct term *t, const struct pofi_value *v, int64_t *out,
                       struct pof_err *err)
{
    bool exact;
    int shown = (int)(v->text.len < 60 ? v->text.len : 60);
    if (memchr(v->text.ptr, ',', v->text.len)) {
        return pof_fail(err, POF_E_NUMBER, "'%.*s' has a decimal comma: expected a point, or --dialect it",
                        shown, v->text.ptr);
    }
    if (!pof_decimal_scaled(v->text, t->power, out, &exact)) {
        return pof_fail(err, POF_E_NUMBER, "'%.*s' is not a number", shown, v->text.ptr);
    }
    return 0;
}

static int understand(const struct pof_form_options *how, const struct term *t,
                      const struct pofi_value *v, struct said *s, struct pof_err *err)
{
    if (t->what == TRAP) {
        s->trap = v;
        s->trap_term = t;
        return 0;
    }
    if (s->at[t->what]) {
        return pof_fail(err, POF_E_DUPLICATE, "says the same as '%.*s'",
                        (int)s->at[t->what]->name.len, s->at[t->what]->name.ptr);
    }
    s->at[t->what] = v;
    if (t->what == START || t->what == END) {
        int64_t ms;
        int rc = pofi_instant_of(how, v->text, &ms, err);
        if (rc == 0 && ms % 1000 != 0) {
            rc = pof_fail(err, POF_E_TIME, "an interval begins and ends with a second, '%.*s' does not",
                          (int)v->text.len, v->text.ptr);
        }
        s->value[t->what] = ms / 1000;
        return rc;
    }
    return read_number(t, v, &s->value[t->what], err);
}

/* The length of the interval, and its start. */
static int settle_interval(const struct pof_form_options *how, struct said *s, struct pof_err *err)
{
    bool both = s->at[START] && s->at[END];
    if (!s->at[DURATION]) {
        s->value[DURATION] = both ? s->value[END] - s->value[START] : how->raster_s;
    }
    int64_t t = s->value[DURATION];
    if (t <= 0 || t > 86400) {
        pof_fail(err, POF_E_MISSING, "no length of the interval: expected duration_s, or start and end, "
                                     "or a --raster");
        return pof_at(err, NULL, 0, "duration_s");
    }
    if (both && s->value[END] - s->value[START] != t) {
        pof_fail(err, POF_E_CONFLICT, "%" PRId64 " s after start, duration_s is %" PRId64,
                 s->value[END] - s->value[START], t);
        return place(err, s->at[END]);
    }
    if (!s->at[START] && s->at[END]) {
        s->value[START] = s->value[END] - t;
        s->at[START] = s->at[END];
    }
    return 0;
}

/* Energy of the interval, consumption positive; false: none is given. */
static bool net_energy(const struct said *s, int64_t *uwh)
{
    *uwh = s->at[NET] ? s->value[NET] : 0;
    bool over = __builtin_add_overflow(*uwh, s->at[IN] ? s->value[IN] : 0, uwh);
    over |= __builtin_sub_overflow(*uwh, s->at[OUT] ? s->value[OUT] : 0, uwh);
    return !over && (s->at[IN] || s->at[OUT] || s->at[NET]);
}

/* |P T - E| <= share of E, 1 Wh for the rounding of counters, and half a watt for that of P. */
static int agree(const struct pof_form_options *how, const struct said *s, int64_t uwh,
                 struct pof_err *err)
{
    __int128 t = s->value[DURATION];
    __int128 scale = 3600; /* W s to Wh */
    __int128 off = (__int128)s->value[POWER] * t * 1000000 - uwh * scale;
    __int128 size = uwh < 0 ? -(__int128)uwh : uwh;
    __int128 bound = size * scale * how->energy_pct / 100 + 1000000 * scale + t * 500000;
    off = off < 0 ? -off : off;
    if (off <= bound) {
        return 0;
    }
    pof_fail(err, POF_E_CONFLICT,
             "%" PRId64 " W over %" PRId64 " s are %" PRId64 " Wh, the energy given is %" PRId64
             " Wh: expected them within %" PRId64 " %% and 1 Wh (--energy)",
             s->value[POWER], s->value[DURATION],
             (int64_t)((__int128)s->value[POWER] * t / 3600), uwh / 1000000, how->energy_pct);
    return place(err, s->at[POWER]);
}

static int settle_power(const struct pof_form_options *how, struct said *s, struct pof_err *err)
{
    int64_t uwh;
    if (!net_energy(s, &uwh)) {
        if (!s->at[POWER] && s->trap) {
            pof_fail(err, POF_E_TYPE, "'%.*s' %s", (int)s->trap->name.len, s->trap->name.ptr,
                     s->trap_term->advice);
            return place(err, s->trap);
        }
        return 0; /* a power is missing: the table says so */
    }
    if (s->at[POWER]) {
        int rc = how->energy_pct < 0 ? 0 : agree(how, s, uwh, err);
        s->suspect = rc && how->flag;
        return how->flag ? 0 : rc;
    }
    s->at[POWER] = s->at[NET] ? s->at[NET] : s->at[IN] ? s->at[IN] : s->at[OUT];
    int rc = pof_muldiv(uwh, 3600, s->value[DURATION] * 1000000, &s->value[POWER], err);
    return rc ? place(err, s->at[POWER]) : 0;
}

/* One value of the record, its text in room. */
static void put(struct pofi_line *out, const char *name, int64_t v, bool instant, char **room)
{
    size_t n = instant ? pof_instant_format(v, *room) : pof_decimal_format(v, 0, *room);
    out->value[out->n++] = (struct pofi_value){pof_text(name), {*room, n}, POFI_CSV};
    *room += 32;
}

int pofi_terms(const struct pof_form_options *how, const struct pofi_line *in, struct pofi_line *out,
               char *room, struct pof_err *err)
{
    struct said s = {0};
    const struct pofi_value *quality = NULL;
    int rc = 0;
    out->n = 0;
    for (size_t k = 0; k < in->n; k++) {
        const struct pofi_value *v = &in->value[k];
        const struct term *t = v->kind == POFI_NULL || v->kind == POFI_NESTED || v->kind == POFI_WORD ||
                                       (v->kind == POFI_CSV && v->text.len == 0)
                                   ? NULL
                                   : term_of(v->name);
        rc = t ? understand(how, t, v, &s, err) : 0;
        if (rc) {
            return place(err, v);
        }
        if (t == NULL && pof_text_is(v->name, "quality")) {
            quality = v;
        } else if ((!t || t->what == TRAP) && out->n < POFI_MEMBERS - QUANTITIES) {
            out->value[out->n] = *v;
            out->value[out->n++].kind = v->kind == POFI_NUMBER ? POFI_CSV : v->kind;
        }
    }
    rc = settle_interval(how, &s, err);
    rc = rc ? rc : settle_power(how, &s, err);
    if (rc) {
        return rc;
    }
    put(out, "duration_s", s.value[DURATION], false, &room);
    if (s.at[START]) {
        put(out, "start", s.value[START], true, &room);
    }
    static const char *const name[] = {[POWER] = "p_w", [REACTIVE] = "q_var", [VOLTAGE] = "v_mv"};
    for (size_t i = POWER; i <= VOLTAGE; i++) {
        if (s.at[i]) {
            put(out, name[i], s.value[i], false, &room);
        }
    }
    if (s.suspect) {
        out->value[out->n++] = (struct pofi_value){{"quality", 7}, {"suspect", 7}, POFI_CSV};
    } else if (quality) {
        out->value[out->n++] = *quality;
    }
    return s.suspect;
}
