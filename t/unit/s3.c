/* S3: paths that are taken and refused, links against published signatures. */

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/clock.h"
#include "egress/s3.h"

static void
test_paths(void **state KRN_UNUSED)
{
	static const char *const good[] = {
	    "bank",
	    "bank/",
	    "s3://bank",
	    "bank/a",
	    "bank/a/b/",
	    "my.bucket-1/year=2026/(x)!_.*",
	    "s3://bank/a.b/..c",
	};
	static const char *const bad[] = {
	    "",          "/",
	    "ba",        "Bank/x",
	    "-bank/x",   "bank-/x",
	    "ba..nk/x",  "bank/..",
	    "bank/../x", "bank/a/./b",
	    "bank//a",   "bank/a//",
	    "bank/a b",  "bank/a?b",
	    "bank/a%2e", "bank/\xc3\xa4",
	    "bank/a\nb", "bank/a&b",
	    "bank/<a>",  "file:///tmp",
	    "s3:///a",   "s3://s3://bank",
	    "bank/a\\b", "bank/#",
	    "bank:80/a", "user@bank/a",
	};
	struct krn_s3_object object;
	struct krn_error err;

	for (size_t i = 0; i < KRN_NR(good); i++)
		if (krn_s3_path_parse(krn_str_c(good[i]), &object, &err))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < KRN_NR(bad); i++)
		if (krn_s3_path_parse(krn_str_c(bad[i]), &object, &err) !=
		    KRN_ERR_INVALID)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(
	    krn_s3_path_parse(KRN_STR("s3://bank/a/b"), &object, &err), KRN_OK);
	assert_true(krn_str_eq_c(object.bucket, "bank"));
	assert_true(krn_str_eq_c(object.key, "a/b"));
}

static void
test_campaign_paths(void **state KRN_UNUSED)
{
	static const struct {
		const char *allowed, *path;
		bool may;
	} cases[] = {
	    {"bank", "bank", true},
	    {"bank", "bank/a", true},
	    {"bank", "s3://bank/a", true},
	    {"bank", "bank2/a", false},
	    {"bank/out", "bank/out", true},
	    {"bank/out/", "bank/out/x", true},
	    {"bank/out", "bank/outer", false},
	    {"bank/out", "bank", false},
	    {"bank/out", "bank/out/../in", false},
	    {"bank/{tenant}", "bank/acme", true},
	    {"bank/{tenant}", "bank/acme/x", true},
	    {"bank/{tenant}", "bank/acme2", false},
	    {"bank/{tenant}", "bank/{tenant}", false},
	    {"{tenant}-out", "acme-out/x", true},
	    {"{tenant}-out", "other-out/x", false},
	    {"one, two/x ,three", "two/x/y", true},
	    {"one, two/x ,three", "three", true},
	    {"one, two/x ,three", "two", false},
	    {",,", "bank", false},
	    {"", "bank", false},
	};
	struct krn_options options = {
	    .aws_access_key_id = KRN_STR("id"),
	    .aws_secret_access_key = KRN_STR("secret"),
	};

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		struct krn_error err;

		options.s3_campaign_paths = krn_str_c(cases[i].allowed);
		if ((krn_s3_campaign_path_check(
			 &options, KRN_STR("acme"), krn_str_c(cases[i].path),
			 &err) == KRN_OK) != cases[i].may)
			fail_msg("%s in \"%s\"", cases[i].path,
				 cases[i].allowed);
	}
	options.s3_campaign_paths = KRN_STR("bank");
	options.aws_secret_access_key = KRN_STR("");
	assert_int_equal(krn_s3_campaign_path_check(&options, KRN_STR("acme"),
						    KRN_STR("bank"), NULL),
			 KRN_ERR_INVALID);
}

/* Source: AWS, "authenticating requests: using query parameters", example. */
static void
test_published_link(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);
	const struct krn_options options = {
	    .aws_access_key_id = KRN_STR("AKIAIOSFODNN7EXAMPLE"),
	    .aws_secret_access_key =
		KRN_STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
	    .s3_endpoint = KRN_STR("https://s3.amazonaws.com:443"),
	    .s3_addressing = KRN_STR("auto"),
	};
	const struct krn_s3_object object = {KRN_STR("examplebucket"),
					     KRN_STR("test.txt")};
	struct krn_str link;
	struct krn_error err;
	int64_t at;

	assert_int_equal(
	    krn_time_parse(KRN_STR("2013-05-24T00:00:00Z"), &at, &err), KRN_OK);
	assert_int_equal(krn_s3_link(arena, &options, &object, at, 86400,
				     KRN_STR(""), &link, &err),
			 KRN_OK);
	assert_string_equal(
	    link.s,
	    "https://examplebucket.s3.amazonaws.com/test.txt"
	    "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
	    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"
	    "%2Fs3%2Faws4_request"
	    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
	    "&X-Amz-SignedHeaders=host"
	    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957"
	    "d157751f604d404");
	krn_arena_free(arena);
}

static void
test_addresses(void **state KRN_UNUSED)
{
	static const struct {
		const char *endpoint, *addressing, *region, *bucket, *begins;
	} cases[] = {
	    {"", "auto", "", "bank",
	     "https://bank.s3.us-east-1.amazonaws.com/"
	     "a%3D1/b?"},
	    {"", "auto", "eu-west-1", "my.bank",
	     "https://s3.eu-west-1.amazonaws.com/my.bank/a%3D1/b?"},
	    {"", "path", "eu-west-1", "bank",
	     "https://s3.eu-west-1.amazonaws.com/bank/a%3D1/b?"},
	    {"https://minio.example:9000", "auto", "", "bank",
	     "https://minio.example:9000/bank/a%3D1/b?"},
	    {"https://minio.example:9000", "virtual", "", "bank",
	     "https://bank.minio.example:9000/a%3D1/b?"},
	    {"http://127.0.0.1:80", "auto", "", "bank",
	     "http://127.0.0.1/bank/a%3D1/b?"},
	};
	struct krn_arena *arena = krn_arena_new(0);

	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct krn_options options = {
		    .aws_access_key_id = KRN_STR("id"),
		    .aws_secret_access_key = KRN_STR("secret"),
		    .aws_session_token = KRN_STR("a/b+c="),
		    .aws_region = krn_str_c(cases[i].region),
		    .s3_endpoint = krn_str_c(cases[i].endpoint),
		    .s3_addressing = krn_str_c(cases[i].addressing),
		};
		const struct krn_s3_object object = {krn_str_c(cases[i].bucket),
						     KRN_STR("a=1/b")};
		struct krn_str link;
		struct krn_error err;

		assert_int_equal(krn_s3_link(arena, &options, &object, 0, 300,
					     KRN_STR("x"), &link, &err),
				 KRN_OK);
		if (!krn_str_has_prefix(link, krn_str_c(cases[i].begins)))
			fail_msg("%s", link.s);
		assert_non_null(strstr(link.s, "&X-Amz-Security-Token=a%2Fb%2Bc"
					       "%3D&"));
		assert_null(strstr(link.s, "secret"));
	}
	krn_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_campaign_paths),
	    cmocka_unit_test(test_published_link),
	    cmocka_unit_test(test_addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
