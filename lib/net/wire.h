/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a server, by TCP or by TLS over it, that never makes its user wait longer than
 * said.
 *
 * Errors: UNAVAILABLE (no such host, no connection, closed, cut off: to be tried again later),
 * PROTOCOL (TLS is refused by either side, a certificate is not good), CONFIG (a file of TLS cannot
 * be used), USAGE (not an address), NOMEM. */
#ifndef POF_NET_WIRE_H
#define POF_NET_WIRE_H

#include "net/tls.h"

#include <stdint.h>

struct pof_wire_options {
    const char *address; /* "broker.example:1883", "[::1]:8883"; all texts outlive the wire */
    bool tls;
    const char *ca, *cert, *key; /* as in tls.h */
    int64_t connect_ms;          /* to be connected, TLS included */
};

struct pof_wire;

int pof_wire_open(struct pof_wire **out, const struct pof_wire_options *options,
                  struct pof_err *err) POF_CHECKED;

/* One turn of waiting. */
struct pof_wire_turn {
    int64_t ms;    /* wait so long at most; 0: do not wait */
    bool deaf;     /* do not read from the server */
    int fd;        /* also wait until this can be read; -1: no other */
    bool fd_ready; /* out: it can */
    bool heard;    /* out: bytes came from the server */
};

/* Waits until something can be done, sends what waits to be sent, and reads at most 64 KiB. Views
 * of pof_wire_in end. */
int pof_wire_turn(struct pof_wire *w, struct pof_wire_turn *turn, struct pof_err *err) POF_CHECKED;

/* What came and was not taken; taking moves nothing. The user bounds it by being deaf. */
struct pof_text pof_wire_in(const struct pof_wire *w);
void pof_wire_take(struct pof_wire *w, size_t n);

/* Where bytes to be sent are added; they go with the next turns. */
struct pof_buf *pof_wire_out(struct pof_wire *w);
/* Bytes that wait to be sent. */
size_t pof_wire_waiting(const struct pof_wire *w);

void pof_wire_close(struct pof_wire *w); /* NULL allowed */

/* Milliseconds of a clock that only goes forward. */
int64_t pof_wire_now(void);

#endif
