#ifndef KRN_ROUTE_H
#define KRN_ROUTE_H

/*
 * Routes are rows of one table (routes.c). What a row requires, the
 * dispatcher enforces; a column that was left unset is refused at start-up
 * and by t/unit/routes.c.
 */

#include "access/ratelimit.h"
#include "fcgi/request.h"

enum krn_auth {
	KRN_AUTH__UNSET = 0,
	KRN_AUTH_NONE,   /* healthz, readyz */
	KRN_AUTH_VIEWER, /* an API key of at least this role */
	KRN_AUTH_EDITOR,
	KRN_AUTH_ADMIN,
	KRN_AUTH_CRON_SECRET, /* /api/v1/cron: Bearer, X-Cron-Secret */
	KRN_AUTH_CRON_TOKEN,  /* /api/cron/tick: X-Cron-Token too */
	KRN_AUTH_OPERATOR,    /* by address: loopback or METRICS_ALLOW */
};

enum krn_pool {
	KRN_POOL__UNSET = 0,
	KRN_POOL_API,
	KRN_POOL_CRON,
	KRN_POOL_BOTH, /* healthz, readyz */
};

enum krn_body {
	KRN_BODY__UNSET = 0,
	KRN_BODY_NONE,    /* a body is refused */
	KRN_BODY_IGNORED, /* cron POST */
	KRN_BODY_JSON,    /* strict JSON object, fields with KRN_IN_BODY */
	KRN_BODY_OPTIONAL_JSON, /* the same, or none */
	KRN_BODY_RAW,     /* any media type; the handler parses */
};

enum krn_field_in {
	KRN_IN_QUERY,
	KRN_IN_BODY,
	KRN_IN_WHOLE, /* the JSON body itself: an object of any members */
};

/* The type of a field and of the member that it fills. */
enum krn_field_type {
	KRN_FIELD_STRING,  /* struct krn_str; min..max code points */
	KRN_FIELD_INT,     /* int64_t; min..max */
	KRN_FIELD_BOOL,    /* bool; in a query only the literal true */
	KRN_FIELD_VALUE,   /* const struct krn_value *: any JSON, body only */
};

struct krn_field {
	const char *name; /* "scheduleTime" */
	enum krn_field_in in;
	enum krn_field_type type;
	bool required;
	bool nullable;        /* body: null counts as absent */
	int64_t min, max;     /* of KRN_FIELD_INT and KRN_FIELD_STRING */
	int64_t fallback;     /* of KRN_FIELD_INT when absent */
	size_t offset;        /* of the member in the route's struct */
	const char *const *choices; /* of KRN_FIELD_STRING, NULL-terminated */
};

/*
 * The route's struct begins with this: bit i is set when fields[i] was there
 * (so PUT can tell an absent field from null: nulls has the bit too).
 */
struct krn_fields {
	uint64_t present;
	uint64_t nulls;
};

typedef enum krn_err (*krn_handler_fn)(struct krn_request *request,
				       struct krn_response *response,
				       struct krn_error *err);

struct krn_route {
	const char *path; /* "/api/v1/runs/{id}" */
	unsigned methods; /* enum krn_method, or-ed; one row per path and method
			     set; HEAD and OPTIONS need not be named */
	const char *name; /* for log and metrics: "campaign.get" */
	enum krn_auth auth;
	enum krn_pool pool;
	enum krn_tx tx;
	/* when set, the transaction that this very request needs */
	enum krn_tx (*tx_of)(const struct krn_request *request);
	enum krn_body body;
	size_t body_max;  /* bytes; 0 only without a body */
	const struct krn_field *fields;
	size_t fields_nr;
	size_t fields_size; /* sizeof the route's struct */
	const struct krn_ratelimit *limit; /* NULL: none */
	/* a POST whose answer is a secret, or that is several transactions:
	 * an Idempotency-Key is ignored */
	bool never_kept;
	bool any_query;   /* unknown query parameters are ignored (gitops) */
	krn_handler_fn handler;
	/* what is done after a success, when the client has its answer: it
	 * begins transactions of its own */
	enum krn_err (*afterwards)(struct krn_request *request,
				   struct krn_error *err);
};

/* The table, in alphabetical order of path, then method. */
extern const struct krn_route krn_routes[];
extern const size_t krn_routes_nr;

#endif
