/* A plugin that uses all of the contract, and one that breaks it where a test asks for that.
 *
 * Built with OWN_MEMORY, results are the plugin's own memory, with a `release` that counts. */

#include "caraway_plugin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const caraway_host_api *host;

/* Memory of results. */

static atomic_long given, released;

#ifdef OWN_MEMORY
static uint8_t *memory(size_t size, size_t align) {
    given++;
    return aligned_alloc(align < 16 ? 16 : align, (size + 15) / 16 * 16);
}
static void release(uint8_t *ptr, size_t size, size_t align) {
    /* What is written is found again, if anybody uses it still. */
    if (align == 1 || align == 8) memset(ptr, 0xa5, size);
    released++;
    free(ptr);
}
#else
static uint8_t *memory(size_t size, size_t align) { return host->alloc(size, align); }
#endif

/* With room to spare: the capacity is what comes back. */
static int32_t give(uint64_t *out, const void *items, size_t count, size_t item) {
    size_t room = count + 3;
    uint8_t *copy = memory(room * item, item);
    if (!copy) return CARAWAY_OUT_OF_MEMORY;
    memcpy(copy, items, count * item);
    out[0] = (uint64_t)(uintptr_t)copy;
    out[1] = count;
    out[2] = room;
    return CARAWAY_OK;
}

static int32_t fail(uint64_t *out, const char *message) {
    int32_t status = give(out, message, strlen(message), 1);
    return status == CARAWAY_OK ? CARAWAY_FAILED : status;
}

static int32_t memory_given(const uint64_t *args, uint64_t *out) {
    (void)args;
    return caraway_give_int(out, given);
}

static int32_t memory_released(const uint64_t *args, uint64_t *out) {
    (void)args;
    return caraway_give_int(out, released);
}

/* Typed functions. The other way of calling them must not be used. */

static int32_t words(const uint64_t *args, uint64_t *out) {
    (void)args;
    return fail(out, "the words were used");
}

typedef int64_t I;
typedef double F;
typedef caraway_ret_int RET_I;
typedef caraway_ret_float RET_F;
#define TYPED(R, name, parameters, value) \
    static RET_##R name parameters { RET_##R ret = {value, NULL}; return ret; }
