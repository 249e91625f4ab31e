#ifndef KRN_YAML_OUT_H
#define KRN_YAML_OUT_H

/*
 * A value as YAML, always the same text for the same value: block style, two
 * spaces, members in their order. A string is quoted whenever a reader of
 * YAML 1.1 or 1.2 could take it for something else.
 */

#include "base/buf.h"
#include "base/value.h"

void krn_yaml_write(struct krn_buf *buf, const struct krn_value *value);

/* One item of a list whose items stand `depth` levels in. */
void krn_yaml_write_item(struct krn_buf *buf, const struct krn_value *item,
			 int depth);

#endif
