#ifndef KRN_PROGRAM_H
#define KRN_PROGRAM_H

/* The programs of one build or package lie in one folder. */

#include "base/base.h"

#define KRN_PROGRAM_PATH_BYTES 4096

/* The path of `name` beside the running program; false: it is not known. */
bool krn_program_beside(const char *name,
			char ret_path[KRN_PROGRAM_PATH_BYTES]);

#endif
