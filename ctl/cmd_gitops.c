/*
 * kaireonctl gitops …: the GitOps routes of the API, for people and pipelines.
 */

#include "base/base.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "ctl/bundle_dir.h"
#include "ctl/ctl.h"
#include "egress/http.h"
#include "gitops/schema.h"

/* An apply of 100,000 resources takes well under a minute. */
#define GITOPS_TIMEOUT_MS 300000
#define GITOPS_ANSWER_MAX ((size_t)512 << 20)

struct gitops_call {
	const char *method;
	struct krn_str path; /* below BASE_URL/api/v1/gitops/ */
	struct krn_str body;
	const char *type;      /* of the body */
	struct krn_str *paths; /* of the body's resources, for messages */
	size_t paths_nr;
};

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

/* A folder, by what it is or by how it is written. */
static bool
gitops_is_dir(struct krn_str path)
{
	struct stat st;

	return krn_str_has_suffix(path, KRN_STR("/")) ||
	       (stat(path.s, &st) == 0 && S_ISDIR(st.st_mode));
}

static struct krn_str
gitops_dir(struct krn_arena *arena, struct krn_str path)
{
	while (path.len > 1 && path.s[path.len - 1] == '/')
		path.len--;
	return krn_str_dup(arena, path);
}

/* "?name=value", or "&name=value" */
static void
gitops_query(struct krn_buf *path, const char *name, struct krn_str value)
{
	if (!value.s)
		return;
	krn_buf_add_char(
	    path, path->len && memchr(path->data, '?', path->len) ? '&' : '?');
	krn_buf_printf(path, "%s=", name);
	krn_buf_add_percent(path, value, ",");
}

/* "resources[3].spec.x" of a folder's bundle is a file's. */
static const char *
gitops_place(struct krn_arena *arena, const struct gitops_call *call,
	     struct krn_str field)
{
	const struct krn_str prefix = KRN_STR("resources[");
	int64_t index = -1;
	ptrdiff_t end;

	if (!krn_str_has_prefix(field, prefix) || !call->paths_nr)
		return field.s;
	field = krn_str_from(field.s + prefix.len, field.len - prefix.len);
	end = krn_str_find_char(field, ']');
	if (end < 0 ||
	    krn_parse_int64(krn_str_from(field.s, (size_t)end), 0,
			    (int64_t)call->paths_nr - 1, &index, NULL))
		return field.s;
	const struct krn_str text = krn_str_printf(
	    arena, "%s%s", call->paths[index].s, field.s + end + 1);

	return text.s ? text.s : field.s;
}

/* The API refused: its message, and its problems at their places. */
static enum krn_err
gitops_refused(struct krn_ctl *ctl, const struct gitops_call *call,
	       const struct krn_http_answer *answer, struct krn_error *err)
{
	struct krn_problems *problems =
	    krn_arena_make(ctl->arena, struct krn_problems);
	const struct krn_value *error, *message, *details;
	struct krn_value body;

	if (krn_json_parse(ctl->arena, answer->body, KRN_JSON_DEPTH_MAX, &body,
			   NULL))
		return krn_refuse(err, KRN_ERR_INTERNAL,
				  "the answer is %ld and not JSON",
				  answer->status);
	error = krn_value_find(&body, "error");
	message = krn_value_find(error, "message");
	details = krn_value_find(error, "details");
	krn_refuse(err, KRN_ERR_INVALID, "%ld: %.400s", answer->status,
		   message && message->type == KRN_VALUE_STRING
		       ? message->string.s
		       : "refused");
	if (!problems || !details || details->type != KRN_VALUE_ARRAY)
		return KRN_ERR_INVALID;
	problems->arena = ctl->arena;
	for (size_t i = 0; i < details->array.nr; i++) {
		const struct krn_value *detail = &details->array.items[i];
		const struct krn_value *field = krn_value_find(detail, "field");

		message = krn_value_find(detail, "message");
		if (field && field->type == KRN_VALUE_STRING && message &&
		    message->type == KRN_VALUE_STRING)
			krn_problem_add(
			    problems,
			    gitops_place(ctl->arena, call, field->string), "%s",
			    message->string.s);
	}
	err->problems = problems;
	return KRN_ERR_INVALID;
}

