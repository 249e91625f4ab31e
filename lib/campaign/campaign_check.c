/*
 * What is wrong with a campaign's fields, and how right ones are stored. Each
 * part notes its problems and writes its members; entry point:
 * krn_campaign_check.
 */

#include "base/base.h"

#include "campaign/campaign_check.h"

#include "base/clock.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "campaign/output.h"
#include "egress/s3.h"
#include "schedule/schedule.h"

struct campaign_check {
	struct krn_arena *arena;
	const struct krn_options *options;
	const struct krn_caller *caller;
	const struct krn_campaign_fields *fields;
	struct krn_problems *problems;
	const struct krn_rows *known; /* campaign_check */
	struct krn_json_out out;      /* the fields as they are stored */
};

static bool
campaign_is_null(const struct krn_value *value)
{
	return !value || value->type == KRN_VALUE_NULL;
}

/* A text within a length, or the default. */
static struct krn_str
campaign_text(struct campaign_check *check, const char *name,
	      const struct krn_value *value, size_t max,
	      struct krn_str otherwise)
{
	if (campaign_is_null(value))
		return otherwise;
	if (value->type != KRN_VALUE_STRING) {
		krn_problem_add(check->problems, name, "must be a string");
		return otherwise;
	}
	if (krn_str_code_points(value->string) > max)
		krn_problem_add(check->problems, name,
				"must have at most %zu characters", max);
	return value->string;
}

static struct krn_str
campaign_choice(struct campaign_check *check, const char *name,
		const struct krn_value *value, const char *const choices[],
		struct krn_str otherwise)
{
	const struct krn_str text =
	    campaign_text(check, name, value, 100, otherwise);
	char list[200] = "";
	size_t len = 0;

	for (size_t i = 0; choices[i]; i++) {
		if (krn_str_eq_c(text, choices[i]))
			return text;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i ? ", " : "", choices[i]);
	}
	krn_problem_add(check->problems, name, "must be one of %s", list);
	return otherwise;
}

/* Limits */

static void
campaign_limits(struct campaign_check *check)
{
	static const char *const keys[] = {"maxTotalPerRun", "maxPerOffer",
					   "maxPerChannel"};
	const struct krn_campaign_fields *f = check->fields;
	const bool alias = !f->volume_constraints && f->frequency_caps;
	const char *name = alias ? "frequencyCaps" : "volumeConstraints";
	const struct krn_value *from =
	    alias ? f->frequency_caps : f->volume_constraints;
	struct krn_value none = {.type = KRN_VALUE_OBJECT};

	if (f->volume_constraints && f->frequency_caps)
		krn_problem_add(check->problems, "frequencyCaps",
				"is the same as volumeConstraints: give one");
	if (campaign_is_null(from))
		from = &none;
	if (from->type != KRN_VALUE_OBJECT) {
		krn_problem_add(check->problems, name, "must be an object");
		from = &none;
	}
	for (size_t i = 0; i < from->object.nr; i++) {
		const struct krn_member *member = &from->object.members[i];
		const struct krn_value *value = &member->value;
		char field[300];
		size_t k = 0;

		snprintf(field, sizeof(field), "%s.%.*s", name,
			 (int)(member->name.len < 200 ? member->name.len : 200),
			 member->name.s);
		while (k < KRN_NR(keys) && !krn_str_eq_c(member->name, keys[k]))
			k++;
		if (k == KRN_NR(keys))
			krn_problem_add(check->problems, field,
					"unknown field");
		else if (value->type != KRN_VALUE_NULL &&
			 (value->type != KRN_VALUE_INT || value->integer < 0))
			krn_problem_add(check->problems, field,
					"must be a whole number, 0 or more");
	}
	krn_json_value(&check->out, "volumeConstraints", from);
}

/* File */

