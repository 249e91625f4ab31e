/*
 * Carrying out a run: its data from one snapshot, of a replica if there is one
 * that has caught up, its formats outside of any transaction, then artifacts,
 * deliveries and the end of the job in one.
 */

#include "base/base.h"

#include "watch/report.h"

#include "base/crypto.h"
#include "base/id.h"
#include "base/json_in.h"
#include "base/log.h"
#include "queue/outbox.h"
#include "store/replica.h"

/* How long a link in a delivery leads to its artifact. */
#define REPORT_LINK_DAYS 7
#define REPORT_TOKEN_BYTES 32

struct report_artifact {
	struct krn_str format, content;
	char sha256[KRN_SHA256_HEX_BYTES];
	struct krn_str url; /* .s NULL: none */
	unsigned char link_hash[KRN_SHA256_BYTES];
};

struct report_job {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_options *options;
	const struct krn_job *job;
	struct krn_str run_id;
	const struct krn_rows *row; /* report_run_load */
	struct krn_value fields;    /* the template */
	struct krn_report report;
	struct krn_value destinations;
	struct report_artifact artifacts[4];
	size_t nr;
	bool is_wanted;
};

void
krn_report_run_queue(struct krn_arena *arena, struct krn_db *db,
		     struct krn_str run_id)
{
	const struct krn_str payload =
	    krn_str_printf(arena, "{\"runId\": \"%.*s\"}", KRN_STR_ARG(run_id));

	krn_job_enqueue(arena, db, KRN_OUTBOX_REPORTS, KRN_REPORT_JOB,
			payload.s ? payload : KRN_STR("{"));
}

/* Is the run there and not completed? A failed one was a dead letter. */
static bool
report_is_wanted(const struct krn_rows *rows)
{
	return krn_rows_nr(rows) &&
	       !krn_str_eq_c(krn_rows_str(rows, 0, 0), "completed");
}

/* What the run is of; the transaction stays open. */
static enum krn_err
report_open(struct report_job *run, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(run->run_id)};
	enum krn_err e;

	if ((e = krn_db_begin(run->db, run->arena, KRN_TX_PLAN, err)))
		return e;
	krn_tenant_set(run->db, run->job->tenant_id);
	if ((e = krn_db_exec(run->db, KRN_STMT_report_run_load, params,
			     &run->row, err)))
		return e;
	run->is_wanted = report_is_wanted(run->row);
	if (!run->is_wanted)
		return KRN_OK;
	if ((e = krn_json_parse_stored(run->arena, krn_rows_str(run->row, 0, 1),
				       &run->fields, err)))
		return e;
	return krn_json_parse_stored(run->arena, krn_rows_str(run->row, 0, 2),
				     &run->destinations, err);
}

/* Its data, in the running transaction of `db`. */
static enum krn_err
report_read(struct report_job *run, struct krn_db *db, struct krn_error *err)
{
	return krn_report_read(
	    run->arena, db, &run->fields, krn_rows_str(run->row, 0, 3),
	    krn_rows_time(run->row, 0, 4), &run->report, err);
}

/* The lease of the job hangs on the worker's connection. */
static bool
report_tick(void *data)
{
	krn_db_tick(data);
	return true;
}

static enum krn_err
report_read_replica(struct report_job *run, struct krn_db *replica,
		    const struct krn_replica_point *point,
		    struct krn_error *err)
{
	enum krn_err e;

	krn_db_set_tick(replica, 1000, report_tick, run->db);
	if ((e = krn_replica_wait(run->arena, replica, point,
				  run->options->database_replica_wait_seconds,
				  err)) ||
	    (e = krn_db_begin(replica, run->arena, KRN_TX_SNAPSHOT, err)))
		return e;
	krn_tenant_set(replica, run->job->tenant_id);
	if ((e = report_read(run, replica, err)))
		return e;
	return krn_db_commit(replica, err);
}

/*
 * By the replica: true when all was read there. What it must have is what the
 * primary had when the run was loaded, so the report is the same from both.
 */
static bool
report_by_replica(struct report_job *run, const struct krn_replica_point *point)
{
	struct krn_error err = {.code = KRN_OK};
	struct krn_db *replica = krn_db_new(run->options->database_replica_url,
					    "kaireon-report", run->options);
	const enum krn_err e =
	    replica ? report_read_replica(run, replica, point, &err)
		    : krn_fail(&err, KRN_ERR_UNAVAILABLE, "out of memory");

	if (e)
		krn_log_error(KRN_LOG_WARNING,
			      "a report is read from the primary", &err);
	krn_db_free(replica);
	return !e;
}

