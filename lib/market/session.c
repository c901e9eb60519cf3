/* SPDX-License-Identifier: Apache-2.0 */
/* Time tables and sessions. */
#include "market/session.h"

#include "num/units.h"
#include "record/reader.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MIN = 1440, QUARTER_MIN = 15, NAME_MAX_LEN = 16, KINDS = 2 };

static const char *const time_names[POF_SLOT_TIMES] = {
    "opens", "gate", "clear_by", "validate_by", "final_by", "start", "end"};

static const char default_table[] =
    "name,kind,opens,gate,clear_by,validate_by,final_by,start,end\n"
    "DA,day_ahead,D-1 13:30,D-1 16:00,D-1 17:00,D-1 17:30,D-1 18:00,D 00:00,D+1 00:00\n"
    "RT1,real_time,D-1 19:00,D-1 23:00,D-1 23:30,D-1 23:45,D 00:00,D 00:00,D 04:00\n"
    "RT2,real_time,D-1 23:00,D 03:00,D 03:30,D 03:45,D 04:00,D 04:00,D 08:00\n"
    "RT3,real_time,D 03:00,D 07:00,D 07:30,D 07:45,D 08:00,D 08:00,D 12:00\n"
    "RT4,real_time,D 07:00,D 11:00,D 11:30,D 11:45,D 12:00,D 12:00,D 16:00\n"
    "RT5,real_time,D 11:00,D 15:00,D 15:30,D 15:45,D 16:00,D 16:00,D 20:00\n"
    "RT6,real_time,D 15:00,D 19:00,D 19:30,D 19:45,D 20:00,D 20:00,D+1 00:00\n";

/* --- reading --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "D 04:00", "D-1 16:00", "D+1 00:00" to minutes from 00:00 of D. */
static bool parse_time(struct pof_text t, int32_t *minutes)
{
    const char *p = t.ptr;
    int32_t days = 0;
    if (t.len == 9 && (p[1] == '-' || p[1] == '+') && is_digit(p[2])) {
        days = (p[1] == '-' ? -1 : 1) * (p[2] - '0');
        p += 2;
    } else if (t.len != 7) {
        return false;
    }
    if (t.ptr[0] != 'D' || p[1] != ' ' || !is_digit(p[2]) || !is_digit(p[3]) || p[4] != ':' ||
        !is_digit(p[5]) || !is_digit(p[6])) {
        return false;
    }
    int h = (p[2] - '0') * 10 + p[3] - '0';
    int m = (p[5] - '0') * 10 + p[6] - '0';
    *minutes = days * DAY_MIN + h * 60 + m;
    return h < 24 && m < 60;
}

/* The text of such a time, for messages. */
static void format_time(int32_t minutes, char to[16])
{
    int days = minutes >= 0 ? minutes / DAY_MIN : -((DAY_MIN - 1 - minutes) / DAY_MIN);
    int m = minutes - days * DAY_MIN;
    char *p = to;
    *p++ = 'D';
    if (days != 0) {
        *p++ = days < 0 ? '-' : '+';
        *p++ = (char)('0' + (days < 0 ? -days : days) % 10);
    }
    *p++ = ' ';
    *p++ = (char)('0' + m / 600);
    *p++ = (char)('0' + m / 60 % 10);
    *p++ = ':';
    *p++ = (char)('0' + m % 60 / 10);
    *p++ = (char)('0' + m % 10);
    *p = '\0';
}

/* An error of a row at one of its times. */
static int wrong(const struct pof_slot *slot, int which, struct pof_err *err)
{
    return pof_at(err, NULL, slot->line, time_names[which]);
}

static bool is_name(struct pof_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '-' &&
            c != '_') {
            return false;
        }
    }
    return t.len > 0 && t.len <= NAME_MAX_LEN;
}

