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

/* What the database has of one migration. */
struct migrate_done {
	const struct krn_rows *rows; /* number, name, sha256 */
};

/*
 * Is this migration applied? An edited one is refused.
 */
static enum krn_err
migrate_check(const struct migrate_done *done, const struct krn_migration *m,
	      bool *ret_applied, struct krn_error *err)
{
	char sha256[KRN_SHA256_HEX_BYTES];

	*ret_applied = false;
	krn_sha256_hex(m->text, strlen(m->text), sha256);
	for (size_t i = 0; i < krn_rows_nr(done->rows); i++) {
		if (krn_rows_int(done->rows, i, 0) != m->number)
			continue;
		*ret_applied = true;
		if (!krn_str_eq_c(krn_rows_str(done->rows, i, 2), sha256))
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "migration %s was edited after it "
					  "was applied",
					  m->name);
	}
	return KRN_OK;
}

/* One file as it is: several statements, so not in the pipeline. */
static enum krn_err
migrate_run_text(struct krn_db *db, const struct krn_migration *m,
		 struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_flush(db, err)) || (e = db_leave_pipeline(db, err)))
		return e;
	PQsetnonblocking(db->conn, 0);
	PGresult *result = PQexec(db->conn, m->text);
	const ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		e = db_fail_result(err, result, m->name);
		db->state = DB_FAILED;
	}
	PQclear(result);
	PQsetnonblocking(db->conn, 1);
	return e;
}

static enum krn_err
migrate_apply(struct krn_db *db, struct krn_arena *arena,
	      const struct krn_migration *m, struct krn_error *err)
{
	char sha256[KRN_SHA256_HEX_BYTES];
	enum krn_err e;

	krn_sha256_hex(m->text, strlen(m->text), sha256);
	const struct krn_param params[] = {
	    krn_param_int(arena, m->number),
	    krn_param_c(m->name),
	    krn_param_c(sha256),
	};

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	if ((e = migrate_run_text(db, m, err))) {
		krn_db_rollback(db);
		return e;
	}
	krn_db_send(db, KRN_STMT_migration_insert, params, NULL);
	return krn_db_commit(db, err);
}

/* What is applied; takes the lock that lives as long as the session. */
static enum krn_err
migrate_read(struct krn_db *db, struct krn_arena *arena,
	     struct migrate_done *done, struct krn_error *err)
{
	const struct krn_rows *exists;
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_migration_lock, NULL, NULL);
	krn_db_send(db, KRN_STMT_migration_exists, NULL, &exists);
	if ((e = krn_db_commit(db, err)))
		return e;
	done->rows = NULL;
	if (!krn_rows_bool(exists, 0, 0))
		return KRN_OK;
	if ((e = krn_db_begin(db, arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(db, KRN_STMT_migration_list, NULL, &done->rows);
	return krn_db_commit(db, err);
}

static enum krn_err
migrate_all(struct krn_db *db, struct krn_arena *arena, krn_migrate_fn applied,
	    void *data, struct krn_error *err)
{
	struct migrate_done done;
	enum krn_err e;

	if ((e = migrate_read(db, arena, &done, err)))
		return e;
	const size_t nr = done.rows ? krn_rows_nr(done.rows) : 0;

	if (nr && krn_rows_int(done.rows, nr - 1, 0) > krn_migrate_version())
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "the database is ahead of this program: it "
				  "has migration %lld, the program knows %d",
				  (long long)krn_rows_int(done.rows, nr - 1, 0),
				  krn_migrate_version());
	for (const struct krn_migration *m = krn_migrations; m->number; m++) {
		bool is_applied = false;

		if (done.rows &&
		    (e = migrate_check(&done, m, &is_applied, err)))
			return e;
		if (is_applied)
			continue;
		if ((e = migrate_apply(db, arena, m, err)))
			return e;
		if (applied)
			applied(data, m->number, m->name);
	}
	return KRN_OK;
}

enum krn_err
krn_migrate(struct krn_db *db, krn_migrate_fn applied, void *data,
	    struct krn_error *err)
{
	struct krn_arena *arena = krn_arena_new(0);

	if (!arena)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	enum krn_err e = migrate_all(db, arena, applied, data, err);

	/* the session's lock must not outlive the migration */
	if (krn_db_begin(db, arena, KRN_TX_WRITE, NULL) == KRN_OK) {
		krn_db_send(db, KRN_STMT_migration_unlock, NULL, NULL);
		(void)!krn_db_commit(db, NULL);
	}
	krn_arena_free(arena);
	return e;
}
