"""What the readers make of deliveries as agencies and their systems write them; the samples are invented."""

import io
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.arrival import UNTIL_FURTHER_NOTICE
from archive.article import Article, Entry, Rejection, Withdrawal
from archive.identity import article_id, guid_id
from archive.ingest import ingest
from archive.readers import HEAD_BYTES, Reader, detect
from archive.readers.agencies import newsml1, newsml_g2, ninjs, nitf
from archive.readers.agencies.values import embargo, moment, names_in, version_number
from archive.readers.records import jsonl
from archive.store import Store

SAMPLES = Path(__file__).parent / "agency"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAR = datetime(2099, 1, 1, 6, tzinfo=UTC)


def entries(content: bytes | str, reader: Reader | None = None) -> list[Entry]:
    raw = content.encode() if isinstance(content, str) else content
    found = detect(raw[:HEAD_BYTES], "delivery.dat")
    assert reader is None or found == reader
    return list(found(io.BytesIO(raw), "delivery"))


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def article(content: bytes | str, reader: Reader | None = None) -> Article:
    (entry,) = entries(content, reader)
    assert isinstance(entry, Article), entry
    return entry


def rejection(content: bytes | str, reader: Reader | None = None) -> Rejection:
    (entry,) = entries(content, reader)
    assert isinstance(entry, Rejection), entry
    return entry


def of_url(url: str) -> str:
    return article_id(url=url, source=None, source_id=None, text="")


# NITF


def test_nitf_with_a_document_type_is_read_without_it() -> None:
    found = article(sample("nitf-dtd.xml"), nitf.read)
    assert found == Article(
        id=guid_id("NWA:D8ABC1234"),
        title="Old harbour reopens after two years",
        body="Café owners celebrate\n\nThe harbour is open again.\n\n"
        "PORT ERIN (NW) — The old harbour reopened on Sunday, to the joy of the café owners around it.\n\n"
        '"We have waited two years," said one.\n\nWhat comes next\n\nA new crane in May\n\nA market in June\n\n'
        "Year · Ships\n\n2024 · 0\n\n2026 · 311\n\nCod 12\nHerring 40",
        source="Northern Wire",
        section="Domestic",
        authors=("JANE DOE",),
        published_at=NOON,
        source_version=3,
        note="UPDATES with mayor, adds details",
    )


def test_a_release_later_than_the_issue_is_an_embargo_and_without_a_zone_it_ends_everywhere() -> None:
    found = article(sample("nitf-embargo.xml"), nitf.read)
    assert (found.status, found.embargoed_until) == ("embargoed", FAR + timedelta(hours=12))
    assert (found.id, found.language) == (guid_id("urn:nwa.example:20990101:0007"), "de")
    assert found.authors == ("Max Muster", "Erika Beispiel")


def test_a_kill_has_the_id_of_the_article_it_kills() -> None:
    (kill,) = entries(sample("nitf-kill.xml"), nitf.read)
    assert kill == Withdrawal(id=guid_id("NWA:D8ABC1234"), reason="KILL: the story is wrong", source="NWA")


def test_nitf_without_any_id_is_known_by_its_text_and_a_story_key_serves_as_one() -> None:
    plain = (
        "<nitf><head>{}</head><body><body.head/><body.content><p>The harbour is open.</p></body.content></body></nitf>"
    )
    text = "The harbour is open."
    assert article(plain.format("")).id == article_id(url=None, source=None, source_id=None, text=f"{text}\n\n{text}")
    keyed = plain.format('<docdata><du-key key="harbour" version="2"/></docdata><pubdata name="NW"/>')
    assert article(keyed).id == guid_id("NW:harbour")


WITH_KEY = '<docdata management-status="{}"><doc-id id-string="urn:x:1"/><du-key version="4"/>{}</docdata>'
KILLED = Withdrawal(id=guid_id("urn:x:1"), reason="", source_version=4, for_good=False)


def with_key(status: str, more: str = "") -> str:
    head = WITH_KEY.format(status, more)
    return f"<nitf><head>{head}</head><body><body.content><p>The harbour is open.</p></body.content></body></nitf>"


