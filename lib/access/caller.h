#ifndef KRN_CALLER_H
#define KRN_CALLER_H

/*
 * Who is calling: tenant, role and the name that audit rows carry. Filled by
 * authentication (fcgi/) or by a program for itself (worker, kaireonctl).
 */

#include "base/text.h"

/* In ascending order of rights. */
enum krn_role {
	KRN_ROLE__UNSET = 0,
	KRN_ROLE_VIEWER,
	KRN_ROLE_EDITOR,
	KRN_ROLE_ADMIN,
};

struct krn_caller {
	struct krn_str tenant_id;
	enum krn_role role;
	struct krn_str actor_id;   /* id of the API key, or "kaireonctl", "worker" */
	struct krn_str actor_name; /* name of the API key, or the same */
	struct krn_str request_id; /* "" outside a request */
	int64_t epoch;             /* config epoch that authentication saw */
};

/* "viewer", "editor", "admin"; false: none of them. */
bool krn_role_parse(struct krn_str name, enum krn_role *ret);
const char *krn_role_name(enum krn_role role);

#endif
