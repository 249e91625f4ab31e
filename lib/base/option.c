/*
 * The option table and what walks it.
 */

#include "base/base.h"

#include "base/option.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/address.h"

enum option_type { OPTION_TEXT, OPTION_INT, OPTION_BOOL };

enum option_flag {
	OPTION_SECRET = 1,  /* masked in dumps */
	OPTION_LENIENT = 2, /* a wrong value is a warning: the default holds */
};

struct option_row {
	const char *name;
	enum option_type type;
	size_t offset;
	const char *fallback; /* as text */
	int64_t min, max;     /* of OPTION_INT */
	unsigned flags;
	const char *help;
};

#define AT(member) offsetof(struct krn_options, member)

/* clang-format off */
static const struct option_row option_rows[] = {
	{"API_KEY",              OPTION_TEXT, AT(api_key),              "", 0, 0, OPTION_SECRET, "key with which kaireonctl gitops calls the API"},
	{"API_KEY_PEPPER",       OPTION_TEXT, AT(api_key_pepper),       "", 0, 0, OPTION_SECRET, "key of the HMAC under which API keys are stored; at least 16 bytes"},
	{"APPROVAL_MAX_AGE_HOURS", OPTION_INT, AT(approval_max_age_hours), "168", 1, 87600, OPTION_LENIENT, "a pending approval that is older expires; a wrong value: the default, with a warning"},
	{"AWS_ACCESS_KEY_ID",    OPTION_TEXT, AT(aws_access_key_id),    "", 0, 0, OPTION_SECRET, "key id with which S3 is called"},
	{"AWS_REGION",           OPTION_TEXT, AT(aws_region),           "", 0, 0, 0, "region of S3; unset: us-east-1"},
	{"AWS_SECRET_ACCESS_KEY", OPTION_TEXT, AT(aws_secret_access_key), "", 0, 0, OPTION_SECRET, "secret of that key"},
	{"AWS_SESSION_TOKEN",    OPTION_TEXT, AT(aws_session_token),    "", 0, 0, OPTION_SECRET, "token of that key, when it is a temporary one"},
	{"BASE_URL",             OPTION_TEXT, AT(base_url),             "", 0, 0, 0, "where kaireonctl gitops finds the API: https://host[:port]"},
	{"CACERT",               OPTION_TEXT, AT(cacert),               "", 0, 0, 0, "certificates that kaireonctl gitops trusts; unset: the system's"},
	{"CLEANUP_BATCH_ROWS",   OPTION_INT,  AT(cleanup_batch_rows),   "10000", 1, 100000, 0, "rows that one transaction of a cleanup deletes at most; 300 while the host answers requests"},
	{"CLEANUP_WAIT_FOR_EXPORT", OPTION_BOOL, AT(cleanup_wait_for_export), "false", 0, 0, 0, "true: a cleanup keeps interactions that the export has not taken"},
	{"CONNECTOR_ENCRYPTION_KEY", OPTION_TEXT, AT(connector_encryption_key), "", 0, 0, OPTION_SECRET, "key under which the configurations of notification providers are encrypted; at least 16 bytes; unset: none can be made and nothing is sent"},
	{"CONNECTOR_ENCRYPTION_KEY_PREVIOUS", OPTION_TEXT, AT(connector_encryption_key_previous), "", 0, 0, OPTION_SECRET, "opens what it encrypted, while the key is rotated"},
	{"CRON_BUDGET_SECONDS",  OPTION_INT,  AT(cron_budget_seconds),  "540", 1, 86400, 0, "a cron call stops at the next batch after this long"},
	{"CRON_SECRET",          OPTION_TEXT, AT(cron_secret),          "", 0, 0, OPTION_SECRET, "secret of /api/v1/cron/*; unset: every call is 401"},
	{"CRON_SECRET_PREVIOUS", OPTION_TEXT, AT(cron_secret_previous), "", 0, 0, OPTION_SECRET, "accepted as well, while the secret is rotated"},
	{"CRON_TOKEN",           OPTION_TEXT, AT(cron_token),           "", 0, 0, OPTION_SECRET, "secret of /api/cron/tick; unset: CRON_SECRET"},
	{"CRON_TOKEN_PREVIOUS",  OPTION_TEXT, AT(cron_token_previous),  "", 0, 0, OPTION_SECRET, "accepted as well, while the token is rotated"},
	{"DATABASE_ADMIN_URL",   OPTION_TEXT, AT(database_admin_url),   "", 0, 0, OPTION_SECRET, "the database as kaireon_owner: kaireonctl"},
	{"DATABASE_PREPARE",     OPTION_BOOL, AT(database_prepare),     "on", 0, 0, 0, "off: DATABASE_URL leads to a pooler in transaction mode; statements then have no names"},
	{"DATABASE_REPLICA_URL", OPTION_TEXT, AT(database_replica_url), "", 0, 0, OPTION_SECRET, "a replica as kaireon_worker: reports, and what kaireonctl only verifies"},
	{"DATABASE_REPLICA_WAIT_SECONDS", OPTION_INT, AT(database_replica_wait_seconds), "10", 0, 3600, 0, "how long a report or a verification waits for the replica to have what the primary has"},
	{"DATABASE_URL",         OPTION_TEXT, AT(database_url),         "", 0, 0, OPTION_SECRET, "the database as kaireon_api: the API pool"},
	{"DATABASE_WORKER_URL",  OPTION_TEXT, AT(database_worker_url),  "", 0, 0, OPTION_SECRET, "the database as kaireon_worker: cron pool and worker"},
	{"DELIVERY_TIMEOUT_MS",  OPTION_INT,  AT(delivery_timeout_ms),  "10000", 100, 60000, 0, "how long one delivery of a notification may take"},
	{"EGRESS_ALLOW",         OPTION_TEXT, AT(egress_allow),         "", 0, 0, 0, "addresses and ranges to which notifications may go besides the public Internet, separated by commas"},
	{"EGRESS_CACERT",        OPTION_TEXT, AT(egress_cacert),        "", 0, 0, 0, "certificates that deliveries trust; unset: the system's"},
	{"EXPORT_COMPRESS",      OPTION_TEXT, AT(export_compress),      "", 0, 0, 0, "how export files are compressed: zstd or gzip; unset: not"},
	{"EXPORT_MAX_ROWS",      OPTION_INT,  AT(export_max_rows),      "10000", 1, 10000000, 0, "rows of a tenant that one export file holds at most"},
	{"EXPORT_URL",           OPTION_TEXT, AT(export_url),           "file:///var/lib/kaireon", 0, 0, 0, "where exports go: a file:// folder or s3://bucket/prefix"},
	{"GITOPS_KINDS",         OPTION_TEXT, AT(gitops_kinds),         "", 0, 0, 0, "v1: reconcile the five documented kinds only"},
	{"LOCK_TIMEOUT_MS",      OPTION_INT,  AT(lock_timeout_ms),      "10000", 1, 600000, 0, "how long a statement waits for a lock"},
	{"LOG_LEVEL",            OPTION_TEXT, AT(log_level),            "info", 0, 0, 0, "error, warning, info or debug"},
	{"METRICS_ALLOW",        OPTION_TEXT, AT(metrics_allow),        "", 0, 0, 0, "addresses that may read /metrics besides this host, separated by commas"},
	{"METRICS_FILE",         OPTION_TEXT, AT(metrics_file),         "", 0, 0, 0, "file that the processes of a host share for their counters; unset: each has its own"},
	{"PUBLIC_URL",           OPTION_TEXT, AT(public_url),           "", 0, 0, 0, "where readers of notifications find this site: https://host[:port]; unset: they carry no links"},
	{"REQUEST_MEMORY_MIB",   OPTION_INT,  AT(request_memory_mib),   "512", 8, 65536, 0, "memory that one request may use"},
	{"RUN_CHUNK_CUSTOMERS",  OPTION_INT,  AT(run_chunk_customers),  "5000", 1, 100000, 0, "customers that one step of a run decides"},
	{"RUN_FILE_DIR",         OPTION_TEXT, AT(run_file_dir),         "/var/lib/kaireon/runs", 0, 0, 0, "folder of the files that runs write"},
	{"S3_ADDRESSING",        OPTION_TEXT, AT(s3_addressing),        "auto", 0, 0, 0, "where the bucket is in an address: path, virtual (in the host's name), or auto: virtual at amazonaws.com, path elsewhere"},
	{"S3_CACERT",            OPTION_TEXT, AT(s3_cacert),            "", 0, 0, 0, "certificates that are trusted for S3; unset: the system's"},
	{"S3_CAMPAIGN_PATHS",    OPTION_TEXT, AT(s3_campaign_paths),    "", 0, 0, 0, "bucket or bucket/prefix below which campaigns may write, separated by commas; {tenant} is the tenant's id; unset: nowhere"},
	{"S3_ENDPOINT",          OPTION_TEXT, AT(s3_endpoint),          "", 0, 0, 0, "where S3 is: https://host[:port]; http:// on this host only; unset: AWS's of the region"},
	{"S3_TIMEOUT_SECONDS",   OPTION_INT,  AT(s3_timeout_seconds),   "60", 1, 3600, 0, "how long one exchange with S3 may take"},
	{"SCHEDULE_LATE_SECONDS", OPTION_INT, AT(schedule_late_seconds), "86400", 60, 2592000, 0, "how late a campaign may still begin when its time was missed"},
	{"SMTP_FROM",            OPTION_TEXT, AT(smtp_from),            "", 0, 0, 0, "sender of e-mails whose provider names none"},
	{"SMTP_PASSWORD",        OPTION_TEXT, AT(smtp_password),        "", 0, 0, OPTION_SECRET, "password at the mail server"},
	{"SMTP_URL",             OPTION_TEXT, AT(smtp_url),             "", 0, 0, 0, "mail server: smtp://host:587 (STARTTLS is required) or smtps://host; unset: no e-mail"},
	{"SMTP_USER",            OPTION_TEXT, AT(smtp_user),            "", 0, 0, 0, "user at the mail server; unset: none"},
	{"STATEMENT_TIMEOUT_MS", OPTION_INT,  AT(statement_timeout_ms), "30000", 1, 3600000, 0, "how long a statement of a request may take"},
	{"TENANT_HEADER_FROM",   OPTION_TEXT, AT(tenant_header_from),   "", 0, 0, 0, "addresses that may use X-Tenant-Id without a key, separated by commas"},
	{"TENANT_HEADER_ROLE",   OPTION_TEXT, AT(tenant_header_role),   "", 0, 0, 0, "role of X-Tenant-Id without a key: viewer, editor or admin; unset: refused"},
	{"WORKER_FALLBACK_SECONDS", OPTION_INT, AT(worker_fallback_seconds), "15", 0, 86400, 0, "the cron pool starts a worker when a job is due for so long and there is none; 0: never"},
	{"WORKER_LEASE_SECONDS", OPTION_INT,  AT(worker_lease_seconds), "60", 1, 3600, 0, "a job whose worker is silent for this long is taken over"},
	{"WORKER_POLL_MS",       OPTION_INT,  AT(worker_poll_ms),       "1000", 10, 60000, 0, "how often a worker looks for jobs when nothing wakes it"},
};
/* clang-format on */

