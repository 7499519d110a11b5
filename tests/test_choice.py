"""Which library keeps the keyword index of an archive of what size."""

import pytest

from index.keywords.choice import WHOOSH_ARTICLES, Setting, choose


@pytest.mark.parametrize("articles", [0, 1, WHOOSH_ARTICLES])
def test_a_small_archive_is_kept_with_whoosh(articles: int) -> None:
    assert choose("auto", articles=articles) == "whoosh"


def test_one_article_more_is_kept_with_tantivy() -> None:
    assert choose("auto", articles=WHOOSH_ARTICLES + 1) == "tantivy"


@pytest.mark.parametrize("setting", ["whoosh", "tantivy"])
@pytest.mark.parametrize("articles", [0, WHOOSH_ARTICLES, 1_000_000])
def test_what_is_set_holds_at_any_size(setting: Setting, articles: int) -> None:
    assert choose(setting, articles=articles) == setting
