"""The function words of other languages than English: what of a query or an article in German says nothing. Pure.

English ones are left out everywhere (`index.analysis.STOP_TERMS`). Those of another language are left out where an
article is in that language, and of a query, which has no language, where its own words tell which it is in. Many of
them mean something elsewhere: German "die" and "war", French "main", Spanish "son". So each list has two parts: the
words that are clearly of a language, and the doubtful ones, which count only in the company of others.

Invariant: in an archive in English nothing is a function word of another language.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache

from index.analysis import STOP_TERMS, stem, words
from index.inflection import language_of
from index.query import AllOf, AnyOf, Clause, FieldValue, Query, Term, leaves, texts

COMPANY = 3  # function words of one language from which the doubtful ones among them count

# Clear: what hardly stands in a text in any of the other languages, names aside. Doubtful: the rest.
_WRITTEN: Mapping[str, tuple[str, str]] = {
    "ar": (
        "في من على إلى عن مع هذا هذه ذلك تلك التي الذي الذين ما لا لم لن قد كان كانت يكون هو هي هم أن إن أو ثم "
        "بين بعد قبل عند كل بعض غير حتى إذا كما منذ خلال حول ضد أي به له لها بها فيها منه عليه عليها وهو وهي ولا "
        "كذلك أيضا ليس لكن",
        "",
    ),
    "da": (
        "og ikke det jeg hvad hvor hvorfor hvordan efter også være blev bliver eller fra der som hendes deres "
        "dette disse mellem siden samt nogle noget skal kunne ville havde",
        "til hans mod han at en et er i af på de den for med har var men om hun vi du sig dem min din sin over "
        "under ved ud ind op ned nu når så kan vil må alle man end her hos før",
    ),
    "de": (
        "der und ist ich nicht sie auf eine einer einem eines einen ein sich auch nach bei aus wir ihr ihre "
        "ihrer ihren wird werden wurde wurden sein seiner seinen zum zur vom beim noch nur aber wenn dass daß "
        "diese dieser dieses diesem diesen durch gegen ohne zwischen unter kein keine keinen haben hatte hatten "
        "können kann konnte soll sollen muss müssen zu wie doch schon sehr wer wem wen unser unsere euch ihm ihn "
        "ihnen jetzt hier dort dann nichts etwas jede jeder jedes welche welcher warum wieder vor seit mehr deren "
        "dessen worden würde würden waren während immer",
        "das mit für dem oder sind seine weil über ob bis die den des von was war in an am im um als so er es "
        "hat bin bist man alle allem alles her hin ins nun ja mich mir uns du dir dich mein meine will wo da "
        "damit darf",
    ),
    "es": (
        "de del una unos unas que por para se sus más pero este esta esto estos estas ese esa eso esos esas "
        "aquel aquella muy también entre sobre desde hasta cuando donde quien porque está están ser fue fueron "
        "qué cuál cómo cuándo dónde aunque según durante cada otro otra otros otras mismo misma tiene tienen "
        "había es",
        "el los las y con su lo como ya hay nos les sino ni contra han al la en un a o e no si sin son era eran "
        "ante tras bajo me te he ha yo tu mi mis todo todos toda todas le san mas así hoy",
    ),
    "fi": (
        "ja ovat että mutta myös kun niin joka jotka jonka mitä missä hänen sinä heidän tämä tässä tämän nämä siitä "
        "sitä se oli olivat ollut olla vielä kuin mukaan jälkeen ennen kanssa koska sekä eivät eikä",
        "ei mikä hän minä ne sen tai vain jo jos on en et me te he",
    ),
    "fr": (
        "de une et que qui dans sur aux avec ce cette ces ils elles se ses leur leurs nous vous où mais ou été "
        "être sont ont avait étaient était très après entre chez depuis pendant contre vers selon lorsque quand "
        "comme pourquoi quel quelle quels quelles aussi ainsi alors donc cet ceux celle celui votre vos",
        "le les des du est pour pas au il elle ne sa sera plus avant sous comment encore ni sans dont fait notre "
        "nos la un en a à y son ma mon mes me ta ton tes te par on car si même tout tous toute toutes peu lui "
        "moi toi fut",
    ),
    "it": (
        "gli della delle dello degli dei del di una nel nella nelle nei negli dal dalla dalle agli allo sul "
        "sulla sulle sui anche più se sono stato stata stati erano hanno questo questa questi queste quello "
        "quella dopo quando perché cui loro suo sua suoi contro secondo ogni tra molto ancora già",
        "il lo che un uno non con dai al alla alle ma ha prima dove chi sue ed fra i la le a da in per su e o "
        "come era si ci mi ti vi ne io tu lui lei noi voi mai poi no sia ai è",
    ),
    "nl": (
        "de het een niet zijn voor aan dat dit deze bij naar uit ook maar nog wordt worden werd werden heeft "
        "hebben hadden wij jij jullie haar zij ze omdat waarom wie waar welke geen meer tegen tussen zonder "
        "onder onze moet moeten kunnen zou zouden zal zullen naast sinds tijdens toen",
        "ons en met als hun er te tot hoe dan van die der den des in is op of over door om was had man men want even "
        "kan wil wat we ik je hij u al af na per so zo ten ter wel",
    ),
    "no": (
        "og ikke det jeg hva hvor hvorfor hvordan etter også være ble blir eller fra som hennes deres dette "
        "disse mellom siden samt noen noe skal kunne ville hadde ikkje ein eit frå",
        "til hans mot eg han at en et er i av på de den der for med har var men om hun vi du seg dem min din sin "
        "over under ved ut inn opp ned nå når så kan vil må alle man enn her hos før",
    ),
    "pl": (
        "się nie że jest są jak dla przez przy oraz lub czy który która które których którym tego tej tym być "
        "był była było były będzie jego jej ich już tylko też także przed między nad bez gdy gdzie kiedy kto ze "
        "jako",
        "w z na ale od po ten pod co za we do i a o u to by ta te on go mu mi",
    ),
    "pt": (
        "de uns umas que aos pelo pela pelos pelas por para se seu sua seus suas não mais também foi "
        "foram ser está estão este esta esse essa isso isto ele ela eles elas muito entre sobre quando onde "
        "quem porque sem ou depois antes segundo tem têm lhe num numa",
        "às à dos das da uma em na nos nas no ao com mas como são já até nem contra há do o a os as um me te eu tu "
        "era só sob e é",
    ),
    "ru": (
        "и в во не на я он она оно они что с со как а то все но да ты к у же вы за бы по от из о об это этот эта "
        "эти того его ее их или при до для мы уже был была было были быть есть чтобы если когда где кто чем так "
        "также после над под без ли который которая которое которые",
        "",
    ),
    "sv": (
        "och inte det vad varför efter också vara blev blir eller från som hennes deras detta dessa mellan samt "
        "några något skall kunde ville hade ett så ska enligt",
        "jag till hans sedan mot är att av för där när hur en i på de den med har var men om hon vi du sig dem "
        "min din sin han över under vid ut in upp ner nu kan vill må alla man än här hos före",
    ),
}  # fmt: skip
_LIST_OF = {"nb": "no", "nn": "no"}  # languages that have another's list

_CLEAR = {language: frozenset(words(clear)) for language, (clear, _) in _WRITTEN.items()}
_WORDS = {language: _CLEAR[language].union(words(doubtful)) for language, (_, doubtful) in _WRITTEN.items()}


def without_function_words(query: Query, languages: Collection[str]) -> Query:
    """Return the query without those wanted words that are function words of the language it is in, if that shows.

    `languages` are those of the archive; of a query that filters by language only those it names. What binds, a phrase
    for one, keeps its words, and so does a query that has no others.
    """
    spoken = _lists(_filtered(query, languages))
    if spoken.isdisjoint(_WORDS):
        return query
    typed = frozenset(word for text in texts((*query.wanted, *query.required)) for word in words(text))
    skipped = function_words(typed, spoken)
    wanted = tuple(kept for clause in query.wanted if (kept := _without(clause, skipped)) is not None)
    return replace(query, wanted=wanted) if any(texts((*wanted, *query.required))) else query


def function_words(typed: frozenset[str], languages: Collection[str]) -> frozenset[str]:
    """Return which of the folded words of a query are function words, in an archive in these languages.

    In an archive in one language there is no doubt. Elsewhere a query is in the language of which it holds the most,
    one of them clear; of several alike, what they have in common counts. An English one says that it is in English.
    """
    spoken = _lists(languages)
    if len(spoken) == 1:
        return typed.intersection(*(_WORDS.get(one, ()) for one in spoken))
    own = {one: typed & _WORDS[one] for one in spoken & _WORDS.keys() if typed & _CLEAR[one]}
    most = max(map(len, own.values()), default=0)
    likely = {one: found for one, found in own.items() if len(found) == most}
    is_english = "en" in spoken and any(stem(word) in STOP_TERMS for word in typed.difference(*likely.values()))
    if is_english or not likely:
        return frozenset()
    common = frozenset.intersection(*likely.values())
    return common if most >= COMPANY else common.intersection(*(_CLEAR[one] for one in likely))


def function_terms(language: str | None, languages: Collection[str] = ()) -> frozenset[str]:
    """Return the terms that say nothing in an article whose language has this tag, in an archive in these languages.

    Of the other languages they are the clear words, which stand there in quotations and in names.
    """
    return _terms(_LIST_OF.get(spoken := language_of(language) or "", spoken), frozenset(languages))


@lru_cache(maxsize=64)
def _terms(language: str, languages: frozenset[str]) -> frozenset[str]:
    clear = (_CLEAR.get(one, frozenset()) for one in _lists(languages))
    return frozenset(map(stem, _WORDS.get(language, frozenset()).union(*clear)))


def _lists(languages: Collection[str]) -> frozenset[str]:
    return frozenset(_LIST_OF.get(language, language) for language in languages)


def _filtered(query: Query, languages: Collection[str]) -> Collection[str]:
    """Return those of the languages that the query's filters leave: all where it has none."""
    filters = [part for part in leaves(query.required) if isinstance(part, FieldValue) and part.field == "language"]
    named = {part.value.partition("-")[0].lower() for part in filters}
    return named.intersection(languages) or languages


def _without(clause: Clause, skipped: Collection[str]) -> Clause | None:
    """Return the clause without the words to be skipped; None when nothing else was in it."""
    match clause:
        case Term(text):  # of several words that are joined, as a name's are by hyphens, all are kept
            said = words(text)
            return None if len(said) == 1 and said[0] in skipped else clause
        case AnyOf(clauses) | AllOf(clauses):
            kept = tuple(part for inner in clauses if (part := _without(inner, skipped)) is not None)
            return type(clause)(kept) if kept else None
        case _:
            return clause
