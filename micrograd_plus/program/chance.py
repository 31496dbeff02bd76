"""Whether a function draws random numbers, and in which line.

What can be seen are the generators whose state moves: those of the modules `random` and `numpy.random`, PyTorch's, and
those that the function reaches, from thing to thing as Python's collector of garbage goes. What the operating system
gives (os.urandom, secrets, the time) leaves no trace.
"""

from __future__ import annotations

import gc
import random
import sys
import threading
import types
import weakref
from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_plus._support.identities import Identities
from micrograd_plus.engine.anomalies import INSTALLED, LIBRARIES, users_line
from micrograd_plus.engine.value import Value
from micrograd_plus.program.ordering import closure, names_in

THINGS = 5_000  # objects that are searched for generators, at most
ELEMENTS = 100  # elements of each list that are searched
_KNOWN = LIBRARIES | {"micrograd_plus"}
AGAIN = 5  # runs; a generator that moves in each of them was moved by the function, not by another thread
ATOMS = frozenset({int, float, bool, str, bytes, complex, type(None), types.ModuleType, type(Ellipsis)})


class Dice:
    """The random generators that a function may draw from, and their states at the beginning of a `with` block.

    If the block ends by an error, they get these states back, unless another thread may have drawn from them. Threads
    that wait in a library, as Jupyter has some, do not draw.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.loaded = "numpy.random" in sys.modules
        self.before = _states(generators(function))
        self.beside = _is_beside()  # whether another thread may draw
        self.made = False  # whether the function has made a generator and kept it

    def __enter__(self) -> Dice:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None or self.beside or _is_beside():
            return
        for generator, state in self.before.items():
            if _frozen(_state(generator)) != _frozen(state):
                _put(generator, state)

    def look_again(self) -> None:
        """Add the generators that the first run has made, and NumPy's, if it has imported them."""
        found = _states(generators(self.function))
        new = [each for each in found if each not in self.before]
        if not self.loaded and "numpy.random" in sys.modules:
            new = [each for each in new if each is not _owner(sys.modules["numpy.random"].get_state)]
        self.made = bool(new)
        self.before = found | self.before

    def line(self, run: Callable[[], object]) -> str:
        """The line in which a random number is drawn, "" if none has been since the block began.

        Args:
            run: runs the function as it ran in the block; called only if a generator has moved.
        """
        if not self.made and not _moved(self.before):
            return ""
        finder = _Finder(_states(self.before))
        moved = 0
        beside = self.beside or _is_beside()
        for _ in range(AGAIN if beside else 1):
            before = _states(self.before)
            finder.watch(run)
            moved += _moved(before)
            if finder.own:
                break
        else:
            if beside and moved < AGAIN:  # another thread has drawn
                return ""
        return finder.line or "a line that is not known"


def _is_beside() -> bool:
    """Whether another thread runs code of the user's, which may draw random numbers; the libraries' own just wait."""
    own = threading.get_ident()
    return any(thread != own and _is_users(frame) for thread, frame in sys._current_frames().items())


def _is_users(frame: types.FrameType | None) -> bool:
    """Whether a frame, or one that called it, runs code that is neither Python's nor an installed package's."""
    while frame is not None:
        installed = INSTALLED.intersection(Path(frame.f_code.co_filename).parts)
        if not installed and not _known(frame.f_globals.get("__name__")):
            return True
        frame = frame.f_back
    return False


class _Finder:
    """A profile function that looks at the generators whenever something has been called."""

    def __init__(self, states: Mapping[Any, Any]) -> None:
        self.states = states
        self.line = ""
        self.own = False  # whether it was a call in this thread

    def watch(self, run: Callable[[], object]) -> None:
        if sys.getprofile() is not None:  # a profiler or a debugger is at work
            run()
            return
        sys.setprofile(self)
        try:
            run()
        finally:
            sys.setprofile(None)

    def __call__(self, frame: types.FrameType, event: str, called: Any) -> None:
        if event in ("c_return", "return") and not self.line:
            self.own = event == "c_return" and getattr(called, "__self__", None) in self.states
            if self.own or _moved(self.states):
                self.line = users_line(frame)


def generators(function: Callable[..., Any]) -> list[Any]:
    """The generators of `random`, `numpy.random` and PyTorch, and those that a function reaches.

    It reaches them by its closure, its globals, its defaults, its `self`, and by the attributes, methods and elements
    of what it reaches.

    >>> dice = random.Random(1)
    >>> dice in generators(lambda x, dice=dice: x * dice.random())
    True
    """
    found: Identities[Any, None] = Identities.fromkeys([_owner(random.getstate)])
    kinds: tuple[type, ...] = (random.Random,)
    if (numpy_random := sys.modules.get("numpy.random")) is not None:  # it takes its time to load
        found[_owner(numpy_random.get_state)] = None
        kinds = (random.Random, numpy_random.Generator, numpy_random.RandomState, numpy_random.BitGenerator)
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "default_generator"):
        found[torch.default_generator] = None
        kinds = (*kinds, torch.Generator)
    stack: deque[Any] = deque([function])
    seen: Identities[Any, None] = Identities()
    while stack and len(seen) < THINGS:
        thing = stack.popleft()
        if thing in seen:
            continue
        seen[thing] = None
        if isinstance(thing, kinds):
            found[thing] = None
        else:
            parts = [part for part in _parts(thing) if type(part) not in ATOMS]
            stack += [type(part) if isinstance(part, Value) else part for part in parts if type(part) is not Value]
    return [generator for generator in found if _state(generator) is not None]


