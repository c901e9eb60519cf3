/* SPDX-License-Identifier: Apache-2.0 */
/* The constants of words.h stand for the words of words.def. */
#include "record/words.h"

#include "num/units.h"
#include "record/record.h"
#include "tap.h"

static void is_word(const char *set, const char *word, int constant)
{
    const char *const *words = pof_words(set);
    ok(words && pof_word_of(words, pof_text(word)) == constant, "%s of %s is %d", word, set,
       constant);
}

int main(void)
{
    is_word("pod_kind", "household", POF_POD_KIND_HOUSEHOLD);
    is_word("pod_kind", "commercial", POF_POD_KIND_COMMERCIAL);
    is_word("pod_kind", "industrial", POF_POD_KIND_INDUSTRIAL);
    is_word("pod_kind", "pv", POF_POD_KIND_PV);
    is_word("pod_kind", "battery", POF_POD_KIND_BATTERY);
    is_word("pod_kind", "vehicle", POF_POD_KIND_VEHICLE);
    is_word("pod_kind", "heatpump", POF_POD_KIND_HEATPUMP);
    is_word("pod_kind", "other", POF_POD_KIND_OTHER);
    is_word("direction", "up", POF_UP);
    is_word("direction", "down", POF_DOWN);
    is_word("element", "node", POF_ELEMENT_NODE);
    is_word("element", "branch", POF_ELEMENT_BRANCH);
    is_word("quantity", "v", POF_QUANTITY_V);
    is_word("quantity", "angle", POF_QUANTITY_ANGLE);
    is_word("quantity", "p", POF_QUANTITY_P);
    is_word("quantity", "q", POF_QUANTITY_Q);
    is_word("quantity", "i", POF_QUANTITY_I);
    is_word("quantity", "i_angle", POF_QUANTITY_I_ANGLE);
    is_word("quantity", "i_angle_to_v", POF_QUANTITY_I_ANGLE_TO_V);
    is_word("quality", "good", POF_QUALITY_GOOD);
    is_word("quality", "suspect", POF_QUALITY_SUSPECT);
    is_word("quality", "estimated", POF_QUALITY_ESTIMATED);
    is_word("quality", "substituted", POF_QUALITY_SUBSTITUTED);
    is_word("role", "dso", POF_ROLE_DSO);
    is_word("role", "tso", POF_ROLE_TSO);
    is_word("decision", "accept", POF_DECISION_ACCEPT);
    is_word("decision", "curtail", POF_DECISION_CURTAIL);
    is_word("decision", "reject", POF_DECISION_REJECT);
    is_word("violation", "voltage_low", POF_VIOLATION_VOLTAGE_LOW);
    is_word("violation", "voltage_high", POF_VIOLATION_VOLTAGE_HIGH);
    is_word("violation", "loading", POF_VIOLATION_LOADING);
    is_word("violation", "diverged", POF_VIOLATION_DIVERGED);
    is_word("scope", "below", POF_SCOPE_BELOW);
    is_word("scope", "own", POF_SCOPE_OWN);
    is_word("standing", "won", POF_STANDING_WON);
    is_word("standing", "lost", POF_STANDING_LOST);
    is_word("subscription_step", "revoke", POF_SUBSCRIPTION_STEP_REVOKE);
    is_word("access_decision", "deny", POF_ACCESS_DECISION_DENY);
    is_word("access_why", "granted", POF_ACCESS_WHY_GRANTED);
    is_word("access_why", "not_granted", POF_ACCESS_WHY_NOT_GRANTED);
    is_word("access_why", "time", POF_ACCESS_WHY_TIME);
    is_word("why", "price", POF_WHY_PRICE);
    is_word("why", "grid", POF_WHY_GRID);
    is_word("why", "validation", POF_WHY_VALIDATION);
    return done();
}
