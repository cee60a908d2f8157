/* Everything that native code can do to its process. With -DHANG_AT_LOAD, -DCRASH_AT_LOAD, -DEXIT_AT_LOAD or
 * -DCRASH_AT_END it does so without being called. */
#define _GNU_SOURCE
#include "caraway_plugin.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const caraway_host_api *host;

static int32_t attach(const caraway_host_api *api) {
    host = api;
    return CARAWAY_OK;
}

#define FAULT(name) static int32_t name(const uint64_t *args, uint64_t *out)
#define UNUSED (void)args, (void)out

/* What there is to crash, without the compiler's knowing better. */
static volatile int zero = 0;
static char *volatile nowhere = (char *)16;

static int32_t text(uint64_t *out, const char *text) {
    return caraway_give_bytes(host, out, text, strlen(text));
}

/* The result of a call of the system: 0, or the number of its error. */
static int32_t outcome(uint64_t *out, long result) { return caraway_give_int(out, result < 0 ? errno : 0); }

static char *path(const uint64_t *args) { return strndup(caraway_ptr(args[0]), args[1]); }

FAULT(well) { return caraway_give_int(out, caraway_int(args[0])); }
FAULT(id) { UNUSED; return caraway_give_int(out, getpid()); }

/* Ends. */
FAULT(abort_now) { UNUSED; abort(); }
FAULT(segfault) { UNUSED; *nowhere = 1; return CARAWAY_OK; }
FAULT(divide) { return caraway_give_int(out, caraway_int(args[0]) / zero); }
FAULT(leave) { UNUSED; exit((int)caraway_int(args[0])); }
FAULT(leave_at_once) { UNUSED; _exit((int)caraway_int(args[0])); }
FAULT(signal_itself) { UNUSED; raise((int)caraway_int(args[0])); return CARAWAY_OK; }
FAULT(illegal) {
    UNUSED;
#if defined(__x86_64__)
    __asm__ volatile("ud2");
#elif defined(__aarch64__)
    __asm__ volatile("udf #0");
#else
    raise(SIGILL);
#endif
    return CARAWAY_OK;
}
FAULT(bus_error) {
    UNUSED;
    char name[4096];
    snprintf(name, sizeof name, "%s/empty", getenv("TMPDIR"));
    int file = open(name, O_RDWR | O_CREAT, 0600);
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) return caraway_fail(host, out, "no mapping");
    page[0] = 1;
    return CARAWAY_OK;
}
static int deeper(int depth) {
    volatile char frame[4096];
    frame[depth % 4096] = 1;
    if (depth < zero) return 0;
    return deeper(depth + 1) + frame[depth % 4096];
}
FAULT(overflow_stack) { UNUSED; return caraway_give_int(out, deeper(zero)); }

/* Goes on for ever. */
FAULT(spin) {
    UNUSED;
    while (!zero) {}
    return CARAWAY_OK;
}
FAULT(doze) {
    UNUSED;
    while (!zero) sleep(3600);
    return CARAWAY_OK;
}
FAULT(ignore_signals_and_doze) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
    return doze(args, out);
}
/* So many children that never end, and it does not either. */
FAULT(multiply) {
    for (int64_t i = 0; i < caraway_int(args[0]); i++) {
        pid_t child = fork();
        if (child < 0) return caraway_fail(host, out, strerror(errno));
        if (child == 0) for (;;) pause();
    }
    return doze(args, out);
}
/* Only the first `fork` of a process may succeed for this to go on. */
FAULT(fork_bomb) { UNUSED; while (fork() >= 0) {} return outcome(out, -1); }
FAULT(talk_for_ever) {
    UNUSED;
    while (write(1, "noise\n", 6) > 0 && write(2, "noise", 5) > 0) {}
    return CARAWAY_OK;
}

/* Takes memory. */
FAULT(leak) {
    UNUSED;
    while (!zero) memset(malloc(1 << 20), 1, 1 << 20);
    return CARAWAY_OK;
}
FAULT(leak_with_care) {
    UNUSED;
    for (;;) {
        void *bytes = malloc(1 << 20);
        if (!bytes) return CARAWAY_OUT_OF_MEMORY;
        memset(bytes, 1, 1 << 20);
    }
}
FAULT(take_at_once) {
    UNUSED;
    void *volatile bytes = malloc((size_t)1 << 40);
    if (!bytes) return CARAWAY_OUT_OF_MEMORY;
    return CARAWAY_OK;
}

