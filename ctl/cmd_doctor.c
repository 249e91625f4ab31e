/*
 * kaireonctl doctor: the checks of the database, and the list of all.
 */

#include "base/base.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/json_out.h"
#include "ctl/doctor.h"
#include "store/migrate.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)

/* Source: the oldest that configure.ac and DESIGN section 5 speak of. */
#define DOCTOR_SERVER_MIN 150000

/* Clocks of hosts that NTP keeps differ by milliseconds. */
#define DOCTOR_CLOCK_MAX_US (2 * KRN_US_PER_SECOND)

#define DOCTOR_TIMEOUT_MS 10000

#define DOCTOR_DUE_MAX (15 * MINUTE)
#define DOCTOR_LAG_MAX (3 * HOUR)

/* Source: contract section 3, where the queue is CRITICAL. */
#define DOCTOR_DEAD_LETTERS_MAX 100

/* How old a job's last good call may be: its timer's interval and a missed one.
 */
static const struct {
	const char *job;
	int64_t seconds;
} doctor_jobs[] = {
    {"approvals-expire", HOUR},
    {"cleanup", 49 * HOUR},
    {"export-interactions", 3 * HOUR},
    {"gitops-drift-check", 49 * HOUR},
    {"tick", 10 * MINUTE},
};

/* Columns of doctor_state. */
enum {
	SCHEMA_VERSION,
	OLDEST_PROGRAM,
	INSTALLED,
	NOW,
	DUE,
	DUE_SECONDS,
	WORKERS,
	DEAD_LETTERS,
	EXPORTS_FAILED,
	EXPORTS_FOREIGN,
	EXPORT_LAG,
};

KRN_PRINTF(3, 0)
static void
doctor_text(const struct doctor *doctor, struct doctor_answer *answer,
	    const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	answer->detail = krn_str_dup(doctor->ctl->arena, krn_str_c(text));
	if (!answer->detail.s)
		answer->detail = KRN_STR("");
}

void
doctor_say(const struct doctor *doctor, struct doctor_answer *answer,
	   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	doctor_text(doctor, answer, format, args);
	va_end(args);
}

void
doctor_wrong(const struct doctor *doctor, struct doctor_answer *answer,
	     const char *remedy, const char *format, ...)
{
	va_list args;

	answer->state = DOCTOR_WRONG;
	answer->remedy = remedy;
	va_start(args, format);
	doctor_text(doctor, answer, format, args);
	va_end(args);
}

/* What needs the database when there is none. */
static bool
doctor_blind(const struct doctor *doctor, struct doctor_answer *answer)
{
	if (doctor->state)
		return false;
	answer->state = DOCTOR_SKIPPED;
	answer->detail = KRN_STR("the database's state could not be read");
	return true;
}

/* One URL: does it log in, as whom, to what? */
static bool
doctor_login(const struct doctor *doctor, struct doctor_answer *answer,
	     const char *option, struct krn_str url, const char *role,
	     bool must_bypass)
{
	struct krn_ctl *ctl = doctor->ctl;
	const struct krn_rows *rows;
	struct krn_error err = {.code = KRN_OK};
	struct krn_db *db = krn_db_new(url, "kaireonctl doctor", ctl->options);

	if (!db)
		return false;
	/* of the API pool's URL only, as there */
	if (strcmp(option, "DATABASE_URL") == 0 &&
	    !ctl->options->database_prepare)
		krn_db_set_pooled(db);
	if (!krn_db_begin(db, ctl->arena, KRN_TX_READ, &err)) {
		krn_db_send(db, KRN_STMT_doctor_role, NULL, &rows);
		(void)!krn_db_commit(db, &err);
	}
	krn_db_free(db);
	if (err.code)
		doctor_wrong(doctor, answer,
			     "see that PostgreSQL runs, and that pg_hba.conf "
			     "and the secret let this role in",
			     "%s: %s", option, err.detail);
	else if (!krn_str_eq_c(krn_rows_str(rows, 0, 0), role))
		doctor_wrong(doctor, answer,
			     "give each URL its own role: the names differ in "
			     "what they may see",
			     "%s logs in as \"%s\", not as %s", option,
			     krn_rows_str(rows, 0, 0).s, role);
	else if (krn_rows_bool(rows, 0, 2) != must_bypass)
		doctor_wrong(doctor, answer,
			     "run sql/roles.sql as a superuser: it sets what "
			     "each role may do",
			     "%s %s row-level security", role,
			     must_bypass ? "must bypass" : "must not bypass");
	else if (krn_rows_int(rows, 0, 1) < DOCTOR_SERVER_MIN)
		doctor_wrong(doctor, answer,
			     "upgrade PostgreSQL to 15 or later",
			     "PostgreSQL's version is %lld",
			     (long long)krn_rows_int(rows, 0, 1));
	return !answer->remedy;
}

