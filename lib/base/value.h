#ifndef KRN_VALUE_H
#define KRN_VALUE_H

/*
 * A value: what JSON and YAML texts become (json_in.h, gitops/yaml_in.h) and
 * what is written back (json_out.h). It lives in an arena and is not changed
 * once it was read.
 *
 * Object members keep the order of the text; no name occurs twice. Texts are
 * well-formed UTF-8 without NUL and end in NUL.
 */

#include "base/text.h"

enum krn_value_type {
	KRN_VALUE_NULL,
	KRN_VALUE_BOOL,
	KRN_VALUE_INT,    /* a number without fraction and exponent */
	KRN_VALUE_DOUBLE, /* any other number; finite */
	KRN_VALUE_STRING,
	KRN_VALUE_ARRAY,
	KRN_VALUE_OBJECT,
};

struct krn_member;

struct krn_value {
	enum krn_value_type type;
	uint32_t line;   /* 1-based place in the source text; 0: unknown */
	uint32_t column;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct krn_str string;
		struct {
			const struct krn_value *items;
			size_t nr;
		} array;
		struct {
			const struct krn_member *members;
			size_t nr;
		} object;
	};
};

struct krn_member {
	struct krn_str name;
	struct krn_value value;
};

/* Read */

/* "null", "boolean", "integer", "number", "string", "array", "object" */
const char *krn_value_type_name(enum krn_value_type type);

/* The member of an object; NULL when absent or `value` is not an object. */
const struct krn_value *krn_value_find(const struct krn_value *value,
				       const char *name);
const struct krn_value *krn_value_find_str(const struct krn_value *value,
					   struct krn_str name);

/* Integers and doubles as a double; false for any other type. */
bool krn_value_number(const struct krn_value *value, double *ret);

/*
 * The same value: members in any order, 1 and 1.0 alike (compared exactly
 * where both are integers), everything else exactly.
 */
bool krn_value_eq(const struct krn_value *a, const struct krn_value *b);

/*
 * "line 3, column 7: " where the value stands in its text, for a message;
 * "" when that is unknown or there is no value. Lives in `buffer`.
 */
#define KRN_VALUE_PLACE_BYTES 48
const char *krn_value_place(const struct krn_value *value,
			    char buffer[KRN_VALUE_PLACE_BYTES]);

/* Make: leaves, for code that builds values. */

static inline struct krn_value
krn_value_null(void)
{
	return (struct krn_value){.type = KRN_VALUE_NULL};
}

static inline struct krn_value
krn_value_bool(bool boolean)
{
	return (struct krn_value){.type = KRN_VALUE_BOOL, .boolean = boolean};
}

static inline struct krn_value
krn_value_int(int64_t integer)
{
	return (struct krn_value){.type = KRN_VALUE_INT, .integer = integer};
}

static inline struct krn_value
krn_value_double(double number)
{
	return (struct krn_value){.type = KRN_VALUE_DOUBLE, .number = number};
}

static inline struct krn_value
krn_value_str(struct krn_str string)
{
	return (struct krn_value){.type = KRN_VALUE_STRING, .string = string};
}

#endif
