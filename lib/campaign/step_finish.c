/*
 * Step 5: the file, the interactions, the summary. The file gets its name when
 * the run's row is locked and the job is ours for sure, before the run says
 * that it is there; a step that is killed in between writes the same bytes
 * again, and whoever cancels the run in between has them removed.
 */

#include "base/base.h"

#include "base/clock.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/registry.h"
#include "campaign/output.h"
#include "campaign/step_private.h"
#include "egress/target.h"
#include "store/copy.h"

/* What is written to the file at once. */
#define FINISH_WRITE_BYTES 65536

/* Fields of the output COPY before the attributes. */
#define FINISH_FIELDS 7

struct finish {
	struct krn_step *step;
	const struct step_run *run;
	struct krn_output output;
	struct krn_target *target;
	bool streams;        /* the session is busy with the decisions */
	struct krn_str path; /* below RUN_FILE_DIR, or s3://bucket/key */
	struct krn_buf last_customer;
	/* of the line under way: what the flow computed */
	struct krn_output_property *properties;
	struct krn_arena *scratch; /* their texts; NULL: nobody asks */
	int64_t *by_offer, *by_channel;
	int64_t decisions, customers;
	int64_t bytes;
	char sha256[KRN_SHA256_HEX_BYTES];
};

/* The ledger's object as texts, in the order of the plan. */
static enum krn_err
finish_properties(struct finish *finish, struct krn_str json,
		  struct krn_error *err)
{
	const struct krn_plan *plan = finish->run->plan;
	struct krn_value object = krn_value_null();
	enum krn_err e;

	krn_arena_reset(finish->scratch);
	if (json.s) {
		const struct krn_str text = krn_str_dup(finish->scratch, json);

		if (!text.s)
			return krn_arena_fail(finish->scratch, err);
		if ((e = krn_json_parse_stored(finish->scratch, text, &object,
					       err)))
			return e;
	}
	for (size_t i = 0; i < plan->properties_nr; i++) {
		const struct krn_value *value =
		    krn_value_find_str(&object, plan->properties[i]);
		struct krn_output_property *to = &finish->properties[i];
		double number;

		*to = (struct krn_output_property){.is_number = false};
		if (value && value->type == KRN_VALUE_STRING) {
			to->text = value->string;
		} else if (value && krn_value_number(value, &number)) {
			char text[KRN_DOUBLE_TEXT_BYTES];

			to->is_number = true;
			to->text = krn_str_dup(
			    finish->scratch,
			    krn_str_from(text,
					 krn_format_double(number, text)));
			if (!to->text.s)
				return krn_arena_fail(finish->scratch, err);
		}
	}
	return KRN_OK;
}

static enum krn_err
finish_line(struct finish *finish, const struct krn_str *fields,
	    struct krn_buf *to, struct krn_error *err)
{
	const struct krn_plan *plan = finish->run->plan;
	enum krn_err e;
	const int offer = krn_plan_offer_find(plan, fields[2]);
	const int channel = krn_plan_channel_find(plan, fields[3]);

	KRN_BUG_IF(offer < 0 || channel < 0);
	if (finish->scratch && (e = finish_properties(finish, fields[6], err)))
		return e;
	const struct krn_output_row row = {
	    .customer_id = fields[0],
	    .rank = fields[1],
	    .score = fields[4],
	    .creative_id = fields[5],
	    .offer = &plan->offers[offer],
	    .channel = &plan->channels[channel],
	    .attributes = fields + FINISH_FIELDS,
	    .properties = finish->properties,
	};
	const struct krn_str last = {finish->last_customer.data,
				     finish->last_customer.len};

	finish->decisions++;
	finish->by_offer[offer]++;
	finish->by_channel[channel]++;
	if (finish->decisions == 1 || !krn_str_eq(last, fields[0])) {
		finish->customers++;
		krn_buf_clear(&finish->last_customer);
		krn_buf_add_str(&finish->last_customer, fields[0]);
	}
	krn_output_line(&finish->output, &row, to);
	if (to->failed)
		return krn_arena_fail(finish->step->arena, err);
	if (to->len < FINISH_WRITE_BYTES)
		return KRN_OK;
	e = krn_target_write(finish->target, to->data, to->len, err);
	krn_buf_clear(to);
	return e;
}

static void
finish_scratch_free(void *data)
{
	krn_arena_free(data);
}

