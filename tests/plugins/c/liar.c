/* A plugin whose results are not what its signatures say. More of them are in loaders/native/tests. */
#include "caraway_plugin.h"

static const caraway_host_api *host;

static int32_t attach(const caraway_host_api *api) {
    host = api;
    return CARAWAY_OK;
}

#define LIE(name) static int32_t name(const uint64_t *args, uint64_t *out)
#define UNUSED (void)args

/* The words as they are. */
static int32_t words(uint64_t *out, uint64_t first, uint64_t second, uint64_t third) {
    out[0] = first;
    out[1] = second;
    out[2] = third;
    return CARAWAY_OK;
}

static uint64_t address(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

LIE(truth) { return words(out, args[0], 0, 0); }
LIE(surrogate_text) { UNUSED; return caraway_give_bytes(host, out, "\xed\xa0\x80", 3); }
LIE(nowhere) { UNUSED; return words(out, 0, 3, 3); }
LIE(wrapping) { UNUSED; return words(out, address(host), UINT64_MAX / 8 + 2, UINT64_MAX / 8 + 2); }
LIE(crooked) { UNUSED; return words(out, address(host) + 1, 1, 1); }
LIE(many) { UNUSED; return caraway_give_bytes(host, out, "\x08\xff\xff\xff\xff", 5); }
LIE(twice) {
    UNUSED;
    return caraway_give_bytes(host, out, "\x09\x02\0\0\0\x01\0\0\0k\0\x01\0\0\0k\0", 17);
}
LIE(text_for_int) { UNUSED; return caraway_give_bytes(host, out, "\x06\x02\0\0\0hi", 7); }
LIE(nested) {
    size_t depth = (size_t)args[0], len = depth * 5;
    uint8_t *bytes = host->alloc(len, 1);
    if (!bytes) return CARAWAY_OUT_OF_MEMORY;
    for (size_t i = 0; i < depth; i++) memcpy(bytes + i * 5, "\x08\x01\0\0\0", 5);
    /* The innermost is empty. */
    bytes[len - 4] = 0;
    return words(out, address(bytes), len, len);
}

#define FUNCTION(name, text) {CARAWAY_TEXT(text), CARAWAY_TEXT(""), name, NULL, CARAWAY_FUNCTION, 0}

static const caraway_function functions[] = {
    FUNCTION(truth, "truth(x: int) -> int"),
    FUNCTION(surrogate_text, "surrogate_text() -> string"),
    FUNCTION(nowhere, "nowhere() -> string"),
    FUNCTION(wrapping, "wrapping() -> array<int>"),
    FUNCTION(crooked, "crooked() -> array<float>"),
    FUNCTION(crooked, "crooked_buffer() -> floats"),
    FUNCTION(many, "many() -> array<any>"),
    FUNCTION(twice, "twice() -> map<any>"),
    FUNCTION(text_for_int, "text_for_int() -> int?"),
    FUNCTION(nested, "nested(depth: int) -> any"),
};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("liar"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = sizeof functions / sizeof functions[0],
    .functions = functions,
    .attach = attach,
};
