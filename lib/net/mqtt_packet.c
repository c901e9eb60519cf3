/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of MQTT. */
#include "net/mqtt_packet.h"

#include "base/utf8.h"

#include <string.h>

/* Types and flags of what a client sends, as first bytes (sections 2.2.1 and 2.2.2). */
enum {
    CONNECT = 0x10,
    PUBLISH_1 = 0x32, /* quality 1 */
    DUP = 0x08,
    PUBACK = 0x40,
    SUBSCRIBE = 0x82,
    PINGREQ = 0xc0,
    DISCONNECT = 0xe0
};

/* --- texts --- */

/* UTF-8 without control characters, the first of which, NUL, is forbidden and the others are
 * nobody's topic (section 1.5.3). */
static bool is_clean(struct pof_text t)
{
    const char *p = t.ptr;
    const char *end = p + t.len;
    while (p < end) {
        uint32_t c;
        size_t n = pofi_utf8(p, end, &c);
        if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
            return false;
        }
        p += n;
    }
    return t.len > 0 && t.len <= POF_MQTT_TEXT_MAX;
}

bool pof_mqtt_is_topic(struct pof_text topic)
{
    return is_clean(topic) && !memchr(topic.ptr, '+', topic.len) &&
           !memchr(topic.ptr, '#', topic.len);
}

bool pof_mqtt_is_filter(struct pof_text f)
{
    bool good = is_clean(f);
    for (size_t i = 0; good && i < f.len; i++) {
        bool begins = i == 0 || f.ptr[i - 1] == '/';
        bool ends = i + 1 == f.len || f.ptr[i + 1] == '/';
        good = f.ptr[i] == '#' ? begins && i + 1 == f.len : f.ptr[i] != '+' || (begins && ends);
    }
    return good;
}

const char *pof_mqtt_refusal(unsigned code)
{
    static const char *const words[] = {
        [1] = "it does not speak MQTT 3.1.1", [2] = "it does not accept the client's name",
        [3] = "its service is not available", [4] = "the user name or password is wrong",
        [5] = "the client is not authorized",
    };
    return code < sizeof words / sizeof *words ? words[code] : NULL;
}

/* --- reading --- */

