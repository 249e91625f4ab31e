/*
 * Verifying the audit chain: one pass over the rows in the order of their
 * numbers.
 */

#include "base/base.h"

#include "access/audit_verify.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "store/copy.h"

/* Rows after which what they needed is given back. */
#define VERIFY_BATCH_ROWS 1024

/* 2000-01-01, from where PostgreSQL counts. */
#define VERIFY_EPOCH_US (INT64_C(946684800) * KRN_US_PER_SECOND)

/* The years that a text of a time has room for: 0000 and 9999. */
#define VERIFY_FIRST_US (INT64_C(-62167219200) * KRN_US_PER_SECOND)
#define VERIFY_LAST_US (INT64_C(253402300800) * KRN_US_PER_SECOND - 1)

/* Columns of audit_verify_copy. */
enum {
	VERIFY_SEQ,
	VERIFY_ID,
	VERIFY_ACTION,
	VERIFY_ENTITY_TYPE,
	VERIFY_ENTITY_ID,
	VERIFY_ENTITY_NAME,
	VERIFY_CHANGES,
	VERIFY_BEFORE,
	VERIFY_AFTER,
	VERIFY_ACTOR_ID,
	VERIFY_ACTOR_NAME,
	VERIFY_REQUEST_ID,
	VERIFY_CREATED_AT,
	VERIFY_PREV_HASH,
	VERIFY_HASH,
	VERIFY__MAX,
};

struct audit_verify {
	struct krn_arena *arena; /* of the report */
	struct krn_arena *batch;
	struct krn_buf text; /* of the row's hash; in `batch` */
	struct krn_str tenant_id;
	const struct krn_audit_scope *scope;
	struct krn_audit_report *report;
	int64_t next_seq;
	bool prev_known;
	char prev_hash[KRN_SHA256_HEX_BYTES]; /* of the row before */
	char created_at[KRN_TIME_TEXT_BYTES]; /* of the row */
	bool kept_seen;
};

static const char *const audit_wrong_names[KRN_AUDIT__MAX] = {
    [KRN_AUDIT_HASH] = "hash_mismatch",
    [KRN_AUDIT_LINK] = "chain_link_mismatch",
    [KRN_AUDIT_MISSING] = "rows_missing",
    [KRN_AUDIT_TWICE] = "row_twice",
    [KRN_AUDIT_TRUNCATED] = "truncated",
    [KRN_AUDIT_HEAD] = "head_mismatch",
    [KRN_AUDIT_ANCHOR] = "anchor_mismatch",
    [KRN_AUDIT_KEPT] = "kept_head_mismatch",
};

const char *
krn_audit_wrong_name(enum krn_audit_wrong wrong)
{
	return audit_wrong_names[wrong];
}

/* One more thing that is wrong; `id` is copied. */
static enum krn_err
verify_found(struct audit_verify *v, enum krn_audit_wrong wrong, int64_t seq,
	     struct krn_str id, struct krn_error *err)
{
	struct krn_audit_report *report = v->report;

	if (report->findings_nr++ >= KRN_AUDIT_FINDINGS_MAX)
		return KRN_OK;
	if (id.s && !(id = krn_str_dup(v->arena, id)).s)
		return krn_arena_fail(v->arena, err);
	report->findings[report->findings_nr - 1] =
	    (struct krn_audit_finding){wrong, seq, id};
	return KRN_OK;
}

/*
 * A time as it was hashed. One with more than milliseconds is none of ours, and
 * no time can be its text; nor can one that has no text at all.
 */
static struct krn_str
verify_time(struct krn_str field, char ret_text[KRN_TIME_TEXT_BYTES])
{
	const int64_t since_2000 = krn_copy_int(field);
	int64_t us;

	if (since_2000 % 1000 ||
	    __builtin_add_overflow(since_2000, VERIFY_EPOCH_US, &us))
		return KRN_STR("");
	/* nor one whose year has more digits than the text */
	if (us < VERIFY_FIRST_US || us > VERIFY_LAST_US)
		return KRN_STR("");
	krn_time_format(us, ret_text);
	return krn_str_from(ret_text, KRN_TIME_TEXT_BYTES - 1);
}

static enum krn_err
verify_json(struct audit_verify *v, struct krn_str field, struct krn_str *ret,
	    struct krn_error *err)
{
	const struct krn_str stored = krn_copy_jsonb(field);
	struct krn_buf buf;
	enum krn_err e;

