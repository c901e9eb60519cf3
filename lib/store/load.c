/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: records are collected, sorted by day and pod, and merged a day at a time, so that a
 * stream in order of time costs one read and one write of a day for every batch, not for every
 * quarter-hour. */
#include "store/inside.h"

#include "num/time.h"
#include "num/units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_COLUMNS = POF_COLUMN_KNOWN };

/* A record as it waits for its batch: 64 bytes. Names are numbers in the caches of the store. */
struct item {
    uint32_t pod;
    uint16_t series;
    uint16_t has;
    int64_t start;
    int64_t value[ITEM_COLUMNS];
};

/* Sorts before it: series 2 bits, day 22 (to the year 9999), pod's row 32, quarter-hour 7. */
struct key {
    uint64_t key;
    uint32_t item;
};

/* The layers behind the one that counts, of the day at hand. */
struct layers {
    struct pof_block *block;
    size_t n, cap;
    bool read;
};

struct pof_load {
    struct pof_store *store;
    struct pof_load_options options;
    struct pof_loaded counts;
    struct item *item;
    struct key *key, *spare;
    size_t n;    /* items */
    size_t keys; /* of those that are stored now */
    struct pof_stmt *any, *get, *get_layers;
    uint64_t at_day; /* series and day of the keys at hand, as in their upper bits */
    bool empty;      /* that day had nothing of any pod before this batch */
    struct pof_block day;
    struct layers layers;
    struct pof_versions versions;
    uint8_t bytes[POF_BLOCK_MAX];
};

static int flush(struct pof_load *l, bool may_wait, struct pof_err *err);

