"""How well articles are found in real pages: 181 of 2019's web, with their text marked by hand.

The text is that of Scrapinghub's article extraction benchmark, counted as it counts
(https://github.com/scrapinghub/article-extraction-benchmark, `evaluate.py`): runs of four words, as multisets. The
headlines were written down by hand from what stands over each article.
"""

import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import pytest
from shared_data import shared

from archive.article import Article, Rejection
from archive.readers.pages import html
from archive.readers.pages.headline import folded

PAGES = 181
HEADLINES: dict[str, str] = json.loads((Path(__file__).parent / "headlines_of_pages.json").read_text("utf-8"))
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Read:
    """What was made of a page, beside what its maker marked as the text."""

    entry: Article | Rejection
    gold: str

    @property
    def body(self) -> str:
        return self.entry.body if isinstance(self.entry, Article) else ""


@pytest.fixture(scope="module")
def pages() -> dict[str, Read]:
    folder = shared("formats/html-articles")
    gold = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    read = {}
    for name, page in gold.items():
        raw = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        read[name] = Read(html.page(raw, url=None, charset=None, origin=name), page["articleBody"])
    assert len(read) == PAGES
    return read


def runs(text: str, length: int) -> Counter[tuple[str, ...]]:
    words = WORD.findall(text)
    return Counter(tuple(words[at : at + length]) for at in range(max(1, len(words) - length + 1)) if words)


def agreement(pages: dict[str, Read], length: int) -> float:
    """Return F1 of the mean precision and the mean recall, as the benchmark has it."""
    precisions, recalls = [], []
    for page in pages.values():
        wanted, found = runs(page.gold, length), runs(page.body, length)
        shared_runs = (wanted & found).total()
        precisions.append(shared_runs / found.total() if found else 0)
        recalls.append(shared_runs / wanted.total())
    return 2 * mean(precisions) * mean(recalls) / (mean(precisions) + mean(recalls))


def test_no_page_with_an_article_is_refused(pages: dict[str, Read]) -> None:
    assert [page.entry for page in pages.values() if isinstance(page.entry, Rejection)] == []


@pytest.mark.parametrize(("length", "least"), [(4, 0.965), (1, 0.97)])
def test_the_text_is_the_articles(pages: dict[str, Read], length: int, least: float) -> None:
    found = agreement(pages, length)
    print(f"F1 of runs of {length} words over {len(pages)} pages: {found:.4f}")
    assert found >= least


def test_nine_headlines_of_ten_are_those_over_the_article(pages: dict[str, Read]) -> None:
    titles = {name[:8]: read.entry.title for name, read in pages.items() if isinstance(read.entry, Article)}
    wrong = {
        name: titles.get(name) for name, title in HEADLINES.items() if folded(titles.get(name, "")) != folded(title)
    }
    print(f"headlines right: {len(HEADLINES) - len(wrong)} of {len(HEADLINES)}")
    assert len(HEADLINES) == PAGES
    assert len(wrong) <= 0.05 * PAGES, wrong


def test_no_body_holds_program_text_or_notices(pages: dict[str, Read]) -> None:
    unwanted = re.compile(
        r"function\s*\(|document\.\w|window\.\w|@media|\{\s*display:|we use cookies|accept all cookies", re.IGNORECASE
    )
    assert [name for name, page in pages.items() if unwanted.search(page.body)] == []
