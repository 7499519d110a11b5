"""Of a newsletter the news is kept, in its order, and not what every issue says."""

import io
from email.message import EmailMessage

import pytest

from archive.article import Article, Rejection
from archive.readers.texts.mail import read
from archive.readers.texts.newsletter import news_of

STORY = "Dredgers started work at dawn in the inner harbour, and will remove ninety thousand tons of silt."
CHOIR = "The cathedral choir came first among forty choirs in Leipzig on Thursday, singing to a full church."
NESTED = f"""<html lang="en-GB"><body><table><tr><td><div style="display:none;max-height:0">Preheader</div>
<a href="https://x.example">View in browser</a></td></tr><tr><td><h1>Three things</h1></td></tr>
<tr><td><table><tr><td><h2>Harbour dredging begins</h2><p>{STORY}</p><p><a href="x">Read more</a></p></td></tr></table>
</td></tr><tr><td><table><tr><td><img src="x"></td><td><h2>Choir wins</h2><p>{CHOIR}</p><p>Read more.</p></td></tr>
</table></td></tr><tr><td><p>You are receiving this email because you opted in. <a href="u">Unsubscribe</a> |
<a href="p">Update preferences</a></p><p>The Lantern, 1 Quay, Penrow</p></td></tr></table></body></html>"""


def read_mail(*, plain: str | None = None, html: str | None = None) -> Article | Rejection:
    message = EmailMessage()
    message["From"], message["Subject"] = "The Lantern <daily@lantern.example>", "Three things"
    if plain is not None:
        message.set_content(plain)
    if html is not None:
        message.add_alternative(html, subtype="html")
    (entry,) = read(io.BytesIO(bytes(message)), "input")
    return entry


def body(*, plain: str | None = None, html: str | None = None) -> str:
    entry = read_mail(plain=plain, html=html)
    assert isinstance(entry, Article), entry
    return entry.body


def test_stories_in_tables_inside_tables_come_out_in_order_under_their_headlines() -> None:
    entry = read_mail(plain="View this email in your browser", html=NESTED)
    assert isinstance(entry, Article)
    assert entry.body.split("\n\n") == ["Harbour dredging begins", STORY, "Choir wins", CHOIR]
    assert entry.language == "en-GB"


def test_headlines_stay_without_tables_too() -> None:
    page = f"<p>Good morning.</p><h2>Choir wins</h2><p>{CHOIR}</p><p>Read <a href='x'>more</a>.</p>"
    assert body(plain="See the page", html=page).split("\n\n") == ["Good morning.", "Choir wins", CHOIR]


def test_a_page_that_says_nothing_gives_way_to_the_plain_text_without_its_signature() -> None:
    assert (
        body(plain=f"{STORY}\n\n-- \nAbmelden: https://x.example/ab\n", html="<img src='x'><p>Unsubscribe</p>") == STORY
    )


def test_a_message_of_nothing_but_such_words_is_refused() -> None:
    entry = read_mail(plain="View in browser", html="<p>Unsubscribe</p>")
    assert isinstance(entry, Rejection)
    assert entry.reason == "no text found in the message"


@pytest.mark.parametrize(
    "notice",
    [
        "View this email in your browser: https://x.example/1",
        "Read the full story →",
        "Manage your preferences | Share on Facebook · Privacy Policy",
        "Newsletter im Browser ansehen",
        "Weiterlesen »",
        "Lire la suite",
        "Forward this to a friend",
        "Having trouble viewing this email? Read it online.",
    ],
)
def test_links_of_every_issue_go_wherever_they_stand(notice: str) -> None:
    assert news_of(f"{notice}\n\n{STORY}\n\n{notice}\n\n{CHOIR}", title="") == f"{STORY}\n\n{CHOIR}"


@pytest.mark.parametrize(
    "leaving",
    [
        "If you no longer wish to receive this letter, you can unsubscribe here.",
        "Sie erhalten diesen Newsletter, weil Sie sich angemeldet haben.",
        "Abmelden",
        "Vous recevez cet e-mail car vous êtes abonné. Se désabonner",
    ],
)
def test_the_small_print_goes_with_the_words_on_leaving_at_the_end_and_no_story_with_those_at_the_top(
    leaving: str,
) -> None:
    assert news_of(f"{STORY}\n\n{leaving}\n\nThe Lantern, 1 Quay", title="") == STORY
    assert news_of(f"Hello\n\n{leaving}\n\n{STORY}\n\n{CHOIR}", title="").endswith(f"{STORY}\n\n{CHOIR}")


@pytest.mark.parametrize(
    "news", ["Why readers unsubscribe", "Facebook and X are down", "Read more books, says the mayor."]
)
def test_news_about_such_things_stays(news: str) -> None:
    assert news_of(f"{news}\n\n{STORY}", title="") == f"{news}\n\n{STORY}"


def test_such_a_link_at_the_end_of_a_paragraph_or_in_a_cell_goes_alone() -> None:
    row = "<table><tr><td>28 November</td><td><a>View this email in your browser</a></td></tr></table>"
    page = f"{row}<p>{CHOIR} <a>Read more »</a></p><table><tr><td>X</td><td>Facebook</td><td>5 %</td></tr></table>"
    assert body(plain="x", html=page).split("\n\n") == ["28 November", CHOIR, "X · Facebook · 5 %"]


def test_copyright_and_address_at_the_end_are_no_news() -> None:
    small_print = "Copyright © 2026 The Lantern. All rights reserved.\n\nOur mailing address is:\n\n1 Quay, Penrow"
    assert news_of(f"{STORY}\n\n{small_print}\n\nWant to change how you get this?", title="") == STORY
    assert news_of(f"Copyright law changes\n\n{STORY}", title="") == f"Copyright law changes\n\n{STORY}"
