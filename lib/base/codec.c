/*
 * Compression by libzstd and zlib.
 */

#include "base/base.h"

#include "base/codec.h"

#include <zlib.h>
#include <zstd.h>

/* What comes out at once. */
#define CODEC_OUT_BYTES 65536

/* Measured with interactions: a higher level costs more time than it saves. */
#define CODEC_ZSTD_LEVEL 1
#define CODEC_GZIP_LEVEL 1

/* zlib's window of 32 KiB in a frame of gzip. Source: zlib.h, deflateInit2 */
#define CODEC_GZIP_WINDOW (15 + 16)

struct krn_codec {
	enum krn_codec_kind kind;
	bool unpack;
	krn_codec_fn fn;
	void *data;
	ZSTD_CStream *pack_zstd;
	ZSTD_DStream *unpack_zstd;
	z_stream gzip;
	bool has_gzip;
	bool is_whole; /* of what is unpacked: a frame ended here */
	char out[CODEC_OUT_BYTES];
};

static const struct {
	const char *name, *ending;
} codec_kinds[] = {
    [KRN_CODEC_NONE] = {"", ""},
    [KRN_CODEC_ZSTD] = {"zstd", ".zst"},
    [KRN_CODEC_GZIP] = {"gzip", ".gz"},
};

bool
krn_codec_parse(struct krn_str name, enum krn_codec_kind *ret)
{
	for (size_t i = 0; i < KRN_NR(codec_kinds); i++)
		if (krn_str_eq_c(name, codec_kinds[i].name)) {
			*ret = (enum krn_codec_kind)i;
			return true;
		}
	return false;
}

const char *
krn_codec_ending(enum krn_codec_kind kind)
{
	return codec_kinds[kind].ending;
}

enum krn_codec_kind
krn_codec_of(struct krn_str path)
{
	size_t i = KRN_NR(codec_kinds) - 1;

	while (i > 0 &&
	       !krn_str_has_suffix(path, krn_str_c(codec_kinds[i].ending)))
		i--;
	return (enum krn_codec_kind)i;
}

static void
codec_release(void *data)
{
	struct krn_codec *codec = data;

	ZSTD_freeCStream(codec->pack_zstd);
	ZSTD_freeDStream(codec->unpack_zstd);
	if (codec->has_gzip && codec->unpack)
		inflateEnd(&codec->gzip);
	else if (codec->has_gzip)
		deflateEnd(&codec->gzip);
}

static bool
codec_init(struct krn_codec *codec)
{
	switch (codec->kind) {
	case KRN_CODEC_NONE:
		return true;
	case KRN_CODEC_ZSTD:
		if (codec->unpack) {
			codec->unpack_zstd = ZSTD_createDStream();
			return codec->unpack_zstd != NULL;
		}
		codec->pack_zstd = ZSTD_createCStream();
		return codec->pack_zstd &&
		       !ZSTD_isError(ZSTD_CCtx_setParameter(
			   codec->pack_zstd, ZSTD_c_compressionLevel,
			   CODEC_ZSTD_LEVEL)) &&
		       !ZSTD_isError(ZSTD_CCtx_setParameter(
			   codec->pack_zstd, ZSTD_c_checksumFlag, 1));
	case KRN_CODEC_GZIP:
		codec->has_gzip =
		    (codec->unpack
			 ? inflateInit2(&codec->gzip, CODEC_GZIP_WINDOW)
			 : deflateInit2(&codec->gzip, CODEC_GZIP_LEVEL,
					Z_DEFLATED, CODEC_GZIP_WINDOW, 8,
					Z_DEFAULT_STRATEGY)) == Z_OK;
		return codec->has_gzip;
	}
	return false;
}

enum krn_err
krn_codec_new(struct krn_arena *arena, enum krn_codec_kind kind, bool unpack,
	      krn_codec_fn fn, void *data, struct krn_codec **ret,
	      struct krn_error *err)
{
	struct krn_codec *codec = krn_arena_make(arena, struct krn_codec);
	enum krn_err e;

