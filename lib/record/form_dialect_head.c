/* SPDX-License-Identifier: Apache-2.0 */
/* What the columns of an Italian meter file are, and its cells. */
#include "record/form_dialect.h"

#include "base/mem.h"
#include "num/units.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = POFI_MEMBERS, NAME_MAX_LOWER = 64 };

int pofi_split(struct pofi_line *out, struct pof_text row, struct pof_err *why)
{
    const char *p = row.ptr, *end = p + row.len;
    out->n = 0;
    for (;;) {
        bool quoted = p < end && *p == '"';
        const char *from = p + quoted, *stop = from;
        while (stop < end && *stop != (quoted ? '"' : ';')) {
            stop++;
        }
        if (out->n == COLUMNS_MAX) {
            return pof_fail(why, POF_E_COLUMNS, "more than %d columns", COLUMNS_MAX);
        }
        p = stop + (quoted && stop < end);
        if (quoted && (stop == end || (p < end && *p != ';'))) {
            return pof_fail(why, POF_E_SYNTAX, "a quoted cell that does not end with its quote");
        }
        for (; !quoted && from < stop && *from == ' '; from++) {
        }
        for (; !quoted && stop > from && stop[-1] == ' '; stop--) {
        }
        out->value[out->n++].text = (struct pof_text){from, (size_t)(stop - from)};
        if (p >= end) {
            return 0;
        }
        p++;
    }
}

/* --- cells --- */

static bool digits(struct pof_text t, size_t at, size_t n, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= t.len || t.ptr[i] < '0' || t.ptr[i] > '9') {
            return false;
        }
        *out = *out * 10 + (t.ptr[i] - '0');
    }
    return true;
}

bool pofi_day(struct pofi_feed *f, struct pof_text t, struct pof_date *day)
{
    char iso[10];
    bool form = false;
    if (t.len >= 10 && strchr("/-.", t.ptr[2]) && t.ptr[2] == t.ptr[5]) {
        memcpy(iso, t.ptr + 6, 4);
        memcpy(iso + 5, t.ptr + 3, 2);
        memcpy(iso + 8, t.ptr, 2);
        form = true;
    } else if (t.len >= 10 && t.ptr[4] == '-') {
        memcpy(iso, t.ptr, 10);
        form = true;
    } else if (t.len == 8) {
        memcpy(iso, t.ptr, 4);
        memcpy(iso + 5, t.ptr + 4, 2);
        memcpy(iso + 8, t.ptr + 6, 2);
        form = true;
    }
    iso[4] = iso[7] = '-';
    if (form && pof_date_parse((struct pof_text){iso, 10}, day)) {
        return true;
    }
    int month;
    bool swapped = t.len >= 10 && digits(t, 3, 2, &month) && month > 12;
    pof_fail(&f->why, POF_E_TIME, "'%.*s' is not a day such as 31/03/2026%s", (int)(t.len < 40 ? t.len : 40),
             t.ptr, swapped ? ": day and month are in the order of another country" : "");
    return false;
}

/* 00:15 and 00:15:00, and 00.15. */
static bool clock_of(struct pof_text t, int64_t *second)
{
    int h, m, s = 0;
    bool good = (t.len == 5 || t.len == 8) && digits(t, 0, 2, &h) && strchr(":.", t.ptr[2]) &&
                digits(t, 3, 2, &m) && (t.len == 5 || (t.ptr[5] == t.ptr[2] && digits(t, 6, 2, &s)));
    if (!good || h > 24 || m > 59 || s > 59 || (h == 24 && m + s > 0)) {
        return false;
    }
    *second = h * 3600 + m * 60 + s;
    return true;
}

bool pofi_clock(struct pofi_feed *f, struct pof_text t, bool ends, int64_t *second)
{
    struct pof_text all = t;
    while (t.len && memchr(t.ptr, ' ', t.len)) {
        t = (struct pof_text){t.ptr + 1, t.len - 1};
    }
    if (!clock_of(t, second)) {
        pof_fail(&f->why, POF_E_TIME, "'%.*s' is not a time such as 00:15", (int)(all.len < 40 ? all.len : 40),
                 all.ptr);
        return false;
    }
    if (*second == 86400 && !ends) {
        pof_fail(&f->why, POF_E_TIME, "24:00 begins no quarter-hour: times that name ends need --dialect it-end");
        return false;
    }
    *second -= ends ? POF_QUARTER_S : 0;
    return true;
}

