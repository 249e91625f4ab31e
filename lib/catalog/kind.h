#ifndef KRN_KIND_H
#define KRN_KIND_H

/*
 * The kinds of the decisioning configuration, as one table. Parsing,
 * validation, diff, apply and export walk it: adding a field is adding a row.
 *
 * Source: spec, field lists of the nine kinds; contract sections 4 and 6.
 */

#include "base/text.h"

enum krn_kind_id {
	KRN_KIND_CATEGORY,
	KRN_KIND_CHANNEL,
	KRN_KIND_OFFER,
	KRN_KIND_RULE,
	KRN_KIND_POLICY,
	KRN_KIND_PROFILE,
	KRN_KIND_FLOW,
	KRN_KIND__MAX,
};

enum krn_kind_type {
	KRN_TYPE_STRING,
	KRN_TYPE_INT,    /* min..max */
	KRN_TYPE_DOUBLE, /* min..max */
	KRN_TYPE_BOOL,
	KRN_TYPE_TIME,
	KRN_TYPE_CHOICE,    /* one of choices */
	KRN_TYPE_REFERENCE, /* name of an object of kind `reference` */
	KRN_TYPE_SCOPE,     /* name of an object whose kind the field scope says */
	KRN_TYPE_ARRAY,     /* free-form */
	KRN_TYPE_OBJECT,    /* free-form; ids of objects in it are references */
};

struct krn_kind_field {
	const char *name;   /* in a bundle: "categoryRef" */
	const char *column; /* in the table: "category_id" */
	enum krn_kind_type type;
	bool nullable;
	bool required;        /* has no default */
	const char *fallback; /* default as JSON; NULL: null, or the slug of the
				 name for a field called key */
	double min, max;      /* max 0: no range */
	const char *const *choices;
	enum krn_kind_id reference;
};

struct krn_kind {
	const char *name;   /* "Offer" */
	const char *folder; /* "offers" */
	const char *table;  /* "offers" */
	const char *prefix; /* of ids: "off" */
	const struct krn_kind_field *fields;
	size_t fields_nr;
	bool needs_admin; /* a real apply that touches it */
	bool in_v1;       /* reconciled under GITOPS_KINDS=v1 */
};

/* In the order of their dependencies, which is that of diffs. */
extern const struct krn_kind krn_kinds[KRN_KIND__MAX];

/* Known by the contract, not in this release. */
bool krn_kind_is_pending(struct krn_str name);

/* -1: unknown. */
int krn_kind_find(struct krn_str name);

/* The index of a field of a kind, or -1. */
int krn_kind_field_find(const struct krn_kind *kind, struct krn_str name);

/* The kind that a scope refers to; -1: none; -2: a segment; -3: not built. */
int krn_scope_kind(struct krn_str scope);

/* The phase of a flow node's type: 1, 2, 3, 0 for any; -1: unknown. */
int krn_flow_phase(struct krn_str type);

/*
 * Members of free-form objects that hold ids, and how a bundle names them.
 */
struct krn_kind_link {
	const char *id;  /* "strategyProfileId", "offerIds" */
	const char *ref; /* "strategyProfileRef", "offerRefs" */
	enum krn_kind_id kind;
	bool list;
};

/* The link of a member's name (in either spelling), or NULL. */
const struct krn_kind_link *krn_kind_link_find(struct krn_str name,
					       bool as_ref);

#endif
