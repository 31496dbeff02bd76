"""The command: what it trains, shows and writes, and how it stops; errors are one line and cost nobody a file."""

from __future__ import annotations

import csv
import errno
import html
import io
import json
import math
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from inspect import isfunction, signature
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import micrograd_plus as mp
from micrograd_plus.cli import answers, entry, jobs, recipes, runs, terminal
from micrograd_plus.cli.commands import command as the_command
from micrograd_plus.cli.expressions import parse
from micrograd_plus.cli.recipes import LOSSES
from micrograd_plus.data import load_digits
from micrograd_plus.data.dataset import Dataset
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.formulas.cards import row
from micrograd_plus.ops.rows import FUNCTIONS
from micrograd_plus.training import loop as training

FILES = {"weights.json", "history.csv", "settings.json"}
QUICK = ("moons", "--steps", "2", "--points", "10")


def run(*arguments: str) -> int:
    """The command in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        entry.main(list(arguments))
    code = left.value.code
    assert isinstance(code, int)
    return code


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    program = [sys.executable, "-m", "micrograd_plus", *arguments]
    return subprocess.run(program, capture_output=True, text=True, encoding="utf-8", check=False, **options)


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)  # not there, in this process: pictures take seconds
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]  # an engine of this test


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Forty images to learn from and twenty to test on, in MNIST's format: the digit is the column that is inked."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for prefix, count in (("train", 40), ("t10k", 20)):
        labels = [i % 10 for i in range(count)]
        images = b"".join(bytes(255 * (column // 2 - 4 == label) for column in range(28)) * 28 for label in labels)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + images)
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + bytes(labels))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# ------------------------------------------------------------------------------------------------------------- moons


def test_moons_gets_all_points_of_micrograds_demo_right_in_a_hundred_steps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run("moons") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[-1] == "accuracy 100.0 %"
    assert len(re.findall(r"^epoch +\d+/100 ", out, re.MULTILINE)) == 100
    assert max(map(len, out.splitlines())) <= 80
    with open(tmp_path / "moons-run" / "history.csv", newline="") as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    assert rates == pytest.approx([1.0 - 0.9 * k / 100 for k in range(100)], rel=1e-12)
    model = mp.MLP(2, [16, 16, 1])
    model.load(tmp_path / "moons-run" / "weights.json")
    points, labels = mp.data.make_moons(100, 0.1, 1337)
    assert all((model(point) > 0) == (label == 1) for point, label in zip(points, labels))


def test_moons_goes_micrograds_way() -> None:
    """Its loss is the mean hinge loss and 1e-4 · Σ p², its rate falls from 1.0 to 0.1."""
    assert run("moons", "--steps", "3", "--points", "10", "--out", "x") == 0
    points, labels = mp.data.make_moons(10, 0.1, 1337)
    model, ours = mp.MLP(2, [16, 16, 1], seed=1337), mp.MLP(2, [16, 16, 1])
    for k in range(3):
        total = mp.mean([mp.relu(1 - (2 * label - 1) * model(point)) for point, label in zip(points, labels)])
        model.zero_grad()
        (total + 1e-4 * sum(p * p for p in model.parameters())).backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 3) * p.grad
    ours.load("x/weights.json")
    assert [p.data for p in ours.parameters()] == pytest.approx([p.data for p in model.parameters()], rel=1e-9)


def test_moons_takes_its_options(tmp_path: Path) -> None:
    assert run("moons", "--steps", "3", "--points", "30", "--noise", "0.2", "--seed", "5", "--out", "here/there") == 0
    settings = json.loads((tmp_path / "here" / "there" / "settings.json").read_text())
    assert settings == {
        "job": "moons", "layers": [2, 16, 16, 1], "points": 30, "noise": 0.2, "steps": 3, "seed": 5,
        "eager": False, "accuracy": settings["accuracy"], "stopped": "",
    }  # fmt: skip
    assert len((tmp_path / "here" / "there" / "history.csv").read_text().splitlines()) == 4


# ------------------------------------------------------------------------------------------------------------- digits


def test_digits_learns_shows_its_mistakes_and_writes_a_folder() -> None:
    done = command("digits", "--epochs", "1", "--batch-size", "5")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "1,437 digits to learn from, 360 held out"
    assert re.fullmatch(r"held-out accuracy \d\d\.\d %", lines[-1])
    assert float(lines[-1].split()[2]) > 30  # chance is 10
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout
    assert "wrong, the surest first" in done.stdout
    rows = [line.split() for line in lines if re.match(r" +\d( +[\d.]+){10} +\d+ %$", line)]
    assert [int(row[0]) for row in rows] == list(range(10))
    counts = [[0 if cell == "." else int(cell) for cell in row[1:11]] for row in rows]
    assert sum(map(sum, counts)) == 360
    assert f"{100 * sum(counts[i][i] for i in range(10)) / 360:.1f} %" in lines[-1]
    folder = Path("digits-run")
    assert not FILES - {path.name for path in folder.iterdir()}
    settings = json.loads((folder / "settings.json").read_text())
    assert (settings["recipe"], settings["lr"], settings["layers"]) == ("today", 0.006, [64, 16, 16, 10])
    assert f"{100 * settings['accuracy']:.1f} %" in lines[-1]
    model = mp.MLP(64, [16, 16, 10], activation="silu")
    model.load(folder / "weights.json")
    held_out = list(zip(*load_digits()))[::5]
    right = sum(outputs.index(max(outputs)) == label for outputs, label in ((model(x), label) for x, label in held_out))
    assert right / 360 == settings["accuracy"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", ["sgd", "Adam"])
def test_digits_takes_its_options(loss: str, optimizer: str, mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = {
        "--mnist": mnist.name, "--limit": "12", "--epochs": "2", "--batch-size": "4", "--optimizer": optimizer,
        "--loss": loss, "--hidden": "3", "--activation": "tanh", "--seed": "4", "--lr": "0.25", "--out": "x",
    }  # fmt: skip
    assert run("digits", *[word for option in options.items() for word in option]) == 0
    out = capsys.readouterr().out
    assert out.startswith("12 of MNIST's training images to learn from, 6 of its test images held out\n")
    settings = json.loads(Path("x", "settings.json").read_text())
    assert settings | {"accuracy": 0} == {
        "job": "digits", "mnist": "mnist", "limit": 12, "recipe": "today", "eager": False,
        "layers": [784, 3, 10], "activation": "tanh",
        "output": LOSSES[loss].output, "loss": loss, "optimizer": optimizer, "lr": 0.25,
        "weight_decay": 0.0, "batch_size": 4, "epochs": 2, "seed": 4, "accuracy": 0, "stopped": "",
    }  # fmt: skip
    with open(Path("x", "history.csv"), newline="") as file:
        history = list(csv.DictReader(file))
    assert [row["step"] for row in history] == ["3", "6"]
    assert float(history[-1]["lr"]) == pytest.approx(0.125 * (1 + cos(5 / 6 * pi)))  # 0 is reached after the last step


def test_the_default_rate_suits_the_optimizer(mnist: Path) -> None:
    common = ("digits", "--mnist", str(mnist), "--limit", "2", "--epochs", "1", "--hidden", "2", "--out", "x")
    for options, lr in (
        ([], 0.006),
        (["--optimizer", "sgd"], 1.0),
        (["--optimizer", "nadam"], 2e-3),
        (["--textbook"], 3.0),
        (["--textbook", "--optimizer", "adam"], 0.006),
        (["--textbook", "--loss", "cross_entropy"], 1.0),
        (["--textbook", "--lr", "2.5"], 2.5),
    ):
        assert run(*common, *options) == 0
        assert json.loads(Path("x", "settings.json").read_text())["lr"] == lr


def test_the_same_seed_writes_the_same_weights(mnist: Path) -> None:
    common = ("digits", "--mnist", str(mnist), "--epochs", "2", "--hidden", "4")
    for seed, out in (("1", "a"), ("1", "b"), ("2", "c")):
        assert run(*common, "--seed", seed, "--out", out) == 0
    first, second, third = (Path(out, "weights.json").read_bytes() for out in "abc")
    assert first == second != third


def test_the_textbook_recipe_is_one_option_away(mnist: Path) -> None:
    assert run("digits", "--mnist", str(mnist), "--textbook", "--hidden", "2", "--out", "x") == 0
    settings = json.loads(Path("x", "settings.json").read_text())
    wanted = {
        "recipe": "textbook", "activation": "sigmoid", "output": "sigmoid", "loss": "squared_error", "optimizer": "sgd",
        "lr": 3.0, "batch_size": 10, "epochs": 10,
    }  # fmt: skip
    assert settings | wanted == settings


@pytest.mark.parametrize("textbook", [(), ("--textbook",)])
def test_eager_and_compiled_print_the_same(
    textbook: tuple[str, ...], mnist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = ("digits", "--mnist", str(mnist), *textbook, "--hidden", "3", "--epochs", "3", "--batch-size", "7")
    for command, model in ((job, mp.MLP(784, [3, 10])), (QUICK, mp.MLP(2, [16, 16, 1]))):
        told, weights = [], []
        for options in ((), ("--eager",)):
            assert run(*command, *options, "--out", "x") == 0
            told.append(re.sub(r"  ([\d.]+ s,|took).*", "", capsys.readouterr().out))
            model.load(Path("x", "weights.json"))
            weights.append([p.data for p in model.parameters()])
            assert json.loads(Path("x", "settings.json").read_text())["eager"] == bool(options)
        assert told[0] == told[1]
        assert weights[0] == pytest.approx(weights[1], rel=1e-9, abs=1e-12)


def test_download_fetches_what_the_folder_lacks(monkeypatch: pytest.MonkeyPatch, mnist: Path) -> None:
    asked: list[bool] = []

    def load(folder: str, *, download: bool, **options: Any) -> Dataset:
        asked.append(download)
        return mp.data.load_mnist(folder, **options)

    monkeypatch.setattr(jobs, "load_mnist", load)
    common = ("digits", "--mnist", str(mnist), "--limit", "2", "--epochs", "1", "--hidden", "2")
    assert run(*common, "--download") == 0
    assert run(*common) == 0
    assert asked == [True, True, False, False]


def test_beliefs_are_shares_of_one_whatever_the_loss() -> None:
    for choice in LOSSES.values():
        outputs = [0.1, 0.9] if choice.output == "sigmoid" else [-3.0, 40.0]
        beliefs = choice.beliefs(outputs)
        assert all(0 <= belief <= 1 for belief in beliefs)
        assert beliefs[1] > beliefs[0]


def test_the_surest_mistakes_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    image = [0.0] * 63 + [1.0]
    held_out = Dataset([image] * 4, [0, 1, 2, 8])
    sure = [(0, 0.9), (2, 0.6), (3, 0.8), (8, 0.7)]
    answers.show_answers(held_out, [[p if i == said else 0.0 for i in range(10)] for said, p in sure])
    out = capsys.readouterr().out
    assert re.findall(r"said \d \(\d+ %\)", out) == ["said 0 (90 %)", "said 8 (70 %)", "said 3 (80 %)", "said 2 (60 %)"]
    assert re.findall(r"it is an? \d", out) == ["it is a 2", "it is a 1"]


# ------------------------------------------------------------------------------------------- the folder of a run


def test_without_out_each_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "moons-run-2").mkdir()
    for _ in range(2):
        assert run(*QUICK) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moons-run", "moons-run-2", "moons-run-3"]
    assert not list((tmp_path / "moons-run-2").iterdir())


def test_a_named_folder_keeps_what_is_not_ours_and_takes_the_new_run(tmp_path: Path) -> None:
    assert run(*QUICK, "--out", "x") == 0
    before = contents(tmp_path / "x")
    (tmp_path / "x" / "notes.txt").write_text("mine")
    assert run(*QUICK, "--out", "x", "--seed", "3") == 0
    after = contents(tmp_path / "x")
    assert after.pop("notes.txt") == b"mine"
    assert after.keys() == before.keys()
    assert all(after[name] != before[name] for name in FILES)


def test_without_matplotlib_the_run_names_the_extra(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*QUICK, "--out", "x") == 0
    out = capsys.readouterr().out
    assert "no moons.png: pictures need matplotlib: pip install 'micrograd-plus[plot]'\n" in out
    assert {path.name for path in Path("x").iterdir()} == FILES


@pytest.mark.parametrize("job", [QUICK, ("digits", "--mnist", "mnist", "--hidden", "2", "--epochs", "1")])
def test_with_matplotlib_there_is_a_picture(job: tuple[str, ...], mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.figure")
    pytest.importorskip("matplotlib")
    assert mnist.is_dir()
    assert run(*job, "--out", "x") == 0
    name = {"moons": "moons.png", "digits": "history.png"}[job[0]]
    assert Path("x", name).read_bytes().startswith(b"\x89PNG")


# ---------------------------------------------------------------------------------------------------------- bad input

BAD = {
    "dgits": "unknown command 'dgits'; did you mean 'digits'?",
    "digits extra": r"Got unexpected extra argument \(extra\)",
    "digits --epcohs 3": "No such option:? '?--epcohs'?.* Did you mean '?--epochs'?",
    "digits --lr": "Option '--lr' requires an argument",
    "digits --lr 0": "'0'; expected a finite number above 0, such as 0.1",
    "digits --lr=-1": "'-1'; expected a finite number above 0",
    "digits --lr nan": "'nan'; expected a finite number above 0",
    "digits --lr inf": "'inf'; expected a finite number above 0",
    "digits --lr fast": "'fast'; expected a finite number above 0",
    "digits --epochs 0": "Invalid value for '--epochs': 0 is not in the range",
    "digits --epochs 1.5": "'1.5' is not a valid integer",
    "digits --batch-size 0": "Invalid value for '--batch-size': 0 is not in the range",
    "digits --hidden 16,": "'16,'; expected the sizes of the hidden layers, such as 16,16",
    "digits --hidden 16,0": "'16,0'; expected the sizes",
    "digits --seed x": "'x' is not a valid integer",
    "digits --loss sqared_error": "unknown loss 'sqared_error'; did you mean 'squared_error'?",
    "digits --optimizer sdg": "unknown optimizer 'sdg'; did you mean 'sgd'?",
    "digits --activation tahn": "unknown activation 'tahn'; did you mean 'tanh'?",
    "digits --limit 10": "--limit goes with --mnist FOLDER",
    "digits --download": "--download goes with --mnist FOLDER",
    "digits --mnist mnist --limit 0": "Invalid value for '--limit': 0 is not in the range",
    "digits --mnist nowhere": "nowhere: no training images; looked for train-images-idx3-ubyte",
    "digits --mnist truncated": "train-images-idx3-ubyte: expected 31376 bytes .*, found 100; it is truncated",
    "digits --mnist file": "file: no training images",
    "moons --points 1": "Invalid value for '--points': 1 is not in the range",
    "moons --noise=-1": "noise=-1.0.*expected a finite number of at least 0",
    "moons --noise nan": "noise=nan.*expected a finite number of at least 0",
    "moons --steps 2 --noise 1e300": "fit: epoch .*: the loss is (nan|inf)",
    "moons --out file": "cannot make the folder 'file': there is a file of that name; choose another",
    "moons --out file/x": "cannot make the folder 'file/x': Not a directory; choose another",
    "moons --out odd": "cannot replace 'odd/weights.json': it is no ordinary file; choose another folder",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_line_and_exit_code_2_and_costs_nothing(
    words: str, mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "odd" / "weights.json").mkdir(parents=True)
    (tmp_path / "odd" / "history.csv").write_text("earlier")
    (tmp_path / "truncated").mkdir()
    for path in mnist.iterdir():
        (tmp_path / "truncated" / path.name).write_bytes(path.read_bytes()[:100])
    before = {path: path.read_bytes() if path.is_file() else b"" for path in tmp_path.rglob("*")}
    assert run(*words.split()) == 2
    err = capsys.readouterr().err
    assert re.fullmatch(f"micrograd-plus: .*{BAD[words]}.*\n", err)
    assert {path: path.read_bytes() if path.is_file() else b"" for path in tmp_path.rglob("*")} == before


def test_an_empty_folder_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*QUICK, "--out", "") == 2
    assert capsys.readouterr().err == "micrograd-plus: cannot write to the folder '': expected a name\n"


def test_an_error_shows_no_traceback_in_a_process_of_its_own() -> None:
    done = command("digits", "--optimizer", "sdg")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "micrograd-plus: unknown optimizer 'sdg'; did you mean 'sgd'?\n"


class Full:
    """A disk that takes so many files and then no more."""

    def __init__(self, files: int, code: int) -> None:
        self.files, self.code = files, code

    def __call__(self, _: int) -> None:
        self.files -= 1
        if self.files < 0:
            raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize(
    ("code", "message"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the disk is read-only")]
)
@pytest.mark.parametrize("files", [0, 1, 2, 3])
def test_a_disk_that_takes_no_more_costs_nothing_that_was_there(
    files: int, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*QUICK, "--out", "x", "--seed", "1") == 0
    before = contents(Path("x"))
    capsys.readouterr()
    monkeypatch.setattr("micrograd_plus._support.files.os.fsync", Full(files, code))
    assert run(*QUICK, "--out", "x", "--seed", "2") == 2
    out, err = capsys.readouterr()
    assert re.fullmatch(f"micrograd-plus: cannot write 'x/.*': {message}; .*\n", err)
    after = contents(Path("x"))
    assert after.keys() == before.keys()
    # the first file is the rehearsal, before any training; then weights, history and settings take turns
    assert ("epoch" in out) == (files > 0)
    changed = [name for name in ("weights.json", "history.csv", "settings.json") if after[name] != before[name]]
    assert changed == ["weights.json", "history.csv"][: max(files - 1, 0)]


def test_a_folder_that_was_made_for_nothing_goes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("micrograd_plus._support.files.os.fsync", Full(0, errno.ENOSPC))
    assert run(*QUICK, "--out", "deep/er") == 2
    assert run(*QUICK) == 2
    assert not list(tmp_path.iterdir())
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused_before_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").mkdir(mode=0o500)
    assert run(*QUICK, "--out", "x") == 2
    out, err = capsys.readouterr()
    assert "epoch" not in out
    assert re.fullmatch("micrograd-plus: cannot write 'x/.*not permitted.*\n", err)


# ------------------------------------------------------------------------------------------- Ctrl-C, pipes, encodings


def test_ctrl_c_saves_what_has_been_learnt_and_says_where() -> None:
    program = [sys.executable, "-m", "micrograd_plus", "moons", "--steps", "100000", "--out", "x"]
    pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, **pipe, preexec_fn=_with_ctrl_c) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("epoch"):
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert re.fullmatch(r"stopped by Ctrl-C in epoch \d+; what has been learnt is in x", out.splitlines()[-1])
    assert {path.name for path in Path("x").iterdir()} == FILES
    model = mp.MLP(2, [16, 16, 1], seed=1337)
    before = [p.data for p in model.parameters()]
    model.load("x/weights.json")
    assert [p.data for p in model.parameters()] != before
    assert json.loads(Path("x", "settings.json").read_text())["stopped"] == "interrupt"


def _with_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background may have it ignored


def test_ctrl_c_outside_training_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def pressed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "fit", pressed)
    assert run(*QUICK) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "micrograd-plus: stopped by Ctrl-C"
    assert not list(tmp_path.iterdir())


def test_a_reader_that_has_enough_ends_it_without_a_word() -> None:
    program = [sys.executable, "-m", "micrograd_plus", "moons", "--steps", "100000"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_output_to_a_full_disk_is_one_line() -> None:
    for buffered in (True, False):
        environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
        for words in (QUICK, ("ops",), ("check-engine", "micrograd_plus.engine:Value", "--laws", "relu"), ()):
            program = [sys.executable, "-m", "micrograd_plus", *words]
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    program, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
                )
            assert (done.returncode, done.stderr) == (2, "micrograd-plus: No space left on device\n")


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no shell here")
def test_a_closed_output_is_one_line_and_costs_no_training() -> None:
    for words in ("ops tanh", "check-engine micrograd_plus.engine:Value --laws relu", " ".join(QUICK) + " --out x"):
        shell = f"{shlex.quote(sys.executable)} -m micrograd_plus {words} >&-"
        done = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, text=True, check=False)
        told = "micrograd-plus: standard output is closed, so nothing could be shown\n"
        assert (done.returncode, done.stderr) == (2, told)
    assert {path.name for path in Path("x").iterdir()} >= FILES


class Deaf(io.StringIO):
    """An output that fails after so many lines."""

    def __init__(self, lines: int, code: int) -> None:
        super().__init__()
        self.lines, self.code = lines, code

    def write(self, text: str) -> int:
        self.lines -= text.count("\n")
        if self.lines < 0:
            raise OSError(self.code, os.strerror(self.code))
        return super().write(text)


@pytest.mark.parametrize("lines", range(4, 12))
@pytest.mark.parametrize(("code", "exit"), [(errno.EPIPE, 1), (errno.ENOSPC, 2)])
def test_an_output_that_fails_costs_no_training(
    lines: int, code: int, exit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Deaf(lines, code))
    assert run("moons", "--steps", "5", "--points", "10", "--out", "x") == exit
    assert {path.name for path in Path("x").iterdir()} == FILES
    epochs = Path("x", "history.csv").read_text().count("\n") - 1
    assert epochs == (5 if code == errno.ENOSPC else max(1, min(5, lines - 3)))


def test_a_folder_that_vanishes_costs_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = training.fit

    def vanishing(*args: Any, **options: Any) -> Any:
        history = fit(*args, **options)
        Path("deep/er").rmdir()
        Path("deep").rmdir()
        return history

    monkeypatch.setattr(jobs, "fit", vanishing)
    assert run(*QUICK, "--out", "deep/er") == 0
    assert {path.name for path in Path("deep/er").iterdir()} == FILES


def test_what_could_not_be_saved_in_its_folder_is_kept_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fit = training.fit

    def vanishing(*args: Any, **options: Any) -> Any:
        history = fit(*args, **options)
        Path("x").rmdir()
        Path("x").write_text("a file")
        return history

    monkeypatch.setattr(jobs, "fit", vanishing)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(*QUICK, "--out", "x") == 2
    told = re.fullmatch(
        r"micrograd-plus: cannot write 'x/.*; what has been learnt is in (.*)\n", capsys.readouterr().err
    )
    assert told is not None
    assert {path.name for path in Path(told[1]).iterdir()} == FILES


def test_whatever_matplotlib_raises_costs_no_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> bytes:
        raise ValueError("Key backend: 'nonsense' is not a valid value\nfor backend")

    monkeypatch.setattr("micrograd_plus.cli.plots.boundary_plot", refuse)
    assert run(*QUICK, "--out", "x") == 0
    out = capsys.readouterr().out
    assert "no moons.png: Key backend: 'nonsense' is not a valid value for backend\n" in out
    assert out.splitlines()[-1].startswith("accuracy ")


def test_an_output_that_knows_ascii_only_gets_ascii(mnist: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    arguments = ("digits", "--mnist", str(mnist), "--hidden", "2", "--epochs", "1")
    done = command(*arguments, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "##" in done.stdout
    assert command("digits", "--help", env=environment).returncode == 0


# ------------------------------------------------------------------------------------------------------- check-engine


def test_check_engine_prints_the_table_and_says_by_its_exit_code_whether_all_laws_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("check-engine", "micrograd_plus.engine:Value") == 0
    assert re.search(r"^(\d+) of \1 laws hold$", capsys.readouterr().out, re.MULTILINE)
    Path("my_engine.py").write_text(
        "from micrograd_plus.engine import Value as Base\nclass Value(Base):\n __pow__ = 0\n"
    )
    for engine in (
        "my_engine.py:Value",
        "my_engine:Value",
        "my_engine",
        "./my_engine.py",
        str(Path("my_engine.py").resolve()),
    ):
        assert run("check-engine", engine) == 1
        out, err = capsys.readouterr()
        assert "FAIL       Value ** number" in out
        assert "from my_engine import Value\n" in out
        assert err == ""


def test_an_engine_in_a_file_finds_its_neighbours_and_may_bear_any_name(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("home work")
    folder.mkdir()
    (folder / "neighbour_of_random.py").write_text("from micrograd_plus.engine import Value as Base\n")
    (folder / "random.py").write_text("from neighbour_of_random import Base\nclass Scalar(Base): ...\n")
    assert run("check-engine", "home work/random.py:Scalar") == 0
    assert capsys.readouterr().out.startswith("The laws of autograd, and random.Scalar\n")


def test_an_engine_may_be_a_part_of_a_package(capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "pkg/__init__.py": "from .engine import Value",
        "pkg/base.py": "from micrograd_plus.engine import Value as Base",
        "pkg/engine.py": "from .base import Base\nclass Value(Base): ...",
        "pkg/deep/other.py": "from ..base import Base\nfrom .. import engine\nclass Value(Base): ...",
        "bare/base.py": "from micrograd_plus.engine import Value as Base",
        "bare/engine.py": "from .base import Base\nclass Value(Base): ...",
        "json/__init__.py": "",
        "json/engine.py": "from . import __name__ as name\nfrom micrograd_plus.engine import Value",
    }
    for name, source in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(source + "\n")
    homes = {
        "pkg/engine.py:Value": "pkg.engine",
        "pkg/engine.py": "pkg.engine",
        "pkg/__init__.py:Value": "pkg.engine",
        "pkg.engine:Value": "pkg.engine",
        str(Path("pkg/engine.py").resolve()): "pkg.engine",
        "pkg/deep/other.py:Value": "pkg.deep.other",
        "bare/engine.py:Value": "bare.engine",
        "json/engine.py:Value": "micrograd_plus.engine.value",
    }
    for engine, home in homes.items():
        assert run("check-engine", engine, "--laws", "dy/dy is 1") == 0
        assert capsys.readouterr().out.startswith(f"The laws of autograd, and {home}.Value\n")
    os.chdir("pkg")
    assert run("check-engine", "engine.py", "--laws", "dy/dy is 1") == 0


def test_laws_by_name_and_the_report_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my_engine.py").write_text("class Value:\n def __init__(self, data): self.data, self.grad = data, None\n")
    names = ["a new node", "-Value", "-=, *= and /= do, too", "relu"]
    for words in ([*names, "my_engine.py:Value"], [*names, "--json", "my_engine.py"]):
        assert run("check-engine", "--laws", *words) == 1
    assert run("check-engine", "my_engine", "--json", "--laws", *names) == 1
    out = capsys.readouterr().out
    told = json.loads(out[out.rindex("\n{") :])
    assert [law["name"] for law in told["laws"]] == names
    assert [law["verdict"] for law in told["laws"] if law["name"] == "relu"] == ["not there"]
    assert run("check-engine", "my_engine", "--laws", "relu") == 1  # nothing holds
    for words in (["relo"], ["relu", "tahn"], []):
        assert run("check-engine", "my_engine", "--laws", *words) == 2
    err = capsys.readouterr().err.splitlines()
    assert "unknown law 'relo'; did you mean 'relu'?" in err[0]
    assert "unknown law 'tahn'; did you mean 'tanh'?" in err[1]
    assert "'--laws' requires an argument" in err[2]


@pytest.mark.parametrize(
    "act", ["sys.exit(0)", "os._exit(0)", "while True: pass", "atexit.register(os._exit, 0)", "quit()"]
)
def test_no_engine_makes_the_command_end_well_by_accident(act: str, capsys: pytest.CaptureFixture[str]) -> None:
    start = "import atexit, os, sys\nprint('all laws hold')\n"
    broken = "class Value:\n def __init__(self, data): self.data, self.grad = data, 0.0\n def backward(self): pass\n"
    Path("rash.py").write_text(f"{start}{broken}{act}\n")
    code = run("check-engine", "rash.py:Value", "--seconds", "2")
    out, err = capsys.readouterr()
    if act.startswith("atexit"):
        assert (code, err) == (1, "")
    else:
        assert (code, out) == (2, "")
        assert re.fullmatch(
            "micrograd-plus: importing 'rash.py.*' (raised SystemExit|ends Python|does not end).*\n", err
        )
    assert "all laws hold" not in out


BAD_ENGINES = {
    "": "which engine. Expected MODULE:CLASS, such as my_engine.py:Value",
    ":Value": "which engine. Expected MODULE:CLASS",
    "no_such_thing:Value": "there is no module 'no_such_thing'; expected MODULE:CLASS, such as my_engine.py:Value",
    "my_engin:Value": "there is no module 'my_engin'; did you mean 'my_engine'.",
    "my_engin.py:Value": "there is no file 'my_engin.py'; did you mean 'my_engine.py'.",
    "elsewhere/my_engine.py:Value": "there is no file 'elsewhere/my_engine.py'; expected MODULE:CLASS",
    "my_engine.Value": "there is no module 'my_engine.Value'; did you mean 'my_engine:Value'.",
    "my_engine:Valeu": "'my_engine' has no class 'Valeu'; did you mean 'Value'.",
    "my_engine:Q": "'my_engine' has no class 'Q'; it has Value",
    "empty.py": "'empty.py' has no class 'Value'; it has none at all",
    "my_engine:number": "'my_engine:number': expected a class, got int",
    "incomplete.py:Value": "importing 'incomplete.py' raised SyntaxError: .*incomplete.py, line 1",
    "needy:Value": "importing 'needy' raised ModuleNotFoundError: No module named 'no_such_thing'",
    "missing_file.py:Value": "importing 'missing_file.py' raised FileNotFoundError: .*'numbers.csv'",
}


@pytest.mark.parametrize("engine", BAD_ENGINES)
def test_an_engine_that_is_not_there_is_one_line_and_exit_code_2(
    engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "my_engine": "class Value: ...\nnumber = 3\n",
        "empty": "",
        "incomplete": "class",
        "needy": "import no_such_thing",
        "missing_file": "open('numbers.csv')",
    }
    for name, source in files.items():
        Path(f"{name}.py").write_text(source)
    assert run("check-engine", *([engine] if engine else [])) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(f"micrograd-plus: {BAD_ENGINES[engine]}.*\n", err)


# ------------------------------------------------------------------------------------------------- draw, step and ops

NEURON = ("relu(w*x + b)", "--at", "w=2,x=-3,b=10")


def test_draw_shows_gradients_and_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("draw", *NEURON) == 0
    assert capsys.readouterr() == (
        "               value  gradient\n"
        "w                2.0      -3.0\n"
        "x               -3.0       2.0\n"
        "b               10.0       1.0\n"
        "relu(w*x + b)    4.0       1.0\n"
        "\n"
        "The picture is in graph.svg\n",
        "",
    )
    picture = html.unescape(Path("graph.svg").read_text(encoding="utf-8"))
    assert picture.count('class="node"') == 6
    assert picture.count('class="edge"') == 5
    assert {"w", "x", "b", "data 10", "grad -3", "relu"} <= set(re.findall(">([^<>]+)</text>", picture))


def test_draw_takes_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("draw", "w*x", "--at", "w = 2", "--at=x=-1e-3", "-o", "a.dot")
    sources = {}
    for options in ((), ("--no-backward",), ("--nearest", "1"), ("--edges", "local"), ("--edges", "contribution")):
        assert run(*given, *options) == 0
        sources[options[-1:]] = Path("a.dot").read_text()
    assert len(set(sources.values())) == 5
    assert "… 2 more" in sources["1",]
    edge = next(line for line in sources["local",].splitlines() if "n0 -> n2" in line)
    assert "<td>-0.001</td>" in edge
    assert "grad" in sources[()]
    assert "grad 0" not in sources["--no-backward",]
    out = capsys.readouterr().out
    assert "      value\nw       2.0\nx    -0.001\nw*x  -0.002\n\nThe picture is in a.dot\n" in out
    assert [path.name for path in Path().iterdir()] == ["a.dot"]


def test_step_prints_values_and_then_every_step(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("step", "x*x - 3", "--at", "x=-3") == 0
    assert capsys.readouterr().out.splitlines() == [
        "v1 = x * x = 9.0",
        "L = v1 - 3 = 6.0",
        "",
        "0  ∂L/∂L = 1.0 (L.grad: 0.0 → 1.0)",
        "1  ∂L/∂v1 += ∂L/∂L · ∂L/∂v1 = 1.0 · 1.0 = 1.0 (v1.grad: 0.0 → 1.0)",
        "2  ∂L/∂x += ∂L/∂v1 · ∂v1/∂x = 1.0 · x = 1.0 · (-3.0) = -3.0 (x.grad: 0.0 → -3.0)",
        "3  ∂L/∂x += ∂L/∂v1 · ∂v1/∂x = 1.0 · x = 1.0 · (-3.0) = -3.0 (x.grad: -3.0 → -6.0)",
    ]
    assert not list(tmp_path.iterdir())


def test_step_writes_a_film(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("step", *NEURON, "-o", "film.svg") == 0
    assert capsys.readouterr().out.endswith("\n\nThe film is in film.svg\n")
    assert "@keyframes" in Path("film.svg").read_text(encoding="utf-8")


def test_step_writes_a_page_that_needs_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("step", *NEURON, "-o", "page.html") == 0
    assert capsys.readouterr().out.endswith("\n\nThe page is in page.html\n")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "</html>" in page
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=.(https?:)?//", page)


def test_step_of_a_long_expression_prints_its_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("step", "*".join(["x"] * 300), "--at", "x=1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 100
    assert "… (259 lines not shown)" in lines
    assert lines[0] == "v1 = x * x = 1.0"


def test_an_expression_may_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("step", "--at", "x=3", "--", "-x") == 0
    assert capsys.readouterr().out.startswith("L = -x = -3.0\n")
    assert run("step", "--at", "x=3", "-x") == 2
    assert "; if it begins your expression, write -- before that" in capsys.readouterr().err


def test_an_output_that_lacks_our_letters_gets_others() -> None:
    program = [sys.executable, "-m", "micrograd_plus", "step", *NEURON]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(program, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"0  ?L/?L = 1.0" in done.stdout


def test_ops_lists_every_function_and_knows_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ops") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == list(FUNCTIONS)
    assert max(map(len, lines)) <= 80
    for name in FUNCTIONS:
        assert run("ops", name) == 0
        card = capsys.readouterr().out
        assert card.startswith(f"{name}(")
        assert max(map(len, card.splitlines())) <= 80
        headings = [line.split()[0] for line in card.splitlines() if line[0] != " "]
        count = TABLE[name].arity
        assert sum(head == "derivative" or head.startswith("∂/∂") for head in headings) == count
        assert {"rule", "domain", "kinks", "LaTeX", "example"} < set(headings)


def test_a_card_says_where_the_kinks_are() -> None:
    told = {"relu": "where x = 0", "floor": "where x is a whole number", "tan": "where cos(x) = 0", "exp": "none"}
    assert {name: row(name).kinks for name in told} == told
    mp.primitive("bent", abs, lambda out, x: mp.sign(x), kinks=lambda x: x - 1.0 if x > 0.0 else x + 1.0)
    mp.primitive("dented", abs, lambda out, x: mp.sign(x), kinks=[-1, 1])
    mp.primitive("dulled", abs, lambda out, x: mp.sign(x), kinks=lambda x: sin(x))
    assert [row(name).kinks for name in ("bent", "dented", "dulled")] == ["some", "where x is -1 or 1", "some"]


def test_the_derivative_that_ops_writes_is_the_one_that_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    for name, function in FUNCTIONS.items():
        op = TABLE[name]
        if len(op.partials) > 1:
            continue
        assert run("ops", name) == 0
        below = capsys.readouterr().out.partition("\nderivative")[2].partition("\ndomain")[0]
        at = 1.5 if op.domain[0][0] >= 1.0 else 0.625
        values = {"x": at}
        for line in re.sub(r"\n {15,}", " ", below).splitlines():  # long lines are folded, parts have names
            part, _, right = line.strip().rpartition(" = ")
            names = {key: value for key, value in values.items() if re.search(rf"\b{key}\b", right)}
            values[part] = parse(right, names).root.data
        assert values[""] == pytest.approx(mp.grad(function)(at), rel=1e-12)


BAD_EXPRESSIONS = {
    ("draw",): "Missing argument 'EXPRESSION'.*draw --help",
    ("draw", "w*x"): "no value for w and x; give them one: --at w=2,x=3",
    ("draw", "w*x", "--at", "w=2,x=3,y=4"): "a value for 'y', which is not in the expression",
    ("draw", "x", "--at", "x"): "Invalid value for '--at': 'x'; expected name=number, such as w=2",
    ("draw", "x", "--at", "x=two"): "'x=two'; expected name=number",
    ("draw", "x", "--at", "2=x"): "'2=x'; expected name=number",
    ("draw", "x", "--at", "x=1,"): "''; expected name=number",
    ("draw", "x", "--at", ""): "''; expected name=number",
    ("draw", "x", "--at", "x=1", "--at", "x=2"): "'x=2'; x is given twice",
    ("draw", "x", "--at", "x=1", "--nearest", "0"): "Invalid value for '--nearest': 0 is not in the range",
    ("draw", "x", "--at", "x=1", "--edges", "none"): "'none' is not one of 'local', 'contribution'",
    ("draw", "x", "--at", "x=1", "-o", "a.gif"): "'a.gif'.: expected a name that ends in .svg, .png, .pdf",
    ("draw", "x", "--at", "x=1", "-o", "no/a.svg"): "cannot write 'no/a.svg': the folder .* does not exist",
    (
        "draw",
        "x",
        "--no-backward",
        "--edges",
        "contribution",
    ): "--edges contribution shows what --no-backward leaves out",
    ("step", "x", "--at", "x=1", "-o", "a.png"): "'a.png'.*expected a name that ends in .html or .svg",
    ("step", "x", "--at", "x=1", "-o", "no/a.html"): "cannot write 'no/a.html': the folder .* does not exist",
    ("step", "x", "--edgse"): "No such option:? '?--edgse'?",
    ("step", "x" * 10_001): "the expression has 10,001 characters; expected at most 10,000",
    ("ops", "tahn"): "unknown function 'tahn'; did you mean 'tanh'.",
    ("ops", "tanh", "sin"): "Got unexpected extra argument",
}


@pytest.mark.parametrize("words", BAD_EXPRESSIONS)
def test_bad_expressions_and_numbers_are_one_line(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(f"micrograd-plus: .*{BAD_EXPRESSIONS[words]}.*\n", err)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("job", ["draw", "step"])
def test_an_expression_that_cannot_be_read_has_its_place_marked(job: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(job, "relu(w*x + b.__class__)", "--at", "w=2,x=3") == 2
    assert capsys.readouterr() == (
        "",
        "micrograd-plus: cannot read the expression\n"
        "  relu(w*x + b.__class__)\n"
        "             ^^^^^^^^^^^ expected names, numbers, + - * / % ** and functions such as relu(x)\n",
    )


# ------------------------------------------------------------------------------------------------------ help, version


@pytest.mark.parametrize(
    "words", [(), ("--help",), ("-h",), ("digits", "--help"), *[(name, "-h") for name in the_command.commands]]
)
def test_help_fits_eighty_columns(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 0
    out = capsys.readouterr().out
    assert out.startswith("Usage: micrograd-plus")
    assert max(map(len, out.splitlines())) <= 80
    assert "\\b" not in out  # click's mark for lines to be left alone, which it takes out where it sees it


def test_every_option_says_its_default() -> None:
    for name, job in the_command.commands.items():
        text = CliRunner().invoke(the_command, [name, "--help"], terminal_width=80).output
        for option in job.params:
            if isinstance(option.default, (int, float, str)) and not isinstance(option.default, bool):
                assert f"[default: {option.default}" in re.sub(r"\s+", " ", text)


def test_a_loss_or_an_optimizer_is_offered_by_existing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = re.sub(r"\s+", " ", CliRunner().invoke(the_command, ["digits", "--help"], terminal_width=80).output)
    public = {name for name, loss in vars(mp.losses).items() if isfunction(loss) and name[0] != "_"}
    ours = {name for name in public if getattr(mp.losses, name).__module__ == mp.losses.__name__}
    assert ours == set(LOSSES)
    for names in (LOSSES, mp.optim.OPTIMIZERS):
        *others, last = names
        assert f" {', '.join(others)} or {last}. " in text

    def new_loss(prediction: Any, target: Any, *, delta: float = 1.0) -> Any:
        return delta * (prediction - target)

    entry = mp.losses.Loss(new_loss, "number", (-math.inf, math.inf))
    monkeypatch.setitem(mp.losses.LOSSES, "new_loss", entry)
    assert recipes.loss_choices()["new_loss"].output == "sigmoid"


def test_the_help_tells_the_rate_of_each_optimizer() -> None:
    rates = recipes.default_rates()
    for name, kind in mp.optim.OPTIMIZERS.items():
        usual = signature(kind).parameters["lr"].default
        rate = recipes.tuned(name, "cross_entropy").get("lr", usual)
        assert re.search(rf"\b{rate} (with|for)( \w+,?| and)* {'cross_entropy' if name == 'sgd' else name}\b", rates)


def test_help_is_light_and_the_version_is_the_packages() -> None:
    heavy = "'numpy', 'rich', 'matplotlib', 'pooch', 'hypothesis'"
    program = f"""
