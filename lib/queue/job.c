/*
 * Jobs.
 */

#include "base/base.h"

#include "queue/job.h"

#include "base/id.h"
#include "base/json_in.h"

/* A run's jobs outlive many kills of their workers. */
#define JOB_ATTEMPTS_MAX 25
#define JOB_PAUSE_MAX_SECONDS 600.0

void
krn_tenant_set(struct krn_db *db, struct krn_str tenant_id)
{
	const struct krn_param params[] = {krn_param_str(tenant_id)};

	krn_db_send(db, KRN_STMT_tenant_set, params, NULL);
}

void
krn_job_enqueue(struct krn_arena *arena, struct krn_db *db, const char *topic,
		const char *kind, struct krn_str payload)
{
	char id[KRN_ID_BYTES];

	krn_id_make("job", id);
	const struct krn_param params[] = {
	    krn_param_c(id),
	    krn_param_c(topic),
	    krn_param_c(kind),
	    krn_param_str(payload),
	    krn_param_null(),
	    krn_param_int(arena, JOB_ATTEMPTS_MAX),
	};

	krn_db_send(db, KRN_STMT_job_insert, params, NULL);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
}

enum krn_err
krn_job_claim(struct krn_arena *arena, struct krn_db *db,
	      int64_t lease_seconds, struct krn_job *ret,
	      struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_int(arena, lease_seconds)};
	struct krn_value *payload = krn_arena_make(arena, struct krn_value);
	const struct krn_rows *rows;
	enum krn_err e;

	*ret = (struct krn_job){.id = {NULL, 0}};
	if (!payload)
		return krn_arena_fail(arena, err);
	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_job_claim, params, &rows);
	if ((e = krn_db_commit(db, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return KRN_OK;
	if ((e = krn_json_parse(arena, krn_rows_str(rows, 0, 4),
				KRN_JSON_DEPTH_MAX, payload, err)))
		return e;
	*ret = (struct krn_job){
	    .tenant_id = krn_rows_str(rows, 0, 0),
	    .id = krn_rows_str(rows, 0, 1),
	    .topic = krn_rows_str(rows, 0, 2),
	    .kind = krn_rows_str(rows, 0, 3),
	    .payload = payload,
	    .fence = krn_rows_int(rows, 0, 5),
	    .attempts = krn_rows_int(rows, 0, 6),
	    .max_attempts = krn_rows_int(rows, 0, 7),
	};
	return KRN_OK;
}

static enum krn_err
job_taken(const struct krn_job *job, struct krn_error *err)
{
	return krn_fail(err, KRN_ERR_CONFLICT,
			"another worker has taken job %.*s",
			KRN_STR_ARG(job->id));
}

enum krn_err
krn_job_complete(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_job *job, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(job->id),
	    krn_param_int(arena, job->fence),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(db, KRN_STMT_job_complete, params, &rows);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
	if ((e = krn_db_flush(db, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return job_taken(job, err);
	return krn_db_commit(db, err);
}

enum krn_err
krn_job_retry(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_job *job, struct krn_str reason,
	      struct krn_error *err)
{
	unsigned char random;
	double pause = 1;
	enum krn_err e;

	krn_random(&random, sizeof(random));
	for (int64_t i = 1; i < job->attempts && pause < JOB_PAUSE_MAX_SECONDS;
	     i++)
		pause *= 2;
	pause *= 0.75 + random / 512.0;

	const struct krn_param params[] = {
	    krn_param_str(job->id),
	    krn_param_int(arena, job->fence),
	    krn_param_str(reason),
	    krn_param_double(arena, pause),
	};

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, job->tenant_id);
	krn_db_send(db, KRN_STMT_job_retry, params, NULL);
	return krn_db_commit(db, err);
}

enum krn_err
krn_job_bury(struct krn_arena *arena, struct krn_db *db,
	     const struct krn_job *job, struct krn_str reason,
	     struct krn_error *err)
{
	char id[KRN_ID_BYTES];

	krn_id_make("dle", id);
	const struct krn_param params[] = {
	    krn_param_str(job->id),
	    krn_param_int(arena, job->fence),
	    krn_param_str(reason),
	    krn_param_c(id),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_job_bury, params, &rows, err)))
		return e;
	return krn_rows_nr(rows) ? KRN_OK : job_taken(job, err);
}
