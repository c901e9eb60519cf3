/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of TLS 1.2 and 1.3 as a change of bytes: what a socket brings goes in, what it
 * is to carry comes out, and no socket is touched. tls.c is the only file that includes OpenSSL's
 * TLS.
 *
 * The server's certificate and its name, or address, are verified; there is no switch to leave that
 * out. The system's configuration file of OpenSSL is not read. */
#ifndef POF_NET_TLS_H
#define POF_NET_TLS_H

#include "base/text.h"

struct pof_tls_options {
    const char *host;       /* name or address the certificate must have */
    const char *ca;         /* file of authorities (PEM); NULL: those of the system */
    const char *cert, *key; /* files of the client's certificate chain and key (PEM); NULL: none */
};

struct pof_tls;

/* CONFIG when a file cannot be used, with what OpenSSL says of it. */
int pof_tls_open(struct pof_tls **out, const struct pof_tls_options *options,
                 struct pof_err *err) POF_CHECKED;
/* Bytes from the socket; plain ones are added to `to`, at most 16 KiB more than were put in. *over:
 * the server has ended the stream in the way it should. PROTOCOL when the handshake, or what
 * follows, is refused by either side. */
int pof_tls_in(struct pof_tls *t, struct pof_text bytes, struct pof_buf *to, bool *over,
               struct pof_err *err) POF_CHECKED;
/* Has the handshake ended? Plain bytes can be put in from then on. */
bool pof_tls_ready(const struct pof_tls *t);
/* Plain bytes to be sent. */
int pof_tls_out(struct pof_tls *t, struct pof_text plain, struct pof_err *err) POF_CHECKED;
/* Moves what the socket is to carry now to the end of a buffer; also during the handshake. */
int pof_tls_carry(struct pof_tls *t, struct pof_buf *to, struct pof_err *err) POF_CHECKED;
void pof_tls_close(struct pof_tls *t); /* NULL allowed */

#endif
