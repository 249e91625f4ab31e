/*
 * kaireonctl: find the command, parse its options, run it.
 */

#include "base/base.h"

#include <getopt.h>

#include "base/json_out.h"
#include "base/log.h"
#include "ctl/ctl.h"
#include "ctl/installation.h"
#include "store/replica.h"

/* clang-format off */
static const struct {
	const char *noun, *verb; /* verb NULL: the noun alone */
	const char *needs;       /* options that must be given, by letter */
	bool database;
	krn_ctl_fn run;
	const char *usage;
} ctl_commands[] = {
	{"cron",    "check",     "",    false, krn_cmd_cron_check,     "cron check <ANSWER"},
	{"cron",    "run",       "",    false, krn_cmd_cron_run,       "cron run export-interactions|cleanup|approvals-expire|gitops-drift-check|tick"},
	{"demo",    "customers", "",    false, krn_cmd_demo_customers, "demo customers [--count N] [--seed S]"},
	{"doctor",  NULL,        "",    false, krn_cmd_doctor,         "doctor [--skip CHECK,…] [--run-dir FOLDER]"},
	{"export",  "rebase",    "",    true,  krn_cmd_export_rebase,  "export rebase [--tenant ID]"},
	{"gitops",  "apply",     "",    false, krn_cmd_gitops_apply,   "gitops apply [--kinds KIND,…] [--prune] [--max-deletes N] [--plan HASH] [--dry-run] [--exit-code] FILE|DIRECTORY|-"},
	{"gitops",  "diff",      "",    false, krn_cmd_gitops_diff,    "gitops diff [--kinds KIND,…] [--prune] [--max-deletes N] [--exit-code] FILE|DIRECTORY|-"},
	{"gitops",  "export",    "",    false, krn_cmd_gitops_export,  "gitops export [--kinds KIND,…] [--format yaml|json] [FILE|DIRECTORY/]"},
	{"gitops",  "rollback",  "g",   false, krn_cmd_gitops_rollback, "gitops rollback --to REVISION [--plan HASH] [--dry-run] [--exit-code]"},
	{"gitops",  "schema",    "",    false, krn_cmd_gitops_schema,  "gitops schema"},
	{"import",  NULL,        "tS",  true,  krn_cmd_import,         "import --tenant ID --schema NAME (--id-column COLUMN | --number-rows COLUMN) [--delimiter C] [--types COLUMN=TYPE,…] [--format csv|ndjson] [--append | --replace] FILE|-"},
	{"key",     "create",    "trn", true,  krn_cmd_key_create,     "key create --tenant ID --role viewer|editor|admin --name NAME [--expires TIME] [--scopes SCOPE,…]"},
	{"key",     "list",      "t",   true,  krn_cmd_key_list,       "key list --tenant ID"},
	{"key",     "revoke",    "ti",  true,  krn_cmd_key_revoke,     "key revoke --tenant ID --id KEY [--reason TEXT]"},
	{"migrate", NULL,        "",    true,  krn_cmd_migrate,        "migrate"},
	{"options", NULL,        "",    false, krn_cmd_options,        "options [--format man]"},
	{"run",     "explain",   "tUV", true,  krn_cmd_run_explain,    "run explain --tenant ID --run RUN --customer CUSTOMER"},
	{"schedule", "next",     "Z",   true,  krn_cmd_schedule_next,  "schedule next (--cron EXPRESSION | --type daily|weekly|monthly --time HH:mm [--day-of-week N] [--day-of-month D]) --zone ZONE [--from TIME] [--count N]"},
	{"segment", "create",    "tnS", true,  krn_cmd_segment_create, "segment create --tenant ID --name NAME --schema NAME [--where ATTRIBUTE:OPERATOR:VALUE]…"},
	{"segment", "list",      "t",   true,  krn_cmd_segment_list,   "segment list --tenant ID"},
	{"setup",   NULL,        "",    false, krn_cmd_setup,          "setup [--dry-run] [option…]: a site on this host; setup --help tells more"},
	{"tenant",  "create",    "in",  true,  krn_cmd_tenant_create,  "tenant create --id ID --name NAME [--playground] [--time-zone ZONE]"},
	{"tenant",  "hold",      "i",   true,  krn_cmd_tenant_hold,    "tenant hold --id ID [--off]"},
	{"tenant",  "list",      "",    true,  krn_cmd_tenant_list,    "tenant list"},
	{"tenant",  "resume",    "i",   true,  krn_cmd_tenant_resume,  "tenant resume --id ID"},
	{"tenant",  "suspend",   "i",   true,  krn_cmd_tenant_suspend, "tenant suspend --id ID"},
	{"verify-audit", NULL,   "",    true,  krn_cmd_verify_audit,   "verify-audit [--tenant ID [--head SEQ:HASH]]"},
	{"verify-export", NULL,  "",    true,  krn_cmd_verify_export,  "verify-export [--tenant ID]"},
};

