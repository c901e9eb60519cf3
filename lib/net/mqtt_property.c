/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of MQTT 5. */
#include "net/mqtt_property.h"

#include "base/utf8.h"

#include <string.h>

enum kind { NONE, BYTE, TWO, FOUR, VARIABLE, TEXT, BINARY, PAIR };

/* In which packets a broker may send one. */
enum { CONNACK = 1 << 2, PUBLISH = 1 << 3, PUBACK = 1 << 4, SUBACK = 1 << 9, DISCONNECT = 1 << 14 };

enum {
    EXPIRY = 0x11,
    KEEP_ALIVE = 0x13,
    SUBSCRIPTION = 0x0b,
    REASON = 0x1f,
    RECEIVE_MAX = 0x21,
    ALIAS = 0x23,
    QOS_MAX = 0x24,
    USER = 0x26,
    PACKET_MAX = 0x27,
    HIGHEST = 0x2a
};

static const struct {
    unsigned char kind;
    unsigned short packets;
} properties[HIGHEST + 1] = {
    [0x01] = {BYTE, PUBLISH},     /* payload format */
    [0x02] = {FOUR, PUBLISH},     /* message expiry */
    [0x03] = {TEXT, PUBLISH},     /* content type */
    [0x08] = {TEXT, PUBLISH},     /* response topic */
    [0x09] = {BINARY, PUBLISH},   /* correlation data */
    [SUBSCRIPTION] = {VARIABLE, PUBLISH},
    [EXPIRY] = {FOUR, CONNACK},
    [0x12] = {TEXT, CONNACK},     /* assigned client name */
    [KEEP_ALIVE] = {TWO, CONNACK},
    [0x15] = {TEXT, CONNACK},     /* authentication method */
    [0x16] = {BINARY, CONNACK},   /* authentication data */
    [0x1a] = {TEXT, CONNACK},     /* response information */
    [0x1c] = {TEXT, CONNACK | DISCONNECT}, /* another server */
    [REASON] = {TEXT, CONNACK | PUBACK | SUBACK | DISCONNECT},
    [RECEIVE_MAX] = {TWO, CONNACK},
    [0x22] = {TWO, CONNACK},      /* topic aliases it takes */
    [ALIAS] = {TWO, PUBLISH},
    [QOS_MAX] = {BYTE, CONNACK},
    [0x25] = {BYTE, CONNACK},     /* retained messages */
    [USER] = {PAIR, CONNACK | PUBLISH | PUBACK | SUBACK | DISCONNECT},
    [PACKET_MAX] = {FOUR, CONNACK},
    [0x28] = {BYTE, CONNACK},     /* wildcards */
    [0x29] = {BYTE, CONNACK},     /* subscription numbers */
    [0x2a] = {BYTE, CONNACK},     /* shared subscriptions */
};

/* A variable byte integer (section 1.5.5); its bytes, 0 when it does not end. */
static size_t variable(struct pof_text t, uint32_t *value)
{
    *value = 0;
    for (size_t i = 0; i < 4 && i < t.len; i++) {
        unsigned char b = (unsigned char)t.ptr[i];
        *value |= (uint32_t)(b & 0x7f) << 7 * i;
        if (b < 0x80) {
            return i + 1;
        }
    }
    return 0;
}

static uint32_t number(const char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | (unsigned char)p[i];
    }
    return v;
}

/* Bytes of a text or binary value with its length; 0 when it does not end. */
static size_t sized(struct pof_text t)
{
    size_t n = t.len >= 2 ? 2 + (size_t)number(t.ptr, 2) : 0;
    return n <= t.len ? n : 0;
}

/* Bytes of a value of a kind at the front of t; 0 when there is none. */
static size_t length_of(enum kind kind, struct pof_text t)
{
    uint32_t ignored;
    size_t n = 0;
    switch (kind) {
    case BYTE:
        return t.len >= 1;
    case TWO:
        return t.len >= 2 ? 2 : 0;
    case FOUR:
        return t.len >= 4 ? 4 : 0;
    case VARIABLE:
        return variable(t, &ignored);
    case BINARY:
        return sized(t);
    case TEXT:
        n = sized(t);
        return n && pof_utf8_text((struct pof_text){t.ptr + 2, n - 2}) ? n : 0;
    case PAIR:
        n = length_of(TEXT, t);
        if (n) {
            size_t m = length_of(TEXT, (struct pof_text){t.ptr + n, t.len - n});
            return m ? n + m : 0;
        }
        return 0;
    case NONE:
        break;
    }
    return 0;
}

