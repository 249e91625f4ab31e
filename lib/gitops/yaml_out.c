/*
 * YAML writer.
 */

#include "base/base.h"

#include "gitops/yaml_out.h"

#include "base/json_out.h"

/* Words that some YAML reader takes for null, a truth or a number. */
static const char *const yaml_words[] = {
    "y",     "n",    "yes", "no",  "on",       "off", "true",
    "false", "null", "nan", "inf", "infinity", "none"};

static bool
yaml_char_is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
	       c == '/' || c == ' ';
}

/* Letters first, plain characters, no word of above: nobody is misled. */
static bool
yaml_is_plain(struct krn_str text)
{
	if (text.len == 0 || text.s[text.len - 1] == ' ' ||
	    !((text.s[0] >= 'a' && text.s[0] <= 'z') ||
	      (text.s[0] >= 'A' && text.s[0] <= 'Z')))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!yaml_char_is_plain(text.s[i]))
			return false;
	for (size_t i = 0; i < KRN_NR(yaml_words); i++)
		if (krn_str_eq_nocase(text, krn_str_c(yaml_words[i])))
			return false;
	return true;
}

/*
 * Bytes before the first code point that a reader may refuse or change when
 * it stands as it is. Source: YAML 1.2.2, 5.1 and 5.4 (1.1 breaks lines at
 * U+0085, U+2028 and U+2029).
 */
static size_t
yaml_printable(struct krn_str text)
{
	struct krn_str rest = text;
	uint32_t point;

	while (rest.len) {
		const size_t before = text.len - rest.len;

		if (krn_str_next(&rest, &point) &&
		    ((point >= 0x7F && point < 0xA0) || point == 0x2028 ||
		     point == 0x2029 || point == 0xFEFF || point == 0xFFFE ||
		     point == 0xFFFF))
			return before;
	}
	return text.len;
}

static void
yaml_string(struct krn_buf *buf, struct krn_str text)
{
	uint32_t point;

	if (yaml_is_plain(text)) {
		krn_buf_add_str(buf, text);
		return;
	}
	krn_buf_add_char(buf, '"');
	while (text.len) {
		const size_t printable = yaml_printable(text);

		krn_json_escape(buf, krn_str_from(text.s, printable));
		text = krn_str_from(text.s + printable, text.len - printable);
		if (krn_str_next(&text, &point))
			krn_buf_printf(buf, "\\u%04X", (unsigned)point);
	}
	krn_buf_add_char(buf, '"');
}

static void
yaml_indent(struct krn_buf *buf, int depth)
{
	for (int i = 0; i < depth; i++)
		krn_buf_add(buf, "  ", 2);
}

static void
yaml_leaf(struct krn_buf *buf, const struct krn_value *value)
{
	if (value->type == KRN_VALUE_STRING)
		yaml_string(buf, value->string);
	else if (value->type == KRN_VALUE_ARRAY)
		krn_buf_add(buf, "[]", 2);
	else if (value->type == KRN_VALUE_OBJECT)
		krn_buf_add(buf, "{}", 2);
	else if (value->type == KRN_VALUE_DOUBLE)
		krn_buf_add_double(buf, value->number);
	else
		krn_json_canonical(buf, value);
	krn_buf_add_char(buf, '\n');
}

static bool
yaml_is_leaf(const struct krn_value *value)
{
	return !(value->type == KRN_VALUE_ARRAY && value->array.nr) &&
	       !(value->type == KRN_VALUE_OBJECT && value->object.nr);
}

static void yaml_write(struct krn_buf *buf, const struct krn_value *value,
		       int depth, bool inline_first);

static void
yaml_item(struct krn_buf *buf, const struct krn_value *item, int depth)
{
	krn_buf_add(buf, "- ", 2);
	if (yaml_is_leaf(item))
		yaml_leaf(buf, item);
	else
		yaml_write(buf, item, depth + 1, true);
}

/* Source: YAML 1.2.2, 7.4.2: what stands before ":" has at most 1024 characters. */
#define YAML_KEY_MAX ((size_t)1024)

/* "key:", or for a long one "? key" and ":" on a line of its own. */
static void
yaml_key_write(struct krn_buf *buf, struct krn_str name, int depth)
{
	const size_t start = buf->len;

	yaml_string(buf, name);
	if (buf->len - start > YAML_KEY_MAX) {
		buf->len = start;
		krn_buf_add(buf, "? ", 2);
		yaml_string(buf, name);
		krn_buf_add_char(buf, '\n');
		yaml_indent(buf, depth);
	}
	krn_buf_add_char(buf, ':');
}

/* `inline_first`: the first line stands behind "- " already. */
static void
yaml_write(struct krn_buf *buf, const struct krn_value *value, int depth,
	   bool inline_first)
{
	if (value->type == KRN_VALUE_ARRAY) {
		for (size_t i = 0; i < value->array.nr; i++) {
			const struct krn_value *item = &value->array.items[i];

			if (i || !inline_first)
				yaml_indent(buf, depth);
			yaml_item(buf, item, depth);
		}
		return;
	}
	for (size_t i = 0; i < value->object.nr; i++) {
		const struct krn_member *member = &value->object.members[i];

		if (i || !inline_first)
			yaml_indent(buf, depth);
		yaml_key_write(buf, member->name, depth);
		krn_buf_add_char(buf,
				 yaml_is_leaf(&member->value) ? ' ' : '\n');
		if (yaml_is_leaf(&member->value))
			yaml_leaf(buf, &member->value);
		else
			yaml_write(buf, &member->value, depth + 1, false);
	}
}

void
krn_yaml_write(struct krn_buf *buf, const struct krn_value *value)
{
	if (yaml_is_leaf(value))
		yaml_leaf(buf, value);
	else
		yaml_write(buf, value, 0, false);
}

void
krn_yaml_write_item(struct krn_buf *buf, const struct krn_value *item,
		    int depth)
{
	yaml_indent(buf, depth);
	yaml_item(buf, item, depth);
}
