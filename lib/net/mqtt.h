/* SPDX-License-Identifier: Apache-2.0 */
/* A client of a broker of MQTT 3.1.1 or 5 that decides itself when a message is acknowledged.
 *
 * It is our own because the usual library queues its acknowledgement before the program has seen
 * the message, so that a crash between both loses what the broker believes to be safe. Here a
 * message is acknowledged by pof_mqtt_ack, after whatever the user did to keep it.
 *
 * Never waits longer than told, and holds at most one packet of max_packet bytes and 128 KiB
 * besides. Errors: those of wire.h, and PROTOCOL (the broker sends what is no MQTT), PERMISSION (it
 * refuses the client, its password, a subscription or, with MQTT 5, a message or to go on). What a
 * broker of MQTT 5 gives as its reason is in the message. */
#ifndef POF_NET_MQTT_H
#define POF_NET_MQTT_H

#include "net/mqtt_packet.h"
#include "net/wire.h"

struct pof_mqtt_options {
    struct pof_wire_options wire;
    struct pof_mqtt_connect connect;
    size_t max_packet; /* longer messages are told without their payload; at least 131072 */
};

struct pof_mqtt;

/* Connects and waits for the broker's answer, wire.connect_ms at most for each. */
int pof_mqtt_open(struct pof_mqtt **out, const struct pof_mqtt_options *options,
                  struct pof_err *err) POF_CHECKED;
/* Did the broker know the session? */
bool pof_mqtt_known(const struct pof_mqtt *m);

/* Asks for a topic with quality 1; a refusal is an error of a later pof_mqtt_next. */
int pof_mqtt_subscribe(struct pof_mqtt *m, struct pof_text filter, struct pof_err *err) POF_CHECKED;
/* Not more than pof_mqtt_receive_max() are to be on the way. TOO_LONG when the broker takes no message
 * of this size. */
int pof_mqtt_publish(struct pof_mqtt *m, const struct pof_mqtt_message *message,
                     struct pof_err *err) POF_CHECKED;
int pof_mqtt_ack(struct pof_mqtt *m, unsigned id, struct pof_err *err) POF_CHECKED;

/* Waits as wire.h says, and keeps the connection alive. Views of packets end. */
int pof_mqtt_turn(struct pof_mqtt *m, struct pof_wire_turn *turn, struct pof_err *err) POF_CHECKED;
/* 1: *packet is the next PUBLISH or PUBACK that came (one that refuses the message is an error); 0: there is none yet. */
int pof_mqtt_next(struct pof_mqtt *m, struct pof_mqtt_packet *packet,
                  struct pof_err *err) POF_CHECKED;
/* Messages that the broker takes before it acknowledges one: 65535 when it has not said. */
unsigned pof_mqtt_receive_max(const struct pof_mqtt *m);
/* For how long it keeps the session without a connection, UINT32_MAX: for ever. What was asked for when it
 * has not said. */
uint32_t pof_mqtt_expiry_s(const struct pof_mqtt *m);
/* Bytes that wait to be sent. */
size_t pof_mqtt_waiting(const struct pof_mqtt *m);

/* Says good-bye, waiting ms at most until all is sent. NULL allowed. */
void pof_mqtt_close(struct pof_mqtt *m, int64_t ms);

#endif
