#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(buffer, starts_empty_and_reads_as_text)
{
    eex_buffer b = EEX_BUFFER_INIT;
    cr_assert_str_eq(eex_buffer_text(&b), "");
    cr_assert_eq(eex_buffer_status(&b), EEX_OK);
    eex_buffer_puts(&b, "");
    cr_assert_str_eq(eex_buffer_text(&b), "");
    eex_buffer_free(&b);
    eex_buffer_free(NULL);
}

Test(buffer, every_way_to_append)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_puts(&b, "one ");
    eex_buffer_printf(&b, "%d %s ", 2, "three");
    eex_buffer_fill(&b, '.', 3);
    eex_buffer_putc(&b, '!');
    eex_buffer_append(&b, "a\0b", 3);
    cr_assert_eq(b.size, 19);
    cr_assert_eq(memcmp(b.data, "one 2 three ...!a\0b", 20), 0);
    eex_buffer_free(&b);
}

Test(buffer, grows_to_any_length)
{
    eex_buffer b = EEX_BUFFER_INIT;
    for (int i = 0; i < 10000; i++)
        eex_buffer_printf(&b, "%05d", i);
    cr_assert_eq(b.size, 50000);
    for (int i = 0; i < 10000; i += 37) {
        char digits[6] = "";
        memcpy(digits, b.data + 5 * i, 5);
        cr_assert_eq(atoi(digits), i);
    }
    eex_buffer_free(&b);
}

Test(buffer, failure_sticks_until_cleared)
{
    eex_buffer b = EEX_BUFFER_INIT;
    eex_buffer_puts(&b, "kept");
    eex_buffer_fill(&b, 'x', SIZE_MAX - 2);
    eex_buffer_puts(&b, "ignored");
    cr_assert_eq(eex_buffer_status(&b), EEX_ENOMEM);
    cr_assert_str_eq(eex_buffer_text(&b), "kept");
    char *text = NULL;
    cr_assert_eq(eex_buffer_take(&text, &b), EEX_ENOMEM);
    eex_buffer_clear(&b);
    cr_assert_eq(eex_buffer_status(&b), EEX_OK);
    cr_assert_str_eq(eex_buffer_text(&b), "");
    eex_buffer_free(&b);
}

Test(buffer, take_hands_over_even_nothing)
{
    eex_buffer b = EEX_BUFFER_INIT;
    char *text = NULL;
    cr_assert_eq(eex_buffer_take(&text, &b), EEX_OK);
    cr_assert_str_eq(text, "");
    free(text);
    eex_buffer_puts(&b, "all");
    cr_assert_eq(eex_buffer_take(&text, &b), EEX_OK);
    cr_assert_str_eq(text, "all");
    cr_assert_eq(b.size, 0);
    cr_assert_null(b.data);
    free(text);
}

Test(arena, memory_is_zeroed_aligned_and_separate)
{
    eex_arena arena = EEX_ARENA_INIT;
    unsigned char *parts[500];
    for (size_t i = 0; i < 500; i++) {
        parts[i] = eex_arena_alloc(&arena, i * 7);
        cr_assert_not_null(parts[i]);
        cr_assert_eq((uintptr_t)parts[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < i * 7; k++)
            cr_assert_eq(parts[i][k], 0);
        memset(parts[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t k = 0; k < i * 7; k++)
            cr_assert_eq(parts[i][k], (unsigned char)i);
    eex_arena_free(&arena);
    cr_assert_null(arena.blocks);
    eex_arena_free(NULL);
}

Test(arena, large_pieces_and_overflow)
{
    eex_arena arena = EEX_ARENA_INIT;
    char *large = eex_arena_alloc(&arena, 1 << 20);
    cr_assert_not_null(large);
    large[(1 << 20) - 1] = 'x';
    cr_assert_null(eex_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(eex_arena_alloc(&arena, SIZE_MAX - 64));
    cr_assert_null(eex_arena_array(&arena, SIZE_MAX / 2, 3));
    cr_assert_str_eq(eex_arena_strdup(&arena, "copied"), "copied");
    eex_arena_free(&arena);
}
