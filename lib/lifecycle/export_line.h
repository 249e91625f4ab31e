#ifndef KRN_EXPORT_LINE_H
#define KRN_EXPORT_LINE_H

/*
 * One interaction as a line of NDJSON: all keys, in the contract's order,
 * null where empty, numbers as numbers, times with milliseconds.
 *
 * Source: contract section 2, export-interactions.
 */

#include "store/copy.h"

#define KRN_EXPORT_FIELDS 17

/* As below, of a row that was taken apart. */
void krn_export_fields(struct krn_buf *buf,
		       const struct krn_str fields[KRN_EXPORT_FIELDS]);

/* Errors: KRN_ERR_INTERNAL  the row has not the fields of export_copy */
KRN_MUSTCHECK enum krn_err krn_export_line(struct krn_buf *buf,
					   struct krn_copy_row row,
					   struct krn_error *err);

#endif
