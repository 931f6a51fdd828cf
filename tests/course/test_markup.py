"""HTML is read by its meaning: a check must not depend on how a learner writes it."""

from course.testing.markup import elements


def test_quotes_case_and_order_do_not_matter() -> None:
    for text in (
        '<input name="a" value="x y">',
        "<INPUT value='x y' NAME=a>",
        '<input value="x&#32;y" name=a />',
    ):
        (field,) = elements(text)
        assert field.tag == "input"
        assert field.attributes == {"name": "a", "value": "x y"}


def test_the_text_of_an_element_is_that_of_its_children_too() -> None:
    page = {each.tag: each for each in elements("<main>a<p>b &lt;<b>c</b></main>d")}
    assert page["main"].text == "ab <c"
    assert page["p"].text == "b <c"
    assert page["b"].is_in("main")
    assert not page["main"].is_in("main")


def test_end_tags_may_be_left_out() -> None:
    items = [each.text for each in elements("<ul><li>a<li>b</ul>c") if each.tag == "li"]
    assert items == ["a", "b"]


def test_an_end_tag_too_many_is_ignored() -> None:
    assert [each.text for each in elements("<p>a</b></p></p>b")] == ["a"]


def test_a_void_element_contains_nothing() -> None:
    assert [(each.tag, each.text) for each in elements("<br>a<p>b<img>c</p>")] == [
        ("br", ""),
        ("p", "bc"),
        ("img", ""),
    ]


def test_a_script_is_text() -> None:
    (script,) = elements("<script>let a = '<b>';</script>")
    assert script.text == "let a = '<b>';"
