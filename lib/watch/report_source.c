/*
 * Sources of reports, and reading them.
 */

#include "base/base.h"

#include "watch/report.h"

#include "base/clock.h"
#include "base/json_in.h"

#define PERFORMANCE(noun)                                                      \
	{                                                                      \
		{"name", noun, KRN_REPORT_TEXT},                               \
		    {"impressions", "Impressions", KRN_REPORT_COUNT},          \
		    {"clicks", "Clicks", KRN_REPORT_COUNT},                    \
		    {"ctr", "Click rate", KRN_REPORT_PERCENT},                 \
		    {"positives", "Positive answers", KRN_REPORT_COUNT},       \
		    {"acceptanceRate", "Acceptance", KRN_REPORT_PERCENT},      \
		    {"revenue", "Revenue", KRN_REPORT_NUMBER},                 \
	}

static const struct krn_report_source report_sources[] = {
    {"offer_performance", "Offers", KRN_STMT_report_offer_performance,
     KRN_CHART_BARS, 5, PERFORMANCE("Offer")},
    {"channel_effectiveness", "Channels", KRN_STMT_report_channel_effectiveness,
     KRN_CHART_BARS, 5, PERFORMANCE("Channel")},
    {"selection_frequency",
     "How often offers are selected",
     KRN_STMT_report_selection_frequency,
     KRN_CHART_BARS,
     2,
     {{"name", "Offer", KRN_REPORT_TEXT},
      {"selections", "Selections", KRN_REPORT_COUNT},
      {"share", "Share", KRN_REPORT_PERCENT}}},
    {"anomaly_candidates",
     "Days that stand out",
     KRN_STMT_report_anomaly_candidates,
     KRN_CHART_NONE,
     0,
     {{"name", "Offer", KRN_REPORT_TEXT},
      {"day", "Day", KRN_REPORT_DAY},
      {"impressions", "Impressions", KRN_REPORT_COUNT},
      {"mean", "Mean of the span", KRN_REPORT_NUMBER},
      {"score", "Standard deviations", KRN_REPORT_NUMBER}}},
    {"why_not_ranked",
     "Where candidates were dropped",
     KRN_STMT_report_why_not_ranked,
     KRN_CHART_BARS,
     3,
     {{"stage", "Stage", KRN_REPORT_TEXT},
      {"candidates", "Candidates", KRN_REPORT_COUNT},
      {"passed", "Passed", KRN_REPORT_COUNT},
      {"dropped", "Dropped", KRN_REPORT_COUNT},
      {"share", "Dropped of candidates", KRN_REPORT_PERCENT}}},
    {"decision_traces_summary",
     "Decisions",
     KRN_STMT_report_decision_traces_summary,
     KRN_CHART_NONE,
     0,
     {{"flow", "Flow", KRN_REPORT_TEXT},
      {"traces", "Traces", KRN_REPORT_COUNT},
      {"selected", "With a selection", KRN_REPORT_PERCENT},
      {"degraded", "Degraded scoring", KRN_REPORT_PERCENT},
      {"p50", "p50 ms", KRN_REPORT_NUMBER},
      {"p95", "p95 ms", KRN_REPORT_NUMBER},
      {"p99", "p99 ms", KRN_REPORT_NUMBER}}},
    {"funnel",
     "Funnel",
     KRN_STMT_report_funnel,
     KRN_CHART_BARS,
     1,
     {{"stage", "Stage", KRN_REPORT_TEXT},
      {"count", "Count", KRN_REPORT_COUNT},
      {"share", "Of impressions", KRN_REPORT_PERCENT}}},
    {"revenue_trend",
     "Revenue by day",
     KRN_STMT_report_revenue_trend,
     KRN_CHART_LINE,
     1,
     {{"day", "Day", KRN_REPORT_DAY},
      {"revenue", "Revenue", KRN_REPORT_NUMBER},
      {"conversions", "Conversions", KRN_REPORT_COUNT}}},
    {"daily_trend",
     "Impressions by day",
     KRN_STMT_report_daily_trend,
     KRN_CHART_LINE,
     1,
     {{"day", "Day", KRN_REPORT_DAY},
      {"impressions", "Impressions", KRN_REPORT_COUNT},
      {"positives", "Positive answers", KRN_REPORT_COUNT},
      {"acceptanceRate", "Acceptance", KRN_REPORT_PERCENT}}},
    {"budget_burn",
     "Budgets",
     KRN_STMT_report_budget_burn,
     KRN_CHART_BARS,
     4,
     {{"name", "Offer", KRN_REPORT_TEXT},
      {"limit", "Limit", KRN_REPORT_TEXT},
      {"amount", "Amount", KRN_REPORT_NUMBER},
      {"used", "Used", KRN_REPORT_NUMBER},
      {"share", "Used of it", KRN_REPORT_PERCENT}}},
};

