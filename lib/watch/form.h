#ifndef KRN_FORM_H
#define KRN_FORM_H

/*
 * Forms: the fields of an object that clients make and change, as a table.
 * What was given, laid over what is stored or over the defaults, is judged
 * field by field and becomes the JSON object that a statement stores.
 */

#include "base/json_out.h"

enum krn_form_type {
	KRN_FORM_TEXT,   /* min..max code points */
	KRN_FORM_CHOICE, /* one of choices */
	KRN_FORM_INT,    /* min..max */
	KRN_FORM_NUMBER, /* any finite */
	KRN_FORM_BOOL,
	KRN_FORM_TEXTS, /* a list of min..max texts, of choices if there are */
	KRN_FORM_VALUE, /* an object or a list: `judge` knows more */
};

struct krn_form_field {
	const char *name;
	enum krn_form_type type;
	bool required;
	int64_t min, max;
	const char *const *choices; /* NULL-terminated */
	const char *fallback;       /* JSON; NULL of required fields */
	void (*judge)(struct krn_problems *problems, const char *name,
		      const struct krn_value *value);
};

/* The most fields that a form has. */
#define KRN_FORM_MAX 16

/* One row of values for one form; NULL: not given. null counts as not given
 * of a new object, and as the default of one that is there. */
struct krn_form_values {
	const struct krn_value *given[KRN_FORM_MAX];
};

/*
 * `stored` is the object as it stands, NULL of a new one. *ret is the whole
 * object.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    none of its own: problems are noted
 */
KRN_MUSTCHECK enum krn_err
krn_form_fill(struct krn_arena *arena, const struct krn_form_field *fields,
	      size_t nr, const struct krn_form_values *values,
	      const struct krn_value *stored, struct krn_problems *problems,
	      struct krn_value *ret, struct krn_error *err);

/* The text of a value, in the arena. Errors: as krn_arena_fail. */
KRN_MUSTCHECK enum krn_err krn_form_json(struct krn_arena *arena,
					 const struct krn_value *value,
					 struct krn_str *ret,
					 struct krn_error *err);

/* Is it one of the choices? */
bool krn_form_choice_is(const char *const *choices, struct krn_str text);

/* A text member of an object; "" when there is none. */
struct krn_str krn_form_text(const struct krn_value *object, const char *name);

#endif