static void
doctor_database(const struct doctor *doctor, struct doctor_answer *answer)
{
	const struct krn_options *o = doctor->ctl->options;
	const struct {
		const char *option, *role;
		struct krn_str url;
		bool bypass;
	} logins[] = {
	    {"DATABASE_ADMIN_URL", "kaireon_owner", o->database_admin_url,
	     false},
	    {"DATABASE_URL", "kaireon_api", o->database_url, false},
	    {"DATABASE_WORKER_URL", "kaireon_worker", o->database_worker_url,
	     true},
	};
	int nr = 0;

	for (size_t i = 0; i < KRN_NR(logins); i++) {
		if (!logins[i].url.len)
			continue;
		if (!doctor_login(doctor, answer, logins[i].option,
				  logins[i].url, logins[i].role,
				  logins[i].bypass))
			return;
		nr++;
	}
	if (!nr)
		doctor_wrong(doctor, answer,
			     "run kaireonctl as root on an installed host, or "
			     "set DATABASE_ADMIN_URL",
			     "no database is configured");
	else
		doctor_say(doctor, answer,
			   "%d of 3 roles configured, each "
			   "logs in",
			   nr);
}

static void
doctor_schema(const struct doctor *doctor, struct doctor_answer *answer)
{
	if (doctor_blind(doctor, answer))
		return;
	const long long has =
	    (long long)krn_rows_int(doctor->state, 0, SCHEMA_VERSION);

	const long long oldest =
	    (long long)krn_rows_int(doctor->state, 0, OLDEST_PROGRAM);

	if (has < krn_migrate_version())
		doctor_wrong(doctor, answer, "run kaireonctl migrate",
			     "version %lld, this program needs %d", has,
			     krn_migrate_version());
	else if (oldest > krn_migrate_version())
		doctor_wrong(doctor, answer,
			     "upgrade this host's package: another host has a "
			     "later one",
			     "version %lld, it serves programs from %lld on, "
			     "this one is %d",
			     has, oldest, krn_migrate_version());
	else if (has > krn_migrate_version())
		doctor_say(doctor, answer,
			   "version %lld, later than this program's %d, which "
			   "it serves",
			   has, krn_migrate_version());
	else
		doctor_say(doctor, answer, "version %lld", has);
}

static void
doctor_clock(const struct doctor *doctor, struct doctor_answer *answer)
{
	if (doctor_blind(doctor, answer))
		return;
	const int64_t ahead_us =
	    doctor->asked_us - krn_rows_int(doctor->state, 0, NOW);

	if (ahead_us > DOCTOR_CLOCK_MAX_US || ahead_us < -DOCTOR_CLOCK_MAX_US)
		doctor_wrong(doctor, answer,
			     "keep both clocks by NTP (systemd-timesyncd or "
			     "chrony)",
			     "%.1f s %s the database's",
			     (double)(ahead_us < 0 ? -ahead_us : ahead_us) /
				 1e6,
			     ahead_us < 0 ? "behind" : "ahead of");
	else
		doctor_say(doctor, answer, "as the database's");
}

