/*
 * kaireon-worker: takes jobs from the queue, one at a time. Signals are
 * blocked but while it waits, so a step is finished; a worker that is killed
 * in a step leaves nothing of it behind.
 */

#include "base/base.h"

#include <getopt.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/option.h"
#include "base/registry.h"
#include "base/service.h"
#include "campaign/step.h"
#include "queue/lease.h"
#include "store/notify.h"
#include "watch/step.h"
#include "worker/deliver.h"

static volatile sig_atomic_t worker_stop;

static void
worker_on_signal(int signal KRN_UNUSED)
{
	worker_stop = 1;
}

static void
worker_block_signals(sigset_t *ret_waiting)
{
	static const int stops[] = {SIGTERM, SIGHUP, SIGUSR1, SIGINT};
	struct sigaction action = {.sa_handler = worker_on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < KRN_NR(stops); i++) {
		sigaddset(&blocked, stops[i]);
		sigaction(stops[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, ret_waiting);
	for (size_t i = 0; i < KRN_NR(stops); i++)
		sigdelset(ret_waiting, stops[i]);
	signal(SIGPIPE, SIG_IGN);
}

struct worker {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_options *options;
	sigset_t waiting;
	struct krn_job_mark mark;
	struct krn_lease lease;
	bool once;
	bool listens;
	bool began;       /* it has had a job */
	int64_t until_us; /* --once: a job of its own is due again by then */
};

/* Is one of the stop signals pending? Then the loop ends before a claim. */
static bool
worker_should_stop(const struct worker *worker)
{
	static const int stops[] = {SIGTERM, SIGHUP, SIGUSR1, SIGINT};
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < KRN_NR(stops); i++)
		if (sigismember(&pending, stops[i]) == 1 &&
		    sigismember(&worker->waiting, stops[i]) == 0)
			return true;
	return worker_stop;
}

/* What the run's operator reads; never SQL or paths. */
static struct krn_str
worker_reason(const struct krn_error *err)
{
	return krn_str_c(err->message[0] ? err->message
					 : krn_err_row(err->code)->message);
}

/* A job comes back to the queue after a pause: --once waits for it. */
static void
worker_expect(struct worker *worker, int64_t pause_us)
{
	const int64_t at_us = krn_clock_monotonic_us() + pause_us +
			      worker->options->worker_poll_ms * 1000;

	if (at_us > worker->until_us)
		worker->until_us = at_us;
}

/* A job is a step of a campaign's run, or of watching. */

static enum krn_err
worker_step_run(struct worker *worker, const struct krn_job *job,
		struct krn_error *err)
{
	return krn_watch_step_is(job)
		   ? krn_watch_step_run(worker->arena, worker->db,
					worker->options, job, err)
		   : krn_step_run(worker->arena, worker->db, worker->options,
				  job, err);
}

static enum krn_err
worker_step_fail(struct worker *worker, const struct krn_job *job,
		 const struct krn_error *why, struct krn_error *err)
{
	return krn_watch_step_is(job)
		   ? krn_watch_step_fail(worker->arena, worker->db, job,
					 worker_reason(why), err)
		   : krn_step_fail(worker->arena, worker->db, job,
				   worker_reason(why), err);
}

static enum krn_err
worker_step_retry(struct worker *worker, const struct krn_job *job,
		  const struct krn_error *why, int64_t *ret_pause_us,
		  struct krn_error *err)
{
	/* clients read it, and it outlives the rows */
	const struct krn_str detail =
	    why->values_at ? krn_str_from(why->detail, why->values_at)
			   : krn_str_c(why->detail);

	return krn_watch_step_is(job)
		   ? krn_watch_step_retry(worker->arena, worker->db, job,
					  detail, ret_pause_us, err)
		   : krn_step_retry(worker->arena, worker->db, job,
				    worker_reason(why), detail, ret_pause_us,
				    err);
}

/* A step failed: again later, or for good. */
static void
worker_failed(struct worker *worker, const struct krn_job *job,
	      const struct krn_error *why)
{
	const bool hopeless = why->code == KRN_ERR_INVALID ||
			      why->code == KRN_ERR_NOTFOUND ||
			      job->attempts >= job->max_attempts;
	int64_t pause_us =
	    worker->options->worker_lease_seconds * KRN_US_PER_SECOND;
	struct krn_error err;
	enum krn_err e;

	krn_log(hopeless ? KRN_LOG_ERROR : KRN_LOG_WARNING, "job failed",
		KRN_LOG_STR("tenant", job->tenant_id),
		KRN_LOG_STR("job", job->id), KRN_LOG_STR("kind", job->kind),
		KRN_LOG_INT("attempt", job->attempts),
		KRN_LOG_C("error", krn_err_row(why->code)->id),
		KRN_LOG_C("sqlstate", why->sqlstate),
		KRN_LOG_C("detail", why->detail));
	e = hopeless ? worker_step_fail(worker, job, why, &err)
		     : worker_step_retry(worker, job, why, &pause_us, &err);
	/* then its lease ends with our session or with its time */
	if (e && e != KRN_ERR_CONFLICT)
		krn_log_error(KRN_LOG_WARNING, "could not note the failure",
			      &err);
	if (!hopeless && e != KRN_ERR_CONFLICT)
		worker_expect(worker, pause_us);
}

/* A job that no step is begun for. */
static enum krn_err
worker_refuse(const struct krn_job *job, struct krn_error *err)
{
	if (!job->payload)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "what the job is about cannot be read");
	/* a step that ends its worker never comes to note a failure */
	if (job->attempts > job->max_attempts)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the worker ended in each of %lld attempts",
				  (long long)job->max_attempts);
	return KRN_OK;
}

