#ifndef KRN_BUNDLE_DIR_H
#define KRN_BUNDLE_DIR_H

/*
 * The files layout of a bundle in a folder: bundle.yaml and one file a
 * resource in the folders of the kinds. What lies in those folders is the
 * bundle; the list in bundle.yaml is for people.
 */

#include "base/buf.h"
#include "base/value.h"
#include "gitops/bundle.h"

struct krn_bundle_dir {
	struct krn_str body;   /* the bundle as JSON */
	struct krn_str *paths; /* of each resource, for messages */
	size_t nr;
};

/*
 * Read a folder.
 * Errors: KRN_ERR_INVALID   a file that is not YAML or JSON, or a link: named
 *         KRN_ERR_NOTFOUND  no bundle.yaml or bundle.json
 */
KRN_MUSTCHECK enum krn_err krn_bundle_dir_read(struct krn_arena *arena,
					       struct krn_str dir,
					       struct krn_bundle_dir *ret,
					       struct krn_error *err);

/*
 * Write {"files": {path: content}} into a folder and remove the resources of
 * the kinds that are not in it. A bundle.yaml that differs by exportedAt only is kept.
 * Errors: KRN_ERR_INVALID   a path or link that leads elsewhere; nothing is written
 *         KRN_ERR_INTERNAL  the disk
 */
KRN_MUSTCHECK enum krn_err krn_bundle_dir_write(struct krn_arena *arena,
						struct krn_str dir,
						krn_kind_set kinds,
						const struct krn_value *answer,
						size_t *ret_files,
						struct krn_error *err);

/*
 * A file's bytes, with a NUL behind them; "-" is the standard input.
 * Errors: KRN_ERR_NOTFOUND, KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_file_read(struct krn_arena *arena,
					 struct krn_str path,
					 struct krn_str *ret,
					 struct krn_error *err);

#endif