/* A secret that is longer than this is a mistake. */
#define CREDENTIAL_BYTES_MAX 65536

/* $CREDENTIALS_DIRECTORY/<name>, without its last newline. False: no file. */
static bool
option_credential(struct krn_arena *arena, const char *name,
		  struct krn_str *ret)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	static char text[CREDENTIAL_BYTES_MAX];

	if (!directory)
		return false;
	const struct krn_str path =
	    krn_str_printf(arena, "%s/%s", directory, name);

	if (!path.s)
		return false;
	const int fd = open(path.s, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	const ssize_t len = read(fd, text, sizeof(text));

	close(fd);
	if (len < 0)
		return false;
	*ret = krn_str_from(text, (size_t)len);
	if (ret->len && ret->s[ret->len - 1] == '\n')
		ret->len--;
	*ret = krn_str_dup(arena, *ret);
	return ret->s != NULL;
}

static void
option_set(const struct option_row *row, struct krn_str text,
	   struct krn_options *options, struct krn_problems *problems,
	   struct krn_problems *warnings)
{
	char *at = (char *)options + row->offset;
	const bool is_lenient = row->flags & OPTION_LENIENT;
	struct krn_error err;

	if (row->type == OPTION_TEXT) {
		memcpy(at, &text, sizeof(text));
		return;
	}
	if (row->type == OPTION_BOOL) {
		const bool is_on = krn_str_eq_c(text, "true") ||
				   krn_str_eq_c(text, "on");

		*(bool *)(void *)at = is_on;
		if (!is_on && !krn_str_eq_c(text, "false") &&
		    !krn_str_eq_c(text, "off"))
			krn_problem_add(problems, row->name,
					"must be true or false");
		return;
	}
	int64_t value = 0;

