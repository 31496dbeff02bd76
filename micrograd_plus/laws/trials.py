"""Run programs with somebody's engine in a process of its own, which may hang, crash or leave.

The child runs what it is given and tells what was printed; the parent asks and judges. Answers travel through a pipe of
their own, each with the word that came with its question, so that nothing else that an engine prints or does is taken
for one.
"""

from __future__ import annotations

import ast
import builtins
import io
import marshal
import math
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from os import _exit, getpid, read, write
from pathlib import Path
from threading import Lock, Timer
from time import monotonic, process_time, sleep
from types import FrameType
from typing import IO, Any, NamedTuple, NoReturn, Protocol

from micrograd_plus.engine.anomalies import quoted_line
from micrograd_plus.laws.engines import find

# an engine may replace built-in functions; those that this module calls stay as they were
__builtins__ = dict(vars(builtins))  # type: ignore[assignment]  # Python takes a dict, too

SECONDS = 10.0  # for one law, and three times that for the import
DAY = 24 * 60 * 60  # what a thread may be told to wait has an end
MEMORY = 4 << 30  # bytes
PROGRAM = "<program>"


class Printed(NamedTuple):
    """One thing that a program printed, as text, as a number and as a truth, where it is these."""

    text: str
    number: float | None
    truth: bool | None


class Answer(NamedTuple):
    """What became of a program.

    Attributes:
        printed: what its last line printed.
        raised: the error that stopped it; "" if none did.
        aside: what the engine itself printed.
        lost: where the engine wrote over a gradient that had arrived; "" if it did not, or that was not asked.
        ended: how the process ended, with a verb; "" if it still runs.
    """

    printed: tuple[Printed, ...] = ()
    raised: str = ""
    aside: str = ""
    lost: str = ""
    ended: str = ""


class Engine(NamedTuple):
    """A class, as the parent knows it.

    Attributes:
        module: where it is imported from.
        name: its qualified name there.
        methods: those of the methods that were asked for which it has.
    """

    module: str
    name: str
    methods: tuple[str, ...]


class Bench(Protocol):
    """A place where an engine is tried."""

    engine: Engine

    def law(self, times: int = 1) -> Any:
        """A block in which one law is tried, in no more than its time, which is so many times the usual."""

    def late(self) -> bool:
        """Whether half of that time is over, so that nothing new should be begun."""

    def ask(self, lines: str, mends: tuple[str, ...] = (), *, watch: bool = False) -> Answer:
        """Run these lines: with these laws mended for their length, or with an eye on what is written to `.grad`."""

    def replaced(self) -> list[tuple[str, str]]:
        """What the engine has put into the place of Python's own: the names, and what stands there now."""


@contextmanager
def bench(engine: type | str, methods: tuple[str, ...], seconds: float = SECONDS) -> Iterator[Bench]:
    """A bench for a class, or for what `engines.find` finds: another process, if there can be one.

    Raises:
        ValueError, TypeError: there is no such engine.
    """
    if hasattr(os, "fork"):
        apart = Apart(lambda word: _forked(engine, methods, word), engine, seconds)
    elif (text := _importable(engine)) and sys.platform != "emscripten":
        apart = Apart(lambda word: _spawned(text, methods, word), engine, seconds)
    else:
        yield Here(_loader(engine)(), methods)
        return
    try:
        if not apart.start():
            raise apart.refusal
        yield apart
    finally:
        apart.end()


def _loader(engine: type | str) -> Callable[[], type]:
    return lambda: find(engine) if isinstance(engine, str) else engine


def _importable(engine: type | str) -> str:
    """The text by which another process finds the class; "" if it has no way."""
    if isinstance(engine, str):
        return engine
    module, name = engine.__module__, engine.__qualname__
    found = getattr(sys.modules.get(module), name, None)
    return f"{module}:{name}" if found is engine and module not in ("__main__", "builtins") else ""


# ------------------------------------------------------------------------------------------------------- the parent


class Process(NamedTuple):
    """A child, and the pipes to it and from it."""

    gone: Callable[[], bool]
    kill: Callable[[], None]
    wait: Callable[[], int]
    asks: IO[bytes]
    tells: IO[bytes]


