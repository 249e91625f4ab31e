/*
 * kaireon-fcgi: a worker of a pool. The listening socket is descriptor 0, as
 * spawn-fcgi and multiwatch leave it. One request at a time; signals are
 * blocked but while it waits, so each request is finished.
 */

#include "base/base.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/option.h"
#include "base/registry.h"
#include "base/service.h"
#include "fcgi/dispatch.h"
#include "fcgi/spawn.h"
#include "queue/fallback.h"

static volatile sig_atomic_t main_stop;

static void
main_on_signal(int signal KRN_UNUSED)
{
	main_stop = 1;
}

/* TERM, HUP and USR1 alike: finish the request and leave. */
static void
main_block_signals(sigset_t *ret_waiting)
{
	static const int stops[] = {SIGTERM, SIGHUP, SIGUSR1, SIGINT};
	struct sigaction action = {.sa_handler = main_on_signal};
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
	signal(SIGCHLD, SIG_IGN); /* who is started here is on its own */
}

/* A process that dies at once is a busy loop for its supervisor. */
static void
main_pause(int64_t started_us)
{
	const struct timespec second = {1, 0};

	if (krn_clock_monotonic_us() - started_us < KRN_US_PER_SECOND)
		nanosleep(&second, NULL);
}

static int
main_usage(FILE *out, int status)
{
	fputs("usage: kaireon-fcgi --pool api|cron\n"
	      "       kaireon-fcgi --check-config | --dump-config | --routes\n"
	      "\n"
	      "Serves FastCGI on descriptor 0. Options come from the "
	      "environment;\n"
	      "see kaireon-fcgi(8).\n",
	      out);
	return status;
}

/* The cron pool sees to it that due jobs are taken. */
static void
main_look(struct krn_fallback *fallback, const struct krn_dispatch *dispatch)
{
	const bool is_needed =
	    krn_fallback_look(fallback, dispatch->arena, dispatch->db);
	struct krn_error err;

	krn_arena_reset(dispatch->arena);
	if (!is_needed)
		return;
	if (krn_spawn_worker(&err))
		krn_log_error(KRN_LOG_ERROR, "no worker for a due job", &err);
	else
		krn_log(KRN_LOG_WARNING,
			"started a worker: a job was due and there was none");
}

/* How long to wait for a request: somebody may have to be told that we live. */
static int
main_wait_ms(const struct krn_fallback *fallback)
{
	const int look_ms = krn_fallback_wait_ms(fallback);
	const int patience_ms = krn_service_patience_ms();

	return look_ms < 0 || (patience_ms >= 0 && patience_ms < look_ms)
		   ? patience_ms
		   : look_ms;
}

static void
main_loop(const struct krn_dispatch *dispatch, const sigset_t *waiting)
{
	struct krn_fallback fallback;

	krn_fallback_init(&fallback,
			  dispatch->pool == KRN_POOL_CRON
			      ? dispatch->options->worker_fallback_seconds
			      : 0);
	krn_service_ready();
	while (!main_stop) {
		struct pollfd fd = {.fd = 0, .events = POLLIN};
		const int ms = main_wait_ms(&fallback);
		const struct timespec timeout = {ms / 1000,
						 ms % 1000 * 1000000L};

		krn_service_alive();
		const int ready =
		    ppoll(&fd, 1, ms < 0 ? NULL : &timeout, waiting);

		if (ready < 0 || main_stop)
			continue;
		main_look(&fallback, dispatch);
		if (ready == 0)
			continue;
		switch (krn_io_accept(dispatch->io)) {
		case KRN_IO_REQUEST:
			krn_registry_busy(true);
			krn_dispatch(dispatch);
			krn_registry_busy(false);
			krn_arena_reset(dispatch->arena);
			break;
		case KRN_IO_NONE:
			break;
		case KRN_IO_FAILED:
			krn_log(KRN_LOG_ERROR, "the listening socket failed");
			return;
		}
	}
}

