/*
 * Comparing a bundle with the live configuration.
 */

#include "base/base.h"

#include "gitops/change_private.h"

#include "base/id.h"
#include "gitops/export.h"

static const char *const change_ops[] = {"create", "update", "delete",
					 "unchanged"};

const char *
krn_change_op_name(enum krn_change_op op)
{
	KRN_BUG_IF((size_t)op >= KRN_NR(change_ops));
	return change_ops[op];
}

void
krn_change_write_counts(struct krn_json_out *out,
			const struct krn_changes *changes)
{
	static const char *const counts[] = {"created", "updated", "deleted",
					     "unchanged"};

	for (size_t i = 0; i < KRN_NR(counts); i++)
		krn_json_int(out, counts[i], changes->count[i]);
}

enum krn_err
krn_change_write_spec(struct krn_arena *arena, struct krn_json_out *out,
		      const char *name, const struct krn_change *change,
		      const struct krn_resource *from, struct krn_error *err)
{
	const struct krn_kind *kind = &krn_kinds[from->kind];
	struct krn_value spec;
	enum krn_err e;

	if (change->op != KRN_CHANGE_UPDATE) {
		if ((e = krn_resource_spec(arena, from, &spec, err)))
			return e;
		krn_json_value(out, name, &spec);
		return KRN_OK;
	}
	krn_json_obj_open(out, name);
	if (change->old_title.s)
		krn_json_str(out, "name",
			     from == change->before ? change->old_title
						    : from->title);
	for (size_t i = 0; i < kind->fields_nr; i++)
		if (change->fields >> i & 1)
			krn_json_value(out, kind->fields[i].name,
				       &from->values[i]);
	krn_json_close(out);
	return KRN_OK;
}

const struct krn_change *
change_of(const struct krn_changes *changes, enum krn_kind_id kind,
	  struct krn_str name)
{
	size_t low = 0, high = changes->nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct krn_change *at = &changes->list[middle];
		const struct krn_resource *r =
		    at->after ? at->after : at->before;
		const int order = r->kind != kind ? (r->kind < kind ? -1 : 1)
						  : krn_str_cmp(r->name, name);

		if (order == 0)
			return at;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct krn_str
krn_changes_id(const struct krn_changes *changes, enum krn_kind_id kind,
	       struct krn_str name)
{
	const struct krn_change *change = change_of(changes, kind, name);
	const struct krn_resource *live;

