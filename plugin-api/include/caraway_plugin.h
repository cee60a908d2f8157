/* The contract between Caraway and native plugins, in C.
 *
 * A plugin is a shared library that exports one table, CARAWAY_PLUGIN: its name and version, and for each function
 * a signature as text and a pointer to call. There is nothing to link with. The types are those of the Rust crate
 * `caraway-abi`; docs/native-plugins.md has an example, examples/plugins/zlib a whole plugin.
 *
 * Words
 *
 *   type in the signature        argument                            result in `out`
 *   int                          1 word, two's complement            1 word
 *   float                        1 word, IEEE 754 bits               1 word
 *   bool                         1 word, 0 or 1                      1 word
 *   char                         1 word, a Unicode scalar value      1 word
 *   string, bytes                pointer, length in bytes            pointer, length, capacity in bytes
 *   array<int>, array<float>     pointer, count                      pointer, count, capacity in elements
 *   ints, floats                 the same, of the buffer itself      the same
 *   a class of handles           1 word, as a function gave it       1 word, whatever the plugin likes
 *   fn(A) -> R                   1 word, for caraway_host_api.call   not a result
 *   every other type             pointer, length of an encoding      pointer, length, capacity in bytes
 *   void                                                             nothing
 *
 * What arguments point at belongs to the host and is valid during the call; a pointer of length 0 may point
 * nowhere. A result's memory comes from caraway_host_api.alloc and becomes the host's, or, where the table has a
 * `release`, is the plugin's own and goes back to it. With capacity 0 the pointer is not looked at. Strings are
 * UTF-8 and do not end with a zero. Functions are called from any thread, and from several at once.
 *
 * An encoding is a tag byte and its content, all numbers little-endian, lengths and counts of 4 bytes:
 *
 *   () 0 | false 1 | true 2 | int 3, 8 bytes | float 4, 8 bytes | char 5, 4 bytes | string 6, length, bytes |
 *   bytes 7, length, bytes | array 8, count, values | map 9, count, then key (length, bytes) and value in turn
 *
 * A struct is a map, an enum a string. At most 128 levels of arrays and maps.
 *
 * The contract grows at the end of structs only. `size` and the `*_size` fields say how much of one is there, so
 * fill them with sizeof, and look at a host's `size` before you use what says "since".
 */
#ifndef CARAWAY_PLUGIN_H
#define CARAWAY_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CARAWAY_ABI_MAJOR 1
#define CARAWAY_ABI_MINOR 1

/* How many words of room a result has, and the result of a callback. */
#define CARAWAY_OUT_WORDS 3
#define CARAWAY_CALLBACK_OUT_WORDS 4

/* The name of the table: `CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {...};` */
#define CARAWAY_PLUGIN caraway_plugin_v1
#if defined(_WIN32)
#define CARAWAY_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define CARAWAY_EXPORT __attribute__((visibility("default")))
#else
#define CARAWAY_EXPORT
#endif

/* What functions give back. */
enum {
    CARAWAY_OK = 0,            /* the result is in `out` */
    CARAWAY_FAILED = 1,        /* `out` is a message, as a string result is */
    CARAWAY_PANICKED = 2,      /* the same, for a crash that was caught */
    CARAWAY_OUT_OF_MEMORY = 3, /* there is no memory for the result; nothing is in `out` */
    CARAWAY_RAISED = 4         /* since 1.1: an error of a callback; from a plugin, out[0] is its word */
};

/* UTF-8 text that lives as long as the library. */
typedef struct caraway_text {
    const uint8_t *ptr;
    size_t len;
} caraway_text;

/* A literal as text. */
#define CARAWAY_TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

/* What the host offers to one plugin. Any thread may call it. */
typedef struct caraway_host_api {
    size_t size;
    /* `align` is a power of two. NULL if there is no memory, or `size` is 0. */
    uint8_t *(*alloc)(size_t size, size_t align);
    /* Frees what was not handed over as a result. */
    void (*free)(uint8_t *ptr, size_t size, size_t align);

    /* Since 1.1: this plugin, for the functions below. */
    const void *context;
    /* Since 1.1: calls a function that the script has passed, during the call that it was passed to. `out` has
     * CARAWAY_CALLBACK_OUT_WORDS words: with CARAWAY_OK the result, with CARAWAY_RAISED a message and then a word
     * that stands for the error. What they point at is the plugin's, to be given to `free`. */
    int32_t (*call)(uint64_t function, const uint64_t *args, uint64_t *out);
    /* Since 1.1: a line for the log; level 0 error, 1 warn, 2 info, 3 debug, 4 trace. */
    void (*log)(const void *context, uint32_t level, const uint8_t *text, size_t len);
    /* Since 1.1: 1 when the call on this thread has reached a limit and should come back soon; else 0. */
    int32_t (*interrupted)(const void *context);
} caraway_host_api;

/* What a function is to scripts. */
enum {
    CARAWAY_FUNCTION = 0, /* m::f(x) */
    CARAWAY_METHOD = 1,   /* h.f(x): "counter::f(self: Counter, x: int)" */
    CARAWAY_GETTER = 2    /* h.f: "counter::f(self: Counter) -> int" */
};

