/*
 * Packed decisions.
 */

#include "base/base.h"

#include "base/json_out.h"
#include "campaign/pack.h"

#include <string.h>

static void
pack_number(struct krn_buf *to, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		krn_buf_add_char(to, (char)(0x80 | (number & 0x7f)));
	krn_buf_add_char(to, (char)number);
}

static void
pack_double(struct krn_buf *to, double value)
{
	uint64_t bits;
	char bytes[sizeof(bits)];

	memcpy(&bits, &value, sizeof(bits));
	for (size_t i = 0; i < sizeof(bits); i++)
		bytes[i] = (char)(bits >> 8 * i & 0xff);
	krn_buf_add(to, bytes, sizeof(bytes));
}

void
krn_pack_init(struct krn_pack *pack, struct krn_arena *arena,
	      const struct krn_plan *plan)
{
	pack->plan = plan;
	krn_buf_init(&pack->bytes, arena);
	krn_buf_init(&pack->json, arena);
}

static void
pack_text(struct krn_buf *to, struct krn_str text)
{
	pack_number(to, text.len);
	krn_buf_add_str(to, text);
}

static void
pack_properties(struct krn_pack *pack, const struct krn_candidate *candidate)
{
	struct krn_json_out out;

	krn_buf_clear(&pack->json);
	krn_json_init(&out, &pack->json);
	krn_candidate_properties(pack->plan, candidate, NULL, &out);
	krn_json_end(&out);
	/* a row without what was computed would be a lie */
	pack->bytes.failed |= pack->json.failed;
	pack_text(&pack->bytes,
		  (struct krn_str){pack->json.data, pack->json.len});
}

static void
pack_candidate(struct krn_pack *pack, const struct krn_candidate *candidate)
{
	struct krn_buf *to = &pack->bytes;

	pack_number(to, candidate->offer);
	pack_number(to, candidate->channel);
	pack_number(to, (uint64_t)(candidate->creative + 1));
	pack_double(to, candidate->score);
	if (pack->plan->settings_nr)
		pack_properties(pack, candidate);
}

void
krn_pack_add(struct krn_pack *pack, struct krn_str customer,
	     const struct krn_decision *decision)
{
	struct krn_buf *to = &pack->bytes;

	pack_text(to, customer);
	pack_number(to, decision->candidates_nr);
	for (size_t i = 0; i < decision->candidates_nr; i++)
		pack_candidate(pack, &decision->candidates[i]);
	if (decision->candidates_nr)
		return;
	const struct krn_str error =
	    krn_str_c(decision->error ? decision->error : "");

	pack_number(to, decision->error ? error.len + 1 : 0);
	krn_buf_add_str(to, error);
}

void
krn_pack_open(struct krn_pack_reader *reader, const struct krn_plan *plan,
	      struct krn_str bytes)
{
	reader->plan = plan;
	reader->at = (const unsigned char *)bytes.s;
	reader->end = reader->at + bytes.len;
}

/* A number up to `max`. */
static bool
pack_read_number(struct krn_pack_reader *reader, uint64_t max, uint64_t *ret)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 63 && reader->at < reader->end;
	     shift += 7) {
		const unsigned char byte = *reader->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = number;
			return number <= max;
		}
	}
	return false;
}

static bool
pack_read_bytes(struct krn_pack_reader *reader, uint64_t len,
		struct krn_str *ret)
{
	if (len > (uint64_t)(reader->end - reader->at))
		return false;
	*ret = krn_str_from((const char *)reader->at, (size_t)len);
	reader->at += len;
	return true;
}

static bool
pack_read_double(struct krn_pack_reader *reader, double *ret)
{
	struct krn_str bytes;
	uint64_t bits = 0;

	if (!pack_read_bytes(reader, sizeof(bits), &bytes))
		return false;
	for (size_t i = 0; i < sizeof(bits); i++)
		bits |= (uint64_t)(unsigned char)bytes.s[i] << 8 * i;
	memcpy(ret, &bits, sizeof(bits));
	return true;
}

static bool
pack_read_text(struct krn_pack_reader *reader, struct krn_str *ret)
{
	uint64_t len;

	return pack_read_number(reader, UINT32_MAX, &len) &&
	       pack_read_bytes(reader, len, ret);
}

static bool
pack_read_candidate(struct krn_pack_reader *reader,
		    struct krn_pack_candidate *ret)
{
	const struct krn_plan *plan = reader->plan;
	uint64_t offer, channel, creative;

	*ret = (struct krn_pack_candidate){.offer = 0};
	if (!pack_read_number(reader, UINT32_MAX, &offer) ||
	    !pack_read_number(reader, UINT32_MAX, &channel) ||
	    !pack_read_number(reader, plan->creatives_nr, &creative) ||
	    offer >= plan->offers_nr || channel >= plan->channels_nr)
		return false;
	ret->offer = (uint32_t)offer;
	ret->channel = (uint32_t)channel;
	ret->creative = (int)creative - 1;
	return pack_read_double(reader, &ret->score) &&
	       (!plan->settings_nr || pack_read_text(reader, &ret->properties));
}

static bool
pack_read_error(struct krn_pack_reader *reader, struct krn_str *ret)
{
	uint64_t len;

	if (!pack_read_number(reader, UINT32_MAX, &len))
		return false;
	return len == 0 || pack_read_bytes(reader, len - 1, ret);
}

static bool
pack_read(struct krn_pack_reader *reader, struct krn_pack_customer *ret)
{
	uint64_t nr;

	if (!pack_read_text(reader, &ret->id) ||
	    !pack_read_number(reader, KRN_PLAN_CANDIDATES_MAX, &nr))
		return false;
	ret->candidates = reader->candidates;
	ret->candidates_nr = (size_t)nr;
	for (size_t i = 0; i < ret->candidates_nr; i++)
		if (!pack_read_candidate(reader, &reader->candidates[i]))
			return false;
	return nr || pack_read_error(reader, &ret->error);
}

enum krn_err
krn_pack_next(struct krn_pack_reader *reader, struct krn_pack_customer *ret,
	      struct krn_error *err)
{
	*ret = (struct krn_pack_customer){.candidates_nr = 0};
	if (reader->at == reader->end)
		return KRN_OK;
	if (!pack_read(reader, ret))
		return krn_fail(err, KRN_ERR_INTERNAL,
				"the packed decisions of a chunk are damaged");
	return KRN_OK;
}