	if (change)
		return change->op == KRN_CHANGE_DELETE || change->id.len == 0
			   ? (struct krn_str){NULL, 0}
			   : change->id;
	live = krn_live_find(changes->live, kind, name);
	return live ? live->id : (struct krn_str){NULL, 0};
}

/* Comparison */

static enum krn_err
change_add(struct change_find *find, const struct krn_resource *before,
	   const struct krn_resource *after, struct krn_error *err)
{
	struct krn_changes *changes = find->changes;
	struct krn_change *change = &changes->list[changes->nr++];

	*change = (struct krn_change){
	    .op = KRN_CHANGE_UNCHANGED,
	    .before = before,
	    .after = after,
	    .id = before ? before->id : KRN_STR(""),
	};
	if (find->options->frozen >> (after ? after : before)->kind & 1) {
		change->after = before ? before : after;
	} else if (!before) {
		change->op = KRN_CHANGE_CREATE;
		change->id =
		    krn_id_new(find->arena, krn_kinds[after->kind].prefix);
		if (!change->id.s)
			return krn_arena_fail(find->arena, err);
	} else if (!after) {
		change->op = KRN_CHANGE_DELETE;
	} else {
		for (size_t i = 0; i < krn_kinds[after->kind].fields_nr; i++)
			if (!krn_value_eq(&before->values[i],
					  &after->values[i]))
				change->fields |= UINT64_C(1) << i;
		if (change->fields)
			change->op = KRN_CHANGE_UPDATE;
	}
	changes->count[change->op]++;
	return KRN_OK;
}

/* Both lists are in the same order: one pass. */
enum krn_err
change_compare(struct change_find *find, struct krn_error *err)
{
	const struct krn_live *live = find->changes->live;
	const struct krn_bundle *bundle = find->changes->bundle;
	size_t l = 0, b = 0;
	enum krn_err e = KRN_OK;

	while (!e && (l < live->nr || b < bundle->nr)) {
		const struct krn_resource *x =
		    l < live->nr ? &live->resources[l] : NULL;
		const struct krn_resource *y =
		    b < bundle->nr ? &bundle->resources[b] : NULL;
		const int order = !x   ? 1
				  : !y ? -1
				  : x->kind != y->kind
				      ? (x->kind < y->kind ? -1 : 1)
				      : krn_str_cmp(x->name, y->name);

		if (order < 0 && find->options->prune &&
		    ((find->options->kinds & ~find->options->frozen) >>
			 x->kind &
		     1))
			e = change_add(find, x, NULL, err);
		else if (order >= 0)
			e = change_add(find, order == 0 ? x : NULL, y, err);
		l += order <= 0;
		b += order >= 0;
	}
	return e;
}

static void
change_hash_values(struct krn_buf *buf, const struct krn_resource *resource)
{
	for (size_t k = 0; resource && k < krn_kinds[resource->kind].fields_nr;
	     k++)
		krn_json_canonical(buf, &resource->values[k]);
}

/* The hash: what was asked, what was read, what would be written. */
static enum krn_err
change_hash(struct change_find *find, struct krn_error *err)
{
	struct krn_changes *changes = find->changes;
	struct krn_sha256 *hash = krn_sha256_new(find->arena);
	unsigned char digest[KRN_SHA256_BYTES];
	struct krn_buf buf;

	if (!hash)
		return krn_arena_fail(find->arena, err);
	krn_buf_init(&buf, find->arena);
	krn_buf_printf(&buf, "%u %d\n", find->options->kinds,
		       find->options->prune);
	if (buf.failed)
		return krn_arena_fail(find->arena, err);
	krn_sha256_add(hash, buf.data, buf.len);
	krn_buf_clear(&buf);
	for (size_t i = 0; i < changes->nr; i++) {
		const struct krn_change *change = &changes->list[i];
		const struct krn_resource *r =
		    change->after ? change->after : change->before;

		krn_buf_printf(
		    &buf, "%s %s %s %lld\n", change_ops[change->op],
		    krn_kinds[r->kind].name,
		    change->before ? change->before->id.s : "-",
		    (long long)(change->before ? change->before->version : 0));
		krn_buf_add_str(&buf, r->name);
		/* what is unchanged is told by the bundle */
		if (change->op != KRN_CHANGE_UNCHANGED) {
			change_hash_values(&buf, change->before);
			change_hash_values(&buf, change->after);
		}
		if (buf.failed)
			return krn_arena_fail(find->arena, err);
		krn_sha256_add(hash, buf.data, buf.len);
		krn_buf_clear(&buf);
	}
	krn_sha256_end(hash, digest);
	krn_format_hex(digest, sizeof(digest), changes->hash);
	return KRN_OK;
}

enum krn_err
change_begin(struct change_find *find, const struct krn_bundle *bundle,
	     const struct krn_live *live,
	     const struct krn_change_options *options, struct krn_changes *ret,
	     struct krn_error *err)
{
	find->options = options;
	find->changes = ret;
	if (!find->problems)
		find->problems =
		    krn_arena_make(find->arena, struct krn_problems);
	*ret = (struct krn_changes){.live = live, .bundle = bundle};
	/* one row more: there may be nothing on either side */
	ret->list = krn_arena_calloc(find->arena, live->nr + bundle->nr + 1,
				     sizeof(*ret->list));
	if (!ret->list || !find->problems)
		return krn_arena_fail(find->arena, err);
	find->problems->arena = find->arena;
	return KRN_OK;
}

enum krn_err
krn_changes_find(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_bundle *bundle, const struct krn_live *live,
		 const struct krn_change_options *options,
		 struct krn_changes *ret, struct krn_error *err)
{
	struct change_find find = {.arena = arena, .db = db};
	enum krn_err e;

	if ((e = change_begin(&find, bundle, live, options, ret, err)) ||
	    (e = change_compare(&find, err)) ||
	    (e = change_check_bundle(&find, err)) ||
	    (e = change_check_budget(&find, err)) ||
	    (e = change_check_deletes(&find, err)))
		return e;
	return change_hash(&find, err);
}
