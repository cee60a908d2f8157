#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

/* The host asks for room for its strings here, and gives it back after the call, with that of the result. */
EXPORT("alloc") void *caraway_alloc(size_t size) { return malloc(size); }

EXPORT("dealloc") void caraway_dealloc(void *at, size_t size) {
    (void)size;
    free(at);
}

/* A string as a result: where it is in the upper half, how many bytes it has in the lower. */
static uint64_t give(const char *at, size_t size) { return (uint64_t)(uintptr_t)at << 32 | size; }

/* A string as a parameter is a pointer and a number of bytes; no zero ends it. */
EXPORT("greet") uint64_t greet(const char *name, size_t size) {
    static const char before[] = "hello, ", after[] = "!";
    size_t total = sizeof before - 1 + size + sizeof after - 1;
    char *text = malloc(total);
    if (!text) __builtin_trap();
    memcpy(text, before, sizeof before - 1);
    memcpy(text + sizeof before - 1, name, size);
    memcpy(text + total - (sizeof after - 1), after, sizeof after - 1);
    return give(text, total);
}
