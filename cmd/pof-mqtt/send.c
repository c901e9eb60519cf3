/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of standard input to a broker; done when it has acknowledged all of them. */
#include "parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ = 65536, OUT_MAX = 1 << 18, TICK_MS = 1000 };

/* A line that was sent and is kept until the broker has it. */
struct flight {
    struct pof_buf line;
    bool landed;
};

struct sending {
    struct link link;
    const struct args *a;
    struct pof_source src;
    struct pof_buf in; /* read and not sent, from pos on */
    size_t pos;
    bool eof;
    struct flight
        *flight; /* line n, counted from 0, is in n % window and has the number of its place + 1 */
    uint64_t sent, landed; /* lines [landed, sent) are in flight */
    uint64_t again;        /* lines [landed, again) have gone over this connection; up to sent, the others are to
                              go again */
    uint64_t flying;       /* messages without acknowledgement on this connection */
    uint64_t repeated;
};

static struct flight *place_of(const struct sending *s, uint64_t n)
{
    return &s->flight[n % (uint64_t)s->a->window];
}

/* --- out --- */

static int publish(struct sending *s, uint64_t n, bool again, struct pof_err *err)
{
    const struct flight *f = place_of(s, n);
    struct pof_mqtt_message m = {.topic = pof_text(s->a->topic.item[0]),
                                 .payload = {f->line.data, f->line.len},
                                 .id = (unsigned)(n % (uint64_t)s->a->window) + 1,
                                 .again = again};
    s->repeated += again;
    s->flying++;
    return pof_mqtt_publish(s->link.mqtt, &m, err);
}

/* The next line of what was read; false: there is no whole one. */
static bool next_line(struct sending *s, struct pof_text *line)
{
    size_t left = s->in.len - s->pos;
    const char *from = left ? s->in.data + s->pos : NULL;
    const char *lf = left ? memchr(from, '\n', left) : NULL;
    if (!left || (!lf && !s->eof)) {
        return false;
    }
    size_t n = lf ? (size_t)(lf - from) : left;
    s->pos += n + (lf != NULL);
    *line = (struct pof_text){from, n && from[n - 1] == '\r' ? n - 1 : n};
    return true;
}

static int too_long(const struct sending *s, struct pof_err *err)
{
    pof_fail(err, POF_E_TOO_LONG, "a line of more than %" PRId64 " bytes; see --max-bytes",
             s->a->max_bytes);
    return pof_at(err, "-", s->sent + 1, NULL);
}

static bool has_room(const struct sending *s)
{
    return s->sent - s->landed < (uint64_t)s->a->window && s->flying < pof_mqtt_receive_max(s->link.mqtt) &&
           pof_mqtt_waiting(s->link.mqtt) < OUT_MAX;
}

/* What was in flight when the last connection ended. */
static int send_again(struct sending *s, struct pof_err *err)
{
    int rc = 0;
    while (rc == 0 && s->again < s->sent && s->flying < pof_mqtt_receive_max(s->link.mqtt)) {
        if (s->again >= s->landed && !place_of(s, s->again)->landed) {
            rc = publish(s, s->again, true, err);
        }
        s->again += rc == 0;
    }
    return rc;
}

/* Lines that are there join the one at hand, as long as the message does not grow too long. */
static int join_lines(struct sending *s, struct flight *f, struct pof_err *err)
{
    struct pof_text line;
    int rc = 0;
    for (int64_t n = 1; rc == 0 && n < s->a->join; n++) {
        size_t back = s->pos;
        if (!next_line(s, &line)) {
            return 0;
        }
        if (f->line.len + 1 + line.len > (size_t)s->a->max_bytes) {
            s->pos = back;
            return 0;
        }
        rc = pof_buf_adds(&f->line, "\n", err);
        rc = rc ? rc : pof_buf_add(&f->line, line.ptr, line.len, err);
    }
    return rc;
}

static int send_lines(struct sending *s, struct pof_err *err)
{
    struct pof_text line;
    int rc = send_again(s, err);
    while (rc == 0 && s->again == s->sent && has_room(s) && next_line(s, &line)) {
        struct flight *f = place_of(s, s->sent);
        f->line.len = 0;
        f->landed = false;
        rc = line.len > (size_t)s->a->max_bytes ? too_long(s, err)
                                                : pof_buf_add(&f->line, line.ptr, line.len, err);
        rc = rc ? rc : join_lines(s, f, err);
        rc = rc ? rc : publish(s, s->sent, false, err);
        s->sent += rc == 0;
        s->again = s->sent;
    }
    return rc;
}

