"""Which functions are there, and what are their derivatives? The table of operations, one row a function.

Every row is a function here: `ops.tanh`. `primitive` adds one of your own, whose partials may be a `mask`; `dot`,
`mean`, `softmax`, `log_softmax` and `logsumexp` work on lists.
"""

from micrograd_plus.ops.rows import mask as mask
from micrograd_plus.ops.rows import primitive as primitive
from micrograd_plus.ops.table import *  # noqa: F403 - every row, so that a new one is public by standing in the table
from micrograd_plus.ops.table import abs as abs
from micrograd_plus.ops.table import pow as pow
from micrograd_plus.ops.table import round as round
from micrograd_plus.ops.vectors import dot as dot
from micrograd_plus.ops.vectors import log_softmax as log_softmax
from micrograd_plus.ops.vectors import logsumexp as logsumexp
from micrograd_plus.ops.vectors import lookup as lookup
from micrograd_plus.ops.vectors import mean as mean
from micrograd_plus.ops.vectors import softmax as softmax