/* The order of the times of one row, and a window on quarter-hours of the day. */
static int check_slot(const struct pof_slot *s, struct pof_err *err)
{
    char a[16];
    char b[16];
    for (int i = 1; i < POF_SLOT_TIMES; i++) {
        bool strict = i == POF_SLOT_GATE || i == POF_SLOT_END;
        if (s->at_min[i] < s->at_min[i - 1] + (strict ? 1 : 0)) {
            format_time(s->at_min[i], a);
            format_time(s->at_min[i - 1], b);
            pof_fail(err, POF_E_CONFIG, "'%s' is %s %s, which is '%s'", a,
                     strict ? "not after" : "before", time_names[i - 1], b);
            return wrong(s, i, err);
        }
    }
    for (int i = POF_SLOT_START; i <= POF_SLOT_END; i++) {
        format_time(s->at_min[i], a);
        if (s->at_min[i] < 0 || s->at_min[i] > DAY_MIN) {
            pof_fail(err, POF_E_CONFIG, "'%s' is outside the market day, D 00:00 to D+1 00:00", a);
            return wrong(s, i, err);
        }
        if (s->at_min[i] % QUARTER_MIN != 0) {
            pof_fail(err, POF_E_CONFIG, "'%s' is not a full quarter-hour", a);
            return wrong(s, i, err);
        }
    }
    return 0;
}

static int read_time(const struct pof_slot *slot, int which, struct pof_text text, int32_t *minutes,
                     struct pof_err *err)
{
    if (!parse_time(text, minutes)) {
        pof_fail(err, POF_E_TIME,
                 "'%.*s' is not a local time such as 'D 04:00', 'D-1 16:00' or 'D+1 00:00'",
                 (int)text.len, text.ptr);
        return wrong(slot, which, err);
    }
    return 0;
}

static int read_slot(struct pof_slot *slot, const struct pof_timetable *r, struct pof_err *err)
{
    const struct pof_text times[POF_SLOT_TIMES] = {r->opens,       r->gate,     r->clear_by,
                                                   r->validate_by, r->final_by, r->start,
                                                   r->end};
    slot->kind = r->kind;
    if (!is_name(r->name)) {
        pof_fail(err, POF_E_CONFIG, "'%.*s' is not a name of letters, digits, '-' and '_'",
                 (int)r->name.len, r->name.ptr);
        return pof_at(err, NULL, slot->line, "name");
    }
    int rc = 0;
    for (int i = 0; i < POF_SLOT_TIMES && rc == 0; i++) {
        rc = read_time(slot, i, times[i], &slot->at_min[i], err);
    }
    return rc ? rc : check_slot(slot, err);
}

static int add_slot(struct pof_slots *slots, const struct pof_timetable *r, uint64_t line,
                    struct pof_err *err)
{
    struct pof_slot slot = {.line = line};
    int rc = read_slot(&slot, r, err);
    for (size_t i = 0; i < slots->n && rc == 0; i++) {
        if (pof_text_eq(slots->slot[i].name, r->name)) {
            pof_fail(err, POF_E_CONFIG, "'%.*s' is the name of line %llu already",
                     (int)r->name.len, r->name.ptr, (unsigned long long)slots->slot[i].line);
            return pof_at(err, NULL, line, "name");
        }
    }
    rc = rc ? rc : pof_grow(&slots->slot, &slots->cap, slots->n + 1, sizeof slot, err);
    if (rc == 0) {
        slot.name.ptr = pof_arena_text(&slots->arena, r->name.ptr, r->name.len, err);
        slot.name.len = r->name.len;
        rc = slot.name.ptr ? 0 : POF_E_NOMEM;
    }
    if (rc == 0) {
        slots->slot[slots->n++] = slot;
    }
    return rc;
}

static int read_all(struct pof_slots *slots, struct pof_reader *reader, struct pof_err *err)
{
    struct pof_record r;
    int rc;
    while ((rc = pof_reader_next(reader, &r, err)) > 0) {
        rc = add_slot(slots, &r.u.timetable, pof_reader_line(reader), err);
        if (rc) {
            return rc;
        }
    }
    return rc;
}

/* --- the day as a whole --- */

static int by_window(const void *a, const void *b)
{
    const struct pof_slot *x = a;
    const struct pof_slot *y = b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    if (x->at_min[POF_SLOT_START] != y->at_min[POF_SLOT_START]) {
        return x->at_min[POF_SLOT_START] < y->at_min[POF_SLOT_START] ? -1 : 1;
    }
    return pof_session_id_cmp(x->name, y->name);
}