int pof_load_new(struct pof_load **out, struct pof_store *s, const struct pof_load_options *options,
                 struct pof_err *err)
{
    struct pof_load *l;
    int rc = pof_calloc(&l, 1, sizeof *l, err);
    if (rc) {
        return rc;
    }
    l->store = s;
    l->options = *options;
    l->versions.text = pofi_name_text;
    l->versions.ctx = s;
    rc = options->batch > 0 && options->batch <= UINT32_MAX
             ? 0
             : pof_fail(err, POF_E_INTERNAL, "a batch of %zu records", options->batch);
    rc = rc ? rc : pof_calloc(&l->item, options->batch, sizeof *l->item, err);
    rc = rc ? rc : pof_calloc(&l->key, options->batch, sizeof *l->key, err);
    rc = rc ? rc : pof_calloc(&l->spare, options->batch, sizeof *l->spare, err);
    rc = rc ? rc
            : pof_db_prepare(s->db, "SELECT 1 FROM day WHERE series=?1 AND day=?2 LIMIT 1", &l->any,
                             err);
    rc = rc ? rc
            : pof_db_prepare(s->db,
                             "SELECT slots FROM day WHERE series=?1 AND day=?2 AND pod=?3"
                             " AND layer=0",
                             &l->get, err);
    rc = rc ? rc
            : pof_db_prepare(s->db,
                             "SELECT slots FROM day WHERE series=?1 AND day=?2 AND pod=?3"
                             " AND layer>0 ORDER BY layer",
                             &l->get_layers, err);
    if (rc) {
        pof_load_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

void pof_load_free(struct pof_load *l)
{
    if (l) {
        free(l->item);
        free(l->key);
        free(l->spare);
        free(l->layers.block);
        pof_stmt_free(l->any);
        pof_stmt_free(l->get);
        pof_stmt_free(l->get_layers);
        pof_versions_release(&l->versions);
        free(l);
    }
}

const struct pof_loaded *pof_load_counts(const struct pof_load *l)
{
    return &l->counts;
}

/* --- from record to item --- */

static void give(struct item *i, int column, bool has, int64_t value)
{
    i->has |= (uint16_t)(has << column);
    i->value[column] = has ? value : 0;
}

static int give_name(struct pof_load *l, struct item *i, int column, struct pof_text name,
                     struct pof_err *err)
{
    uint32_t number;
    int rc = pofi_ids_number(&l->store->names, name, true, &number, err);
    if (rc == 0) {
        give(i, column, true, number);
    }
    return rc;
}

static int take_measurement(struct pof_load *l, struct item *i, const struct pof_measurement *m,
                            struct pof_err *err)
{
    i->start = m->start;
    give(i, POF_MEASUREMENT_P, true, m->p_w);
    give(i, POF_MEASUREMENT_Q, POF_HAS(m, measurement, q_var), m->q_var);
    give(i, POF_MEASUREMENT_V, POF_HAS(m, measurement, v_mv), m->v_mv);
    give(i, POF_MEASUREMENT_QUALITY, POF_HAS(m, measurement, quality), m->quality);
    give(i, POF_MEASUREMENT_SEQ, POF_HAS(m, measurement, seq), m->seq);
    give(i, POF_MEASUREMENT_SOURCE, false, 0);
    return POF_HAS(m, measurement, source) ? give_name(l, i, POF_MEASUREMENT_SOURCE, m->source, err)
                                           : 0;
}

static int take_baseline(struct item *i, const struct pof_baseline *b)
{
    i->start = b->start;
    give(i, POF_BASELINE_P, true, b->p_w);
    give(i, POF_BASELINE_Q, POF_HAS(b, baseline, q_var), b->q_var);
    return 0;
}

static int take_setpoint(struct pof_load *l, struct item *i, const struct pof_setpoint *p,
                         struct pof_err *err)
{
    i->start = p->start;
    give(i, POF_SETPOINT_P, true, p->p_w);
    give(i, POF_SETPOINT_CHANGE, true, p->change_w);
    int rc = give_name(l, i, POF_SETPOINT_SESSION, p->session, err);
    return rc ? rc : give_name(l, i, POF_SETPOINT_AGGREGATOR, p->aggregator, err);
}

/* pod, start and duration are members of all three. */
static void place_of(const struct pof_record *r, struct pof_text *pod, int64_t *start,
                     int64_t *duration)
{
    switch (r->type) {
    case POF_baseline:
        *pod = r->u.baseline.pod;
        *start = r->u.baseline.start;
        *duration = r->u.baseline.duration_s;
        return;
    case POF_setpoint:
        *pod = r->u.setpoint.pod;
        *start = r->u.setpoint.start;
        *duration = r->u.setpoint.duration_s;
        return;
    default:
        *pod = r->u.measurement.pod;
        *start = r->u.measurement.start;
        *duration = r->u.measurement.duration_s;
    }
}

static int check_quarter(int64_t start, int64_t duration, struct pof_err *err)
{
    if (duration != POF_QUARTER_S) {
        pof_fail(err, POF_E_RANGE,
                 "an interval of %" PRId64 " s, the store keeps quarter-hours of "
                 "%d s; bring the series to that first",
                 duration, POF_QUARTER_S);
        return pof_at(err, NULL, 0, "duration_s");
    }
    if (start < 0 || start % POF_QUARTER_S != 0) {
        pof_fail(err, POF_E_RANGE,
                 "the interval begins %" PRId64 " s after a full quarter-hour, "
                 "expected 0",
                 start % POF_QUARTER_S);
        return pof_at(err, NULL, 0, "start");
    }
    return 0;
}

int pof_load_put(struct pof_load *l, const struct pof_record *r, struct pof_err *err)
{
    enum pof_series series = pofi_series_of_type(r->type);
    struct pof_text pod;
    int64_t start;
    int64_t duration;
    if (series == POF_SERIES) {
        return pof_fail(err, POF_E_SCHEMA, "a record of type %s is no series of a pod",
                        pof_layout(r->type)->name);
    }
    place_of(r, &pod, &start, &duration);
    int rc = check_quarter(start, duration, err);
    struct item *i = &l->item[l->n];
    *i = (struct item){.series = (uint16_t)series};
    rc = rc ? rc : pofi_ids_number(&l->store->pods, pod, l->options.keep_unknown, &i->pod, err);
    if (rc == 0 && i->pod == POF_NONE) {
        pof_fail(err, POF_E_REFERENCE,
                 "pod '%.*s' is not registered; register it, or keep it with --unknown keep",
                 (int)pod.len, pod.ptr);
        return pof_at(err, NULL, 0, "pod");
    }
    if (rc) {
        return rc;
    }
    rc = series == POF_SERIES_MEASUREMENT ? take_measurement(l, i, &r->u.measurement, err)
         : series == POF_SERIES_BASELINE  ? take_baseline(i, &r->u.baseline)
                                          : take_setpoint(l, i, &r->u.setpoint, err);
    if (rc) {
        return rc;
    }
    l->counts.records++;
    return ++l->n == l->options.batch ? flush(l, true, err) : 0;
}

/* --- from items to days --- */

static uint64_t day_of(int64_t start)
{
    return (uint64_t)(start / POFI_DAY_S);
}

/* A stable radix sort, a byte at a time; bytes that are equal in all keys are skipped. */
static void sort(struct pof_load *l)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t count[257] = {0};
        for (size_t i = 0; i < l->keys; i++) {
            count[((l->key[i].key >> shift) & 0xff) + 1]++;
        }
        if (count[((l->key[0].key >> shift) & 0xff) + 1] == l->keys) {
            continue;
        }
        for (size_t i = 0; i < 256; i++) {
            count[i + 1] += count[i];
        }
        for (size_t i = 0; i < l->keys; i++) {
            l->spare[count[(l->key[i].key >> shift) & 0xff]++] = l->key[i];
        }
        struct key *k = l->key;
        l->key = l->spare;
        l->spare = k;
    }
}

