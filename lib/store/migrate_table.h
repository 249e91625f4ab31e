#ifndef KRN_MIGRATE_TABLE_H
#define KRN_MIGRATE_TABLE_H

/* The embedded migrations, as sql/embed.sh writes them; number 0 ends. */

#include "base/base.h"

struct krn_migration {
	int number;
	const char *name; /* "003_catalog" */
	const char *text;
};

extern const struct krn_migration krn_migrations[];

#endif
