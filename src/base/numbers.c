#include "base/numbers.h"

#include <pthread.h>

static locale_t point; /* 0: no memory for it, and numbers are as they are */

static void make_point(void)
{
    point = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

locale_t eex_numbers_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_point);
    return uselocale(point);
}

void eex_numbers_end(locale_t before)
{
    uselocale(before);
}
