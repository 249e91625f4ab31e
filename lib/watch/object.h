#ifndef KRN_OBJECT_H
#define KRN_OBJECT_H

/*
 * The objects of watching (alert rules, providers, templates and schedules of
 * reports): made, changed and deleted in one way. A kind is its form, its
 * statements, and what it checks beyond its form. Each change leaves an audit
 * row.
 */

#include "access/caller.h"
#include "base/option.h"
#include "store/db.h"
#include "watch/form.h"

struct krn_object_kind;

/* A change under way. */
struct krn_object {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_options *options;
	const struct krn_caller *caller;
	const struct krn_object_kind *kind;
	struct krn_str id;
	const struct krn_value *const *given; /* by index of the form */
	const struct krn_value *stored;       /* NULL of a new one */
	struct krn_value value;               /* the whole object */
	struct krn_problems *problems;
};

struct krn_object_kind {
	const char *noun;   /* "alert rule", for messages */
	const char *prefix; /* of ids */
	const char *entity; /* of audit rows; actions are <entity>.create … */
	const struct krn_form_field *fields;
	size_t nr;
	/*
	 * insert (id, fields, extra) and update (id, fields, extra) give one
	 * row (document, shown): shown is what the audit keeps.
	 * load (id) holds the object and gives its fields; remove (id) gives
	 * a row when there was one.
	 */
	enum krn_stmt insert, load, update, remove;
	/*
	 * What the form cannot know: adds problems, gives the parameter
	 * `extra`, and may replace members of the value by what is stored of
	 * them. NULL: nothing, and there is no such parameter.
	 */
	enum krn_err (*check)(struct krn_object *object,
			      struct krn_param *ret_extra,
			      struct krn_error *err);
};

/*
 * *ret_document is what the client reads.
 * Errors: KRN_ERR_INVALID   with all problems
 *         KRN_ERR_NOTFOUND
 */
KRN_MUSTCHECK enum krn_err
krn_object_create(struct krn_object *object,
		  const struct krn_form_values *values,
		  struct krn_str *ret_document, struct krn_error *err);
KRN_MUSTCHECK enum krn_err
krn_object_change(struct krn_object *object,
		  const struct krn_form_values *values,
		  struct krn_str *ret_document, struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_object_delete(struct krn_object *object,
					     struct krn_error *err);

/*
 * Are all of these ids of providers? A problem for each that is not.
 * `texts` is a list of texts that was judged already.
 */
KRN_MUSTCHECK enum krn_err
krn_object_check_providers(struct krn_object *object, const char *field,
			   const struct krn_value *texts,
			   struct krn_error *err);

#endif