/* Spoils what it shares with the host. */
FAULT(close_all) {
    UNUSED;
    for (int file = 0; file < 1024; file++) close(file);
    return CARAWAY_OK;
}
FAULT(close_all_and_doze) { close_all(args, out); return doze(args, out); }
FAULT(scribble) {
    UNUSED;
    char rubbish[64];
    memset(rubbish, (int)caraway_int(args[0]), sizeof rubbish);
    for (int file = 0; file < 256; file++)
        if (write(file, rubbish, sizeof rubbish) < 0) continue;
    return CARAWAY_OK;
}
FAULT(scribble_and_doze) { scribble(args, out); return doze(args, out); }
FAULT(noise) {
    size_t size = (size_t)args[0];
    char *bytes = malloc(size + 1);
    memset(bytes, 'n', size);
    if (args[1]) bytes[size++] = '\n';
    for (int file = 1; file <= 2; file++)
        for (size_t done = 0; done < size;) {
            ssize_t written = write(file, bytes + done, size - done);
            if (written < 0) return caraway_fail(host, out, strerror(errno));
            done += (size_t)written;
        }
    free(bytes);
    return CARAWAY_OK;
}
FAULT(move_away) { UNUSED; return outcome(out, chdir("/")); }
FAULT(change_mask) { UNUSED; umask(0777); return caraway_give_int(out, 0); }
FAULT(change_environment) { UNUSED; return outcome(out, setenv("PATH", "/nowhere", 1)); }
FAULT(ignore_signals) {
    UNUSED;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    return caraway_give_int(out, 0);
}
FAULT(new_session) { UNUSED; return outcome(out, setsid()); }
FAULT(new_group) { UNUSED; return outcome(out, setpgid(0, getppid())); }
FAULT(kill_host) { UNUSED; return outcome(out, kill(getppid(), SIGKILL)); }

/* Asks the system. */
FAULT(read_file) {
    char *name = path(args), bytes[256];
    int file = open(name, O_RDONLY);
    int error = errno;
    free(name);
    if (file < 0) return caraway_fail(host, out, strerror(error));
    ssize_t size = read(file, bytes, sizeof bytes);
    close(file);
    return size < 0 ? caraway_fail(host, out, strerror(errno)) : caraway_give_bytes(host, out, bytes, (size_t)size);
}
FAULT(write_file) {
    char *name = path(args);
    int file = open(name, O_WRONLY | O_CREAT, 0600);
    int error = errno;
    free(name);
    if (file < 0) return caraway_fail(host, out, strerror(error));
    ssize_t size = write(file, "written", 7);
    close(file);
    return size < 0 ? caraway_fail(host, out, strerror(errno)) : CARAWAY_OK;
}
FAULT(link_file) {
    char *from = path(args), *to = path(args + 2);
    int error = symlink(from, to) < 0 ? errno : 0;
    free(from);
    free(to);
    return error ? caraway_fail(host, out, strerror(error)) : CARAWAY_OK;
}
FAULT(variable) {
    char *name = path(args), *value = getenv(name);
    free(name);
    return text(out, value ? value : "none");
}
FAULT(reach) {
    int file = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0) return caraway_fail(host, out, strerror(errno));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)args[0])};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int error = connect(file, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    close(file);
    return error ? caraway_fail(host, out, strerror(error)) : CARAWAY_OK;
}
FAULT(start) {
    UNUSED;
    pid_t child = fork();
    if (child < 0) return caraway_fail(host, out, strerror(errno));
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return caraway_give_int(out, status);
}

/* A handle, whose end may be the process's. */
FAULT(fuse) { return caraway_give_int(out, caraway_int(args[0])); }
FAULT(is_armed) { return caraway_give_int(out, caraway_int(args[0])); }
static void drop_fuse(uint64_t armed) { if (armed) *nowhere = 1; }

static const caraway_class classes[] = {{CARAWAY_TEXT("Fuse"), CARAWAY_TEXT(""), drop_fuse}};