/* Room for what the flow computed, when the file or a creative may show it. */
static enum krn_err
finish_scratch(struct finish *finish, struct krn_error *err)
{
	struct krn_arena *arena = finish->step->arena;
	const size_t nr = finish->run->plan->properties_nr;
	enum krn_err e;

	if ((e = krn_output_bind(&finish->output, finish->run->plan, err)))
		return e;
	if (nr == 0 ||
	    !(finish->output.has_properties || finish->output.personalizes))
		return KRN_OK;
	finish->properties =
	    krn_arena_calloc(arena, nr, sizeof(*finish->properties));
	if (!finish->properties)
		return krn_arena_fail(arena, err);
	finish->scratch = krn_arena_new(0);
	if (!finish->scratch)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	return krn_arena_defer(arena, finish_scratch_free, finish->scratch,
			       err);
}

/* The attributes that the file needs, as they are looked up. */
struct finish_names {
	struct finish *finish;
	const struct krn_rows *columns; /* of the segment's view */
	struct krn_buf list;            /* for the slot */
};

static void
finish_name_add(struct finish_names *names, struct krn_str name)
{
	if (names->list.len)
		krn_buf_add_char(&names->list, '\x1f');
	krn_buf_add_str(&names->list, name);
}

/* An attribute that a creative speaks of: a field behind those of columns. */
static int
finish_attribute_find(void *data, struct krn_str name)
{
	struct finish_names *names = data;
	struct krn_output *output = &names->finish->output;

	for (size_t i = 0; i < output->attributes_nr; i++)
		if (krn_str_eq(output->attributes[i], name))
			return (int)i;
	if (step_column(names->columns, name) < 0 ||
	    output->attributes_nr == KRN_OUTPUT_COLUMNS_MAX)
		return -1;
	finish_name_add(names, name);
	output->attributes[output->attributes_nr] = name;
	return (int)output->attributes_nr++;
}

/* Names of attributes for the slot; which of them are numbers. */
static enum krn_err
finish_attributes(struct finish *finish, struct krn_str *ret_list,
		  struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(finish->run->space),
	    krn_param_str(finish->run->view_name)};
	struct krn_output *output = &finish->output;
	struct krn_arena *arena = finish->step->arena;
	struct finish_names names = {.finish = finish};
	enum krn_err e;

	if ((e = krn_db_exec(finish->step->db, KRN_STMT_segment_columns, params,
			     &names.columns, err)))
		return e;
	krn_buf_init(&names.list, arena);
	for (size_t i = 0; i < output->columns_nr; i++) {
		if (output->columns[i].column != KRN_COLUMN_ATTRIBUTE)
			continue;
		const struct krn_str name =
		    output->attributes[output->columns[i].attribute];
		const int64_t k = step_column(names.columns, name);

		if (k < 0)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the segment has no attribute "
					  "\"%.*s\" for the file",
					  KRN_STR_ARG(name));
		const enum krn_attribute_type type = krn_attribute_type_parse(
		    krn_rows_str(names.columns, (size_t)k, 1));

		output->columns[i].is_number =
		    type == KRN_ATTRIBUTE_INT || type == KRN_ATTRIBUTE_DOUBLE;
		finish_name_add(&names, name);
	}
	if (output->personalizes) {
		struct krn_personalize *made;

		output->rendered = krn_arena_make(arena, struct krn_buf);
		if (!output->rendered)
			return krn_arena_fail(arena, err);
		krn_buf_init(output->rendered, arena);
		if ((e = krn_personalize_new(
			 arena,
			 krn_value_find(&finish->run->config, "creatives"),
			 finish->run->plan, finish_attribute_find, &names,
			 &made, err)))
			return e;
		output->personalize = made;
	}
	return krn_buf_end(&names.list, ret_list, err);
}