/* Seconds since the job last ended well, or since there is a schema. */
static int64_t
doctor_age(const struct doctor *doctor, const char *job, bool *ret_ever)
{
	*ret_ever = false;
	for (size_t i = 0; i < krn_rows_nr(doctor->timers); i++)
		if (krn_str_eq_c(krn_rows_str(doctor->timers, i, 0), job) &&
		    !krn_rows_is_null(doctor->timers, i, 1)) {
			*ret_ever = true;
			return krn_rows_int(doctor->timers, i, 1);
		}
	return krn_rows_int(doctor->state, 0, INSTALLED);
}

static void
doctor_timers(const struct doctor *doctor, struct doctor_answer *answer)
{
	if (doctor_blind(doctor, answer))
		return;
	for (size_t i = 0; i < KRN_NR(doctor_jobs); i++) {
		bool ever;
		const int64_t age =
		    doctor_age(doctor, doctor_jobs[i].job, &ever);

		if (age <= doctor_jobs[i].seconds)
			continue;
		doctor_wrong(doctor, answer,
			     "see systemctl list-timers 'kaireon-cron-*' and "
			     "journalctl -u 'kaireon-cron@*'",
			     "%s: the last good call was %lld minutes ago%s",
			     doctor_jobs[i].job, (long long)(age / 60),
			     ever ? "" : ", if there ever was one");
		return;
	}
	doctor_say(doctor, answer, "each job ended well lately");
}

static void
doctor_queue(const struct doctor *doctor, struct doctor_answer *answer)
{
	if (doctor_blind(doctor, answer))
		return;
	const long long due = (long long)krn_rows_int(doctor->state, 0, DUE);
	const int64_t seconds = krn_rows_int(doctor->state, 0, DUE_SECONDS);
	const long long workers =
	    (long long)krn_rows_int(doctor->state, 0, WORKERS);
	const long long dead =
	    (long long)krn_rows_int(doctor->state, 0, DEAD_LETTERS);

	if (!workers)
		doctor_wrong(doctor, answer,
			     "systemctl start kaireon-worker@1.service",
			     "no worker of any host is logged in; %lld jobs "
			     "are due",
			     due);
	else if (due && seconds > DOCTOR_DUE_MAX)
		doctor_wrong(doctor, answer,
			     "start more workers, here or on other hosts: "
			     "systemctl enable --now kaireon-worker@2.service",
			     "%lld jobs are due, the oldest for %lld minutes",
			     due, (long long)(seconds / 60));
	else if (dead > DOCTOR_DEAD_LETTERS_MAX)
		doctor_wrong(doctor, answer,
			     "look at GET /api/v1/admin/dlq, remove the cause, "
			     "then retry or purge them",
			     "%lld dead letters", dead);
	else
		doctor_say(doctor, answer,
			   "%lld due, %lld workers, %lld dead letters", due,
			   workers, dead);
}

static void
doctor_export(const struct doctor *doctor, struct doctor_answer *answer)
{
	if (doctor_blind(doctor, answer))
		return;
	const int64_t lag = krn_rows_int(doctor->state, 0, EXPORT_LAG);

	if (krn_rows_int(doctor->state, 0, EXPORTS_FOREIGN))
		doctor_wrong(
		    doctor, answer,
		    "after a dump was restored into another cluster: "
		    "kaireonctl export rebase",
		    "%lld tenants have a checkpoint of another "
		    "cluster",
		    (long long)krn_rows_int(doctor->state, 0, EXPORTS_FOREIGN));
	else if (krn_rows_int(doctor->state, 0, EXPORTS_FAILED))
		doctor_wrong(
		    doctor, answer,
		    "see the tenant's part in GET "
		    "/api/v1/admin/cron-runs and the cron pool's log; "
		    "the next call tries the same batch again",
		    "the last export of %lld tenants failed",
		    (long long)krn_rows_int(doctor->state, 0, EXPORTS_FAILED));
	else if (lag > DOCTOR_LAG_MAX)
		doctor_wrong(doctor, answer,
			     "call the export with ?drain=true, or raise "
			     "EXPORT_MAX_ROWS; a transaction that stays open "
			     "holds it back too (pg_stat_activity)",
			     "the oldest row that is not exported is %lld "
			     "minutes old",
			     (long long)(lag / 60));
	else
		doctor_say(doctor, answer, "%lld seconds behind",
			   (long long)lag);
}

