#ifndef KRN_CTL_H
#define KRN_CTL_H

/*
 * kaireonctl: commands are rows of one table (main.c). A command gets its
 * parsed options and positional words; it prints its result and returns the
 * exit status (0 done, 1 failed). Source: contract section 8.
 */

#include "base/option.h"
#include "store/db.h"

#define KRN_CTL_WORDS_MAX 64

/* An option's values; .s NULL when it was not given. */
struct krn_ctl {
	struct krn_arena *arena;
	const struct krn_options *options;
	struct krn_db *db; /* as kaireon_owner; of a verification a replica */
	struct krn_db *primary; /* of the replica, when it can be reached */
	bool json;         /* --json */
	char **argv;       /* as main got it */
	struct krn_str tenant, id, name, role, expires, schema, id_column,
	    number_rows, delimiter, types, time_zone, format, count, seed, kinds, max_deletes,
	    plan, to, cron, type, time, day_of_week, day_of_month, zone, from, skip, run_dir,
	    scopes, reason, head, run, customer;
	bool playground, append, replace, off, prune, dry_run, exit_code;
	int status; /* of the program, when the command did not fail */
	struct krn_str wheres[KRN_CTL_WORDS_MAX];
	size_t wheres_nr;
	struct krn_str words[KRN_CTL_WORDS_MAX];
	size_t words_nr;
};

typedef enum krn_err (*krn_ctl_fn)(struct krn_ctl *ctl, struct krn_error *err);

/* Each command. Errors: what the domain function says. */
enum krn_err krn_cmd_migrate(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_tenant_create(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_tenant_list(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_tenant_suspend(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_tenant_resume(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_tenant_hold(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_key_create(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_key_list(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_key_revoke(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_import(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_run_explain(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_schedule_next(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_segment_create(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_segment_list(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_demo_customers(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_cron_check(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_cron_run(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_gitops_apply(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_gitops_diff(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_gitops_export(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_gitops_rollback(struct krn_ctl *ctl,
				     struct krn_error *err);
enum krn_err krn_cmd_gitops_schema(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_doctor(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_setup(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_verify_audit(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_export_rebase(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_verify_export(struct krn_ctl *ctl, struct krn_error *err);
enum krn_err krn_cmd_options(struct krn_ctl *ctl, struct krn_error *err);

/*
 * Print rows: a table for people, or an array of objects with --json.
 * `columns` are the names of the statement's columns.
 */
void krn_ctl_print_rows(const struct krn_ctl *ctl, const struct krn_rows *rows,
			const char *const columns[]);

#endif