static enum krn_err
gitops_call(struct krn_ctl *ctl, const struct gitops_call *call,
	    struct krn_str *ret, struct krn_error *err)
{
	const struct krn_options *o = ctl->options;
	struct krn_str url, key, type, match;
	struct krn_http_answer answer;
	const char *headers[4] = {NULL};
	size_t nr = 0;
	enum krn_err e;

	if (o->base_url.len == 0 || o->api_key.len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "BASE_URL and API_KEY must be set");
	url = krn_str_printf(ctl->arena, "%.*s/api/v1/gitops/%s",
			     KRN_STR_ARG(o->base_url), call->path.s);
	key = krn_str_printf(ctl->arena, "X-API-Key: %.*s",
			     KRN_STR_ARG(o->api_key));
	type = krn_str_printf(ctl->arena, "Content-Type: %s",
			      call->type ? call->type : "");
	match = krn_str_printf(ctl->arena, "If-Match: \"%s\"",
			       ctl->plan.s ? ctl->plan.s : "");
	if (!url.s || !key.s || !type.s || !match.s)
		return krn_arena_fail(ctl->arena, err);
	headers[nr++] = key.s;
	if (call->type)
		headers[nr++] = type.s;
	if (ctl->plan.s)
		headers[nr++] = match.s;
	const struct krn_http_request request = {
	    .method = call->method,
	    .url = url,
	    .headers = headers,
	    .body = call->body,
	    .ca_file = o->cacert,
	    .timeout_ms = GITOPS_TIMEOUT_MS,
	    .answer_max = GITOPS_ANSWER_MAX,
	    .guard = &krn_guard_operator,
	};

	if ((e = krn_http_call(ctl->arena, &request, &answer, err)))
		return e;
	if (answer.status != 200)
		return gitops_refused(ctl, call, &answer, err);
	*ret = answer.body;
	return KRN_OK;
}

/* What an answer's differences look like to people. */

static const struct {
	const char *op, *sign, *color;
} gitops_ops[] = {
    {"create", "+", "\033[32m"},
    {"update", "~", "\033[33m"},
    {"delete", "-", "\033[31m"},
};

static struct krn_str
gitops_member(const struct krn_value *object, const char *name)
{
	const struct krn_value *value = krn_value_find(object, name);

	return value && value->type == KRN_VALUE_STRING ? value->string
							: KRN_STR("");
}

/* A value on a part of a line. */
static struct krn_str
gitops_short(struct krn_arena *arena, const struct krn_value *value)
{
	struct krn_json_out out;
	struct krn_str text;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_value(&out, NULL, value);
	krn_json_end(&out);
	if (krn_buf_end(&buf, &text, NULL))
		return KRN_STR("…");
	return text.len <= 60 ? text : KRN_STR("…");
}

static void
gitops_print_change(struct krn_ctl *ctl, const struct krn_value *diff)
{
	const bool colored = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	const struct krn_str op = gitops_member(diff, "op");
	const struct krn_value *fields = krn_value_find(diff, "changedFields");
	size_t i = 0;

	while (i < KRN_NR(gitops_ops) && !krn_str_eq_c(op, gitops_ops[i].op))
		i++;
	if (i == KRN_NR(gitops_ops))
		return;
	printf("%s%s %s \"%s\"%s\n", colored ? gitops_ops[i].color : "",
	       gitops_ops[i].sign, gitops_member(diff, "kind").s,
	       gitops_member(diff, "name").s, colored ? "\033[0m" : "");
	for (size_t k = 0;
	     fields && fields->type == KRN_VALUE_ARRAY && k < fields->array.nr;
	     k++) {
		const struct krn_str field = fields->array.items[k].string;
		const struct krn_value *before =
		    krn_value_find_str(krn_value_find(diff, "before"), field);
		const struct krn_value *after =
		    krn_value_find_str(krn_value_find(diff, "after"), field);

		if (!before || !after)
			continue;
		const struct krn_str from = gitops_short(ctl->arena, before);
		const struct krn_str to = gitops_short(ctl->arena, after);

		printf("    %s: %.*s → %.*s\n", field.s, KRN_STR_ARG(from),
		       KRN_STR_ARG(to));
	}
}