@pytest.mark.parametrize("status", ["spiked", "kill", "killed", "cancel", "cancelled-", "stat:foo", "stat: ", "stat:"])
def test_a_status_that_nobody_knows_is_refused_and_what_is_shown_of_its_article_is_hidden(status: str) -> None:
    refused, hold = entries(with_key(status), nitf.read)
    assert isinstance(refused, Rejection)
    assert refused.reason.startswith("publishing status '")
    assert hold == replace(KILLED, reason=refused.reason)


@pytest.mark.parametrize("note", ["MANDATORY KILL", "Eds: BULLETIN KILL, wrong name", "*** WITHHOLD"])
def test_a_note_in_the_words_of_the_trade_withholds(note: str) -> None:
    found = article(with_key("usable", f'<ed-msg info="{note}"/>'), nitf.read)
    assert (found.status, found.embargoed_until, found.note) == ("embargoed", None, note)
    item = {"uri": "urn:x:1", "ednote": note}
    (hold,) = entries(json.dumps(item), ninjs.read)
    assert hold == Withdrawal(id=guid_id("urn:x:1"), reason=note, for_good=False)


def test_a_headline_that_is_a_kill_withholds_and_one_that_speaks_of_killing_does_not() -> None:
    def shown(**fields: str) -> str:
        return article(json.dumps({"uri": "urn:x:1", "body_text": "It is open.", **fields}), ninjs.read).status

    assert shown(headline="BULLETIN KILL: Harbour reopens") == "embargoed"
    assert shown(headline="BULLETIN KILLS the mood, says mayor") == "live"
    assert shown(headline="WITHHOLD TAX CUT, SAYS MAYOR") == "live"
    assert shown(slugline="BC-POLICE-KILL", ednote="Eds: withhold names until next of kin are told") == "live"
    assert shown(ednote='Explains what a "MANDATORY KILL" is') == "live"
    assert shown(ednote="Replaces the story that was the subject of a MANDATORY KILL") == "live"


def test_an_unknown_status_is_refused_because_nobody_knows_whether_it_may_be_shown() -> None:
    refused = rejection('<nitf><head><docdata management-status="spiked"/></head><body><p>Text.</p></body></nitf>')
    assert refused.reason == "publishing status 'spiked': it must be usable, embargoed, withheld or canceled"
    assert refused.raw is not None


# NewsML-G2


def test_a_news_message_gives_each_item_and_one_bad_item_costs_itself_alone() -> None:
    text, nameless, kill, held = entries(sample("g2-wire.xml"), newsml_g2.read)
    assert text == Article(
        id=guid_id("tag:wire.example,2026:newsml_L8N1"),
        url="https://wire.example/world/harbour-reopens-2026-03-01/",
        title="Port Erin's harbour reopens after two years",
        body="The harbour is open.\n\nPORT ERIN, March 1 (The Wire) - The old harbour reopened on Sunday.\n\n"
        "It had been shut since 2024.\nShips came at once.\n\n(Reporting by Jane Doe; Editing by Max Moe)",
        source="The Wire",
        section="Transport",
        authors=("Jane Doe", "John Roe"),
        language="en",
        published_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 10, 15, tzinfo=UTC),
        source_version=1772360100,
        note="(Corrects the year in the second paragraph to 2024 from 2042)",
    )
    assert isinstance(text, Article)
    assert text.aliases == (of_url("https://wire.example/world/harbour-reopens-2026-03-01/"),)
    assert isinstance(nameless, Rejection)
    assert (nameless.line, nameless.reason.startswith("newsItem without a guid")) == (50, True)
    assert b"<newsItem" in (nameless.raw or b"")
    assert kill == Withdrawal(
        id=guid_id("tag:wire.example,2026:newsml_KILLED"),
        reason="Withdrawn: the source retracted it.",
        source="WIRE",
        source_version=4,
    )
    assert isinstance(held, Article)
    assert (held.status, held.embargoed_until) == ("embargoed", None)
    assert held.body == "Le vieux port a rouvert dimanche.\n\nLes bateaux sont revenus."


def test_prefixes_do_not_matter_and_an_empty_embargo_lasts_until_further_notice() -> None:
    found = article(sample("g2-prefixed.xml"), newsml_g2.read)
    assert found.body == "Der alte Hafen ist wieder geöffnet.\n\nKran im Mai\n\nMarkt im Juni"
    assert (found.status, found.embargoed_until, found.language) == ("embargoed", None, "de-AT")


