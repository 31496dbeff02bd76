"""What is a Value, in which order is a graph walked, what does `backward` do?"""

from micrograd_plus.engine import loading as _loading  # noqa: F401 - comes first: it finds what is built natively

# isort: split
from micrograd_plus.engine import copying as _copying  # noqa: F401 - teaches Values to be copied
from micrograd_plus.engine import freeing as _freeing  # noqa: F401 - to be freed in a browser
from micrograd_plus.engine import pickling as _pickling  # noqa: F401 - and to be pickled
from micrograd_plus.engine.anomalies import detect_anomaly as detect_anomaly
from micrograd_plus.engine.handmade import HandMade as HandMade
from micrograd_plus.engine.hooks import Handle as Handle
from micrograd_plus.engine.lines import source_lines as source_lines
from micrograd_plus.engine.operations import TABLE as TABLE
from micrograd_plus.engine.operations import Arg as Arg
from micrograd_plus.engine.operations import Op as Op
from micrograd_plus.engine.recording import enable_grad as enable_grad
from micrograd_plus.engine.recording import no_grad as no_grad
from micrograd_plus.engine.value import NATIVE as NATIVE
from micrograd_plus.engine.value import Value as Value
from micrograd_plus.engine.value import apply as apply
from micrograd_plus.engine.walking import toposort as toposort
from micrograd_plus.engine.walking import walk as walk