/* The run and its data. */
static enum krn_err
report_load(struct report_job *run, struct krn_error *err)
{
	struct krn_replica_point point;
	enum krn_err e;

	if ((e = report_open(run, err)))
		return e;
	if (run->is_wanted && run->options->database_replica_url.len) {
		/* a transaction that is open would hold the primary's rows */
		if ((e = krn_replica_point(run->db, &point, err)) ||
		    (e = krn_db_commit(run->db, err)))
			return e;
		if (report_by_replica(run, &point))
			return KRN_OK;
		if ((e = report_open(run, err)))
			return e;
	}
	if (run->is_wanted && (e = report_read(run, run->db, err)))
		return e;
	return krn_db_commit(run->db, err);
}

/* Rendering */

static enum krn_err
report_render(struct report_job *run, struct krn_str format,
	      struct krn_str *ret, struct krn_error *err)
{
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	krn_buf_init(&buf, run->arena);
	if (krn_str_eq_c(format, "csv"))
		krn_report_csv(&run->report, &buf);
	else if (krn_str_eq_c(format, "markdown"))
		krn_report_markdown(&run->report, &buf);
	else
		krn_report_html(&run->report, &buf);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	*ret = text;
	return krn_str_eq_c(format, "pdf")
		   ? krn_report_pdf(run->arena, run->db, text, ret, err)
		   : KRN_OK;
}

/*
 * The artifact has its hash. The link itself is in the deliveries, in the open,
 * until each is taken (outbox_delivered); one that is given up keeps it in its
 * dead letter.
 */
static enum krn_err
report_link(struct report_job *run, struct report_artifact *artifact,
	    struct krn_error *err)
{
	const struct krn_str base = run->options->public_url;
	unsigned char random[REPORT_TOKEN_BYTES];
	char token[2 * REPORT_TOKEN_BYTES + 1];

	krn_random(random, sizeof(random));
	krn_format_hex(random, sizeof(random), token);
	krn_sha256(token, 2 * REPORT_TOKEN_BYTES, artifact->link_hash);
	if (!base.len)
		return KRN_OK;
	artifact->url = krn_str_printf(
	    run->arena, "%.*s/api/v1/reports/links/%s",
	    (int)(base.s[base.len - 1] == '/' ? base.len - 1 : base.len),
	    base.s, token);
	return artifact->url.s ? KRN_OK : krn_arena_fail(run->arena, err);
}

static enum krn_err
report_artifacts(struct report_job *run, struct krn_error *err)
{
	const struct krn_value *formats = run->report.formats;
	enum krn_err e;

	for (size_t i = 0;
	     i < formats->array.nr && run->nr < KRN_NR(run->artifacts); i++) {
		struct report_artifact *artifact = &run->artifacts[run->nr++];

		artifact->format = formats->array.items[i].string;
		if ((e = report_render(run, artifact->format,
				       &artifact->content, err)) ||
		    (e = report_link(run, artifact, err)))
			return e;
		krn_sha256_hex(artifact->content.s, artifact->content.len,
			       artifact->sha256);
	}
	return KRN_OK;
}

/* The end */

static void
report_message_artifacts(const struct report_job *run, struct krn_json_out *out)
{
	krn_json_arr_open(out, "artifacts");
	for (size_t i = 0; i < run->nr; i++) {
		const struct report_artifact *artifact = &run->artifacts[i];

		krn_json_obj_open(out, NULL);
		krn_json_str(out, "format", artifact->format);
		krn_json_int(out, "bytes", (int64_t)artifact->content.len);
		krn_json_c(out, "sha256", artifact->sha256);
		krn_json_str(out, "url", artifact->url);
		krn_json_close(out);
	}
	krn_json_close(out);
}

static void
report_message_links(const struct report_job *run, struct krn_json_out *out)
{
	krn_json_arr_open(out, "links");
	for (size_t i = 0; i < run->nr; i++) {
		if (!run->artifacts[i].url.s)
			continue;
		krn_json_obj_open(out, NULL);
		krn_json_str(out, "title", run->artifacts[i].format);
		krn_json_str(out, "url", run->artifacts[i].url);
		krn_json_close(out);
	}
	krn_json_close(out);
}

