/* Which addresses the guard permits. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "egress/guard.h"

static bool
permits(const char *allow, const char *text)
{
	const struct krn_guard guard = {krn_str_c(allow), false};
	struct krn_address address;

	assert_true(krn_address_parse(krn_str_c(text), &address));
	return krn_guard_permits(&guard, &address);
}

static void
test_refused(void **state KRN_UNUSED)
{
	static const char *const refused[] = {
	    "0.0.0.0",
	    "0.1.2.3",
	    "10.0.0.1",
	    "100.64.0.1",
	    "100.100.100.200",
	    "127.0.0.1",
	    "127.255.255.255",
	    "168.63.129.16",
	    "169.254.169.254",
	    "172.16.0.1",
	    "172.31.255.255",
	    "192.0.0.192",
	    "192.168.1.1",
	    "198.18.0.1",
	    "198.19.255.255",
	    "192.0.2.1",
	    "198.51.100.7",
	    "203.0.113.9",
	    "224.0.0.1",
	    "255.255.255.255",
	    "::",
	    "::1",
	    "::ffff:127.0.0.1",
	    "::ffff:169.254.169.254",
	    "::ffff:10.0.0.1",
	    "::127.0.0.1",
	    "64:ff9b::a9fe:a9fe",
	    "64:ff9b:1::1",
	    "100::1",
	    "2001::1",
	    "2001:db8::1",
	    "2002:7f00:1::",
	    "fc00::1",
	    "fd00:ec2::254",
	    "fe80::1",
	    "fec0::1",
	    "ff02::1",
	    "3fff::1",
	};

	for (size_t i = 0; i < KRN_NR(refused); i++)
		if (permits("", refused[i]))
			fail_msg("%s is permitted", refused[i]);
}

static void
test_permitted(void **state KRN_UNUSED)
{
	static const char *const permitted[] = {
	    "1.1.1.1",         "9.255.255.255",   "11.0.0.0",
	    "100.63.255.255",  "100.128.0.0",     "126.255.255.255",
	    "128.0.0.1",       "169.253.255.255", "172.15.255.255",
	    "172.32.0.0",      "192.167.255.255", "198.17.0.0",
	    "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1",
	    "::ffff:1.1.1.1",  "2003::1",
	};

	for (size_t i = 0; i < KRN_NR(permitted); i++)
		if (!permits("", permitted[i]))
			fail_msg("%s is not permitted", permitted[i]);
}

static void
test_allowed(void **state KRN_UNUSED)
{
	assert_true(permits("127.0.0.0/8", "127.0.0.1"));
	assert_true(permits("127.0.0.0/8", "::ffff:127.0.0.1"));
	assert_true(permits("10.1.0.0/16, 127.0.0.1", "127.0.0.1"));
	assert_false(permits("10.1.0.0/16, 127.0.0.1", "127.0.0.2"));
	assert_false(permits("10.1.0.0/16", "10.2.0.0"));
	assert_true(permits("fd00::/8,::1", "::1"));
	assert_false(permits("::/0", "127.0.0.1"));
	assert_false(permits("0.0.0.0/0", "::1"));
	assert_false(permits("nothing,127.0.0.0/x,/8", "127.0.0.1"));
	assert_true(krn_address_list_is(KRN_STR("")));
	assert_true(krn_address_list_is(KRN_STR("10.0.0.0/8, ::1")));
	assert_false(krn_address_list_is(KRN_STR("10.0.0.0/33")));
	assert_false(krn_address_list_is(KRN_STR("example.com")));
	assert_false(krn_address_list_is(KRN_STR("10.0.0.0/8,,::1")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_permitted),
	    cmocka_unit_test(test_allowed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