class Apart:
    """An engine in a process of its own; a new one is started for the next law when one has ended."""

    def __init__(self, make: Callable[[str], Process], engine: type | str, seconds: float) -> None:
        self.make, self.seconds, self.limit = make, seconds, seconds
        self.what = repr(engine) if isinstance(engine, str) else engine.__name__
        self.engine = Engine("", "", ())
        self.refusal: Exception = ValueError(self.what)
        self.process: Process | None = None
        self.lock = Lock()  # between the end of a process and its time limit
        self.ended, self.word, self.begun = "", "", 0.0

    def start(self) -> bool:
        """Start a child, which loads the engine; whether it did, else `refusal` says why not."""
        with self._limit(3 * self.seconds):
            self.ended, self.word = "", _word()
            self.process = self.make(self.word)
            told = self._told()
        if told is None:
            self.refusal = ValueError(f"importing {self.what} {self.ended}")
        elif told[0] == "engine":
            self.engine = Engine(*told[1:])
        else:
            self.ended = self.end()
            self.refusal = {"TypeError": TypeError, "ValueError": ValueError}[told[0]](told[1])
        return self.process is not None

    @contextmanager
    def law(self, times: int = 1) -> Iterator[None]:
        if self.process is None and not self.start():
            self.ended = f"cannot be loaded again: {self.refusal}"
        self.begun, self.limit = monotonic(), times * self.seconds
        with self._limit(self.limit):
            yield

    def late(self) -> bool:
        return self.process is None or monotonic() - self.begun > self.limit / 2

    def ask(self, lines: str, mends: tuple[str, ...] = (), *, watch: bool = False) -> Answer:
        told = self._told("run", self.limit, lines, mends, watch)
        if told is None:
            return Answer(ended=self.ended)
        printed, raised, aside, lost = told
        return Answer(tuple([_read(*each) for each in printed]), raised, aside, lost)

    def replaced(self) -> list[tuple[str, str]]:
        return self._told("replaced", self.limit) or []

    def end(self) -> str:
        """End the child, if it has not ended by itself; how it did, with a verb."""
        with self.lock:
            process, self.process = self.process, None
        if process is None:
            return self.ended
        process.kill()  # and what it may have started; an exit code that is there already stays
        code = process.wait()
        for pipe in (process.asks, process.tells):
            with suppress(OSError):
                pipe.close()
        return _ending(code)

    @contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Kill the child when the time is over."""

        def stop() -> None:
            with self.lock:
                if self.process is not None:
                    self.ended = f"does not end within {seconds:g} s"
                    self.process.kill()

        timer = Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # no thread of ours lives when the next child is forked
            if self.ended:
                self.end()

    def _told(self, *question: Any) -> Any:
        """The child's answer to a question, or what it says first; None if it ended, or if that is none."""
        if self.process is None:
            return None
        line = b""
        with suppress(OSError):
            if question:
                self.word = _word()
                asked = marshal.dumps((self.word, *question))
                self.process.asks.write(len(asked).to_bytes(4, "big") + asked)
                self.process.asks.flush()
            line = self.process.tells.readline()
        word, _, told = line.decode(errors="replace").partition(" ")
        if word == self.word and told.endswith("\n"):
            with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
                return ast.literal_eval(told)
        if not line:
            self._let_end()
        ending = self.end()
        self.ended = self.ended or ("answers what cannot be read" if line else ending)
        return None

    def _let_end(self, seconds: float = 1.0) -> None:
        """Time for a child that says no more to end by itself, so that the exit code is its own."""
        last = monotonic() + seconds
        while self.process is not None and not self.process.gone() and monotonic() < last:
            sleep(0.002)


def _word() -> str:
    """A word that nobody knows but who asks and who is asked."""
    return os.urandom(8).hex()


def _read(text: str, number: str | None, truth: bool | None) -> Printed:
    return Printed(text, None if number is None else float.fromhex(number), truth)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ends Python with the exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = ", as endless recursion does where the limit is raised" if name in ("SIGSEGV", "SIGBUS") else ""
    return f"crashes Python ({name}{why})"


def _forked(engine: type | str, methods: tuple[str, ...], word: str) -> Process:
    """A copy of this process: it knows classes that have no file, and starts at once."""
    ask, asks = _pipe()
    tells, tell = _pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about threads, of which the child uses none
        child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.close(asks)
            os.close(tells)
            if isinstance(engine, str):  # it is yet to come: no file that is open here is its own
                one, other = sorted((ask, tell))
                for low, high in ((3, one), (one + 1, other), (other + 1, os.sysconf("SC_OPEN_MAX"))):
                    os.closerange(low, high)
            _serve(_loader(engine), methods, word, ask, tell)
        finally:
            _exit(1)
    os.close(ask)
    os.close(tell)

    def gone() -> bool:
        try:
            return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # this process does not hear of its children
            return True

    def kill() -> None:
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
        with suppress(OSError):
            os.killpg(child, signal.SIGKILL)

    def wait() -> int:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except ChildProcessError:
            return 0

    return Process(gone, kill, wait, open(asks, "wb"), open(tells, "rb"))


