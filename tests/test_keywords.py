"""Typos get a hint."""

import pytest

from symcnn.errors import InputError
from symcnn.keywords import checked_keywords, nearest


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
