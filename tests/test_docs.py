"""The documentation is built without a warning, its links lead somewhere, and it fetches nothing from elsewhere."""

import json
import os
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
from lesson_pages import formulas
from pages import linked
from sites import documentation

import micrograd_plus as mp
from micrograd_plus.engine.operations import TABLE
from micrograd_plus.ops.rows import FUNCTIONS, HOME

ROOT = Path(__file__).parent.parent
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))
FILM = ROOT / "docs" / "images" / "steps.svg"


class Links(HTMLParser):
    """What a page links to, what it fetches by itself, and the places in it that others can link to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: text or "" for name, text in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "next", "prev"):
            self.fetched.append(given.get("href", ""))
        elif "src" in given:
            self.fetched.append(given["src"])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return documentation(tmp_path_factory)


def pages(site: Path) -> Iterator[tuple[str, Links]]:
    for file in sorted(site.rglob("*.html")):
        yield str(file.relative_to(site)), Links(file.read_text(encoding="utf-8"))


def test_every_link_leads_to_a_page_and_a_place_in_it(site: Path) -> None:
    read = dict(pages(site))
    assert len(read) > 25
    broken = []
    for page, found in read.items():
        for link in [*found.links, *found.fetched]:
            address = urlsplit(link)
            if address.scheme or address.netloc or page == "404.html":
                continue
            target = Path(os.path.normpath(site / Path(page).parent / unquote(address.path)))
            if target.is_dir():
                target = target / "index.html"
            if not address.path:
                target = site / page
            there = read.get(os.path.relpath(target, site))
            place = unquote(address.fragment)
            if not target.is_file() or (place and there and place not in there.places):
                broken.append(f"{page}: {link}")
    assert broken == []


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page, found in pages(site):
        assert [link for link in found.fetched if urlsplit(link).netloc] == [], page
        assert "cdn" not in " ".join(re.findall(r"import .*? from .*", (site / page).read_text(encoding="utf-8"))), page


def test_the_front_page_has_three_doors_and_a_stepper_of_its_own_code(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    doors = re.findall(
        r'<li><a href="([^"]*)"><strong>([^<]*)', front.partition('class="doors"')[2].partition("</div>")[0]
    )
    assert [name for _, name in doors] == ["Learn it", "Use it", "Check your engine"]
    assert doors[1][0] == "install/"
    assert front.count("<iframe") == 1
    assert "Backprop of L, step by step: 5 nodes; L = 30, ∂L/∂a = 33, ∂L/∂b = -22" in front
    assert "What it does that others" not in front  # that is the README, which is the overview
    assert "What it does that others" in (site / "overview" / "index.html").read_text(encoding="utf-8")


def test_pictures_stand_where_code_shows_them(site: Path) -> None:
    shown = {
        file.stem: len(
            re.findall(r"^<(?:Picture|Drawing|Nudges|backprop|film)\b", file.read_text(encoding="utf-8"), re.MULTILINE)
        )
        for file in HOW_TO
    }
    assert sum(shown.values()) > 6
    for name, count in shown.items():
        page = (site / "how-to" / name / "index.html").read_text(encoding="utf-8")
        assert page.count('<div class="shown"') == count, name


def test_lessons_have_their_formulas_outputs_and_notebooks(site: Path) -> None:
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        page = (site / "lessons" / file.stem / "index.html").read_text(encoding="utf-8")
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        drawn = [output for output in outputs if {"text/html", "image/png"} & set(output.get("data", {}))]
        assert page.count('class="shown"') == len(drawn), file.name
        assert page.count('class="output highlight"') == len([each for each in outputs if "text" in each]), file.name
        written = re.sub(r"<(pre|code|script)\b.*?</\1>|<[^>]*>", "", page, flags=re.DOTALL)
        assert "$" not in written.partition("<article")[2], file.name
        assert (site / "lessons" / file.name).read_bytes() == file.read_bytes()
        assert f'href="../{file.name}"' in page


def test_a_formula_that_begins_a_line_stays_in_its_list() -> None:
    markdown = pytest.importorskip("markdown")
    text = "- the slope is\n  $f'(x) = \\sin x$, and\n- more"
    page = markdown.markdown(formulas(text))
    assert page.count("<li>") == 2
    assert "</math>,</span>" in page  # the comma does not go to the next line alone
    assert "<msup>" not in page  # a prime is no exponent
    assert '<mi>sin</mi><mspace width="0.17em"/><mi>x</mi>' in page


def test_every_function_has_its_row_and_every_public_name_its_entry(site: Path) -> None:
    table = (site / "functions" / "index.html").read_text(encoding="utf-8")
    ours = [name for name, function in FUNCTIONS.items() if function.__module__ == HOME]  # not other tests' own
    assert [name for name in ours if f"<code>{name}(" not in table] == []
    assert [name for name in ours if f"<em>{TABLE[name].rule}</em>" not in unescape(table)] == []
    said = re.findall(r'<svg class="plot" role="img" aria-label="(\w+)\(', table)
    assert [name for name in ours if name not in said] == []
    (relu,) = re.findall(r'aria-label="relu\(x\) ([^"]*)"', table)
    assert relu == "for x from -4 to 4: its values go from 0 to 4, its slopes from 0 to 1; kinks or poles at 0"
    places = set().union(*[found.places for page, found in pages(site) if page.startswith("reference")])
    told = {place.rpartition(".")[2] for place in places}
    assert {*mp.losses.LOSSES, *[made.__name__ for made in mp.optim.OPTIMIZERS.values()]} - told == set()
    names = {*vars(mp)["__all__"], *mp._LATER} - {*ours}
    modules = {name for name in names if isinstance(vars(mp).get(name), ModuleType) or mp._LATER.get(name) == name}
    public = names - modules
    assert public - told == set()


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/index.md",
        "docs/install.md",
        *[f"docs/how-to/{each.name}" for each in HOW_TO],
    ],
)
def test_links_lead_to_files_where_the_repository_is_browsed(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for link in re.findall(r"\]\(([^)]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        address = urlsplit(link)
        if not address.scheme:
            target = (ROOT / page).parent / unquote(address.path)
            assert not address.path or (target.exists() and not through_a_link(target)), link
            assert address.path or address.fragment in headings, link


def through_a_link(file: Path) -> bool:
    """Whether a symbolic link leads there: those who browse a repository do not follow it."""
    inside = Path(os.path.normpath(file))
    return any(each.is_symlink() for each in (inside, *inside.parents) if each.is_relative_to(ROOT))


def test_the_film_of_the_front_page_is_what_the_package_makes(tmp_path: Path) -> None:
    a, b = mp.Value(2.0, label="a"), mp.Value(-3.0, label="b")
    c = a * b
    L = c * (c + 1.0)  # noqa: N806 - as in the README
    mp.backprop(L).save(tmp_path / "steps.svg")
    assert bare(tmp_path / "steps.svg") == bare(FILM)


def bare(file: Path) -> str:
    """A picture without places, which depend on the version of Graphviz."""
    places = r' (?:points|d|x|y|width|height|viewBox|transform)="[^"]*"'
    return re.sub(places, "", file.read_text(encoding="utf-8"))


def test_a_bracket_in_a_packed_page_is_no_beginning_of_a_link() -> None:
    packed, link = "unpacked('a[b*c')", "[how](how-to/speed-up-a-loop.md)"
    assert linked(f"{packed} {link}", "index.md", playground=False) == f"{packed} {link}"
    assert linked("[rows](../micrograd_plus/ops/table.py)", "index.md", playground=False) == "[rows](functions.md)"