def _pipe() -> list[int]:
    """A pipe that is none of the first three files, which may be closed."""
    import fcntl

    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends]
    for end in ends:
        os.close(end)
    return moved


def _spawned(text: str, methods: tuple[str, ...], word: str) -> Process:
    """A new Python, where there is no fork; what it is to find is the first that it is told."""
    program = [sys.executable, "-P", "-c", "from micrograd_plus.laws.trials import _begin; _begin()"]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    child = subprocess.Popen(  # noqa: S603 - Python itself
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    asked = marshal.dumps((text, methods, word, sys.path))
    with suppress(OSError):
        child.stdin.write(len(asked).to_bytes(4, "big") + asked)
        child.stdin.flush()
    return Process(lambda: child.poll() is not None, child.kill, child.wait, child.stdin, child.stdout)


# --------------------------------------------------------------------------------------------------------- the child


def _begin() -> NoReturn:
    """What a new Python does: what is asked and told is moved away from the standard files."""
    ask, tell = os.dup(0), os.dup(1)
    text, methods, word, path = _message(ask)
    sys.path[:] = path
    _serve(lambda: find(text), methods, word, ask, tell)


def _serve(load: Callable[[], type], methods: tuple[str, ...], word: str, ask: int, tell: int) -> NoReturn:
    """Load the engine, then answer questions about it until there are no more."""
    me = getpid()

    def answer(word: str, told: object) -> None:
        if getpid() != me:  # the engine forked: one of the two is enough
            _exit(0)
        line = f"{word} {told!r}\n".encode(errors="replace")
        while line:
            line = line[write(tell, line) :]

    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    _limit_memory()
    ear = _Ear()
    out = io.TextIOWrapper(ear, encoding="utf-8", errors="replace", write_through=True)
    sys.stdin, sys.stdout = open(0, closefd=False), out  # noqa: SIM115 - for as long as the process lives
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    before = {module: dict(vars(module)) for module in (builtins, math)}
    try:
        engine = load()
    except BaseException as error:  # noqa: BLE001 - whatever a student's file raises, it is no engine
        kind = type(error).__name__
        answer(word, (kind, str(error)) if kind in ("TypeError", "ValueError") else ("ValueError", _said(error)))
        _exit(0)
    ear.heard()  # what is printed once, when a file is imported, is nobody's fault
    answer(word, ("engine", engine.__module__, engine.__qualname__, _there(engine, methods)))
    limit = sys.getrecursionlimit()
    while True:
        word, kind, seconds, *question = _message(ask)
        _limit_time(seconds)
        sys.setrecursionlimit(limit)  # a program may have raised it
        sys.stdout = out
        if kind == "replaced":
            answer(word, _replaced(before))
        else:
            printed, raised, lost = _run(engine, *question)
            answer(word, (printed, raised, ear.heard(), lost))


def _message(ask: int) -> Any:
    """The next question; where there are no more, the child ends."""
    size = int.from_bytes(_bytes(ask, 4), "big")
    return marshal.loads(_bytes(ask, size))  # noqa: S302 - from the parent, which runs nothing of the engine's


def _bytes(ask: int, count: int) -> bytes:
    taken = b""
    while len(taken) < count:
        more = read(ask, count - len(taken))
        if not more:
            _exit(0)
        taken += more
    return taken


def _limit_memory() -> None:
    """So that an engine cannot take the machine down: what it needs too much of is a MemoryError."""
    with suppress(ImportError, ValueError, OSError):
        import faulthandler
        import resource

        faulthandler.disable()  # a crash is told by the parent
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        most = min(MEMORY, max(MEMORY // 4, pages * size // 2))
        for kind, limit in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, most)):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _limit_time(seconds: float) -> None:
    """So that a child whose parent is gone ends, too; else the parent is the first to lose patience."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        most = int(process_time() + 5 + 2 * seconds * (os.cpu_count() or 1))
        resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


class _Ear(io.BytesIO):
    """Standard output: it keeps the beginning of what is written."""

    kept = b""

    def fileno(self) -> int:
        return 1

    def write(self, data: Any) -> int:
        if len(self.kept) < 300:
            self.kept += bytes(data[:300])
        return len(data)

    def heard(self) -> str:
        kept, self.kept = self.kept, b""
        return kept.decode(errors="replace")


def _there(engine: type, methods: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([name for name in methods if callable(getattr(engine, name, None))])


def _replaced(before: dict[Any, dict[str, object]]) -> list[tuple[str, str]]:
    """Each function of Python's that is another one now, and what that is."""
    return [
        (name if module is builtins else f"{module.__name__}.{name}", _described(vars(module).get(name)))
        for module, names in before.items()
        for name, thing in names.items()
        if callable(thing) and vars(module).get(name) is not thing
    ]


def _described(thing: object) -> str:
    return f"{getattr(thing, '__module__', '?')} {getattr(thing, '__qualname__', type(thing).__qualname__)}"


def _run(
    engine: type, lines: str, mends: tuple[str, ...], watch: bool
) -> tuple[list[tuple[str, str | None, bool | None]], str, str]:
    """Run a program as the student would, but hear what it prints: that, what it raised, and where a gradient went."""
    printed: list[object] = []
    names = {"Value": engine, "print": lambda *values: printed.extend(values), "__builtins__": builtins}
    try:
        with _mended(engine, mends, names, watch=watch) as lost:
            exec(compile(lines, PROGRAM, "exec"), names)  # noqa: S102 - the lines are ours, from laws.py
        return [_shown(value) for value in printed[:20]], "", "".join(lost[:1])
    except BaseException as error:  # noqa: BLE001 - whatever a student's engine raises is its failure, never ours
        return [], _said(error), ""


def _shown(value: Any) -> tuple[str, str | None, bool | None]:
    number = truth = None
    text = str(value)
    with suppress(Exception):
        number = float(value).hex()
    with suppress(Exception):
        truth = bool(value)
    return text[:300], number, truth


def _said(error: BaseException) -> str:
    """An error in one line, as a traceback ends."""
    kind = type(error)
    home = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    try:
        text = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - of the student's own
        text = "(its text cannot be made)"
    return f"{home}{kind.__qualname__}{': ' if text else ''}{text}"[:2000]


class Here:
    """An engine in this very process, where there can be no other: no time limit, and a crash is a crash."""

    def __init__(self, engine: type, methods: tuple[str, ...]) -> None:
        self.value = engine
        self.engine = Engine(engine.__module__, engine.__qualname__, _there(engine, methods))
        self.before = {module: dict(vars(module)) for module in (builtins, math)}
        self.until = 0.0

    @contextmanager
    def law(self, times: int = 1) -> Iterator[None]:
        limit, self.until = sys.getrecursionlimit(), monotonic() + times * SECONDS / 2
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)  # an engine may have raised it

    def late(self) -> bool:
        return monotonic() > self.until

    def ask(self, lines: str, mends: tuple[str, ...] = (), *, watch: bool = False) -> Answer:
        ear = _Ear()
        with redirect_stdout(io.TextIOWrapper(ear, encoding="utf-8", errors="replace", write_through=True)):
            printed, raised, lost = _run(self.value, lines, mends, watch)
        if raised.partition(":")[0] == "KeyboardInterrupt":  # whoever pressed Ctrl-C means us
            raise KeyboardInterrupt
        return Answer(tuple([_read(*each) for each in printed]), raised, ear.heard(), lost)

    def replaced(self) -> list[tuple[str, str]]:
        return _replaced(self.before)