#define TYPED_OF(R) \
    TYPED(R, R##_, (void), 7) \
    TYPED(R, R##_i, (I a), a) TYPED(R, R##_f, (F a), a) \
    TYPED(R, R##_ii, (I a, I b), a * 10 + b) TYPED(R, R##_if, (I a, F b), a * 10 + b) \
    TYPED(R, R##_fi, (F a, I b), a * 10 + b) TYPED(R, R##_ff, (F a, F b), a * 10 + b) \
    TYPED(R, R##_iii, (I a, I b, I c), a * 100 + b * 10 + c) TYPED(R, R##_iif, (I a, I b, F c), a * 100 + b * 10 + c) \
    TYPED(R, R##_ifi, (I a, F b, I c), a * 100 + b * 10 + c) TYPED(R, R##_iff, (I a, F b, F c), a * 100 + b * 10 + c) \
    TYPED(R, R##_fii, (F a, I b, I c), a * 100 + b * 10 + c) TYPED(R, R##_fif, (F a, I b, F c), a * 100 + b * 10 + c) \
    TYPED(R, R##_ffi, (F a, F b, I c), a * 100 + b * 10 + c) TYPED(R, R##_fff, (F a, F b, F c), a * 100 + b * 10 + c)
TYPED_OF(I)
TYPED_OF(F)

TYPED(I, typed_not, (I a), !a)
TYPED(I, typed_next, (I a), a + 1)
TYPED(F, typed_mixed, (I a, F b, I c), a ? b : c)
TYPED(I, typed_is, (F a, I b), a == b)
TYPED(I, typed_bool_2, (void), 2)
TYPED(I, typed_surrogate, (void), 0xd800)

static atomic_long ticks;

static caraway_ret_int typed_tick(void) {
    caraway_ret_int ret = {-1, NULL};
    ticks++;
    return ret;
}

static int32_t tick_count(const uint64_t *args, uint64_t *out) {
    (void)args;
    return caraway_give_int(out, ticks);
}

static caraway_failure *failure(int32_t status, const char *message) {
    caraway_failure *failure = (void *)host->alloc(sizeof *failure, _Alignof(caraway_failure));
    if (!failure) return CARAWAY_NO_MEMORY;
    memset(failure, 0, sizeof *failure);
    failure->status = status;
    if (message) give(failure->out, message, strlen(message), 1);
    return failure;
}

static caraway_ret_int typed_fails(int64_t how) {
    caraway_ret_int ret = {0, NULL};
    switch (how) {
    case 0: ret.failure = failure(CARAWAY_FAILED, "as it was asked to"); break;
    case 1: ret.failure = failure(CARAWAY_PANICKED, "boom"); break;
    case 2: ret.failure = CARAWAY_NO_MEMORY; break;
    case 3: ret.failure = failure(CARAWAY_OK, NULL); break;
    case 4: ret.failure = failure(77, NULL); break;
    case 5: ret.failure = (caraway_failure *)12; break;
    case 6: ret.failure = failure(CARAWAY_RAISED, NULL); break;
    }
    return ret;
}

/* Values of every type, there and back. */

static int32_t text(const uint64_t *args, uint64_t *out) { return give(out, caraway_ptr(args[0]), args[1], 1); }
static int32_t numbers(const uint64_t *args, uint64_t *out) { return give(out, caraway_ptr(args[0]), args[1], 8); }

static int32_t empty(const uint64_t *args, uint64_t *out) {
    (void)args;
    return give(out, "", 0, 8);
}

/* Results that are none. */
static int32_t lie(const uint64_t *args, uint64_t *out) {
    int64_t how = caraway_int(args[0]);
    out[0] = out[1] = out[2] = 0;
    switch (how) {
    case 0: out[1] = out[2] = 1; return CARAWAY_OK;                         /* no pointer */
    case 1: give(out, "ab", 2, 1); out[1] = out[2] + 1; return CARAWAY_OK;  /* more than there is */
    case 2: out[0] = out[1] = out[2] = UINT64_MAX; return CARAWAY_OK;
    case 3: return give(out, "\xff\xfe", 2, 1);                             /* no UTF-8 */
    case 4: return 99;
    case 5: return -1;
    case 6: out[0] = 12345; return CARAWAY_RAISED;
    case 7: out[1] = out[2] = 5; return CARAWAY_FAILED;                     /* no message */
    case 8: give(out, "a\xff", 2, 1); return CARAWAY_FAILED;
    case 9: give(out, "boom", 4, 1); return CARAWAY_PANICKED;
    case 10: return CARAWAY_FAILED;                                         /* nothing to say */
    case 11: return CARAWAY_OUT_OF_MEMORY;
    case 12: out[0] = UINT64_MAX; return CARAWAY_RAISED;
    case 13: out[0] = UINT64_MAX - 1; return CARAWAY_RAISED;
    }
    return fail(out, "no such lie");
}

static int32_t lie_bool(const uint64_t *args, uint64_t *out) {
    (void)args;
    out[0] = 2;
    return CARAWAY_OK;
}

static int32_t lie_char(const uint64_t *args, uint64_t *out) {
    (void)args;
    out[0] = 0x110000;
    return CARAWAY_OK;
}

static int32_t lie_ints(const uint64_t *args, uint64_t *out) {
    int64_t numbers[] = {1, 2, 3};
    give(out, numbers, 3, 8);
    if (caraway_int(args[0])) out[0]++;
    else out[1] = UINT64_MAX;
    return CARAWAY_OK;
}

static int32_t lie_any(const uint64_t *args, uint64_t *out) {
    static const char *const encodings[] = {"", "\xc8", "\0\0", "\x08\xff\xff\xff\xff", "\x06\x01\0\0\0\xff", "\x02"};
    static const size_t lengths[] = {0, 1, 2, 5, 6, 1};
    size_t how = (size_t)caraway_int(args[0]);
    return give(out, encodings[how], lengths[how], 1);
}

/* Buffers. */

static int32_t fill(const uint64_t *args, uint64_t *out) {
    int64_t *items = (int64_t *)(uintptr_t)args[0];
    (void)out;
    for (size_t i = 0; i < args[1]; i++) items[i] = caraway_int(args[2]) + (int64_t)i;
    return CARAWAY_OK;
}

static int32_t scale(const uint64_t *args, uint64_t *out) {
    double *items = (double *)(uintptr_t)args[0];
    (void)out;
    for (size_t i = 0; i < args[1]; i++) items[i] *= caraway_float(args[2]);
    return CARAWAY_OK;
}

static int32_t total(const uint64_t *args, uint64_t *out) {
    const int64_t *a = caraway_ptr(args[0]), *b = caraway_ptr(args[2]);
    int64_t sum = 0;
    for (size_t i = 0; i < args[1]; i++) sum += a[i];
    for (size_t i = 0; i < args[3]; i++) sum += b[i];
    return caraway_give_int(out, sum);
}

static int32_t two(const uint64_t *args, uint64_t *out) {
    (void)args;
    (void)out;
    return CARAWAY_OK;
}

/* Handles. */

typedef struct counter {
    atomic_long count;
} counter;

static atomic_long live;

static int32_t counter_new(const uint64_t *args, uint64_t *out) {
    counter *new = malloc(sizeof *new);
    new->count = caraway_int(args[0]);
    live++;
    out[0] = (uint64_t)(uintptr_t)new;
    return CARAWAY_OK;
}

static void counter_drop(uint64_t handle) {
    counter *dropped = (counter *)(uintptr_t)handle;
    char line[64];
    int len = snprintf(line, sizeof line, "drop %ld", dropped->count);
    host->log(host->context, 3, (const uint8_t *)line, (size_t)len);
    live--;
    free(dropped);
}

static int32_t counter_incr(const uint64_t *args, uint64_t *out) {
    counter *self = (counter *)(uintptr_t)args[0];
    return caraway_give_int(out, self->count += caraway_int(args[1]));
}

static int32_t counter_count(const uint64_t *args, uint64_t *out) {
    counter *self = (counter *)(uintptr_t)args[0];
    return caraway_give_int(out, self->count);
}

static int32_t counter_plus(const uint64_t *args, uint64_t *out) {
    counter *a = (counter *)(uintptr_t)args[0], *b = (counter *)(uintptr_t)args[1];
    uint64_t sum = (uint64_t)(a->count + b->count);
    return counter_new(&sum, out);
}

static int32_t counter_each(const uint64_t *args, uint64_t *out);

static int32_t live_counters(const uint64_t *args, uint64_t *out) {
    (void)args;
    return caraway_give_int(out, live);
}

/* A class without methods: its words may be anything. */
static void ticket_drop(uint64_t handle) { (void)handle; }

static int32_t ticket(const uint64_t *args, uint64_t *out) {
    out[0] = args[0];
    return CARAWAY_OK;
}

/* Callbacks. */

/* Passes an error on, or gives back 1 where there is none. */
static int32_t raised(int32_t status, uint64_t *result, uint64_t *out) {
    if (status == CARAWAY_RAISED) {
        host->free((uint8_t *)(uintptr_t)result[0], result[2], 1);
        out[0] = result[3];
    }
    return status;
}

static int32_t each(const uint64_t *args, uint64_t *out) {
    const int64_t *items = caraway_ptr(args[0]);
    int64_t sum = 0;
    for (size_t i = 0; i < args[1]; i++) {
        uint64_t arg = (uint64_t)items[i], result[CARAWAY_CALLBACK_OUT_WORDS];
        int32_t status = host->call(args[2], &arg, result);
        if (status != CARAWAY_OK) return raised(status, result, out);
        sum += caraway_int(result[0]);
    }
    return caraway_give_int(out, sum);
}

static int32_t counter_each(const uint64_t *args, uint64_t *out) {
    counter *self = (counter *)(uintptr_t)args[0];
    for (long i = 0; i < 3; i++) {
        uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
        int32_t status = host->call(args[1], NULL, result);
        if (status != CARAWAY_OK) return raised(status, result, out);
        self->count++;
    }
    return caraway_give_int(out, self->count);
}

/* A value of every type. */
static int32_t every(const uint64_t *args, uint64_t *out) {
    static const int64_t ints[] = {1, -2};
    static const double floats[] = {0.5};
    static const char encoded[] = "\x08\x02\0\0\0\x00\x05x\0\0\0"; /* [(), 'x'] */
    double half = 0.5;
    uint64_t words[16] = {(uint64_t)-7, 0, 1, 0xfc};
    memcpy(&words[1], &half, sizeof half);
    words[4] = (uint64_t)(uintptr_t)"text", words[5] = 4;
    words[6] = (uint64_t)(uintptr_t)"\xff", words[7] = 1;
    words[8] = (uint64_t)(uintptr_t)ints, words[9] = 2;
    words[10] = (uint64_t)(uintptr_t)floats, words[11] = 1;
    words[12] = (uint64_t)(uintptr_t)encoded, words[13] = 11;
    words[14] = 0, words[15] = 0; /* an empty string that is nowhere */
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
    int32_t status = host->call(args[0], words, result);
    if (status != CARAWAY_OK) return raised(status, result, out);
    status = give(out, caraway_ptr(result[0]), result[1], 1);
    host->free((uint8_t *)(uintptr_t)result[0], result[2], 1);
    return status;
}

/* Results of every type of two words, given back as they are. */
static int32_t made(const uint64_t *args, uint64_t *out, size_t item) {
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
    int32_t status = host->call(args[0], NULL, result);
    if (status != CARAWAY_OK) return raised(status, result, out);
    status = give(out, caraway_ptr(result[0]), result[1], item);
    host->free((uint8_t *)(uintptr_t)result[0], result[2] * item, item);
    return status;
}
static int32_t made_bytes(const uint64_t *args, uint64_t *out) { return made(args, out, 1); }
static int32_t made_numbers(const uint64_t *args, uint64_t *out) { return made(args, out, 8); }

/* Results of one word. */
static int32_t made_word(const uint64_t *args, uint64_t *out) {
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
    int32_t status = host->call(args[0], NULL, result);
    if (status != CARAWAY_OK) return raised(status, result, out);
    out[0] = result[0];
    return CARAWAY_OK;
}

/* The message of what a callback throws; nothing of the error itself. */
static int32_t message(const uint64_t *args, uint64_t *out) {
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
    int32_t status = host->call(args[0], NULL, result);
    if (status == CARAWAY_OK) return give(out, "no error", 8, 1);
    if (status != CARAWAY_RAISED) return status;
    status = give(out, caraway_ptr(result[0]), result[1], 1);
    host->free((uint8_t *)(uintptr_t)result[0], result[2], 1);
    return status;
}

/* How often a callback could be called before it failed, a thousand times at most. */
static int32_t swallow(const uint64_t *args, uint64_t *out) {
    int64_t calls = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t result[CARAWAY_CALLBACK_OUT_WORDS], ignored[CARAWAY_OUT_WORDS];
        if (raised(host->call(args[0], NULL, result), result, ignored) == CARAWAY_OK) calls++;
    }
    return caraway_give_int(out, calls);
}

/* The first error of a thousand: its word is long forgotten. */
static int32_t first_of_many(const uint64_t *args, uint64_t *out) {
    uint64_t first = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t result[CARAWAY_CALLBACK_OUT_WORDS], word[CARAWAY_OUT_WORDS];
        raised(host->call(args[0], NULL, result), result, word);
        if (i == 0) first = word[0];
    }
    out[0] = first;
    return CARAWAY_RAISED;
}

/* Words that are kept, passed on the wrong way, or made up. */
static atomic_ullong kept, kept_error;

static int32_t keep(const uint64_t *args, uint64_t *out) {
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS], word[CARAWAY_OUT_WORDS];
    (void)out;
    kept = args[0];
    if (raised(host->call(args[0], NULL, result), result, word) == CARAWAY_RAISED) kept_error = word[0];
    return CARAWAY_OK;
}

static int32_t call_kept(const uint64_t *args, uint64_t *out) {
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
    uint64_t word = caraway_int(args[0]) ? (uint64_t)caraway_int(args[0]) : kept;
    int32_t status = host->call(word, NULL, result);
    return status == CARAWAY_OK ? fail(out, "it was called") : raised(status, result, out);
}

static int32_t raise_kept(const uint64_t *args, uint64_t *out) {
    (void)args;
    out[0] = kept_error;
    return CARAWAY_RAISED;
}

static int32_t call_badly(const uint64_t *args, uint64_t *out) {
    uint64_t words[3] = {2, 0, 0}, result[CARAWAY_CALLBACK_OUT_WORDS];
    const uint64_t *given = words;
    switch (caraway_int(args[1])) {
    case 1: given = NULL; break;
    case 2: given = (const uint64_t *)((const char *)words + 1); break;
    case 3: words[0] = 1, words[1] = 0, words[2] = 5; break;  /* text at NULL */
    case 4: words[0] = 1, words[1] = 8, words[2] = UINT64_MAX; break;
    case 5: words[0] = 1, words[1] = (uint64_t)(uintptr_t)"\xff", words[2] = 1; break;
    }
    int32_t status = host->call(args[0], given, result);
    return status == CARAWAY_OK ? fail(out, "it was called") : raised(status, result, out);
}

/* From another thread, which is waited for. */
typedef struct elsewhere {
    uint64_t function;
    uint64_t result[CARAWAY_CALLBACK_OUT_WORDS];
    int32_t status;
} elsewhere;

static void *on_thread(void *argument) {
    elsewhere *call = argument;
    call->status = host->call(call->function, NULL, call->result);
    return NULL;
}

static int32_t from_thread(const uint64_t *args, uint64_t *out) {
    elsewhere call = {args[0], {0}, 0};
    pthread_t thread;
    if (pthread_create(&thread, NULL, on_thread, &call)) return fail(out, "no thread");
    pthread_join(thread, NULL);
    if (call.status != CARAWAY_OK) return raised(call.status, call.result, out);
    return caraway_give_int(out, caraway_int(call.result[0]));
}

/* From a thread that outlives the call. */
static pthread_t late;
static elsewhere late_call;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *on_late_thread(void *argument) {
    pthread_mutex_lock(&gate);
    on_thread(argument);
    pthread_mutex_unlock(&gate);
    return NULL;
}

static int32_t start_late(const uint64_t *args, uint64_t *out) {
    pthread_mutex_lock(&gate);
    late_call.function = args[0];
    return pthread_create(&late, NULL, on_late_thread, &late_call) ? fail(out, "no thread") : CARAWAY_OK;
}

static int32_t join_late(const uint64_t *args, uint64_t *out) {
    (void)args;
    pthread_mutex_unlock(&gate);
    pthread_join(late, NULL);
    return late_call.status == CARAWAY_OK ? fail(out, "it was called") : raised(late_call.status, late_call.result, out);
}

/* What the host offers. */

static int32_t log_line(const uint64_t *args, uint64_t *out) {
    (void)out;
    host->log(host->context, (uint32_t)args[0], caraway_ptr(args[1]), args[2]);
    return CARAWAY_OK;
}

static int32_t interrupted(const uint64_t *args, uint64_t *out) {
    (void)args;
    out[0] = (uint64_t)host->interrupted(host->context);
    return CARAWAY_OK;
}

static int32_t until_interrupted(const uint64_t *args, uint64_t *out) {
    (void)args;
    while (!host->interrupted(host->context)) {}
    return fail(out, "it was told to stop");
}

/* Settings. */

static uint8_t *settings;
static size_t settings_len;

static int contains(const uint8_t *bytes, size_t len, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++)
        if (!memcmp(bytes + i, word, n)) return 1;
    return 0;
}

static int32_t config(const uint64_t *args, uint64_t *out) {
    (void)args;
    return give(out, settings, settings_len, 1);
}

static int32_t attach(const caraway_host_api *api) {
    if (api->size < sizeof *api) return CARAWAY_FAILED;
    host = api;
    return CARAWAY_OK;
}

static int32_t init(const uint8_t *bytes, size_t len, uint64_t *out) {
    settings = malloc(len + 1);
    memcpy(settings, bytes, len);
    settings_len = len;
    if (contains(bytes, len, "panic")) {
        give(out, "boom", 4, 1);
        return CARAWAY_PANICKED;
    }
    if (contains(bytes, len, "strange")) return 42;
    return contains(bytes, len, "refuse") ? fail(out, "no such device") : CARAWAY_OK;
}

static int32_t shutdown(uint64_t *out) {
    static const uint8_t bye[] = "bye";
    host->log(host->context, 2, bye, 3);
    return contains(settings, settings_len, "linger") ? fail(out, "still busy") : CARAWAY_OK;
}

/* The table. */

#define FUNCTION(signature, call) {CARAWAY_TEXT(signature), CARAWAY_TEXT(""), call, NULL, CARAWAY_FUNCTION, 0}
#define TYPED_FUNCTION(signature, typed) \
    {CARAWAY_TEXT(signature), CARAWAY_TEXT(""), words, (const void *)typed, CARAWAY_FUNCTION, 0}
#define TYPED_FUNCTIONS(R, result) \
    TYPED_FUNCTION(#R "_() -> " result, R##_), \
    TYPED_FUNCTION(#R "_i(a: int) -> " result, R##_i), TYPED_FUNCTION(#R "_f(a: float) -> " result, R##_f), \
    TYPED_FUNCTION(#R "_ii(a: int, b: int) -> " result, R##_ii), \
    TYPED_FUNCTION(#R "_if(a: int, b: float) -> " result, R##_if), \
    TYPED_FUNCTION(#R "_fi(a: float, b: int) -> " result, R##_fi), \
    TYPED_FUNCTION(#R "_ff(a: float, b: float) -> " result, R##_ff), \
    TYPED_FUNCTION(#R "_iii(a: int, b: int, c: int) -> " result, R##_iii), \
    TYPED_FUNCTION(#R "_iif(a: int, b: int, c: float) -> " result, R##_iif), \
    TYPED_FUNCTION(#R "_ifi(a: int, b: float, c: int) -> " result, R##_ifi), \
    TYPED_FUNCTION(#R "_iff(a: int, b: float, c: float) -> " result, R##_iff), \
    TYPED_FUNCTION(#R "_fii(a: float, b: int, c: int) -> " result, R##_fii), \
    TYPED_FUNCTION(#R "_fif(a: float, b: int, c: float) -> " result, R##_fif), \
    TYPED_FUNCTION(#R "_ffi(a: float, b: float, c: int) -> " result, R##_ffi), \
    TYPED_FUNCTION(#R "_fff(a: float, b: float, c: float) -> " result, R##_fff)

static const caraway_function functions[] = {
    FUNCTION("memory_given() -> int", memory_given),
    FUNCTION("memory_released() -> int", memory_released),
    TYPED_FUNCTIONS(I, "int"),
    TYPED_FUNCTIONS(F, "float"),
    TYPED_FUNCTION("typed_not(a: bool) -> bool", typed_not),
    TYPED_FUNCTION("typed_next(a: char) -> char", typed_next),
    TYPED_FUNCTION("typed_mixed(a: bool, b: float, c: int) -> float", typed_mixed),
    TYPED_FUNCTION("typed_is(a: float, b: int) -> bool", typed_is),
    TYPED_FUNCTION("typed_tick()", typed_tick),
    TYPED_FUNCTION("typed_bool_2() -> bool", typed_bool_2),
    TYPED_FUNCTION("typed_surrogate() -> char", typed_surrogate),
    TYPED_FUNCTION("typed_fails(how: int) -> int", typed_fails),
    FUNCTION("tick_count() -> int", tick_count),
    FUNCTION("text(x: string) -> string", text),
    FUNCTION("bytes(x: bytes) -> bytes", text),
    FUNCTION("any(x: any) -> any", text),
    FUNCTION("int_array(xs: array<int>) -> array<int>", numbers),
    FUNCTION("float_array(xs: array<float>) -> array<float>", numbers),
    FUNCTION("ints(xs: ints) -> ints", numbers),
    FUNCTION("floats(xs: floats) -> floats", numbers),
    FUNCTION("no_ints() -> ints", empty),
    FUNCTION("no_int_array() -> array<int>", empty),
    FUNCTION("point(p: Point) -> Point", text),
    FUNCTION("line(l: Line) -> Line", text),
    FUNCTION("colour(c: Colour) -> Colour", text),
    FUNCTION("as_point(p: any) -> Point", text),
    FUNCTION("as_colour(c: any) -> Colour", text),
    FUNCTION("points(ps: array<Point>) -> map<Point>", text),
    FUNCTION("lie(how: int) -> string", lie),
    FUNCTION("lie_bool() -> bool", lie_bool),
    FUNCTION("lie_char() -> char", lie_char),
    FUNCTION("lie_ints(odd: bool) -> ints", lie_ints),
    FUNCTION("lie_int_array(odd: bool) -> array<int>", lie_ints),
    FUNCTION("lie_any(how: int) -> any", lie_any),
    FUNCTION("lie_int(how: int) -> int?", lie_any),
    {CARAWAY_TEXT("fill(xs: ints, from: int)"), CARAWAY_TEXT(""), fill, NULL, CARAWAY_FUNCTION, 1},
    {CARAWAY_TEXT("scale(xs: floats, by: float)"), CARAWAY_TEXT(""), scale, NULL, CARAWAY_FUNCTION, 1},
    FUNCTION("total(a: ints, b: ints) -> int", total),
    {CARAWAY_TEXT("two(a: ints, b: ints)"), CARAWAY_TEXT(""), two, NULL, CARAWAY_FUNCTION, 2},
    FUNCTION("counter(from: int) -> Counter", counter_new),
    {CARAWAY_TEXT("counter::incr(self: Counter, by: int) -> int"), CARAWAY_TEXT(""), counter_incr, NULL, CARAWAY_METHOD, 0},
    {CARAWAY_TEXT("counter::each(self: Counter, f: fn()) -> int"), CARAWAY_TEXT(""), counter_each, NULL, CARAWAY_METHOD, 0},
    {CARAWAY_TEXT("counter::count(self: Counter) -> int"), CARAWAY_TEXT(""), counter_count, NULL, CARAWAY_GETTER, 0},
    FUNCTION("counter::plus(a: Counter, b: Counter) -> Counter", counter_plus),
    FUNCTION("live_counters() -> int", live_counters),
    FUNCTION("ticket(word: int) -> Ticket", ticket),
    FUNCTION("ticket_word(t: Ticket) -> int", ticket),
    FUNCTION("each(xs: array<int>, f: fn(int) -> int) -> int", each),
    FUNCTION("every(f: fn(int, float, bool, char, string, bytes, array<int>, floats, any, string) -> string) -> string", every),
    FUNCTION("made_string(f: fn() -> string) -> string", made_bytes),
    FUNCTION("made_bytes(f: fn() -> bytes) -> bytes", made_bytes),
    FUNCTION("made_any(f: fn() -> any) -> any", made_bytes),
    FUNCTION("made_point(f: fn() -> Point) -> Point", made_bytes),
    FUNCTION("made_int_array(f: fn() -> array<int>) -> array<int>", made_numbers),
    FUNCTION("made_float_array(f: fn() -> array<float>) -> array<float>", made_numbers),
    FUNCTION("made_ints(f: fn() -> ints) -> ints", made_numbers),
    FUNCTION("made_floats(f: fn() -> floats) -> floats", made_numbers),
    FUNCTION("made_int(f: fn() -> int) -> int", made_word),
    FUNCTION("made_float(f: fn() -> float) -> float", made_word),
    FUNCTION("made_bool(f: fn() -> bool) -> bool", made_word),
    FUNCTION("made_char(f: fn() -> char) -> char", made_word),
    FUNCTION("message(f: fn()) -> string", message),
    FUNCTION("swallow(f: fn()) -> int", swallow),
    FUNCTION("first_of_many(f: fn())", first_of_many),
    FUNCTION("keep(f: fn())", keep),
    FUNCTION("call_kept(word: int)", call_kept),
    FUNCTION("raise_kept()", raise_kept),
    FUNCTION("call_badly(f: fn(bool, string), how: int)", call_badly),
    FUNCTION("from_thread(f: fn() -> int) -> int", from_thread),
    FUNCTION("start_late(f: fn())", start_late),
    FUNCTION("join_late()", join_late),
    FUNCTION("log_line(level: int, text: bytes)", log_line),
    FUNCTION("interrupted() -> bool", interrupted),
    FUNCTION("until_interrupted()", until_interrupted),
    FUNCTION("config() -> any", config),
};

static const caraway_class classes[] = {
    {CARAWAY_TEXT("Counter"), CARAWAY_TEXT("Counts."), counter_drop},
    {CARAWAY_TEXT("Ticket"), CARAWAY_TEXT(""), ticket_drop},
};

/* `Line` leads to `Point`, which is in the table's own list, too. */
static const caraway_type_def point_type = {CARAWAY_TEXT("struct Point { x: float, y: float }"), CARAWAY_TEXT(""), 0, NULL};
static const caraway_type_def *const to_point[] = {&point_type};
static const caraway_type_list line_lists[] = {{1, to_point}};
static const caraway_type_def line_type = {
    CARAWAY_TEXT("struct Line { from: Point, to: Point?, colour: Colour }"), CARAWAY_TEXT(""), 1, line_lists};
static const caraway_type_def colour_type = {
    CARAWAY_TEXT("enum Colour { \"red\", \"dark_blue\" }"), CARAWAY_TEXT(""), 0, NULL};
static const caraway_type_def *const shapes[] = {&line_type, &point_type};
static const caraway_type_def *const colours[] = {&colour_type};
static const caraway_type_list types[] = {{2, shapes}, {1, colours}};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("sample"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = COUNT(functions),
    .functions = functions,
    .attach = attach,
    .class_size = sizeof(caraway_class),
    .class_count = COUNT(classes),
    .classes = classes,
    .type_list_count = COUNT(types),
    .type_lists = types,
    .init = init,
    .shutdown = shutdown,
#ifdef OWN_MEMORY
    .release = release,
#endif
};