	if (!codec)
		return krn_arena_fail(arena, err);
	codec->kind = kind;
	codec->unpack = unpack;
	codec->fn = fn;
	codec->data = data;
	codec->is_whole = true;
	if ((e = krn_arena_defer(arena, codec_release, codec, err)))
		return e;
	if (!codec_init(codec))
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	*ret = codec;
	return KRN_OK;
}

static enum krn_err
codec_broken(struct krn_error *err)
{
	return krn_refuse(err, KRN_ERR_INVALID,
			  "what is compressed is broken or cut off");
}

static enum krn_err
codec_pack_zstd(struct krn_codec *codec, const char *bytes, size_t len,
		bool end, struct krn_error *err)
{
	ZSTD_inBuffer in = {bytes, len, 0};
	size_t left;
	enum krn_err e;

	do {
		ZSTD_outBuffer out = {codec->out, sizeof(codec->out), 0};

		left = ZSTD_compressStream2(codec->pack_zstd, &out, &in,
					    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return krn_fail(err, KRN_ERR_UNAVAILABLE, "zstd: %s",
					ZSTD_getErrorName(left));
		if (out.pos &&
		    (e = codec->fn(codec->data, codec->out, out.pos, err)))
			return e;
	} while (end ? left != 0 : in.pos < in.size);
	return KRN_OK;
}

static enum krn_err
codec_unpack_zstd(struct krn_codec *codec, const char *bytes, size_t len,
		  struct krn_error *err)
{
	ZSTD_inBuffer in = {bytes, len, 0};
	enum krn_err e;

	for (;;) {
		ZSTD_outBuffer out = {codec->out, sizeof(codec->out), 0};
		const size_t left =
		    ZSTD_decompressStream(codec->unpack_zstd, &out, &in);

		if (ZSTD_isError(left))
			return codec_broken(err);
		codec->is_whole = left == 0;
		if (out.pos &&
		    (e = codec->fn(codec->data, codec->out, out.pos, err)))
			return e;
		if (in.pos == in.size && out.pos < out.size)
			return KRN_OK;
	}
}

static enum krn_err
codec_gzip(struct krn_codec *codec, const char *bytes, size_t len, bool end,
	   struct krn_error *err)
{
	z_stream *z = &codec->gzip;
	enum krn_err e;

	KRN_BUG_IF(len > UINT32_MAX);
	/* zlib does not write to it and does not say so */
	z->next_in = (Bytef *)(uintptr_t)bytes;
	z->avail_in = (uInt)len;
	do {
		z->next_out = (Bytef *)codec->out;
		z->avail_out = sizeof(codec->out);
		const int code = codec->unpack
				     ? inflate(z, Z_NO_FLUSH)
				     : deflate(z, end ? Z_FINISH : Z_NO_FLUSH);
		const size_t made = sizeof(codec->out) - z->avail_out;

		if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
			return codec_broken(err);
		codec->is_whole = code == Z_STREAM_END;
		if (made && (e = codec->fn(codec->data, codec->out, made, err)))
			return e;
		if (codec->unpack && codec->is_whole && z->avail_in)
			return codec_broken(err); /* something behind the end */
	} while (z->avail_out == 0);
	return KRN_OK;
}

enum krn_err
krn_codec_put(struct krn_codec *codec, const char *bytes, size_t len,
	      struct krn_error *err)
{
	if (len == 0)
		return KRN_OK;
	switch (codec->kind) {
	case KRN_CODEC_NONE:
		return codec->fn(codec->data, bytes, len, err);
	case KRN_CODEC_ZSTD:
		return codec->unpack
			   ? codec_unpack_zstd(codec, bytes, len, err)
			   : codec_pack_zstd(codec, bytes, len, false, err);
	case KRN_CODEC_GZIP:
		return codec_gzip(codec, bytes, len, false, err);
	}
	return KRN_OK;
}

enum krn_err
krn_codec_end(struct krn_codec *codec, struct krn_error *err)
{
	if (codec->unpack)
		return codec->is_whole ? KRN_OK : codec_broken(err);
	if (codec->kind == KRN_CODEC_ZSTD)
		return codec_pack_zstd(codec, "", 0, true, err);
	if (codec->kind == KRN_CODEC_GZIP)
		return codec_gzip(codec, "", 0, true, err);
	return KRN_OK;
}
