/* SPDX-License-Identifier: Apache-2.0 */
/* The words of words.def as C constants, for code that decides by them. test/unit/record_words.c
 * holds the two together. (The preprocessor cannot make identifiers of strings.) */
#ifndef POF_RECORD_WORDS_H
#define POF_RECORD_WORDS_H

enum pof_pod_kind {
    POF_POD_KIND_HOUSEHOLD,
    POF_POD_KIND_COMMERCIAL,
    POF_POD_KIND_INDUSTRIAL,
    POF_POD_KIND_PV,
    POF_POD_KIND_BATTERY,
    POF_POD_KIND_VEHICLE,
    POF_POD_KIND_HEATPUMP,
    POF_POD_KIND_OTHER
};

enum pof_element { POF_ELEMENT_NODE, POF_ELEMENT_BRANCH };

/* What a reading reads. */
enum pof_quantity {
    POF_QUANTITY_V,     /* V, line to line, of one phase: to ground; nodes */
    POF_QUANTITY_ANGLE, /* degrees; nodes */
    POF_QUANTITY_P,     /* W: consumption of a node, or into a branch at its end */
    POF_QUANTITY_Q,     /* var, the same */
    POF_QUANTITY_I,     /* A; at an end of a branch */
    POF_QUANTITY_I_ANGLE,     /* degrees: the current's, in the frame of the voltage angles */
    POF_QUANTITY_I_ANGLE_TO_V /* degrees: the current's less that of the voltage at that end */
};

enum pof_quality {
    POF_QUALITY_GOOD,
    POF_QUALITY_SUSPECT,
    POF_QUALITY_ESTIMATED,
    POF_QUALITY_SUBSTITUTED
};

enum pof_role { POF_ROLE_DSO, POF_ROLE_TSO };

enum pof_decision { POF_DECISION_ACCEPT, POF_DECISION_CURTAIL, POF_DECISION_REJECT };

enum pof_violation {
    POF_VIOLATION_VOLTAGE_LOW,
    POF_VIOLATION_VOLTAGE_HIGH,
    POF_VIOLATION_LOADING,
    POF_VIOLATION_DIVERGED
};

/* Of a node price. */
enum pof_scope { POF_SCOPE_BELOW, POF_SCOPE_OWN };

/* What became of an offer, and why. */
enum pof_standing { POF_STANDING_WON, POF_STANDING_PARTLY, POF_STANDING_LOST };

enum pof_why {
    POF_WHY_PRICE,
    POF_WHY_MARGIN,
    POF_WHY_TIE,
    POF_WHY_GRID,
    POF_WHY_NOT_ASKED,
    POF_WHY_GATE,
    POF_WHY_UNFED,
    POF_WHY_CHOICE,
    POF_WHY_VALIDATION,
    POF_WHY_REFUSED,
    POF_WHY_ACTIVATION
};

/* Rules of a market. */
enum pof_sequence {
    POF_SEQUENCE_JOINT,    /* all requests together: least cost */
    POF_SEQUENCE_DSO_FIRST /* DSO requests first; what they take is fixed; then TSO requests */
};

enum pof_price_rule {
    POF_PRICE_RULE_PAY_AS_BID,
    POF_PRICE_RULE_UNIFORM,
    POF_PRICE_RULE_ZONAL,
    POF_PRICE_RULE_NODAL
};

enum pof_tie_rule { POF_TIE_RULE_TIME, POF_TIE_RULE_PRO_RATA, POF_TIE_RULE_LOTTERY };

enum pof_loss_rule { POF_LOSS_RULE_MAKE_WHOLE, POF_LOSS_RULE_FORBID };

enum pof_single_seller_rule {
    POF_SINGLE_SELLER_IGNORE,
    POF_SINGLE_SELLER_MARK,
    POF_SINGLE_SELLER_AS_BID
};

enum pof_order { POF_ORDER_OFFER, POF_ORDER_REQUEST };

enum pof_refusal_why {
    POF_REFUSAL_FLOOR,
    POF_REFUSAL_CEILING,
    POF_REFUSAL_LATE,
    POF_REFUSAL_EARLY,
    POF_REFUSAL_REVOKED,
    POF_REFUSAL_REPLACED,
    POF_REFUSAL_LEAD,
    POF_REFUSAL_BLOCK
};

enum pof_cut_order {
    POF_CUT_ORDER_TSO_FIRST,
    POF_CUT_ORDER_DSO_FIRST,
    POF_CUT_ORDER_LEAST_COST
};

/* Data subscriptions. */
enum pof_subscription_step {
    POF_SUBSCRIPTION_STEP_ASK,
    POF_SUBSCRIPTION_STEP_GRANT,
    POF_SUBSCRIPTION_STEP_REVOKE
};

enum pof_access_word { POF_ACCESS_DECISION_ALLOW, POF_ACCESS_DECISION_DENY };

enum pof_access_why {
    POF_ACCESS_WHY_GRANTED,
    POF_ACCESS_WHY_NOT_ASKED,
    POF_ACCESS_WHY_NOT_GRANTED,
    POF_ACCESS_WHY_REVOKED,
    POF_ACCESS_WHY_EXPIRED,
    POF_ACCESS_WHY_PURPOSE,
    POF_ACCESS_WHY_DATA,
    POF_ACCESS_WHY_TIME
};

/* How a request is met, and what keeps it from being met whole. */
enum pof_met { POF_MET_MET, POF_MET_PARTLY, POF_MET_UNMET };

enum pof_lack {
    POF_LACK_NONE,
    POF_LACK_NO_OFFERS,
    POF_LACK_PRICE,
    POF_LACK_GRID,
    POF_LACK_CHOICE,
    POF_LACK_GATE,
    POF_LACK_UNFED,
    POF_LACK_OPPOSED
};

/* What is different between two results, and why. */
enum pof_changed { POF_CHANGED_OFFER, POF_CHANGED_REQUEST, POF_CHANGED_NODE };

enum pof_cause {
    POF_CAUSE_NEW,
    POF_CAUSE_GONE,
    POF_CAUSE_ASKED_PRICE,
    POF_CAUSE_POWER,
    POF_CAUSE_GRID,
    POF_CAUSE_WORTH,
    POF_CAUSE_VALIDATION,
    POF_CAUSE_ORDER
};

#endif