#if defined(HANG_AT_LOAD)
__attribute__((constructor)) static void at_load(void) { for (;;) sleep(3600); }
#elif defined(CRASH_AT_LOAD)
__attribute__((constructor)) static void at_load(void) { *nowhere = 1; }
#elif defined(EXIT_AT_LOAD)
__attribute__((constructor)) static void at_load(void) { _exit(0); }
#endif

#ifdef CRASH_AT_END
static int32_t shutdown_fault(uint64_t *out) { (void)out; *nowhere = 1; return CARAWAY_OK; }
#else
static int32_t shutdown_fault(uint64_t *out) { (void)out; return CARAWAY_OK; }
#endif

#define FUNCTION(name, text) {CARAWAY_TEXT(text), CARAWAY_TEXT(""), name, NULL, CARAWAY_FUNCTION, 0}

static const caraway_function functions[] = {
#ifdef LATER
    FUNCTION(id, "new_id() -> int"),
#endif
    FUNCTION(well, "well(x: int) -> int"),
    FUNCTION(id, "id() -> int"),
    FUNCTION(abort_now, "abort()"),
    FUNCTION(segfault, "segfault()"),
    FUNCTION(divide, "divide(x: int) -> int"),
    FUNCTION(leave, "leave(status: int)"),
    FUNCTION(leave_at_once, "leave_at_once(status: int)"),
    FUNCTION(signal_itself, "signal_itself(signal: int)"),
    FUNCTION(illegal, "illegal()"),
    FUNCTION(bus_error, "bus_error()"),
    FUNCTION(overflow_stack, "overflow_stack() -> int"),
    FUNCTION(spin, "spin()"),
    FUNCTION(doze, "doze()"),
    FUNCTION(ignore_signals_and_doze, "ignore_signals_and_doze()"),
    FUNCTION(multiply, "multiply(count: int)"),
    FUNCTION(fork_bomb, "fork_bomb() -> int"),
    FUNCTION(talk_for_ever, "talk_for_ever()"),
    FUNCTION(leak, "leak()"),
    FUNCTION(leak_with_care, "leak_with_care()"),
    FUNCTION(take_at_once, "take_at_once()"),
    FUNCTION(close_all, "close_all()"),
    FUNCTION(close_all_and_doze, "close_all_and_doze()"),
    FUNCTION(scribble, "scribble(byte: int)"),
    FUNCTION(scribble_and_doze, "scribble_and_doze(byte: int)"),
    FUNCTION(noise, "noise(bytes: int, ended: bool)"),
    FUNCTION(move_away, "move_away() -> int"),
    FUNCTION(change_mask, "change_mask() -> int"),
    FUNCTION(change_environment, "change_environment() -> int"),
    FUNCTION(ignore_signals, "ignore_signals() -> int"),
    FUNCTION(new_session, "new_session() -> int"),
    FUNCTION(new_group, "new_group() -> int"),
    FUNCTION(kill_host, "kill_host() -> int"),
    FUNCTION(read_file, "read_file(path: string) -> string"),
    FUNCTION(write_file, "write_file(path: string)"),
    FUNCTION(link_file, "link_file(from: string, to: string)"),
    FUNCTION(variable, "variable(name: string) -> string"),
    FUNCTION(reach, "reach(port: int)"),
    FUNCTION(start, "start() -> int"),
    FUNCTION(fuse, "fuse(armed: int) -> Fuse"),
    FUNCTION(is_armed, "is_armed(fuse: Fuse) -> int"),
};

CARAWAY_EXPORT const caraway_plugin CARAWAY_PLUGIN = {
    .abi_major = CARAWAY_ABI_MAJOR,
    .abi_minor = CARAWAY_ABI_MINOR,
    .size = sizeof(caraway_plugin),
    .name = CARAWAY_TEXT("faults"),
    .version = CARAWAY_TEXT("1.0.0"),
    .unwind = 1,
    .function_size = sizeof(caraway_function),
    .function_count = sizeof functions / sizeof functions[0],
    .functions = functions,
    .attach = attach,
    .class_size = sizeof(caraway_class),
    .class_count = sizeof classes / sizeof classes[0],
    .classes = classes,
    .shutdown = shutdown_fault,
};
