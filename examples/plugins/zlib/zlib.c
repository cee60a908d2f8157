/* zlib for scripts. An example of a native plugin in C: functions, bytes in and out, an optional parameter, and
 * a class of handles. */

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "caraway_plugin.h"

static const caraway_host_api *host;

static int32_t attach(const caraway_host_api *api) {
    host = api;
    return CARAWAY_OK;
}

/* An `int?`: an encoded value of tag 0, `()`, or of tag 3 and 8 bytes, little-endian. */
static int64_t int_or(const uint64_t *words, int64_t otherwise) {
    const uint8_t *bytes = caraway_ptr(words[0]);
    if (words[1] != 9 || bytes[0] != 3) return otherwise;
    uint64_t value = 0;
    for (int i = 8; i > 0; i--) value = value << 8 | bytes[i];
    return (int64_t)value;
}

static int is_level(int64_t level) { return level >= 0 && level <= 9; }

/* Memory that grows, of the host: what it holds at the end is the result. */
typedef struct buffer {
    uint8_t *bytes;
    size_t len, capacity;
} buffer;

static int reserve(buffer *b, size_t room) {
    if (b->capacity - b->len >= room) return 1;
    if (room > SIZE_MAX / 4 - b->capacity) return 0;
    size_t capacity = 2 * b->capacity + room;
    uint8_t *bytes = host->alloc(capacity, 1);
    if (!bytes) return 0;
    if (b->len) memcpy(bytes, b->bytes, b->len);
    if (b->capacity) host->free(b->bytes, b->capacity, 1);
    b->bytes = bytes;
    b->capacity = capacity;
    return 1;
}

static void discard(buffer *b) {
    if (b->capacity) host->free(b->bytes, b->capacity, 1);
    *b = (buffer){0};
}

static int32_t give(uint64_t *out, buffer *b) {
    out[0] = (uint64_t)(uintptr_t)b->bytes;
    out[1] = b->len;
    out[2] = b->capacity;
    *b = (buffer){0};
    return CARAWAY_OK;
}

enum { CHUNK = 16 * 1024 };

/* Runs `step`, deflate or inflate, over all of the input, and appends what comes out to `b`, up to `limit` bytes.
 * Gives back what the last step did; Z_MEM_ERROR and Z_BUF_ERROR also where memory or the limit ends it. */
static int pump(z_stream *stream, int (*step)(z_streamp, int), int flush, const uint8_t *in, size_t len, buffer *b,
                size_t limit) {
    int state = Z_OK;
    do {
        uInt part = len > UINT_MAX ? UINT_MAX : (uInt)len;
        stream->next_in = (Bytef *)in;
        stream->avail_in = part;
        in += part;
        len -= part;
        do {
            if (!reserve(b, CHUNK)) return Z_MEM_ERROR;
            stream->next_out = b->bytes + b->len;
            stream->avail_out = CHUNK;
            state = step(stream, len > 0 ? Z_NO_FLUSH : flush);
            b->len += CHUNK - stream->avail_out;
            if (b->len > limit) return Z_BUF_ERROR;
            if (state != Z_OK && state != Z_BUF_ERROR) return state;
        } while (stream->avail_out == 0);
    } while (len > 0);
    return state;
}

static int32_t compress_bytes(const uint64_t *args, uint64_t *out) {
    int64_t level = int_or(args + 2, 6);
    if (!is_level(level)) return caraway_fail(host, out, "`level` must be from 0 to 9");
    z_stream stream = {0};
    if (deflateInit(&stream, (int)level) != Z_OK) return CARAWAY_OUT_OF_MEMORY;
    buffer b = {0};
    int state = pump(&stream, deflate, Z_FINISH, caraway_ptr(args[0]), args[1], &b, SIZE_MAX);
    deflateEnd(&stream);
    if (state == Z_STREAM_END) return give(out, &b);
    discard(&b);
    return CARAWAY_OUT_OF_MEMORY;
}

static int32_t decompress_bytes(const uint64_t *args, uint64_t *out) {
    int64_t limit = int_or(args + 2, 64 << 20);
    if (limit < 0) return caraway_fail(host, out, "`limit` must not be negative");
    z_stream stream = {0};
    if (inflateInit(&stream) != Z_OK) return CARAWAY_OUT_OF_MEMORY;
    buffer b = {0};
    int state = pump(&stream, inflate, Z_NO_FLUSH, caraway_ptr(args[0]), args[1], &b, (size_t)limit);
    int rest = stream.avail_in > 0;
    inflateEnd(&stream);
    if (state == Z_STREAM_END && !rest) return give(out, &b);
    int too_long = b.len > (size_t)limit;
    discard(&b);
    if (too_long) return caraway_fail(host, out, "the data is longer than `limit` bytes");
    switch (state) {
        case Z_STREAM_END: return caraway_fail(host, out, "something follows the compressed data");
        case Z_MEM_ERROR: return CARAWAY_OUT_OF_MEMORY;
        case Z_OK:
        case Z_BUF_ERROR: return caraway_fail(host, out, "the compressed data is cut short");
        default: return caraway_fail(host, out, "the data is not what zlib compresses to");
    }
}

