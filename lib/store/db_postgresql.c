/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL as a driver of the store. libpq brings two dozen libraries along and seven
 * milliseconds of start: it is loaded when a server is named. */
#include "store/driver.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <endian.h>
#include <inttypes.h>
#include <postgresql/libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Object numbers of types, fixed in pg_type.dat of PostgreSQL. */
enum { BYTEA = 17, INT8 = 20, TEXT = 25 };
enum {
    FETCH = 1000,         /* rows of a large answer that are held at once */
    COPY_BYTES = 1 << 20, /* rows collected for one COPY */
    LOCK = 0x504f4653     /* "POFS": whoever holds it writes to the store of this database */
};

#define FUNCTIONS(X)                                                                               \
    X(PQconninfoParse)                                                                             \
    X(PQconninfoFree)                                                                              \
    X(PQfreemem)                                                                                   \
    X(PQconnectdbParams)                                                                           \
    X(PQstatus)                                                                                    \
    X(PQerrorMessage)                                                                              \
    X(PQfinish)                                                                                    \
    X(PQparameterStatus)                                                                           \
    X(PQsetNoticeProcessor)                                                                        \
    X(PQexec)                                                                                      \
    X(PQexecParams)                                                                                \
    X(PQprepare)                                                                                   \
    X(PQexecPrepared)                                                                              \
    X(PQresultStatus)                                                                              \
    X(PQresultErrorField)                                                                          \
    X(PQcmdStatus)                                                                                 \
    X(PQclear)                                                                                     \
    X(PQntuples)                                                                                   \
    X(PQgetvalue)                                                                                  \
    X(PQgetlength)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQputCopyData)                                                                               \
    X(PQputCopyEnd)                                                                                \
    X(PQgetResult)

struct pq {
#define MEMBER(name) __typeof__(name) *name;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

struct db {
    struct pof_db base;
    struct pq pq;
    PGconn *conn;
    unsigned statements; /* names of prepared statements and cursors */
    struct pof_buf copy; /* rows of table day, as COPY takes them */
    bool copied;         /* in this transaction */
};

struct stmt {
    struct pof_stmt base;
    char *sql;
    char name[16];
    bool rows; /* through a cursor */
    bool open; /* the cursor is */
    bool prepared;
    int n; /* parameters */
    Oid type[POF_STMT_PARAMS];
    int64_t number[POF_STMT_PARAMS]; /* big-endian */
    const char *value[POF_STMT_PARAMS];
    int length[POF_STMT_PARAMS];
    PGresult *result;
    int row, got;
};

static struct db *of(struct pof_db *db)
{
    return (struct db *)db;
}

static struct stmt *in(struct pof_stmt *s)
{
    return (struct stmt *)s;
}

static const struct stmt *at_row(const struct pof_stmt *s)
{
    return (const struct stmt *)s;
}

static const struct pq *pq_of(const struct pof_stmt *s)
{
    return &of(s->db)->pq;
}

/* --- what went wrong --- */

/* Of an SQLSTATE; PostgreSQL documentation, appendix A. */
static enum pof_code code_of(const char *state)
{
    static const struct {
        const char *begins;
        enum pof_code code;
    } codes[] = {
        {"55P03", POF_E_LOCKED},   {"40", POF_E_LOCKED},        {"25006", POF_E_PERMISSION},
        {"28", POF_E_PERMISSION},  {"42501", POF_E_PERMISSION}, {"3D000", POF_E_OPEN},
        {"53100", POF_E_WRITE},    {"53200", POF_E_NOMEM},      {"53", POF_E_UNAVAILABLE},
        {"57", POF_E_UNAVAILABLE}, {"08", POF_E_UNAVAILABLE},   {"58", POF_E_WRITE},
        {"XX001", POF_E_SYNTAX},   {"XX002", POF_E_SYNTAX},     {"22021", POF_E_ENCODING},
        {"54", POF_E_TOO_LONG},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strncmp(state, codes[i].begins, strlen(codes[i].begins)) == 0) {
            return codes[i].code;
        }
    }
    return POF_E_INTERNAL;
}

/* libpq says things on several lines; a message here is one. */
static void one_line(const char *from, char *to, size_t size)
{
    size_t n = 0;
    for (; *from && n + 3 < size; from++) {
        if (*from != '\n' && *from != '\t') {
            to[n++] = *from;
        } else if (n > 0 && to[n - 1] != ' ' && from[1]) {
            to[n++] = ' ';
        }
    }
    to[n] = '\0';
}

