/*
 * Templates and schedules of reports: what they must be.
 */

#include "base/base.h"

#include "watch/report.h"

#include "base/clock.h"
#include "schedule/schedule.h"

#define REPORT_SOURCES_MAX 10
#define REPORT_SECTIONS_MAX 20

/* A year and a leap day. */
#define REPORT_DAYS_MAX 366

/* Templates */

/* Unknown members of an object in a list. */
static void
report_known(struct krn_problems *problems, const char *field,
	     const struct krn_value *object, const char *const *known)
{
	if (object->type != KRN_VALUE_OBJECT) {
		krn_problem_add(problems, field, "must be an object");
		return;
	}
	for (size_t i = 0; i < object->object.nr; i++)
		if (!krn_form_choice_is(known, object->object.members[i].name))
			krn_problem_add(problems, field,
					"unknown field \"%.60s\"",
					object->object.members[i].name.s);
}

static bool
report_list_is(struct krn_problems *problems, const char *name,
	       const struct krn_value *value, size_t min, size_t max)
{
	if (value->type == KRN_VALUE_ARRAY && value->array.nr >= min &&
	    value->array.nr <= max)
		return true;
	krn_problem_add(problems, name, "must be a list of %zu to %zu objects",
			min, max);
	return false;
}

static void
report_judge_source(struct krn_problems *problems, const char *field,
		    const struct krn_value *source)
{
	static const char *const members[] = {"sourceKey", "params", NULL};
	static const char *const param_members[] = {"days", NULL};
	const struct krn_value *params = krn_value_find(source, "params");
	const struct krn_value *days = krn_value_find(params, "days");

	report_known(problems, field, source, members);
	if (!krn_form_choice_is(krn_report_source_keys,
				krn_form_text(source, "sourceKey")))
		krn_problem_add(problems, field,
				"sourceKey must be one of the sources of "
				"doc/reports.md");
	if (!params || params->type == KRN_VALUE_NULL)
		return;
	report_known(problems, field, params, param_members);
	if (days && (days->type != KRN_VALUE_INT || days->integer < 1 ||
		     days->integer > REPORT_DAYS_MAX))
		krn_problem_add(problems, field,
				"days must be a whole number from 1 to %d",
				REPORT_DAYS_MAX);
}

static void
report_judge_sources(struct krn_problems *problems, const char *name,
		     const struct krn_value *value)
{
	char field[64];

	if (!report_list_is(problems, name, value, 1, REPORT_SOURCES_MAX))
		return;
	for (size_t i = 0; i < value->array.nr; i++) {
		snprintf(field, sizeof(field), "%s[%zu]", name, i);
		report_judge_source(problems, field, &value->array.items[i]);
	}
}

static void
report_judge_sections(struct krn_problems *problems, const char *name,
		      const struct krn_value *value)
{
	static const char *const members[] = {"id", "title", "dataSourceIndex",
					      NULL};
	char field[64];

	if (!report_list_is(problems, name, value, 0, REPORT_SECTIONS_MAX))
		return;
	for (size_t i = 0; i < value->array.nr; i++) {
		const struct krn_value *section = &value->array.items[i];
		const struct krn_value *index =
		    krn_value_find(section, "dataSourceIndex");
		const struct krn_str id = krn_form_text(section, "id");
		const struct krn_str title = krn_form_text(section, "title");

		snprintf(field, sizeof(field), "%s[%zu]", name, i);
		report_known(problems, field, section, members);
		if (id.len > 100 || krn_str_code_points(title) > 200)
			krn_problem_add(problems, field,
					"id and title must be texts of at most "
					"100 and 200 characters");
		if (!index || index->type != KRN_VALUE_INT ||
		    index->integer < 0)
			krn_problem_add(problems, field,
					"dataSourceIndex must be the place of "
					"a data source, counted from 0");
	}
}

static void
report_judge_object(struct krn_problems *problems, const char *name,
		    const struct krn_value *value)
{
	if (value->type != KRN_VALUE_OBJECT)
		krn_problem_add(problems, name, "must be an object");
}

static void
report_judge_filters(struct krn_problems *problems, const char *name,
		     const struct krn_value *value)
{
	static const char *const members[] = {"destinations", NULL};
	const struct krn_value *list = krn_value_find(value, "destinations");

	report_known(problems, name, value, members);
	if (!list || list->type == KRN_VALUE_NULL)
		return;
	if (list->type != KRN_VALUE_ARRAY || list->array.nr > 20) {
		krn_problem_add(problems, "filters.destinations",
				"must be a list of at most 20 providers");
		return;
	}
	for (size_t i = 0; i < list->array.nr; i++)
		if (list->array.items[i].type != KRN_VALUE_STRING)
			krn_problem_add(problems, "filters.destinations",
					"must be a list of texts");
}

/* Sections point at sources; destinations are providers. */
static enum krn_err
report_check_template(struct krn_object *object,
		      struct krn_param *ret_extra KRN_UNUSED,
		      struct krn_error *err)
{
	const struct krn_value *sources =
	    krn_value_find(&object->value, "dataSources");
	const struct krn_value *sections =
	    krn_value_find(&object->value, "sections");
	const struct krn_value *to = krn_value_find(
	    krn_value_find(&object->value, "filters"), "destinations");
	char field[64];

	for (size_t i = 0; i < sections->array.nr; i++) {
		const struct krn_value *index = krn_value_find(
		    &sections->array.items[i], "dataSourceIndex");

		snprintf(field, sizeof(field), "sections[%zu]", i);
		if (index->integer >= (int64_t)sources->array.nr)
			krn_problem_add(object->problems, field,
					"there is no data source %lld",
					(long long)index->integer);
	}
	return to && to->type == KRN_VALUE_ARRAY
		   ? krn_object_check_providers(object, "filters.destinations",
						to, err)
		   : KRN_OK;
}

