/*
 * The queue for tests and benchmarks, on $DATABASE_WORKER_URL:
 *
 *	queue drain BATCH     at each line of the input: claim and complete
 *	                      until it is empty
 *	queue renew BATCH     the same, the lease of each batch's first job
 *	                      renewed in between
 *	queue wait N          take N jobs one by one as they come
 *
 * Prints how many jobs and how many milliseconds that took; `wait` before it,
 * for each job, the microseconds since the moment {"at"} of its payload.
 */

#include "base/base.h"

#include "base/clock.h"
#include "base/option.h"
#include "queue/job.h"
#include "store/notify.h"

struct queue {
	struct krn_arena *arena;
	struct krn_db *db;
	struct krn_job_mark mark;
	sigset_t waiting;
	bool renews;
};

static enum krn_err
queue_renew(struct queue *queue, const struct krn_job *job,
	    struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(job->tenant_id),
	    krn_param_str(job->id),
	    krn_param_int(queue->arena, job->fence),
	    krn_param_int(queue->arena, 60),
	};
	enum krn_err e;

	if ((e = krn_db_begin(queue->db, queue->arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(queue->db, KRN_STMT_job_renew, params, NULL);
	return krn_db_commit(queue->db, err);
}

/* Claim up to `max` and complete them; how many, or -1. */
static long
queue_take(struct queue *queue, size_t max)
{
	struct krn_error err;
	struct krn_job *jobs;
	size_t nr, completed;

	krn_arena_reset(queue->arena);
	if (krn_jobs_claim(queue->arena, queue->db, &queue->mark, 60, max,
			   &jobs, &nr, &err))
		nr = SIZE_MAX;
	for (size_t i = 0; max == 1 && i < nr && nr != SIZE_MAX; i++) {
		const struct krn_value *at =
		    krn_value_find(jobs[i].payload, "at");

		if (at && at->type == KRN_VALUE_INT)
			printf("%lld\n",
			       (long long)(krn_clock_us() - at->integer));
	}
	if (nr == SIZE_MAX ||
	    (nr && queue->renews && queue_renew(queue, &jobs[0], &err)) ||
	    (nr && krn_jobs_complete(queue->arena, queue->db, jobs, nr,
				     &completed, &err))) {
		fprintf(stderr, "queue: %s %s\n", err.message, err.detail);
		return -1;
	}
	return nr ? (long)completed : 0;
}

static int
queue_run(struct queue *queue, bool wait, long number)
{
	const int64_t start_us = krn_clock_monotonic_us();
	struct krn_error err;
	bool notified;
	long total = 0, nr;

	if (wait && krn_notify_listen(queue->db, &err))
		return 1;
	while ((nr = queue_take(queue, wait ? 1 : (size_t)number)) >= 0) {
		total += nr;
		if (wait ? total >= number : nr == 0)
			break;
		if (wait && nr == 0 &&
		    krn_notify_wait(queue->db, 1000, &queue->waiting, &notified,
				    &err))
			return 1;
	}
	printf("%ld %lld\n", total,
	       (long long)(krn_clock_monotonic_us() - start_us) / 1000);
	fflush(stdout);
	return nr < 0;
}

static int
queue_drain(struct queue *queue, long batch)
{
	int status = 0;

	for (int c; !status && (c = getchar()) != EOF;)
		if (c == '\n')
			status = queue_run(queue, false, batch);
	return status;
}

int
main(int argc, char **argv)
{
	struct queue queue = {.arena = krn_arena_new(0)};
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_options options;
	int64_t number;
	struct krn_error err;
	int status = 2;

	sigemptyset(&queue.waiting);
	if (argc != 3 || !queue.arena || !arena ||
	    krn_parse_int64(krn_str_c(argv[2]), 1, INT32_MAX, &number, &err) ||
	    krn_options_load(arena, &options, &err))
		return 2;
	queue.db = krn_db_new(options.database_worker_url, "queue", &options);
	queue.renews = strcmp(argv[1], "renew") == 0;
	if (queue.db)
		status = strcmp(argv[1], "wait") == 0
			     ? queue_run(&queue, true, (long)number)
			     : queue_drain(&queue, (long)number);
	krn_db_free(queue.db);
	krn_arena_free(arena);
	krn_arena_free(queue.arena);
	return status;
}
