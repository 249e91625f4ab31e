#ifndef KRN_CSV_H
#define KRN_CSV_H

/*
 * CSV in: records of fields out of a file that is read in pieces. RFC 4180
 * with any one-byte delimiter; lines end in LF or CRLF; a byte order mark at
 * the beginning is skipped. Every record has as many fields as the first.
 */

#include "base/buf.h"

#define KRN_CSV_FIELDS_MAX 1600 /* PostgreSQL's columns a table */
#define KRN_CSV_RECORD_BYTES_MAX ((size_t)1 << 20)

struct krn_csv_field {
	struct krn_str text;
	bool quoted; /* an empty unquoted field is NULL */
};

struct krn_csv {
	FILE *file;
	char delimiter;
	struct krn_buf text; /* of the current record's fields */
	size_t starts[KRN_CSV_FIELDS_MAX + 1];
	bool quoted[KRN_CSV_FIELDS_MAX];
	struct krn_csv_field fields[KRN_CSV_FIELDS_MAX];
	size_t nr;       /* fields of the current record */
	size_t expected; /* fields of the first record; 0 before it */
	int64_t line;    /* where the current record begins, 1-based */
	int64_t next_line;
	int64_t bytes;   /* read so far */
};

/* `file` stays the caller's; it is read from its current place. */
void krn_csv_init(struct krn_csv *csv, struct krn_arena *arena, FILE *file,
		  char delimiter);

/*
 * The next record: csv->fields, valid until the next call. *ret_more is false
 * at the end.
 * Errors: KRN_ERR_INVALID  the message names line and column of what is wrong
 */
KRN_MUSTCHECK enum krn_err krn_csv_next(struct krn_csv *csv, bool *ret_more,
					struct krn_error *err);

/*
 * The delimiter of a file by its first line: the one of , ; tab and | that
 * stands in it most often; the comma when none does.
 */
char krn_csv_guess_delimiter(FILE *file);

#endif