def g2(inside: str, *, attributes: str = 'guid="urn:x:1"', meta: str = "") -> str:
    return (
        f'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" {attributes} standard="NewsML-G2"'
        ' standardversion="2.30" conformance="power">'
        '<itemMeta><itemClass qcode="ninat:text"/><provider qcode="nprov:X"/>'
        f"<versionCreated>2026-03-01T12:00:00Z</versionCreated>{meta}</itemMeta>{inside}</newsItem>"
    )


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("packageItem", "a package: "),
        ("conceptItem", "a concept: "),
        ("knowledgeItem", "a set of concepts: "),
        ("planningItem", "a plan of coverage"),
        ("catalogItem", "a catalog"),
    ],
)
def test_what_is_no_article_says_what_it_is(root: str, reason: str) -> None:
    assert rejection(f'<{root} xmlns="http://iptc.org/std/nar/2006-10-01/" guid="x"/>').reason.startswith(reason)


def test_a_flash_is_its_headline_and_must_be_valid_to_be_taken() -> None:
    flash = g2("<contentMeta><headline>HARBOUR OPEN</headline></contentMeta>")
    assert (article(flash).title, article(flash).body) == ("HARBOUR OPEN", "HARBOUR OPEN")
    broken = g2("<contentMeta><headline>HARBOUR OPEN</headline><nonsense/></contentMeta>")
    assert rejection(broken).reason.startswith("not valid NewsML-G2: Element 'nonsense'")


def test_a_text_is_read_whatever_else_its_item_holds() -> None:
    odd = g2("<nonsense/><contentSet><inlineXML><html><body><p>It is open.</p></body></html></inlineXML></contentSet>")
    assert article(odd).body == "It is open."


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-16", "windows-1252"])
def test_the_encoding_is_the_one_declared(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>'
    text += g2("<contentMeta><headline>Café</headline></contentMeta>")
    assert article(text.encode(encoding)).title == "Café"


def test_utf8_that_says_it_is_latin1_is_read_as_what_it_is() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + g2("<contentMeta><headline>Café</headline></contentMeta>")
    assert article(text.encode()).title == "Café"


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-8"?>\n'])
def test_latin1_that_says_it_is_utf8_is_read_as_what_it_is(declaration: str) -> None:
    text = declaration + g2("<contentMeta><headline>Café</headline></contentMeta>")
    assert article(text.encode("cp1252")).title == "Café"


def test_a_byte_order_mark_does_not_matter() -> None:
    assert article("\ufeff" + g2("<contentMeta><headline>Open</headline></contentMeta>")).title == "Open"
    assert article(b"\xef\xbb\xbf" + sample("superdesk-style.json").replace(b'"associations"', b'"x"')).source == "DESK"


def test_entities_of_ones_own_are_refused() -> None:
    bomb = '<!DOCTYPE newsItem [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + g2("<p>&b;</p>")
    assert "declares entities" in rejection(bomb).reason
    assert rejection(bomb).raw == bomb.encode()


def test_a_message_of_thousands_of_items_is_read() -> None:
    items = "".join(
        g2("<contentMeta><headline>Open</headline></contentMeta>", attributes=f'guid="urn:x:{number}"')
        for number in range(2000)
    )
    found = entries(
        f'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{items}</itemSet></newsMessage>'
    )
    assert len({entry.id for entry in found if isinstance(entry, Article)}) == 2000


@pytest.mark.parametrize("status", ["stat:withheld", "http://cv.iptc.org/newscodes/pubstatusg2/withheld/"])
def test_an_order_to_withhold_needs_no_text(status: str) -> None:
    name = "uri" if status.startswith("http") else "qcode"
    attributes = 'guid="urn:x:1" version="3"'
    meta = f'<pubStatus {name}="{status}"/><nonsense/>'
    (hold,) = entries(g2("", attributes=attributes, meta=meta), newsml_g2.read)
    assert hold == Withdrawal(
        id=guid_id("urn:x:1"),
        reason="withheld by its source",
        source="X",
        source_version=3,
        updated_at=NOON,
        for_good=False,
    )


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ('<pubStatus qcode="stat:foo"/>', "publishing status 'foo'"),
        ("<embargoed/><nonsense/>", "not valid NewsML-G2: "),
        ("<embargoed>2099-01-01T06:00:00Z</embargoed>", "no text: "),
    ],
)
def test_what_is_refused_and_may_not_be_shown_hides_its_article(meta: str, reason: str) -> None:
    refused, hold = entries(g2("", meta=meta), newsml_g2.read)
    assert isinstance(refused, Rejection)
    assert refused.reason.startswith(reason)
    assert isinstance(hold, Withdrawal)
    assert (hold.id, hold.reason, hold.for_good) == (guid_id("urn:x:1"), refused.reason, False)


