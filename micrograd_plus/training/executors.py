"""Whatever somebody gives as an executor, as one that has `submit` like those of concurrent.futures."""

from __future__ import annotations

from reprlib import repr as short_repr
from typing import Any

MAKE = "give a function that makes it, and another is made: executor=lambda: ProcessPoolExecutor(2)"


def check_executor(where: str, executor: Any) -> None:
    """Raise a TypeError unless it is an executor, Dask's client, or a function, such as may make one."""
    if not hasattr(executor, "submit") and not callable(executor):
        expected = "expected a concurrent.futures.Executor, Dask's client, or a function that makes such a one"
        way_out = "; of a pool without submit(), give map=pool.map" if hasattr(executor, "map") else ""
        raise TypeError(f"{where}(executor={short_repr(executor)}): {expected}{way_out}")


def opened(executor: Any) -> tuple[Any, bool]:
    """The executor, and whether it was made by a function: then it is ours to shut down, and can be made again."""
    if hasattr(executor, "get_executor"):  # Dask's client; each of our tasks is another, whatever it is called with
        return executor.get_executor(pure=False), False
    if hasattr(executor, "submit"):
        return executor, False
    made = executor()
    if not hasattr(made, "submit"):
        expected = "expected a concurrent.futures.Executor, with a method submit()"
        raise TypeError(f"fit(executor={short_repr(executor)}): it made {short_repr(made)}; {expected}")
    return made, True
