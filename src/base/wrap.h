/* Text for people in few columns. */
#ifndef EEX_BASE_WRAP_H
#define EEX_BASE_WRAP_H

#include "base/buffer.h"

#include <stddef.h>

/* How wide text is at most, where nothing narrower is known. */
enum { EEX_WRAP_WIDTH = 80 };

/* Appends text whose lines are at most `width` columns wide (0: any). Lines that are not wider stay
 * as they are. Others are broken at blanks, and at any character where a word alone is too wide;
 * what goes on is indented like the line, or as far as what follows two blanks in it: the help of
 * an option goes on under itself. A number and "%" behind it stay together. */
void eex_wrap(eex_buffer *out, const char *text, size_t width);

/* Appends text with the lines of each paragraph joined, so that wrapping fills them anew: lines
 * that begin at the left edge, and those that go on under what follows two blanks in the line
 * before. Other indented lines stay by themselves: examples. */
void eex_reflow(eex_buffer *out, const char *text);

#endif