const char *const krn_report_source_keys[] = {"offer_performance",
					      "channel_effectiveness",
					      "selection_frequency",
					      "anomaly_candidates",
					      "why_not_ranked",
					      "decision_traces_summary",
					      "funnel",
					      "revenue_trend",
					      "daily_trend",
					      "budget_burn",
					      NULL};

const struct krn_report_source *
krn_report_source(struct krn_str key)
{
	for (size_t i = 0; i < KRN_NR(report_sources); i++)
		if (krn_str_eq_c(key, report_sources[i].key))
			return &report_sources[i];
	return NULL;
}

size_t
krn_report_columns(const struct krn_report_source *source)
{
	size_t nr = 0;

	while (nr < KRN_REPORT_COLUMNS_MAX && source->columns[nr].name)
		nr++;
	return nr;
}

/* Reading */

/* A source of the template: its key and how many days it looks back. */
static void
report_section(const struct krn_value *source, struct krn_str id,
	       struct krn_str title, struct krn_report_section *ret)
{
	const struct krn_value *days =
	    krn_value_find(krn_value_find(source, "params"), "days");

	ret->source = krn_report_source(krn_form_text(source, "sourceKey"));
	KRN_BUG_IF(!ret->source); /* the form knows them */
	ret->days = days && days->type == KRN_VALUE_INT ? days->integer : 30;
	ret->id = id.len ? id : krn_str_c(ret->source->key);
	ret->title = title.len ? title : krn_str_c(ret->source->title);
}

/* The sections of a template; without any, one of each source. */
static enum krn_err
report_sections(struct krn_arena *arena, const struct krn_value *fields,
		struct krn_report *ret, struct krn_error *err)
{
	const struct krn_value *sources = krn_value_find(fields, "dataSources");
	const struct krn_value *sections = krn_value_find(fields, "sections");
	const bool by_section = sections->array.nr > 0;

	ret->nr = by_section ? sections->array.nr : sources->array.nr;
	ret->sections =
	    krn_arena_calloc(arena, ret->nr + 1, sizeof(*ret->sections));
	if (!ret->sections)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < ret->nr; i++) {
		const struct krn_value *section =
		    by_section ? &sections->array.items[i] : NULL;
		const struct krn_value *index =
		    krn_value_find(section, "dataSourceIndex");

		report_section(
		    &sources->array.items[index ? (size_t)index->integer : i],
		    krn_form_text(section, "id"),
		    krn_form_text(section, "title"), &ret->sections[i]);
	}
	return KRN_OK;
}

/* Sentences, when the template wants them. */
static enum krn_err
report_tell(struct krn_arena *arena, const struct krn_value *fields,
	    struct krn_report *ret, struct krn_error *err)
{
	const struct krn_value *enabled =
	    krn_value_find(krn_value_find(fields, "narrative"), "enabled");
	struct krn_buf buf;

	if (!enabled || enabled->type != KRN_VALUE_BOOL || !enabled->boolean)
		return KRN_OK;
	krn_buf_init(&buf, arena);
	krn_report_narrative(ret, &buf);
	return krn_buf_end(&buf, &ret->narrative, err);
}

enum krn_err
krn_report_read(struct krn_arena *arena, struct krn_db *db,
		const struct krn_value *fields, struct krn_str tenant_name,
		int64_t at_us, struct krn_report *ret, struct krn_error *err)
{
	const struct krn_rows **rows;
	enum krn_err e;

	*ret = (struct krn_report){
	    .template_id = krn_form_text(fields, "id"),
	    .title = krn_form_text(fields, "name"),
	    .description = krn_form_text(fields, "description"),
	    .tenant_name = tenant_name,
	    .at_us = at_us,
	    .formats = krn_value_find(fields, "formats"),
	};
	if ((e = report_sections(arena, fields, ret, err)))
		return e;
	rows = krn_arena_calloc(arena, ret->nr + 1, sizeof(*rows));
	if (!rows)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < ret->nr; i++) {
		const struct krn_param params[] = {
		    krn_param_time(arena, at_us - ret->sections[i].days *
						      KRN_US_PER_DAY),
		    krn_param_time(arena, at_us),
		};

		krn_db_send(db, ret->sections[i].source->rows, params,
			    &rows[i]);
	}
	if ((e = krn_db_flush(db, err)))
		return e;
	for (size_t i = 0; i < ret->nr; i++)
		if ((e = krn_json_parse_stored(arena,
					       krn_rows_str(rows[i], 0, 0),
					       &ret->sections[i].rows, err)))
			return e;
	return report_tell(arena, fields, ret, err);
}
