/* Stands in for onednn.c where oneDNN is not installed. */
#include "onednn.h"

bool onednn_there(void)
{
    return false;
}

double onednn_time(const eex_window *window, int batch, onednn_pass pass, double seconds)
{
    return -1;
}
