/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4, section 6.2), for draws and names of texts that anybody can check. What is
 * signed or certified goes through lib/trust/crypto.h; this one is pure, so that clearing can draw
 * lots without a library. */
#ifndef POF_NUM_SHA256_H
#define POF_NUM_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { POF_SHA256_BYTES = 32, POF_SHA256_HEX = 64, POF_SHA256_BLOCK = 64 };

/* A text as far as it was read. Initialise with pof_sha256_init. */
struct pof_sha256 {
    uint32_t state[8];
    uint64_t len; /* bytes read */
    uint8_t rest[POF_SHA256_BLOCK]; /* of the block that is not full yet */
};

void pof_sha256_init(struct pof_sha256 *h);
void pof_sha256_add(struct pof_sha256 *h, const void *bytes, size_t n);
void pof_sha256_end(struct pof_sha256 *h, uint8_t digest[POF_SHA256_BYTES]);

/* The 64 digits of a digest, lower case, without a NUL. */
void pof_sha256_hex(const uint8_t digest[POF_SHA256_BYTES], char hex[POF_SHA256_HEX]);

/* The first bits of a digest as a UUID of version 8 (RFC 9562, section 5.8), NUL-terminated: the same name, the same
 * UUID. */
enum { POF_UUID_MAX = 37 };
void pof_sha256_uuid(const uint8_t digest[POF_SHA256_BYTES], char to[POF_UUID_MAX]);

#endif
