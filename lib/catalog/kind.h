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
	KRN_KIND_SUBCATEGORY,
	KRN_KIND_CHANNEL,
	KRN_KIND_OFFER,
	KRN_KIND_CREATIVE,
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
	double min, max;      /* of a number; longest text or list; 0: no limit */
	const char *const *choices;
	enum krn_kind_id reference;
};

struct krn_kind {
	const char *name;   /* "Offer" */
	const char *entity; /* in audit rows: "ranking_profile" */
	const char *folder; /* "offers" */
	const char *table;  /* "offers" */
	const char *prefix; /* of ids: "off" */
	size_t name_max;    /* code points */
	const struct krn_kind_field *fields;
	size_t fields_nr;
	bool needs_admin; /* a real apply that touches it */
	bool in_v1;       /* reconciled under GITOPS_KINDS=v1 */
	const char *within; /* the field that is part of the identity */
};

/* In the order of their dependencies, which is that of diffs. */
extern const struct krn_kind krn_kinds[KRN_KIND__MAX];

/* -1: unknown. */
int krn_kind_find(struct krn_str name);

/* The index of a field of a kind, or -1. */
int krn_kind_field_find(const struct krn_kind *kind, struct krn_str name);

/* What a scopeRef names, when it is no kind of the table. */
enum krn_ref {
	KRN_REF_NOTHING = -1,    /* nothing */
	KRN_REF_SEGMENT = -2,   /* a segment, by name */
	KRN_REF_PLACEMENT = -3, /* a placement: a text of the channel's own */
	KRN_REF_UNKNOWN = -4,
};

/* A kind, or one of enum krn_ref. */
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
