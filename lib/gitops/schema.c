/*
 * The JSON Schema of a bundle.
 */

#include "base/base.h"

#include "gitops/schema.h"

#include "base/json_out.h"
#include "gitops/bundle.h"

static void
schema_type(struct krn_json_out *out, const char *type, bool nullable)
{
	if (!nullable) {
		krn_json_c(out, "type", type);
		return;
	}
	krn_json_arr_open(out, "type");
	krn_json_c(out, NULL, type);
	krn_json_c(out, NULL, "null");
	krn_json_close(out);
}

static void
schema_limit(struct krn_json_out *out, const char *name, double limit)
{
	if (limit != 0)
		krn_json_int(out, name, (int64_t)limit);
}

static void
schema_choices(struct krn_json_out *out, const struct krn_kind_field *field)
{
	krn_json_arr_open(out, "enum");
	for (size_t i = 0; field->choices[i]; i++)
		krn_json_c(out, NULL, field->choices[i]);
	if (field->nullable)
		krn_json_null(out, NULL);
	krn_json_close(out);
}

static void
schema_reference(struct krn_json_out *out, const struct krn_kind_field *field)
{
	char text[100];

	snprintf(text, sizeof(text), "name of a %s",
		 field->type == KRN_TYPE_REFERENCE
		     ? krn_kinds[field->reference].name
		     : "object of the kind that scope says");
	schema_type(out, "string", field->nullable);
	krn_json_c(out, "description", text);
}

static void
schema_field(struct krn_json_out *out, const struct krn_kind_field *field)
{
	krn_json_obj_open(out, field->name);
	switch (field->type) {
	case KRN_TYPE_STRING:
		schema_type(out, "string", field->nullable);
		schema_limit(out, "maxLength", field->max);
		break;
	case KRN_TYPE_INT:
	case KRN_TYPE_DOUBLE:
		schema_type(out,
			    field->type == KRN_TYPE_INT ? "integer" : "number",
			    field->nullable);
		if (field->max != 0) {
			krn_json_double(out, "minimum", field->min);
			krn_json_double(out, "maximum", field->max);
		}
		break;
	case KRN_TYPE_BOOL:
		schema_type(out, "boolean", field->nullable);
		break;
	case KRN_TYPE_TIME:
		schema_type(out, "string", field->nullable);
		krn_json_c(out, "format", "date-time");
		break;
	case KRN_TYPE_CHOICE:
		schema_choices(out, field);
		break;
	case KRN_TYPE_REFERENCE:
	case KRN_TYPE_SCOPE:
		schema_reference(out, field);
		break;
	case KRN_TYPE_ARRAY:
		schema_type(out, "array", field->nullable);
		schema_limit(out, "maxItems", field->max);
		break;
	case KRN_TYPE_OBJECT:
		schema_type(out, "object", field->nullable);
		break;
	}
	if (field->fallback)
		krn_json_raw(out, "default", krn_str_c(field->fallback));
	krn_json_close(out);
}

static void
schema_kind(struct krn_json_out *out, const struct krn_kind *kind)
{
	krn_json_obj_open(out, kind->name);
	krn_json_c(out, "type", "object");
	krn_json_bool(out, "additionalProperties", false);
	krn_json_arr_open(out, "required");
	for (size_t i = 0; i < kind->fields_nr; i++)
		if (kind->fields[i].required)
			krn_json_c(out, NULL, kind->fields[i].name);
	krn_json_close(out);
	krn_json_obj_open(out, "properties");
	for (size_t i = 0; i < kind->fields_nr; i++)
		schema_field(out, &kind->fields[i]);
	krn_json_close(out);
	krn_json_close(out);
}

/* "required": [names…] */
static void
schema_required(struct krn_json_out *out, const char *const names[])
{
	krn_json_arr_open(out, "required");
	for (size_t i = 0; names[i]; i++)
		krn_json_c(out, NULL, names[i]);
	krn_json_close(out);
}

static void
schema_const(struct krn_json_out *out, const char *name, const char *value)
{
	krn_json_obj_open(out, name);
	krn_json_c(out, "const", value);
	krn_json_close(out);
}