static void
worker_measure(const struct krn_job *job, const char *outcome,
	       int64_t duration_us, int64_t database_us)
{
	char kind[32];

	snprintf(kind, sizeof(kind), "%.*s", KRN_STR_ARG(job->kind));
	krn_registry_add(KRN_REGISTRY_JOBS, (const char *[]){kind, outcome}, 1);
	krn_registry_observe(KRN_REGISTRY_JOB_SECONDS, (const char *[]){kind},
			     duration_us);
	krn_registry_add(KRN_REGISTRY_DATABASE_SECONDS,
			 (const char *[]){krn_registry_what()}, database_us);
}

static void
worker_run(struct worker *worker, const struct krn_job *job)
{
	const int64_t start_us = krn_clock_monotonic_us();
	const int64_t database_us = krn_db_total_us(worker->db);
	struct krn_error err = {.code = KRN_OK};
	enum krn_err e = worker_refuse(job, &err);
	bool is_lost = false;

	if (!e) {
		krn_registry_busy(true);
		krn_lease_begin(&worker->lease, worker->db, job);
		e = worker_step_run(worker, job, &err);
		is_lost = krn_lease_end(&worker->lease, worker->db);
		krn_registry_busy(false);
	}
	worker_measure(job, e ? "failed" : "done",
		       krn_clock_monotonic_us() - start_us,
		       krn_db_total_us(worker->db) - database_us);
	/* somebody else has the job: it is not ours to fail */
	if (e && (is_lost || (e == KRN_ERR_CONFLICT && !err.sqlstate[0])))
		krn_log(KRN_LOG_INFO, "job given up",
			KRN_LOG_STR("tenant", job->tenant_id),
			KRN_LOG_STR("job", job->id),
			KRN_LOG_STR("kind", job->kind));
	else if (e)
		worker_failed(worker, job, &err);
	else
		krn_log(KRN_LOG_INFO, "job done",
			KRN_LOG_STR("tenant", job->tenant_id),
			KRN_LOG_STR("job", job->id),
			KRN_LOG_STR("kind", job->kind),
			KRN_LOG_INT("attempt", job->attempts),
			KRN_LOG_INT("duration_us",
				    krn_clock_monotonic_us() - start_us));
}

/* Wait for a notification, the poll interval or a signal. */
static void
worker_wait(struct worker *worker)
{
	const int64_t left_ms =
	    (worker->until_us - krn_clock_monotonic_us()) / 1000 + 1;
	int64_t ms = worker->options->worker_poll_ms;
	struct krn_error err;
	bool notified;

	if (worker->once && left_ms < ms)
		ms = left_ms > 0 ? left_ms : 1;
	if (!worker->listens)
		worker->listens = krn_notify_listen(worker->db, &err) == KRN_OK;
	if (krn_notify_wait(worker->db, (int)ms, &worker->waiting, &notified,
			    &err))
		worker->listens = false;
}

/* Nothing is due. --once ends when nothing of its own will be due again. */
static bool
worker_is_done(const struct worker *worker)
{
	return worker->once && krn_clock_monotonic_us() >= worker->until_us;
}