def _owner(method: Any) -> Any:
    """Whose method it is: the modules' functions are those of a generator."""
    return method.__self__


def _parts(thing: Any) -> Iterable[Any]:
    """What can be reached from a thing in one step."""
    if isinstance(thing, types.FunctionType):
        return _of_function(thing)
    if isinstance(thing, (types.GeneratorType, types.AsyncGeneratorType, types.CoroutineType)):
        frame = getattr(thing, "gi_frame", None) or getattr(thing, "ag_frame", None) or getattr(thing, "cr_frame", None)
        return [] if frame is None else [*frame.f_locals.values(), *_named(frame.f_code, frame.f_globals)]
    if isinstance(thing, type):
        above: Any = type(thing)
        return [] if _known(thing.__module__) else [*vars(thing).values(), *above.__mro__[:-2]]
    inside: list[Any] = [
        thing.get(None) if isinstance(thing, ContextVar) else thing() if isinstance(thing, weakref.ref) else None,
        *(islice(thing.flat, ELEMENTS) if isinstance(thing, np.ndarray) and thing.dtype.hasobject else ()),
        *type(thing).__mro__[:-1],
    ]
    return [*inside, *islice(gc.get_referents(thing), 2 * ELEMENTS)]


def _of_function(function: types.FunctionType) -> list[Any]:
    """What a function holds, and what it calls by names."""
    kept = closure(function)
    parts = [
        *kept.values(),
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
        *vars(function).values(),
    ]
    if _known(function.__globals__.get("__name__")):
        return parts
    return [*parts, *_named(function.__code__, ChainMap(kept, function.__globals__))]


def _named(code: types.CodeType, names_of: Mapping[str, Any]) -> list[Any]:
    """What names in the code mean, and what modules among that have by its names."""
    names = names_in(code)
    named = [names_of.get(name, sys.modules.get(name)) for name in names]  # it may import a module in its own lines
    for thing in named:  # it grows: a module of a module, too
        if isinstance(thing, types.ModuleType) and not _known(thing.__name__):
            inside = [vars(thing).get(name) for name in names]
            named += [part for part in inside if part is not None and not any(part is known for known in named)]
    return named


def _known(module: str | None) -> bool:
    """Whether a module keeps no generator of its own, beside those that everybody knows."""
    return str(module).partition(".")[0] in _KNOWN


def _states(found: Iterable[Any]) -> Identities[Any, Any]:
    return Identities([(generator, _state(generator)) for generator in found])


def _moved(states: Mapping[Any, Any]) -> bool:
    return any(_frozen(_state(generator)) != _frozen(state) for generator, state in states.items())


def _state(generator: Any) -> Any:
    """Its state; None if it has none to show, as `random.SystemRandom`."""
    try:
        if isinstance(generator, random.Random):
            own = {} if type(generator) is random.Random else dict(vars(generator))  # one with a method of its own
            return _getstate(generator), own
        if _is_torchs(generator):
            return generator.get_state().numpy()
        bits = getattr(generator, "bit_generator", generator)
        return bits.state if hasattr(bits, "state") else bits.get_state(legacy=False)
    except NotImplementedError:
        return None


def _put(generator: Any, state: Any) -> None:
    if isinstance(generator, random.Random):
        random.Random.setstate(generator, state[0])
        vars(generator).update(state[1])
        return
    if _is_torchs(generator):
        generator.set_state(sys.modules["torch"].from_numpy(state))
        return
    bits = getattr(generator, "bit_generator", generator)
    if hasattr(bits, "state"):
        bits.state = state
    else:
        bits.set_state(state)


def _is_torchs(generator: Any) -> bool:
    return type(generator).__module__.partition(".")[0] == "torch"


def _getstate(generator: random.Random) -> Any:
    """As `random.Random` has it, whatever a subclass has; one that was never set up by that has less to show."""
    if isinstance(generator, random.SystemRandom):
        raise NotImplementedError
    try:
        return random.Random.getstate(generator)
    except AttributeError:
        generator.gauss_next = None  # type: ignore[attr-defined]  # its __init__ leaves out that of random.Random
        return random.Random.getstate(generator)


def _frozen(state: Any) -> Any:
    """Something that can be compared: without arrays in it, and of other things who they are."""
    if isinstance(state, dict):
        return [(name, _frozen(part)) for name, part in state.items()]
    if isinstance(state, (tuple, list)):
        return [_frozen(part) for part in state]
    if hasattr(state, "tobytes"):
        return state.tobytes()
    return state if type(state) in ATOMS else id(state)
