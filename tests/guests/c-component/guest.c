/* The world of ../wit in C, over the bindings that `wit-bindgen c` makes.
 *
 * A function owns what its parameters point at, and its caller frees what it gives back: so most of these move the
 * one to the other. What is moved from must not be freed. */

#include "guest.h"
#include <stdlib.h>
#include <string.h>

/* Room for `size` bytes. */
static void *room(size_t size) {
    void *at = malloc(size ? size : 1);
    if (!at) __builtin_trap();
    return at;
}

/* `before` and `after` as one string. */
static void join(guest_string_t *out, const void *before, size_t size, const char *after) {
    size_t more = strlen(after);
    out->ptr = room(size + more);
    out->len = size + more;
    memcpy(out->ptr, before, size);
    memcpy(out->ptr + size, after, more);
}

int64_t exports_guest_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* A resource is a struct of one's own, which a handle stands for. */

struct exports_every_counter_t {
    int64_t n;
};

static exports_every_own_counter_t counter(int64_t start) {
    exports_every_counter_t *made = room(sizeof *made);
    made->n = start;
    return exports_every_counter_new(made);
}

exports_every_own_counter_t exports_every_constructor_counter(int64_t start) { return counter(start); }

void exports_every_counter_destructor(exports_every_counter_t *self) { free(self); }

int64_t exports_every_method_counter_up(exports_every_borrow_counter_t self, int64_t by) {
    return self->n = exports_guest_add(self->n, by);
}

bool exports_every_static_counter_parse(guest_string_t *text, exports_every_own_counter_t *ret,
                                        guest_string_t *err) {
    int64_t n = 0;
    bool good = text->len > 0 && text->len <= 18;
    for (size_t i = 0; good && i < text->len; i++) {
        good = text->ptr[i] >= '0' && text->ptr[i] <= '9';
        n = n * 10 + (text->ptr[i] - '0');
    }
    if (good)
        *ret = counter(n);
    else
        join(err, text->ptr, text->len, " is no number");
    guest_string_free(text);
    return good;
}

int64_t exports_every_peek(exports_every_borrow_counter_t v) { return v->n; }

exports_every_own_counter_t exports_every_joined(exports_every_own_counter_t a, exports_every_own_counter_t b) {
    int64_t sum = exports_guest_add(exports_every_counter_rep(a)->n, exports_every_counter_rep(b)->n);
    exports_every_counter_drop_own(a);
    exports_every_counter_drop_own(b);
    return counter(sum);
}

void exports_every_several(guest_list_s64_t *starts, exports_every_list_own_counter_t *ret) {
    ret->len = starts->len;
    ret->ptr = room(starts->len * sizeof *ret->ptr);
    for (size_t i = 0; i < starts->len; i++) ret->ptr[i] = counter(starts->ptr[i]);
    guest_list_s64_free(starts);
}

void exports_every_ints(int8_t a, uint8_t b, int16_t c, uint16_t d, int32_t e, uint32_t f, int64_t g, uint64_t h,
                        guest_tuple8_s8_u8_s16_u16_s32_u32_s64_u64_t *ret) {
    *ret = (guest_tuple8_s8_u8_s16_u16_s32_u32_s64_u64_t){a, b, c, d, e, f, g, h};
}

void exports_every_floats(float a, double b, guest_tuple2_f32_f64_t *ret) {
    *ret = (guest_tuple2_f32_f64_t){a, b};
}

bool exports_every_truth(bool v) { return !v; }

uint32_t exports_every_letter(uint32_t v) { return v; }

void exports_every_text(guest_string_t *v, guest_string_t *ret) { *ret = *v; }

void exports_every_bytes(guest_list_u8_t *v, guest_list_u8_t *ret) { *ret = *v; }

void exports_every_numbers(guest_list_f64_t *v, guest_list_f64_t *ret) { *ret = *v; }

void exports_every_texts(guest_list_string_t *v, guest_list_string_t *ret) { *ret = *v; }

void exports_every_pair(guest_tuple2_string_s64_t *v, guest_tuple2_string_s64_t *ret) { *ret = *v; }

void exports_every_place(exports_every_point_t *v, exports_every_point_t *ret) {
    *ret = (exports_every_point_t){v->y, v->x, v->label};
}

void exports_every_way(exports_every_list_point_t *v, exports_every_list_point_t *ret) {
    for (size_t i = 0; i < v->len / 2; i++) {
        exports_every_point_t point = v->ptr[i];
        v->ptr[i] = v->ptr[v->len - 1 - i];
        v->ptr[v->len - 1 - i] = point;
    }
    *ret = *v;
}

void exports_every_outline(exports_every_shape_t *v, exports_every_shape_t *ret) { *ret = *v; }

exports_every_color_t exports_every_next_color(exports_every_color_t v) {
    return v == EXPORTS_EVERY_COLOR_DARK_BLUE ? EXPORTS_EVERY_COLOR_RED : v + 1;
}

exports_every_access_t exports_every_rights(exports_every_access_t v) { return v; }

/* An option is a pointer that may be null, and as a result whether there is a value. */

bool exports_every_maybe(guest_string_t *v, guest_string_t *ret) {
    if (v) *ret = *v;
    return v != NULL;
}

bool exports_every_perhaps(guest_option_s64_t *v, guest_option_s64_t *ret) {
    if (v) *ret = *v;
    return v != NULL;
}

/* A result is whether it is not an error. */

bool exports_every_checked(int64_t v, int64_t *ret, guest_string_t *err) {
    if (v >= 0) {
        *ret = v;
        return true;
    }
    char digits[20];
    char *at = digits + sizeof digits;
    for (uint64_t n = -(uint64_t)v; n; n /= 10) *--at = '0' + n % 10;
    *--at = '-';
    join(err, at, digits + sizeof digits - at, " is negative");
    return false;
}

void exports_every_outcomes(exports_every_list_result_string_color_t *v,
                            exports_every_list_result_string_color_t *ret) {
    *ret = *v;
}

void exports_every_nothing(void) {}
