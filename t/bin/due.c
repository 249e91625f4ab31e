/*
 * Campaigns whose time has come, for tests, on $DATABASE_WORKER_URL. Prints a
 * line for each that was seen to: tenant, campaign, outcome, error.
 */

#include "base/base.h"

#include "base/clock.h"
#include "base/option.h"
#include "campaign/due.h"

static void
due_print(void *data KRN_UNUSED, struct krn_str tenant_id,
	  struct krn_str campaign_id, enum krn_campaign_due_outcome outcome,
	  const struct krn_error *err)
{
	static const char *const names[] = {
	    [KRN_CAMPAIGN_TRIGGERED] = "triggered",
	    [KRN_CAMPAIGN_MISSED] = "missed",
	    [KRN_CAMPAIGN_WAITING] = "waiting",
	    [KRN_CAMPAIGN_FAILED] = "failed",
	};

	printf("%.*s %.*s %s %s\n", KRN_STR_ARG(tenant_id),
	       KRN_STR_ARG(campaign_id), names[outcome],
	       err ? err->message : "-");
	fflush(stdout);
}

int
main(void)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_campaign_due due = {
	    .arena = krn_arena_new(0),
	    .batch = krn_arena_new(0),
	    .deadline_us = INT64_MAX,
	    .told = due_print,
	};
	struct krn_options options;
	struct krn_error err;
	int status = 1;

	if (!arena || !due.arena || !due.batch ||
	    krn_options_load(arena, &options, &err))
		return 2;
	due.late_seconds = options.schedule_late_seconds;
	due.db = krn_db_new(options.database_worker_url, "due", &options);
	if (due.db && krn_campaign_due_run(&due, &err))
		fprintf(stderr, "due: %s\n", err.detail);
	else if (due.db)
		status = due.is_complete ? 0 : 1;
	krn_db_free(due.db);
	krn_arena_free(due.batch);
	krn_arena_free(due.arena);
	krn_arena_free(arena);
	return status;
}
