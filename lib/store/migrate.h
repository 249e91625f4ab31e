#ifndef KRN_MIGRATE_H
#define KRN_MIGRATE_H

/*
 * Migrations: sql/schema/NNN_<what>.sql, embedded at build time, applied in
 * order by the owner role under an advisory lock, each in a transaction of
 * its own together with its row in kaireon.schema_migrations (number, name,
 * sha256, applied_at). A file that was edited after it was applied is refused,
 * and so is a database that is ahead of the program.
 */

#include "store/db.h"

typedef void (*krn_migrate_fn)(void *data, int number, const char *name);

/*
 * Apply what is missing; `applied` (may be NULL) is called for each.
 * Errors: KRN_ERR_CONFLICT     edited file, or the database is ahead
 *         KRN_ERR_UNAVAILABLE, KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_migrate(struct krn_db *db,
				       krn_migrate_fn applied, void *data,
				       struct krn_error *err);

/* The number of the last embedded migration: what /readyz expects. */
int krn_migrate_version(void);

#endif
