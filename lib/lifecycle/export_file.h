#ifndef KRN_EXPORT_FILE_H
#define KRN_EXPORT_FILE_H

/*
 * Files of the export: where they are, and the manifest: beside the data, in
 * exports/_manifest/<tenant>/interaction_history/, a line of JSON for each
 * file, in a file of its own with the name of the batch. It is written when
 * the data is there, so a reader of the lake finds no file in it that is not
 * whole.
 *
 * Source: contract section 2, export-interactions; doc/export.md
 */

#include "egress/target.h"

struct krn_export_file {
	struct krn_str tenant_id;
	struct krn_str path; /* below EXPORT_URL */
	struct krn_str sha256;
	struct krn_str previous_sha256; /* .s NULL: it is the first */
	int64_t number;                 /* 1 is the tenant's first */
	int64_t rows_before;            /* in the files before it */
	int64_t rows, bytes;
};

/* The address of a path below EXPORT_URL; .s NULL: the arena is exhausted. */
KRN_MUSTCHECK struct krn_str krn_export_url(struct krn_arena *arena,
					    struct krn_str root,
					    struct krn_str path);

/* The path of a file's manifest; .s NULL as above. */
KRN_MUSTCHECK struct krn_str
krn_export_manifest_path(struct krn_arena *arena,
			 const struct krn_export_file *file);

/*
 * Its line, with a newline.
 * Ownership: *ret lives in `arena`.
 */
KRN_MUSTCHECK enum krn_err
krn_export_manifest(struct krn_arena *arena, const struct krn_export_file *file,
		    struct krn_str *ret, struct krn_error *err);

/*
 * Write it; the caller syncs and publishes *ret.
 * Ownership: as krn_target_begin
 * Errors:    those of egress/target.h
 */
KRN_MUSTCHECK enum krn_err
krn_export_manifest_write(struct krn_arena *arena,
			  const struct krn_options *options,
			  const struct krn_export_file *file,
			  struct krn_target **ret, struct krn_error *err);

/*
 * The paths below EXPORT_URL of a tenant's files, first to last: of those
 * whose paths below its folder are behind `after` ("": all).
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    those of krn_source_list
 */
KRN_MUSTCHECK enum krn_err
krn_export_list(struct krn_arena *arena, const struct krn_options *options,
		struct krn_str tenant_id, struct krn_str after,
		struct krn_str **ret, size_t *ret_nr, struct krn_error *err);

/* All its manifests, in the same way. */
KRN_MUSTCHECK enum krn_err
krn_export_list_manifests(struct krn_arena *arena,
			  const struct krn_options *options,
			  struct krn_str tenant_id, struct krn_str **ret,
			  size_t *ret_nr, struct krn_error *err);

#endif
