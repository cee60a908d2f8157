/* Tables of other contracts than this host's: -DTABLE=symbol -DMAJOR=n; and no table at all. Its code must not run
 * where the symbol alone says enough: with -DDEADLY it ends the process as soon as it is opened. */
#include "caraway_plugin.h"
#include <stdlib.h>

#ifdef DEADLY
__attribute__((constructor)) static void run(void) { abort(); }
#endif

#ifdef TABLE
static int32_t attach(const caraway_host_api *host) {
    (void)host;
    return CARAWAY_OK;
}

CARAWAY_EXPORT const caraway_plugin TABLE = {
    .abi_major = MAJOR,
    .abi_minor = 7,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("contracts"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .attach = attach,
};
#endif