static int32_t crc32_of(const uint64_t *args, uint64_t *out) {
    return caraway_give_int(out, (int64_t)crc32_z(crc32_z(0, NULL, 0), caraway_ptr(args[0]), args[1]));
}

/* A handle. Scripts on several threads may hold the same one, so it has a lock. */
typedef struct deflater {
    pthread_mutex_t lock;
    z_stream stream;
    buffer done;
    int finished;
} deflater;

static int32_t deflater_new(const uint64_t *args, uint64_t *out) {
    int64_t level = caraway_int(args[0]);
    if (!is_level(level)) return caraway_fail(host, out, "`level` must be from 0 to 9");
    deflater *d = calloc(1, sizeof *d);
    if (!d) return CARAWAY_OUT_OF_MEMORY;
    if (deflateInit(&d->stream, (int)level) != Z_OK) {
        free(d);
        return CARAWAY_OUT_OF_MEMORY;
    }
    pthread_mutex_init(&d->lock, NULL);
    out[0] = (uint64_t)(uintptr_t)d;
    return CARAWAY_OK;
}

static void deflater_drop(uint64_t handle) {
    deflater *d = (deflater *)(uintptr_t)handle;
    deflateEnd(&d->stream);
    discard(&d->done);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static int32_t deflater_write(const uint64_t *args, uint64_t *out) {
    deflater *d = (deflater *)(uintptr_t)args[0];
    pthread_mutex_lock(&d->lock);
    int32_t status = CARAWAY_OK;
    if (d->finished) {
        status = caraway_fail(host, out, "the deflater is finished");
    } else if (pump(&d->stream, deflate, Z_NO_FLUSH, caraway_ptr(args[1]), args[2], &d->done, SIZE_MAX) ==
               Z_MEM_ERROR) {
        status = CARAWAY_OUT_OF_MEMORY;
    }
    pthread_mutex_unlock(&d->lock);
    return status;
}

static int32_t deflater_finish(const uint64_t *args, uint64_t *out) {
    deflater *d = (deflater *)(uintptr_t)args[0];
    pthread_mutex_lock(&d->lock);
    int32_t status;
    if (d->finished) {
        status = caraway_fail(host, out, "the deflater is finished");
    } else {
        d->finished = 1;
        int state = pump(&d->stream, deflate, Z_FINISH, NULL, 0, &d->done, SIZE_MAX);
        status = state == Z_STREAM_END ? give(out, &d->done) : CARAWAY_OUT_OF_MEMORY;
    }
    pthread_mutex_unlock(&d->lock);
    return status;
}

static int32_t deflater_total_in(const uint64_t *args, uint64_t *out) {
    deflater *d = (deflater *)(uintptr_t)args[0];
    pthread_mutex_lock(&d->lock);
    int64_t total = (int64_t)d->stream.total_in;
    pthread_mutex_unlock(&d->lock);
    return caraway_give_int(out, total);
}

static const caraway_class classes[] = {
    {CARAWAY_TEXT("Deflater"), CARAWAY_TEXT("Compresses data that comes in parts."), deflater_drop},
};

static const caraway_function functions[] = {
    {CARAWAY_TEXT("compress(data: bytes, level: int?) -> bytes"),
     CARAWAY_TEXT("Compresses data, as zlib does. `level` is from 0, fast, to 9, small; 6 if it is ()."),
     compress_bytes, NULL, CARAWAY_FUNCTION, 0},
    {CARAWAY_TEXT("decompress(data: bytes, limit: int?) -> bytes"),
     CARAWAY_TEXT("The data again; an error if it is longer than `limit` bytes, 64 MiB if that is ()."),
     decompress_bytes, NULL, CARAWAY_FUNCTION, 0},
    {CARAWAY_TEXT("crc32(data: bytes) -> int"), CARAWAY_TEXT("The CRC-32 checksum."), crc32_of, NULL,
     CARAWAY_FUNCTION, 0},
    {CARAWAY_TEXT("deflater(level: int) -> Deflater"), CARAWAY_TEXT("Begins to compress data that comes in parts."),
     deflater_new, NULL, CARAWAY_FUNCTION, 0},
    {CARAWAY_TEXT("deflater::write(self: Deflater, data: bytes)"), CARAWAY_TEXT("Takes the next part."),
     deflater_write, NULL, CARAWAY_METHOD, 0},
    {CARAWAY_TEXT("deflater::finish(self: Deflater) -> bytes"),
     CARAWAY_TEXT("All that was written, compressed. Nothing can be written afterwards."), deflater_finish, NULL,
     CARAWAY_METHOD, 0},
    {CARAWAY_TEXT("deflater::total_in(self: Deflater) -> int"), CARAWAY_TEXT("How many bytes were written."),
     deflater_total_in, NULL, CARAWAY_GETTER, 0},
};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("zlib"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = sizeof functions / sizeof *functions,
    .functions = functions,
    .attach = attach,
    .class_size = sizeof(caraway_class),
    .class_count = sizeof classes / sizeof *classes,
    .classes = classes,
};
