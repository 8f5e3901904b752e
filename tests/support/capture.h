/* Catches what is written to stderr, through a pipe-like file or as a terminal would see it. */
#ifndef EEX_TESTS_CAPTURE_H
#define EEX_TESTS_CAPTURE_H

typedef struct test_capture {
    int saved;  /* stderr as it was */
    int source; /* where to read what was written */
    int target; /* what stderr is now */
} test_capture;

void test_capture_file(test_capture *capture);
void test_capture_terminal(test_capture *capture, int columns);

/* Puts stderr back and returns what came, to be freed by the caller. */
char *test_capture_end(test_capture *capture);

#endif
