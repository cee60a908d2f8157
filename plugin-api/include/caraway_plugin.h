/* The contract between Caraway and native plugins, in C.
 *
 * These are the types of the Rust crate `caraway-abi`, which explains them: the layout of words, who owns which
 * memory, and how later versions add fields. Loading a library that exports the table without abi_stable is not
 * built yet; the header fixes the layout.
 */
#ifndef CARAWAY_PLUGIN_H
#define CARAWAY_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CARAWAY_ABI_MAJOR 1
#define CARAWAY_ABI_MINOR 0

/* How many words of room a result has. */
#define CARAWAY_OUT_WORDS 3

/* What functions give back. */
enum {
    CARAWAY_OK = 0,           /* the result is in `out` */
    CARAWAY_FAILED = 1,       /* `out` is a message, as a string result is */
    CARAWAY_PANICKED = 2,     /* the same, for a crash that was caught */
    CARAWAY_OUT_OF_MEMORY = 3 /* the host gave no memory; nothing is in `out` */
};

/* UTF-8 text that lives as long as the library. */
typedef struct caraway_text {
    const uint8_t *ptr;
    size_t len;
} caraway_text;

/* What the host offers. */
typedef struct caraway_host_api {
    /* Bytes of this table, or of a later one that begins with it. */
    size_t size;
    /* `align` is a power of two. NULL if there is no memory, or `size` is 0. */
    uint8_t *(*alloc)(size_t size, size_t align);
    /* Frees what was not handed over as a result. */
    void (*free)(uint8_t *ptr, size_t size, size_t align);
} caraway_host_api;

/* A function of a plugin. */
typedef struct caraway_function {
    /* "mean(xs: array<float>) -> float" */
    caraway_text signature;
    /* What it does; may be empty. */
    caraway_text doc;
    /* Called from any thread, and from several at once. */
    int32_t (*call)(const uint64_t *args, uint64_t *out);
} caraway_function;

/* A plugin. */
typedef struct caraway_plugin {
    uint32_t abi_major;
    uint32_t abi_minor;
    /* Bytes of this table, or of a later one that begins with it. */
    size_t size;
    caraway_text name;
    caraway_text version;
    /* 1 in C; 0 only where a crash of the language's own ends the process. */
    uint32_t unwind;
    /* Bytes from one function to the next. */
    uint32_t function_size;
    size_t function_count;
    const caraway_function *functions;
    /* Called once, before any function; `host` is valid for good. */
    int32_t (*attach)(const caraway_host_api *host);
} caraway_plugin;

#ifdef __cplusplus
}
#endif

#endif
