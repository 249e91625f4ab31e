/*
 * Jobs.
 */

#include "base/base.h"

#include "queue/job.h"

#include "base/clock.h"
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
	    krn_param_c(id),   krn_param_c(topic),
	    krn_param_c(kind), krn_param_str(payload),
	    krn_param_null(),  krn_param_int(arena, JOB_ATTEMPTS_MAX),
	};

	krn_db_send(db, KRN_STMT_job_insert, params, NULL);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
}

/*
 * How often the mark is looked for, how old what a look starts from must be,
 * and how often it starts from the very beginning. A look passes all that
 * vacuum could not remove, which may be millions: it is so rare that looks
 * take one part in MARK_SHARE of the time.
 */
#define MARK_MOVE_US KRN_US_PER_SECOND
#define MARK_AGE_US (5 * KRN_US_PER_SECOND)
#define MARK_FULL_US (60 * KRN_US_PER_SECOND)
#define MARK_SHARE 200

/* Where a look takes no longer than this, whoever finds nothing begins further
 * back at once: it may have been woken for a job that came late. */
#define MARK_BACK_US (KRN_US_PER_SECOND / 20)

static int64_t
job_mark_pause(int64_t least_us, int64_t spent_us)
{
	return spent_us * MARK_SHARE > least_us ? spent_us * MARK_SHARE
						: least_us;
}

/*
 * Where a scan may begin. A job that is inserted has a higher number than all
 * before it, but may be seen later than they, when its transaction is long:
 * so the mark is looked for from where it was some seconds ago, and every
 * minute from the beginning.
 */
static enum krn_err
job_mark(struct krn_arena *arena, struct krn_db *db, struct krn_job_mark *mark,
	 struct krn_error *err)
{
	const int64_t now_us = krn_clock_monotonic_us();
	const bool full = now_us >= mark->next_full_us;
	const struct krn_param from[] = {
	    krn_param_int(arena, full ? 0 : mark->older)};
	const struct krn_rows *rows;
	enum krn_err e;

	if (now_us < mark->next_move_us)
		return KRN_OK;
	if ((e = krn_db_exec(db, KRN_STMT_job_low, from, &rows, err)))
		return e;
	const int64_t end_us = krn_clock_monotonic_us();

	const bool none = krn_rows_is_null(rows, 0, 0);

	mark->low = krn_rows_int(rows, 0, none ? 1 : 0);
	mark->look_us = end_us - now_us;
	mark->next_move_us =
	    end_us + job_mark_pause(MARK_MOVE_US, mark->look_us);
	if (full)
		mark->next_full_us =
		    end_us + job_mark_pause(MARK_FULL_US, mark->look_us);
	/* where nothing was seen, later looks begin no later: there may be jobs
	 * of a transaction that is long */
	if (none || now_us - mark->aged_us < MARK_AGE_US)
		return KRN_OK;
	mark->older = mark->newer;
	mark->newer = mark->low;
	mark->aged_us = now_us;
	return KRN_OK;
}

/*
 * What is before the first of a batch is done, or somebody else's: when it
 * comes back, the next move of the mark finds it. Where more tenants wait than
 * the batch has room for, an older job may be waiting for its tenant's turn.
 */
static void
job_mark_claimed(struct krn_job_mark *mark, const struct krn_rows *rows,
		 size_t max)
{
	const size_t nr = krn_rows_nr(rows);
	int64_t first = INT64_MAX;

	if (nr == 0)
		return;
	for (size_t i = 0; i < nr; i++)
		if (krn_rows_int(rows, i, 8) < first)
			first = krn_rows_int(rows, i, 8);
	if (krn_rows_int(rows, 0, 9) <= (int64_t)max)
		mark->low = first;
	snprintf(mark->after, sizeof(mark->after), "%.*s",
		 KRN_STR_ARG(krn_rows_str(rows, nr - 1, 0)));
}

/* One row of job_claim. */
static enum krn_err
job_read(struct krn_arena *arena, const struct krn_rows *rows, size_t row,
	 struct krn_job *ret, struct krn_error *err)
{
	struct krn_value *payload = krn_arena_make(arena, struct krn_value);
	enum krn_err e;

	if (!payload)
		return krn_arena_fail(arena, err);
	e = krn_json_parse_stored(arena, krn_rows_str(rows, row, 4), payload,
				  err);
	if (e == KRN_ERR_INVALID)
		payload = NULL;
	else if (e)
		return e;
	*ret = (struct krn_job){
	    .tenant_id = krn_rows_str(rows, row, 0),
	    .id = krn_rows_str(rows, row, 1),
	    .topic = krn_rows_str(rows, row, 2),
	    .kind = krn_rows_str(rows, row, 3),
	    .payload = payload,
	    .fence = krn_rows_int(rows, row, 5),
	    .attempts = krn_rows_int(rows, row, 6),
	    .max_attempts = krn_rows_int(rows, row, 7),
	    .place = krn_rows_str(rows, row, 10),
	};
	return KRN_OK;
}

