"""Who bylines name: persons in parts, bodies whole, and nobody cut where it is not sure."""

import pytest

from web.names import Name, names_of, without_by


@pytest.mark.parametrize(
    ("byline", "expected"),
    [
        ("Jane Doe and John Roe", ["Doe, Jane", "Roe, John"]),
        ("Jane Doe, John Roe and Max Mustermann", ["Doe, Jane", "Roe, John", "Mustermann, Max"]),
        ("Jane Doe; John Roe", ["Doe, Jane", "Roe, John"]),
        ("By JANE DOE, Staff Writer", ["Doe, Jane"]),
        ("By Jane McDonald & J.K. ROWLING", ["McDonald, Jane", "Rowling, J.K."]),
        ("JANE MCDONALD", ["McDonald, Jane"]),
        ("J.K. ROWLING", ["Rowling, J.K."]),
        ("Doe, Jane", ["Doe, Jane"]),
        ("Martin Luther King, Jr.", ["King, Martin Luther, Jr."]),
        ("King, Martin Luther, Jr.", ["King, Martin Luther, Jr."]),
        ("Tom Howell Jr.", ["Howell, Tom, Jr."]),
        ("Vincent van Gogh", ["van Gogh, Vincent"]),
        ("José de la Cruz", ["de la Cruz, José"]),
        ("محمد علي", ["علي, محمد"]),
        ("王小明", ["王小明"]),
        ("Reuters", ["Reuters"]),
        ("AFP", ["AFP"]),
        ("Reuters, AFP", ["Reuters", "AFP"]),
        ("By the Associated Press", ["Associated Press"]),
        ("BBC News", ["BBC News"]),
        ("Jane Doe, Associated Press", ["Doe, Jane"]),
        ("Jane Doe, Reuters", ["Doe, Jane"]),
        ("Staff Writer", ["Staff Writer"]),
        ("Special to The Times", ["Special to The Times"]),
        ("Analysis Chris Cillizza", ["Cillizza, Chris"]),
        ("Garcia Marquez, Gabriel", ["Garcia Marquez, Gabriel"]),
        ("Jane Doe, London", ["Jane Doe, London"]),
        (", ;", []),
    ],
)
def test_a_byline_names_these(byline: str, expected: list[str]) -> None:
    assert [name.inverted for name in names_of([byline])] == expected


def test_a_name_is_said_as_people_say_it() -> None:
    assert [name.whole for name in names_of(["van Gogh, Vincent", "Tom Howell Jr.", "Reuters"])] == [
        "Vincent van Gogh",
        "Tom Howell, Jr.",
        "Reuters",
    ]


def test_what_is_not_cut_is_no_person_and_nobody_is_named_twice() -> None:
    assert names_of(["Reuters", "Jane Doe", "By Jane Doe"]) == [Name("Reuters"), Name("Doe", "Jane")]
    assert [name.is_person for name in names_of(["Reuters", "Jane Doe"])] == [False, True]


def test_a_byline_on_the_page_does_not_say_by_twice() -> None:
    assert [without_by(author) for author in ("By Jane Doe", "Byron Doe", "By", "")] == [
        "Jane Doe",
        "Byron Doe",
        "By",
        "",
    ]