static enum krn_err
finish_stream(struct finish *finish, struct krn_error *err)
{
	struct krn_step *step = finish->step;
	struct krn_str names[3] = {finish->run->space, finish->run->view_name};
	struct krn_copy_row row;
	struct krn_buf buf;
	enum krn_err e;

	if ((e = finish_scratch(finish, err)))
		return e;
	if ((finish->output.attributes_nr || finish->output.personalizes) &&
	    (e = finish_attributes(finish, &names[2], err)))
		return e;
	const size_t nr = FINISH_FIELDS + finish->output.attributes_nr;
	struct krn_str *fields =
	    krn_arena_calloc(step->arena, nr, sizeof(*fields));

	if (!fields)
		return krn_arena_fail(step->arena, err);
	krn_buf_init(&buf, step->arena);
	krn_output_header(&finish->output, &buf);
	step_argument(step, "run_month", finish->run->run_month);
	step_argument(step, "run_id", step->run_id);
	if ((e = krn_copy_out_begin(step->db,
				    finish->output.attributes_nr
					? KRN_STMT_run_output_attributes_copy
					: KRN_STMT_run_output_copy,
				    names, err)))
		return e;
	finish->streams = true;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		if (krn_copy_split(row, fields, nr) != nr)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a decision row has too few fields");
		if ((e = finish_line(finish, fields, &buf, err)))
			return e;
	}
	if (e)
		return e;
	finish->streams = false;
	if (buf.failed)
		return krn_arena_fail(step->arena, err);
	return krn_target_write(finish->target, buf.data, buf.len, err);
}

/* While S3 takes its time: is the file still ours to write? */
static bool
finish_tick(void *data)
{
	const struct finish *finish = data;

	return finish->streams ? step_tick(finish->step->db)
			       : step_session_tick(finish->step->db);
}

static enum krn_err
finish_file(struct finish *finish, struct krn_error *err)
{
	struct krn_step *step = finish->step;
	struct krn_arena *arena = step->arena;
	char decided_at[KRN_TIME_TEXT_BYTES];
	struct krn_str url;
	const struct krn_value *file_config = krn_value_find(
	    krn_value_find(&finish->run->config, "campaign"), "fileConfig");
	enum krn_err e;

	if ((e = krn_output_init(&finish->output, file_config, err)))
		return e;
	krn_time_format(finish->run->now_us, decided_at);
	finish->output.campaign_id = finish->run->campaign_id;
	finish->output.run_id = step->run_id;
	finish->output.decided_at = krn_str_dup(arena, krn_str_c(decided_at));
	finish->by_offer = krn_arena_calloc(arena, finish->run->plan->offers_nr,
					    sizeof(int64_t));
	finish->by_channel = krn_arena_calloc(
	    arena, finish->run->plan->channels_nr, sizeof(int64_t));
	if (!finish->output.decided_at.s || !finish->by_offer ||
	    !finish->by_channel)
		return krn_arena_fail(arena, err);
	if ((e = step_file_place(step, step->run_id, file_config, &finish->path,
				 &url, err)) ||
	    (e = step_file_check(step, url, err)) ||
	    (e = krn_target_begin(arena, step->options, url, &finish->target,
				  err)))
		return e;
	krn_target_set_tick(finish->target, finish_tick, finish);
	if ((e = finish_stream(finish, err)) ||
	    (e = krn_target_end(finish->target, &finish->bytes, finish->sha256,
				err)))
		return e;
	return krn_target_sync(finish->target, err);
}

/* {"offerId", "offerName", "count", "percent"} of what was given at all. */
static void
finish_breakdown(const struct finish *finish, struct krn_json_out *out,
		 bool offers)
{
	const struct krn_plan *plan = finish->run->plan;
	const size_t nr = offers ? plan->offers_nr : plan->channels_nr;

	krn_json_arr_open(out, offers ? "byOffer" : "byChannel");
	for (size_t i = 0; i < nr; i++) {
		const int64_t count =
		    offers ? finish->by_offer[i] : finish->by_channel[i];

		if (count == 0)
			continue;
		krn_json_obj_open(out, NULL);
		krn_json_str(out, offers ? "offerId" : "channelId",
			     offers ? plan->offers[i].id
				    : plan->channels[i].id);
		krn_json_str(out, offers ? "offerName" : "channelName",
			     offers ? plan->offers[i].name
				    : plan->channels[i].name);
		krn_json_int(out, "count", count);
		/* one decimal */
		krn_json_double(out, "percent",
				(double)(count * 1000 / finish->decisions) /
				    10);
		krn_json_close(out);
	}
	krn_json_close(out);
}

