/* The machine for doubles and for floats, in vectors of BYTES. */

#define T double
#define INTEGER int64_t
#define UNSIGNED uint64_t
#define SINGLE 0
#define LANES (BYTES / 8)
#define SUFFIX PASTE(WIDTH, double)
#include "block.h"
#undef T
#undef INTEGER
#undef UNSIGNED
#undef SINGLE
#undef LANES
#undef SUFFIX

#define T float
#define INTEGER int32_t
#define UNSIGNED uint32_t
#define SINGLE 1
#define LANES (BYTES / 4)
#define SUFFIX PASTE(WIDTH, float)
#include "block.h"
#undef T
#undef INTEGER
#undef UNSIGNED
#undef SINGLE
#undef LANES
#undef SUFFIX
