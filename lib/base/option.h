#ifndef KRN_OPTION_H
#define KRN_OPTION_H

/*
 * Options: environment variables, or files of the same name in
 * $CREDENTIALS_DIRECTORY (systemd's LoadCredential), which win.
 *
 * One table (option.c): name, type, default as text, range, flags, a line of
 * help. It feeds parsing, --check-config, --dump-config and the manual page;
 * t/804-tables.t holds them together. A wrong value is an error that names the
 * variable; all are reported.
 */

#include "base/text.h"

/* The values, as every program sees them. Texts are never NULL. */
struct krn_options {
	struct krn_str database_url;        /* DATABASE_URL, api role */
	struct krn_str database_worker_url; /* DATABASE_WORKER_URL */
	struct krn_str database_admin_url;  /* DATABASE_ADMIN_URL, owner */
	struct krn_str database_replica_url; /* DATABASE_REPLICA_URL */
	int64_t database_replica_wait_seconds;
	bool database_prepare;              /* DATABASE_PREPARE */
	struct krn_str api_key;             /* API_KEY, of kaireonctl */
	struct krn_str base_url;            /* BASE_URL, of kaireonctl */
	struct krn_str cacert;              /* CACERT, of kaireonctl */
	struct krn_str api_key_pepper;      /* API_KEY_PEPPER */
	struct krn_str cron_secret;         /* CRON_SECRET */
	struct krn_str cron_secret_previous;
	struct krn_str cron_token;          /* CRON_TOKEN */
	struct krn_str cron_token_previous;
	struct krn_str tenant_header_role;  /* TENANT_HEADER_ROLE */
	struct krn_str tenant_header_from;  /* TENANT_HEADER_FROM */
	struct krn_str gitops_kinds;        /* GITOPS_KINDS: "" or "v1" */
	struct krn_str export_url;          /* EXPORT_URL */
	struct krn_str export_compress;     /* EXPORT_COMPRESS: "", zstd, gzip */
	struct krn_str aws_access_key_id;     /* AWS_ACCESS_KEY_ID */
	struct krn_str aws_secret_access_key; /* AWS_SECRET_ACCESS_KEY */
	struct krn_str aws_session_token;     /* AWS_SESSION_TOKEN */
	struct krn_str aws_region;            /* AWS_REGION */
	struct krn_str s3_endpoint;           /* S3_ENDPOINT */
	struct krn_str s3_addressing;         /* S3_ADDRESSING */
	struct krn_str s3_cacert;             /* S3_CACERT */
	struct krn_str s3_campaign_paths;     /* S3_CAMPAIGN_PATHS */
	int64_t s3_timeout_seconds;           /* S3_TIMEOUT_SECONDS */
	struct krn_str run_file_dir;        /* RUN_FILE_DIR */
	struct krn_str metrics_allow;       /* METRICS_ALLOW */
	struct krn_str metrics_file;        /* METRICS_FILE */
	struct krn_str log_level;           /* LOG_LEVEL */
	struct krn_str connector_encryption_key;
	struct krn_str connector_encryption_key_previous;
	struct krn_str egress_allow;        /* EGRESS_ALLOW: address.h */
	struct krn_str egress_cacert;       /* EGRESS_CACERT */
	struct krn_str public_url;          /* PUBLIC_URL */
	struct krn_str smtp_url, smtp_user, smtp_password, smtp_from;
	int64_t delivery_timeout_ms;        /* DELIVERY_TIMEOUT_MS */
	int64_t approval_max_age_hours;     /* APPROVAL_MAX_AGE_HOURS */
	int64_t export_max_rows;            /* EXPORT_MAX_ROWS */
	int64_t cleanup_batch_rows;         /* CLEANUP_BATCH_ROWS */
	bool cleanup_wait_for_export;       /* CLEANUP_WAIT_FOR_EXPORT */
	int64_t cron_budget_seconds;        /* CRON_BUDGET_SECONDS */
	int64_t statement_timeout_ms;       /* STATEMENT_TIMEOUT_MS */
	int64_t lock_timeout_ms;            /* LOCK_TIMEOUT_MS */
	int64_t request_memory_mib;         /* REQUEST_MEMORY_MIB */
	int64_t worker_lease_seconds;       /* WORKER_LEASE_SECONDS */
	int64_t worker_poll_ms;             /* WORKER_POLL_MS */
	int64_t worker_fallback_seconds;    /* WORKER_FALLBACK_SECONDS */
	int64_t run_chunk_customers;        /* RUN_CHUNK_CUSTOMERS */
	int64_t schedule_late_seconds;      /* SCHEDULE_LATE_SECONDS */

	/*
	 * How long a session may leave a transaction idle; 0: for ever. Twice
	 * STATEMENT_TIMEOUT_MS; programs that do more than requests set it.
	 */
	int64_t idle_timeout_ms;

	/* wrong values that their defaults stand in for; kaireon-fcgi logs them */
	const struct krn_problems *warnings;
};

/* Life cycle */

/*
 * Read the environment. Texts live in `arena`.
 *
 * Errors: KRN_ERR_INVALID with a problem for each bad variable
 */
KRN_MUSTCHECK enum krn_err krn_options_load(struct krn_arena *arena,
					    struct krn_options *ret,
					    struct krn_error *err);

/* Format: NAME=value a line, secrets as "********" (or "" when unset). */
void krn_options_dump(const struct krn_options *options, FILE *out);

/* Format: the table for doc/options.md: name, type, default, range, help. */
void krn_options_document(FILE *out);

/* Format: the table as the manual page kaireon.env(5), in mdoc. */
void krn_options_manual(FILE *out);

#endif
