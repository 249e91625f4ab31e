#ifndef KRN_VERIFY_PRIVATE_H
#define KRN_VERIFY_PRIVATE_H

/* What the parts of verify-export share: a tenant under way. */

#include "base/buf.h"
#include "lifecycle/verify.h"
#include "lifecycle/verify_merge.h"

/* A month's mark, and how many of its rows were found gone so far. */
struct lake_mark {
	struct krn_str month; /* "2026-03" */
	int64_t before_us, exported_rows, seen;
};

/* One tenant under way. */
struct lake_tenant {
	struct krn_verify *verify;
	struct krn_arena *arena; /* of the tenant */
	struct krn_arena *batch; /* of one file */
	struct krn_str id;
	struct lake_mark *marks;
	size_t marks_nr;
	struct merge *merge;
	struct merge *erased; /* ids that went with their customer */

	/* the table's row at hand */
	bool has_row, ended;
	int64_t row_xid;
	struct krn_buf row_id, row_line;

	/* the file at hand, and where its rows end */
	struct krn_str path;
	int64_t to_xid;
	struct krn_str to_id;
	struct krn_buf partial; /* of a line that goes on in the next part */
};

static inline struct krn_str
lake_text(const struct krn_buf *buf)
{
	return krn_str_from(buf->data ? buf->data : "", buf->len);
}

/* Say what was found; `id` as in struct krn_verify_finding. */
void lake_tell(struct lake_tenant *tenant, enum krn_verify_kind kind,
	       struct krn_str path, struct krn_str id);

/* verify_gone.c: rows that the table lacks and that were erased or purged */

/* Take down marks and erased ids, in rows of their statements. */
KRN_MUSTCHECK enum krn_err lake_gone_init(struct lake_tenant *tenant,
					  const struct krn_rows *marks,
					  const struct krn_rows *erased,
					  struct krn_error *err);

/* A row that the table lacks is counted as purged, or told. */
void lake_gone(struct lake_tenant *tenant, struct krn_str id,
	       int64_t created_us);

/* verify_line.c: lines of files beside rows of the table */

/* Take the next row of the table, the first to begin with. */
KRN_MUSTCHECK enum krn_err lake_next(struct lake_tenant *tenant,
				     struct krn_error *err);

/* Compare a part of the file at hand; a krn_codec_fn. */
KRN_MUSTCHECK enum krn_err lake_part(void *data, const char *bytes, size_t len,
				     struct krn_error *err);

/* The file at hand has ended: what has no partner is told. */
KRN_MUSTCHECK enum krn_err lake_file_end(struct lake_tenant *tenant,
					 struct krn_error *err);

#endif
