"""Languages as they are typed."""

import pytest

from index.language.tags import tag_of


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("German", "de"),
        ("norwegian bokmål", "nb"),
        ("de", "de"),
        ("en-GB", "en-GB"),
        ("lao", "lo"),
        ("Klingon", "Klingon"),
    ],
)
def test_a_language_is_known_by_its_tag_or_its_english_name(typed: str, tag: str) -> None:
    assert tag_of(typed) == tag
