/*
 * Roles and their names.
 */

#include "base/base.h"

#include "access/caller.h"

static const char *const role_names[] = {"", "viewer", "editor", "admin"};

bool
krn_role_parse(struct krn_str name, enum krn_role *ret)
{
	for (size_t i = 1; i < KRN_NR(role_names); i++) {
		if (krn_str_eq_c(name, role_names[i])) {
			*ret = (enum krn_role)i;
			return true;
		}
	}
	return false;
}

const char *
krn_role_name(enum krn_role role)
{
	KRN_BUG_IF((size_t)role >= KRN_NR(role_names));
	return role_names[role];
}
