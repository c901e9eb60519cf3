/* SPDX-License-Identifier: Apache-2.0 */
/* Data subscriptions: who may read what, folded from signed steps.
 *
 * A consumer asks for one type of records of one point of delivery, for a purpose and a time; the owner
 * grants as much or less; either revokes. Each step is a subscription record with the signature of the
 * party that takes it. What is allowed follows from the steps in their order and from nothing else, so
 * that whoever has the log comes to the same decisions.
 *
 * A step counts when its signature is of the party that may take it and it fits what went before:
 *   ask     by the consumer; the subscription and point of delivery are new
 *   grant   by the owner, who must be the owner of the point of delivery, of what was asked; terms the
 *           same, times within
 *   revoke  by owner or consumer; final
 * Steps that do not count change nothing, and are told with their reason. */
#ifndef POF_TRUST_SUBSCRIPTIONS_H
#define POF_TRUST_SUBSCRIPTIONS_H

#include "record/record.h"
#include "trust/jcs.h"
#include "trust/note.h"

struct pof_subscriptions;

/* NOMEM. Released with pof_subscriptions_free (NULL allowed). */
int pof_subscriptions_new(struct pof_subscriptions **out, struct pof_err *err) POF_CHECKED;
void pof_subscriptions_free(struct pof_subscriptions *a);

/* A party's public key; its name is the party's. A second key of one name is CONFLICT. */
int pof_subscriptions_key(struct pof_subscriptions *a, const struct pof_vkey *key, struct pof_err *err) POF_CHECKED;
/* Who owns a point of delivery; a pod without owner is nobody's to grant. CONFLICT: two owners. */
int pof_subscriptions_pod(struct pof_subscriptions *a, const struct pof_pod *pod, struct pof_err *err) POF_CHECKED;
/* The next step. *why: NULL when it counts, else a sentence for people why not. Keys and pods come
 * first. O(1) and one signature. */
int pof_subscriptions_step(struct pof_subscriptions *a, const struct pof_subscription *s, const char **why,
                    struct pof_err *err) POF_CHECKED;

/* Who wants to read, and when: the part of a question that is the same for many records. */
struct pof_question {
    struct pof_text consumer, data, purpose;
    int64_t now; /* seconds */
};

struct pof_permission {
    bool allow;
    int why;                      /* enum pof_access_why */
    struct pof_text subscription; /* "" when none comes near */
    int64_t start, end;           /* of the grant; 0 of a denial */
};

/* Decides on a record of a pod at a time. Fills *out; its text is a view of a. Where several subscriptions fit, the first granted one counts. O(subscriptions of consumer
 * and pod). */
void pof_subscriptions_permit(const struct pof_subscriptions *a, const struct pof_question *question,
                       struct pof_text pod, int64_t start, struct pof_permission *out);

/* How one subscription stands, whatever others of the same consumer and pod say. terms: of its first
 * step. The record is meant to be of its own type, purpose and first instant. */
void pof_subscriptions_standing(const struct pof_subscriptions *a, const struct pof_subscription *terms,
                                int64_t now, struct pof_permission *out);

/* Signs a step: sets s->signature to text in the arena. */
int pof_subscription_sign(struct pof_subscription *s, const struct pof_signer *key, struct pof_arena *arena,
                    struct pof_err *err) POF_CHECKED;

#endif
