#ifndef KRN_ADDRESS_H
#define KRN_ADDRESS_H

/*
 * Internet addresses and lists of ranges, as options hold them:
 * "10.0.0.0/8, 192.168.1.5, ::1". An IPv4 address that is written as IPv6
 * (::ffff:10.0.0.1) is the IPv4 address.
 */

#include "base/text.h"

struct sockaddr;

struct krn_address {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/* False: it is none. */
bool krn_address_parse(struct krn_str text, struct krn_address *ret);

/* False: it is of neither family. */
bool krn_address_of(const struct sockaddr *sockaddr, struct krn_address *ret);

bool krn_address_is_v4(const struct krn_address *address);

/*
 * Is the address in one of the ranges, which commas separate? A range of IPv6
 * holds no IPv4 address. What is no range holds nothing.
 */
bool krn_address_listed(struct krn_str list, const struct krn_address *address);

/* Is every part of the list a range? The empty list is one. */
bool krn_address_list_is(struct krn_str list);

#endif