static int lost(const struct db *db, struct pof_err *err)
{
    char text[300];
    one_line(db->pq.PQerrorMessage(db->conn), text, sizeof text);
    return pof_fail(err, POF_E_UNAVAILABLE, "'%.100s': %s", db->base.where, text);
}

/* Takes the result; 0 when it is of the wanted kind. */
static int check_take(const struct db *db, PGresult *r, ExecStatusType want, struct pof_err *err)
{
    if (r && db->pq.PQresultStatus(r) == want) {
        db->pq.PQclear(r);
        return 0;
    }
    const char *state = r ? db->pq.PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *said = r ? db->pq.PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    int rc;
    if (!state || !said) {
        rc = lost(db, err);
    } else {
        enum pof_code code = code_of(state);
        rc = pof_fail(err, code, "'%.100s': %s%.200s (SQLSTATE %s)", db->base.where,
                      code == POF_E_LOCKED ? "somebody else writes to it; try again: " : "", said,
                      state);
    }
    db->pq.PQclear(r); /* NULL allowed */
    return rc;
}

/* --- connecting --- */

static int load_library(struct pq *pq, struct pof_err *err)
{
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    bool whole = library != NULL;
    void *at;
#define FIND(name)                                                                                 \
    at = library ? dlsym(library, #name) : NULL;                                                   \
    memcpy(&pq->name, &at, sizeof at); /* ISO C has no cast from an object pointer */              \
    whole = whole && at;
    FUNCTIONS(FIND)
#undef FIND
    return whole ? 0
                 : pof_fail(err, POF_E_UNAVAILABLE,
                            "a PostgreSQL server needs libpq.so.5, which is not there; install "
                            "package libpq5");
}

/* Options are seen by everybody who lists processes. */
static int refuse_password(const struct db *db, const char *where, struct pof_err *err)
{
    char *said = NULL;
    PQconninfoOption *options = db->pq.PQconninfoParse(where, &said);
    int rc = 0;
    if (!options) {
        char text[200];
        one_line(said ? said : "out of memory", text, sizeof text);
        rc = pof_fail(err, POF_E_USAGE, "not an address of a PostgreSQL server: %s", text);
        db->pq.PQfreemem(said);
        return rc;
    }
    for (const PQconninfoOption *o = options; o->keyword && rc == 0; o++) {
        if (o->val &&
            (strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0)) {
            rc = pof_fail(err, POF_E_USAGE,
                          "an address must not hold a password: others can read it; put it into "
                          "~/.pgpass, mode 0600");
        }
    }
    db->pq.PQconninfoFree(options);
    return rc;
}

static void ignore_notice(void *ctx, const char *message)
{
    (void)ctx;
    (void)message;
}

static int connect(struct db *db, const char *where, struct pof_err *err)
{
    /* What the address says counts over what stands before it. */
    static const char *const names[] = {"connect_timeout", "fallback_application_name", "dbname",
                                        "client_encoding", NULL};
    const char *const values[] = {"10", "pof-scd", where, "UTF8", NULL};
    db->conn = db->pq.PQconnectdbParams(names, values, 1);
    if (!db->conn) {
        return pof_fail(err, POF_E_NOMEM, "out of memory");
    }
    if (db->pq.PQstatus(db->conn) != CONNECTION_OK) {
        /* libpq 15 keeps no SQLSTATE of a connection that failed. */
        const char *said = db->pq.PQerrorMessage(db->conn);
        int rc = lost(db, err);
        if (strstr(said, "does not exist")) {
            err->code = POF_E_OPEN;
        } else if (strstr(said, "authentication") || strstr(said, "password") ||
                   strstr(said, "pg_hba")) {
            err->code = POF_E_PERMISSION;
        }
        return rc == 0 ? rc : (int)err->code;
    }
    db->pq.PQsetNoticeProcessor(db->conn, ignore_notice, NULL);
    const char *encoding = db->pq.PQparameterStatus(db->conn, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0) {
        return pof_fail(err, POF_E_CONFIG,
                        "'%.100s': the database has encoding %.40s, expected UTF8; make one with "
                        "createdb -E UTF8 -T template0",
                        db->base.where, encoding ? encoding : "unknown");
    }
    return 0;
}

static int exec(struct pof_db *base, const char *sql, struct pof_err *err)
{
    struct db *db = of(base);
    PGresult *r = db->pq.PQexec(db->conn, sql);
    bool rows = r && db->pq.PQresultStatus(r) == PGRES_TUPLES_OK;
    return check_take(db, r, rows ? PGRES_TUPLES_OK : PGRES_COMMAND_OK, err);
}

/* Statements are few and all by key, so one plan each will do; a table without statistics yet must
 * not be read from end to end. */
static const char session[] = "SET search_path = pof; SET synchronous_commit = on;"
                              "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
                              "SET enable_bitmapscan = off; SET jit = off";

static void close_db(struct pof_db *base)
{
    struct db *db = of(base);
    if (db->conn) {
        db->pq.PQfinish(db->conn);
    }
    pof_buf_release(&db->copy);
    free(db);
}

static int open_db(struct pof_db **out, const char *where, enum pof_db_mode mode,
                   struct pof_err *err)
{
    struct db *db;
    char wait[48];
    int rc = pof_calloc(&db, 1, sizeof *db, err);
    if (rc) {
        return rc;
    }
    size_t n = strlen(where);
    memcpy(db->base.where, where, n < POFI_WHERE_MAX ? n : POFI_WHERE_MAX - 1);
    snprintf(wait, sizeof wait, "SET lock_timeout = %d", POFI_WAIT_MS);
    rc = load_library(&db->pq, err);
    rc = rc ? rc : refuse_password(db, where, err);
    rc = rc ? rc : connect(db, where, err);
    rc = rc ? rc : exec(&db->base, session, err);
    rc = rc ? rc : exec(&db->base, wait, err);
    rc = rc || mode != POF_DB_READ ? rc
                                   : exec(&db->base, "SET default_transaction_read_only = on", err);
    if (rc) {
        close_db(&db->base);
        return rc;
    }
    *out = &db->base;
    return 0;
}

static int identify(struct pof_db *db, struct pof_db_identity *out, struct pof_err *err)
{
    int64_t tables = 0;
    int rc =
        pof_db_int(db, "SELECT count(*) FROM pg_namespace WHERE nspname = 'pof'", &tables, err);
    out->empty = tables == 0;
    if (rc || out->empty) {
        return rc;
    }
    rc = pof_db_int(db,
                    "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n"
                    " ON n.oid = c.relnamespace WHERE nspname = 'pof' AND relname = 'store'",
                    &tables, err);
    if (rc || tables == 0) {
        return rc; /* a schema of that name by somebody else */
    }
    rc = pof_db_int(db, "SELECT application FROM pof.store", &out->application, err);
    return rc ? rc : pof_db_int(db, "SELECT version FROM pof.store", &out->version, err);
}

/* --- transactions --- */

static int begin(struct pof_db *db, bool write, struct pof_err *err)
{
    char lock[80];
    of(db)->copied = false;
    of(db)->copy.len = 0;
    int rc = exec(db, write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (rc || !write) {
        return rc;
    }
    snprintf(lock, sizeof lock, "SELECT pg_advisory_xact_lock(%d)", LOCK);
    rc = exec(db, lock, err);
    return rc ? pof_db_end(db, rc, err) : 0;
}

static int commit(struct pof_db *base, struct pof_err *err)
{
    struct db *db = of(base);
    PGresult *r = db->pq.PQexec(db->conn, "COMMIT");
    /* A transaction in which something failed is taken back, and the server calls that success. */
    bool undone = r && db->pq.PQresultStatus(r) == PGRES_COMMAND_OK &&
                  strcmp(db->pq.PQcmdStatus(r), "COMMIT") != 0;
    int rc = check_take(db, r, PGRES_COMMAND_OK, err);
    return rc || !undone ? rc
                         : pof_fail(err, POF_E_INTERNAL, "'%.100s': the transaction was taken back",
                                    db->base.where);
}

/* --- rows of table day, by COPY in its binary form --- */

static int put_number(struct pof_buf *b, uint64_t v, size_t bytes, struct pof_err *err)
{
    uint64_t big = htobe64(v);
    return pof_buf_add(b, (const char *)&big + sizeof big - bytes, bytes, err);
}

static int copy_rows(struct db *db, struct pof_err *err)
{
    if (db->copy.len == 0) {
        return 0;
    }
    int rc = db->copied ? 0
                        : exec(&db->base,
                               "CREATE TEMP TABLE IF NOT EXISTS day_in(series BIGINT, day BIGINT,"
                               " pod BIGINT, layer BIGINT, slots BYTEA) ON COMMIT DELETE ROWS",
                               err);
    db->copied = true;
    rc = rc ? rc : put_number(&db->copy, UINT16_MAX, 2, err);
    if (rc) {
        return rc;
    }
    rc = check_take(db, db->pq.PQexec(db->conn, "COPY day_in FROM STDIN (FORMAT binary)"),
                    PGRES_COPY_IN, err);
    if (rc) {
        return rc;
    }
    bool sent = db->pq.PQputCopyData(db->conn, db->copy.data, (int)db->copy.len) == 1 &&
                db->pq.PQputCopyEnd(db->conn, NULL) == 1;
    db->copy.len = 0;
    PGresult *r;
    rc = sent ? 0 : lost(db, err);
    while ((r = db->pq.PQgetResult(db->conn)) != NULL) {
        if (rc) {
            db->pq.PQclear(r);
        } else {
            rc = check_take(db, r, PGRES_COMMAND_OK, err);
        }
    }
    return rc;
}

static int put_day(struct pof_db *base, const struct pof_day_row *row, struct pof_err *err)
{
    struct pof_buf *b = &of(base)->copy;
    const int64_t key[] = {row->series, row->day, row->pod, row->layer};
    int rc = 0;
    if (b->len == 0) { /* signature, flags, extension */
        rc = pof_buf_add(b, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19, err);
    }
    rc = rc ? rc : put_number(b, 5, 2, err);
    for (size_t i = 0; i < 4 && rc == 0; i++) {
        rc = put_number(b, sizeof key[i], 4, err);
        rc = rc ? rc : put_number(b, (uint64_t)key[i], sizeof key[i], err);
    }
    rc = rc ? rc : put_number(b, row->n, 4, err);
    rc = rc ? rc : pof_buf_add(b, (const char *)row->bytes, row->n, err);
    return rc || b->len < COPY_BYTES ? rc : copy_rows(of(base), err);
}

static int put_end(struct pof_db *base, struct pof_err *err)
{
    struct db *db = of(base);
    int rc = copy_rows(db, err);
    if (rc || !db->copied) {
        return rc;
    }
    return exec(base,
                "INSERT INTO day(series,day,pod,layer,slots)"
                " SELECT series,day,pod,layer,slots FROM day_in"
                " ON CONFLICT(series,day,pod,layer) DO UPDATE SET slots=EXCLUDED.slots;"
                "TRUNCATE day_in",
                err);
}

/* --- statements --- */

static int prepare(struct pof_db *base, const char *sql, struct pof_stmt **out, struct pof_err *err)
{
    struct stmt *s;
    size_t n = strlen(sql);
    int rc = pof_calloc(&s, 1, sizeof *s, err);
    if (rc) {
        return rc;
    }
    s->base.db = base;
    rc = pof_calloc(&s->sql, n + 1, 1, err);
    if (rc) {
        free(s);
        return rc;
    }
    for (size_t i = 0; i < n; i++) { /* parameters are $1 here */
        s->sql[i] = sql[i] == '?' ? '$' : sql[i];
    }
    snprintf(s->name, sizeof s->name, "s%u", of(base)->statements++);
    *out = &s->base;
    return 0;
}

static int prepare_rows(struct pof_db *base, const char *sql, struct pof_stmt **out,
                        struct pof_err *err)
{
    int rc = prepare(base, sql, out, err);
    if (rc == 0) {
        in(*out)->rows = true;
    }
    return rc;
}

static void set(struct stmt *s, int i, Oid type, const char *value, size_t length)
{
    s->n = i > s->n ? i : s->n;
    s->type[i - 1] = type;
    s->value[i - 1] = value;
    s->length[i - 1] = (int)length;
}

static void set_int(struct pof_stmt *base, int i, int64_t v)
{
    struct stmt *s = in(base);
    s->number[i - 1] = (int64_t)htobe64((uint64_t)v);
    set(s, i, INT8, (const char *)&s->number[i - 1], sizeof s->number[0]);
}

static void set_text(struct pof_stmt *base, int i, struct pof_text t)
{
    set(in(base), i, TEXT, t.len ? t.ptr : "", t.len);
}

static void set_null(struct pof_stmt *base, int i)
{
    set(in(base), i, TEXT, NULL, 0);
}

static void clear_result(struct stmt *s)
{
    of(s->base.db)->pq.PQclear(s->result); /* NULL allowed */
    s->result = NULL;
}

static void reset(struct pof_stmt *base)
{
    struct stmt *s = in(base);
    char sql[40];
    clear_result(s);
    if (s->open) {
        struct pof_err ignored = {0}; /* the end of the transaction closes it too */
        s->open = false;
        snprintf(sql, sizeof sql, "CLOSE %s", s->name);
        (void)!exec(base->db, sql, &ignored);
    }
}

static void free_stmt(struct pof_stmt *base)
{
    struct stmt *s = in(base);
    reset(base);
    free(s->sql);
    free(s);
}

static const int binary[POF_STMT_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1};

static int open_cursor(struct stmt *s, struct pof_err *err)
{
    struct db *db = of(s->base.db);
    struct pof_buf sql = {0};
    int rc = pof_buf_addf(&sql, err, "DECLARE %s NO SCROLL CURSOR FOR %s", s->name, s->sql);
    if (rc == 0) {
        rc = check_take(
            db,
            db->pq.PQexecParams(db->conn, sql.data, s->n, s->type, s->value, s->length, binary, 1),
            PGRES_COMMAND_OK, err);
        s->open = rc == 0;
    }
    pof_buf_release(&sql);
    return rc;
}

/* The rows that come next: all, or as many as a cursor gives at once. */
static int ask(struct stmt *s, struct pof_err *err)
{
    struct db *db = of(s->base.db);
    char fetch[60];
    int rc = 0;
    if (s->rows) {
        rc = s->open ? 0 : open_cursor(s, err);
    } else if (!s->prepared) {
        rc = check_take(db, db->pq.PQprepare(db->conn, s->name, s->sql, s->n, s->type),
                        PGRES_COMMAND_OK, err);
        s->prepared = rc == 0;
    }
    if (rc) {
        return rc;
    }
    snprintf(fetch, sizeof fetch, "FETCH %d FROM %s", FETCH, s->name);
    s->result =
        s->rows ? db->pq.PQexecParams(db->conn, fetch, 0, NULL, NULL, NULL, NULL, 1)
                : db->pq.PQexecPrepared(db->conn, s->name, s->n, s->value, s->length, binary, 1);
    s->row = -1;
    s->got = s->result ? db->pq.PQntuples(s->result) : 0;
    if (s->result && (db->pq.PQresultStatus(s->result) == PGRES_TUPLES_OK ||
                      db->pq.PQresultStatus(s->result) == PGRES_COMMAND_OK)) {
        return 0;
    }
    PGresult *failed = s->result;
    s->result = NULL;
    return check_take(db, failed, PGRES_TUPLES_OK, err);
}

static int step(struct pof_stmt *base, struct pof_err *err)
{
    struct stmt *s = in(base);
    int rc = 0;
    if (s->result && s->rows && s->row + 1 == s->got && s->got == FETCH) {
        clear_result(s); /* there may be more */
    }
    if (!s->result) {
        rc = ask(s, err);
    }
    if (rc == 0 && ++s->row < s->got) {
        return 1;
    }
    reset(base);
    return rc;
}

static bool is_null(const struct pof_stmt *s, int i)
{
    return pq_of(s)->PQgetisnull(at_row(s)->result, at_row(s)->row, i) != 0;
}

static int64_t get_int(const struct pof_stmt *s, int i)
{
    const char *p = pq_of(s)->PQgetvalue(at_row(s)->result, at_row(s)->row, i);
    int n = pq_of(s)->PQgetlength(at_row(s)->result, at_row(s)->row, i);
    uint64_t v = n > 0 && (p[0] & 0x80) ? UINT64_MAX : 0; /* big-endian, 2, 4 or 8 bytes */
    for (int k = 0; k < n; k++) {
        v = v << 8 | (uint8_t)p[k];
    }
    return (int64_t)v;
}

static struct pof_text get_text(const struct pof_stmt *s, int i)
{
    return (struct pof_text){pq_of(s)->PQgetvalue(at_row(s)->result, at_row(s)->row, i),
                             (size_t)pq_of(s)->PQgetlength(at_row(s)->result, at_row(s)->row, i)};
}

const struct pofi_driver pofi_postgresql = {
    .open = open_db,
    .close = close_db,
    .exec = exec,
    .identify = identify,
    .begin = begin,
    .commit = commit,
    .prepare = prepare,
    .prepare_rows = prepare_rows,
    .put_day = put_day,
    .put_end = put_end,
    .free = free_stmt,
    .set_int = set_int,
    .set_text = set_text,
    .set_null = set_null,
    .step = step,
    .reset = reset,
    .is_null = is_null,
    .get_int = get_int,
    .get_text = get_text,
};