# ----------------------------------------------------------------------------- an engine, watched and mended on the way

# for some laws, what mends an engine that breaks them: methods in the place of its own, made of what laws before hold
_MENDS: dict[str, Callable[[type], dict[str, Any]]] = {
    "a new node": lambda engine: {"__init__": _with_gradient(engine)},
    "Value * number": lambda engine: _with_values(engine),
    "Value + number": lambda engine: _with_values(engine),
    "equal numbers, two nodes": lambda _: {"__eq__": object.__eq__, "__hash__": object.__hash__},
    "number * Value": lambda _: {"__rmul__": lambda self, number: self * number},
    "number + Value": lambda _: {"__radd__": lambda self, number: self + number},
    "-Value": lambda _: {"__neg__": lambda self: self * -1},
    "Value - Value": lambda _: {"__sub__": lambda self, other: self + other * -1},
    "Value - number": lambda _: {"__sub__": lambda self, other: self + other * -1},
    "number - Value": lambda _: {"__rsub__": lambda self, number: self * -1 + number},
    "Value / Value": lambda _: {"__truediv__": lambda self, other: self * other**-1},
    "number / Value": lambda _: {"__rtruediv__": lambda self, number: self**-1 * number},
}
ADDING = "a node used twice"
MENDABLE = (*_MENDS, ADDING)


