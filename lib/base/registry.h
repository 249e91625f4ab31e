#ifndef KRN_REGISTRY_H
#define KRN_REGISTRY_H

/*
 * Counters and histograms that all processes of a host share: a file that each
 * maps (METRICS_FILE). Recording is an atomic addition, without a lock and
 * without a system call; a series is made by whoever needs it first and is
 * never removed. A process also has a row of its own that says what it does; it
 * is held by a lock of the file, which ends with the process however that ends.
 *
 * Without a file, or when it cannot be used, the registry is the process's own.
 *
 * Source: DESIGN section 6, metrics.
 */

#include "base/text.h"

enum krn_registry_family {
	KRN_REGISTRY_HTTP_REQUESTS,
	KRN_REGISTRY_HTTP_SECONDS,
	KRN_REGISTRY_DATABASE_SECONDS,
	KRN_REGISTRY_JOBS,
	KRN_REGISTRY_JOB_SECONDS,
	KRN_REGISTRY_EGRESS_REQUESTS,
	KRN_REGISTRY_EGRESS_SECONDS,
	KRN_REGISTRY_OFFERS_EVALUATED,
	KRN_REGISTRY_DECISIONS,
	KRN_REGISTRY__MAX,
};

#define KRN_REGISTRY_LABELS_MAX 4

struct krn_registry_row {
	const char *name; /* "kaireon_http_requests_total" */
	const char *help;
	bool is_histogram; /* of seconds; else a counter */
	bool is_seconds;   /* a counter that was added microseconds */
	const char *labels[KRN_REGISTRY_LABELS_MAX]; /* NULL: no more */
};

/* The families, in the order of the enum. */
extern const struct krn_registry_row krn_registry_rows[KRN_REGISTRY__MAX];

/* Upper bounds of a histogram's buckets in microseconds; +Inf comes after. */
#define KRN_REGISTRY_BUCKETS 13
extern const int64_t krn_registry_bounds_us[KRN_REGISTRY_BUCKETS];

/* Life cycle */

/*
 * Map the registry and take a row for this process; `what` is its kind, such
 * as "api". "" as the path: the registry is this process's own.
 * Errors: KRN_ERR_INTERNAL  the file cannot be used; the registry is the
 *                           process's own then, and works
 */
KRN_MUSTCHECK enum krn_err
krn_registry_open(struct krn_str path, const char *what, struct krn_error *err);

/* The kind of this process; "" before krn_registry_open. */
const char *krn_registry_what(void);

/* Change. Before krn_registry_open: nothing happens. */

/* `labels` has as many values as the family has labels. */
void krn_registry_add(enum krn_registry_family family,
		      const char *const *labels, int64_t n);
void krn_registry_observe(enum krn_registry_family family,
			  const char *const *labels, int64_t us);

/* This process begins or ends a request or a job. */
void krn_registry_busy(bool is_busy);

/* Read */

struct krn_registry_series {
	enum krn_registry_family family;
	const char *labels[KRN_REGISTRY_LABELS_MAX];
	int64_t value; /* of a counter; of a histogram the sum, microseconds */
	int64_t buckets[KRN_REGISTRY_BUCKETS + 1]; /* each by itself */
};

/* Every series, in no order. What `series` points to ends with the call. */
void krn_registry_each(void (*fn)(void *data,
				  const struct krn_registry_series *series),
		       void *data);

/* How many processes of a kind there are, and how many of them are busy. */
void krn_registry_processes(void (*fn)(void *data, const char *what,
				       int64_t busy, int64_t idle),
			    void *data);

/* Series that found no room. */
int64_t krn_registry_dropped(void);

#endif
