/*
 * Metrics: the families, and the two forms that they are written in.
 */

#include "base/base.h"

#include "watch/metric.h"

#include "base/json_out.h"
#include "base/registry.h"

/* Families that are not the registry's. Labels come after the tenant, if any.
 */
static const struct metric_family {
	const char *name;
	const char *type;
	const char *help;
	const char *labels[2]; /* NULL: none */
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
    {"kaireon_dlq_depth",
     "gauge",
     "Dead letters of a tenant, of all topics.",
     {NULL, NULL}},
    {"kaireon_gitops_drift_resources",
     "gauge",
     "Resources that differ from the tenant's snapshot, at the last check.",
     {"kind", "op"}},
    {"kaireon_queue_jobs",
     "gauge",
     "Jobs that wait or are at work.",
     {"topic", "state"}},
    {"kaireon_queue_oldest_seconds",
     "gauge",
     "How long the oldest job that is due has waited.",
     {"topic", NULL}},
};

/* Labels of one series: at most tenant and two, or the registry's and le. */
struct metric_labels {
	const char *names[KRN_REGISTRY_LABELS_MAX + 1];
	struct krn_str values[KRN_REGISTRY_LABELS_MAX + 1];
	size_t nr;
};

/* Where series are written: text, or `json` when that is not NULL. */
struct metric_out {
	struct krn_buf *text;
	struct krn_json_out *json;
	enum krn_registry_family family; /* of the series that is looked at */
};

static void
metric_label_add(struct metric_labels *labels, const char *name,
		 struct krn_str value)
{
	labels->names[labels->nr] = name;
	labels->values[labels->nr++] = value;
}

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
metric_begin(struct metric_out *out, const char *name, const char *help,
	     const char *type)
{
	if (!out->json) {
		krn_buf_printf(out->text, "# HELP %s %s\n# TYPE %s %s\n", name,
			       help, name, type);
		return;
	}
	krn_json_obj_open(out->json, name);
	krn_json_c(out->json, "name", name);
	krn_json_c(out->json, "help", help);
	krn_json_c(out->json, "type", type);
	krn_json_arr_open(out->json, "values");
}

static void
metric_end(struct metric_out *out)
{
	if (!out->json)
		return;
	krn_json_close(out->json);
	krn_json_close(out->json);
}

/* One value; `suffix` is that of a histogram's part, or "". */
static void
metric_value(struct metric_out *out, const char *name, const char *suffix,
	     const struct metric_labels *labels, double value)
{
	char full[96];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	if (!out->json) {
		krn_buf_printf(out->text, "%s%s", full, labels->nr ? "{" : "");
		for (size_t i = 0; i < labels->nr; i++) {
			if (i)
				krn_buf_add_char(out->text, ',');
			metric_label(out->text, labels->names[i],
				     labels->values[i]);
		}
		krn_buf_add_c(out->text, labels->nr ? "} " : " ");
		krn_buf_add_double(out->text, value);
		krn_buf_add_char(out->text, '\n');
		return;
	}
	krn_json_obj_open(out->json, NULL);
	krn_json_obj_open(out->json, "labels");
	for (size_t i = 0; i < labels->nr; i++)
		krn_json_str(out->json, labels->names[i], labels->values[i]);
	krn_json_close(out->json);
	krn_json_double(out->json, "value", value);
	if (suffix[0])
		krn_json_c(out->json, "metricName", full);
	krn_json_close(out->json);
}

/* The registry's */

static void
metric_histogram(struct metric_out *out, const struct krn_registry_row *row,
		 const struct krn_registry_series *series,
		 struct metric_labels *labels)
{
	const size_t nr = labels->nr;
	int64_t count = 0;

	for (size_t i = 0; i <= KRN_REGISTRY_BUCKETS; i++) {
		char bound[KRN_DOUBLE_TEXT_BYTES] = "+Inf";

		if (i < KRN_REGISTRY_BUCKETS)
			krn_format_double(
			    (double)krn_registry_bounds_us[i] / 1e6, bound);
		count += series->buckets[i];
		labels->nr = nr;
		metric_label_add(labels, "le", krn_str_c(bound));
		metric_value(out, row->name, "_bucket", labels, (double)count);
	}
	labels->nr = nr;
	metric_value(out, row->name, "_sum", labels,
		     (double)series->value / 1e6);
	metric_value(out, row->name, "_count", labels, (double)count);
}

