#ifndef KRN_CSV_OUT_H
#define KRN_CSV_OUT_H

/*
 * CSV out: RFC 4180. A line's cells are separated by the caller; lines end in
 * CRLF.
 */

#include "base/buf.h"

/*
 * One cell, quoted where that is needed. .s NULL is an empty cell, an empty
 * text is "". A text that a spreadsheet would take for a formula gets a
 * leading ' unless it is a number.
 * Source: contract section 5, file.
 */
void krn_csv_cell(struct krn_buf *to, struct krn_str text, bool is_number);

#endif
