import pytest

from jaxsearch.core.names import MOST_SHOWN, check_name


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("lenght", ["length", "width"], "Unknown column 'lenght'. Did you mean length?"),
        ("q", ["length", "width"], "Unknown column 'q'. Use one of length, width."),
        ("q", ["two\nlines"], "Unknown column 'q'. Use one of two lines."),
        ("q", ["x"] * 10_000, f"Unknown column 'q'. Use one of {', '.join('x' * MOST_SHOWN)} and 9980 more."),
    ],
)
def test_an_unknown_name_gets_a_short_answer(name, known, message):
    with pytest.raises(ValueError, match="^Unknown column") as error:
        check_name("column", name, known)
    assert str(error.value) == message


def test_a_known_name_passes():
    check_name("column", "a", ["a", "b"])