static void
metric_registry_series(void *data, const struct krn_registry_series *series)
{
	struct metric_out *out = data;
	const struct krn_registry_row *row = &krn_registry_rows[series->family];
	struct metric_labels labels = {.nr = 0};

	if (series->family != out->family)
		return;
	for (size_t i = 0; i < KRN_REGISTRY_LABELS_MAX && row->labels[i]; i++)
		metric_label_add(&labels, row->labels[i],
				 krn_str_c(series->labels[i]));
	if (row->is_histogram)
		metric_histogram(out, row, series, &labels);
	else
		metric_value(out, row->name, "", &labels,
			     row->is_seconds ? (double)series->value / 1e6
					     : (double)series->value);
}

static void
metric_processes(void *data, const char *what, int64_t busy, int64_t idle)
{
	struct metric_out *out = data;
	struct metric_labels labels = {.nr = 0};

	metric_label_add(&labels, "pool", krn_str_c(what));
	metric_label_add(&labels, "state", KRN_STR("busy"));
	metric_value(out, "kaireon_workers", "", &labels, (double)busy);
	labels.nr = 1;
	metric_label_add(&labels, "state", KRN_STR("idle"));
	metric_value(out, "kaireon_workers", "", &labels, (double)idle);
}

static void
metric_registry(struct metric_out *out)
{
	const struct metric_labels none = {.nr = 0};

	for (size_t i = 0; i < KRN_REGISTRY__MAX; i++) {
		const struct krn_registry_row *row = &krn_registry_rows[i];

		out->family = (enum krn_registry_family)i;
		metric_begin(out, row->name, row->help,
			     row->is_histogram ? "histogram" : "counter");
		krn_registry_each(metric_registry_series, out);
		metric_end(out);
	}
	metric_begin(out, "kaireon_workers",
		     "Processes of this host that are at work or wait for it.",
		     "gauge");
	krn_registry_processes(metric_processes, out);
	metric_end(out);
	metric_begin(out, "kaireon_metrics_dropped_total",
		     "Recordings that found no room in the registry.",
		     "counter");
	metric_value(out, "kaireon_metrics_dropped_total", "", &none,
		     (double)krn_registry_dropped());
	metric_end(out);
}

/* The database's */

static void
metric_database(struct metric_out *out, const struct krn_rows *rows)
{
	for (size_t i = 0; i < KRN_NR(metric_families); i++) {
		const struct metric_family *family = &metric_families[i];

		metric_begin(out, family->name, family->help, family->type);
		for (size_t r = 0; r < krn_rows_nr(rows); r++) {
			struct metric_labels labels = {.nr = 0};

			if (!krn_str_eq_c(krn_rows_str(rows, r, 0),
					  family->name))
				continue;
			if (!krn_rows_is_null(rows, r, 1))
				metric_label_add(&labels, "tenant",
						 krn_rows_str(rows, r, 1));
			for (size_t k = 0; k < KRN_NR(family->labels); k++)
				if (family->labels[k])
					metric_label_add(
					    &labels, family->labels[k],
					    krn_rows_str(rows, r, 2 + k));
			metric_value(out, family->name, "", &labels,
				     krn_rows_double(rows, r, 4));
		}
		metric_end(out);
	}
}

enum krn_err
krn_metrics_write(struct krn_db *db, struct krn_buf *text,
		  struct krn_error *err)
{
	struct metric_out out = {.text = text};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_metric_rows, NULL, &rows, err)))
		return e;
	metric_registry(&out);
	metric_database(&out, rows);
	return KRN_OK;
}

enum krn_err
krn_metrics_count(struct krn_arena *arena, struct krn_db *db,
		  struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_queue_count, NULL, &rows);
	return krn_db_commit(db, err);
}

enum krn_err
krn_metrics_write_json(struct krn_db *db, struct krn_buf *text,
		       struct krn_error *err)
{
	struct krn_json_out json;
	struct metric_out out = {.text = text, .json = &json};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_metric_rows, NULL, &rows, err)))
		return e;
	krn_json_init(&json, text);
	krn_json_obj_open(&json, NULL);
	metric_registry(&out);
	metric_database(&out, rows);
	krn_json_close(&json);
	krn_json_end(&json);
	return KRN_OK;
}
