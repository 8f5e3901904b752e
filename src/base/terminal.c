#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool eex__terminal_is(int descriptor)
{
    const char *kind = getenv("TERM");
    return isatty(descriptor) && !(kind && (!*kind || strcmp(kind, "dumb") == 0));
}

enum { USUAL = 80, LEAST = 20 };

/* What the user says: 0 is nothing, or no number. */
static size_t asked_width(void)
{
    enum { WIDEST = 100000 };
    const char *columns = getenv("COLUMNS");
    char *end = NULL;
    if (!columns || *columns < '0' || *columns > '9')
        return 0;
    const unsigned long value = strtoul(columns, &end, 10);
    return *end || value > WIDEST ? 0 : value;
}

size_t eex__terminal_columns(int descriptor)
{
    struct winsize size;
    const size_t asked = asked_width();
    if (asked > 0 || !isatty(descriptor))
        return asked;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return USUAL;
    return size.ws_col;
}

size_t eex__terminal_width(int descriptor)
{
    const size_t columns = eex__terminal_columns(descriptor);
    return columns > 0 && columns < LEAST ? LEAST : columns;
}

bool eex__terminal_colour(int descriptor)
{
    const char *refused = getenv("NO_COLOR");
    return eex__terminal_is(descriptor) && !(refused && *refused);
}
