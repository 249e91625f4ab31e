/*
 * The guard, and lookups by getaddrinfo_a, whose threads may outlive whoever
 * asked: so their memory belongs to the process.
 */

#include "base/base.h"

#include "egress/guard.h"

#include <netdb.h>
#include <stdatomic.h>
#include <sys/socket.h>

const struct krn_guard krn_guard_operator = {{"", 0}, true};

/* IPv4 that is not the public Internet's. The last but two is a cloud's
 * metadata service outside of the link-local range. */
#define GUARD_REFUSED_V4                                                       \
	"0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,"       \
	"172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,"              \
	"192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,"         \
	"168.63.129.16/32,224.0.0.0/4,240.0.0.0/4"

/* Of IPv6 only global unicast, without what carries other addresses in it. */
#define GUARD_GLOBAL_V6 "2000::/3"
#define GUARD_REFUSED_V6 "2001::/23,2001:db8::/32,2002::/16,3fff::/20"

bool
krn_guard_permits(const struct krn_guard *guard,
		  const struct krn_address *address)
{
	if (guard->open || krn_address_listed(guard->allow, address))
		return true;
	if (krn_address_is_v4(address))
		return !krn_address_listed(KRN_STR(GUARD_REFUSED_V4), address);
	return krn_address_listed(KRN_STR(GUARD_GLOBAL_V6), address) &&
	       !krn_address_listed(KRN_STR(GUARD_REFUSED_V6), address);
}

/* Lookups */

enum lookup_state { LOOKUP_FREE, LOOKUP_HELD, LOOKUP_ABANDONED };

struct krn_lookup {
	atomic_int state;
	char host[KRN_LOOKUP_HOST_MAX + 1];
	struct addrinfo hints;
	struct gaicb request;
};

static struct krn_lookup lookups[KRN_LOOKUPS_MAX];

static void
lookup_clear(struct krn_lookup *lookup)
{
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	lookup->request.ar_result = NULL;
	atomic_store(&lookup->state, LOOKUP_FREE);
}

/* A place that is free, or that was given back before its lookup ended. */
static struct krn_lookup *
lookup_place(void)
{
	for (size_t i = 0; i < KRN_NR(lookups); i++) {
		struct krn_lookup *lookup = &lookups[i];
		int want = LOOKUP_ABANDONED;

		if (krn_lookup_is_done(lookup) &&
		    atomic_compare_exchange_strong(&lookup->state, &want,
						   LOOKUP_HELD))
			lookup_clear(lookup);
		want = LOOKUP_FREE;
		if (atomic_compare_exchange_strong(&lookup->state, &want,
						   LOOKUP_HELD))
			return lookup;
	}
	return NULL;
}

struct krn_lookup *
krn_lookup_start(struct krn_str host)
{
	struct krn_lookup *lookup = lookup_place();
	struct gaicb *list[1];

	KRN_BUG_IF(host.len > KRN_LOOKUP_HOST_MAX);
	if (!lookup)
		return NULL;
	memcpy(lookup->host, host.s, host.len);
	lookup->host[host.len] = '\0';
	lookup->hints = (struct addrinfo){.ai_family = AF_UNSPEC,
					  .ai_socktype = SOCK_STREAM};
	lookup->request = (struct gaicb){.ar_name = lookup->host,
					 .ar_request = &lookup->hints};
	list[0] = &lookup->request;
	if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
		lookup_clear(lookup);
		return NULL;
	}
	return lookup;
}

bool
krn_lookup_is_done(const struct krn_lookup *lookup)
{
	struct krn_lookup *asked = &lookups[lookup - lookups];

	return gai_error(&asked->request) != EAI_INPROGRESS;
}

enum krn_err
krn_lookup_take(const struct krn_lookup *lookup, const struct krn_guard *guard,
		struct krn_address ret[KRN_LOOKUP_ADDRESSES_MAX],
		size_t *ret_nr, struct krn_error *err)
{
	const struct addrinfo *info = lookup->request.ar_result;

	*ret_nr = 0;
	for (; info; info = info->ai_next) {
		struct krn_address address;

		if (!krn_address_of(info->ai_addr, &address))
			continue;
		if (!krn_guard_permits(guard, &address) ||
		    *ret_nr == KRN_LOOKUP_ADDRESSES_MAX)
			return krn_refuse(
			    err, KRN_ERR_FORBIDDEN,
			    "the address of the host is not permitted");
		ret[(*ret_nr)++] = address;
	}
	return *ret_nr ? KRN_OK
		       : krn_refuse(err, KRN_ERR_UNAVAILABLE,
				    "the host has no address");
}

void
krn_lookup_end(struct krn_lookup *lookup)
{
	if (!lookup)
		return;
	if (krn_lookup_is_done(lookup))
		lookup_clear(lookup);
	else
		atomic_store(&lookup->state, LOOKUP_ABANDONED);
}