import sys
from micrograd_plus import cli
try:
    cli.main(["--help"])
finally:
    sys.exit(str({{{heavy}}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "set()\n"
    done = command("--version")
    assert re.fullmatch(r"micrograd-plus, version \d+\.\d+.*\n", done.stdout)


# ------------------------------------------------------------------------------------------------------------ drawings


def test_an_image_of_any_side_becomes_shades_of_its_ink() -> None:
    assert terminal.image_lines([0.0, 1.0, 0.5, 0.25]) == ["  ██", "▒▒░░"]
    large = [float(row < 14) for row in range(28) for _ in range(28)]
    lines = terminal.image_lines(large)
    assert lines == ["█" * 28] * 7 + [" " * 28] * 7
    odd = terminal.image_lines([1.0] * 17 * 17)  # the last row has nothing below it
    assert odd == ["█" * 17] * 8 + ["▒" * 17]


def test_a_gallery_fits_its_width() -> None:
    pictures = [([1.0] * 64, [f"number {i}"]) for i in range(7)]
    for width in (10, 40, 80):
        drawn = terminal.gallery(pictures, width=width)
        assert [word for word in drawn.split() if word.isdigit()] == list("0123456")
        assert max(map(len, drawn.splitlines())) <= max(width, 16)
    assert terminal.gallery([]) == ""


def test_the_plane_is_shaded_where_the_score_is_positive() -> None:
    points, labels = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 1, 0]
    lines = terminal.plane(lambda at: [x - 0.5 for x, _ in at], points, labels, width=40).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert sum(line.count("o") for line in lines) == 2
    assert sum(line.count("x") for line in lines) == 1
    for line in lines:
        assert set(line[:20]) <= {" ", "o"}
        assert set(line[20:]) <= {"░", "x"}


def test_two_folders_asked_for_at_once_are_two(tmp_path: Path) -> None:
    model = mp.Neuron(2)
    with runs.run_folder(None, "run", model) as first, runs.run_folder(None, "run", model) as second:
        assert (first.name, second.name) == ("run", "run-2")
    assert not list(tmp_path.iterdir())


def test_a_missing_step_to_the_folder_is_made_and_unmade(tmp_path: Path) -> None:
    make: Callable[[], Any] = lambda: runs.run_folder("a/b/c", "run", mp.Neuron(2))  # noqa: E731
    with make() as folder:
        assert folder.is_dir()
    assert not list(tmp_path.iterdir())
