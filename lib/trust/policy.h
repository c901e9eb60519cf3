/* SPDX-License-Identifier: Apache-2.0 */
/* Trust policies, https://c2sp.org/tlog-policy: which logs are known, which witnesses, and how many
 * of them must have cosigned a checkpoint, such as "the DSO, and one of TSO and aggregator":
 *
 *     log <vkey>
 *     witness dso <vkey>
 *     witness tso <vkey>
 *     witness ap <vkey> http://ap.example/witness
 *     group other any tso ap
 *     group both all dso other
 *     quorum both
 */
#ifndef POF_TRUST_POLICY_H
#define POF_TRUST_POLICY_H

#include "trust/checkpoint.h"

/* Of each kind in one policy; the specification asks for at least 32. */
enum { POF_POLICY_MAX = 32, POF_POLICY_BYTES = 1 << 16 };

struct pof_policy_member {
    struct pof_text name; /* in the policy; a log has none */
    struct pof_vkey vkey; /* not of groups */
    struct pof_text url;  /* "" none */
    uint32_t k;           /* of a group: members that must have signed */
    uint64_t members;     /* of a group: bit i is witness i, bit 32 + i is group i */
};

struct pof_policy {
    struct pof_policy_member log[POF_POLICY_MAX];
    struct pof_policy_member witness[POF_POLICY_MAX];
    struct pof_policy_member group[POF_POLICY_MAX];
    size_t logs, witnesses, groups;
    uint64_t quorum; /* the one bit of a witness or group, as above; 0: none is needed */
    struct pof_text quorum_name;
};

/* The views of *out live as long as text. Errors carry the line (err->line) and what it should be:
 * SYNTAX, DUPLICATE, REFERENCE, RANGE; MISSING when there is no quorum. */
int pof_policy_parse(struct pof_policy *out, struct pof_text text, struct pof_err *err) POF_CHECKED;

/* What a policy says of a checkpoint. */
struct pof_policy_verdict {
    bool good;
    const char *why;                  /* a sentence for people when not good */
    struct pof_checkpoint checkpoint; /* set when a known log signed it */
    const struct pof_vkey *log;       /* the log that signed; NULL: none */
    bool witness[POF_POLICY_MAX];     /* cosigned, by place in the policy */
};

/* Judges a signed checkpoint: signed by a log of the policy (or, when it names none, by `log`)
 * whose name is the origin, and cosigned by a quorum. One bad signature of a known key refuses it.
 */
int pof_policy_judge(const struct pof_policy *p, const struct pof_vkey *log, struct pof_text note,
                     struct pof_policy_verdict *out, struct pof_err *err) POF_CHECKED;
/* Adds to a signed checkpoint those of some signature lines (as a witness answers) that are good
 * cosignatures of witnesses of the policy who have not signed it yet. Others are left out. */
int pof_policy_merge(const struct pof_policy *p, struct pof_buf *note, struct pof_text lines,
                     size_t *added, struct pof_err *err) POF_CHECKED;
/* Adds who signed: "quorum both: dso yes, tso no, ap yes". */
int pof_policy_say(const struct pof_policy *p, const struct pof_policy_verdict *v,
                   struct pof_buf *to, struct pof_err *err) POF_CHECKED;

#endif
