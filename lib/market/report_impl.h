/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report: what is kept (report.c), what it adds up to (report_sum.c), how it is said
 * (report_text.c). */
#ifndef POF_MARKET_REPORT_IMPL_H
#define POF_MARKET_REPORT_IMPL_H

#include "market/kpi.h"
#include "market/report.h"
#include "num/units.h"

enum pofi_why { POFI_WHY_RAN_OUT, POFI_WHY_TOO_DEAR, POFI_WHY_OUT_OF_REACH, POFI_WHY_GRID, POFI_WHYS };

struct pofi_session {
    int64_t gate, start, end; /* without a session record: the last instant, and all of time */
    bool known;
    /* W.s */
    int64_t requested[2]; /* by role */
    int64_t offered[2];   /* by direction */
    int64_t awarded, approved, unmet;
    int64_t why[POFI_WHYS];
    int64_t counter;  /* awarded to make room for others */
    __int128 cost;    /* approved W.s times price, 1e-6 EUR W.s/MWh */
    uint32_t element; /* most often named where awards were cut; POF_NONE */
};

struct pofi_request {
    uint32_t session;
    int direction, role;
    int64_t start, end, p_w, limit; /* limit: INT64_MAX when there is none */
};

/* What is left of a request. */
struct pofi_left {
    struct pofi_request part;
    uint32_t of; /* the request */
};

struct pofi_offer {
    uint32_t id, session, seller, pod;
    int direction;
    int64_t price, start, end, p_w;
};

enum {
    POFI_AWARDED = 1, /* award record */
    POFI_VERDICT = 2,
    POFI_OUTCOME = 4,
    POFI_SETTLED = 8
};

struct pofi_award {
    unsigned seen;
    bool counter;
    uint32_t session, request, offer, seller, element;
    int direction, decision;
    int64_t start, duration_s, awarded_w, price;
    int64_t verdict_w, outcome_w;
};

struct pofi_settled {
    uint64_t n;
    int64_t ordered_ws, delivered_ws, fee, penalty, net, tokens;
};

struct pofi_statement {
    uint32_t party;
    struct pofi_settled sum;
};

struct pofi_reference {
    uint32_t flow;
    int kind;
    int64_t pods, us; /* us: 1e-3 ms */
};

struct pof_report {
    struct pof_names pods, sessions, parties, offer_ids, request_keys, award_ids, elements, days;
    struct pof_names registered; /* pods with a pod record */
    struct pofi_session *session; /* [sessions.n] */
    struct pofi_request *request; /* [request_keys.n]; p_w 0: only named by an award */
    struct pofi_left *left;
    size_t lefts, left_cap;
    bool left_given;
    struct pofi_offer *offer;
    struct pofi_award *award; /* [award_ids.n] */
    struct pofi_statement *statement;
    size_t session_cap, request_cap, offers, offer_cap, award_cap, statements, statement_cap;
    struct pofi_settled settled;
    struct pof_kpis kpis;
    struct pof_names flows; /* of the reference */
    struct pofi_reference *reference;
    size_t references, reference_cap;
    /* Of the whole market, after pofi_report_sum(). W.s */
    int64_t first_offered[2]; /* by direction, each offer once */
    int64_t asked[2];         /* by direction */
    int64_t *sold;            /* [parties.n] approved */
    uint64_t unasked;         /* awards for requests that are not there */
    uint64_t unjudged;        /* awards without verdict and outcome */
    uint64_t unawarded;       /* verdicts for awards that are not there */
    uint32_t *order;          /* sessions by gate, then by id */
};

/* Power that counts after validation, W. */
int64_t pofi_approved_w(const struct pofi_award *a);
/* Session number s comes before session number t: by gate, then by id. */
bool pofi_session_before(const struct pof_report *r, uint32_t s, uint32_t t);

int pofi_report_sum(struct pof_report *r, struct pof_err *err) POF_CHECKED;
/* What each session was offered, and what it left (report_offers.c). */
struct pofi_cell {
    int64_t offered_w, taken_w;    /* of a session and direction */
    int64_t cheapest;              /* of what is left; INT64_MAX when nothing is */
    int64_t awarded_w, approved_w; /* of a request */
};
struct pofi_cells {
    struct pof_names keys; /* the bytes of a struct pofi_place */
    struct pofi_cell *cell;
    size_t cap;
};
int pofi_offers_sum(struct pof_report *r, struct pofi_cells *cells, struct pof_err *err) POF_CHECKED;
struct pofi_place {
    uint32_t of; /* number of a session, or of a request */
    int direction;
    int64_t quarter; /* instant / 900 */
};
/* A cell, made when it is not there; valid until the next call. */
int pofi_cell(struct pofi_cells *cells, const struct pofi_place *place, struct pofi_cell **cell,
              struct pof_err *err) POF_CHECKED;
void pofi_cell_place(const struct pofi_cells *cells, size_t i, struct pofi_place *place);
void pofi_cells_release(struct pofi_cells *cells);

/* First quarter-hour that begins at or after an instant; [ceil(start), floor(end)) lie in it. */
int64_t pofi_quarter_ceil(int64_t instant);
int64_t pofi_quarter_floor(int64_t instant);

int pofi_reference_parse(struct pof_report *r, struct pof_text csv, const char *name,
                         struct pof_err *err) POF_CHECKED;

/* One section each (report_text.c, report_flows.c). */
int pofi_say_flows(struct pof_report *r, struct pof_buf *to, struct pof_err *err) POF_CHECKED;

#endif
