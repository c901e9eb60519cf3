/* SPDX-License-Identifier: Apache-2.0 */
/* Registration of points of delivery: all of them or none, nobody's data overwritten by accident.
 */
#include "store/inside.h"

#include "num/decimal.h"

#include <stdio.h>
#include <string.h>

int pof_register_begin(struct pof_store *s, bool replace, struct pof_err *err)
{
    s->replace = replace;
    s->registered = (struct pof_registered){0};
    /* The temporary table knows what this registration has said, without memory that grows. */
    int rc = pof_db_begin(s->db, true, err);
    rc = rc ? rc
            : pof_db_exec(s->db,
                          "CREATE TEMP TABLE IF NOT EXISTS seen(name TEXT PRIMARY KEY);"
                          "DELETE FROM seen",
                          err);
    if (rc || s->pod_get) {
        return rc;
    }
    rc = pof_db_prepare(s->db,
                        "SELECT node,aggregator,kind,owner,p_up_max_w,p_down_max_w FROM pod"
                        " WHERE name=?1",
                        &s->pod_get, err);
    rc = rc ? rc
            : pof_db_prepare(s->db,
                             "INSERT INTO pod(name,node,aggregator,kind,owner,p_up_max_w,"
                             "p_down_max_w) VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT(name)"
                             " DO UPDATE SET node=?2,aggregator=?3,kind=?4,owner=?5,p_up_max_w=?6,"
                             "p_down_max_w=?7",
                             &s->pod_put, err);
    rc = rc ? rc : pof_db_prepare(s->db, "SELECT 1 FROM seen WHERE name=?1", &s->pod_seen, err);
    return rc ? rc
              : pof_db_prepare(s->db, "INSERT INTO seen VALUES(?1) ON CONFLICT DO NOTHING",
                               &s->pod_mark, err);
}

/* What is registered and what is given, of one field; given may be absent (ptr NULL). */
struct difference {
    const char *field;
    struct pof_text was, given;
    char number[2][POF_DECIMAL_MAX]; /* behind was and given when they are limits */
};

static bool differs(const struct pof_stmt *row, int column, struct pof_text given)
{
    return pof_stmt_is_null(row, column) != (given.ptr == NULL) ||
           (given.ptr && !pof_text_eq(pof_stmt_get_text(row, column), given));
}

/* The first field in which the registered identity differs, false: none. */
static bool find_difference(const struct pof_stmt *row, const struct pof_pod *pod,
                            struct difference *d)
{
    static const struct pof_text absent = {NULL, 0};
    const struct {
        const char *field;
        struct pof_text given;
    } identity[] = {{"node", pod->node},
                    {"aggregator", pod->aggregator},
                    {"kind", pof_text(pof_words("pod_kind")[pod->kind])},
                    {"owner", POF_HAS(pod, pod, owner) ? pod->owner : absent}};
    for (int i = 0; i < 4; i++) {
        if (differs(row, i, identity[i].given)) {
            d->field = identity[i].field;
            d->given = identity[i].given;
            d->was = pof_stmt_is_null(row, i) ? absent : pof_stmt_get_text(row, i);
            return true;
        }
    }
    return false;
}

static int put(struct pof_store *s, const struct pof_pod *pod, struct pof_err *err)
{
    struct pof_stmt *q = s->pod_put;
    pof_stmt_text(q, 1, pod->pod);
    pof_stmt_text(q, 2, pod->node);
    pof_stmt_text(q, 3, pod->aggregator);
    pof_stmt_text(q, 4, pof_text(pof_words("pod_kind")[pod->kind]));
    if (POF_HAS(pod, pod, owner)) {
        pof_stmt_text(q, 5, pod->owner);
    } else {
        pof_stmt_null(q, 5);
    }
    pof_stmt_int(q, 6, pod->p_up_max_w);
    pof_stmt_int(q, 7, pod->p_down_max_w);
    return pof_stmt_run(q, err);
}

static int refuse(struct pof_store *s, const struct pof_pod *pod, const struct difference *d,
                  bool seen, struct pof_err *err)
{
    char was[72] = "nothing";
    char given[72] = "nothing";
    s->registered.refused++;
    if (d->was.ptr) {
        snprintf(was, sizeof was, "'%.*s'", (int)d->was.len, d->was.ptr);
    }
    if (d->given.ptr) {
        snprintf(given, sizeof given, "'%.*s'", (int)d->given.len, d->given.ptr);
    }
    pof_fail(err, seen ? POF_E_CONFLICT : POF_E_ANSWER_NO,
             seen ? "pod '%.*s' is given twice: %s before, %s here"
                  : "pod '%.*s' is registered with %s, %s is given; --replace takes what is given",
             (int)pod->pod.len, pod->pod.ptr, was, given);
    return pof_at(err, NULL, 0, d->field);
}

/* Is a pod registered otherwise than given? Its row stands in pod_get. */
enum known { SAME, LIMITS, IDENTITY };

static enum known compare(const struct pof_stmt *row, const struct pof_pod *pod,
                          struct difference *d)
{
    if (find_difference(row, pod, d)) {
        return IDENTITY;
    }
    const int64_t given[] = {pod->p_up_max_w, pod->p_down_max_w};
    for (int i = 0; i < 2; i++) {
        int64_t was = pof_stmt_get_int(row, 4 + i);
        if (was != given[i]) {
            d->field = i == 0 ? "p_up_max_w" : "p_down_max_w";
            d->was = (struct pof_text){d->number[0], pof_decimal_format(was, 0, d->number[0])};
            d->given =
                (struct pof_text){d->number[1], pof_decimal_format(given[i], 0, d->number[1])};
            return LIMITS;
        }
    }
    return SAME;
}

/* 1 when this registration has named the pod already, 0 when not; notes that it has now. */
static int mark(struct pof_store *s, const struct pof_pod *pod, struct pof_err *err)
{
    pof_stmt_text(s->pod_seen, 1, pod->pod);
    int seen = pof_stmt_step(s->pod_seen, err);
    pof_stmt_reset(s->pod_seen);
    if (seen == 0) {
        pof_stmt_text(s->pod_mark, 1, pod->pod);
        return pof_stmt_run(s->pod_mark, err);
    }
    return seen;
}

int pof_register(struct pof_store *s, const struct pof_pod *pod, struct pof_err *err)
{
    int seen = mark(s, pod, err);
    if (seen < 0) {
        return seen;
    }
    struct difference d = {0};
    pof_stmt_text(s->pod_get, 1, pod->pod);
    int rc = pof_stmt_step(s->pod_get, err);
    if (rc < 0) {
        return rc;
    }
    bool registered = rc > 0 && !pof_stmt_is_null(s->pod_get, 0);
    enum known known = registered ? compare(s->pod_get, pod, &d) : SAME;
    bool refused = known != SAME && (seen || (known == IDENTITY && !s->replace));
    rc = refused ? refuse(s, pod, &d, seen, err) : 0;
    pof_stmt_reset(s->pod_get);
    if (refused) {
        return rc;
    }
    if (registered && known == SAME) {
        s->registered.unchanged++;
        return 0;
    }
    s->registered.added += !registered;
    s->registered.updated += registered;
    return put(s, pod, err);
}

int pof_register_end(struct pof_store *s, bool keep, struct pof_registered *counts,
                     struct pof_err *err)
{
    *counts = s->registered;
    keep = keep && s->registered.refused == 0;
    return keep ? pof_db_commit(s->db, err) : pof_db_exec(s->db, "ROLLBACK", err);
}
