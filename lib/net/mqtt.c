/* SPDX-License-Identifier: Apache-2.0 */
/* The client's connection. */
#include "net/mqtt.h"

#include <inttypes.h>
#include <stdlib.h>

struct pof_mqtt {
    const struct pof_mqtt_options *o;
    struct pof_wire *wire;
    size_t skip;            /* bytes of a message that is too long, to be thrown away */
    unsigned subscriptions; /* asked for: numbers 1, 2, ... */
    unsigned granted;
    int64_t sent_ms, heard_ms; /* when something last was */
    int64_t ping_ms; /* when the broker was asked whether it is there; 0: it need not answer */
    bool known;
    unsigned keep_alive_s;   /* ours, or what a broker of MQTT 5 decides */
    struct pof_mqtt_properties broker; /* its limits, of MQTT 5 */
};

static int nonsense(const struct pof_mqtt *m, const char *what, struct pof_err *err)
{
    return pof_fail(err, POF_E_PROTOCOL, "'%.80s' is no MQTT broker: it sends %s",
                    m->o->wire.address, what);
}

/* --- packets --- */

/* What a reason of MQTT 5 means for who got it: is it worth another attempt? */
static enum pof_code code_of(unsigned reason)
{
    switch (reason) {
    case 0x80: /* not named */
    case 0x83: /* of its own kind */
    case 0x88: /* not available */
    case 0x89: /* busy */
    case 0x8b: /* shutting down */
    case 0x8d: /* keep alive */
    case 0x96: /* too fast */
    case 0x97: /* a quota */
    case 0x98: /* an administrator's action */
    case 0x9f: /* connections too fast */
    case 0xa0: /* the longest time */
        return POF_E_UNAVAILABLE;
    case 0x81: /* malformed */
    case 0x82: /* not allowed here */
    case 0x91: /* number in use */
    case 0x92: /* number not known */
    case 0x93: /* more than its receive maximum */
    case 0x94: /* topic alias */
        return POF_E_PROTOCOL;
    case 0x95:
        return POF_E_TOO_LONG;
    default:
        return POF_E_PERMISSION;
    }
}

/* An error a broker of MQTT 5 gives a reason of: "'HOST' refuses WHAT: REASON (ITS WORDS)". */
static int refused(const struct pof_mqtt *m, const struct pof_mqtt_packet *p, const char *what,
                   struct pof_err *err)
{
    const char *why = pof_mqtt_reason(p->code);
    struct pof_text own = p->properties.reason;
    if (!why) {
        return nonsense(m, "a reason that is none", err);
    }
    return pof_fail(err, code_of(p->code), "'%.80s' %s: %s%s%.*s%s", m->o->wire.address, what, why,
                    own.len ? " (" : "", own.len < 100 ? (int)own.len : 100, own.ptr ? own.ptr : "",
                    own.len ? ")" : "");
}

static int granted(struct pof_mqtt *m, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    if (p->id != m->granted + 1 || p->id > m->subscriptions) {
        return nonsense(m, "an answer to a subscription that was not asked for", err);
    }
    m->granted++;
    if (p->code >= 0x80 && m->o->connect.five) {
        return refused(m, p, "refuses the subscription", err);
    }
    if (p->code != 1) {
        return pof_fail(
            err, POF_E_PERMISSION, "'%.80s' refuses subscription %u%s", m->o->wire.address, p->id,
            p->code == 0 ? ": it grants quality of service 0 only, which loses messages" : "");
    }
    return 0;
}

/* The broker ends the connection, with or without an error. */
static int good_bye(const struct pof_mqtt *m, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    return p->code >= 0x80
               ? refused(m, p, "ends the connection", err)
               : pof_fail(err, POF_E_UNAVAILABLE, "'%.80s' ends the connection", m->o->wire.address);
}

/* Throws away what is left of a message that is too long. */
static void skip(struct pof_mqtt *m)
{
    size_t have = pof_wire_in(m->wire).len;
    size_t n = have < m->skip ? have : m->skip;
    pof_wire_take(m->wire, n);
    m->skip -= n;
}

