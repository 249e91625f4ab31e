/*
 * kaireonctl import, segment …
 */

#include "base/base.h"

#include <errno.h>
#include <unistd.h>

#include "base/json_out.h"
#include "campaign/import.h"
#include "campaign/segment.h"
#include "ctl/ctl.h"
#include "queue/job.h"

/* A bar of forty characters, on a terminal only. */
static void
import_bar(void *data KRN_UNUSED, int64_t done, int64_t total)
{
	const int filled = total > 0 ? (int)(40 * done / total) : 40;

	fprintf(stderr, "\r[%.*s%.*s]", filled > 40 ? 40 : filled,
		"########################################",
		filled > 40 ? 0 : 40 - filled,
		"........................................");
}

/* Standard input is kept in an unlinked file: it is read twice. */
static enum krn_err
import_spool(FILE **ret, struct krn_error *err)
{
	static char buffer[65536];
	FILE *file = tmpfile();
	size_t len;

	if (!file)
		return krn_fail_errno(err, "make a temporary file");
	while ((len = fread(buffer, 1, sizeof(buffer), stdin)))
		if (fwrite(buffer, 1, len, file) != len) {
			fclose(file);
			return krn_fail_errno(err, "keep standard input");
		}
	*ret = file;
	return KRN_OK;
}

static enum krn_err
import_open(struct krn_str name, FILE **ret, struct krn_error *err)
{
	if (krn_str_eq_c(name, "-"))
		return import_spool(ret, err);
	*ret = fopen(name.s, "re");
	return *ret ? KRN_OK : krn_fail_errno(err, "open \"%s\"", name.s);
}

static enum krn_err
import_check(const struct krn_ctl *ctl, struct krn_error *err)
{
	if (ctl->words_nr != 1)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "one file is to be imported");
	if ((ctl->id_column.s != NULL) == (ctl->number_rows.s != NULL))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "give --id-column or --number-rows");
	if (ctl->append && ctl->replace)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "give --append or --replace, not both");
	if (ctl->delimiter.s && ctl->delimiter.len != 1 &&
	    !krn_str_eq_c(ctl->delimiter, "\\t"))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "--delimiter must be one character");
	return KRN_OK;
}

enum krn_err
krn_cmd_import(struct krn_ctl *ctl, struct krn_error *err)
{
	const bool shows = isatty(STDERR_FILENO) && !ctl->json;
	struct krn_import_result result;
	FILE *file = NULL;
	enum krn_err e;

	if ((e = import_check(ctl, err)) ||
	    (e = import_open(ctl->words[0], &file, err)))
		return e;
	const struct krn_import import = {
	    .tenant_id = ctl->tenant,
	    .schema = ctl->schema,
	    .id_column = ctl->number_rows.s ? ctl->number_rows : ctl->id_column,
	    .number_rows = ctl->number_rows.s != NULL,
	    .ndjson = ctl->format.s
			  ? krn_str_eq_c(ctl->format, "ndjson")
			  : krn_str_has_suffix(ctl->words[0],
					       KRN_STR(".ndjson")) ||
				krn_str_has_suffix(ctl->words[0],
						   KRN_STR(".jsonl")),
	    .delimiter = !ctl->delimiter.s		? '\0'
			 : krn_str_eq_c(ctl->delimiter, "\\t") ? '\t'
							       : ctl->delimiter.s[0],
	    .types = ctl->types.s ? ctl->types : KRN_STR(""),
	    .mode = ctl->append	   ? KRN_IMPORT_APPEND
		    : ctl->replace ? KRN_IMPORT_REPLACE
				   : KRN_IMPORT_NEW,
	    .file = file,
	    .progress = shows ? import_bar : NULL,
	};

	e = krn_import(ctl->arena, ctl->db, &import, &result, err);
	fclose(file);
	if (shows)
		fputs("\r\033[K", stderr);
	if (e && err->code == KRN_ERR_INVALID && err->message[0]) {
		char why[480];

		snprintf(why, sizeof(why), "%.470s", err->message);
		return krn_refuse(err, KRN_ERR_INVALID, "%s: %s",
				  ctl->words[0].s, why);
	}
	if (e)
		return e;
	if (ctl->json)
		printf("{\"schema\": \"%s\", \"table\": \"%s\", \"rows\": "
		       "%lld, \"durationMs\": %lld}\n",
		       result.schema.s, result.table.s, (long long)result.rows,
		       (long long)result.duration_ms);
	else
		printf("imported %lld customers into %s\n",
		       (long long)result.rows, result.schema.s);
	return KRN_OK;
}

enum krn_err
krn_cmd_segment_create(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_segment segment;
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(ctl->db, ctl->tenant);
	if ((e = krn_segment_create(ctl->arena, ctl->db, ctl->name, ctl->schema,
				    ctl->wheres, ctl->wheres_nr, &segment,
				    err)) ||
	    (e = krn_db_commit(ctl->db, err)))
		return e;
	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "id", segment.id);
	krn_json_str(&out, "name", segment.name);
	krn_json_str(&out, "viewName", segment.view_name);
	krn_json_int(&out, "customerCount", segment.customer_count);
	krn_json_close(&out);
	krn_json_end(&out);
	if (ctl->json)
		printf("%.*s\n", (int)buf.len, buf.data);
	else
		printf("segment %s: %lld customers\n", segment.id.s,
		       (long long)segment.customer_count);
	return KRN_OK;
}

enum krn_err
krn_cmd_segment_list(struct krn_ctl *ctl, struct krn_error *err)
{
	static const char *const columns[] = {"id",	  "name",
					      "schema",	  "viewName",
					      "customerCount", "status", NULL};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_READ, err)))
		return e;
	krn_tenant_set(ctl->db, ctl->tenant);
	krn_db_send(ctl->db, KRN_STMT_segment_list, NULL, &rows);
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	krn_ctl_print_rows(ctl, rows, columns);
	return KRN_OK;
}
