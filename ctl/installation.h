#ifndef KRN_INSTALLATION_H
#define KRN_INSTALLATION_H

/*
 * What lies beside kaireonctl on an installed host: the options that the units
 * read, and programs of the package.
 */

#include "base/error.h"

/*
 * Take options and secrets of this host (/etc/kaireon, or $KAIREON_ETC) where
 * the environment tells nothing of a database, a site or a folder of
 * credentials. What cannot be read is left out: only root reads secrets.
 */
void krn_installation_load(void);

/*
 * Become lib/kaireon/<name> with these words.
 * Errors: KRN_ERR_NOTFOUND  this kaireonctl is not an installed one
 */
enum krn_err krn_installation_exec(const char *name, char **argv,
				   struct krn_error *err);

#endif
