#ifndef KRN_MATCH_H
#define KRN_MATCH_H

/*
 * Which row of the route table a request is for: by path, method and the pool
 * that serves. A literal path wins over one with "{id}" in its place.
 */

#include "fcgi/route.h"

struct krn_match {
	const struct krn_route *route; /* NULL: none */
	struct krn_str params[4];      /* of the path, in its order */
	unsigned allowed; /* methods of the path's rows; 0: no such path */
	bool wrong_pool;  /* the path is another pool's */
};

/* Fills *ret. HEAD goes where GET does; OPTIONS goes with any row. */
void krn_match(enum krn_pool pool, enum krn_method method, struct krn_str path,
	       struct krn_match *ret);

/* Tell in the header Allow which methods the path has. */
void krn_match_allow(const struct krn_match *match, struct krn_arena *arena,
		     struct krn_response *response);

/* "GET"; 0: none that is known. */
enum krn_method krn_method_parse(struct krn_str name);

/* The other way; "other" for 0. */
const char *krn_method_name(enum krn_method method);

#endif
