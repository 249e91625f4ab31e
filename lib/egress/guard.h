#ifndef KRN_GUARD_H
#define KRN_GUARD_H

/*
 * The guard of calls to elsewhere: which addresses may be connected to, and
 * looking a name up without waiting for it.
 *
 * A tenant names hosts (webhooks). Such a name is looked up once, every
 * address of it must be permitted, and the connection goes to one of those
 * very addresses: what the name means a moment later does not matter. Never
 * permitted, unless EGRESS_ALLOW names them, are this host, private networks,
 * link-local addresses with the metadata services, multicast, and whatever
 * else is not of the public Internet.
 *
 * Source: RFC 6890 and IANA's special-purpose address registries; DESIGN
 * section 7.
 */

#include "base/address.h"
#include "base/error.h"

struct krn_guard {
	struct krn_str allow; /* EGRESS_ALLOW: ranges, separated by commas */
	bool open;            /* nothing is refused */
};

/* For addresses that the operator configured: wherever they point. */
extern const struct krn_guard krn_guard_operator;

bool krn_guard_permits(const struct krn_guard *guard,
		       const struct krn_address *address);

/* Looking up */

/*
 * A lookup under way; at most KRN_LOOKUPS_MAX of a process, which is as many
 * as glibc works on at a time: another would wait there, unseen, behind names
 * that nobody answers for.
 * Source: glibc, resolv/gai_misc.c (gai_threads).
 */
struct krn_lookup;
#define KRN_LOOKUPS_MAX 20

/* Source: RFC 1035, 3.1: a name has at most 255 octets. */
#define KRN_LOOKUP_HOST_MAX 255

/* How many addresses of a name are looked at; one with more is refused. */
#define KRN_LOOKUP_ADDRESSES_MAX 32

/* At most KRN_LOOKUP_HOST_MAX bytes. NULL: none is free. */
struct krn_lookup *krn_lookup_start(struct krn_str host);

/* Does not wait. */
bool krn_lookup_is_done(const struct krn_lookup *lookup);

/*
 * The addresses of a lookup that is done.
 * Errors: KRN_ERR_UNAVAILABLE  the name has none
 *         KRN_ERR_FORBIDDEN    one of them is not permitted
 */
KRN_MUSTCHECK enum krn_err
krn_lookup_take(const struct krn_lookup *lookup, const struct krn_guard *guard,
		struct krn_address ret[KRN_LOOKUP_ADDRESSES_MAX],
		size_t *ret_nr, struct krn_error *err);

/* Give it back, done or not; what is under way ends by itself. */
void krn_lookup_end(struct krn_lookup *lookup);

#endif