/* The day behind all that is to be stored now. In a stream in order of time the last day goes on:
 * when enough came before it, it waits for the rest, and is written once. */
static uint64_t last_day(const struct pof_load *l, bool may_wait)
{
    uint64_t last = 0;
    size_t before = 0;
    for (size_t i = 0; i < l->n; i++) {
        uint64_t day = day_of(l->item[i].start);
        last = day > last ? day : last;
    }
    for (size_t i = 0; i < l->n; i++) {
        before += day_of(l->item[i].start) < last;
    }
    return may_wait && before >= l->n / 2 && before > 0 ? last : last + 1;
}

/* Keys of the items before a day; keep_rest() keeps the others. */
static void make_keys(struct pof_load *l, uint64_t end)
{
    l->keys = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct item *it = &l->item[i];
        uint64_t slot = (uint64_t)(it->start % POFI_DAY_S / POF_QUARTER_S);
        uint64_t row = (uint64_t)l->store->pods.row[it->pod];
        if (day_of(it->start) < end) {
            l->key[l->keys].key =
                (uint64_t)it->series << 61 | day_of(it->start) << 39 | row << 7 | slot;
            l->key[l->keys++].item = (uint32_t)i;
        }
    }
}

static void keep_rest(struct pof_load *l, uint64_t end)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (day_of(l->item[i].start) >= end) {
            l->item[kept++] = l->item[i];
        }
    }
    l->n = kept;
}

/* The columns that hold names, as a bit set. */
static unsigned name_columns(uint16_t series)
{
    return series == POF_SERIES_MEASUREMENT ? 1u << POF_MEASUREMENT_SOURCE
           : series == POF_SERIES_SETPOINT
               ? 1u << POF_SETPOINT_SESSION | 1u << POF_SETPOINT_AGGREGATOR
               : 0;
}

static void to_cell(const struct pof_load *l, const struct item *i, struct pof_cell *cell)
{
    unsigned names = name_columns(i->series) & i->has;
    cell->has = i->has | UINT64_C(1) << POF_COLUMN_KNOWN;
    memcpy(cell->value, i->value, sizeof i->value);
    for (size_t c = 0; c < ITEM_COLUMNS; c++) {
        if ((names >> c) & 1u) {
            cell->value[c] = l->store->names.row[i->value[c]];
        }
    }
    cell->value[POF_COLUMN_KNOWN] = l->options.known;
}

static void bind_day(struct pof_stmt *s, uint64_t key)
{
    pof_stmt_int(s, 1, (int64_t)(key >> 61));
    pof_stmt_int(s, 2, (int64_t)(key >> 39 & 0x3fffff));
    pof_stmt_int(s, 3, (int64_t)(key >> 7 & UINT32_MAX));
}

