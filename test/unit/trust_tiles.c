/* SPDX-License-Identifier: Apache-2.0 */
/* Static tiles: paths, the bytes of Go's, and tampering with every file at sizes where subtrees
 * share tiles. */
#include "folder.h"
#include "vectors.h"

#include "trust/tiles.h"

/* --- files in memory --- */

enum { SHELF = 1024 };

struct shelf {
    char path[SHELF][POF_TILE_PATH];
    struct pof_buf data[SHELF];
    size_t n;
};

static struct pof_buf *look(struct shelf *s, const char *path)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->path[i], path) == 0) {
            return &s->data[i];
        }
    }
    return NULL;
}

static int s_get(void *ctx, const char *path, size_t max, struct pof_buf *to, bool *there,
                 struct pof_err *err)
{
    struct pof_buf *b = look(ctx, path);
    to->len = 0;
    *there = b != NULL;
    if (b && b->len > max) {
        return pof_fail(err, POF_E_TOO_LONG, "long");
    }
    return b ? pof_buf_add(to, b->data, b->len, err) : 0;
}

static int s_put(void *ctx, const char *path, struct pof_text bytes, struct pof_err *err)
{
    struct shelf *s = ctx;
    struct pof_buf *b = look(s, path);
    if (!b) {
        if (s->n == SHELF) {
            return pof_fail(err, POF_E_WRITE, "full");
        }
        snprintf(s->path[s->n], POF_TILE_PATH, "%s", path);
        b = &s->data[s->n++];
    }
    b->len = 0;
    return pof_buf_add(b, bytes.ptr, bytes.len, err);
}

static int s_sync(void *ctx, struct pof_err *err)
{
    (void)ctx;
    (void)err;
    return 0;
}

static int s_list(void *ctx, const char *path, struct pof_buf *names, struct pof_err *err)
{
    struct shelf *s = ctx;
    size_t n = strlen(path);
    names->len = 0;
    int rc = 0;
    for (size_t i = 0; i < s->n && rc == 0; i++) {
        if (strncmp(s->path[i], path, n) == 0 && s->path[i][n] == '/' &&
            !strchr(s->path[i] + n + 1, '/')) {
            rc = pof_buf_addf(names, err, "%s\n", s->path[i] + n + 1);
        }
    }
    return rc;
}

static struct pof_files shelf_files(struct shelf *s)
{
    return (struct pof_files){s_get, s_put, s_sync, s_list, s, "shelf"};
}

static void clear(struct shelf *s)
{
    for (size_t i = 0; i < s->n; i++) {
        pof_buf_release(&s->data[i]);
    }
    memset(s, 0, sizeof *s);
}

/* --- logs --- */

static struct pof_signer signer;

/* Record i of the shared reference log. */
static size_t record(uint64_t i, char text[129])
{
    snprintf(text, 129, "%016" PRIu64 "x", i);
    for (int j = 17; j < 128; j++) {
        text[j] = (char)('a' + j % 26);
    }
    return 128;
}

/* Appends up to `size`; a different last byte from record `fork` on. */
static bool grow(struct memory *m, uint64_t size, uint64_t fork)
{
    struct pof_folder f = folder(m);
    struct pof_log *log;
    struct pof_err err = {0};
    int rc = find(m, "journal", false) ? 0 : pof_log_create(&f, &signer, &err);
    if (rc || pof_log_open(&log, &f, &signer, false, &err)) {
        return false;
    }
    for (uint64_t i = pof_log_size(log); i < size && rc == 0; i++) {
        char text[129];
        struct pof_hash h;
        size_t n = record(i, text);
        text[127] = i >= fork ? '!' : text[127];
        rc = pof_log_add(log, (struct pof_text){text, n}, &h, &err);
        rc = rc || i % 5000 ? rc : pof_log_commit(log, &err);
    }
    rc = rc ? rc : pof_log_commit(log, &err);
    rc = rc ? rc : pof_log_sign(log, false, &err);
    pof_log_close(log);
    return rc == 0;
}

static int publish(struct memory *m, struct shelf *s, const uint64_t *size, size_t n,
                   struct pof_tiles_export *e)
{
    struct pof_folder f = folder(m);
    struct pof_files files = shelf_files(s);
    struct pof_log *log;
    struct pof_err err = {0};
    int rc = pof_log_open(&log, &f, NULL, false, &err);
    if (rc) {
        return rc;
    }
    *e = (struct pof_tiles_export){
        .checkpoint = pof_log_checkpoint(log), .size = size, .n_sizes = n};
    rc = pof_tiles_export(log, &files, e, &err);
    pof_log_close(log);
    return rc;
}

struct seen {
    int findings;
    enum pof_finding_kind kind;
    unsigned level;
};

static int see(void *ctx, const struct pof_finding *f, struct pof_err *err)
{
    (void)err;
    struct seen *s = ctx;
    s->findings++;
    s->kind = f->kind;
    s->level = f->level;
    return 0;
}

