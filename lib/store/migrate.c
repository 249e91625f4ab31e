/*
 * Migrations: the embedded schema files, one transaction each.
 */

#include "base/base.h"

#include "store/migrate.h"

#include "base/crypto.h"
#include "store/db_private.h"
#include "store/migrate_table.h"

int
krn_migrate_version(void)
{
	int version = 0;

	for (size_t i = 0; krn_migrations[i].number; i++)
		version = krn_migrations[i].number;
	return version;
}

/* Is this number one of ours? NULL: no. */
static const struct krn_migration *
migrate_find(int64_t number)
{
	for (const struct krn_migration *m = krn_migrations; m->number; m++)
		if (m->number == number)
			return m;
	return NULL;
}

/*
 * Compare what was applied with what is embedded: number, name, sha256.
 * *ret_next is the first migration that is missing, or NULL.
 */
static enum krn_err
migrate_compare(const struct krn_rows *rows,
		const struct krn_migration **ret_next, struct krn_error *err)
{
	char sha256[KRN_SHA256_HEX_BYTES];
	const struct krn_migration *next = krn_migrations;

	for (size_t i = 0; rows && i < krn_rows_nr(rows); i++) {
		const struct krn_migration *m =
		    migrate_find(krn_rows_int(rows, i, 0));

		if (!m)
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "the database is ahead of this "
					  "program: it has migration %s, the "
					  "program ends at %d",
					  krn_rows_str(rows, i, 1).s,
					  krn_migrate_version());
		krn_sha256_hex(m->text, strlen(m->text), sha256);
		if (!krn_str_eq_c(krn_rows_str(rows, i, 2), sha256))
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "migration %s was edited after it "
					  "was applied",
					  m->name);
		if (m == next)
			next++;
	}
	*ret_next = next->number ? next : NULL;
	return KRN_OK;
}

/* One file as it is: several statements, so not in the pipeline. */
static enum krn_err
migrate_run(struct krn_db *db, struct krn_arena *arena,
	    const struct krn_migration *m, struct krn_error *err)
{
	char sha256[KRN_SHA256_HEX_BYTES];
	enum krn_err e;

	if ((e = db_run_text(db, m->text, PGRES_COMMAND_OK, m->name, err)))
		return e;
	krn_sha256_hex(m->text, strlen(m->text), sha256);
	const struct krn_param params[] = {
	    krn_param_int(arena, m->number),
	    krn_param_c(m->name),
	    krn_param_c(sha256),
	};

	krn_db_send(db, KRN_STMT_migration_insert, params, NULL);
	return krn_db_commit(db, err);
}

/*
 * One transaction: lock, look, apply the first that is missing. *ret_applied
 * is NULL when nothing is.
 */
static enum krn_err
migrate_step(struct krn_db *db, struct krn_arena *arena,
	     const struct krn_migration **ret_applied, struct krn_error *err)
{
	const struct krn_param no_timeout[] = {krn_param_c("0")};
	const struct krn_rows *exists, *rows = NULL;
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_timeout_set, no_timeout, NULL);
	krn_db_send(db, KRN_STMT_migration_lock, NULL, NULL);
	krn_db_send(db, KRN_STMT_migration_exists, NULL, &exists);
	if ((e = krn_db_flush(db, err)))
		return e;
	if (krn_rows_bool(exists, 0, 0) &&
	    (e = krn_db_exec(db, KRN_STMT_migration_list, NULL, &rows, err)))
		return e;
	if ((e = migrate_compare(rows, ret_applied, err)) || !*ret_applied)
		return e;
	return migrate_run(db, arena, *ret_applied, err);
}

enum krn_err
krn_migrate(struct krn_db *db, krn_migrate_fn applied, void *data,
	    struct krn_error *err)
{
	struct krn_arena *arena = krn_arena_new(0);
	const struct krn_migration *m = NULL;
	const int patience_ms = db->patience_ms;
	enum krn_err e;

	if (!arena)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	/* a large table may take its time */
	db->patience_ms = -1;
	for (;;) {
		e = migrate_step(db, arena, &m, err);
		krn_db_rollback(db);
		if (e || !m)
			break;
		if (applied)
			applied(data, m->number, m->name);
		krn_arena_reset(arena);
	}
	db->patience_ms = patience_ms;
	krn_arena_free(arena);
	return e;
}