/* Options with a value: letter, name, where it goes. */
static const struct {
	char letter;
	const char *name;
	size_t offset;
} ctl_values[] = {
	{'t', "tenant",      offsetof(struct krn_ctl, tenant)},
	{'i', "id",          offsetof(struct krn_ctl, id)},
	{'n', "name",        offsetof(struct krn_ctl, name)},
	{'r', "role",        offsetof(struct krn_ctl, role)},
	{'x', "expires",     offsetof(struct krn_ctl, expires)},
	{'S', "schema",      offsetof(struct krn_ctl, schema)},
	{'c', "id-column",   offsetof(struct krn_ctl, id_column)},
	{'N', "number-rows", offsetof(struct krn_ctl, number_rows)},
	{'d', "delimiter",   offsetof(struct krn_ctl, delimiter)},
	{'T', "types",       offsetof(struct krn_ctl, types)},
	{'z', "time-zone",   offsetof(struct krn_ctl, time_zone)},
	{'f', "format",      offsetof(struct krn_ctl, format)},
	{'C', "count",       offsetof(struct krn_ctl, count)},
	{'s', "seed",        offsetof(struct krn_ctl, seed)},
	{'k', "kinds",       offsetof(struct krn_ctl, kinds)},
	{'m', "max-deletes", offsetof(struct krn_ctl, max_deletes)},
	{'P', "plan",        offsetof(struct krn_ctl, plan)},
	{'g', "to",          offsetof(struct krn_ctl, to)},
	{'O', "cron",        offsetof(struct krn_ctl, cron)},
	{'Y', "type",        offsetof(struct krn_ctl, type)},
	{'H', "time",        offsetof(struct krn_ctl, time)},
	{'W', "day-of-week", offsetof(struct krn_ctl, day_of_week)},
	{'D', "day-of-month", offsetof(struct krn_ctl, day_of_month)},
	{'Z', "zone",        offsetof(struct krn_ctl, zone)},
	{'F', "from",        offsetof(struct krn_ctl, from)},
	{'K', "skip",        offsetof(struct krn_ctl, skip)},
	{'I', "run-dir",     offsetof(struct krn_ctl, run_dir)},
	{'E', "scopes",      offsetof(struct krn_ctl, scopes)},
	{'A', "reason",      offsetof(struct krn_ctl, reason)},
	{'L', "head",        offsetof(struct krn_ctl, head)},
	{'U', "run",         offsetof(struct krn_ctl, run)},
	{'V', "customer",    offsetof(struct krn_ctl, customer)},
};

static const struct {
	char letter;
	const char *name;
	size_t offset;
} ctl_flags[] = {
	{'j', "json",       offsetof(struct krn_ctl, json)},
	{'p', "playground", offsetof(struct krn_ctl, playground)},
	{'a', "append",     offsetof(struct krn_ctl, append)},
	{'R', "replace",    offsetof(struct krn_ctl, replace)},
	{'o', "off",        offsetof(struct krn_ctl, off)},
	{'u', "prune",      offsetof(struct krn_ctl, prune)},
	{'y', "dry-run",    offsetof(struct krn_ctl, dry_run)},
	{'e', "exit-code",  offsetof(struct krn_ctl, exit_code)},
};
/* clang-format on */

/* --where and --help besides the tables */
enum { CTL_OPTIONS_NR = KRN_NR(ctl_values) + KRN_NR(ctl_flags) + 2 };

static int
ctl_usage(FILE *out, int status)
{
	fputs("usage:\n", out);
	for (size_t i = 0; i < KRN_NR(ctl_commands); i++)
		fprintf(out, "  kaireonctl [--json] %s\n",
			ctl_commands[i].usage);
	fputs("\nOptions of the database come from the environment: see "
	      "kaireonctl(1).\n",
	      out);
	return status;
}