static void
campaign_file_columns(struct campaign_check *check,
		      const struct krn_value *columns)
{
	if (campaign_is_null(columns)) {
		static const char *const defaults[] = {
		    "customer_id", "offer_name", "channel", "score"};

		krn_json_arr_open(&check->out, "columns");
		for (size_t i = 0; i < KRN_NR(defaults); i++)
			krn_json_c(&check->out, NULL, defaults[i]);
		krn_json_close(&check->out);
		return;
	}
	if (columns->type != KRN_VALUE_ARRAY || columns->array.nr == 0 ||
	    columns->array.nr > KRN_OUTPUT_COLUMNS_MAX) {
		krn_problem_add(check->problems, "fileConfig.columns",
				"must be a list of 1 to %d columns",
				KRN_OUTPUT_COLUMNS_MAX);
		return;
	}
	for (size_t i = 0; i < columns->array.nr; i++) {
		const struct krn_value *column = &columns->array.items[i];
		char field[64];

		snprintf(field, sizeof(field), "fileConfig.columns[%zu]", i);
		if (column->type != KRN_VALUE_STRING)
			krn_problem_add(check->problems, field,
					"must be a string");
		else if (!krn_output_column_is(column->string))
			krn_problem_add(check->problems, field,
					"unknown column");
	}
	krn_json_value(&check->out, "columns", columns);
}

/* Where in S3: the path that the operator lets this tenant write to. */
static void
campaign_file_s3(struct campaign_check *check, bool is_s3,
		 const struct krn_value *value)
{
	const struct krn_str path = campaign_text(
	    check, "fileConfig.s3Path", value, 1000, krn_str_from(NULL, 0));
	struct krn_error err;

	if (path.s)
		krn_json_str(&check->out, "s3Path", path);
	if (!is_s3)
		return;
	if (!path.s)
		krn_problem_add(check->problems, "fileConfig.s3Path",
				"is required for s3");
	else if (krn_s3_campaign_path_check(
		     check->options, check->caller->tenant_id, path, &err))
		krn_problem_add(check->problems, "fileConfig.s3Path", "%s",
				err.message);
}

static void
campaign_file(struct campaign_check *check)
{
	static const char *const known[] = {"format", "columns",
					    "includePersonalization",
					    "destination", "s3Path"};
	static const char *const formats[] = {"csv", "json", NULL};
	static const char *const destinations[] = {"download", "s3", NULL};
	const struct krn_value *from = check->fields->file_config;
	struct krn_value none = {.type = KRN_VALUE_OBJECT};

	if (campaign_is_null(from))
		from = &none;
	if (from->type != KRN_VALUE_OBJECT) {
		krn_problem_add(check->problems, "fileConfig",
				"must be an object");
		from = &none;
	}
	for (size_t i = 0; i < from->object.nr; i++) {
		size_t k = 0;

		while (k < KRN_NR(known) &&
		       !krn_str_eq_c(from->object.members[i].name, known[k]))
			k++;
		if (k == KRN_NR(known))
			krn_problem_add(check->problems, "fileConfig",
					"unknown field \"%.100s\"",
					from->object.members[i].name.s);
	}
	const struct krn_value *personal =
	    krn_value_find(from, "includePersonalization");

	if (!campaign_is_null(personal) && personal->type != KRN_VALUE_BOOL)
		krn_problem_add(check->problems,
				"fileConfig.includePersonalization",
				"must be a boolean");
	krn_json_obj_open(&check->out, "fileConfig");
	krn_json_str(&check->out, "format",
		     campaign_choice(check, "fileConfig.format",
				     krn_value_find(from, "format"), formats,
				     KRN_STR("csv")));
	campaign_file_columns(check, krn_value_find(from, "columns"));
	krn_json_bool(&check->out, "includePersonalization",
		      personal && personal->type == KRN_VALUE_BOOL &&
			  personal->boolean);
	const struct krn_str destination =
	    campaign_choice(check, "fileConfig.destination",
			    krn_value_find(from, "destination"), destinations,
			    KRN_STR("download"));

	krn_json_str(&check->out, "destination", destination);
	campaign_file_s3(check, krn_str_eq_c(destination, "s3"),
			 krn_value_find(from, "s3Path"));
	krn_json_close(&check->out);
}

/* Schedule */

