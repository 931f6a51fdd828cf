"""Key presses that send, break a line, or are a shortcut: input methods, layouts, touch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capstone.page import javascript

pytestmark = pytest.mark.service("node")

ENTER = {"key": "Enter", "code": "Enter", "keyCode": 13}


def sends(events: list[dict[str, Any]], *, touch: bool = False) -> list[bool]:
    found: list[bool] = javascript.run(
        """
        const { isEnterToSend } = await import("./browser/keys.js");
        const [events, touch] = given;
        console.log(JSON.stringify(events.map((event) => isEnterToSend(event, touch))));
        """,
        [events, touch],
    )
    return found


def shortcut(events: list[dict[str, Any]], platform: str = "Linux x86_64") -> list[bool]:
    found: list[bool] = javascript.run(
        """
        const [events, platform] = given;
        Object.defineProperty(globalThis, "navigator", { value: { platform } });
        const { isShortcut } = await import("./browser/keys.js");
        console.log(JSON.stringify(events.map((event) => isShortcut(event, "k"))));
        """,
        [events, platform],
    )
    return found


def test_enter_sends_but_not_while_an_input_method_uses_it() -> None:
    assert sends([ENTER, ENTER | {"code": "NumpadEnter"}, ENTER | {"ctrlKey": True}]) == [True] * 3
    assert (
        sends(
            [
                ENTER | {"isComposing": True},
                ENTER | {"keyCode": 229},  # Safari, after the composition has ended
                ENTER | {"isComposing": True, "keyCode": 229},
                {"key": "Process", "code": "Enter", "keyCode": 229},
                ENTER | {"shiftKey": True},
                ENTER | {"altKey": True},
                {"key": "Unidentified", "keyCode": 229},
                {},
            ]
        )
        == [False] * 8
    )


def test_on_a_touch_keyboard_enter_breaks_the_line() -> None:
    assert sends([ENTER, ENTER | {"shiftKey": True}], touch=True) == [False, False]
    attached = [ENTER | {"ctrlKey": True}, ENTER | {"metaKey": True}]
    assert sends(attached, touch=True) == [True, True]
    assert sends([attached[0] | {"keyCode": 229}], touch=True) == [False]


def test_a_shortcut_works_by_position_where_there_are_no_latin_letters() -> None:
    control = {"ctrlKey": True}
    assert (
        shortcut(
            [
                {"key": "k", "code": "KeyK"} | control,
                {"key": "K", "code": "KeyK"} | control,  # Caps Lock
                {"key": "л", "code": "KeyK"} | control,  # Russian
                {"key": "Л", "code": "KeyK"} | control,
                {"key": "κ", "code": "KeyK"} | control,
                {"key": "ל", "code": "KeyK"} | control,
                {"key": "k", "code": "KeyV"} | control,  # Dvorak
                {"code": "KeyK"} | control,
                {"key": "k", "code": "KeyK", "metaKey": True},
            ]
        )
        == [True] * 9
    )
    assert (
        shortcut(
            [
                {"key": "t", "code": "KeyK"} | control,  # Dvorak: another shortcut
                {"key": "л", "code": "KeyG"} | control,
                {"key": "k", "code": "KeyK"},
                {"key": "ł", "code": "KeyK", "altKey": True} | control,  # AltGr
                {"key": "K", "code": "KeyK", "shiftKey": True} | control,  # Firefox's console
                {"key": "k", "code": "KeyK", "isComposing": True} | control,
                {"key": "Process", "code": "KeyK", "keyCode": 229} | control,
                control,
            ]
        )
        == [False] * 8
    )


def test_on_apple_keyboards_control_k_belongs_to_the_text_field() -> None:
    control, command = ({"key": "л", "code": "KeyK", name: True} for name in ("ctrlKey", "metaKey"))
    for platform in "MacIntel", "iPhone", "iPad":
        assert shortcut([control, command], platform) == [False, True]


VALUES = st.one_of(
    st.none(), st.sampled_from(["Enter", "k", "л", "KeyK", "Process", ""]), st.text(max_size=3)
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "key": VALUES,
        "code": VALUES,
        "keyCode": st.sampled_from([0, 13, 75, 229]),
        **{
            name: st.booleans()
            for name in ("isComposing", "altKey", "ctrlKey", "metaKey", "shiftKey")
        },
    },
)


@given(st.lists(EVENTS, min_size=200, max_size=400), st.booleans())
@javascript.FEW
def test_no_event_throws_and_none_of_an_input_method_does_anything(
    events: list[dict[str, Any]], touch: bool
) -> None:
    done = zip(events, sends(events, touch=touch), shortcut(events), strict=True)
    for event, is_sent, is_shortcut in done:
        if event.get("isComposing") or event.get("keyCode") == 229:
            assert (is_sent, is_shortcut) == (False, False)
        assert not (is_sent and is_shortcut)