/* The database is away; --once waits for it when it has begun something. */
static bool
worker_gives_up(struct worker *worker, const struct krn_error *err)
{
	if (err->code != KRN_ERR_UNAVAILABLE)
		krn_log_error(KRN_LOG_ERROR, "could not claim a job", err);
	else
		krn_log_error(KRN_LOG_WARNING, "database away", err);
	worker->listens = false;
	return worker->once && !worker->began;
}

static int
worker_loop(struct worker *worker)
{
	struct krn_error err;
	struct krn_job job;

	krn_service_ready();
	while (!worker_should_stop(worker)) {
		krn_service_alive();
		krn_arena_reset(worker->arena);
		if (krn_job_claim(worker->arena, worker->db, &worker->mark,
				  worker->options->worker_lease_seconds, &job,
				  &err)) {
			if (worker_gives_up(worker, &err))
				return 1;
			worker_expect(worker, 0);
			worker_wait(worker);
		} else if (job.id.s) {
			worker->began = true;
			worker_run(worker, &job);
		} else if (worker_is_done(worker)) {
			return 0;
		} else {
			worker_wait(worker);
		}
	}
	return 0;
}

/* Limits of requests are not those of jobs. */
static int
worker_start(struct krn_options *options, bool once, const sigset_t *waiting)
{
	options->statement_timeout_ms = 0;
	options->lock_timeout_ms = 0;
	/* who holds locks and is silent has lost its lease twice over */
	options->idle_timeout_ms = 2000 * options->worker_lease_seconds;
	struct worker worker = {
	    .arena = krn_arena_new(0),
	    .db = krn_db_new(options->database_worker_url,
			     once ? "kaireon-worker-once" : "kaireon-worker",
			     options),
	    .options = options,
	    .waiting = *waiting,
	    .once = once,
	};
	struct krn_error err;
	int status = 1;

	if (krn_registry_open(options->metrics_file, "worker", &err))
		krn_log_error(KRN_LOG_WARNING, "metrics are not shared", &err);
	if (!krn_lease_init(&worker.lease, options) || !worker.arena ||
	    !worker.db)
		krn_log(KRN_LOG_ERROR, "could not start: out of memory");
	else {
		krn_log(KRN_LOG_INFO, "working");
		if (!once && krn_worker_deliver_start(options, &err))
			krn_log_error(KRN_LOG_ERROR, "no deliveries", &err);
		status = worker_loop(&worker);
		if (once)
			krn_worker_deliver_once(options);
		krn_worker_deliver_stop();
		krn_log(KRN_LOG_INFO, "stopping");
	}
	krn_lease_release(&worker.lease);
	krn_arena_free(worker.arena);
	krn_db_free(worker.db);
	return status;
}

static int
worker_usage(FILE *out, int status)
{
	fputs("usage: kaireon-worker [--once]\n"
	      "       kaireon-worker --check-config | --dump-config\n"
	      "\n"
	      "Takes jobs from the queue; with --once until nothing is due\n"
	      "and nothing that it failed at waits to be tried again.\n"
	      "Options come from the environment; see kaireon-worker(8).\n",
	      out);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {
	    {"once", no_argument, NULL, 'o'},
	    {"check-config", no_argument, NULL, 'c'},
	    {"dump-config", no_argument, NULL, 'd'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct krn_arena *arena = krn_arena_new(0);
	enum krn_log_level level = KRN_LOG_INFO;
	struct krn_options options;
	struct krn_error err;
	sigset_t waiting;
	int c, action = 0, status = 0;

	worker_block_signals(&waiting);
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		action = c;
	}
	if (!arena)
		return 1;
	if (action == '?' || action == 'h' || optind != argc)
		status = worker_usage(action == 'h' ? stdout : stderr,
				      action == 'h' ? 0 : 2);
	else if (krn_options_load(arena, &options, &err)) {
		for (size_t i = 0; err.problems && i < err.problems->nr; i++)
			fprintf(stderr, "kaireon-worker: %s: %s\n",
				err.problems->list[i].field,
				err.problems->list[i].message);
		status = 1;
	} else if (action == 'd') {
		krn_options_dump(&options, stdout);
	} else if (action != 'c') {
		krn_log_level_parse(options.log_level, &level);
		krn_log_init("kaireon-worker", level);
		status = worker_start(&options, action == 'o', &waiting);
	}
	krn_arena_free(arena);
	return status;
}
