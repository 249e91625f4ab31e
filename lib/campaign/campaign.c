/*
 * Campaigns: created, changed.
 */

#include "base/base.h"

#include "campaign/campaign.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json_in.h"
#include "campaign/campaign_check.h"
#include "campaign/next_run.h"

/* Store, with when it runs next; one row with the whole object. */
static enum krn_err
campaign_write(struct krn_arena *arena, struct krn_db *db, enum krn_stmt stmt,
	       struct krn_str id, struct krn_str fields,
	       struct krn_str *ret_document, struct krn_error *err)
{
	struct krn_param next_run;
	int64_t next_us;
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_next_run(arena, db, fields, krn_clock_us(), &next_us,
			      err)) ||
	    (e = krn_next_run_param(arena, next_us, &next_run, err)))
		return e;
	const struct krn_param params[] = {krn_param_str(id),
					   krn_param_str(fields), next_run};

	if ((e = krn_db_exec(db, stmt, params, &rows, err)))
		return e;
	*ret_document = krn_rows_str(rows, 0, 0);
	return KRN_OK;
}

/* What was stored, and what is now: each as the body would have it. */
static enum krn_err
campaign_audit(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_caller *caller, const char *action,
	       struct krn_str id, struct krn_str before, struct krn_str after,
	       struct krn_error *err)
{
	struct krn_value fields;
	enum krn_err e;

	if ((e = krn_json_parse(arena, after, 2 * KRN_JSON_DEPTH_MAX, &fields,
				err)))
		return e;
	const struct krn_audit audit = {
	    .action = action,
	    .entity_type = "campaign",
	    .entity_id = id,
	    .entity_name = krn_value_find(&fields, "name")->string,
	    .before = before,
	    .after = after,
	};

	return krn_audit_append(arena, db, caller, &audit, err);
}

enum krn_err
krn_campaign_create(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_options *options,
		    const struct krn_caller *caller,
		    const struct krn_campaign_fields *fields,
		    struct krn_str *ret_document, struct krn_error *err)
{
	char id[KRN_ID_BYTES];
	struct krn_str text;
	enum krn_err e;

	if ((e = krn_campaign_check(arena, db, options, caller, fields, &text,
				    err)))
		return e;
	krn_id_make("camp", id);
	if ((e = campaign_write(arena, db, KRN_STMT_campaign_insert,
				krn_str_c(id), text, ret_document, err)))
		return e;
	return campaign_audit(arena, db, caller, "campaign.create",
			      krn_str_c(id), (struct krn_str){NULL, 0}, text,
			      err);
}

/* Where the members of a body are in the fields. */
static const struct {
	const char *name;
	size_t offset;
} campaign_members[] = {
#define MEMBER(json, member)                                                   \
	{                                                                      \
		json, offsetof(struct krn_campaign_fields, member)             \
	}
    MEMBER("channelIds", channel_ids),
    MEMBER("decisionFlowId", decision_flow_id),
    MEMBER("description", description),
    MEMBER("fileConfig", file_config),
    MEMBER("name", name),
    MEMBER("scheduleCron", schedule_cron),
    MEMBER("scheduleDayOfMonth", schedule_day_of_month),
    MEMBER("scheduleDayOfWeek", schedule_day_of_week),
    MEMBER("scheduleTime", schedule_time),
    MEMBER("scheduleTimezone", schedule_timezone),
    MEMBER("scheduleType", schedule_type),
    MEMBER("segmentId", segment_id),
    MEMBER("status", status),
    MEMBER("volumeConstraints", volume_constraints),
#undef MEMBER
};

/* What a change does not give stays as it is stored. */
static void
campaign_merge(struct krn_campaign_fields *fields,
	       const struct krn_value *stored)
{
	for (size_t i = 0; i < KRN_NR(campaign_members); i++) {
		const struct krn_value *value;
		char *at = (char *)fields + campaign_members[i].offset;

		memcpy(&value, at, sizeof(value));
		if (value)
			continue;
		value = krn_value_find(stored, campaign_members[i].name);
		memcpy(at, &value, sizeof(value));
	}
	/* the alias is given instead of what is stored */
	if (fields->frequency_caps &&
	    fields->volume_constraints ==
		krn_value_find(stored, "volumeConstraints"))
		fields->volume_constraints = NULL;
}

enum krn_err
krn_campaign_update(struct krn_arena *arena, struct krn_db *db,
		    const struct krn_options *options,
		    const struct krn_caller *caller, struct krn_str id,
		    struct krn_campaign_fields *fields,
		    struct krn_str *ret_document, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(id)};
	struct krn_value *stored = krn_arena_make(arena, struct krn_value);
	const struct krn_rows *rows;
	struct krn_str text;
	enum krn_err e;

	if (!stored)
		return krn_arena_fail(arena, err);
	if ((e = krn_db_exec(db, KRN_STMT_campaign_fields, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such campaign");
	if ((e = krn_json_parse_stored(arena, krn_rows_str(rows, 0, 0), stored,
				       err)))
		return e;
	campaign_merge(fields, stored);
	if ((e = krn_campaign_check(arena, db, options, caller, fields, &text,
				    err)))
		return e;
	if ((e = campaign_write(arena, db, KRN_STMT_campaign_update, id, text,
				ret_document, err)))
		return e;
	return campaign_audit(arena, db, caller, "campaign.update", id,
			      krn_rows_str(rows, 0, 0), text, err);
}