/* Reads once, which does not wait: there is something, or the end. */
static int read_some(struct sending *s, struct pof_err *err)
{
    if (s->pos) {
        memmove(s->in.data, s->in.data + s->pos, s->in.len - s->pos);
        s->in.len -= s->pos;
        s->pos = 0;
    }
    if (s->in.len > (size_t)s->a->max_bytes + 2) {
        return too_long(s, err);
    }
    int rc = pof_buf_reserve(&s->in, READ, err);
    ssize_t n = rc ? rc : s->src.read(s->src.ctx, s->in.data + s->in.len, READ, err);
    if (n < 0) {
        return (int)n;
    }
    s->in.len += (size_t)n;
    s->eof = n == 0;
    return 0;
}

/* --- back --- */

static int landed(struct sending *s, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    uint64_t window = (uint64_t)s->a->window;
    uint64_t n = s->landed + (p->id - 1 + window - s->landed % window) % window;
    if (p->type == POF_MQTT_PUBACK && p->id <= window && n < s->again) {
        s->flying -= !place_of(s, n)->landed;
        place_of(s, n)->landed = true;
        while (s->landed < s->sent && place_of(s, s->landed)->landed) {
            s->landed++;
        }
        link_good(&s->link);
        return 0;
    }
    return pof_fail(err, POF_E_PROTOCOL, "'%s' sends what was not asked for", s->a->broker);
}

static int take_all(struct sending *s, struct pof_err *err)
{
    struct pof_mqtt_packet p;
    int got;
    int rc = 0;
    while (rc == 0 && (got = pof_mqtt_next(s->link.mqtt, &p, err)) != 0) {
        rc = got < 0 ? got : landed(s, &p, err);
    }
    return rc;
}

static bool is_over(const struct sending *s)
{
    return s->eof && s->pos == s->in.len && s->landed == s->sent;
}

/* Connects; what is in flight goes again. */
static int join(struct sending *s, struct pof_err *err)
{
    s->again = s->landed;
    s->flying = 0;
    return link_up(&s->link, err);
}

static int turn(struct sending *s, struct pof_err *err)
{
    int rc = send_lines(s, err);
    bool wants = !s->eof && has_room(s);
    struct pof_wire_turn t = {.ms = TICK_MS, .fd = wants ? STDIN_FILENO : -1};
    rc = rc || is_over(s) ? rc : pof_mqtt_turn(s->link.mqtt, &t, err);
    rc = rc || !t.fd_ready ? rc : read_some(s, err);
    return rc ? rc : take_all(s, err);
}

static int stream(struct sending *s, struct pof_err *err)
{
    int rc = 0;
    while (rc == 0 && !is_over(s)) {
        rc = s->link.mqtt ? 0 : join(s, err);
        rc = rc ? rc : turn(s, err);
        rc = rc ? link_lost(&s->link, rc, err) : 0;
    }
    return rc;
}

static int check(const struct args *a, struct pof_err *err)
{
    if (a->topic.n != 1) {
        return pof_fail(err, POF_E_USAGE, "send needs one --topic NAME");
    }
    return pof_mqtt_is_topic(pof_text(a->topic.item[0]))
               ? 0
               : pof_fail(err, POF_E_USAGE, "'%.120s' is not a topic to publish to",
                          a->topic.item[0]);
}

int mqtt_send(struct pof_cli *cli, const struct args *a, struct pof_err *err)
{
    struct sending s = {.a = a};
    int rc = check(a, err);
    rc = rc ? rc : link_init(&s.link, cli, a, false, err);
    rc = rc ? rc : pof_cli_source(cli, "-", &s.src, err);
    rc = rc ? rc : pof_calloc(&s.flight, (size_t)a->window, sizeof *s.flight, err);
    rc = rc ? rc : stream(&s, err);
    pof_cli_note(cli, "%" PRIu64 " messages acknowledged, from the first on; %" PRIu64 " sent again",
                 s.landed, s.repeated);
    link_close(&s.link, rc == 0);
    for (size_t i = 0; s.flight && i < (size_t)a->window; i++) {
        pof_buf_release(&s.flight[i].line);
    }
    free(s.flight);
    pof_buf_release(&s.in);
    return rc;
}