/* A name in lower case without blanks around it, to compare with. */
static struct pof_text lower(struct pof_text t, char room[static NAME_MAX_LOWER])
{
    size_t n = t.len < NAME_MAX_LOWER ? t.len : NAME_MAX_LOWER;
    for (size_t i = 0; i < n; i++) {
        room[i] = (char)(t.ptr[i] >= 'A' && t.ptr[i] <= 'Z' ? t.ptr[i] | 0x20 : t.ptr[i]);
    }
    return (struct pof_text){room, n};
}

static bool holds(struct pof_text t, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= t.len; i++) {
        if (memcmp(t.ptr + i, word, n) == 0) {
            return true;
        }
    }
    return false;
}

bool pofi_direction(struct pofi_feed *f, struct pof_text text, bool *out)
{
    char room[NAME_MAX_LOWER];
    struct pof_text t = lower(text, room);
    *out = holds(t, "imm") || pof_text_is(t, "a-") || pof_text_is(t, "ea-");
    if (*out || holds(t, "prel") || holds(t, "cons") || pof_text_is(t, "a+") || pof_text_is(t, "ea+") ||
        pof_text_is(t, "ea")) {
        return true;
    }
    pof_fail(&f->why, POF_E_ENUM, "'%.*s' is neither energy taken (prelievo) nor fed in (immissione)",
             (int)(text.len < 40 ? text.len : 40), text.ptr);
    return false;
}

/* --- columns --- */

enum role { POD, SOURCE, DAY, TIME, TIME_END, NUMBER, DIRECTION };

static const struct {
    const char *name;
    enum role role;
} roles[] = {{"pod", POD},           {"codice pod", POD},     {"punto di prelievo", POD},
             {"matricola", SOURCE},  {"contatore", SOURCE},   {"misuratore", SOURCE},
             {"giorno", DAY},        {"data", DAY},           {"data e ora", DAY},
             {"data ora", DAY},      {"data/ora", DAY},       {"timestamp", DAY},
             {"ora", TIME},          {"orario", TIME},        {"ora inizio", TIME},
             {"ora fine", TIME_END}, {"quarto", NUMBER},      {"quarto d'ora", NUMBER},
             {"intervallo", NUMBER}, {"periodo", NUMBER},     {"direzione", DIRECTION},
             {"verso", DIRECTION},   {"tipo", DIRECTION},     {"tipo misura", DIRECTION}};

static bool take_role(struct pofi_columns *c, struct pof_text name, int k)
{
    int *const place[] = {&c->pod, &c->source, &c->day, &c->time, &c->time, &c->number, &c->direction};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (pof_text_is(name, roles[i].name)) {
            *place[roles[i].role] = k;
            c->ends |= roles[i].role == TIME_END;
            return true;
        }
    }
    return false;
}

/* 00:00-00:15, 00:15, or 1 to 100 (also e1, q1). */
static bool take_quarter(struct pofi_columns *c, struct pof_text name, int k)
{
    int64_t second;
    bool range = name.len == 11 && name.ptr[5] == '-';
    if (clock_of((struct pof_text){name.ptr, range ? 5 : name.len}, &second)) {
        second -= c->ends && !range ? POF_QUARTER_S : 0;
        second += second < 0 ? 86400 : 0;
        c->by_clock = true;
        c->column[k].quarter = (int)(second / POF_QUARTER_S);
        return second % POF_QUARTER_S == 0;
    }
    size_t prefix = name.len > 1 && strchr("eq", *name.ptr);
    int number;
    if (name.len > prefix + 3 || !digits(name, prefix, name.len - prefix, &number) || name.len == prefix ||
        number < 1 || number > 100) {
        return false;
    }
    c->column[k].quarter = number - 1;
    return true;
}

static const struct unit {
    const char *word, *in, *out;
} units[] = {{"kvarh", NULL, NULL},          {"kvar", "q_kvar", NULL}, {"mwh", NULL, NULL},
             {"kwh", "e_in_kwh", "e_out_kwh"}, {"wh", "e_in_wh", "e_out_wh"}, {"mw", NULL, NULL},
             {"kw", "p_kw", NULL},             {"(w)", "p_w", NULL},          {"[w]", "p_w", NULL}};

static const struct unit *unit_of(struct pof_text name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (holds(name, units[i].word)) {
            return &units[i];
        }
    }
    return NULL;
}

static const struct unit *unit_given(const struct pofi_feed *f)
{
    const char *w = f->how->unit;
    return !w ? NULL : strcmp(w, "w") == 0 ? &units[7] : unit_of(pof_text(w));
}

static bool is_quantity(struct pof_text name)
{
    static const char *const words[] = {"energia", "potenza", "attiva", "prel", "immess", "consum", "valore", "misura"};
    bool is = unit_of(name) != NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        is |= holds(name, words[i]);
    }
    return is;
}