	if (krn_parse_int64(text, row->min, row->max, &value, &err)) {
		krn_problem_add(is_lenient ? warnings : problems, row->name,
				"%s", err.message);
		KRN_BUG_IF(krn_parse_int64(krn_str_c(row->fallback), row->min,
					   row->max, &value, NULL));
	}
	memcpy(at, &value, sizeof(value));
}

/*
 * https://host[:port], and http:// where no network is between: what is sent
 * is people's data under a signature that whoever reads it can use.
 */
static bool
option_is_endpoint(struct krn_str url)
{
	static const char *const schemes[] = {
	    "https://", "http://127.0.0.1", "http://[::1]", "http://localhost"};

	for (size_t i = 0; i < KRN_NR(schemes); i++) {
		const struct krn_str scheme = krn_str_c(schemes[i]);
		struct krn_str rest;

		if (!krn_str_has_prefix(url, scheme))
			continue;
		rest = krn_str_from(url.s + scheme.len, url.len - scheme.len);
		if (i == 0 ? rest.len == 0 : rest.len && rest.s[0] != ':')
			return false;
		for (size_t k = 0; k < rest.len; k++)
			if (rest.s[k] <= ' ' || strchr("/?#@\\", rest.s[k]))
				return false;
		return true;
	}
	return false;
}

