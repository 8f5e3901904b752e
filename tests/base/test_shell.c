#include "base/shell.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text, *word;
} words[] = {{"runs/a-1_b.h5", "runs/a-1_b.h5"},
             {"training.lr=0.1", "training.lr=0.1"},
             {"", "''"},
             {"two words", "'two words'"},
             {"größe", "'größe'"},
             {"it's", "'it'\\''s'"},
             {"$HOME;ls *", "'$HOME;ls *'"},
             {"~root", "'~root'"}};

Test(shell, words_are_bare_or_in_quotes)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char word[EEX_SHELL_WORD];
        eex_buffer out = EEX_BUFFER_INIT;
        eex_shell_word(&out, words[i].text);
        cr_assert_str_eq(eex_buffer_text(&out), words[i].word);
        eex_buffer_free(&out);
        cr_assert_str_eq(eex_shell_text(word, words[i].text), words[i].word);
    }
}

Test(shell, a_real_shell_reads_the_same_text)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        eex_buffer line = EEX_BUFFER_INIT;
        eex_buffer_puts(&line, "test ");
        eex_shell_word(&line, words[i].text);
        eex_buffer_puts(&line, " = \"$EEX_WORD\"");
        setenv("EEX_WORD", words[i].text, 1);
        cr_assert_eq(system(eex_buffer_text(&line)), 0, "%s", words[i].text);
        eex_buffer_free(&line);
    }
}

Test(shell, what_is_too_long_stays_as_it_is)
{
    char long_text[EEX_SHELL_WORD] = "", word[EEX_SHELL_WORD];
    memset(long_text, ' ', sizeof long_text - 3);
    cr_assert_eq(eex_shell_text(word, long_text), word, "with its quotes it just fits");
    long_text[sizeof long_text - 3] = ' ';
    cr_assert_eq(eex_shell_text(word, long_text), long_text);
}
