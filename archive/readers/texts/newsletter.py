"""A newsletter's text without what stands in every issue of every newsletter. Pure.

Invariant: only whole paragraphs go. The postal address and the small print go with the words on leaving the list that
they follow, where these stand at the end.
"""

import re

from archive.readers.markup import BETWEEN_CELLS
from archive.readers.normalise import has_words, one_line
from archive.readers.pages.headline import folded

MAX_FOOTER_CHARS = 600  # an address and small print; more than that after a word on leaving is news

_PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
_SIGNATURE = "\n-- \n"  # RFC 3676: what follows is in every message of this sender
_LINK = re.compile(r"[\s:<(\[]*https?://\S+", re.IGNORECASE)
_BETWEEN_LINKS = re.compile(r"\s*[|·•/]\s*|\s+[-–—]\s+|(?<=[.?!])\s+")
_SMALL_PRINT = re.compile(
    r"you(?:\s+are|[’']re|\s+have)?\s+(?:receiv(?:e|ed|ing)|getting|got)\s+(?:this|these|our)\b.*"
    r"|this\s+(?:e-?mail|newsletter|message)\s+(?:was|is|has\s+been)\s+(?:sent|intended)\b.*"
    r"|(?:sie\s+(?:erhalten|bekommen)|du\s+(?:erhältst|bekommst))\s+dies\w+\b.*"
    r"|dieser?\s+(?:e-?mail|newsletter|nachricht)\s+(?:wurde|ging)\b.*"
    r"|vous\s+(?:recevez|avez\s+reçu)\s+(?:ce|cet|cette)\b.*"
    r"|(?:recibes?|está\s+recibiendo|has?\s+recibido)\s+est[ea]\b.*|(?:ricevi|hai\s+ricevuto)\s+quest\w+\b.*"
    r"|você\s+(?:está\s+recebendo|recebe|recebeu)\s+est[ea]\b.*|(?:u|je)\s+ontvangt\s+deze\b.*"
    r"|(?:copyright\s*)?(?:©|\(c\)).*|copyright\s+\d{4}\b.*|.{0,200}\ball\s+rights\s+reserved\.?"
    r"|our\s+mailing\s+address\b.*",
    re.IGNORECASE,
)
_LEAVES = re.compile(
    r"(?:(?:click|tap)\s+here\s+to\s+|to\s+)?unsubscribe(?:\s+(?:here|now|instantly|from\s+(?:this|our|these|all)\b.{0,40}))?"
    r"|opt\s+out|(?:hier\s+|newsletter\s+|vom\s+newsletter\s+)?(?:abmelden|abbestellen)|se\s+(?:désabonner|désinscrire)"
    r"|désabonnement|désinscription|darse?\s+de\s+baja|cancelar\s+(?:la\s+|a\s+)?(?:suscripción|inscrição|assinatura)"
    r"|annulla\s+(?:l[’']\s*)?iscrizione|disiscriviti|(?:uitschrijven|afmelden)|avregistrera(?:\s+dig)?|отписаться",
    re.IGNORECASE,
)
_MENU = re.compile(
    r"(?:(?:view|read|open|see)\s+)(?:(?:this|the|our|it|e-?mail|newsletter|message)\s+)*"
    r"(?:online|on\s+the\s+web|in\s+(?:(?:your|a|the)\s+)?(?:web\s+)?browser)|web\s+version|view\s+as\s+(?:a\s+)?web\s*page"
    r"|(?:having\s+)?(?:trouble|problems)\s+(?:viewing|reading|seeing)\b.{0,60}"
    r"|(?:is\s+)?this\s+(?:e-?mail|newsletter)\s+not\s+display\w+\b.{0,40}"
    r"|(?:(?:update|manage|change|edit)\s+)(?:(?:your|my|e-?mail|newsletter|subscription)\s+)*"
    r"(?:preferences?|settings|subscriptions?|profile)|(?:e-?mail\s+)?preferences|privacy(?:\s+(?:policy|notice))?"
    r"|terms(?:\s+(?:of|and|&)\s+\w+)?|contact(?:\s+us)?|advertise(?:\s+with\s+us)?|forward(?:\s+(?:this|it|to)\b.{0,30})?"
    r"|add\s+us\s+to\s+your\s+address\s+book"
    r"|(?:newsletter\s+|e-?mail\s+)?(?:im|in\s+ihrem)\s+browser\s+(?:ansehen|öffnen|anzeigen|lesen)"
    r"|online-?(?:ansicht|version)|(?:newsletter-?)?einstellungen(?:\s+ändern)?|datenschutz(?:erklärung)?|impressum|kontakt"
    r"|voir\s+(?:\w+\s+){0,3}(?:en\s+ligne|dans\s+(?:le|votre)\s+navigateur)|version\s+en\s+ligne"
    r"|gérer\s+(?:mes|vos)\s+préférences|ver\s+(?:\w+\s+){0,3}(?:en\s+(?:el|tu|su)\s+navegador|no\s+navegador)"
    r"|visualizza\s+(?:\w+\s+){0,3}nel\s+browser|bekijk\s+(?:\w+\s+){0,3}(?:online|in\s+(?:je|uw|de)\s+browser)|more",
    re.IGNORECASE,
)
_SITE = re.compile(
    r"(?:share\s+(?:on\s+)?|follow\s+us\s+on\s+)?(?:facebook|twitter|x|instagram|linkedin|youtube|whatsapp|tiktok)",
    re.IGNORECASE,
)
_READ_ON = re.compile(
    r"read(?:\s+(?:it|more|on|the\s+(?:full|rest)(?:\s+\w+){0,3}))|continue\s+reading|keep\s+reading|full\s+(?:story|article)"
    r"|weiterlesen|(?:jetzt\s+)?(?:mehr|hier)\s+lesen|lire\s+(?:la\s+)?(?:suite|plus|l[’']article)"
    r"|leer\s+más|seguir\s+leyendo"
    r"|leia\s+mais|leggi\s+(?:tutto|di\s+più)|continua\s+a\s+leggere|lees\s+(?:meer|verder)|läs\s+mer|les\s+mer|læs\s+mere"
    r"|lue\s+lisää|czytaj\s+(?:więcej|dalej)|читать\s+далее",
    re.IGNORECASE,
)
# Behind the end of a sentence, in the same paragraph.
_READ_ON_TAIL = re.compile(rf"(?<=[.!?…\"”])\s+(?:{_READ_ON.pattern})[\s»→>….]*$", re.IGNORECASE)
_LEAVING_SENTENCE = re.compile(
    r"(?=.{0,300}$)(?:.*\b(?:click|list|longer|receive|wish|want|would)\b.*\bunsubscribe\b.*"
    r"|.*\bunsubscribe\b.*\b(?:click|here|list|time|link|preferences)\b.*|.*\bnewsletter\b.*\b(?:abbestell|abmeld)\w*.*)",
    re.IGNORECASE,
)