static void
option_check_s3(const struct krn_options *options,
		struct krn_problems *problems)
{
	static const char *const addressings[] = {"auto", "path", "virtual"};
	size_t i = 0;

	if (options->s3_endpoint.len &&
	    !option_is_endpoint(options->s3_endpoint))
		krn_problem_add(problems, "S3_ENDPOINT",
				"must be https://host[:port]; http:// is for "
				"127.0.0.1, [::1] and localhost");
	while (i < KRN_NR(addressings) &&
	       !krn_str_eq_c(options->s3_addressing, addressings[i]))
		i++;
	if (i == KRN_NR(addressings))
		krn_problem_add(problems, "S3_ADDRESSING",
				"must be auto, path or virtual");
	if (!options->aws_access_key_id.len !=
	    !options->aws_secret_access_key.len)
		krn_problem_add(problems, "AWS_ACCESS_KEY_ID",
				"and AWS_SECRET_ACCESS_KEY go together");
	if (options->s3_campaign_paths.len && !options->aws_access_key_id.len)
		krn_problem_add(problems, "S3_CAMPAIGN_PATHS",
				"needs AWS_ACCESS_KEY_ID");
}

static void
option_check_export(const struct krn_options *options,
		    struct krn_problems *problems)
{
	const bool is_s3 =
	    krn_str_has_prefix(options->export_url, KRN_STR("s3://"));

	if (!is_s3 &&
	    !krn_str_has_prefix(options->export_url, KRN_STR("file:///")))
		krn_problem_add(problems, "EXPORT_URL",
				"must begin with file:/// or s3://");
	if (is_s3 && !options->aws_access_key_id.len)
		krn_problem_add(problems, "EXPORT_URL",
				"of S3 needs AWS_ACCESS_KEY_ID");
	if (options->export_compress.len &&
	    !krn_str_eq_c(options->export_compress, "zstd") &&
	    !krn_str_eq_c(options->export_compress, "gzip"))
		krn_problem_add(problems, "EXPORT_COMPRESS",
				"must be zstd, gzip or unset");
}

enum krn_err
krn_options_load(struct krn_arena *arena, struct krn_options *ret,
		 struct krn_error *err)
{
	struct krn_problems *problems =
	    krn_arena_make(arena, struct krn_problems);
	struct krn_problems *warnings =
	    krn_arena_make(arena, struct krn_problems);

	if (!problems || !warnings)
		return krn_arena_fail(arena, err);
	problems->arena = warnings->arena = arena;
	ret->warnings = warnings;
	for (size_t i = 0; i < KRN_NR(option_rows); i++) {
		const struct option_row *row = &option_rows[i];
		struct krn_str text;

		if (!option_credential(arena, row->name, &text)) {
			const char *value = getenv(row->name);

			/* set but empty is unset, as systemd and shells do */
			text = krn_str_c(value && *value ? value
							 : row->fallback);
		}
		option_set(row, text, ret, problems, warnings);
	}
	ret->idle_timeout_ms = 2 * ret->statement_timeout_ms;
	if (ret->api_key_pepper.len && ret->api_key_pepper.len < 16)
		krn_problem_add(problems, "API_KEY_PEPPER",
				"must have at least 16 bytes");
	if (ret->connector_encryption_key.len &&
	    ret->connector_encryption_key.len < 16)
		krn_problem_add(problems, "CONNECTOR_ENCRYPTION_KEY",
				"must have at least 16 bytes");
	if (!krn_address_list_is(ret->egress_allow))
		krn_problem_add(problems, "EGRESS_ALLOW",
				"must be addresses or ranges, such as "
				"10.0.0.0/8, separated by commas");
	option_check_export(ret, problems);
	option_check_s3(ret, problems);
	if (ret->gitops_kinds.len && !krn_str_eq_c(ret->gitops_kinds, "v1"))
		krn_problem_add(problems, "GITOPS_KINDS", "must be v1 or unset");
	return krn_problems_end(problems, NULL, err);
}