/* The next packet of any kind, as pof_mqtt_next. */
static int next_any(struct pof_mqtt *m, struct pof_mqtt_packet *p, struct pof_err *err)
{
    const char *why = NULL;
    skip(m);
    struct pof_mqtt_reading how = {m->o->max_packet, m->o->connect.five};
    switch (pof_mqtt_parse(pof_wire_in(m->wire), how, p, &why)) {
    case POF_MQTT_MORE:
        return 0;
    case POF_MQTT_BAD:
        return nonsense(m, why, err);
    case POF_MQTT_WHOLE:
        break;
    }
    pof_wire_take(m->wire, p->used);
    m->skip = p->skip;
    return 1;
}

int pof_mqtt_next(struct pof_mqtt *m, struct pof_mqtt_packet *packet, struct pof_err *err)
{
    for (;;) {
        int rc = next_any(m, packet, err);
        if (rc <= 0 || packet->type == POF_MQTT_PUBLISH ||
            (packet->type == POF_MQTT_PUBACK && packet->code < 0x80)) {
            return rc;
        }
        rc = packet->type == POF_MQTT_SUBACK       ? granted(m, packet, err)
             : packet->type == POF_MQTT_CONNACK    ? nonsense(m, "a second welcome", err)
             : packet->type == POF_MQTT_PUBACK     ? refused(m, packet, "refuses a message", err)
             : packet->type == POF_MQTT_DISCONNECT ? good_bye(m, packet, err)
                                                   : 0;
        if (rc) {
            return rc;
        }
    }
}

/* --- the connection --- */

/* What a broker of MQTT 5 says of itself. */
static int limits(struct pof_mqtt *m, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    m->broker = p->properties;
    m->broker.reason = (struct pof_text){NULL, 0}; /* a view of the packet */
    m->keep_alive_s = p->properties.has_keep_alive ? p->properties.keep_alive_s : m->keep_alive_s;
    return p->properties.only_qos_0
               ? pof_fail(err, POF_E_PERMISSION,
                          "'%.80s' knows quality of service 0 only, which loses messages", m->o->wire.address)
               : 0;
}

static int welcome(struct pof_mqtt *m, const struct pof_mqtt_packet *p, struct pof_err *err)
{
    enum { BUSY = 3 };
    if (m->o->connect.five && p->type == POF_MQTT_CONNACK) {
        m->known = p->session;
        return p->code ? refused(m, p, "refuses the connection", err) : limits(m, p, err);
    }
    const char *why = pof_mqtt_refusal(p->code);
    if (p->type != POF_MQTT_CONNACK || (p->code && !why)) {
        return nonsense(m, "something else than an answer to the client's name", err);
    }
    m->known = p->session;
    return p->code == 0 ? 0
                        : pof_fail(err, p->code == BUSY ? POF_E_UNAVAILABLE : POF_E_PERMISSION,
                                   "'%.80s' refuses the connection: %s", m->o->wire.address, why);
}

static int greet(struct pof_mqtt *m, struct pof_err *err)
{
    struct pof_mqtt_packet p;
    int64_t until = pof_wire_now() + m->o->wire.connect_ms;
    int rc = pof_mqtt_put_connect(pof_wire_out(m->wire), &m->o->connect, err);
    int got = 0;
    while (rc == 0 && got == 0) {
        struct pof_wire_turn turn = {.ms = until - pof_wire_now(), .fd = -1};
        rc = turn.ms > 0 ? pof_wire_turn(m->wire, &turn, err)
                         : pof_fail(err, POF_E_UNAVAILABLE, "'%.80s' does not answer as a broker",
                                    m->o->wire.address);
        got = rc ? 0 : next_any(m, &p, err);
        rc = got < 0 ? got : rc;
    }
    return rc ? rc : welcome(m, &p, err);
}

int pof_mqtt_open(struct pof_mqtt **out, const struct pof_mqtt_options *options,
                  struct pof_err *err)
{
    struct pof_mqtt *m;
    int rc = pof_calloc(&m, 1, sizeof *m, err);
    *out = NULL;
    if (rc) {
        return rc;
    }
    m->o = options;
    m->keep_alive_s = options->connect.keep_alive_s;
    m->broker.receive_max = POF_MQTT_TEXT_MAX;
    rc = pof_wire_open(&m->wire, &options->wire, err);
    rc = rc ? rc : greet(m, err);
    if (rc) {
        pof_wire_close(m->wire);
        free(m);
        return rc;
    }
    m->sent_ms = m->heard_ms = pof_wire_now();
    *out = m;
    return 0;
}

