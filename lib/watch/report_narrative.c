/*
 * What a report says in sentences: one of each section, made of its figures by
 * the same rule each time.
 */

#include "base/base.h"

#include "watch/report.h"

/* A value of a row, as in its table. */
static void
narrative_cell(struct krn_buf *buf, const struct krn_report_section *section,
	       size_t row, size_t column)
{
	krn_report_value(buf, section->source->columns[column].type,
			 &section->rows.array.items[row].array.items[column]);
}

/* False: it is none, as a share of nothing. */
static bool
narrative_number(const struct krn_report_section *section, size_t row,
		 size_t column, double *ret)
{
	const struct krn_value *cells = &section->rows.array.items[row];

	return column < cells->array.nr &&
	       krn_value_number(&cells->array.items[column], ret);
}

/* The rows of the most and of the least; false: no row has a number. */
static bool
narrative_ends(const struct krn_report_section *section, size_t column,
	       size_t *ret_most, size_t *ret_least)
{
	double most = 0, least = 0, number;
	bool any = false;

	for (size_t r = 0; r < section->rows.array.nr; r++) {
		if (!narrative_number(section, r, column, &number))
			continue;
		if (!any || number > most) {
			most = number;
			*ret_most = r;
		}
		if (!any || number < least) {
			least = number;
			*ret_least = r;
		}
		any = true;
	}
	return any;
}

/* "Acceptance is highest for X (12 %) and lowest for Y (3 %)." */
static void
narrative_ranking(const struct krn_report_section *section, size_t column,
		  struct krn_buf *buf)
{
	size_t most, least;

	if (!narrative_ends(section, column, &most, &least)) {
		krn_buf_add_c(buf, "no data.");
		return;
	}
	krn_buf_printf(buf, "%s is highest for ",
		       section->source->columns[column].title);
	narrative_cell(buf, section, most, 0);
	krn_buf_add_c(buf, " (");
	narrative_cell(buf, section, most, column);
	if (least != most) {
		krn_buf_add_c(buf, ") and lowest for ");
		narrative_cell(buf, section, least, 0);
		krn_buf_add_c(buf, " (");
		narrative_cell(buf, section, least, column);
	}
	krn_buf_add_c(buf, ").");
}

/* "Impressions 1,200 in all, most on 2026-03-01 (90)." */
static void
narrative_days(const struct krn_report_section *section, size_t column,
	       struct krn_buf *buf)
{
	struct krn_value all;
	double sum = 0, number;
	size_t most, least;

	if (!narrative_ends(section, column, &most, &least)) {
		krn_buf_add_c(buf, "no data.");
		return;
	}
	for (size_t r = 0; r < section->rows.array.nr; r++)
		if (narrative_number(section, r, column, &number))
			sum += number;
	all = krn_value_double(sum);
	krn_buf_printf(buf, "%s ", section->source->columns[column].title);
	krn_report_value(buf, section->source->columns[column].type, &all);
	krn_buf_add_c(buf, " in all, most on ");
	narrative_cell(buf, section, most, 0);
	krn_buf_add_c(buf, " (");
	narrative_cell(buf, section, most, column);
	krn_buf_add_c(buf, ").");
}

/* "Impressions 800, Clicks 80 (10 %)." */
static void
narrative_stages(const struct krn_report_section *section, size_t column,
		 struct krn_buf *buf)
{
	for (size_t r = 0; r < section->rows.array.nr; r++) {
		krn_buf_add_c(buf, r ? ", " : "");
		narrative_cell(buf, section, r, 0);
		krn_buf_add_char(buf, ' ');
		narrative_cell(buf, section, r, column);
		if (r == 0)
			continue;
		krn_buf_add_c(buf, " (");
		narrative_cell(buf, section, r, column + 1);
		krn_buf_add_char(buf, ')');
	}
	krn_buf_add_char(buf, '.');
}

/* "3, first of all X on 2026-03-01 (90, the mean is 12.50)." */
static void
narrative_odd(const struct krn_report_section *section, size_t column,
	      struct krn_buf *buf)
{
	krn_buf_printf(buf, "%zu, first of all ", section->rows.array.nr);
	narrative_cell(buf, section, 0, 0);
	krn_buf_add_c(buf, " on ");
	narrative_cell(buf, section, 0, 1);
	krn_buf_add_c(buf, " (");
	narrative_cell(buf, section, 0, column);
	krn_buf_add_c(buf, ", the mean is ");
	narrative_cell(buf, section, 0, column + 1);
	krn_buf_add_c(buf, ").");
}

/* How the sentence of a source is made, and of which column. */
static const struct {
	const char *key;
	void (*tell)(const struct krn_report_section *section, size_t column,
		     struct krn_buf *buf);
	size_t column;
} narrative_rules[] = {
    {"offer_performance", narrative_ranking, 5},
    {"channel_effectiveness", narrative_ranking, 5},
    {"selection_frequency", narrative_ranking, 2},
    {"why_not_ranked", narrative_ranking, 3},
    {"decision_traces_summary", narrative_ranking, 6},
    {"budget_burn", narrative_ranking, 4},
    {"daily_trend", narrative_days, 1},
    {"revenue_trend", narrative_days, 1},
    {"funnel", narrative_stages, 1},
    {"anomaly_candidates", narrative_odd, 2},
};

static void
narrative_section(const struct krn_report_section *section, struct krn_buf *buf)
{
	size_t i = 0;

	while (strcmp(section->source->key, narrative_rules[i].key) != 0) {
		i++;
		KRN_BUG_IF(i == KRN_NR(narrative_rules));
	}
	krn_buf_add_str(buf, section->title);
	krn_buf_add_c(buf, ": ");
	if (section->rows.array.nr == 0)
		krn_buf_add_c(buf, "none.");
	else
		narrative_rules[i].tell(section, narrative_rules[i].column,
					buf);
}

void
krn_report_narrative(const struct krn_report *report, struct krn_buf *buf)
{
	for (size_t s = 0; s < report->nr; s++) {
		krn_buf_add_c(buf, s ? "\n" : "");
		narrative_section(&report->sections[s], buf);
	}
}