def news_of(text: str, *, title: str) -> str:
    """Return the paragraphs of `text` that are news, without the title, which is kept once."""
    paragraphs = [part for part in _PARAGRAPHS.split(_without_signature(text).strip()) if has_words(part)]
    lines = [one_line(_LINK.sub("", part)) for part in paragraphs]
    end = next((at for at in range(len(lines)) if _begins_footer(lines[at]) and _is_footer(paragraphs, at)), len(lines))
    kept = [_trimmed(part) for part, line in zip(paragraphs[:end], lines[:end], strict=True) if not _is_notice(line)]
    if len(kept) > 1 and folded(kept[0]) == folded(title):
        del kept[0]
    return "\n\n".join(kept)


def _without_signature(text: str) -> str:
    text = text.replace("\r\n", "\n")
    before, _, after = text.rpartition(_SIGNATURE)
    return before if before.strip() and _is_small(before, after) else text


def _is_footer(paragraphs: list[str], at: int) -> bool:
    return _is_small("".join(paragraphs[:at]), "".join(paragraphs[at + 1 :]))


def _is_small(before: str, after: str) -> bool:
    """Tell whether what comes after is so little that no story is in it: such words stand at the top, too."""
    return len(after) <= min(MAX_FOOTER_CHARS, len(before))


def _begins_footer(line: str) -> bool:
    return (
        _SMALL_PRINT.fullmatch(line) is not None
        or _LEAVING_SENTENCE.fullmatch(line) is not None
        or any(_LEAVES.fullmatch(part) for part in _links(line))
    )


def _is_notice(line: str) -> bool:
    """Tell whether a paragraph is nothing but links that every issue has, or says why it was sent."""
    links = _links(line)
    return bool(links) and all(_leads_on(part) or _SITE.fullmatch(part) for part in links)


def _leads_on(link: str) -> bool:
    return any(kind.fullmatch(link) for kind in (_MENU, _READ_ON, _LEAVES, _SMALL_PRINT))


def _trimmed(paragraph: str) -> str:
    """Return a paragraph that is kept without such a link at its end, or in a cell of its own."""
    cells = [cell for cell in paragraph.split(BETWEEN_CELLS) if not _leads_on(cell)]
    return _READ_ON_TAIL.sub("", BETWEEN_CELLS.join(cells) or paragraph)


def _links(line: str) -> list[str]:
    return [part for each in _BETWEEN_LINKS.split(line) if (part := each.strip(" .:!?>→»›…[]()-–—"))]