/* A function of a plugin. */
typedef struct caraway_function {
    /* "mean(xs: array<float>) -> float" */
    caraway_text signature;
    /* What it does; may be empty. */
    caraway_text doc;
    int32_t (*call)(const uint64_t *args, uint64_t *out);

    /* Since 1.1: NULL, or the same function in C's own way of calling, a little faster. For at most 3 parameters
     * of type int, bool, char (int64_t) or float (double), and a result of these or void; it gives back a
     * caraway_ret_int or a caraway_ret_float. */
    const void *typed;
    uint32_t kind;
    /* Since 1.1: bit i is set if the function writes to its parameter i, which is `ints` or `floats`. */
    uint32_t writes;
} caraway_function;

/* A status that is not 0, and what would have been in `out`. In memory of caraway_host_api.alloc. */
typedef struct caraway_failure {
    int32_t status;
    uint64_t out[CARAWAY_OUT_WORDS];
} caraway_failure;

/* There is no memory for a caraway_failure. */
#define CARAWAY_NO_MEMORY ((caraway_failure *)8)

typedef struct caraway_ret_int {
    int64_t value;
    caraway_failure *failure; /* NULL if there is a result */
} caraway_ret_int;

typedef struct caraway_ret_float {
    double value;
    caraway_failure *failure;
} caraway_ret_float;

/* A class of handles: values that scripts hold and cannot look into. Since 1.1. */
typedef struct caraway_class {
    caraway_text name;
    caraway_text doc;
    /* Called once for each handle that a function gave back, from any thread. */
    void (*drop)(uint64_t handle);
} caraway_class;

/* A struct or enum that signatures name. Since 1.1. */
typedef struct caraway_type_def {
    /* "struct Point { x: float, y: float }" or "enum Colour { \"red\", \"dark_blue\" }" */
    caraway_text text;
    caraway_text doc;
    /* Types that this one names, unless they are in the table's own lists. */
    size_t list_count;
    const struct caraway_type_list *lists;
} caraway_type_def;

typedef struct caraway_type_list {
    size_t count;
    const caraway_type_def *const *types;
} caraway_type_list;

/* The table's `flags`: strings that the plugin gives back are UTF-8 for certain, and the host need not look. */
#define CARAWAY_UTF8 1u

/* A plugin. */
typedef struct caraway_plugin {
    uint32_t abi_major;
    uint32_t abi_minor;
    size_t size;
    caraway_text name;
    caraway_text version;
    /* 1 in C; 0 only where a crash of the language's own ends the process. */
    uint32_t unwind;
    uint32_t function_size;
    size_t function_count;
    const caraway_function *functions;
    /* Called once, before any function; `host` is valid for good. Everything but CARAWAY_OK refuses. */
    int32_t (*attach)(const caraway_host_api *host);

    /* Since 1.1, all of these; zero and NULL mean that there is none. */
    uint32_t flags;
    uint32_t class_size;
    size_t class_count;
    const caraway_class *classes;
    size_t type_list_count;
    const caraway_type_list *type_lists;
    /* Called once, after `attach`, with the settings as an encoded map. Status and `out` as functions have them. */
    int32_t (*init)(const uint8_t *config, size_t len, uint64_t *out);
    /* Called once, when nothing of the plugin is in use any more. */
    int32_t (*shutdown)(uint64_t *out);
    /* If it is there, what results and messages point at is the plugin's own memory, and comes back here once,
     * from any thread, with its capacity in bytes. Without it that memory comes from caraway_host_api.alloc. */
    void (*release)(uint8_t *ptr, size_t size, size_t align);
} caraway_plugin;

/* Words of arguments. */
static inline int64_t caraway_int(uint64_t word) { return (int64_t)word; }
static inline double caraway_float(uint64_t word) {
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}
static inline const void *caraway_ptr(uint64_t word) { return (const void *)(uintptr_t)word; }

/* Words of results. */
static inline int32_t caraway_give_int(uint64_t *out, int64_t value) {
    out[0] = (uint64_t)value;
    return CARAWAY_OK;
}
static inline int32_t caraway_give_float(uint64_t *out, double value) {
    memcpy(out, &value, sizeof value);
    return CARAWAY_OK;
}
/* A copy of `len` bytes in memory of the host, for a table without `release`. */
static inline int32_t caraway_give_bytes(const caraway_host_api *host, uint64_t *out, const void *bytes, size_t len) {
    uint8_t *copy = NULL;
    if (len > 0) {
        copy = host->alloc(len, 1);
        if (!copy) return CARAWAY_OUT_OF_MEMORY;
        memcpy(copy, bytes, len);
    }
    out[0] = (uint64_t)(uintptr_t)copy;
    out[1] = out[2] = len;
    return CARAWAY_OK;
}
/* The same for a message, which ends with a zero that is left out. */
static inline int32_t caraway_fail(const caraway_host_api *host, uint64_t *out, const char *message) {
    int32_t status = caraway_give_bytes(host, out, message, strlen(message));
    return status == CARAWAY_OK ? CARAWAY_FAILED : status;
}

#ifdef __cplusplus
}
#endif

#endif