static int by_gate(const void *a, const void *b)
{
    const struct pof_slot *x = a;
    const struct pof_slot *y = b;
    int32_t gx = x->at_min[POF_SLOT_GATE];
    int32_t gy = y->at_min[POF_SLOT_GATE];
    return gx != gy ? (gx < gy ? -1 : 1) : pof_session_id_cmp(x->name, y->name);
}

/* The slot begins where the last one of its kind ended (from). */
static int check_joint(const struct pof_slot *slot, int32_t from, struct pof_err *err)
{
    int32_t start = slot->at_min[POF_SLOT_START];
    char a[16];
    char b[16];
    if (start == from) {
        return 0;
    }
    format_time(start, a);
    format_time(from, b);
    if (start < from) {
        pof_fail(err, POF_E_CONFIG, "'%s' overlaps a window that lasts until '%s'", a, b);
    } else {
        pof_fail(err, POF_E_CONFIG, "'%s' leaves a gap in the day: nothing covers it from '%s'", a,
                 b);
    }
    return wrong(slot, POF_SLOT_START, err);
}

/* The windows of each kind of session, sorted, must follow each other from D 00:00 to D+1 00:00. */
static int check_day(const struct pof_slots *slots, struct pof_err *err)
{
    for (size_t i = 0; i < slots->n; i++) {
        const struct pof_slot *s = &slots->slot[i];
        bool first = i == 0 || s[-1].kind != s->kind;
        bool last = i + 1 == slots->n || s[1].kind != s->kind;
        int rc = check_joint(s, first ? 0 : s[-1].at_min[POF_SLOT_END], err);
        if (rc == 0 && last && s->at_min[POF_SLOT_END] != DAY_MIN) {
            char a[16];
            format_time(s->at_min[POF_SLOT_END], a);
            pof_fail(err, POF_E_CONFIG, "nothing covers the rest of the day after '%s'", a);
            rc = wrong(s, POF_SLOT_END, err);
        }
        if (rc) {
            return rc;
        }
    }
    return slots->n ? 0 : pof_fail(err, POF_E_CONFIG, "the time table has no session");
}

int pof_slots_read(struct pof_slots *slots, const struct pof_source *src, struct pof_err *err)
{
    const struct pof_reader_options options = {.expect = POF_timetable, .strict = true};
    struct pof_reader *reader = NULL;
    *slots = (struct pof_slots){0};
    int rc = pof_reader_new(&reader, src, &options, err);
    rc = rc ? rc : read_all(slots, reader, err);
    pof_reader_free(reader);
    if (rc == 0 && slots->n > 1) {
        qsort(slots->slot, slots->n, sizeof *slots->slot, by_window);
    }
    rc = rc ? rc : check_day(slots, err);
    if (rc) {
        pof_slots_release(slots);
        return pof_at(err, src->name, 0, NULL);
    }
    if (slots->n > 1) {
        qsort(slots->slot, slots->n, sizeof *slots->slot, by_gate);
    }
    return 0;
}

int pof_slots_default(struct pof_slots *slots, struct pof_err *err)
{
    struct pof_memory memory = {default_table, sizeof default_table - 1};
    struct pof_source src = pof_source_memory(&memory, "default time table");
    return pof_slots_read(slots, &src, err);
}

void pof_slots_release(struct pof_slots *slots)
{
    free(slots->slot);
    pof_arena_release(&slots->arena);
    *slots = (struct pof_slots){0};
}

/* --- sessions --- */

static int64_t instant_of(enum pof_zone zone, struct pof_date day, int32_t minutes)
{
    int32_t days = minutes >= 0 ? minutes / DAY_MIN : -((DAY_MIN - 1 - minutes) / DAY_MIN);
    struct pof_date date = pof_date_of_days(pof_date_days(day) + days);
    return pof_local_instant(zone, date, (int64_t)(minutes - days * DAY_MIN) * 60);
}

