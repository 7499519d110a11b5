"""Which pages of a list are named at its foot: the first, those beside the one that is read, and the last. Pure."""

BESIDE = 2  # pages on either side


def page_numbers(number: int, last: int) -> list[int | None]:
    """Return the numbers in order, None where some are left out."""
    wanted = {1, last, *range(max(1, number - BESIDE), min(last, number + BESIDE) + 1)}
    numbers: list[int | None] = []
    before = 0
    for page in sorted(wanted):
        if page == before + 2:
            numbers.append(before + 1)  # a gap takes as much room
        elif page > before + 1:
            numbers.append(None)
        numbers.append(page)
        before = page
    return numbers