def test_what_is_refused_and_is_meant_to_be_shown_hides_nothing() -> None:
    assert rejection(g2("", meta='<pubStatus qcode="stat:usable"/>')).reason.startswith("no text: ")


# NewsML 1


@pytest.mark.parametrize(("status", "kinds"), [("Withheld", [Withdrawal]), ("Kill", [Rejection, Withdrawal])])
def test_newsml1_withholds_without_a_text(status: str, kinds: list[type]) -> None:
    name = "<ProviderId>x.example</ProviderId><DateId>20260301</DateId><NewsItemId>1</NewsItemId>"
    found = entries(
        f"<NewsML><NewsItem><Identification><NewsIdentifier>{name}<RevisionId>2</RevisionId></NewsIdentifier>"
        f'</Identification><NewsManagement><Status FormalName="{status}"/></NewsManagement></NewsItem></NewsML>',
        newsml1.read,
    )
    assert [type(entry) for entry in found] == kinds
    hold = found[-1]
    assert isinstance(hold, Withdrawal)
    assert (hold.id, hold.source_version, hold.for_good) == (guid_id("urn:newsml:x.example:20260301:1"), 2, False)


def test_newsml1_names_its_items_as_newsml_g2_does_and_reads_each_by_its_status() -> None:
    text, held, kill, changes = entries(sample("newsml1-afp-style.xml"), newsml1.read)
    assert text == Article(
        id=guid_id("urn:newsml:agence.example:20260301:TX-PAR-ABC12"),
        title="Le vieux port rouvre après deux ans",
        body="Le vieux port a rouvert dimanche.\n\nLes bateaux sont revenus « aussitôt ».",
        source="Agence",
        section="Actualité",
        authors=("Jeanne DUPONT",),
        language="fr",
        published_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        source_version=2,
    )
    assert isinstance(held, Article)
    assert (held.status, held.embargoed_until) == ("embargoed", FAR - timedelta(hours=1))
    assert held.body == "Le budget 2099 est prêt."
    assert isinstance(kill, Withdrawal)
    assert (kill.id, kill.source_version) == (guid_id("urn:newsml:agence.example:20260301:TX-PAR-ABC14"), 2)
    assert isinstance(changes, Rejection)
    assert changes.reason.startswith("changes to an earlier revision")


# ninjs


def test_a_list_of_generation_3_gives_each_item() -> None:
    text, picture, no_item, wordless = entries(sample("array3.json"), ninjs.read)
    assert text == Article(
        id=guid_id("https://agency.example/items/1"),
        url="https://www.agency.example/porto-reaberto",
        title="O velho porto reabre depois de dois anos",
        body="O velho porto reabriu no domingo.\n\nOs navios voltaram.",
        source="Agência",
        section="transporte",
        authors=("João Silva", "Maria Souza"),
        language="pt-BR",
        published_at=datetime(2026, 3, 1, 7, tzinfo=UTC),
        updated_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
        status="embargoed",
        embargoed_until=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
        source_version=2,
    )
    assert isinstance(picture, Article)
    assert (picture.title, picture.body, picture.source) == ("A crane", "A crane in the harbour.", "agency.example")
    assert isinstance(no_item, Rejection)
    assert isinstance(wordless, Rejection)
    assert (no_item.line, wordless.line) == (22, 23)
    assert wordless.reason.startswith("no text: ")