void pof_session_make(const struct pof_slot *slot, enum pof_zone zone, struct pof_date day,
                      struct pof_session *session, struct pof_session_text *text)
{
    int64_t at[POF_SLOT_TIMES];
    for (int i = 0; i < POF_SLOT_TIMES; i++) {
        at[i] = instant_of(zone, day, slot->at_min[i]);
    }
    pof_date_format(day, text->day);
    memcpy(text->id, text->day, 10);
    text->id[10] = '-';
    memcpy(text->id + 11, slot->name.ptr, slot->name.len);
    *session = (struct pof_session){.id = {text->id, 11 + slot->name.len},
                                    .kind = slot->kind,
                                    .day = {text->day, 10},
                                    .opens = at[POF_SLOT_OPENS],
                                    .gate = at[POF_SLOT_GATE],
                                    .clear_by = at[POF_SLOT_CLEAR_BY],
                                    .validate_by = at[POF_SLOT_VALIDATE_BY],
                                    .final_by = at[POF_SLOT_FINAL_BY],
                                    .start = at[POF_SLOT_START],
                                    .end = at[POF_SLOT_END]};
}

int pof_session_find(const struct pof_slots *slots, struct pof_text id,
                     const struct pof_slot **slot, struct pof_date *day, struct pof_err *err)
{
    struct pof_text date = {id.ptr, 10};
    if (id.len < 12 || id.ptr[10] != '-' || !pof_date_parse(date, day)) {
        return pof_fail(err, POF_E_REFERENCE, "'%.*s' is not a session such as 2026-03-10-DA",
                        (int)(id.len < 80 ? id.len : 80), id.ptr);
    }
    struct pof_text name = {id.ptr + 11, id.len - 11};
    for (size_t i = 0; i < slots->n; i++) {
        if (pof_text_eq(slots->slot[i].name, name)) {
            *slot = &slots->slot[i];
            return 0;
        }
    }
    return pof_fail(err, POF_E_REFERENCE, "the time table has no session '%.*s'",
                    (int)(name.len < 80 ? name.len : 80), name.ptr);
}

enum pof_gate pof_session_gate(const struct pof_session *session, int64_t now)
{
    return now < session->opens ? POF_GATE_EARLY
           : now < session->gate ? POF_GATE_OPEN
                                 : POF_GATE_CLOSED;
}

int pof_session_current(const struct pof_slots *slots, enum pof_zone zone, int64_t now,
                        int (*each)(void *ctx, const struct pof_session *s, struct pof_err *err),
                        void *ctx, struct pof_err *err)
{
    /* A row's times lie up to nine days from its market day, which starts up to a day from now's
     * UTC date. */
    int64_t today = pof_date_days(pof_local_date(zone, now));
    for (int64_t d = today - 10; d <= today + 10; d++) {
        for (size_t i = 0; i < slots->n && d >= 0; i++) {
            struct pof_session session;
            struct pof_session_text text;
            pof_session_make(&slots->slot[i], zone, pof_date_of_days(d), &session, &text);
            if (session.opens <= now && now < session.final_by) {
                int rc = each(ctx, &session, err);
                if (rc) {
                    return rc;
                }
            }
        }
    }
    return 0;
}

/* A run of digits at i: *from its first digit that is not 0, returns its end. */
static size_t digit_run(struct pof_text t, size_t i, size_t *from)
{
    while (i < t.len && t.ptr[i] == '0') {
        i++;
    }
    *from = i;
    while (i < t.len && is_digit(t.ptr[i])) {
        i++;
    }
    return i;
}

int pof_session_id_cmp(struct pof_text a, struct pof_text b)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a.len && j < b.len) {
        if (is_digit(a.ptr[i]) && is_digit(b.ptr[j])) {
            size_t x;
            size_t y;
            i = digit_run(a, i, &x);
            j = digit_run(b, j, &y);
            if (i - x != j - y) {
                return i - x < j - y ? -1 : 1;
            }
            int c = memcmp(a.ptr + x, b.ptr + y, i - x);
            if (c) {
                return c;
            }
        } else if (a.ptr[i] != b.ptr[j]) {
            return (unsigned char)a.ptr[i] < (unsigned char)b.ptr[j] ? -1 : 1;
        } else {
            i++;
            j++;
        }
    }
    if (i < a.len || j < b.len) {
        return i < a.len ? 1 : -1;
    }
    return pof_text_cmp(a, b); /* RT1 and RT01 */
}
