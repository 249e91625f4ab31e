/*
 * Metrics of the database.
 */

#include "base/base.h"

#include "watch/metric.h"

static const struct metric_family {
	const char *name;
	const char *type;
	const char *help;
	const char *labels[2]; /* after the tenant, if any; NULL: none */
} metric_families[] = {
    {"kaireon_cron_duration_seconds_total",
     "counter",
     "Seconds that calls of a cron job took.",
     {"job", NULL}},
    {"kaireon_cron_failures_total",
     "counter",
     "Calls of a cron job that ended with ok: false.",
     {"job", NULL}},
    {"kaireon_cron_last_success_timestamp_seconds",
     "gauge",
     "When a call of a cron job last ended with ok: true.",
     {"job", NULL}},
    {"kaireon_cron_rows_total",
     "counter",
     "Rows that calls of a cron job worked on.",
     {"job", NULL}},
    {"kaireon_cron_runs_total",
     "counter",
     "Calls of a cron job that ended.",
     {"job", NULL}},
    {"kaireon_dead_letters",
     "gauge",
     "Jobs that failed for good and were not retried.",
     {"topic", NULL}},
    {"kaireon_gitops_drift_resources",
     "gauge",
     "Resources that differ from the tenant's snapshot, at the last check.",
     {"kind", "op"}},
    {"kaireon_queue_jobs",
     "gauge",
     "Jobs that wait or are at work.",
     {"topic", "state"}},
};

/* Source: Prometheus, exposition formats: \ " and newline are escaped. */
static void
metric_label(struct krn_buf *text, const char *name, struct krn_str value)
{
	krn_buf_printf(text, "%s=\"", name);
	for (size_t i = 0; i < value.len; i++) {
		const char c = value.s[i];

		if (c == '\n') {
			krn_buf_add_c(text, "\\n");
			continue;
		}
		if (c == '\\' || c == '"')
			krn_buf_add_char(text, '\\');
		krn_buf_add_char(text, c);
	}
	krn_buf_add_char(text, '"');
}

static void
metric_series(struct krn_buf *text, const struct metric_family *family,
	      const struct krn_rows *rows, size_t row)
{
	const bool is_tenants = !krn_rows_is_null(rows, row, 1);

	krn_buf_printf(text, "%s{", family->name);
	if (is_tenants)
		metric_label(text, "tenant", krn_rows_str(rows, row, 1));
	for (size_t i = 0; i < KRN_NR(family->labels); i++) {
		if (!family->labels[i])
			continue;
		if (i > 0 || is_tenants)
			krn_buf_add_char(text, ',');
		metric_label(text, family->labels[i],
			     krn_rows_str(rows, row, 2 + i));
	}
	krn_buf_add_c(text, "} ");
	krn_buf_add_str(text, krn_rows_str(rows, row, 4));
	krn_buf_add_char(text, '\n');
}

enum krn_err
krn_metrics_write(struct krn_db *db, struct krn_buf *text,
		  struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_metric_rows, NULL, &rows, err)))
		return e;
	for (size_t i = 0; i < KRN_NR(metric_families); i++) {
		const struct metric_family *family = &metric_families[i];

		krn_buf_printf(text, "# HELP %s %s\n# TYPE %s %s\n",
			       family->name, family->help, family->name,
			       family->type);
		for (size_t row = 0; row < krn_rows_nr(rows); row++)
			if (krn_str_eq_c(krn_rows_str(rows, row, 0),
					 family->name))
				metric_series(text, family, rows, row);
	}
	return KRN_OK;
}