static int no_unit(struct pof_text name, struct pof_err *err)
{
    return pof_fail(err, POF_E_TYPE,
                    "no unit for '%.*s': energy or power, thousands or not? expected (kWh), (kW) ... in a name, or "
                    "--unit",
                    (int)(name.len < 60 ? name.len : 60), name.ptr);
}

/* A column of values of a row for an interval. */
static int take_quantity(struct pofi_columns *c, struct pofi_feed *f, struct pof_text name, size_t k,
                         struct pof_err *err)
{
    const struct unit *u = unit_of(name);
    if (!is_quantity(name) || (u && !u->in) || holds(name, "reattiva")) {
        pofi_skipped(f, c->column[k].name);
        return 0;
    }
    u = u ? u : unit_given(f);
    if (!u) {
        return no_unit(c->column[k].name, err);
    }
    bool fed_in = holds(name, "immess") || holds(name, "immissione");
    c->column[k].term = fed_in ? u->out : u->in;
    c->column[k].opposite = fed_in ? u->in : u->out;
    return c->column[k].term ? 0 : no_unit(c->column[k].name, err);
}

static int check(struct pofi_columns *c, const struct pofi_feed *f, size_t values, struct pof_err *err)
{
    if (c->day < 0) {
        return pof_fail(err, POF_E_MISSING, "no column 'Giorno', 'Data' or 'Data e ora' in the header");
    }
    if (c->pod < 0 && !f->how->pod) {
        return pof_fail(err, POF_E_MISSING, "no column 'POD' in the header: expected --pod");
    }
    if (values == 0 && !c->by_day) {
        return pof_fail(err, POF_E_MISSING, "no column of energy or power in the header, such as 'Energia (kWh)'");
    }
    if (values > POFI_QUANTITIES && !c->by_day) {
        return pof_fail(err, POF_E_COLUMNS, "%zu columns of values, at most %d", values, POFI_QUANTITIES);
    }
    return 0;
}

/* The columns of a day's row have one unit: that of any name in the header, or as given. */
static int unit_of_day(struct pofi_columns *c, const struct pofi_feed *f, struct pof_err *err)
{
    char room[NAME_MAX_LOWER];
    const struct unit *u = unit_given(f);
    for (size_t k = 0; k < c->n && !u; k++) {
        u = unit_of(lower(c->column[k].name, room));
    }
    if (!u || !u->in) {
        return no_unit(pof_text("the quarter-hours"), err);
    }
    for (size_t k = 0; k < c->n; k++) {
        c->column[k].term = c->column[k].quarter >= 0 ? u->in : NULL;
        c->column[k].opposite = u->out;
    }
    return 0;
}

int pofi_columns(struct pofi_columns *c, struct pofi_feed *f, struct pof_text header,
                 struct pof_err *err)
{
    char room[NAME_MAX_LOWER];
    struct pofi_line *cells = &f->scan[2];
    size_t values = 0;
    *c = (struct pofi_columns){.pod = -1, .source = -1, .day = -1, .time = -1, .number = -1, .direction = -1,
                               .ends = f->how->dialect == POF_DIALECT_IT_END};
    if (f->how->dialect == POF_DIALECT_NONE) {
        return pof_fail(err, POF_E_SCHEMA, "cells parted by semicolons: a meter file of a country with decimal "
                                           "commas? --dialect it reads it");
    }
    if (!memchr(header.ptr, ';', header.len)) {
        return pof_fail(err, POF_E_COLUMNS, "no semicolon in the header, which parts cells in this --dialect");
    }
    int rc = pofi_split(cells, header, err);
    rc = rc ? rc : pof_grow(&c->column, &c->cap, cells->n, sizeof *c->column, err);
    for (size_t k = 0; k < cells->n && rc == 0; k++) {
        struct pof_text t = cells->value[k].text, name = lower(t, room);
        char *kept = pof_arena_text(&c->arena, t.ptr, t.len, err);
        if (!kept) {
            return POF_E_NOMEM;
        }
        c->column[k] = (struct pofi_column){.name = {kept, t.len}, .quarter = -1};
        c->n = k + 1;
        if (t.len == 0 || take_role(c, name, (int)k)) {
            continue;
        }
        bool quarter = take_quarter(c, name, (int)k);
        c->by_day |= quarter;
        rc = quarter ? 0 : take_quantity(c, f, name, k, err);
        values += c->column[k].term != NULL;
    }
    rc = rc ? rc : check(c, f, values, err);
    return rc || !c->by_day ? rc : unit_of_day(c, f, err);
}

void pofi_columns_release(struct pofi_columns *c)
{
    free(c->column);
    pof_arena_release(&c->arena);
}