def test_objects_on_lines_are_read_each_by_its_status() -> None:
    found = entries(sample("lines.jsonl"), ninjs.read)
    assert [(type(entry).__name__, getattr(entry, "status", None)) for entry in found] == [
        ("Article", "live"),
        ("Rejection", None),
        ("Article", "embargoed"),
        ("Withdrawal", None),
        ("Article", "embargoed"),
        ("Article", "embargoed"),
        ("Article", "embargoed"),
        ("Rejection", None),
    ]
    untils = [entry.embargoed_until for entry in found if isinstance(entry, Article)]
    assert untils == [None, None, None, FAR + timedelta(hours=12), None]
    assert [entry.line for entry in found if isinstance(entry, Rejection)] == [2, 8]


def test_a_wire_like_a_ninjs_with_names_of_its_own_is_read() -> None:
    found = article(sample("dpa-style.json"), ninjs.read)
    assert (found.id, found.url) == (
        guid_id("urn:newsml:presse.example:20090101:260301-99-123456"),
        "https://presse.example/meldung/hafen-wieder-offen",
    )
    assert found.body == "Der alte Hafen ist wieder offen.\n\nEr war seit 2024 geschlossen."
    assert (found.authors, found.source_version, found.published_at) == (
        ("Erika Beispiel",),
        3,
        NOON - timedelta(hours=1),
    )
    assert found.note == "Berichtigung: Jahr im 2. Absatz"


def test_articles_associated_with_an_item_are_read_and_its_pictures_are_not() -> None:
    main, sidebar = entries(sample("superdesk-style.json"), ninjs.read)
    assert isinstance(main, Article)
    assert isinstance(sidebar, Article)
    assert (main.title, main.authors, main.section) == (
        "Harbour reopens & ships return",
        ("Jane Doe",),
        "National News",
    )
    assert (sidebar.id, sidebar.body) == (guid_id("tag:desk.example,2026:newsml_2"), "The crane is new.")


def test_items_are_found_in_what_wraps_them() -> None:
    one, two = entries(sample("wrapped.json"), ninjs.read)
    assert isinstance(one, Article)
    assert isinstance(two, Article)
    assert (one.body, one.authors) == ("The first.\n\nThe second.", ("JANE DOE",))
    assert two.body == "Two"


def test_a_package_is_passed_over_when_it_holds_articles() -> None:
    inner = {"uri": "urn:x:2", "type": "text", "headline": "Open", "body_text": "It is open."}
    package = {"uri": "urn:x:1", "type": "composite", "associations": {"main": inner}}
    assert article(json.dumps(package), ninjs.read).id == guid_id("urn:x:2")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"uri": "urn:x:1", "pubstatus": "usable", "body_text": 7}, "body_text is not text: 7"),
        ({"uri": "urn:x:1", "pubstatus": "usable", "bodies": "x"}, "bodies is not a list"),
        ({"uri": "urn:x:1", "pubstatus": "usable", "bodies": [{"value": 3}]}, "bodies holds what is no text"),
        ({"uri": "", "pubstatus": "usable", "body_text": "x"}, "uri is missing"),
        (
            {"uri": "urn:x:1", "headline": "Open", "colour": "red"},
            "not valid ninjs: colour: no property that ninjs has",
        ),
        ({"uri": "urn:x:1", "headline": "Open", "type": "component"}, "type component: with nothing but a headline"),
    ],
)
def test_what_is_no_ninjs_is_refused_with_the_property_that_is_wrong(item: dict[str, object], reason: str) -> None:
    refused = rejection(json.dumps(item, indent=2), ninjs.read)
    assert refused.reason.startswith(reason)
    assert json.loads(refused.raw or b"") == item


@pytest.mark.parametrize(
    ("status", "more", "reason"),
    [
        ("cancelled", {}, "publishing status 'cancelled'"),
        ("replaced", {"body_text": "x"}, "publishing status 'replaced'"),
        (7, {"body_text": "x"}, "publishing status '7'"),
        ("canceled", {"body_text": 7}, "body_text is not text: 7"),
        ("embargoed", {}, "not valid ninjs: pubstatus"),
    ],
)
def test_a_kill_that_is_misspelt_or_broken_is_refused_and_hides_its_article(
    status: object, more: dict[str, object], reason: str
) -> None:
    item = {"uri": "urn:x:1", "version": "3", "versioncreated": "2026-03-01T12:00:00Z", "pubstatus": status, **more}
    refused, hold = entries(json.dumps(item), ninjs.read)
    assert isinstance(refused, Rejection)
    assert refused.reason.startswith(reason)
    assert hold == Withdrawal(
        id=guid_id("urn:x:1"), reason=refused.reason, source_version=3, updated_at=NOON, for_good=False
    )


