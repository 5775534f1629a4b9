"""Typos get a hint, and numbers that are none an error."""

import numpy as np
import pytest

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, checked_number, nearest


def test_nearest():
    assert nearest("momentun", ["momentum", "rate"]) == "did you mean 'momentum'?"
    assert nearest("xyz", ["momentum", "rate"]) == "known: momentum, rate"


def test_known_keywords_pass_and_open_signatures_stay():
    assert checked_keywords(lambda a, b=2: (a, b))(1, b=3) == (1, 3)
    open_function = lambda **options: options  # noqa: E731
    assert checked_keywords(open_function) is open_function


def test_missing_arguments_stay_type_errors():
    @checked_keywords
    def f(a, *, b):
        return a

    with pytest.raises(TypeError):
        f(1)
    with pytest.raises(InputError, match="has no keyword 'c'"):
        f(1, c=2)


@pytest.mark.parametrize("value", [3, 0.5, np.float32(0.5), np.int64(3), 0])
def test_numbers_pass_as_floats(value):
    found = checked_number("rate", value, 0)
    assert type(found) is float and found == value


@pytest.mark.parametrize(
    "value", ["3", None, [3.0], True, 3j, np.ones(2), -1, 5, float("nan"), float("inf"), float("-inf")]
)
def test_what_is_no_number_or_lies_outside(value):
    with pytest.raises(InputError, match="the rate is") as error:
        checked_number("the rate", value, 0, 5)
    assert error.value.expected == "0 <= rate < 5"
    with pytest.raises(InputError):
        checked_number("the rate", 0, 0, 5, strict=True)
    with pytest.raises(InputError):
        checked_number("the rate", float("-inf"))
