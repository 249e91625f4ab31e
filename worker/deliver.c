/*
 * The thread of deliveries.
 */

#include "base/base.h"

#include "worker/deliver.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "watch/deliver.h"

/* How long a worker that was started for one call delivers. */
#define DELIVER_ONCE_US (60 * KRN_US_PER_SECOND)

static struct {
	const struct krn_options *options;
	pthread_t thread;
	sem_t wake; /* posted to end the thread */
	atomic_bool stop;
	bool runs;
} deliver_thread;

static bool
deliver_should_stop(void)
{
	return atomic_load(&deliver_thread.stop);
}

static void
deliver_log(void *data KRN_UNUSED, const struct krn_outbox_row *row,
	    const char *reason, bool is_dead)
{
	krn_log(
	    KRN_LOG_WARNING, is_dead ? "delivery given up" : "delivery failed",
	    KRN_LOG_STR("tenant", row->tenant_id),
	    KRN_LOG_STR("delivery", row->id),
	    KRN_LOG_STR("provider", row->provider_id),
	    KRN_LOG_INT("attempt", row->attempts), KRN_LOG_C("reason", reason));
}

/* A pause, unless the end comes. */
static void
deliver_pause(int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (sem_timedwait(&deliver_thread.wake, &until) && errno == EINTR)
		;
}

/* One round; false: the database is away or refused. */
static bool
deliver_round(struct krn_db *db, const struct krn_options *options,
	      int64_t deadline_us, bool was_well)
{
	struct krn_deliver deliver = {
	    .db = db, .options = options, .failed = deliver_log};
	struct krn_error err = {.code = KRN_OK};
	const enum krn_err e =
	    krn_deliver_due(&deliver, deadline_us, deliver_should_stop, &err);

	if (e && was_well)
		krn_log_error(e == KRN_ERR_UNAVAILABLE ? KRN_LOG_WARNING
						       : KRN_LOG_ERROR,
			      "could not deliver", &err);
	return !e;
}

static void *
deliver_main(void *data KRN_UNUSED)
{
	const struct krn_options *options = deliver_thread.options;
	struct krn_db *db = krn_db_new(options->database_worker_url,
				       "kaireon-deliveries", options);
	bool well = true;

	if (!db) {
		krn_log(KRN_LOG_ERROR, "could not deliver: out of memory");
		return NULL;
	}
	while (!deliver_should_stop()) {
		well = deliver_round(db, options, INT64_MAX, well);
		if (!deliver_should_stop())
			deliver_pause(options->worker_poll_ms);
	}
	krn_db_free(db);
	return NULL;
}

enum krn_err
krn_worker_deliver_start(const struct krn_options *options,
			 struct krn_error *err)
{
	deliver_thread.options = options;
	if (sem_init(&deliver_thread.wake, 0, 0) ||
	    pthread_create(&deliver_thread.thread, NULL, deliver_main, NULL))
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"could not start the thread of deliveries");
	deliver_thread.runs = true;
	return KRN_OK;
}

void
krn_worker_deliver_stop(void)
{
	if (!deliver_thread.runs)
		return;
	atomic_store(&deliver_thread.stop, true);
	sem_post(&deliver_thread.wake);
	pthread_join(deliver_thread.thread, NULL);
	deliver_thread.runs = false;
}

void
krn_worker_deliver_once(const struct krn_options *options)
{
	struct krn_db *db = krn_db_new(options->database_worker_url,
				       "kaireon-deliveries", options);

	if (db)
		deliver_round(db, options,
			      krn_clock_monotonic_us() + DELIVER_ONCE_US, true);
	krn_db_free(db);
}