static int
main_serve(const struct krn_options *options, enum krn_pool pool,
	   const sigset_t *waiting)
{
	struct krn_error err;
	struct krn_dispatch dispatch = {
	    .io = krn_io_new(),
	    .arena = krn_arena_new((size_t)options->request_memory_mib << 20),
	    .db = krn_db_new(pool == KRN_POOL_API ? options->database_url
						  : options->database_worker_url,
			     pool == KRN_POOL_API ? "kaireon-fcgi api"
						  : "kaireon-fcgi cron",
			     options),
	    .options = options,
	    .pool = pool,
	};

	if (!dispatch.io || !dispatch.arena || !dispatch.db) {
		krn_log(KRN_LOG_ERROR, "could not start: out of memory");
		return 1;
	}
	if (!krn_io_is_listening()) {
		krn_log(KRN_LOG_ERROR,
			"could not start: descriptor 0 is not a listening "
			"socket");
		return 1;
	}
	if (pool == KRN_POOL_API && !options->database_prepare)
		krn_db_set_pooled(dispatch.db);
	if (krn_registry_open(options->metrics_file,
			      pool == KRN_POOL_API ? "api" : "cron", &err))
		krn_log_error(KRN_LOG_WARNING, "metrics are not shared", &err);
	/* the database may be away: requests then answer 503 and it retries */
	if (krn_db_connect(dispatch.db, &err))
		krn_log_error(KRN_LOG_WARNING, "database away at start", &err);
	krn_log(KRN_LOG_INFO, "serving",
		KRN_LOG_C("pool", pool == KRN_POOL_API ? "api" : "cron"));
	main_loop(&dispatch, waiting);
	krn_log(KRN_LOG_INFO, "stopping");
	krn_io_free(dispatch.io);
	krn_db_free(dispatch.db);
	krn_arena_free(dispatch.arena);
	return 0;
}

enum main_action { MAIN_SERVE, MAIN_CHECK, MAIN_DUMP, MAIN_ROUTES, MAIN_HELP };

static int
main_configured(enum main_action action, enum krn_pool pool,
		const sigset_t *waiting)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_options options;
	struct krn_error err;
	enum krn_log_level level = KRN_LOG_INFO;

	if (!arena)
		return 1;
	if (krn_options_load(arena, &options, &err)) {
		for (size_t i = 0; err.problems && i < err.problems->nr; i++)
			fprintf(stderr, "kaireon-fcgi: %s: %s\n",
				err.problems->list[i].field,
				err.problems->list[i].message);
		krn_arena_free(arena);
		return 1;
	}
	if (!krn_log_level_parse(options.log_level, &level))
		fprintf(stderr, "kaireon-fcgi: LOG_LEVEL is not a level\n");
	krn_log_init("kaireon-fcgi", level);
	for (size_t i = 0; i < options.warnings->nr; i++)
		krn_log(KRN_LOG_WARNING, "an option has a wrong value",
			KRN_LOG_C("option", options.warnings->list[i].field),
			KRN_LOG_C("problem",
				  options.warnings->list[i].message));

	int status = 0;

	if (action == MAIN_DUMP)
		krn_options_dump(&options, stdout);
	else if (action == MAIN_SERVE)
		status = main_serve(&options, pool, waiting);
	krn_arena_free(arena);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {
	    {"pool", required_argument, NULL, 'p'},
	    {"check-config", no_argument, NULL, 'c'},
	    {"dump-config", no_argument, NULL, 'd'},
	    {"routes", no_argument, NULL, 'r'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const int64_t started_us = krn_clock_monotonic_us();
	enum krn_pool pool = KRN_POOL__UNSET;
	enum main_action action = MAIN_SERVE;
	struct krn_error err;
	sigset_t waiting;
	int c;

	main_block_signals(&waiting);
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'p')
			pool = strcmp(optarg, "api") == 0    ? KRN_POOL_API
			       : strcmp(optarg, "cron") == 0 ? KRN_POOL_CRON
							     : KRN_POOL__UNSET;
		else if (c == '?')
			return main_usage(stderr, 2);
		else
			action = c == 'c'   ? MAIN_CHECK
				 : c == 'd' ? MAIN_DUMP
				 : c == 'r' ? MAIN_ROUTES
					    : MAIN_HELP;
	}
	if (action == MAIN_HELP)
		return main_usage(stdout, 0);
	if (optind != argc || (action == MAIN_SERVE && !pool))
		return main_usage(stderr, 2);
	if (krn_routes_check(&err)) {
		fprintf(stderr, "kaireon-fcgi: %s\n", err.detail);
		return 1;
	}
	if (action == MAIN_ROUTES) {
		krn_routes_print(stdout);
		return 0;
	}
	const int status = main_configured(action, pool, &waiting);

	if (action == MAIN_SERVE)
		main_pause(started_us);
	return status;
}
