#ifndef KRN_YAML_IN_H
#define KRN_YAML_IN_H

/*
 * YAML to a value: libyaml's events under limits of our own. Plain scalars
 * are read by the core schema of YAML 1.2: only null, true, false and its
 * numbers are not strings; "no", "on", dates and octals of 1.1 are strings.
 *
 * Refused: several documents, tags but those of the core schema, merge keys,
 * duplicate keys, keys that are no strings, infinite numbers, more depth and
 * aliases than the limits. An alias shares what it names; what it would
 * expand to is counted.
 *
 * This is the only file of ours that includes yaml.h.
 */

#include "base/value.h"

#define KRN_YAML_DEPTH_MAX 64
#define KRN_YAML_ALIASES_MAX 1000
#define KRN_YAML_ALIAS_NODES_MAX 100000

/*
 * Ownership: *ret lives in `arena` and does not refer to `text`.
 * Errors:    KRN_ERR_INVALID  message names line and column and what is wrong
 *            as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_yaml_parse(struct krn_arena *arena,
					  struct krn_str text,
					  struct krn_value *ret,
					  struct krn_error *err);

#endif