def test_a_text_is_read_whatever_its_agency_adds() -> None:
    item = {
        "uri": "urn:x:1",
        "type": "article",
        "version": 2.5,
        "urgency": "high",
        "colour": "red",
        "body_text": "Open.",
    }
    assert article(json.dumps(item)).body == "Open."


def test_records_of_ones_own_and_feeds_are_left_to_their_readers() -> None:
    own = '{"uri": "x", "title": "Open", "body": "It is open."}'
    assert detect(own.encode(), "x.jsonl") == jsonl.read
    feed = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "uri": "x", "content_text": "y"}]}'
    assert not ninjs.matches(feed.encode(), feed)


def test_deep_and_endless_json_is_refused_and_what_follows_is_read() -> None:
    good = '{"uri": "urn:x:1", "pubstatus": "usable", "body_text": "It is open."}'
    deep = '{"uri": "urn:x:2", "pubstatus": "usable", "associations": ' + "[" * 100_000 + "]" * 100_000 + "}"
    first, second, third = entries(f"{good}\n{deep}\n{good}")
    assert isinstance(second, Rejection)
    assert (isinstance(first, Article), isinstance(third, Article)) == (True, True)
    nested: dict[str, object] = {"uri": "urn:x:3", "headline": "Open"}
    for _ in range(60):
        nested = {"uri": "urn:x:3", "headline": "Open", "associations": [nested]}
    assert "nested more than" in rejection(json.dumps(nested)).reason


# All the way in


def test_corrections_kills_and_embargoes_do_in_the_archive_what_they_say(tmp_path: Path) -> None:
    story, kill = tmp_path / "1-story.xml", tmp_path / "2-kill.xml"
    story.write_bytes(sample("nitf-dtd.xml"))
    kill.write_bytes(sample("nitf-kill.xml"))
    for name in ("g2-wire.xml", "newsml1-afp-style.xml", "nitf-embargo.xml"):
        (tmp_path / name).write_bytes(sample(name))
    store = Store(tmp_path / "archive" / "archive.db")
    assert ingest([story], store).added == 1
    assert status_of(store, "NWA:D8ABC1234") == "live"
    report = ingest([kill, story, tmp_path / "g2-wire.xml", tmp_path / "newsml1-afp-style.xml"], store)
    assert (report.added, report.held, report.withdrawn, report.rejected_count) == (2, 2, 3, 2)
    assert status_of(store, "NWA:D8ABC1234") == "removed"
    assert status_of(store, "tag:wire.example,2026:newsml_L8N1") == "live"
    assert ingest([tmp_path / "nitf-embargo.xml"], store).held == 1
    assert status_of(store, "urn:nwa.example:20990101:0007") == "embargoed"
    store.close()


def status_of(store: Store, guid: str) -> str | None:
    found = store.article(guid_id(guid))
    return found.status if found else None


ODD = (None, True, -1, 1.5, "", "x", "<p>", [], {}, [1], {"name": 1}, [{"value": None}], "9" * 400, [[]], "\ud800")


def with_oddities(value: object, chance: random.Random) -> object:
    """Return `value` with what nobody expects in some of its places."""
    if chance.random() < 0.06:
        return chance.choice(ODD)
    if isinstance(value, dict):
        return {name: with_oddities(inner, chance) for name, inner in value.items()}
    return [with_oddities(inner, chance) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["array3.json", "dpa-style.json", "superdesk-style.json", "wrapped.json"])
def test_values_of_any_kind_anywhere_cost_no_more_than_their_item(name: str) -> None:
    chance = random.Random(11)
    for _ in range(400):
        raw = json.dumps(with_oddities(json.loads(sample(name)), chance)).encode()
        for entry in ninjs.read(io.BytesIO(raw), "delivery"):
            assert entry.reason if isinstance(entry, Rejection | Withdrawal) else entry.body


