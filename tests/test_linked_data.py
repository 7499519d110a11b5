"""JSON-LD: it says what the endpoint says, and nothing in it can end the script it stands in."""

import json

from newsroom import HOSTILE, UNDATED, article

from web.linked_data import description, in_script, news_article


def test_no_text_ends_the_script_it_stands_in() -> None:
    for text in (*HOSTILE, "\u2028 \u2029 </script><!-- ]]>"):
        told = news_article(article(1, title=text, body=text), page="http://a/b", site=text, home="http://a/")
        written = in_script(told)
        assert not set(written) & set("<>&\u2028\u2029")
        assert json.loads(written) == told


def test_what_is_not_known_is_not_said() -> None:
    told = news_article(UNDATED, page="http://a/b", site="S", home="http://a/")
    assert not {"datePublished", "author", "publisher", "articleSection", "dateModified"} & set(told)


def test_a_body_is_no_person() -> None:
    told = news_article(article(1, authors=("By JANE DOE", "Reuters")), page="", site="S", home="")
    assert told["author"] == [{"@type": "Person", "name": "Jane Doe"}, {"@type": "Organization", "name": "Reuters"}]


def test_a_description_is_a_line_of_whole_words() -> None:
    assert description(article(1, body="One\n\ntwo  three.")) == "One two three."
    long = description(article(1, body="word, " * 100))
    assert len(long) <= 200
    assert long.endswith("word…")
    assert description(article(1, body="x" * 999)) == "x" * 200 + "…"