/* Keeps what is of use. */
static const char *keep(unsigned id, struct pof_text value, struct pof_mqtt_properties *out)
{
    switch (id) {
    case EXPIRY:
        out->has_expiry = true;
        out->expiry_s = number(value.ptr, 4);
        break;
    case KEEP_ALIVE:
        out->has_keep_alive = true;
        out->keep_alive_s = number(value.ptr, 2);
        break;
    case REASON:
        out->reason = (struct pof_text){value.ptr + 2, value.len - 2};
        break;
    case RECEIVE_MAX:
        out->receive_max = number(value.ptr, 2);
        return out->receive_max ? NULL : "a receive maximum of 0";
    case QOS_MAX:
        out->only_qos_0 = value.ptr[0] == 0;
        return (unsigned char)value.ptr[0] <= 1 ? NULL : "a maximum quality that is none";
    case PACKET_MAX:
        out->packet_max = number(value.ptr, 4);
        return out->packet_max ? NULL : "a maximum packet size of 0";
    case ALIAS:
        return "a topic alias, which was not allowed";
    default:
        break;
    }
    return NULL;
}

const char *pof_mqtt_properties_read(struct pof_text bytes, unsigned packet, struct pof_mqtt_properties *out,
                                     size_t *used)
{
    uint64_t seen = 0;
    uint32_t all;
    size_t n = variable(bytes, &all);
    *out = (struct pof_mqtt_properties){.receive_max = 65535};
    if (n == 0 || all > bytes.len - n) {
        return "properties that do not end within their packet";
    }
    *used = n + all;
    struct pof_text left = {bytes.ptr + n, all};
    while (left.len) {
        /* Numbers are variable byte integers, but all of the standard have one byte. */
        unsigned id = (unsigned char)left.ptr[0];
        if (id > HIGHEST || properties[id].kind == NONE || !(properties[id].packets & 1u << packet)) {
            return "a property that its packet cannot have";
        }
        if (seen >> id & 1 && id != USER && id != SUBSCRIPTION) {
            return "a property twice";
        }
        seen |= UINT64_C(1) << id;
        left = (struct pof_text){left.ptr + 1, left.len - 1};
        size_t size = length_of((enum kind)properties[id].kind, left);
        if (size == 0) {
            return "a property without a value of its type";
        }
        const char *why = keep(id, (struct pof_text){left.ptr, size}, out);
        if (why) {
            return why;
        }
        left = (struct pof_text){left.ptr + size, left.len - size};
    }
    return NULL;
}

const char *pof_mqtt_reason(unsigned code)
{
    static const char *const words[] = {
        [0x00] = "an error it does not name",
        [0x01] = "it takes a packet for malformed",
        [0x02] = "it takes a packet for one that is not allowed here",
        [0x03] = "an error of its own kind",
        [0x04] = "it does not speak MQTT 5; use --protocol 3.1.1",
        [0x05] = "it does not accept the client's name",
        [0x06] = "the user name or password is wrong",
        [0x07] = "the client is not authorized",
        [0x08] = "its service is not available",
        [0x09] = "it is busy",
        [0x0a] = "the client is banned",
        [0x0b] = "it is shutting down",
        [0x0c] = "the method of authentication is wrong",
        [0x0d] = "it has not heard of the client for too long",
        [0x0e] = "another client has taken over the session of this name",
        [0x0f] = "the filter of topics is not valid",
        [0x10] = "the name of the topic is not valid",
        [0x11] = "the packet's number is in use",
        [0x12] = "the packet's number is not known",
        [0x13] = "more messages without acknowledgement than it takes",
        [0x14] = "the topic alias is not valid",
        [0x15] = "the packet is too large",
        [0x16] = "messages come too fast",
        [0x17] = "a quota is exceeded",
        [0x18] = "an administrator's action",
        [0x19] = "the payload is not of the form it was said to have",
        [0x1a] = "it does not retain messages",
        [0x1b] = "it does not support this quality of service",
        [0x1c] = "another server is to be used for now",
        [0x1d] = "another server is to be used",
        [0x1e] = "it does not support shared subscriptions",
        [0x1f] = "connections come too fast",
        [0x20] = "the longest time of a connection is over",
        [0x21] = "it does not support numbers of subscriptions",
        [0x22] = "it does not support wildcards in subscriptions",
    };
    return code >= 0x80 && code - 0x80 < sizeof words / sizeof *words ? words[code - 0x80] : NULL;
}