/* clang-format off */
static const struct {
	const char *name;
	doctor_fn run;
} doctor_checks[] = {
	{"database", doctor_database},
	{"schema",   doctor_schema},
	{"replica",  doctor_replica},
	{"clock",    doctor_clock},
	{"secrets",  doctor_secrets},
	{"disk",     doctor_disk},
	{"sockets",  doctor_sockets},
	{"site",     doctor_site},
	{"timers",   doctor_timers},
	{"queue",    doctor_queue},
	{"export",   doctor_export},
};
/* clang-format on */

/* What the checks look at; what fails leaves them blind. */
static void
doctor_look(struct doctor *doctor)
{
	struct krn_ctl *ctl = doctor->ctl;
	const struct krn_rows *state, *timers;
	struct krn_error err;

	if (!ctl->options->database_admin_url.len)
		return;
	struct krn_db *db = krn_db_new(ctl->options->database_admin_url,
				       "kaireonctl doctor", ctl->options);

	if (!db)
		return;
	if (!krn_db_begin(db, ctl->arena, KRN_TX_READ, &err)) {
		krn_db_send(db, KRN_STMT_doctor_state, NULL, &state);
		krn_db_send(db, KRN_STMT_doctor_timers, NULL, &timers);
		if (!krn_db_commit(db, &err)) {
			doctor->asked_us = krn_clock_us();
			doctor->state = state;
			doctor->timers = timers;
		}
	}
	krn_db_free(db);
}

static const char *const doctor_states[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_WRONG] = "wrong", [DOCTOR_SKIPPED] = "skipped"};

static void
doctor_print(const char *name, const struct doctor_answer *answer)
{
	printf("%-8s %-9s %.*s\n", doctor_states[answer->state], name,
	       KRN_STR_ARG(answer->detail));
	if (answer->remedy)
		printf("%-8s %-9s to do: %s\n", "", "", answer->remedy);
}

static void
doctor_json(struct krn_json_out *out, const char *name,
	    const struct doctor_answer *answer)
{
	krn_json_obj_open(out, NULL);
	krn_json_c(out, "name", name);
	krn_json_c(out, "state", doctor_states[answer->state]);
	krn_json_str(out, "detail", answer->detail);
	if (answer->remedy)
		krn_json_c(out, "remedy", answer->remedy);
	krn_json_close(out);
}

/* Is the check among those that --skip names? */
static bool
doctor_is_skipped(struct krn_str list, const char *name)
{
	struct krn_str one;

	while (list.s && krn_str_split(&list, ',', &one))
		if (krn_str_eq_c(one, name))
			return true;
	return false;
}

enum krn_err
krn_cmd_doctor(struct krn_ctl *ctl, struct krn_error *err KRN_UNUSED)
{
	struct doctor doctor = {.ctl = ctl};
	struct krn_options options = *ctl->options;
	struct krn_json_out out;
	struct krn_buf buf;

	/* whoever asks how it is wants an answer soon */
	options.statement_timeout_ms = DOCTOR_TIMEOUT_MS;
	ctl->options = &options;
	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_arr_open(&out, "checks");
	doctor_look(&doctor);
	for (size_t i = 0; i < KRN_NR(doctor_checks); i++) {
		struct doctor_answer answer = {.detail = KRN_STR("")};

		if (doctor_is_skipped(ctl->skip, doctor_checks[i].name))
			continue;
		doctor_checks[i].run(&doctor, &answer);
		if (answer.state == DOCTOR_WRONG)
			ctl->status = 1;
		if (ctl->json)
			doctor_json(&out, doctor_checks[i].name, &answer);
		else
			doctor_print(doctor_checks[i].name, &answer);
	}
	krn_json_close(&out);
	krn_json_bool(&out, "ok", ctl->status == 0);
	krn_json_close(&out);
	krn_json_end(&out);
	if (ctl->json && !buf.failed)
		printf("%.*s\n", (int)buf.len, buf.data);
	return KRN_OK;
}