static enum krn_err
report_message(const struct report_job *run, struct krn_str *ret,
	       struct krn_error *err)
{
	const struct krn_str description = run->report.description;
	const struct krn_str narrative = run->report.narrative;
	const struct krn_str title = krn_str_printf(
	    run->arena, "Report: %.*s", KRN_STR_ARG(run->report.title));
	const struct krn_str text =
	    krn_str_printf(run->arena, "%.*s%s%.*s", KRN_STR_ARG(description),
			   description.len && narrative.len ? "\n" : "",
			   (int)narrative.len, narrative.s ? narrative.s : "");
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, run->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "type", "report.ready");
	krn_json_str(&out, "title", title);
	krn_json_str(&out, "text", text);
	report_message_links(run, &out);
	krn_json_obj_open(&out, "attachments");
	krn_json_str(&out, "runId", run->run_id);
	krn_json_close(&out);
	krn_json_obj_open(&out, "data");
	krn_json_str(&out, "runId", run->run_id);
	krn_json_str(&out, "templateId", run->report.template_id);
	report_message_artifacts(run, &out);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

static enum krn_err
report_deliver(struct report_job *run, struct krn_error *err)
{
	const struct krn_value *to = &run->destinations;
	struct krn_str *ids =
	    krn_arena_calloc(run->arena, to->array.nr + 1, sizeof(*ids));
	struct krn_str message;
	enum krn_err e;

	if (!ids)
		return krn_arena_fail(run->arena, err);
	if (to->type != KRN_VALUE_ARRAY || to->array.nr == 0)
		return KRN_OK;
	for (size_t i = 0; i < to->array.nr; i++)
		ids[i] = to->array.items[i].string;
	if ((e = report_message(run, &message, err)))
		return e;
	return krn_outbox_add(run->arena, run->db, KRN_OUTBOX_REPORTS,
			      run->run_id, run->run_id, message, ids,
			      to->array.nr, err);
}

static enum krn_err
report_sections_json(struct report_job *run, struct krn_str *ret,
		     struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, run->arena);
	krn_json_init(&out, &buf);
	krn_report_json(&run->report, &out, NULL);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

static void
report_store(struct report_job *run, struct krn_str sections)
{
	const struct krn_param end[] = {
	    krn_param_str(run->run_id),
	    krn_param_c("completed"),
	    krn_param_str(sections),
	    krn_param_null(),
	    krn_param_str(run->report.narrative),
	};

	for (size_t i = 0; i < run->nr; i++) {
		const struct report_artifact *artifact = &run->artifacts[i];
		const struct krn_param params[] = {
		    krn_param_str(run->run_id),
		    krn_param_str(artifact->format),
		    krn_param_bytes(run->arena,
				    (const unsigned char *)artifact->content.s,
				    artifact->content.len),
		    krn_param_c(artifact->sha256),
		    krn_param_bytes(run->arena, artifact->link_hash,
				    sizeof(artifact->link_hash)),
		    krn_param_int(run->arena, REPORT_LINK_DAYS),
		};

		krn_db_send(run->db, KRN_STMT_report_artifact_insert, params,
			    NULL);
	}
	krn_db_send(run->db, KRN_STMT_report_run_end, end, NULL);
}

/* All of it, unless somebody else was first. */
static enum krn_err
report_end(struct report_job *run, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(run->run_id)};
	const struct krn_rows *rows;
	struct krn_str sections;
	enum krn_err e;

	if ((e = krn_db_begin(run->db, run->arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(run->db, run->job->tenant_id);
	if (run->is_wanted) {
		if ((e = krn_db_exec(run->db, KRN_STMT_report_run_load, params,
				     &rows, err)))
			return e;
		run->is_wanted = report_is_wanted(rows);
	}
	if (run->is_wanted) {
		if ((e = report_sections_json(run, &sections, err)))
			return e;
		report_store(run, sections);
		if ((e = report_deliver(run, err)))
			return e;
	}
	return krn_job_complete(run->arena, run->db, run->job, err);
}

enum krn_err
krn_report_run(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_options *options, const struct krn_job *job,
	       struct krn_error *err)
{
	struct report_job run = {
	    .arena = arena,
	    .db = db,
	    .options = options,
	    .job = job,
	    .run_id = krn_form_text(job->payload, "runId"),
	};
	enum krn_err e;

	if ((e = report_load(&run, err)) ||
	    (run.is_wanted && (e = report_artifacts(&run, err))))
		return e;
	return report_end(&run, err);
}
