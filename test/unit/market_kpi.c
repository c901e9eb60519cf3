/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of events, quantiles, exponents. */
#include "market/kpi.h"

#include "market.h"

struct seen {
    struct pof_kpi kpi[16];
    char flow[16][16];
    bool exponent[16];
    size_t n;
};

static int on_kpi(void *ctx, const struct pof_kpi *kpi, struct pof_err *err)
{
    struct seen *s = ctx;
    (void)err;
    s->kpi[s->n] = *kpi;
    snprintf(s->flow[s->n], sizeof s->flow[0], "%.*s", (int)kpi->flow.len, kpi->flow.ptr);
    s->n++;
    return 0;
}

static int on_growth(void *ctx, const struct pof_kpi *kpi, bool exponent, struct pof_err *err)
{
    struct seen *s = ctx;
    s->exponent[s->n] = exponent;
    return on_kpi(ctx, kpi, err);
}

static void take(struct pof_kpis *k, const char *flow, int type, int platform, int64_t when_ms)
{
    struct pof_err err = {0};
    struct pof_event e = {.flow = pof_text(flow),
                          .type = type,
                          .platform = platform,
                          .datetime = when_ms,
                          .reference_id = pof_text("r")};
    ok(pof_kpis_take(k, &e, &err) == 0, "an event is taken");
}

static void make(struct pof_kpis *k, struct seen *s)
{
    struct pof_err err = {0};
    *s = (struct seen){.n = 0};
    ok(pof_kpis_make(k, on_kpi, s, &err) == 0, "figures are made");
}

static void test_words(void)
{
    const char *const *kinds = pof_words("kpi_kind");
    const char *const *types = pof_words("event_type");
    is_int(pof_word_of(kinds, pof_text("execution")), POF_KPI_EXECUTION, "execution");
    is_int(pof_word_of(kinds, pof_text("communication")), POF_KPI_COMMUNICATION, "communication");
    is_int(pof_word_of(kinds, pof_text("cpu")), POF_KPI_CPU, "cpu");
    is_int(pof_word_of(kinds, pof_text("memory")), POF_KPI_MEMORY, "memory");
    is_int(pof_word_of(kinds, pof_text("growth")), POF_KPI_GROWTH, "growth");
    is_int(pof_word_of(types, pof_text("message_received")), POF_EVENT_MESSAGE_RECEIVED, "received");
    is_int(pof_word_of(types, pof_text("start_execution")), POF_EVENT_START_EXECUTION, "start");
    is_int(pof_word_of(types, pof_text("end_execution")), POF_EVENT_END_EXECUTION, "end");
    is_int(pof_word_of(types, pof_text("message_sent")), POF_EVENT_MESSAGE_SENT, "sent");
}

static void test_ranks(void)
{
    is_int((int64_t)pof_nearest_rank(1, 500), 0, "the median of one");
    is_int((int64_t)pof_nearest_rank(2, 500), 0, "of two, the smaller");
    is_int((int64_t)pof_nearest_rank(3, 500), 1, "of three, the middle");
    is_int((int64_t)pof_nearest_rank(20, 950), 18, "19 of 20 are 95 %");
    is_int((int64_t)pof_nearest_rank(21, 950), 19, "19 of 21 are not");
    is_int((int64_t)pof_nearest_rank(100000, 950), 94999, "many");
    is_int((int64_t)pof_nearest_rank(7, 1000), 6, "all of them: the largest");
}

static void test_lost_end(void)
{
    struct pof_kpis k = {0};
    struct seen s;
    take(&k, "flow3", POF_EVENT_END_EXECUTION, 2, 105);
    take(&k, "flow3", POF_EVENT_START_EXECUTION, 2, 0);
    take(&k, "flow3", POF_EVENT_START_EXECUTION, 2, 100);
    take(&k, "flow3", POF_EVENT_END_EXECUTION, 1, 101);
    make(&k, &s);
    is_int((int64_t)s.n, 1, "one figure");
    is_int(s.kpi[0].count, 1, "one passage");
    is_near(s.kpi[0].mean, 5, 0, "a lost end does not make the next passage long");
    is_int((int64_t)k.alone[POF_EVENT_START_EXECUTION], 1, "the first start stays alone");
    is_int((int64_t)k.alone[POF_EVENT_END_EXECUTION], 1, "an end elsewhere stays alone");
    pof_kpis_release(&k);
}

