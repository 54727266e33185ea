import pytest

import jaxsearch as js


def test_round_trip():
    space = {
        "f": js.Float(1e-3, 1, log=True, shape=(2,)),
        "i": [js.Int(1, 9, log=True), (js.Int(-3, 3),)],
        "ordered": js.Choice(1, 2.5, ordered=True),
        "c": js.Choice("a", None, 1, 1.0, True, (1, 2), [3], {"k": (4,)}, float("inf")),
        "s": js.Switch(z={}, a={"inner": js.Switch(x={}, y=js.Float(0, 1))}),
    }
    again = js.from_json(js.to_json(space))
    assert again == space
    assert list(again["s"].branches) == ["z", "a"]


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="Name it with a string"):
        js.to_json(js.Choice(len))


@pytest.mark.parametrize("text", ["", "{", '{"Nothing": []}', '{"Float": {}}', '{"Float": 3}', '{"a": 1, "b": 2}'])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="to_json"):
        js.from_json(text)
