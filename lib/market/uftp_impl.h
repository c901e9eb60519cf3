/* SPDX-License-Identifier: Apache-2.0 */
/* Inside lib/market/uftp*: what the files that write share, and the message as it is read. */
#ifndef POF_MARKET_UFTP_IMPL_H
#define POF_MARKET_UFTP_IMPL_H

#include "market/uftp.h"
#include "market/uftp_form.h"

enum { POFI_UFTP_UUID_LEN = 36 };

/* Names of offers that came by a FlexOffer: MESSAGEID/OPTION/ISP. The first two parts, without any of another
 * name: "". */
struct pof_text pofi_uftp_option(struct pof_text offer);

/* --- writing --- */

/* What all messages of one congestion point and day begin with. */
struct pofi_uftp_head {
    const char *kind, *place; /* place: node, branch, or "" for the grid */
    struct pof_text party, name;
    struct pof_text other; /* recipient; "": that of the writer */
    int64_t start;         /* of its first ISP */
    bool lasting;          /* does not expire */
    char uuid[POFI_UFTP_UUID_LEN + 1];
};

int pofi_uftp_name(struct pof_uftp_writer *w, struct pofi_uftp_head *h, const struct pof_text part[3],
                   struct pof_err *err);
int pofi_uftp_open_payload(struct pof_uftp_writer *w, const struct pofi_uftp_head *h, struct pof_buf *to,
                           struct pof_err *err);
int pofi_uftp_open(struct pof_uftp_writer *w, const struct pofi_uftp_head *h, struct pof_buf *to, struct pof_err *err);
int pofi_uftp_add(struct pof_buf *to, const char *name, struct pof_text value, struct pof_err *err);
/* Number of the ISP that begins at an instant of its local day, from 1; the end of that day. */
int64_t pofi_uftp_isp(const struct pof_uftp_writer *w, int64_t at);
int64_t pofi_uftp_day_end(const struct pof_uftp_writer *w, int64_t at);

/* --- reading --- */

enum { POFI_UFTP_DEPTH = 4, POFI_UFTP_ROOT_MAX = 20, POFI_UFTP_UEUR = 100 /* amounts have four decimals */ };

struct pofi_uftp_isp {
    uint64_t line;
    int64_t start, duration;
    int64_t low, high; /* a request's band; an option's power in both */
    uint32_t option;   /* or order settlement; 0 without */
    bool available;
    int64_t baseline, ordered, actual, delivered, deficiency; /* of an order settlement */
};

/* A FlexOrderSettlement. */
struct pofi_uftp_settled {
    uint64_t line;
    struct pof_text period, order, baseline, point;
    int64_t price, penalty; /* 1e-4 */
};

struct pofi_uftp_message {
    struct pof_uftp_reader *u;
    const char *name;
    uint64_t line;      /* of the present element */
    uint64_t root_line; /* of the message's own */
    bool sound;
    int depth;
    const struct pofi_uftp_element *open[POFI_UFTP_DEPTH];
    size_t inside[POFI_UFTP_DEPTH]; /* elements within each */
    int kind;                       /* -1: not known */
    struct pof_text key[POFI_UFTP_ROOT_MAX], value[POFI_UFTP_ROOT_MAX];
    size_t keys;
    struct pofi_uftp_isp *isp;
    size_t isps, isp_cap;
    struct option *option;
    size_t options, option_cap; /* order settlements count too */
    struct pofi_uftp_settled *settled;
    size_t settled_cap;
    struct pof_names references;
    struct pof_arena arena;
    int64_t day, day_end; /* of Period, once known */
};

/* Tells a violation, whose code and text stand in *e. */
void pofi_uftp_say(struct pofi_uftp_message *m, struct pof_err *e, uint64_t line, const char *field);
/* An attribute of the message itself, "" without it. */
struct pof_text pofi_uftp_value(const struct pofi_uftp_message *m, const char *key);

/* What the congestion point of an entity address is called, without pod. in front. */
struct pof_text pofi_uftp_pod(struct pof_text entity);
/* FlexSettlement to settlements. */
int pofi_uftp_take_settlement(struct pofi_uftp_message *m, struct pof_err *err);
/* FlexOrder and FlexOfferRevocation to awards and revocations. */
int pofi_uftp_take_order(struct pofi_uftp_message *m, struct pof_err *err);
int pofi_uftp_take_revocation(struct pofi_uftp_message *m, struct pof_err *err);

#endif
