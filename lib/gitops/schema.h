#ifndef KRN_SCHEMA_H
#define KRN_SCHEMA_H

/*
 * The JSON Schema (draft 2020-12) of a bundle, from the table of kinds: for
 * editors, which complete and check bundles with it. It says less than an
 * apply checks: references, rules across fields and configs are beyond it.
 */

#include "base/buf.h"

void krn_bundle_schema(struct krn_buf *buf);

#endif