static int unpack(struct pof_block *b, const struct pof_stmt *row, struct pof_err *err)
{
    struct pof_text bytes = pof_stmt_get_text(row, 0);
    return pof_block_unpack(b, (const uint8_t *)bytes.ptr, bytes.len, err);
}

/* Is there anything of that day, of any pod? Asked once for a day, before it is written. */
static int look_at_day(struct pof_load *l, uint64_t key, struct pof_err *err)
{
    if (l->at_day == key >> 39) {
        return 0;
    }
    l->at_day = key >> 39;
    pof_stmt_int(l->any, 1, (int64_t)(key >> 61));
    pof_stmt_int(l->any, 2, (int64_t)(key >> 39 & 0x3fffff));
    int rc = pof_stmt_step(l->any, err);
    l->empty = rc == 0;
    pof_stmt_reset(l->any);
    return rc < 0 ? rc : 0;
}

static int read_day(struct pof_load *l, uint64_t key, struct pof_err *err)
{
    pof_block_clear(&l->day);
    l->layers.n = 0;
    l->layers.read = false;
    int rc = look_at_day(l, key, err);
    if (rc || l->empty) {
        return rc;
    }
    bind_day(l->get, key);
    rc = pof_stmt_step(l->get, err);
    if (rc > 0) {
        rc = unpack(&l->day, l->get, err);
        pof_stmt_reset(l->get);
    }
    return rc;
}

static int read_layers(struct pof_load *l, uint64_t key, struct pof_err *err)
{
    struct layers *y = &l->layers;
    if (y->read) {
        return 0;
    }
    y->read = true;
    bind_day(l->get_layers, key);
    int rc = pof_stmt_step(l->get_layers, err);
    while (rc > 0) {
        rc = pof_grow(&y->block, &y->cap, y->n + 1, sizeof *y->block, err);
        rc = rc ? rc : unpack(&y->block[y->n], l->get_layers, err);
        y->n += rc == 0;
        rc = rc ? rc : pof_stmt_step(l->get_layers, err);
    }
    pof_stmt_reset(l->get_layers);
    return rc;
}

static int write_block(struct pof_load *l, uint64_t key, size_t layer, const struct pof_block *b,
                       struct pof_err *err)
{
    const struct pof_day_row row = {.series = (int64_t)(key >> 61),
                                    .day = (int64_t)(key >> 39 & 0x3fffff),
                                    .pod = (int64_t)(key >> 7 & UINT32_MAX),
                                    .layer = (int64_t)layer,
                                    .bytes = l->bytes,
                                    .n = pof_block_pack(b, l->bytes)};
    return pof_db_put_day(l->store->db, &row, err);
}

static int write_day(struct pof_load *l, uint64_t key, struct pof_err *err)
{
    int rc = write_block(l, key, 0, &l->day, err);
    for (size_t i = 0; i < l->layers.n && rc == 0; i++) {
        rc = write_block(l, key, i + 1, &l->layers.block[i], err);
    }
    return rc;
}

/* All versions of a quarter-hour, from the day and its layers. */
static int gather(struct pof_load *l, size_t slot, struct pof_err *err)
{
    struct pof_cell cell;
    l->versions.n = 0;
    pof_block_get(&l->day, slot, &cell);
    int rc = pof_versions_restore(&l->versions, &cell, err);
    for (size_t i = 0; i < l->layers.n && rc == 0; i++) {
        if (pof_block_there(&l->layers.block[i], slot)) {
            pof_block_get(&l->layers.block[i], slot, &cell);
            rc = pof_versions_restore(&l->versions, &cell, err);
        }
    }
    return rc;
}

/* Back again: the one that counts to the day, the others to the layers, oldest first. */
static int spread(struct pof_load *l, size_t slot, struct pof_err *err)
{
    struct layers *y = &l->layers;
    size_t counts = pof_versions_current(&l->versions, INT64_MAX);
    size_t layer = 0;
    for (size_t i = 0; i < l->versions.n; i++) {
        if (i == counts) {
            pof_block_set(&l->day, slot, &l->versions.cell[i]);
            continue;
        }
        if (layer == y->n) {
            int rc = pof_grow(&y->block, &y->cap, y->n + 1, sizeof *y->block, err);
            if (rc) {
                return rc;
            }
            pof_block_clear(&y->block[y->n++]);
        }
        pof_block_set(&y->block[layer++], slot, &l->versions.cell[i]);
    }
    return 0;
}