static void
campaign_schedule(struct campaign_check *check)
{
	static const char *const types[] = {"manual", "daily", "weekly",
					    "monthly", NULL};
	const struct krn_campaign_fields *f = check->fields;
	const struct krn_str type = campaign_choice(
	    check, "scheduleType", f->schedule_type, types, KRN_STR("manual"));
	const struct krn_str time = campaign_text(
	    check, "scheduleTime", f->schedule_time, 5, KRN_STR("09:00"));
	const struct krn_str cron =
	    campaign_text(check, "scheduleCron", f->schedule_cron, 200,
			  krn_str_from(NULL, 0));
	const struct krn_str day_of_month =
	    campaign_text(check, "scheduleDayOfMonth", f->schedule_day_of_month,
			  20, krn_str_from(NULL, 0));
	const struct krn_value *day = f->schedule_day_of_week;
	struct krn_error err;

	if (!krn_schedule_time_is(time))
		krn_problem_add(check->problems, "scheduleTime",
				"must be HH:mm, 00:00 to 23:59");
	if (cron.s && krn_cron_check(cron, &err))
		krn_problem_add(check->problems, "scheduleCron", "%s",
				err.message);
	if (cron.s && !krn_str_eq_c(type, "manual"))
		krn_problem_add(check->problems, "scheduleCron",
				"goes with the schedule type manual only");
	if (!campaign_is_null(day) && (day->type != KRN_VALUE_INT ||
				       day->integer < 0 || day->integer > 6))
		krn_problem_add(check->problems, "scheduleDayOfWeek",
				"must be 0 (Sunday) to 6");
	if (krn_str_eq_c(type, "weekly") && campaign_is_null(day))
		krn_problem_add(check->problems, "scheduleDayOfWeek",
				"is required for weekly");
	if (day_of_month.s && !krn_schedule_day_of_month_is(day_of_month))
		krn_problem_add(check->problems, "scheduleDayOfMonth",
				"must be \"1\" to \"28\" or last_working_day");
	if (krn_str_eq_c(type, "monthly") && !day_of_month.s)
		krn_problem_add(check->problems, "scheduleDayOfMonth",
				"is required for monthly");
	krn_json_str(&check->out, "scheduleType", type);
	krn_json_str(&check->out, "scheduleTime", time);
	krn_json_str(&check->out, "scheduleCron", cron);
	krn_json_str(&check->out, "scheduleDayOfMonth", day_of_month);
	if (campaign_is_null(day))
		krn_json_null(&check->out, "scheduleDayOfWeek");
	else
		krn_json_value(&check->out, "scheduleDayOfWeek", day);
}

/* References: what campaign_check found. */
static void
campaign_references(struct campaign_check *check)
{
	const struct krn_rows *known = check->known;

	if (campaign_is_null(check->fields->decision_flow_id))
		krn_problem_add(check->problems, "decisionFlowId",
				"is required");
	else if (check->fields->decision_flow_id->type != KRN_VALUE_STRING)
		; /* noted where its text is taken */
	else if (krn_rows_is_null(known, 0, 0))
		krn_problem_add(check->problems, "decisionFlowId",
				"no such decision flow");
	else if (!krn_rows_bool(known, 0, 1))
		krn_problem_add(check->problems, "decisionFlowId",
				"the decision flow was never published");
	if (campaign_is_null(check->fields->segment_id))
		krn_problem_add(check->problems, "segmentId", "is required");
	else if (check->fields->segment_id->type == KRN_VALUE_STRING &&
		 krn_rows_is_null(known, 0, 2))
		krn_problem_add(check->problems, "segmentId",
				"no such segment");
	if (!krn_rows_is_null(known, 0, 3))
		krn_problem_add(check->problems, "channelIds",
				"not a channel for files: %s",
				krn_rows_str(known, 0, 3).s);
	if (!krn_rows_bool(known, 0, 5))
		krn_problem_add(check->problems, "scheduleTimezone",
				"unknown time zone");
	if (!krn_rows_is_null(known, 0, 6))
		krn_problem_add(check->problems, "fileConfig.columns",
				"the segment has no such attribute: %s",
				krn_rows_str(known, 0, 6).s);
}

/* Is it absent or a list of texts? */
static bool
campaign_texts_is(const struct krn_value *list)
{
	if (campaign_is_null(list))
		return true;
	if (list->type != KRN_VALUE_ARRAY || list->array.nr > 1000)
		return false;
	for (size_t i = 0; i < list->array.nr; i++)
		if (list->array.items[i].type != KRN_VALUE_STRING)
			return false;
	return true;
}

/* A list of texts as JSON; "[]" when it is absent or none. */
static enum krn_err
campaign_texts(struct krn_arena *arena, const struct krn_value *list,
	       struct krn_str *ret, struct krn_error *err)
{
	struct krn_buf buf;

