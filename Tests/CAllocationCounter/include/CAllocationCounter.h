#ifndef CALLOCATIONCOUNTER_H
#define CALLOCATIONCOUNTER_H

#include <stdint.h>

/// How often this thread has called malloc, calloc, realloc or a relative since it started.
uint64_t allocation_count_of_this_thread(void);

#endif
