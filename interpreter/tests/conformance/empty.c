/* A plugin that follows a null pointer: when it is given 0, when it is called, or when it is opened. */
#include "caraway_plugin.h"

static int32_t attach(const caraway_host_api *host) {
    (void)host;
    return CARAWAY_OK;
}

#ifdef ENDS_WHEN_CALLED
#define ENDS(x) 1
#else
#define ENDS(x) ((x) == 0)
#endif

static int32_t f(const uint64_t *args, uint64_t *out) {
    static volatile int64_t one = 1;
    volatile int64_t *at = ENDS(caraway_int(args[0])) ? NULL : &one;
    return caraway_give_int(out, *at);
}

#ifdef ENDS_WHEN_OPENED
__attribute__((constructor)) static void opened(void) {
    uint64_t zero = 0, out;
    f(&zero, &out);
}
#endif

static const caraway_function functions[] = {
    {CARAWAY_TEXT("f(x: int) -> int"), CARAWAY_TEXT(""), f, NULL, CARAWAY_FUNCTION, 0},
};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("empty"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = 1,
    .functions = functions,
    .attach = attach,
};