static void test_receivers(void)
{
    struct pof_kpis k = {0};
    struct seen s;
    take(&k, "flow5", POF_EVENT_MESSAGE_SENT, 2, 10);
    take(&k, "flow5", POF_EVENT_MESSAGE_RECEIVED, 0, 14);
    take(&k, "flow5", POF_EVENT_MESSAGE_RECEIVED, 1, 12);
    take(&k, "flow5", POF_EVENT_MESSAGE_RECEIVED, 2, 13);
    take(&k, "flow10", POF_EVENT_MESSAGE_SENT, 2, 20);
    take(&k, "flow10", POF_EVENT_MESSAGE_RECEIVED, 0, 19);
    make(&k, &s);
    is_int((int64_t)s.n, 1, "a message that comes before it is sent is none");
    is_int(s.kpi[0].count, 2, "one message, two receivers");
    is_near(s.kpi[0].mean, 3, 0, "mean of 4 and 2 ms");
    is_near(s.kpi[0].p50, 2, 0, "nearest rank");
    is_int((int64_t)k.alone[POF_EVENT_MESSAGE_RECEIVED], 2, "a platform does not hear itself");
    is_int((int64_t)k.alone[POF_EVENT_MESSAGE_SENT], 1, "and what was not heard is alone");
    pof_kpis_release(&k);
}

static void test_overlap(void)
{
    struct pof_kpis k = {0};
    struct seen s;
    take(&k, "flow2", POF_EVENT_START_EXECUTION, 0, 0);
    take(&k, "flow2", POF_EVENT_START_EXECUTION, 0, 4);
    take(&k, "flow2", POF_EVENT_END_EXECUTION, 0, 10);
    take(&k, "flow2", POF_EVENT_END_EXECUTION, 0, 11);
    make(&k, &s);
    is_int(s.kpi[0].count, 2, "both passages");
    is_near(s.kpi[0].max, 10, 0, "in order of time: 0 to 10");
    is_near(s.kpi[0].p50, 7, 0, "and 4 to 11");
    pof_kpis_release(&k);
}

static void point(struct pof_growth *g, const char *flow, int64_t pods, double mean)
{
    struct pof_err err = {0};
    struct pof_kpi kpi = {.flow = pof_text(flow), .pods = pods, .mean = mean, .count = 1};
    POF_SET(&kpi, kpi, pods);
    ok(pof_growth_take(g, &kpi, &err) == 0, "a point is taken");
}

static void test_growth(void)
{
    struct pof_growth g = {.kind = POF_KPI_EXECUTION};
    struct pof_err err = {0};
    struct seen s = {.n = 0};
    for (int64_t n = 10; n <= 100000; n *= 10) {
        point(&g, "b", n, 0.5 * pow((double)n, 1.5));
    }
    point(&g, "a", 10, 1);
    point(&g, "a", 10, 2);
    point(&g, "c", 10, 1);
    point(&g, "c", 100, 10);
    point(&g, "c", 1000, 10);
    point(&g, "c", 10000, 0);
    ok(pof_growth_make(&g, on_growth, &s, &err) == 0, "exponents are made");
    is_int((int64_t)s.n, 3, "three flows");
    ok(strcmp(s.flow[0], "a") == 0 && !s.exponent[0], "two points of one size are no line");
    ok(strcmp(s.flow[1], "b") == 0 && s.exponent[1], "flows in order");
    is_near(s.kpi[1].mean, 1.5, 1e-12, "the exponent of a power law");
    is_int(s.kpi[1].count, 5, "of five points");
    is_near(s.kpi[2].mean, 0.5, 1e-12, "the line through (1,0) (2,1) (3,1) has slope 1/2");
    is_int((int64_t)g.zeros, 1, "a mean of 0 is counted");
    struct pof_kpi sizeless = {.flow = pof_text("c"), .mean = 1};
    struct pof_kpi other = {.flow = pof_text("c"), .mean = 1, .kind = POF_KPI_CPU};
    ok(pof_growth_take(&g, &sizeless, &err) == 0 && g.sizeless == 1, "no size is counted");
    ok(pof_growth_take(&g, &other, &err) == 0 && g.other_kinds == 1, "other kinds are counted");
    pof_growth_release(&g);
}

int main(void)
{
    test_words();
    test_ranks();
    test_lost_end();
    test_receivers();
    test_overlap();
    test_growth();
    return done();
}