/* {"if": this kind, "then": its spec and the length of its names} */
static void
schema_if_kind(struct krn_json_out *out, const struct krn_kind *kind)
{
	char ref[100];

	snprintf(ref, sizeof(ref), "#/$defs/%s", kind->name);
	krn_json_obj_open(out, NULL);
	krn_json_obj_open(out, "if");
	krn_json_obj_open(out, "properties");
	schema_const(out, "kind", kind->name);
	krn_json_close(out);
	krn_json_close(out);
	krn_json_obj_open(out, "then");
	krn_json_obj_open(out, "properties");
	krn_json_obj_open(out, "spec");
	krn_json_c(out, "$ref", ref);
	krn_json_close(out);
	krn_json_obj_open(out, "metadata");
	krn_json_obj_open(out, "properties");
	krn_json_obj_open(out, "name");
	krn_json_int(out, "maxLength", (int64_t)kind->name_max);
	for (int i = 0; i < 6; i++)
		krn_json_close(out);
}

static void
schema_metadata(struct krn_json_out *out)
{
	krn_json_obj_open(out, "metadata");
	krn_json_c(out, "type", "object");
	krn_json_bool(out, "additionalProperties", false);
	schema_required(out, (const char *const[]){"name", NULL});
	krn_json_obj_open(out, "properties");
	krn_json_obj_open(out, "name");
	krn_json_c(out, "type", "string");
	krn_json_int(out, "minLength", 1);
	krn_json_close(out);
	krn_json_obj_open(out, "annotations");
	krn_json_c(out, "type", "object");
	krn_json_close(out);
	krn_json_close(out);
	krn_json_close(out);
}

static void
schema_resource(struct krn_json_out *out)
{
	krn_json_obj_open(out, "resource");
	krn_json_c(out, "type", "object");
	krn_json_bool(out, "additionalProperties", false);
	schema_required(out, (const char *const[]){"apiVersion", "kind",
						   "metadata", "spec", NULL});
	krn_json_obj_open(out, "properties");
	schema_const(out, "apiVersion", KRN_BUNDLE_API_VERSION);
	krn_json_obj_open(out, "kind");
	krn_json_arr_open(out, "enum");
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		krn_json_c(out, NULL, krn_kinds[kind].name);
	krn_json_close(out);
	krn_json_close(out);
	schema_metadata(out);
	krn_json_obj_open(out, "spec");
	krn_json_c(out, "type", "object");
	krn_json_close(out);
	krn_json_close(out);
	krn_json_arr_open(out, "allOf");
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		schema_if_kind(out, &krn_kinds[kind]);
	krn_json_close(out);
	krn_json_close(out);
}

static void
schema_manifest(struct krn_json_out *out)
{
	krn_json_obj_open(out, "manifest");
	krn_json_c(out, "type", "object");
	schema_required(out, (const char *const[]){"apiVersion", "kind", NULL});
	krn_json_obj_open(out, "properties");
	schema_const(out, "apiVersion", KRN_BUNDLE_API_VERSION);
	schema_const(out, "kind", "Bundle");
	krn_json_close(out);
	krn_json_close(out);
}

void
krn_bundle_schema(struct krn_buf *buf)
{
	struct krn_json_out out;

	krn_json_init(&out, buf);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "$schema",
		   "https://json-schema.org/draft/2020-12/schema");
	krn_json_c(&out, "title", "kaireon bundle");
	krn_json_c(&out, "type", "object");
	krn_json_bool(&out, "additionalProperties", false);
	schema_required(&out,
			(const char *const[]){"manifest", "resources", NULL});
	krn_json_obj_open(&out, "properties");
	schema_manifest(&out);
	krn_json_obj_open(&out, "resources");
	krn_json_c(&out, "type", "array");
	krn_json_int(&out, "maxItems", KRN_BUNDLE_RESOURCES_MAX);
	krn_json_obj_open(&out, "items");
	krn_json_c(&out, "$ref", "#/$defs/resource");
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_obj_open(&out, "$defs");
	schema_resource(&out);
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		schema_kind(&out, &krn_kinds[kind]);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
}