# Dates, versions, bylines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("20260301T120000+0000", NOON),
        ("20260301T120000Z", NOON),
        ("2026-03-01T13:00:00+01:00", NOON),
        ("2026-03-01T12:00:00.123456Z", NOON),
        ("2026-03-01 12:00 UTC", NOON),
        ("20260301T120000", NOON),
        ("2026-03-01", NOON.replace(hour=0)),
        ("20260301", NOON.replace(hour=0)),
        ("Sun, 01 Mar 2026 12:00:00 GMT", NOON),
        ("2026-03", None),
        ("Last Tuesday", None),
        ("2026-02-30", None),
        (20260301, None),
        (None, None),
    ],
)
def test_dates_are_read_as_agencies_write_them(text: object, expected: datetime | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2099-01-01T06:00:00Z", FAR),
        ("2099-01-01T06:00:00", FAR + timedelta(hours=12)),
        ("2099-01-01", FAR + timedelta(hours=6)),
        ("", UNTIL_FURTHER_NOTICE),
        ("when the minister speaks", UNTIL_FURTHER_NOTICE),
        ("9999-12-31T23:00:00", datetime(9999, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_an_embargo_is_never_shorter_than_what_is_meant(text: str, expected: datetime) -> None:
    assert embargo(text) == expected


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Jane Doe", ("Jane Doe",)),
        ("By JANE DOE and JOHN ROE, Associated Writers", ("JANE DOE", "JOHN ROE")),
        ("By Jane Doe, John Roe and Max Moe", ("Jane Doe", "John Roe", "Max Moe")),
        ("Von Erika Beispiel, nwa", ("Erika Beispiel",)),
        ("Karl Karlsson/NW", ("Karl Karlsson",)),
        ("Bryan Adams", ("Bryan Adams",)),
        ("", ()),
        (" - ", ()),
    ],
)
def test_a_byline_names_people(byline: str, names: tuple[str, ...]) -> None:
    assert names_in(byline) == names


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("11", 11),
        (3, 3),
        ("1.2", 1),
        (2.5, 2),
        ("2026-03-01T12:00:00+01:00", 20260301110000),
        ("20260301T110000Z", 20260301110000),
        ("2026-03-01", 20260301000000),
        ("20260301110000", 20260301110000),
        (True, None),
        ("9" * 30, None),
        (float("inf"), None),
        ("final", None),
        (None, None),
        (-1, None),
    ],
)
def test_a_version_that_is_no_whole_number_counts_as_far_as_it_orders(value: object, expected: int | None) -> None:
    assert version_number(value) == expected


# What stands between headline and text

TEXT = "The harbour is open. Ships are back."


def in_nitf(hl2: str, abstract: str) -> str:
    head = f"<hedline><hl1>Harbour reopens</hl1><hl2>{hl2}</hl2></hedline><abstract><p>{abstract}</p></abstract>"
    return f"<nitf><body><body.head>{head}</body.head><body.content><p>{TEXT}</p></body.content></body></nitf>"


@pytest.mark.parametrize(
    ("hl2", "abstract", "leads"),
    [
        ("After two years", "Fishermen rejoice.", ["After two years", "Fishermen rejoice."]),
        ("", "The harbour is open.", []),  # the text begins with it
        ("Harbour reopens", "the harbour is open …", []),
        ("", "", []),
    ],
)
def test_a_standfirst_is_the_first_paragraph_unless_the_text_says_it(hl2: str, abstract: str, leads: list[str]) -> None:
    found = article(in_nitf(hl2, abstract).encode(), nitf.read)
    assert (found.title, found.body) == ("Harbour reopens", "\n\n".join([*leads, TEXT]))


@pytest.mark.parametrize(
    "said",
    [
        {"subheadline": "After two years", "description_summary": "Fishermen rejoice."},
        {
            "headlines": [{"value": "Harbour reopens"}, {"role": "subheadline", "value": "After two years"}],
            "descriptions": [{"role": "summary", "value": "Fishermen rejoice."}, {"value": "A harbour"}],
        },
    ],
)
def test_ninjs_says_by_its_roles_what_stands_above_the_text(said: dict[str, object]) -> None:
    item = {"uri": "urn:a.example:1", "headline": "Harbour reopens", "body_text": TEXT, **said}
    found = article(json.dumps(item).encode(), ninjs.read)
    assert found.body == f"After two years\n\nFishermen rejoice.\n\n{TEXT}"