static void
ctl_long_options(struct option *list)
{
	size_t nr = 0;

	for (size_t i = 0; i < KRN_NR(ctl_values); i++)
		list[nr++] = (struct option){ctl_values[i].name,
					     required_argument, NULL,
					     ctl_values[i].letter};
	for (size_t i = 0; i < KRN_NR(ctl_flags); i++)
		list[nr++] = (struct option){ctl_flags[i].name, no_argument,
					     NULL, ctl_flags[i].letter};
	list[nr++] = (struct option){"where", required_argument, NULL, 'w'};
	list[nr++] = (struct option){"help", no_argument, NULL, 'h'};
	list[nr] = (struct option){NULL, 0, NULL, 0};
}

/* One option into its place; false: too many. */
static bool
ctl_take(struct krn_ctl *ctl, int letter)
{
	for (size_t i = 0; i < KRN_NR(ctl_values); i++)
		if (ctl_values[i].letter == letter) {
			const struct krn_str value = krn_str_c(optarg);

			memcpy((char *)ctl + ctl_values[i].offset, &value,
			       sizeof(value));
		}
	for (size_t i = 0; i < KRN_NR(ctl_flags); i++)
		if (ctl_flags[i].letter == letter)
			*((char *)ctl + ctl_flags[i].offset) = true;
	if (letter == 'w') {
		if (ctl->wheres_nr == KRN_CTL_WORDS_MAX)
			return false;
		ctl->wheres[ctl->wheres_nr++] = krn_str_c(optarg);
	}
	return true;
}

/* The name of a needed option that was not given, or NULL. */
static const char *
ctl_missing(const struct krn_ctl *ctl, const char *needs)
{
	for (; *needs; needs++)
		for (size_t i = 0; i < KRN_NR(ctl_values); i++) {
			struct krn_str value;

			memcpy(&value,
			       (const char *)ctl + ctl_values[i].offset,
			       sizeof(value));
			if (ctl_values[i].letter == *needs && !value.s)
				return ctl_values[i].name;
		}
	return NULL;
}

void
krn_ctl_print_rows(const struct krn_ctl *ctl, const struct krn_rows *rows,
		   const char *const columns[])
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	if (ctl->json)
		krn_json_arr_open(&out, NULL);
	for (size_t c = 0; !ctl->json && columns[c]; c++)
		printf("%s%s", columns[c], columns[c + 1] ? "\t" : "\n");
	for (size_t r = 0; r < krn_rows_nr(rows); r++) {
		if (ctl->json)
			krn_json_obj_open(&out, NULL);
		for (size_t c = 0; columns[c]; c++) {
			const struct krn_str text = krn_rows_str(rows, r, c);

			if (ctl->json)
				krn_json_str(&out, columns[c], text);
			else
				printf("%s%s", text.s ? text.s : "-",
				       columns[c + 1] ? "\t" : "\n");
		}
		if (ctl->json)
			krn_json_close(&out);
	}
	if (ctl->json) {
		krn_json_close(&out);
		krn_json_end(&out);
		if (!buf.failed)
			printf("%.*s\n", (int)buf.len, buf.data);
	}
}

static int
ctl_fail(const struct krn_error *err)
{
	fprintf(stderr, "kaireonctl: %s\n",
		err->message[0]	 ? err->message
		: err->detail[0] ? err->detail
				 : krn_err_row(err->code)->message);
	for (size_t i = 0; err->problems && i < err->problems->nr &&
			   i < KRN_PROBLEM_MAX;
	     i++)
		fprintf(stderr, "  %s: %s\n", err->problems->list[i].field,
			err->problems->list[i].message);
	return 1;
}

/*
 * A verification by the replica, if there is one: it must have caught up with
 * the primary, or what it lacks would be a finding. While the primary is away
 * it is taken as it is.
 */
static enum krn_err
ctl_replica(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_options *options = ctl->options;
	struct krn_error away;

	ctl->db =
	    krn_db_new(options->database_replica_url, "kaireonctl", options);
	if (options->database_admin_url.len)
		ctl->primary = krn_db_new(options->database_admin_url,
					  "kaireonctl", options);
	if (!ctl->db)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	if (!ctl->primary || krn_db_connect(ctl->primary, &away)) {
		fputs("kaireonctl: the primary cannot be reached; the replica "
		      "is taken as it is\n",
		      stderr);
		krn_db_free(ctl->primary);
		ctl->primary = NULL;
		return KRN_OK;
	}
	return krn_replica_catch_up(ctl->arena, ctl->primary, ctl->db,
				    options->database_replica_wait_seconds,
				    err);
}

