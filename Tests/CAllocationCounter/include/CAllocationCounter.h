#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H

#include <stdint.h>

/// The number of calls of malloc, calloc, realloc and related functions by this thread since it started.
uint64_t allocation_count_of_this_thread(void);

#endif