	*ret = stored;
	if (!stored.s)
		return KRN_OK;
	/* an append stores NULL for it: this one was written by somebody else
	 */
	if (krn_str_eq_c(stored, "null")) {
		*ret = KRN_STR("\"null\"");
		return KRN_OK;
	}
	krn_buf_init(&buf, v->batch);
	if ((e = krn_json_canonical_stored(&buf, stored, err)))
		return e;
	return krn_buf_end(&buf, ret, err);
}

static enum krn_err
verify_read(struct audit_verify *v, const struct krn_str *field,
	    struct krn_audit_row *ret, struct krn_error *err)
{
	enum krn_err e;

	*ret = (struct krn_audit_row){
	    .id = field[VERIFY_ID],
	    .action = field[VERIFY_ACTION],
	    .entity_type = field[VERIFY_ENTITY_TYPE],
	    .entity_id = field[VERIFY_ENTITY_ID],
	    .entity_name = field[VERIFY_ENTITY_NAME],
	    .actor_id = field[VERIFY_ACTOR_ID],
	    .actor_name = field[VERIFY_ACTOR_NAME],
	    .request_id = field[VERIFY_REQUEST_ID],
	    .seq = krn_copy_int(field[VERIFY_SEQ]),
	    .created_at = verify_time(field[VERIFY_CREATED_AT], v->created_at),
	    .tenant_id = v->tenant_id,
	    .prev_hash = field[VERIFY_PREV_HASH],
	};
	if ((e = verify_json(v, field[VERIFY_CHANGES], &ret->changes, err)) ||
	    (e = verify_json(v, field[VERIFY_BEFORE], &ret->before, err)) ||
	    (e = verify_json(v, field[VERIFY_AFTER], &ret->after, err)))
		return e;
	return KRN_OK;
}

/* Does the row follow what was before it? */
static enum krn_err
verify_place(struct audit_verify *v, const struct krn_audit_row *row,
	     struct krn_error *err)
{
	if (row->seq < v->next_seq)
		return verify_found(v, KRN_AUDIT_TWICE, row->seq, row->id, err);
	if (row->seq > v->next_seq)
		return verify_found(v, KRN_AUDIT_MISSING, v->next_seq, row->id,
				    err);
	if (v->prev_known && !krn_str_eq_c(row->prev_hash, v->prev_hash))
		return verify_found(v, KRN_AUDIT_LINK, row->seq, row->id, err);
	return KRN_OK;
}

/* What the next row must continue. */
static void
verify_remember(struct audit_verify *v, struct krn_str hash)
{
	const size_t len = hash.len < KRN_SHA256_HEX_BYTES
			       ? hash.len
			       : KRN_SHA256_HEX_BYTES - 1;

	if (len)
		memcpy(v->prev_hash, hash.s, len);
	v->prev_hash[len] = '\0';
	v->prev_known = true;
}

static enum krn_err
verify_row(struct audit_verify *v, const struct krn_str *field,
	   struct krn_error *err)
{
	char hash[KRN_SHA256_HEX_BYTES];
	const struct krn_str stored = field[VERIFY_HASH];
	const struct krn_audit_scope *scope = v->scope;
	struct krn_audit_row row;
	enum krn_err e;

	if ((e = verify_read(v, field, &row, err)))
		return e;
	krn_audit_row_hash(&v->text, &row, hash);
	if (v->text.failed)
		return krn_arena_fail(v->batch, err);
	if ((e = verify_place(v, &row, err)))
		return e;
	if (!krn_str_eq_c(stored, hash) &&
	    (e = verify_found(v, KRN_AUDIT_HASH, row.seq, row.id, err)))
		return e;
	if (scope->kept_seq == row.seq) {
		v->kept_seen = true;
		if (!krn_str_eq(stored, scope->kept_hash) &&
		    (e = verify_found(v, KRN_AUDIT_KEPT, row.seq, row.id, err)))
			return e;
	}
	verify_remember(v, stored);
	if (row.seq >= v->next_seq)
		v->next_seq = row.seq + 1;
	v->report->rows++;
	return KRN_OK;
}

static enum krn_err
verify_stream(struct audit_verify *v, struct krn_db *db, struct krn_error *err)
{
	struct krn_str field[VERIFY__MAX];
	struct krn_copy_row row;
	enum krn_err e;

	if ((e = krn_copy_out_begin(db, KRN_STMT_audit_verify_copy, NULL, err)))
		return e;
	krn_buf_init(&v->text, v->batch);
	while (!(e = krn_copy_out_next(db, &row, err)) && row.s) {
		const size_t nr =
		    krn_copy_split_binary(row, field, VERIFY__MAX);

		if (nr == 0)
			continue; /* what stands behind the last row */
		if (nr != VERIFY__MAX)
			e = krn_fail(err, KRN_ERR_INTERNAL,
				     "a row of the audit has other columns");
		else
			e = verify_row(v, field, err);
		if (e)
			break;
		if (v->report->rows % VERIFY_BATCH_ROWS == 0) {
			krn_arena_reset(v->batch);
			krn_buf_init(&v->text, v->batch);
		}
	}
	if (e)
		krn_copy_out_abort(db);
	return e;
}

