/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of MQTT 3.1.1 (OASIS Standard, 29 October 2014; "section" below is of it) and of MQTT 5
 * (OASIS Standard, 7 March 2019), as a client needs them with quality of service 0 and 1: bytes to a
 * packet and back. Pure. Who sends and who reads must know which of the two is spoken: `five`. */
#ifndef POF_NET_MQTT_PACKET_H
#define POF_NET_MQTT_PACKET_H

#include "net/mqtt_property.h"

enum {
    POF_MQTT_TEXT_MAX = 65535,    /* bytes of a topic, a name, a password (section 1.5.3) */
    POF_MQTT_BODY_MAX = 268435455 /* bytes behind the fixed header (section 2.2.3) */
};

enum pof_mqtt_type { /* section 2.2.1 */
                     POF_MQTT_CONNACK = 2,
                     POF_MQTT_PUBLISH = 3,
                     POF_MQTT_PUBACK = 4,
                     POF_MQTT_SUBACK = 9,
                     POF_MQTT_PINGRESP = 13,
                     POF_MQTT_DISCONNECT = 14 /* of a broker of MQTT 5 */
};

/* A packet from a broker. Texts are views of the bytes parsed. */
struct pof_mqtt_packet {
    enum pof_mqtt_type type;
    unsigned id;        /* PUBLISH of quality 1, PUBACK, SUBACK: 1..65535 */
    unsigned code;      /* CONNACK: return code; SUBACK: quality granted, 128: refused; MQTT 5: the
                           reason, from 128 on an error (pof_mqtt_reason); also of PUBACK, DISCONNECT */
    bool session;       /* CONNACK: the broker knows the session */
    unsigned qos;       /* PUBLISH: 0 or 1 */
    bool again, retain; /* PUBLISH: may have come before; was kept by the broker */
    struct pof_text topic, payload;
    struct pof_mqtt_properties properties; /* MQTT 5, without those of a PUBLISH that is too long */
    size_t used; /* its bytes */
    size_t skip; /* PUBLISH of more than max bytes: bytes of payload that follow what was used, to
                    be thrown away; payload is empty then, and its length is this (MQTT 5: with
                    its properties) */
};

/* What the beginning of a connection's bytes is. */
enum pof_mqtt_parse {
    POF_MQTT_MORE, /* not whole yet */
    POF_MQTT_WHOLE,
    POF_MQTT_BAD /* *why says what is wrong; the connection cannot go on (section 4.8) */
};

/* How packets are read. */
struct pof_mqtt_reading {
    size_t max;
    bool five;
};

/* Takes a packet from the front of bytes. One of more than max bytes (at least 2 x
 * POF_MQTT_TEXT_MAX) is told as soon as its topic is there, so that nobody has to keep it. Topics
 * are checked: UTF-8 without control characters and wildcards. O(topic). */
enum pof_mqtt_parse pof_mqtt_parse(struct pof_text bytes, struct pof_mqtt_reading how, struct pof_mqtt_packet *out,
                                   const char **why);

/* Why a broker refuses a connection (section 3.2.2.3), in words; NULL: it is no code of the
 * standard. */
const char *pof_mqtt_refusal(unsigned code);

/* How a client presents itself. */
struct pof_mqtt_connect {
    struct pof_text client;         /* empty only without keep */
    bool keep;                      /* the session outlives the connection */
    struct pof_text user, password; /* user without ptr: none; password without user: not sent */
    unsigned keep_alive_s;
    bool five;
    uint32_t expiry_s;    /* MQTT 5, with keep: how long without a connection; UINT32_MAX: for ever */
    unsigned receive_max; /* MQTT 5: messages it may send before one is acknowledged; 0: 65535. There is
                             no largest packet: a broker drops longer messages without a word */
};

/* A message to publish with quality 1. */
struct pof_mqtt_message {
    struct pof_text topic, payload;
    unsigned id;
    bool again; /* sent before */
    bool five;
};

/* Packets from a client, added to a buffer. RANGE when a text or the whole is too long. */
int pof_mqtt_put_connect(struct pof_buf *to, const struct pof_mqtt_connect *c,
                         struct pof_err *err) POF_CHECKED;
int pof_mqtt_put_subscribe(struct pof_buf *to, unsigned id, struct pof_text filter, bool five,
                           struct pof_err *err) POF_CHECKED; /* quality 1 */
int pof_mqtt_put_publish(struct pof_buf *to, const struct pof_mqtt_message *m,
                         struct pof_err *err) POF_CHECKED;
int pof_mqtt_put_puback(struct pof_buf *to, unsigned id, struct pof_err *err) POF_CHECKED;
int pof_mqtt_put_pingreq(struct pof_buf *to, struct pof_err *err) POF_CHECKED;
int pof_mqtt_put_disconnect(struct pof_buf *to, struct pof_err *err) POF_CHECKED;

/* May a topic be published to, or with wildcards: be subscribed to (section 4.7)? */
bool pof_mqtt_is_topic(struct pof_text topic);
bool pof_mqtt_is_filter(struct pof_text filter);

#endif
