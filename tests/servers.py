"""Run a server in a process of its own, such as JupyterLab, as long as a test needs it."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def serving(*command: str, port: int, ready: str, env: Mapping[str, str], folder: Path) -> Iterator[str]:
    """A server, as long as the block lasts: its address."""
    log = (folder / "log").open("w")
    process = subprocess.Popen([sys.executable, "-m", *command], env=env, stdout=log, stderr=log, cwd=folder)
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            with suppress(OSError), closing(connection):
                connection.request("GET", ready)
                if connection.getresponse().status == 200:
                    break
            time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text()[-3000:])
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
