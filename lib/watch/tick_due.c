/*
 * Reports and campaigns of a tick.
 */

#include "base/base.h"

#include "watch/tick_private.h"

#include "campaign/due.h"

void
tick_reports(struct tick *tick KRN_UNUSED)
{
}

static void
tick_told_campaign(void *data, struct krn_str tenant_id,
		   struct krn_str campaign_id,
		   enum krn_campaign_due_outcome outcome,
		   const struct krn_error *err)
{
	if (outcome == KRN_CAMPAIGN_FAILED && err)
		tick_failed(data, "campaign", tenant_id, campaign_id, err);
}

void
tick_campaigns(struct tick *tick)
{
	struct krn_cron *cron = tick->cron;
	struct krn_campaign_due due = {
	    .arena = cron->arena,
	    .batch = cron->batch,
	    .db = cron->db,
	    .late_seconds = cron->options->schedule_late_seconds,
	    .deadline_us = cron->deadline_us,
	    .told = tick_told_campaign,
	    .told_data = tick,
	};
	const struct krn_str none = {NULL, 0};
	struct krn_error err = {.code = KRN_OK};

	if (krn_campaign_due_run(&due, &err))
		tick_failed(tick, "campaign", none, none, &err);
	for (size_t i = 0; i < KRN_CAMPAIGN_DUE__MAX; i++)
		tick->counts.campaigns_due += due.counts[i];
	tick->counts.campaigns_triggered = due.counts[KRN_CAMPAIGN_TRIGGERED];
	tick->counts.campaigns_failed = due.counts[KRN_CAMPAIGN_FAILED];
	if (!due.is_complete)
		cron->complete = false;
}
