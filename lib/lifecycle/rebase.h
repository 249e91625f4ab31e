#ifndef KRN_REBASE_H
#define KRN_REBASE_H

/*
 * The export of a database that was restored. Transaction ids, by which the
 * export knows where it is, are those of the cluster that a dump was taken
 * from; after the dump was restored elsewhere they mean nothing. One that was
 * brought to an earlier moment, by whatever means, does not know the files
 * that were published since. Either way the export refuses to go on. Rebasing
 * asks the lake: a row that a file has was exported, also when this database
 * does not know, and any other was not. Rows then bear the number of their
 * file for a transaction id, and those that no file has the next number, so
 * that the export goes on behind the last file.
 *
 * Source: DESIGN section 5, late commits; doc/export.md
 */

#include "base/option.h"
#include "store/db.h"

struct krn_rebase {
	bool changed;    /* false: the database knows all of the lake */
	int64_t files;   /* of the lake */
	int64_t adopted; /* of them: not known before */
	int64_t rows;    /* that the lake has */
};

/*
 * Rebase one tenant, in one transaction; `db` is the owner's.
 * Errors: KRN_ERR_CONFLICT     an export runs; a transaction is open that was
 *                              there before; a file that was published is
 *                              gone or is another: the message names it
 *         KRN_ERR_INTERNAL, KRN_ERR_UNAVAILABLE, KRN_ERR_INVALID
 *                              the lake cannot be read
 */
KRN_MUSTCHECK enum krn_err krn_rebase_tenant(struct krn_db *db,
					     const struct krn_options *options,
					     struct krn_str tenant_id,
					     struct krn_rebase *ret,
					     struct krn_error *err);

#endif