static int64_t
gitops_count(const struct krn_value *answer, const char *name)
{
	const struct krn_value *count =
	    krn_value_find(krn_value_find(answer, "summary"), name);

	return count && count->type == KRN_VALUE_INT ? count->integer : 0;
}

static enum krn_err
gitops_print(struct krn_ctl *ctl, struct krn_str text, struct krn_error *err)
{
	const struct krn_value *diffs;
	struct krn_value answer;
	enum krn_err e;

	if ((e = krn_json_parse_stored(ctl->arena, text, &answer, err)))
		return e;
	const int64_t created = gitops_count(&answer, "created");
	const int64_t updated = gitops_count(&answer, "updated");
	const int64_t deleted = gitops_count(&answer, "deleted");
	const struct krn_value *dry = krn_value_find(&answer, "dryRun");
	const struct krn_value *revision = krn_value_find(&answer, "revision");
	const bool is_dry = dry && dry->type == KRN_VALUE_BOOL && dry->boolean;

	if (ctl->exit_code && created + updated + deleted)
		ctl->status = 2;
	if (ctl->json) {
		printf("%.*s\n", KRN_STR_ARG(text));
		return KRN_OK;
	}
	diffs = krn_value_find(&answer, "diffs");
	for (size_t i = 0;
	     diffs && diffs->type == KRN_VALUE_ARRAY && i < diffs->array.nr;
	     i++)
		gitops_print_change(ctl, &diffs->array.items[i]);
	printf("%lld %s, %lld %s, %lld %s, %lld unchanged\n",
	       (long long)created, is_dry ? "to create" : "created",
	       (long long)updated, is_dry ? "to update" : "updated",
	       (long long)deleted, is_dry ? "to delete" : "deleted",
	       (long long)gitops_count(&answer, "unchanged"));
	if (is_dry)
		printf("plan %s\n", gitops_member(&answer, "planHash").s);
	else if (revision && revision->type == KRN_VALUE_INT)
		printf("revision %lld\n", (long long)revision->integer);
	return KRN_OK;
}

/* Commands */

/* The bundle that a word names: a folder, a file or "-". */
static enum krn_err
gitops_bundle(struct krn_ctl *ctl, struct gitops_call *call,
	      struct krn_error *err)
{
	struct krn_bundle_dir dir;
	enum krn_err e;

	if (ctl->words_nr != 1)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "one bundle is needed: a file, a folder or "
				  "- for the standard input");
	const struct krn_str path = ctl->words[0];

	if (gitops_is_dir(path)) {
		const struct krn_str name = gitops_dir(ctl->arena, path);

		if (!name.s)
			return krn_arena_fail(ctl->arena, err);
		if ((e = krn_bundle_dir_read(ctl->arena, name, &dir, err)))
			return e;
		call->body = dir.body;
		call->paths = dir.paths;
		call->paths_nr = dir.nr;
		call->type = "application/json";
		return KRN_OK;
	}
	call->type = krn_str_has_suffix(path, KRN_STR(".json"))
			 ? "application/json"
		     : krn_str_eq_c(path, "-") ? "text/plain"
					       : "application/yaml";
	return krn_file_read(ctl->arena, path, &call->body, err);
}

static enum krn_err
gitops_send_bundle(struct krn_ctl *ctl, bool dry_run, struct krn_error *err)
{
	struct gitops_call call = {.method = "POST"};
	struct krn_str answer;
	struct krn_buf path;
	enum krn_err e;

	krn_buf_init(&path, ctl->arena);
	krn_buf_printf(&path, "apply?dryRun=%s", dry_run ? "true" : "false");
	gitops_query(&path, "kinds", ctl->kinds);
	gitops_query(&path, "maxDeletes", ctl->max_deletes);
	if (ctl->prune)
		gitops_query(&path, "prune", KRN_STR("true"));
	krn_buf_add_char(&path, '\0');
	if ((e = krn_buf_end(&path, &call.path, err)) ||
	    (e = gitops_bundle(ctl, &call, err)) ||
	    (e = gitops_call(ctl, &call, &answer, err)))
		return e;
	return gitops_print(ctl, answer, err);
}