	*ret = KRN_STR("[]");
	if (campaign_is_null(list) || !campaign_texts_is(list))
		return KRN_OK;
	krn_buf_init(&buf, arena);
	krn_json_canonical(&buf, list);
	return krn_buf_end(&buf, ret, err);
}

/* "<flow> – <segment> – <date>" */
static struct krn_str
campaign_name(struct campaign_check *check)
{
	struct krn_str name = campaign_text(check, "name", check->fields->name,
					    255, krn_str_from(NULL, 0));
	const struct krn_str flow = krn_rows_str(check->known, 0, 0);
	const struct krn_str segment = krn_rows_str(check->known, 0, 2);
	char date[KRN_TIME_TEXT_BYTES];

	if (name.s && name.len == 0)
		krn_problem_add(check->problems, "name", "must not be empty");
	if (name.s || !flow.s || !segment.s)
		return name;
	krn_time_format(krn_clock_us(), date);
	return krn_str_printf(check->arena, "%.*s – %.*s – %.10s",
			      KRN_STR_ARG(flow), KRN_STR_ARG(segment), date);
}

static void
campaign_fields(struct campaign_check *check, struct krn_str channels,
		struct krn_str zone)
{
	static const char *const statuses[] = {"draft", "active", "paused",
					       "archived", NULL};
	const struct krn_campaign_fields *f = check->fields;

	krn_json_obj_open(&check->out, NULL);
	krn_json_str(&check->out, "name", campaign_name(check));
	krn_json_str(&check->out, "description",
		     campaign_text(check, "description", f->description, 2000,
				   KRN_STR("")));
	krn_json_str(&check->out, "status",
		     campaign_choice(check, "status", f->status, statuses,
				     KRN_STR("draft")));
	krn_json_str(&check->out, "decisionFlowId",
		     campaign_text(check, "decisionFlowId", f->decision_flow_id,
				   100, KRN_STR("")));
	krn_json_str(
	    &check->out, "segmentId",
	    campaign_text(check, "segmentId", f->segment_id, 100, KRN_STR("")));
	krn_json_str(&check->out, "scheduleTimezone", zone);
	campaign_references(check);
	campaign_schedule(check);
	campaign_limits(check);
	campaign_file(check);
	krn_json_raw(&check->out, "channelIds", channels);
	krn_json_close(&check->out);
	krn_json_end(&check->out);
}

static struct krn_param
campaign_id_param(const struct krn_value *value)
{
	return !campaign_is_null(value) && value->type == KRN_VALUE_STRING
		   ? krn_param_str(value->string)
		   : krn_param_null();
}

enum krn_err
krn_campaign_check(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_options *options,
		   const struct krn_caller *caller,
		   const struct krn_campaign_fields *fields,
		   struct krn_str *ret, struct krn_error *err)
{
	struct campaign_check check = {
	    .arena = arena,
	    .options = options,
	    .caller = caller,
	    .fields = fields,
	    .problems = krn_arena_make(arena, struct krn_problems),
	};
	struct krn_str channels, columns, zone;
	struct krn_buf buf;
	enum krn_err e;

	if (!check.problems)
		return krn_arena_fail(arena, err);
	check.problems->arena = arena;
	zone = campaign_text(&check, "scheduleTimezone",
			     fields->schedule_timezone, 100, KRN_STR("UTC"));
	if (!campaign_texts_is(fields->channel_ids))
		krn_problem_add(check.problems, "channelIds",
				"must be a list of channel ids");
	if ((e = campaign_texts(arena, fields->channel_ids, &channels, err)) ||
	    (e = campaign_texts(arena,
				krn_value_find(fields->file_config, "columns"),
				&columns, err)))
		return e;
	const struct krn_param refs[] = {
	    campaign_id_param(fields->decision_flow_id),
	    campaign_id_param(fields->segment_id),
	    krn_param_str(channels),
	    krn_param_str(zone),
	    krn_param_str(columns),
	};

	if ((e = krn_db_exec(db, KRN_STMT_campaign_check, refs, &check.known,
			     err)))
		return e;
	krn_buf_init(&buf, arena);
	krn_json_init(&check.out, &buf);
	campaign_fields(&check, channels, zone);
	if ((e = krn_problems_end(check.problems, NULL, err)))
		return e;
	return krn_buf_end(&buf, ret, err);
}
