#ifndef KRN_S3_PRIVATE_H
#define KRN_S3_PRIVATE_H

/* What links, uploads and listings share. */

#include "egress/http.h"
#include "egress/s3.h"

struct s3_call {
	const char *method;
	struct krn_s3_object object; /* key "": the bucket */
	struct krn_str query; /* canonical: sorted, encoded; "" for none */
	struct krn_str body;
	const char *content_type; /* of the body; NULL: XML */
	const char *header;       /* one more, "Name: value", or NULL */
	const char *wanted;       /* a header of the answer, or NULL */
	size_t answer_max;        /* 0: that of an answer in XML */
	int tries;                /* 0: the usual number */
	bool may_lack;            /* what is not there is gone already */
	bool (*tick)(void *data); /* as of krn_http_request */
	void *tick_data;
};

/* "https://" and the host with its port; the path with its leading "/". */
struct s3_place {
	const char *scheme;
	struct krn_str host, path;
};

KRN_MUSTCHECK enum krn_err s3_place(struct krn_arena *arena,
				    const struct krn_options *options,
				    const struct krn_s3_object *object,
				    struct s3_place *ret,
				    struct krn_error *err);

struct krn_str s3_region(const struct krn_options *options);

/*
 * Call and judge the answer; `arena` has it and is otherwise scratch.
 * Errors: KRN_ERR_UNAVAILABLE  no answer, or one that says "later"
 *         KRN_ERR_CONFLICT     the tick gave false
 *         KRN_ERR_NOTFOUND     there is no such object
 *         KRN_ERR_INVALID      an answer that stays the same
 */
KRN_MUSTCHECK enum krn_err s3_request(struct krn_arena *arena,
				      const struct krn_options *options,
				      const struct s3_call *call,
				      struct krn_http_answer *ret,
				      struct krn_error *err);

/*
 * The text of the next <name> in *rest, which moves behind it; false: there
 * is none. Character references are not resolved: our keys need none.
 */
bool s3_xml_next(struct krn_str *rest, const char *name, struct krn_str *ret);

#endif