bool pof_mqtt_known(const struct pof_mqtt *m)
{
    return m->known;
}

int pof_mqtt_subscribe(struct pof_mqtt *m, struct pof_text filter, struct pof_err *err)
{
    return pof_mqtt_put_subscribe(pof_wire_out(m->wire), ++m->subscriptions, filter,
                                  m->o->connect.five, err);
}

int pof_mqtt_publish(struct pof_mqtt *m, const struct pof_mqtt_message *message,
                     struct pof_err *err)
{
    struct pof_buf *out = pof_wire_out(m->wire);
    struct pof_mqtt_message own = *message;
    size_t before = out->len;
    own.five = m->o->connect.five;
    int rc = pof_mqtt_put_publish(out, &own, err);
    if (rc == 0 && m->broker.packet_max && out->len - before > m->broker.packet_max) {
        rc = pof_fail(err, POF_E_TOO_LONG, "a message of %zu bytes, '%.80s' takes %" PRIu32 " with its topic",
                      message->payload.len, m->o->wire.address, m->broker.packet_max);
        out->len = before;
    }
    return rc;
}

int pof_mqtt_ack(struct pof_mqtt *m, unsigned id, struct pof_err *err)
{
    return pof_mqtt_put_puback(pof_wire_out(m->wire), id, err);
}

unsigned pof_mqtt_receive_max(const struct pof_mqtt *m)
{
    return m->broker.receive_max;
}

uint32_t pof_mqtt_expiry_s(const struct pof_mqtt *m)
{
    return m->broker.has_expiry ? m->broker.expiry_s : m->o->connect.expiry_s;
}

size_t pof_mqtt_waiting(const struct pof_mqtt *m)
{
    return pof_wire_waiting(m->wire);
}

/* Asks whether the broker is there when nothing was sent or heard for half the keep-alive time, and
 * gives it up when it does not answer in the whole of it. A deaf client cannot judge. */
static int keep_alive(struct pof_mqtt *m, int64_t now, bool deaf, struct pof_err *err)
{
    int64_t all = (int64_t)m->keep_alive_s * 1000;
    if (m->ping_ms && !deaf && now - m->ping_ms > all) {
        return pof_fail(err, POF_E_UNAVAILABLE, "'%.80s' does not answer for %u s",
                        m->o->wire.address, m->keep_alive_s);
    }
    bool due =
        now - m->sent_ms >= all / 2 || (m->ping_ms == 0 && !deaf && now - m->heard_ms >= all / 2);
    if (!due) {
        return 0;
    }
    m->sent_ms = now;
    m->ping_ms = deaf ? 0 : m->ping_ms ? m->ping_ms : now;
    return pof_mqtt_put_pingreq(pof_wire_out(m->wire), err);
}

int pof_mqtt_turn(struct pof_mqtt *m, struct pof_wire_turn *turn, struct pof_err *err)
{
    int64_t now = pof_wire_now();
    int64_t half = (int64_t)m->keep_alive_s * 500;
    if (pof_wire_waiting(m->wire)) {
        m->sent_ms = now;
    }
    int rc = half ? keep_alive(m, now, turn->deaf, err) : 0;
    if (half && turn->ms > half / 2) {
        turn->ms = half / 2;
    }
    rc = rc ? rc : pof_wire_turn(m->wire, turn, err);
    if (turn->heard) {
        m->heard_ms = now;
        m->ping_ms = 0;
    }
    skip(m);
    return rc;
}

void pof_mqtt_close(struct pof_mqtt *m, int64_t ms)
{
    if (m) {
        int64_t until = pof_wire_now() + ms;
        struct pof_err ignored;
        struct pof_wire_turn turn = {.ms = 0, .deaf = true, .fd = -1};
        int rc = pof_mqtt_put_disconnect(pof_wire_out(m->wire), &ignored);
        rc = rc ? rc : pof_wire_turn(m->wire, &turn, &ignored);
        while (rc == 0 && pof_wire_waiting(m->wire) && pof_wire_now() < until) {
            turn.ms = until - pof_wire_now();
            rc = pof_wire_turn(m->wire, &turn, &ignored);
        }
        pof_wire_close(m->wire);
        free(m);
    }
}
