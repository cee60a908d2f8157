/* A plugin that follows a null pointer when it is given 0. */
#include "caraway_plugin.h"

static int32_t attach(const caraway_host_api *host) {
    (void)host;
    return CARAWAY_OK;
}

static int32_t f(const uint64_t *args, uint64_t *out) {
    static volatile int64_t one = 1;
    volatile int64_t *at = caraway_int(args[0]) == 0 ? NULL : &one;
    return caraway_give_int(out, *at);
}

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