/* Findings of an audit of the files; -1 when they cannot be opened. */
static int audit(struct shelf *s, struct seen *seen)
{
    struct pof_files files = shelf_files(s);
    struct pof_tiles *t;
    struct pof_err err = {0};
    struct pof_audit result;
    *seen = (struct seen){0};
    struct pof_auditor auditor = {NULL, see, seen};
    if (pof_tiles_open(&t, &files, &signer.vkey, &err)) {
        return -1;
    }
    int rc = pof_tiles_audit(t, &auditor, &result, &err);
    pof_tiles_close(t);
    bool whole = rc == 0 && result.journal_good && result.leaves_good;
    if (rc || result.findings != (uint64_t)seen->findings || (seen->findings == 0 && !whole)) {
        return -2;
    }
    return seen->findings;
}

/* --- tests --- */

static void paths(void)
{
    char path[POF_TILE_PATH];
    pof_tile_path(0, 0, 256, path);
    is_text(path, strlen(path), "tile/0/000", "the first tile");
    pof_tile_path(3, 1234067, 256, path);
    is_text(path, strlen(path), "tile/3/x001/x234/067", "the specification's example");
    pof_tile_path(POF_TILE_ENTRIES, 1000, 7, path);
    is_text(path, strlen(path), "tile/entries/x001/000.p/7", "a partial bundle");
    pof_tile_path(7, (UINT64_C(1) << 62) / 256, 255, path);
    ok(strlen(path) < POF_TILE_PATH - 1, "the longest fits: %s", path);
    struct pof_text entry[POF_TILE_WIDTH];
    ok(pof_bundle_split((struct pof_text){"\0\1a\0\0", 5}, 2, entry) && entry[0].len == 1 &&
           entry[1].len == 0 && !pof_bundle_split((struct pof_text){"\0\1a\0\0", 5}, 1, entry) &&
           !pof_bundle_split((struct pof_text){"\0\1a\0", 4}, 2, entry) &&
           !pof_bundle_split((struct pof_text){"\0\2a", 3}, 1, entry),
       "a bundle holds exactly its entries");
}

/* Every file, some bytes of each: found, and good again when the byte is back. */
static void tamper(uint64_t size, size_t files_step, size_t byte_step)
{
    struct memory m = {0};
    static struct shelf s;
    struct pof_tiles_export e;
    struct seen seen;
    uint64_t before[2] = {size / 2, size - 1};
    ok(grow(&m, size, UINT64_MAX) && publish(&m, &s, before, 2, &e) == 0 && audit(&s, &seen) == 0,
       "%d records: %d files, whole", (int)size, (int)s.n);
    int missed = 0, tried = 0, levels = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool high = strncmp(s.path[i], "tile/1", 6) == 0 || strncmp(s.path[i], "tile/2", 6) == 0;
        if (!high && i % files_step) {
            continue;
        }
        levels += high;
        size_t step = s.data[i].len / byte_step + 1;
        for (size_t at = i % step; at < s.data[i].len; at += step) {
            s.data[i].data[at] = (char)(s.data[i].data[at] ^ 0x20);
            int n = audit(&s, &seen);
            if (n == 0 || n == -2) {
                printf("# %s, byte %zu: %d\n", s.path[i], at, n);
                missed++;
            }
            s.data[i].data[at] = (char)(s.data[i].data[at] ^ 0x20);
            tried++;
        }
    }
    ok(missed == 0 && tried > 4 && levels > 0, "%d flipped bytes are found, at every level", tried);
    for (size_t i = 1; i < s.n; i += files_step) { /* one file short, one gone */
        size_t n = s.data[i].len;
        s.data[i].len--;
        missed += audit(&s, &seen) == 0;
        s.data[i].len = n;
    }
    is_int(missed, 0, "files that are cut short are found");
    is_int(audit(&s, &seen), 0, "and the log is whole again");
    clear(&s);
    release(&m);
}

/* What is wrong is told at its level and not at those that follow from it. */
static void names_the_level(void)
{
    struct memory m = {0};
    static struct shelf s;
    struct pof_tiles_export e;
    struct seen seen;
    ok(grow(&m, 66000, UINT64_MAX) && publish(&m, &s, NULL, 0, &e) == 0, "66000 records");
    static const struct {
        const char *path;
        enum pof_finding_kind kind;
        unsigned level;
    } where[] = {{"tile/entries/100", POF_FINDING_ENTRY, 0},
                 {"tile/0/100", POF_FINDING_ENTRY, 0},
                 {"tile/1/000", POF_FINDING_TILE, 1},
                 {"tile/1/001.p/1", POF_FINDING_TILE, 1},
                 {"tile/2/000.p/1", POF_FINDING_TILE, 2}};
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        struct pof_buf *b = look(&s, where[i].path);
        if (!ok(b != NULL, "%s is there", where[i].path)) {
            continue;
        }
        b->data[b->len - 5] ^= 1;
        ok(audit(&s, &seen) == 1 && seen.kind == where[i].kind && seen.level == where[i].level,
           "one finding, of its own level");
        b->data[b->len - 5] ^= 1;
    }
    struct pof_buf *b = look(&s, "tile/0/007");
    size_t n = b->len;
    b->len = 0;
    ok(audit(&s, &seen) == 1 && seen.kind == POF_FINDING_SHORT, "a tile that is gone");
    b->len = n;
    clear(&s);
    release(&m);
}