static const char *const report_formats[] = {"pdf", "csv", "markdown", "html",
					     NULL};

static const struct krn_form_field report_template_fields[] = {
    {.name = "name",
     .type = KRN_FORM_TEXT,
     .required = true,
     .min = 1,
     .max = 120},
    {.name = "description",
     .type = KRN_FORM_TEXT,
     .max = 1000,
     .fallback = "\"\""},
    {.name = "dataSources",
     .type = KRN_FORM_VALUE,
     .required = true,
     .judge = report_judge_sources},
    {.name = "sections",
     .type = KRN_FORM_VALUE,
     .fallback = "[]",
     .judge = report_judge_sections},
    {.name = "formats",
     .type = KRN_FORM_TEXTS,
     .min = 1,
     .max = 4,
     .choices = report_formats,
     .fallback = "[\"html\"]"},
    {.name = "narrative",
     .type = KRN_FORM_VALUE,
     .fallback = "{\"enabled\": false}",
     .judge = report_judge_object},
    {.name = "filters",
     .type = KRN_FORM_VALUE,
     .fallback = "{\"destinations\": []}",
     .judge = report_judge_filters},
    {.name = "enabled", .type = KRN_FORM_BOOL, .fallback = "true"},
};

const struct krn_object_kind krn_report_template_kind = {
    .noun = "report template",
    .prefix = "rt",
    .entity = "report_template",
    .fields = report_template_fields,
    .nr = KRN_NR(report_template_fields),
    .insert = KRN_STMT_report_template_insert,
    .load = KRN_STMT_report_template_load,
    .update = KRN_STMT_report_template_update,
    .remove = KRN_STMT_report_template_delete,
    .check = report_check_template,
};

/* Schedules */

enum krn_err
krn_report_next_run(struct krn_arena *arena, struct krn_db *db,
		    struct krn_str cron_expression, struct krn_str zone,
		    int64_t after_us, struct krn_param *ret,
		    struct krn_error *err)
{
	struct krn_schedule schedule;
	int64_t next_us;
	enum krn_err e;

	*ret = krn_param_null();
	if ((e = krn_cron_parse(cron_expression, &schedule, err)) ||
	    (e = krn_schedule_next(arena, db, &schedule, zone, after_us,
				   &next_us, NULL, err)))
		return e;
	if (next_us == KRN_SCHEDULE_NEVER)
		return KRN_OK;
	*ret = krn_param_time(arena, next_us);
	return ret->value ? KRN_OK : krn_arena_fail(arena, err);
}

static void
report_judge_cron(struct krn_problems *problems, const char *name,
		  const struct krn_value *value)
{
	struct krn_error err = {.code = KRN_OK};

	if (value->type == KRN_VALUE_STRING &&
	    krn_cron_check(value->string, &err))
		krn_problem_add(problems, name, "%s", err.message);
}

static enum krn_err
report_check_schedule(struct krn_object *object, struct krn_param *ret_extra,
		      struct krn_error *err)
{
	const struct krn_str zone = krn_form_text(&object->value, "timezone");
	const struct krn_param params[] = {
	    krn_param_str(krn_form_text(&object->value, "templateId")),
	    krn_param_str(zone),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	*ret_extra = krn_param_null();
	if ((e = krn_db_exec(object->db, KRN_STMT_report_schedule_check, params,
			     &rows, err)))
		return e;
	if (!krn_rows_bool(rows, 0, 0))
		krn_problem_add(object->problems, "templateId",
				"no such report template");
	if (!krn_rows_bool(rows, 0, 1))
		krn_problem_add(object->problems, "timezone",
				"unknown time zone");
	if ((e = krn_object_check_providers(
		 object, "destinations",
		 krn_value_find(&object->value, "destinations"), err)))
		return e;
	if (object->problems->nr)
		return KRN_OK;
	return krn_report_next_run(
	    object->arena, object->db,
	    krn_form_text(&object->value, "cronExpression"), zone,
	    krn_clock_us(), ret_extra, err);
}

static const struct krn_form_field report_schedule_fields[] = {
    {.name = "templateId",
     .type = KRN_FORM_TEXT,
     .required = true,
     .min = 1,
     .max = 255},
    {.name = "name",
     .type = KRN_FORM_TEXT,
     .required = true,
     .min = 1,
     .max = 120},
    {.name = "cronExpression",
     .type = KRN_FORM_TEXT,
     .required = true,
     .min = 1,
     .max = 200,
     .judge = report_judge_cron},
    {.name = "timezone",
     .type = KRN_FORM_TEXT,
     .min = 1,
     .max = 100,
     .fallback = "\"UTC\""},
    {.name = "destinations",
     .type = KRN_FORM_TEXTS,
     .max = 20,
     .fallback = "[]"},
    {.name = "enabled", .type = KRN_FORM_BOOL, .fallback = "true"},
};

const struct krn_object_kind krn_report_schedule_kind = {
    .noun = "report schedule",
    .prefix = "rs",
    .entity = "report_schedule",
    .fields = report_schedule_fields,
    .nr = KRN_NR(report_schedule_fields),
    .insert = KRN_STMT_report_schedule_insert,
    .load = KRN_STMT_report_schedule_load,
    .update = KRN_STMT_report_schedule_update,
    .remove = KRN_STMT_report_schedule_delete,
    .check = report_check_schedule,
};
