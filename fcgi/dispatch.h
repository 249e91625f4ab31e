#ifndef KRN_DISPATCH_H
#define KRN_DISPATCH_H

/*
 * From an accepted request to its written response: the steps of DESIGN
 * section 4, the same for every route.
 */

#include "fcgi/io.h"
#include "fcgi/route.h"

struct krn_dispatch {
	struct krn_io *io;
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_options *options;
	enum krn_pool pool;
};

/* Serve the request that krn_io_accept took; logs one line. */
void krn_dispatch(const struct krn_dispatch *dispatch);

/*
 * Is the table complete and consistent? Names the first bad row.
 * Errors: KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_routes_check(struct krn_error *err);

/* One row a line for tests: methods, path, name, auth, pool, body limit. */
void krn_routes_print(FILE *out);

#endif