/* The database of a command. */
static enum krn_err
ctl_connect(struct krn_ctl *ctl, size_t command, struct krn_error *err)
{
	const struct krn_options *options = ctl->options;

	if (!ctl_commands[command].database)
		return KRN_OK;
	if (options->database_replica_url.len &&
	    krn_str_has_prefix(krn_str_c(ctl_commands[command].noun),
			       KRN_STR("verify-")))
		return ctl_replica(ctl, err);
	if (!options->database_admin_url.len)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "DATABASE_ADMIN_URL is not set");
	ctl->db =
	    krn_db_new(options->database_admin_url, "kaireonctl", options);
	return ctl->db ? KRN_OK
		       : krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
}

/* With the options and, where it is needed, the database. */
static int
ctl_run(struct krn_ctl *ctl, size_t command)
{
	struct krn_options options;
	struct krn_error err = {.code = KRN_OK};

	krn_installation_load();
	if (krn_options_load(ctl->arena, &options, &err))
		return ctl_fail(&err);
	ctl->options = &options;
	/* an import and a migration may take as long as they need */
	options.statement_timeout_ms = options.idle_timeout_ms = 0;
	options.lock_timeout_ms = 60000;
	enum krn_err e = ctl_connect(ctl, command, &err);

	if (!e)
		e = ctl_commands[command].run(ctl, &err);
	if (ctl->db)
		krn_db_rollback(ctl->db);
	krn_db_free(ctl->db);
	krn_db_free(ctl->primary);
	if (fflush(stdout) != 0) {
		fputs("kaireonctl: could not write to stdout\n", stderr);
		return 1;
	}
	return e ? ctl_fail(&err) : ctl->status;
}

static int
ctl_main(struct krn_arena *arena, int argc, char **argv)
{
	struct option long_options[CTL_OPTIONS_NR + 1];
	struct krn_ctl ctl = {.arena = arena, .argv = argv};
	size_t command = 0, skip = 1;
	struct krn_error err;
	int c;

	/* a program of its own, with options of its own */
	if (argc > 1 && strcmp(argv[1], "setup") == 0)
		return krn_cmd_setup(&ctl, &err) ? ctl_fail(&err) : 0;
	ctl_long_options(long_options);
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'h' || c == '?' || !ctl_take(&ctl, c))
			return ctl_usage(c == 'h' ? stdout : stderr,
					 c == 'h' ? 0 : 2);
	}
	for (int i = optind; i < argc; i++) {
		if (ctl.words_nr == KRN_CTL_WORDS_MAX)
			return ctl_usage(stderr, 2);
		ctl.words[ctl.words_nr++] = krn_str_c(argv[i]);
	}
	while (command < KRN_NR(ctl_commands) &&
	       !(ctl.words_nr &&
		 krn_str_eq_c(ctl.words[0], ctl_commands[command].noun) &&
		 (!ctl_commands[command].verb ||
		  (ctl.words_nr > 1 &&
		   krn_str_eq_c(ctl.words[1], ctl_commands[command].verb)))))
		command++;
	if (command == KRN_NR(ctl_commands))
		return ctl_usage(stderr, 2);
	skip += ctl_commands[command].verb != NULL;
	memmove(ctl.words, ctl.words + skip,
		(ctl.words_nr - skip) * sizeof(ctl.words[0]));
	ctl.words_nr -= skip;
	const char *missing = ctl_missing(&ctl, ctl_commands[command].needs);

	if (missing) {
		fprintf(stderr, "kaireonctl: --%s is required\nusage: kaireonctl %s\n",
			missing, ctl_commands[command].usage);
		return 2;
	}
	krn_log_init("kaireonctl", KRN_LOG_WARNING);
	return ctl_run(&ctl, command);
}

int
main(int argc, char **argv)
{
	struct krn_arena *arena = krn_arena_new(0);
	const int status = arena ? ctl_main(arena, argc, argv) : 1;

	krn_arena_free(arena);
	return status;
}