enum krn_err
krn_cmd_gitops_diff(struct krn_ctl *ctl, struct krn_error *err)
{
	return gitops_send_bundle(ctl, true, err);
}

enum krn_err
krn_cmd_gitops_apply(struct krn_ctl *ctl, struct krn_error *err)
{
	return gitops_send_bundle(ctl, ctl->dry_run, err);
}

enum krn_err
krn_cmd_gitops_rollback(struct krn_ctl *ctl, struct krn_error *err)
{
	struct gitops_call call = {.method = "POST"};
	struct krn_str answer;
	struct krn_buf path;
	enum krn_err e;

	krn_buf_init(&path, ctl->arena);
	krn_buf_printf(&path, "rollback?dryRun=%s",
		       ctl->dry_run ? "true" : "false");
	gitops_query(&path, "to", ctl->to);
	krn_buf_add_char(&path, '\0');
	if ((e = krn_buf_end(&path, &call.path, err)) ||
	    (e = gitops_call(ctl, &call, &answer, err)))
		return e;
	return gitops_print(ctl, answer, err);
}

static enum krn_err
gitops_export_dir(struct krn_ctl *ctl, struct krn_str dir, struct krn_str text,
		  struct krn_error *err)
{
	struct krn_value answer;
	krn_kind_set kinds;
	size_t files;
	enum krn_err e;

	dir = gitops_dir(ctl->arena, dir);
	if (!dir.s)
		return krn_arena_fail(ctl->arena, err);
	if ((e = krn_kind_set_parse(ctl->kinds, &kinds, err)) ||
	    (e = krn_json_parse_stored(ctl->arena, text, &answer, err)) ||
	    (e = krn_bundle_dir_write(ctl->arena, dir, kinds, &answer, &files,
				      err)))
		return e;
	printf(ctl->json ? "{\"files\": %zu}\n" : "%zu files\n", files);
	return KRN_OK;
}

static enum krn_err
gitops_export_file(struct krn_ctl *ctl, struct krn_str path,
		   struct krn_str text, struct krn_error *err)
{
	struct krn_file *file;
	enum krn_err e;

	if ((e = krn_file_begin(ctl->arena, path, &file, err)) ||
	    (e = krn_file_write(file, text.s, text.len, err)))
		return e;
	return krn_file_publish(file, err);
}

/* Files are published by their whole path. */
static enum krn_err
gitops_absolute(struct krn_ctl *ctl, struct krn_str *path,
		struct krn_error *err)
{
	char here[4096];

	if (path->len && path->s[0] == '/')
		return KRN_OK;
	if (!getcwd(here, sizeof(here)))
		return krn_fail_errno(err, "could not find this folder");
	*path = krn_str_printf(ctl->arena, "%s/%s", here, path->s);
	return path->s ? KRN_OK : krn_arena_fail(ctl->arena, err);
}

enum krn_err
krn_cmd_gitops_export(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_str to = ctl->words_nr ? ctl->words[0] : KRN_STR("-");
	const bool is_dir = gitops_is_dir(to);
	struct gitops_call call = {.method = "GET"};
	struct krn_str text;
	struct krn_buf path;
	enum krn_err e;

	if (ctl->words_nr > 1)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "one file or folder is enough");
	if (!krn_str_eq_c(to, "-") && (e = gitops_absolute(ctl, &to, err)))
		return e;
	krn_buf_init(&path, ctl->arena);
	krn_buf_add_c(&path, "export");
	gitops_query(&path, "format", ctl->format);
	gitops_query(&path, "kinds", ctl->kinds);
	if (is_dir)
		gitops_query(&path, "layout", KRN_STR("files"));
	krn_buf_add_char(&path, '\0');
	if ((e = krn_buf_end(&path, &call.path, err)) ||
	    (e = gitops_call(ctl, &call, &text, err)))
		return e;
	if (is_dir)
		return gitops_export_dir(ctl, to, text, err);
	if (!krn_str_eq_c(to, "-"))
		return gitops_export_file(ctl, to, text, err);
	fwrite(text.s, 1, text.len, stdout);
	return KRN_OK;
}
