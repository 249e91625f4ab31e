/*
 * Addresses.
 */

#include "base/base.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* Source: RFC 4291, 2.5.5.2: IPv4-mapped addresses. */
static const unsigned char address_mapped[12] = {0, 0, 0, 0, 0,    0,
						 0, 0, 0, 0, 0xff, 0xff};

#define ADDRESS_V4_AT sizeof(address_mapped)
#define ADDRESS_BITS 128

static void
address_from_v4(const void *bytes, struct krn_address *ret)
{
	memcpy(ret->bytes, address_mapped, ADDRESS_V4_AT);
	memcpy(ret->bytes + ADDRESS_V4_AT, bytes, 4);
}

bool
krn_address_parse(struct krn_str text, struct krn_address *ret)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char v4[4];

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.s, text.len);
	copy[text.len] = '\0';
	if (strchr(copy, ':'))
		return inet_pton(AF_INET6, copy, ret->bytes) == 1;
	if (inet_pton(AF_INET, copy, v4) != 1)
		return false;
	address_from_v4(v4, ret);
	return true;
}

bool
krn_address_of(const struct sockaddr *sockaddr, struct krn_address *ret)
{
	if (sockaddr->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sockaddr, sizeof(in));
		address_from_v4(&in.sin_addr, ret);
		return true;
	}
	if (sockaddr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sockaddr, sizeof(in6));
		memcpy(ret->bytes, &in6.sin6_addr, sizeof(ret->bytes));
		return true;
	}
	return false;
}

bool
krn_address_is_v4(const struct krn_address *address)
{
	return memcmp(address->bytes, address_mapped, ADDRESS_V4_AT) == 0;
}

/* "10.0.0.0/8"; the bits count from the left of all 128. */
static bool
address_range(struct krn_str text, struct krn_address *ret, int64_t *ret_bits)
{
	const ptrdiff_t slash = krn_str_find_char(text, '/');
	const size_t len = slash < 0 ? text.len : (size_t)slash;
	const bool v4 = krn_str_find_char(text, ':') < 0;
	const int64_t most = v4 ? 32 : ADDRESS_BITS;

	*ret_bits = most;
	if (!krn_address_parse(krn_str_from(text.s, len), ret))
		return false;
	if (slash >= 0 && krn_parse_int64(krn_str_from(text.s + slash + 1,
						       text.len - len - 1),
					  0, most, ret_bits, NULL))
		return false;
	if (v4)
		*ret_bits += ADDRESS_BITS - 32;
	return true;
}

static bool
address_in(struct krn_str range, const struct krn_address *address)
{
	struct krn_address from;
	int64_t bits;

	if (!address_range(range, &from, &bits) ||
	    krn_address_is_v4(&from) != krn_address_is_v4(address))
		return false;
	for (int64_t i = 0; i < bits; i++)
		if ((from.bytes[i / 8] ^ address->bytes[i / 8]) &
		    (0x80 >> i % 8))
			return false;
	return true;
}

bool
krn_address_listed(struct krn_str list, const struct krn_address *address)
{
	struct krn_str range;

	while (list.len && krn_str_split(&list, ',', &range))
		if (address_in(krn_str_trim(range), address))
			return true;
	return false;
}

bool
krn_address_list_is(struct krn_str list)
{
	struct krn_address from;
	struct krn_str range;
	int64_t bits;

	while (list.len && krn_str_split(&list, ',', &range))
		if (!address_range(krn_str_trim(range), &from, &bits))
			return false;
	return true;
}