static void note_contradiction(struct pof_load *l, const struct item *i)
{
    if (l->counts.contradicts++ == 0) {
        struct pof_text pod = l->store->pods.seen.text[i->pod];
        size_t n =
            pod.len < sizeof l->counts.first_pod - 1 ? pod.len : sizeof l->counts.first_pod - 1;
        memcpy(l->counts.first_pod, pod.ptr, n);
        l->counts.first_pod[n] = '\0';
        l->counts.first_start = i->start;
    }
}

/* A quarter-hour that has a value already and is given one that differs. */
static int revise(struct pof_load *l, uint64_t key, const struct item *i,
                  const struct pof_cell *cell, bool *changed, struct pof_err *err)
{
    size_t slot = key & 0x7f;
    enum pof_insert what = POF_INSERT_KNOWN;
    l->versions.series = (enum pof_series)i->series;
    int rc = read_layers(l, key, err);
    rc = rc ? rc : gather(l, slot, err);
    rc = rc ? rc : pof_versions_insert(&l->versions, cell, &what, err);
    if (rc) {
        return rc;
    }
    l->counts.unchanged += what == POF_INSERT_KNOWN;
    l->counts.revised += what == POF_INSERT_REVISION;
    l->counts.stale += what == POF_INSERT_STALE;
    if (what == POF_INSERT_CONTRADICTS) {
        note_contradiction(l, i);
    }
    *changed = *changed || what != POF_INSERT_KNOWN;
    return what == POF_INSERT_KNOWN ? 0 : spread(l, slot, err);
}

/* Merges keys [*at, ...) of one day of one pod, and advances *at behind them. */
static int merge_day(struct pof_load *l, size_t *at, struct pof_err *err)
{
    uint64_t day = l->key[*at].key >> 7;
    bool changed = false;
    int rc = read_day(l, l->key[*at].key, err);
    for (; rc == 0 && *at < l->keys && l->key[*at].key >> 7 == day; ++*at) {
        uint64_t key = l->key[*at].key;
        size_t slot = key & 0x7f;
        const struct item *i = &l->item[l->key[*at].item];
        struct pof_cell cell;
        struct pof_cell old;
        to_cell(l, i, &cell);
        if (!pof_block_there(&l->day, slot)) {
            pof_block_set(&l->day, slot, &cell);
            l->counts.added++;
            changed = true;
            continue;
        }
        pof_block_get(&l->day, slot, &old);
        if (pof_cell_same(&old, &cell) &&
            old.value[POF_COLUMN_KNOWN] <= cell.value[POF_COLUMN_KNOWN]) {
            l->counts.unchanged++;
        } else {
            rc = revise(l, key, i, &cell, &changed, err);
        }
    }
    return rc == 0 && changed ? write_day(l, l->key[*at - 1].key, err) : rc;
}

static int store_items(struct pof_load *l, bool may_wait, struct pof_err *err)
{
    int rc = pofi_ids_make(&l->store->pods, err);
    rc = rc ? rc : pofi_ids_make(&l->store->names, err);
    if (rc) {
        return rc;
    }
    uint64_t end = last_day(l, may_wait);
    make_keys(l, end);
    sort(l);
    l->at_day = UINT64_MAX;
    for (size_t at = 0; at < l->keys && rc == 0;) {
        rc = merge_day(l, &at, err);
    }
    rc = rc ? rc : pof_db_put_end(l->store->db, err);
    keep_rest(l, end);
    return rc;
}

static int flush(struct pof_load *l, bool may_wait, struct pof_err *err)
{
    if (l->n == 0) {
        return 0;
    }
    int rc = pof_db_begin(l->store->db, true, err);
    if (rc) {
        return rc;
    }
    rc = store_items(l, may_wait, err);
    return pof_db_end(l->store->db, rc, err);
}

int pof_load_flush(struct pof_load *l, struct pof_err *err)
{
    return flush(l, false, err);
}
