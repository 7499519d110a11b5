"""Requests that nobody means well, each with a name: what one search, page or export can be made to cost.

`attacks(article_id)` lists them. `tests/test_attacks.py` sends all of them to a small archive and counts the work;
`benchmarks/hostile_queries.py` sends them to one of real size and measures processor time and memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from index.query import MAX_CLAUSES, MAX_PHRASE_WORDS, MAX_QUERY_CHARS

PHRASES = MAX_CLAUSES // 2  # phrases and nears count double
STOP = (
    *("the", "of", "to", "and", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not"),
    *("he", "his", "but", "at", "are", "this", "have", "from", "they", "we", "an", "or", "which", "will", "has"),
)
COMMON = (
    *("said", "mr", "year", "president", "people", "new", "time", "state", "years", "government", "states", "house"),
    *("men", "day", "public", "american", "made", "united", "company", "million", "week", "country", "party", "war"),
)
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Attack:
    """A request; with a `body` it is a POST of JSON."""

    name: str
    path: str
    parameters: Sequence[tuple[str, str]] = ()
    body: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    turns: int = 1  # of the crew: an export is made in pieces, between which others are worked for

    @property
    def address(self) -> str:
        """The path with its parameters."""
        query = urlencode(self.parameters, errors="surrogatepass")
        return f"{self.path}?{query}" if query else self.path


def attacks(article_id: str) -> list[Attack]:
    """Return every attack; some are on the article of this id."""
    return [*_queries(), *_filters(), *_paging(), *_routes(article_id)]


def query_attacks() -> list[Attack]:
    """Return those that are a query for `/api/search`."""
    return _queries()


def _search(name: str, q: str, **more: str) -> Attack:
    return Attack(name, "/api/search", [("q", q), *more.items()])


def _phrase(words: Sequence[str]) -> str:
    return f'"{" ".join(words)}"'


def _some(words: Sequence[str], start: int, count: int) -> list[str]:
    return [words[(start + n) % len(words)] for n in range(count)]


def _queries() -> list[Attack]:
    both = [word for pair in zip(STOP, COMMON, strict=False) for word in pair]
    return [
        # wildcards
        _search("prefix of everything", "*"),
        _search("many prefixes of everything", "* " * 500),
        _search("leading wildcard", "*ing"),
        _search("wildcard inside", "a*e*i*o*u"),
        _search("short prefixes", "a* b* c* d* e* f* g* h*"),
        _search("wide prefixes", "con* pre* int* com* pro* dis* sta* per*"),
        _search("sixteen prefixes", " ".join(f"{word[:4]}*" for word in COMMON[:MAX_CLAUSES])),
        _search("excluded prefixes", " ".join(f"-{word[:5]}*" for word in COMMON[:MAX_CLAUSES])),
        _search("prefixes either or", " OR ".join(f"{word[:5]}*" for word in COMMON[:8])),
        _search("question marks", "?" * 1000),
        # ranges
        _search("range of words", "[a TO z]"),
        _search("open range", "{* TO *}"),
        _search("range of dates", "after:0001-01-01 before:9999-12-31"),
        _search("every day a date", " ".join(f"on:{1900 + n}" for n in range(MAX_CLAUSES))),
        _search("a thousand dates", "after:2000 " * 150),
        _search("impossible dates", "after:99999999999999999999 before:2015-02-30 on:-1"),
        _search("days ago without end", 'after:"999999999 days ago" on:"past 99999999 years"'),
        # fuzzies
        _search("fuzzy with nine edits", "government~9"),
        _search("ten fuzzies", " ".join(f"{word}~" for word in COMMON if len(word) > 4)),
        _search("sixteen fuzzies", " ".join(f"{word}~" for word in ("that", "with", "from", "they", *COMMON)[:16])),
        _search("fuzzy of many letters", f"{'abcdefghij' * 150}~"),
        _search("fuzzies excluded", " ".join(f"-{word}~" for word in ("that", "with", "from", "they", "have", "this"))),
        _search("tildes", "~" * 1500),
        # phrases and nears
        _search("phrases of stop words", " ".join(_phrase(_some(STOP, n * 3, 6)) for n in range(PHRASES))),
        _search("phrase of one word", " ".join(_phrase(["the"] * MAX_PHRASE_WORDS) for _ in range(PHRASES))),
        _search("pairs of stop words", " ".join(_phrase(_some(STOP, n, 2)) for n in range(PHRASES))),
        _search("longest phrases", " ".join(_phrase(_some(both, n * 5, MAX_PHRASE_WORDS)) for n in range(PHRASES))),
        _search("excluded phrases", " ".join("-" + _phrase(_some(STOP, n * 2, 3)) for n in range(PHRASES))),
        _search("phrases either or", " OR ".join(_phrase(_some(STOP, n * 2, 3)) for n in range(7))),
        _search("nears of stop words", " ".join(_phrase(_some(STOP, n, 3)) + "~20" for n in range(PHRASES))),
        _search("nears of many words", " ".join(_phrase(_some(STOP, n, 16)) + "~20" for n in range(PHRASES))),
        _search("near without end", '"the of"~999999999999'),
        _search("titles of stop words", " ".join(f"title:{_phrase(_some(STOP, n, 3))}" for n in range(MAX_CLAUSES))),
        _search("phrases by words alone", " ".join(_phrase(_some(both, n, 3)) for n in range(PHRASES)), mode="keyword"),
        _search("phrases by meaning", " ".join(_phrase(_some(both, n, 3)) for n in range(PHRASES)), mode="semantic"),
        _search("a phrase with everything else", '"of the" ' + " ".join(both[:40])),
        # nesting and groups
        _search("a thousand parentheses", "(" * 1000 + "a" + ")" * 900),
        _search("parentheses beyond depth", "(" * 5 + "a OR b" + ")" * 5),
        _search("parentheses never closed", "(a OR " * 300),
        _search("a thousand ORs", " OR ".join(["the"] * 400)),
        _search("a thousand ANDs", " AND ".join(["the"] * 380)),
        _search("a thousand NOTs", "NOT " * 490),
        _search("groups in groups", "((((the OR of) (to OR and)) OR ((in OR is) (that OR for))) OR (it OR as))"),
        _search("sixteen groups", " ".join(f"({a} OR {b})" for a, b in zip(STOP[:16], COMMON, strict=False))),
        _search("everything but", " ".join(f"-{word}" for word in STOP[:MAX_CLAUSES])),
        _search("not of everything", "-(the OR of OR to OR and) OR -(in OR is)"),
        _search("excluded groups", " ".join(f"-({a} OR {b})" for a, b in zip(STOP[:5], COMMON, strict=False))),
        # masses of words
        _search("the most stop words", " ".join(STOP * 16)[: MAX_QUERY_CHARS - 50]),
        _search("five hundred common words", " ".join((COMMON * 30)[:300])),
        _search("all of both", " ".join(both)),
        _search("one letter many times", "a " * (MAX_QUERY_CHARS // 2)),
        _search("words that are nowhere", " ".join(f"zq{n}x" for n in range(280))),
        _search("misspelt words", " ".join(f"{word[:-1]}q{word[-1]}" for word in (*COMMON, *COMMON))),
        _search("misspelt run together", "".join(COMMON)[:MAX_QUERY_CHARS]),
        _search("a compound of common words", "-".join(COMMON)),
        _search("digits", " ".join(str(n) for n in range(1600, 1980))),
        # tokens, signs, characters
        _search("one token of 2,000 letters", "x" * MAX_QUERY_CHARS),
        _search("one token beyond the limit", "x" * (MAX_QUERY_CHARS + 1)),
        _search("one token of a megabyte", "x" * MEGABYTE),
        _search("words of a megabyte", "the " * (MEGABYTE // 4)),
        _search("quotes", '"' * MAX_QUERY_CHARS),
        _search("empty phrases", '"" ' * 600),
        _search("colons", "source:" * 280),
        _search("minuses", "- " * 900),
        _search("NUL", "war\0 \0 OR \0\0peace"),
        _search("control characters", "".join(map(chr, range(32))) * 20),
        _search("lone surrogates", "war \ud800 \udfff\udc00 peace" * 20),
        _search("bidirectional overrides", "\u202e\u2066\u202b trump \u202c\u2069" * 60),
        _search("zero-width characters", "w\u200ba\u200br\u200d \ufeff" * 150),
        _search("stacked accents", "e" + "\u0301" * 1500),
        _search("letters with accents each", "e\u0301\u0323\u0308" * 400),
        _search("ligatures that grow", "\ufdfa" * 1000),
        _search("ligatures beyond the limit", "\ufdfa" * MAX_QUERY_CHARS),
        _search("Chinese characters", "中文新聞報導戰爭和平" * 150),
        _search("emoji", "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 200),
        _search("Hangul apart", "\u1112\u1161\u11ab" * 500),
        _search("regular expression", "(a+)+$ .*.*.*.* [^]]{1,9999}"),
        _search("SQL", "' OR 1=1; DROP TABLE article; --"),
        _search("script", "<script>alert(1)</script>" * 50),
        _search("an engine's own syntax", "body:the^9999 +_exists_:x {!func}sum(1,2) /.*/ \\"),
        _search("German words", "die der das und ist nicht von mit auf ein eine als auch an werden aus er hat dass"),
        _search("many languages", "élection Wahl выборы انتخابات választás seçim wybory verkiezingen val eleição"),
    ]


def _filters() -> list[Attack]:
    path, names = "/api/search", ("source", "section", "author", "language")
    return [
        Attack("the most values of filters", path, [(name, f"value {n}") for name in names for n in range(20)]),
        Attack("a value too many", path, [("source", f"value {n}") for n in range(21)]),
        Attack("a thousand values", path, [("author", f"v{n}") for n in range(700)]),
        Attack("a value of a megabyte", path, [("source", "x" * MEGABYTE)]),
        Attack("a thousand parameters", path, [(f"p{n}", "1") for n in range(900)]),
        Attack("filters in the query", path, [("q", " ".join(f'author:"Writer {n}"' for n in range(MAX_CLAUSES)))]),
        Attack("filters excluded", path, [("q", " ".join(f"-source:s{n}" for n in range(MAX_CLAUSES)))]),
        Attack("surrogates in a filter", path, [("source", "\ud800" * 100), ("author", "\0\0")]),
        Attack("days that are none", path, [("from", "0000-00-00"), ("to", "2025-13-45")]),
    ]


def _paging() -> list[Attack]:
    path = "/api/search"
    return [
        Attack("everything", path, [("page_size", "100"), ("copies", "all"), ("cutoff", "off")]),
        Attack("a far page of everything", path, [("page", "1000"), ("page_size", "100"), ("cutoff", "off")]),
        Attack("the farthest page", path, [("q", "the"), ("page", "1000000"), ("page_size", "100")]),
        Attack("a page beyond", path, [("q", "the"), ("page", "1000001")]),
        Attack("a page without end", path, [("q", "the"), ("page", "9" * 400)]),
        Attack("a page before the first", path, [("q", "the"), ("page", "-1")]),
        Attack("a size too large", path, [("q", "the"), ("page_size", "101")]),
        Attack("a cursor of somebody's own", path, [("q", "the"), ("cursor", "A" * 2000)]),
        Attack("a hundred explained", path, [("q", " ".join(STOP[:30])), ("explain", "1"), ("page_size", "100")]),
        Attack("a hundred explained phrases", path, [
            ("q", " ".join(_phrase(_some(STOP, n * 2, 4)) for n in range(PHRASES))),
            *[("explain", "1"), ("page_size", "100"), ("cutoff", "off")],
        ]),
        Attack("the oldest of everything", path, [("sort", "oldest"), ("page_size", "100"), ("q", "-zzzz")]),
    ]  # fmt: skip


def _routes(article_id: str) -> list[Attack]:
    words = " ".join(COMMON)
    draft = " ".join((*STOP, *COMMON) * 1500)
    long = [("q", " ".join(_some((*STOP, *COMMON), 0, 56)))]
    article = f"/articles/{article_id}"
    return [
        Attack("page of results", "/search", [("q", words)]),
        Attack("page of everything", "/search", [("q", "-zzzz"), ("page_size", "100")]),
        Attack("feed of everything", "/search.atom", [("q", "-zzzz")]),
        Attack("export of everything", "/search.csv", [("q", "-zzzz"), ("copies", "all")], turns=40),
        Attack("export with texts", "/search.jsonl", [("q", "-zzzzz"), ("body", "1")], turns=40),
        Attack("suggestion of a letter", "/api/suggest", [("q", "a")]),
        Attack("suggestion of a text", "/api/suggest", [("q", words * 8)]),
        Attack("completion of a prefix", "/api/completions", [("q", "t")]),
        Attack("completion of a filter", "/api/completions", [("q", "author:")]),
        Attack("completion of a text", "/api/completions", [("q", words * 8)]),
        Attack("a draft of 80,000 words", "/api/related", body={"title": "A draft", "text": draft[:480_000]}),
        Attack("a draft of one word", "/api/related", body={"title": "A draft", "text": "x" * 480_000}),
        Attack("a draft of another script", "/api/related", body={"title": "A draft", "text": "戰" * 150_000}),
        Attack("a draft beyond the limit", "/api/related", body={"title": "A draft", "text": "the " * 300_000}),
        Attack("the most related", f"/api{article}/related", [("limit", "20")]),
        Attack("an article of a search", article, long),
        Attack("an article of phrases", article, [("q", " ".join(_phrase(_some(STOP, n, 3)) for n in range(PHRASES)))]),
        Attack("a search about to be saved", "/saved/new", [("q", words)]),
        Attack("all about to be saved", "/saved/new", [("q", "-zzzz")]),
        Attack("phrases about to be saved", "/saved/new", [
            ("q", " ".join(_phrase(_some(STOP, n * 3, 6)) for n in range(PHRASES)))
        ]),
        Attack("the archive at a glance", "/browse"),
        Attack("every author", "/browse/authors", [("page_size", "100"), ("sort", "name")]),
        Attack("authors by a letter of all", "/browse/authors", [("q", "e"), ("page", "1")]),
        Attack("a name of 200 letters", "/browse/author", [("name", "x" * 200)]),
        Attack("a year of the archive", "/browse/1916"),
        Attack("a month of the archive", "/browse/1916/1"),
        Attack("a year that is none", "/browse/99999999999999999999"),
        Attack("stories far away", "/api/stories", [("page", "1000000"), ("page_size", "100")]),
        Attack("the state of things", "/status"),
        Attack("the sitemap", "/sitemap.xml"),
        Attack("the operators", "/search/syntax"),
    ]  # fmt: skip
