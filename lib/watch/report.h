#ifndef KRN_REPORT_H
#define KRN_REPORT_H

/*
 * Reports: templates name sources of data and sections; a run reads them and
 * renders the formats that the template asks for; schedules make runs.
 *
 * A run is made in the transaction that wants it (by hand, by the tick) and
 * carried out by the worker. Its artifacts are kept in the database, so that
 * every host has them, and go to the run's destinations through the outbox.
 *
 * Source: doc/reports.md; facts of the documented product, section 5.3.
 */

#include "queue/job.h"
#include "watch/object.h"

extern const struct krn_object_kind krn_report_template_kind;
extern const struct krn_object_kind krn_report_schedule_kind;

/* Sources */

enum krn_report_type {
	KRN_REPORT_TEXT,
	KRN_REPORT_DAY, /* YYYY-MM-DD */
	KRN_REPORT_COUNT,
	KRN_REPORT_NUMBER,  /* two decimals */
	KRN_REPORT_PERCENT, /* 0.1 is 10 % */
};

struct krn_report_column {
	const char *name, *title;
	enum krn_report_type type;
};

#define KRN_REPORT_COLUMNS_MAX 8

struct krn_report_source {
	const char *key, *title;
	enum krn_stmt rows; /* (since, until): an array of arrays */
	enum { KRN_CHART_NONE, KRN_CHART_BARS, KRN_CHART_LINE } chart;
	size_t charted; /* the column that the chart shows, over the first */
	struct krn_report_column columns[KRN_REPORT_COLUMNS_MAX];
};

/* NULL: none of ours. */
const struct krn_report_source *krn_report_source(struct krn_str key);
extern const char *const krn_report_source_keys[]; /* NULL-terminated */

/* How many columns a source has. */
size_t krn_report_columns(const struct krn_report_source *source);

/* A report */

struct krn_report_section {
	struct krn_str id, title;
	const struct krn_report_source *source;
	int64_t days;
	struct krn_value rows; /* an array of arrays */
};

struct krn_report {
	struct krn_str template_id, title, description, tenant_name;
	int64_t at_us;            /* the end of its spans */
	struct krn_str narrative; /* .s NULL: not wanted */
	struct krn_report_section *sections;
	size_t nr;
	const struct krn_value *formats; /* texts */
};

/*
 * Read a report's data in the running transaction, which should see one
 * snapshot. `fields` is the template.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    those of its statements
 */
KRN_MUSTCHECK enum krn_err
krn_report_read(struct krn_arena *arena, struct krn_db *db,
		const struct krn_value *fields, struct krn_str tenant_name,
		int64_t at_us, struct krn_report *ret, struct krn_error *err);

/* A sentence of each section, a line each; krn_report_read has it made. */
void krn_report_narrative(const struct krn_report *report, struct krn_buf *buf);

/* Formats: failures are the buffer's. */

void krn_report_csv(const struct krn_report *report, struct krn_buf *buf);
void krn_report_markdown(const struct krn_report *report, struct krn_buf *buf);
void krn_report_html(const struct krn_report *report, struct krn_buf *buf);

/* sectionsData: [{"id", "title", "sourceKey", "days", "columns", "rows"}] */
void krn_report_json(const struct krn_report *report, struct krn_json_out *out,
		     const char *name);

/*
 * A page as PDF, by a program in a sandbox (render/main.c). It may take a
 * minute: `db` ticks meanwhile, no transaction of it is open.
 * Errors: KRN_ERR_INVALID      it is not installed
 *         KRN_ERR_UNAVAILABLE  it took too long
 *         KRN_ERR_INTERNAL     it failed
 */
KRN_MUSTCHECK enum krn_err
krn_report_pdf(struct krn_arena *arena, struct krn_db *db, struct krn_str html,
	       struct krn_str *ret, struct krn_error *err);

/* A value of a column as people read it. */
void krn_report_value(struct krn_buf *buf, enum krn_report_type type,
		      const struct krn_value *value);

/* Runs */

#define KRN_REPORT_JOB "report_run"

/*
 * Queue the job of a run that was inserted in this transaction. Failures are
 * told by the flush.
 */
void krn_report_run_queue(struct krn_arena *arena, struct krn_db *db,
			  struct krn_str run_id);

/* Carry out the job of a run; completes it. Errors: those of its parts. */
KRN_MUSTCHECK enum krn_err krn_report_run(struct krn_arena *arena,
					  struct krn_db *db,
					  const struct krn_options *options,
					  const struct krn_job *job,
					  struct krn_error *err);

/* The time of a schedule's next run after `after_us`; a time in the
 * parameter, NULL: never. Errors: KRN_ERR_INVALID  no such expression. */
KRN_MUSTCHECK enum krn_err
krn_report_next_run(struct krn_arena *arena, struct krn_db *db,
		    struct krn_str cron_expression, struct krn_str zone,
		    int64_t after_us, struct krn_param *ret,
		    struct krn_error *err);

#endif
