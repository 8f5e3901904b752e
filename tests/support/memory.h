/* Fails the allocations of our own code in turn. Programs named test_<room>_memory are linked so
 * that malloc and its like in our libraries come through here; those of libc and others do not. */
#ifndef EEX_TESTS_MEMORY_H
#define EEX_TESTS_MEMORY_H

/* What is tested: returns a status code, cleans up after itself, and gets all its memory from
 * functions that may fail. */
typedef int (*test_scenario)(void);

/* Runs the scenario with its 1st allocation failing, then the 2nd, and so on, until it gets
 * through. Fails the test unless each failure ends in EEX_ENOMEM with a message, or in EEX_OK where
 * the scenario could do without. Returns the number of allocations. */
int test_fail_each_allocation(test_scenario scenario);

/* Allocations of our own code in all threads since the program began. */
long test_allocations(void);

#endif