def _with_gradient(engine: Any) -> Callable[..., None]:
    own = engine.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        own(self, *args, **options)
        self.grad = self.grad or 0.0

    return init


def _with_values(engine: Any) -> dict[str, Callable[[Any, Any], Any]]:
    def taking_values(own: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda self, other: own(self, engine(other) if isinstance(other, (int, float)) else other)

    names = [f"__{turned}{name}__" for name in ("add", "sub", "mul", "truediv") for turned in ("", "r")]
    return {name: taking_values(getattr(engine, name)) for name in names if hasattr(engine, name)}


@contextmanager
def _mended(engine: Any, mends: tuple[str, ...], names: dict[str, Any], *, watch: bool) -> Iterator[list[str]]:
    """The engine without what breaks these laws; with `watch`, the list says where it writes over gradients."""
    lost: list[str] = []
    methods: dict[str, Any] = {}
    for mend in mends:
        if mend in _MENDS:
            methods |= _MENDS[mend](engine)
    if (watch or ADDING in mends) and hasattr(engine, "backward"):
        methods |= _watching(engine, names, lost, add=ADDING in mends)
    home = next((each for each in engine.__mro__ if "backward" in vars(each)), engine)  # nodes may be of a base class
    before = [(place, name, name in vars(place), vars(place).get(name)) for place in {engine, home} for name in methods]
    try:
        with suppress(TypeError):  # a class that was not made in Python takes none: all stays as it is
            for place, name, *_ in before:
                type.__setattr__(place, name, methods[name])
        yield lost
    finally:
        for place, name, there, old in before:
            with suppress(TypeError, AttributeError):
                type.__setattr__(place, name, old) if there else type.__delattr__(place, name)


def _watching(engine: Any, names: dict[str, Any], lost: list[str], *, add: bool) -> dict[str, Any]:
    """Methods that see each gradient which the engine reads and writes; those it would lose are added, or noted.

    A gradient is lost if a number other than 0 is there, which the function that writes has not read since it came, and
    which arrived in the same `backward()` or belongs to a leaf: what stands between may start afresh in the next one.
    """
    get, put, go = engine.__getattribute__, engine.__setattr__, engine.backward
    leaves: list[Any] = []  # and so their ids stay theirs
    nodes: list[Any] = []
    readers: dict[int, set[Any]] = {}
    arrived: dict[int, int] = {}
    passes = depth = 0

    def value(*args: Any, **options: Any) -> Any:
        leaves.append(engine(*args, **options))
        return leaves[-1]

    def backward(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal passes, depth
        passes += not depth
        depth += 1
        try:
            return go(self, *args, **options)
        finally:
            depth -= 1

    def getattribute(self: Any, name: str) -> Any:
        if name == "grad":
            readers.setdefault(id(self), set()).add(sys._getframe(1).f_code)
        return get(self, name)

    def setattr_(self: Any, name: str, new: Any) -> None:
        frame = sys._getframe(1)
        if name == "grad" and depth and frame.f_code.co_filename != PROGRAM:
            nodes.append(self)
            old = _gradient(get, self)
            leaf = any(self is each for each in leaves)
            unread = frame.f_code not in readers.get(id(self), ())
            if old and unread and (leaf or arrived.get(id(self)) == passes):
                if add:
                    new = new + old
                else:
                    lost.append(_lost(frame, old, new))
            arrived[id(self)] = passes
            readers.pop(id(self), None)
        put(self, name, new)

    names["Value"] = value
    return {"__getattribute__": getattribute, "__setattr__": setattr_, "backward": backward}


def _gradient(get: Callable[[Any, str], Any], node: Any) -> float:
    try:
        return float(get(node, "grad"))
    except Exception:  # noqa: BLE001 - there is none yet
        return 0.0


def _lost(frame: FrameType, old: float, new: object) -> str:
    where = quoted_line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
    return f"{where} put {new} in the place of a gradient of {old:g} that had arrived"
