/*
 * kaireonctl gitops …
 */

#include "base/base.h"

#include "ctl/ctl.h"
#include "gitops/schema.h"

enum krn_err
krn_cmd_gitops_schema(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	krn_buf_init(&buf, ctl->arena);
	krn_bundle_schema(&buf);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	printf("%.*s\n", KRN_STR_ARG(text));
	return KRN_OK;
}
