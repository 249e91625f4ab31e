/*
 * kaireonctl doctor: the replica, if there is one.
 */

#include "base/base.h"

#include "ctl/doctor.h"
#include "store/replica.h"

/* Both ends of the comparison; the one that fails is named by the remedy. */
static enum krn_err
doctor_catch_up(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_options *o = ctl->options;
	struct krn_db *primary =
	    krn_db_new(o->database_admin_url, "kaireonctl doctor", o);
	struct krn_db *replica =
	    krn_db_new(o->database_replica_url, "kaireonctl doctor", o);
	const enum krn_err e =
	    primary && replica
		? krn_replica_catch_up(ctl->arena, primary, replica,
				       o->database_replica_wait_seconds, err)
		: krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");

	krn_db_free(replica);
	krn_db_free(primary);
	return e;
}

void
doctor_replica(const struct doctor *doctor, struct doctor_answer *answer)
{
	struct krn_error err = {.code = KRN_OK};

	answer->state = DOCTOR_SKIPPED;
	if (!doctor->ctl->options->database_replica_url.len)
		answer->detail = KRN_STR("DATABASE_REPLICA_URL is not set");
	else if (!doctor->state)
		answer->detail = KRN_STR("the primary is out of reach");
	else if (doctor_catch_up(doctor->ctl, &err))
		doctor_wrong(doctor, answer,
			     "see pg_stat_replication on the primary and the "
			     "replica's log; until then reports are read from "
			     "the primary",
			     "%s", err.message[0] ? err.message : err.detail);
	else {
		answer->state = DOCTOR_OK;
		doctor_say(doctor, answer, "has what the primary has");
	}
}