static unsigned two(const char *p)
{
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* What stands in front of a packet's body. */
struct head {
    unsigned char first;
    size_t bytes; /* its own */
    size_t body;
};

static enum pof_mqtt_parse parse_head(struct pof_text bytes, struct head *h, const char **why)
{
    enum { LENGTH_MAX = 4 };
    *h = (struct head){.bytes = 1};
    for (unsigned i = 0; i < LENGTH_MAX; i++) {
        if (h->bytes >= bytes.len) {
            return POF_MQTT_MORE;
        }
        unsigned char b = (unsigned char)bytes.ptr[h->bytes++];
        h->body |= (size_t)(b & 0x7f) << 7 * i;
        if (b < 0x80) {
            h->first = (unsigned char)bytes.ptr[0];
            return POF_MQTT_WHOLE;
        }
    }
    *why = "a length of more than four bytes";
    return POF_MQTT_BAD;
}

static enum pof_mqtt_parse bad(const char **why, const char *text)
{
    *why = text;
    return POF_MQTT_BAD;
}

/* A body of n bytes is there, or as much as there is of a PUBLISH that is too long. */
static enum pof_mqtt_parse parse_publish(const struct head *h, struct pof_text have,
                                         struct pof_mqtt_reading how, struct pof_mqtt_packet *out,
                                         const char **why)
{
    out->qos = h->first >> 1 & 3;
    out->again = (h->first & DUP) != 0;
    out->retain = (h->first & 1) != 0;
    if (out->qos > 1) {
        return bad(why, "a message of a quality that was not asked for");
    }
    size_t id = out->qos ? 2 : 0;
    if (h->body < 2 || (have.len >= 2 && h->body < 2 + two(have.ptr) + id)) {
        return bad(why, "a message that is shorter than its topic");
    }
    size_t front = have.len >= 2 ? 2 + two(have.ptr) + id : 2 + POF_MQTT_TEXT_MAX + id;
    if (have.len < front) {
        return POF_MQTT_MORE;
    }
    out->topic = (struct pof_text){have.ptr + 2, front - id - 2};
    out->id = id ? two(have.ptr + front - 2) : 0;
    if (!pof_mqtt_is_topic(out->topic)) {
        return bad(why, "a message with a topic that is none");
    }
    if (id && out->id == 0) {
        return bad(why, "a message without its number");
    }
    if (h->bytes + h->body > how.max) {
        out->skip = h->body - front;
        out->used = h->bytes + front;
        out->payload = (struct pof_text){have.ptr + front, 0};
        return POF_MQTT_WHOLE;
    }
    if (have.len < h->body) {
        return POF_MQTT_MORE;
    }
    size_t extra = 0;
    if (how.five) {
        struct pof_text rest = {have.ptr + front, h->body - front};
        *why = pof_mqtt_properties_read(rest, POF_MQTT_PUBLISH, &out->properties, &extra);
        if (*why) {
            return POF_MQTT_BAD;
        }
    }
    out->payload = (struct pof_text){have.ptr + front + extra, h->body - front - extra};
    out->used = h->bytes + h->body;
    return POF_MQTT_WHOLE;
}

/* --- MQTT 5: what is behind the number of a packet, or of a welcome's flags --- */

/* Properties that end with their packet, or with n bytes behind them. */
static enum pof_mqtt_parse parse_properties(struct pof_text rest, size_t n, struct pof_mqtt_packet *out,
                                            const char **why)
{
    size_t used = 0;
    *why = pof_mqtt_properties_read(rest, (unsigned)out->type, &out->properties, &used);
    if (*why) {
        return POF_MQTT_BAD;
    }
    return used + n == rest.len ? POF_MQTT_WHOLE : bad(why, "a packet of a wrong length");
}

/* A reason, and properties; of some packets both, or the latter, may be left out (sections 3.4.2.1 and
 * 3.14.2.1 of MQTT 5). */
static enum pof_mqtt_parse parse_reason(struct pof_text rest, struct pof_mqtt_packet *out, const char **why)
{
    out->properties.receive_max = POF_MQTT_TEXT_MAX;
    out->code = rest.len ? (unsigned char)rest.ptr[0] : 0;
    if (rest.len <= 1) {
        return POF_MQTT_WHOLE;
    }
    return parse_properties((struct pof_text){rest.ptr + 1, rest.len - 1}, 0, out, why);
}

static enum pof_mqtt_parse parse_five(const struct head *h, struct pof_text body, struct pof_mqtt_packet *out,
                                      const char **why)
{
    if (out->type == POF_MQTT_DISCONNECT) {
        return parse_reason(body, out, why);
    }
    if (out->type == POF_MQTT_PINGRESP) {
        return h->body == 0 ? POF_MQTT_WHOLE : bad(why, "a packet of a wrong length");
    }
    if (body.len < 2) {
        return bad(why, "a packet of a wrong length");
    }
    struct pof_text rest = {body.ptr + 2, body.len - 2};
    if (out->type == POF_MQTT_CONNACK) {
        out->session = (body.ptr[0] & 1) != 0;
        if (body.ptr[0] & ~1) {
            return bad(why, "an answer with reserved flags");
        }
        if (rest.len == 0 && body.ptr[1] == 1) { /* a broker of MQTT 3.1.1 refuses in its own words */
            out->code = 0x84;
            return POF_MQTT_WHOLE;
        }
        out->code = (unsigned char)body.ptr[1];
        return parse_properties(rest, 0, out, why);
    }
    out->id = two(body.ptr);
    if (out->id == 0) {
        return bad(why, "an acknowledgement of number 0");
    }
    if (out->type == POF_MQTT_PUBACK) {
        return parse_reason(rest, out, why);
    }
    out->code = (unsigned char)body.ptr[body.len - 1]; /* of one subscription, behind the properties */
    return parse_properties(rest, 1, out, why);
}

/* The others are short and of one length each. */
static enum pof_mqtt_parse parse_short(const struct head *h, struct pof_text have,
                                       struct pof_mqtt_reading how, struct pof_mqtt_packet *out,
                                       const char **why)
{
    static const unsigned char length[16] = {
        [POF_MQTT_CONNACK] = 2, [POF_MQTT_PUBACK] = 2, [POF_MQTT_SUBACK] = 3};
    if (h->first & 0x0f) {
        return bad(why, "a packet with reserved flags");
    }
    if (how.five) {
        /* Texts of a packet have 64 KiB each, but nothing bounds the number of user properties. */
        if (h->bytes + h->body > how.max) {
            return bad(why, "an acknowledgement longer than a message may be");
        }
        out->used = h->bytes + h->body;
        return have.len < h->body ? POF_MQTT_MORE
                                  : parse_five(h, (struct pof_text){have.ptr, h->body}, out, why);
    }
    if (h->body != length[out->type]) {
        return bad(why, "a packet of a wrong length");
    }
    if (have.len < h->body) {
        return POF_MQTT_MORE;
    }
    out->used = h->bytes + h->body;
    if (out->type == POF_MQTT_CONNACK) {
        out->session = (have.ptr[0] & 1) != 0;
        out->code = (unsigned char)have.ptr[1];
        return (have.ptr[0] & ~1) == 0 ? POF_MQTT_WHOLE : bad(why, "an answer with reserved flags");
    }
    if (out->type == POF_MQTT_PINGRESP) {
        return POF_MQTT_WHOLE;
    }
    out->id = two(have.ptr);
    out->code = out->type == POF_MQTT_SUBACK ? (unsigned char)have.ptr[2] : 0;
    return out->id ? POF_MQTT_WHOLE : bad(why, "an acknowledgement of number 0");
}

enum pof_mqtt_parse pof_mqtt_parse(struct pof_text bytes, struct pof_mqtt_reading how,
                                   struct pof_mqtt_packet *out, const char **why)
{
    struct head h;
    *out = (struct pof_mqtt_packet){0};
    if (bytes.len == 0) {
        return POF_MQTT_MORE;
    }
    switch ((unsigned char)bytes.ptr[0] >> 4) { /* nonsense is told by its first byte */
    case POF_MQTT_CONNACK:
    case POF_MQTT_PUBLISH:
    case POF_MQTT_PUBACK:
    case POF_MQTT_SUBACK:
    case POF_MQTT_PINGRESP:
        break;
    case POF_MQTT_DISCONNECT:
        if (how.five) {
            break;
        } /* fall through */
    default:
        return bad(why, "a packet of a type that no broker sends to a client of this kind");
    }
    out->type = (enum pof_mqtt_type)((unsigned char)bytes.ptr[0] >> 4);
    enum pof_mqtt_parse what = parse_head(bytes, &h, why);
    if (what != POF_MQTT_WHOLE) {
        return what;
    }
    struct pof_text have = {bytes.ptr + h.bytes, bytes.len - h.bytes};
    return out->type == POF_MQTT_PUBLISH ? parse_publish(&h, have, how, out, why)
                                         : parse_short(&h, have, how, out, why);
}

/* --- writing --- */

/* The fixed header; room for the body is made. */
static int put_head(struct pof_buf *to, unsigned first, size_t body, struct pof_err *err)
{
    if (body > POF_MQTT_BODY_MAX) {
        return pof_fail(err, POF_E_RANGE, "a message of %zu bytes, MQTT allows %d", body,
                        POF_MQTT_BODY_MAX);
    }
    int rc = pof_buf_reserve(to, body + 5, err);
    if (rc) {
        return rc;
    }
    to->data[to->len++] = (char)first;
    do {
        to->data[to->len++] = (char)((body & 0x7f) | (body > 0x7f ? 0x80 : 0));
        body >>= 7;
    } while (body);
    return 0;
}

/* Behind put_head there is room. */
static void put_two(struct pof_buf *to, size_t n)
{
    to->data[to->len++] = (char)(n >> 8 & 0xff);
    to->data[to->len++] = (char)(n & 0xff);
}

static void put_bytes(struct pof_buf *to, struct pof_text t)
{
    if (t.len) {
        memcpy(to->data + to->len, t.ptr, t.len);
        to->len += t.len;
    }
}

static void put_text(struct pof_buf *to, struct pof_text t)
{
    put_two(to, t.len);
    put_bytes(to, t);
}

static void put_number(struct pof_buf *to, unsigned property, size_t n, size_t bytes)
{
    to->data[to->len++] = (char)property;
    if (bytes == 4) {
        put_two(to, n >> 16);
    }
    put_two(to, n & 0xffff);
}

static int check_text(struct pof_text t, const char *what, struct pof_err *err)
{
    return t.len <= POF_MQTT_TEXT_MAX
               ? 0
               : pof_fail(err, POF_E_RANGE, "a %s of %zu bytes, MQTT allows %d", what, t.len,
                          POF_MQTT_TEXT_MAX);
}

int pof_mqtt_put_connect(struct pof_buf *to, const struct pof_mqtt_connect *c, struct pof_err *err)
{
    enum { CLEAN = 0x02, PASSWORD = 0x40, USER = 0x80, LEVEL = 4, LEVEL_5 = 5 }; /* section 3.1.2 */
    enum { EXPIRY = 0x11, EXPIRY_BYTES = 5, RECEIVE = 0x21, RECEIVE_BYTES = 3 };
    bool user = c->user.ptr != NULL;
    bool password = user && c->password.ptr != NULL;
    size_t properties = (c->keep ? (size_t)EXPIRY_BYTES : 0) + (c->receive_max ? (size_t)RECEIVE_BYTES : 0);
    int rc = check_text(c->client, "client name", err);
    rc = rc ? rc : check_text(c->user, "user name", err);
    rc = rc ? rc : check_text(c->password, "password", err);
    rc = rc ? rc
            : put_head(to, CONNECT,
                       10 + (c->five ? 1 + properties : 0U) + 2 + c->client.len + (user ? 2 + c->user.len : 0) +
                           (password ? 2 + c->password.len : 0),
                       err);
    if (rc == 0) {
        put_text(to, pof_text("MQTT"));
        to->data[to->len++] = c->five ? LEVEL_5 : LEVEL;
        to->data[to->len++] =
            (char)((c->keep ? 0 : CLEAN) | (user ? USER : 0) | (password ? PASSWORD : 0));
        put_two(to, c->keep_alive_s);
        if (c->five) {
            to->data[to->len++] = (char)properties;
        }
        if (c->five && c->keep) {
            put_number(to, EXPIRY, c->expiry_s, 4);
        }
        if (c->five && c->receive_max) {
            put_number(to, RECEIVE, c->receive_max, 2);
        }
        put_text(to, c->client);
        if (user) {
            put_text(to, c->user);
        }
        if (password) {
            put_text(to, c->password);
        }
    }
    return rc;
}

int pof_mqtt_put_subscribe(struct pof_buf *to, unsigned id, struct pof_text filter, bool five,
                           struct pof_err *err)
{
    int rc = check_text(filter, "topic", err);
    rc = rc ? rc : put_head(to, SUBSCRIBE, 2 + (size_t)five + 2 + filter.len + 1, err);
    if (rc == 0) {
        put_two(to, id);
        if (five) {
            to->data[to->len++] = 0; /* no properties */
        }
        put_text(to, filter);
        to->data[to->len++] = 1;
    }
    return rc;
}

int pof_mqtt_put_publish(struct pof_buf *to, const struct pof_mqtt_message *m, struct pof_err *err)
{
    int rc = check_text(m->topic, "topic", err);
    rc = rc ? rc
            : put_head(to, PUBLISH_1 | (m->again ? DUP : 0), 2 + m->topic.len + 2 + (size_t)m->five + m->payload.len,
                       err);
    if (rc == 0) {
        put_text(to, m->topic);
        put_two(to, m->id);
        if (m->five) {
            to->data[to->len++] = 0; /* no properties */
        }
        put_bytes(to, m->payload);
    }
    return rc;
}

int pof_mqtt_put_puback(struct pof_buf *to, unsigned id, struct pof_err *err)
{
    int rc = put_head(to, PUBACK, 2, err);
    if (rc == 0) {
        put_two(to, id);
    }
    return rc;
}

int pof_mqtt_put_pingreq(struct pof_buf *to, struct pof_err *err)
{
    return put_head(to, PINGREQ, 0, err);
}

int pof_mqtt_put_disconnect(struct pof_buf *to, struct pof_err *err)
{
    return put_head(to, DISCONNECT, 0, err);
}