void
krn_options_dump(const struct krn_options *options, FILE *out)
{
	for (size_t i = 0; i < KRN_NR(option_rows); i++) {
		const struct option_row *row = &option_rows[i];
		const char *at = (const char *)options + row->offset;
		struct krn_str text;
		int64_t value;

		if (row->type == OPTION_INT) {
			memcpy(&value, at, sizeof(value));
			fprintf(out, "%s=%lld\n", row->name, (long long)value);
			continue;
		}
		if (row->type == OPTION_BOOL) {
			fprintf(out, "%s=%s\n", row->name,
				*(const bool *)(const void *)at ? "true"
								: "false");
			continue;
		}
		memcpy(&text, at, sizeof(text));
		if (row->flags & OPTION_SECRET)
			fprintf(out, "%s=%s\n", row->name,
				text.len ? "********" : "");
		else
			fprintf(out, "%s=%.*s\n", row->name, KRN_STR_ARG(text));
	}
}

void
krn_options_document(FILE *out)
{
	fputs("| name | default | range | meaning |\n| --- | --- | --- | --- |\n",
	      out);
	for (size_t i = 0; i < KRN_NR(option_rows); i++) {
		const struct option_row *row = &option_rows[i];

		fprintf(out, "| `%s` | %s%s%s | ", row->name,
			*row->fallback ? "`" : "", row->fallback,
			*row->fallback ? "`" : "");
		if (row->type == OPTION_INT)
			fprintf(out, "%lld–%lld", (long long)row->min,
				(long long)row->max);
		else if (row->type == OPTION_BOOL)
			fputs("true, false", out);
		else
			fputs(row->flags & OPTION_SECRET ? "secret" : "text",
			      out);
		fprintf(out, " | %s |\n", row->help);
	}
}

/* mdoc takes a line that begins with "." or "'" for a request. */
void
krn_options_manual(FILE *out)
{
	fputs(".Dd $Mdocdate$\n"
	      ".Dt KAIREON.ENV 5\n"
	      ".Os\n"
	      ".Sh NAME\n"
	      ".Nm kaireon.env\n"
	      ".Nd options of kaireon\n"
	      ".Sh DESCRIPTION\n"
	      "The units read\n"
	      ".Pa /etc/kaireon/kaireon.env :\n"
	      "one\n"
	      ".Ar NAME Ns = Ns Ar value\n"
	      "a line.\n"
	      "A secret is a file of its name in\n"
	      ".Pa /etc/kaireon/secrets ,\n"
	      "which only root reads; a unit loads those that it needs.\n"
	      "A file wins over a variable.\n"
	      "What is changed holds after\n"
	      ".Ic systemctl restart kaireon.target .\n"
	      "Units besides read\n"
	      ".Ev API_PROCESSES\n"
	      "and\n"
	      ".Ev CRON_PROCESSES ,\n"
	      "the number of processes of each pool (4).\n"
	      ".Bl -tag -width Ds\n",
	      out);
	for (size_t i = 0; i < KRN_NR(option_rows); i++) {
		const struct option_row *row = &option_rows[i];

		fprintf(out, ".It Ev %s\n\\&%s.\n", row->name, row->help);
		if (row->flags & OPTION_SECRET)
			fputs("A secret.\n", out);
		if (row->type == OPTION_INT)
			fprintf(out, "From %lld to %lld.\n",
				(long long)row->min, (long long)row->max);
		if (*row->fallback)
			fprintf(out, "Default:\n.Ql %s\n", row->fallback);
	}
	fputs(".El\n"
	      ".Sh SEE ALSO\n"
	      ".Xr kaireonctl 1 ,\n"
	      ".Xr kaireon-fcgi 8 ,\n"
	      ".Xr kaireon-worker 8\n",
	      out);
}