static enum krn_err
finish_summary(const struct finish *finish, const struct krn_rows *tally,
	       struct krn_str *ret, struct krn_error *err)
{
	struct krn_arena *arena = finish->step->arena;
	struct krn_value allocation = krn_value_null();
	const int64_t customers = krn_rows_int(tally, 0, 0);
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	if (!krn_rows_is_null(tally, 0, 5) &&
	    (e = krn_json_parse(arena, krn_rows_str(tally, 0, 5),
				KRN_JSON_DEPTH_MAX, &allocation, err)))
		return e;
	const struct krn_value *volume = krn_value_find(&allocation, "volume");
	const struct krn_value *reached =
	    krn_value_find(&allocation, "limitsReached");

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_int(&out, "customersProcessed", customers);
	krn_json_int(&out, "customersWithDecisions", finish->customers);
	krn_json_int(&out, "decisions", finish->decisions);
	krn_json_double(
	    &out, "averagePerCustomer",
	    customers ? (double)(finish->decisions * 100 / customers) / 100
		      : 0);
	krn_json_int(&out, "errors", krn_rows_int(tally, 0, 4));
	krn_json_int(&out, "durationMs",
		     (krn_clock_us() - finish->run->started_us) / 1000);
	finish_breakdown(finish, &out, true);
	finish_breakdown(finish, &out, false);
	krn_json_obj_open(&out, "droppedBy");
	krn_json_int(&out, "qualification", krn_rows_int(tally, 0, 1));
	krn_json_int(&out, "contactPolicy", krn_rows_int(tally, 0, 2));
	krn_json_int(&out, "volume",
		     volume && volume->type == KRN_VALUE_INT ? volume->integer
							     : 0);
	krn_json_close(&out);
	krn_json_int(&out, "conversionFailures", krn_rows_int(tally, 0, 3));
	if (reached)
		krn_json_value(&out, "limitsReached", reached);
	else {
		krn_json_arr_open(&out, "limitsReached");
		krn_json_close(&out);
	}
	krn_json_obj_open(&out, "file");
	krn_json_str(&out, "path", finish->path);
	krn_json_int(&out, "rows", finish->decisions);
	krn_json_int(&out, "bytes", finish->bytes);
	krn_json_c(&out, "sha256", finish->sha256);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

/* The disk's reason is the log's, which names the path. */
static enum krn_err
finish_file_failed(enum krn_err e, struct krn_error *err)
{
	if (e == KRN_ERR_INTERNAL && err && !err->message[0])
		snprintf(err->message, sizeof(err->message),
			 "the file of the run could not be written");
	return e;
}

static enum krn_err
finish_run(struct finish *finish, struct krn_error *err)
{
	struct krn_step *step = finish->step;
	const struct krn_param id[] = {krn_param_str(step->run_id)};
	const struct krn_rows *tally;
	struct krn_str summary;
	enum krn_err e;

	krn_buf_init(&finish->last_customer, step->arena);
	if ((e = finish_file(finish, err)))
		return finish_file_failed(e, err);
	krn_db_send(step->db, KRN_STMT_run_interactions, id, NULL);
	krn_db_send(step->db, KRN_STMT_run_tally, id, &tally);
	if ((e = krn_db_flush(step->db, err)) ||
	    (e = finish_summary(finish, tally, &summary, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(step->run_id),
	    krn_param_str(summary),
	    krn_param_c(krn_rows_int(tally, 0, 4) ? "completed_with_errors"
						  : "completed"),
	    krn_param_str(finish->path),
	    krn_param_int(step->arena, finish->decisions),
	};

	/* from here on nobody holds, ends or deletes the run before we commit
	 */
	krn_db_send(step->db, KRN_STMT_run_hold, id, NULL);
	if ((e = krn_job_end(step->arena, step->db, step->job, err)))
		return e;
	if ((e = krn_target_publish(finish->target, err)))
		return finish_file_failed(e, err);
	krn_db_send(step->db, KRN_STMT_run_finish, params, NULL);
	if ((e = krn_db_commit(step->db, err)))
		return e;
	krn_registry_add(KRN_REGISTRY_DECISIONS, NULL, finish->decisions);
	return KRN_OK;
}

enum krn_err
krn_step_finish(struct krn_step *step, struct krn_error *err)
{
	struct finish *finish = krn_arena_make(step->arena, struct finish);
	struct step_run run;
	enum krn_err e;

	if (!finish)
		return krn_arena_fail(step->arena, err);
	finish->step = step;
	finish->run = &run;
	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = step_load(step, &run, err)))
		return e;
	if (run.is_running)
		return finish_run(finish, err);
	return krn_job_complete(step->arena, step->db, step->job, err);
}