/* What is wrong at the ends, when the whole chain was looked at. */
static enum krn_err
verify_ends(struct audit_verify *v, const struct krn_rows *bounds,
	    struct krn_error *err)
{
	const struct krn_audit_report *report = v->report;
	const struct krn_audit_scope *scope = v->scope;
	const struct krn_str none = {NULL, 0};
	enum krn_err e;

	if (krn_rows_int(bounds, 0, 4) != report->anchor_seq &&
	    (e = verify_found(v, KRN_AUDIT_ANCHOR, report->anchor_seq, none,
			      err)))
		return e;
	if (v->next_seq - 1 != report->head_seq &&
	    (e = verify_found(v, KRN_AUDIT_TRUNCATED,
			      v->next_seq - 1 < report->head_seq
				  ? v->next_seq
				  : report->head_seq + 1,
			      none, err)))
		return e;
	if (v->next_seq - 1 == report->head_seq &&
	    !krn_str_eq_c(report->head_hash, v->prev_hash) &&
	    (e = verify_found(v, KRN_AUDIT_HEAD, report->head_seq, none, err)))
		return e;
	if (scope->kept_seq == report->anchor_seq && scope->kept_seq)
		v->kept_seen =
		    krn_str_eq(scope->kept_hash, krn_rows_str(bounds, 0, 3));
	/* what was purged since cannot be compared any more */
	if (scope->kept_seq && !v->kept_seen &&
	    scope->kept_seq >= report->anchor_seq)
		return verify_found(v, KRN_AUDIT_KEPT, scope->kept_seq, none,
				    err);
	return KRN_OK;
}

static void
verify_argument(struct krn_arena *arena, struct krn_db *db, const char *name,
		int64_t value)
{
	const struct krn_param params[] = {krn_param_c(name),
					   krn_param_int(arena, value)};

	krn_db_send(db, KRN_STMT_argument_set, params, NULL);
}

/* Where the chain begins and ends, and where the scope does. */
static enum krn_err
verify_begin(struct audit_verify *v, struct krn_db *db,
	     const struct krn_rows **ret_bounds, int64_t *ret_to,
	     struct krn_error *err)
{
	const struct krn_audit_scope *scope = v->scope;
	struct krn_audit_report *report = v->report;
	const struct krn_param params[] = {
	    krn_param_int(v->arena, scope->newest),
	    krn_param_str(scope->from),
	    krn_param_str(scope->to),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_audit_bounds, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such tenant");
	report->head_seq = krn_rows_int(rows, 0, 0);
	report->head_hash = krn_rows_str(rows, 0, 1);
	report->anchor_seq = krn_rows_int(rows, 0, 2);
	report->total = report->head_seq - report->anchor_seq;
	v->next_seq = krn_rows_int(rows, 0, 5);
	*ret_to = krn_rows_int(rows, 0, 6);
	if (!krn_rows_is_null(rows, 0, 7))
		verify_remember(v, krn_rows_str(rows, 0, 7));
	verify_argument(v->arena, db, "from_seq", v->next_seq);
	verify_argument(v->arena, db, "to_seq", *ret_to);
	*ret_bounds = rows;
	return krn_db_flush(db, err);
}

enum krn_err
krn_audit_verify(struct krn_arena *arena, struct krn_db *db,
		 struct krn_str tenant_id, const struct krn_audit_scope *scope,
		 struct krn_audit_report *ret, struct krn_error *err)
{
	struct audit_verify v = {
	    .arena = arena,
	    .tenant_id = tenant_id,
	    .scope = scope,
	    .report = ret,
	};
	const struct krn_rows *bounds = NULL;
	int64_t to = 0;
	enum krn_err e;

	*ret = (struct krn_audit_report){.rows = 0};
	if ((e = verify_begin(&v, db, &bounds, &to, err)))
		return e;
	v.batch = krn_arena_new(0);
	if (!v.batch)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	e = verify_stream(&v, db, err);
	krn_arena_free(v.batch);
	if (!e && to == INT64_MAX)
		e = verify_ends(&v, bounds, err);
	return e;
}