/* Exports that follow one another, and of another history. */
static void again(void)
{
    struct memory m = {0};
    struct memory other = {0};
    static struct shelf s;
    struct pof_tiles_export e;
    struct seen seen;
    uint64_t beyond = 601;
    ok(grow(&m, 300, UINT64_MAX) && publish(&m, &s, NULL, 0, &e) == 0 && e.written == 6,
       "300 records: 3 tiles, 2 bundles, a checkpoint");
    ok(publish(&m, &s, NULL, 0, &e) == 0 && e.written == 0 && e.kept == 6, "nothing to do twice");
    ok(grow(&m, 600, UINT64_MAX) && publish(&m, &s, NULL, 0, &e) == 0 && audit(&s, &seen) == 0,
       "grown to 600");
    ok(look(&s, "tile/0/001.p/44") && look(&s, "tile/entries/001.p/44") &&
           look(&s, "tile/1/000.p/1"),
       "the partial tiles of 300 stay");
    struct pof_buf *b = look(&s, "tile/0/000");
    b->data[0] ^= 1;
    ok(publish(&m, &s, NULL, 0, &e) == 0 && e.written == 1 && audit(&s, &seen) == 0,
       "a damaged file is written anew");
    is_int(publish(&m, &s, &beyond, 1, &e), POF_E_RANGE, "a size beyond the checkpoint is refused");
    ok(grow(&other, 700, 200), "another history of the same key");
    is_int(publish(&other, &s, NULL, 0, &e), POF_E_CONFLICT, "does not go over the first");
    find(&m, "journal", false)->now.data[2000] ^= 1;
    is_int(publish(&m, &s, NULL, 0, &e), POF_E_CONFLICT, "a damaged log is not published");
    ok(audit(&s, &seen) == 0, "what was published is still whole");
    clear(&s);
    release(&m);
    release(&other);
}

/* Bytes of the files of 257 and 70000 records, as Go's packages wrote them. */
static void reference(uint64_t size)
{
    char line[256];
    struct memory m = {0};
    static struct shelf s;
    struct pof_tiles_export e;
    struct pof_err err = {0};
    struct pof_hasher *h;
    snprintf(line, sizeof line, "%s/certify/own/tlog/tile_digests.tsv",
             tap_data() ? tap_data() : "");
    FILE *f = tap_data() ? fopen(line, "r") : NULL;
    if (!f) {
        skip("digests of static tiles", "no shared data");
        return;
    }
    ok(pof_hasher_new(&h, &err) == 0 && grow(&m, size, UINT64_MAX) &&
           publish(&m, &s, NULL, 0, &e) == 0,
       "%d records", (int)size);
    int files = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        char where[80], want[65], got[65];
        uint64_t of;
        unsigned long bytes;
        struct pof_hash hash = {{0}};
        if (sscanf(line, "%" SCNu64 ":%79s %lu %64s", &of, where, &bytes, want) != 4 ||
            of != size) {
            continue;
        }
        struct pof_buf *b = look(&s, where);
        if (b) {
            pof_hash_two(h, (struct pof_text){b->data, b->len}, pof_text(""), &hash);
        }
        for (int i = 0; i < POF_HASH; i++) {
            snprintf(got + 2 * i, 3, "%02x", hash.b[i]);
        }
        if (!b || b->len != bytes || strcmp(got, want) != 0) {
            printf("# %s differs\n", where);
            wrong++;
        }
        files++;
    }
    fclose(f);
    vectors_told("own/tlog/tile_digests.tsv", files - wrong, wrong, "");
    ok(wrong == 0 && files >= 5, "%d tiles and bundles of %d records are byte for byte Go's", files,
       (int)size);
    pof_hasher_free(h);
    clear(&s);
    release(&m);
}

int main(void)
{
    struct pof_err err = {0};
    uint8_t seed[32];
    memset(seed, 1, sizeof seed);
    if (pof_signer_make(&signer, pof_text("pof.example/scd"), seed, &err)) {
        ok(false, "%s", err.text);
        return done();
    }
    paths();
    static const uint64_t size[] = {256, 257, 512, 600};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        tamper(size[i], 1, 13);
    }
    tamper(66000, 301, 1);
    names_the_level();
    again();
    reference(257);
    reference(70000);
    return done();
}
