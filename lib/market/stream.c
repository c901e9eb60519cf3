/* SPDX-License-Identifier: Apache-2.0 */
/* Offers in order of time, cleared quarter-hour by quarter-hour. */
#include "market/stream.h"

static int begin(struct pof_stream *s, struct pof_err *err)
{
    if (s->framed) {
        return 0;
    }
    s->framed = true;
    return pof_book_frame(s->book, s->session, s->rules, err);
}

/* Clears the quarter-hours before one. */
static int advance(struct pof_stream *s, uint32_t to, struct pof_err *err)
{
    int rc = 0;
    for (; rc == 0 && s->now < to; s->now++) {
        rc = pof_book_quarter(s->book, s->now, err);
        rc = rc ? rc : pof_auction_quarter(s->auction, s->book, s->now, err);
        rc = rc ? rc : pof_book_forget(s->book, s->now, err);
    }
    return rc;
}

/* The quarter-hour of the window from which on an offer is needed; the window's number of quarter-hours
 * for one that begins behind it. */
static uint32_t quarter_of(const struct pof_book *b, int64_t start)
{
    if (start <= b->session.start) {
        return 0;
    }
    int64_t q = (start - b->session.start) / POF_QUARTER_S;
    return q < b->quarters ? (uint32_t)q : b->quarters;
}

static int take_offer(struct pof_stream *s, const struct pof_offer *o, struct pof_err *err)
{
    int rc = begin(s, err);
    if (rc) {
        return rc;
    }
    uint32_t q = quarter_of(s->book, o->start);
    if (q < s->now) {
        pof_fail(err, POF_E_TIME,
                 "offer '%.*s' begins before one that came earlier; a stream wants offers sorted by "
                 "start: sort the file, or clear without --stream",
                 (int)o->id.len, o->id.ptr);
        return pof_at(err, NULL, 0, "start");
    }
    rc = advance(s, q, err);
    return rc ? rc : pof_book_next_offer(s->book, o, err);
}

int pof_stream_take(struct pof_stream *s, const struct pof_record *record, struct pof_err *err)
{
    if (record->type == POF_offer) {
        return take_offer(s, &record->u.offer, err);
    }
    if (s->framed) {
        return pof_fail(err, POF_E_TIME,
                        "sessions, requests and limits come before the first offer of a stream; name "
                        "their files first");
    }
    return pof_book_take(s->book, record, err);
}

int pof_stream_end(struct pof_stream *s, struct pof_err *err)
{
    int rc = begin(s, err);
    return rc ? rc : advance(s, s->book->quarters, err);
}
