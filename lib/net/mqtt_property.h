/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of packets of MQTT 5 (OASIS Standard, 7 March 2019; section 2.2.2), and its reasons in
 * words. Pure. */
#ifndef POF_NET_MQTT_PROPERTY_H
#define POF_NET_MQTT_PROPERTY_H

#include "base/text.h"

/* Those that a client like this one has a use for; the others are checked and left out. */
struct pof_mqtt_properties {
    struct pof_text reason;    /* what the broker says to people; view, may be empty */
    unsigned receive_max;      /* messages of quality 1 the broker takes before it acknowledges */
    uint32_t packet_max;       /* bytes of a packet it takes; 0: any */
    uint32_t expiry_s;         /* how long it keeps the session without a connection */
    bool has_expiry;
    bool has_keep_alive;       /* the broker decides: */
    unsigned keep_alive_s;
    bool only_qos_0;           /* it acknowledges nothing */
};

/* Reads the properties in front of bytes: their length, then each by the type that section 2.2.2.2
 * gives its number. `packet` is the type of the packet (section 2.1.2). *used: bytes of length and
 * properties. NULL when all is well, else what is wrong: a number without a type (so that nobody knows
 * where it ends), one that this packet cannot have, one given twice, one that does not end within the
 * packet, a value out of its range, a topic alias (this client allows none). */
const char *pof_mqtt_properties_read(struct pof_text bytes, unsigned packet, struct pof_mqtt_properties *out,
                                     size_t *used);

/* A reason of 128 and more (section 2.4) in words; NULL: it is no number of the standard. */
const char *pof_mqtt_reason(unsigned code);

#endif
