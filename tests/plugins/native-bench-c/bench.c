/* Thirty functions, for `interpreter/benches/native_call.rs` to load. */

#include <string.h>

#include "caraway_plugin.h"

static int32_t attach(const caraway_host_api *api) {
    (void)api;
    return CARAWAY_OK;
}

static int32_t add(const uint64_t *args, uint64_t *out) {
    return caraway_give_int(out, (int64_t)(args[0] + args[1]));
}

#define THE_OTHERS(F)                                                                                            \
    F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) F(16) F(17) F(18) F(19)      \
    F(20) F(21) F(22) F(23) F(24) F(25) F(26) F(27) F(28) F(29)

#define FUNCTION(N)                                                                                              \
    static int32_t f##N(const uint64_t *args, uint64_t *out) {                                                   \
        double b;                                                                                                \
        memcpy(&b, &args[1], sizeof b);                                                                          \
        b = (double)(int64_t)args[0] + b * N;                                                                    \
        memcpy(out, &b, sizeof b);                                                                               \
        return CARAWAY_OK;                                                                                       \
    }
THE_OTHERS(FUNCTION)

#define ENTRY(N)                                                                                                 \
    {CARAWAY_TEXT("f" #N "(a: int, b: float) -> float"), CARAWAY_TEXT(""), f##N, NULL, CARAWAY_FUNCTION, 0},

static const caraway_function functions[] = {
    {CARAWAY_TEXT("add(a: int, b: int) -> int"), CARAWAY_TEXT(""), add, NULL, CARAWAY_FUNCTION, 0},
    THE_OTHERS(ENTRY)
};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("bench"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = sizeof functions / sizeof *functions,
    .functions = functions,
    .attach = attach,
};