/* The claim itself, from a mark on. */
static enum krn_err
job_claim_from(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_job_mark *mark, int64_t lease_seconds,
	       size_t max, const struct krn_rows **ret, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(arena, lease_seconds),
	    krn_param_int(arena, (int64_t)max),
	    krn_param_int(arena, mark->low),
	    krn_param_c(mark->after),
	};

	return krn_db_exec(db, KRN_STMT_job_claim, params, ret, err);
}

enum krn_err
krn_jobs_claim(struct krn_arena *arena, struct krn_db *db,
	       struct krn_job_mark *mark, int64_t lease_seconds, size_t max,
	       struct krn_job **ret, size_t *ret_nr, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	*ret_nr = 0;
	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_job_by_index, NULL, NULL);
	if ((e = job_mark(arena, db, mark, err)) ||
	    (e = job_claim_from(arena, db, mark, lease_seconds, max, &rows,
				err)))
		return e;
	if (krn_rows_nr(rows) == 0 && mark->low > mark->older &&
	    mark->look_us <= MARK_BACK_US) {
		mark->low = mark->older;
		if ((e = job_claim_from(arena, db, mark, lease_seconds, max,
					&rows, err)))
			return e;
	}
	if ((e = krn_db_commit(db, err)))
		return e;
	*ret = krn_arena_calloc(arena, krn_rows_nr(rows) + 1, sizeof(**ret));
	if (!*ret)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < krn_rows_nr(rows); i++)
		if ((e = job_read(arena, rows, i, &(*ret)[i], err)))
			return e;
	job_mark_claimed(mark, rows, max);
	*ret_nr = krn_rows_nr(rows);
	return KRN_OK;
}

enum krn_err
krn_job_claim(struct krn_arena *arena, struct krn_db *db,
	      struct krn_job_mark *mark, int64_t lease_seconds,
	      struct krn_job *ret, struct krn_error *err)
{
	struct krn_job *jobs;
	size_t nr;
	enum krn_err e;

	*ret = (struct krn_job){.id = {NULL, 0}};
	e = krn_jobs_claim(arena, db, mark, lease_seconds, 1, &jobs, &nr, err);
	if (e)
		krn_db_rollback(db);
	else if (nr)
		*ret = jobs[0];
	return e;
}

enum krn_err
krn_jobs_complete(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_job *jobs, size_t nr, size_t *ret_completed,
		  struct krn_error *err)
{
	enum { TENANTS, IDS, FENCES, PLACES, COLUMNS };

	struct krn_str *columns[COLUMNS];
	struct krn_param params[COLUMNS];
	const struct krn_rows *rows;
	enum krn_err e;

	for (size_t i = 0; i < COLUMNS; i++)
		if (!(columns[i] =
			  krn_arena_calloc(arena, nr + 1, sizeof(*columns[i]))))
			return krn_arena_fail(arena, err);
	for (size_t i = 0; i < nr; i++) {
		columns[TENANTS][i] = jobs[i].tenant_id;
		columns[IDS][i] = jobs[i].id;
		columns[FENCES][i] =
		    krn_str_printf(arena, "%lld", (long long)jobs[i].fence);
		columns[PLACES][i] = jobs[i].place;
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		params[i] = krn_param_str_array(arena, columns[i], nr);
		if (!params[i].value)
			return krn_arena_fail(arena, err);
	}
	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_job_by_index, NULL, NULL);
	krn_db_send(db, KRN_STMT_job_complete_many, params, &rows);
	if ((e = krn_db_commit(db, err)))
		return e;
	*ret_completed = krn_rows_nr(rows);
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
krn_job_end(struct krn_arena *arena, struct krn_db *db,
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
	/* nobody gets at the row any more, who renews its lease neither */
	krn_db_set_tick(db, 0, NULL, NULL);
	return KRN_OK;
}

enum krn_err
krn_job_complete(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_job *job, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_job_end(arena, db, job, err)))
		return e;
	return krn_db_commit(db, err);
}

double
krn_job_pause_seconds(int64_t attempts)
{
	unsigned char random;
	double pause = 1;

	krn_random(&random, sizeof(random));
	for (int64_t i = 1; i < attempts && pause < JOB_PAUSE_MAX_SECONDS; i++)
		pause *= 2;
	return pause * (0.75 + random / 512.0);
}

enum krn_err
krn_job_retry(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_job *job, struct krn_str reason,
	      int64_t *ret_pause_us, struct krn_error *err)
{
	const double pause = krn_job_pause_seconds(job->attempts);
	const struct krn_rows *rows;
	enum krn_err e;

	const struct krn_param params[] = {
	    krn_param_str(job->id),
	    krn_param_int(arena, job->fence),
	    krn_param_str(reason),
	    krn_param_double(arena, pause),
	};

	*ret_pause_us = (int64_t)(pause * KRN_US_PER_SECOND);
	if ((e = krn_db_exec(db, KRN_STMT_job_retry, params, &rows, err)))
		return e;
	return krn_rows_nr(rows) ? KRN_OK : job_taken(job, err);
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
