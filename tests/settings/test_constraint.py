"""The constraint: what its expressions mean, and where they are wrong."""

import re

import pytest
from dockcaddy.settings.constraint import Constraint, Subject
from hypothesis import given
from hypothesis import strategies as st

WEB = Subject(
    "shop-web-1", {"zone": "public", "empty": "", "com.docker.compose.project": "shop"}, ("shop_default", "edge")
)
TASK = Subject("blog_web", {"com.docker.stack.namespace": "blog"}, ("edge",))


@pytest.mark.parametrize(
    ("text", "is_admitted"),
    [
        ("", True),
        ("  ", True),
        ("Label(`zone`, `public`)", True),
        ("Label(`zone`,`internal`)", False),
        ('Label("zone", "public")', True),
        ("Label(`zone`)", True),
        ("Label(`empty`)", True),
        ("Label(`empty`, ``)", True),
        ("Label(`other`)", False),
        ("Label(`other`, ``)", False),
        ("LabelRegex(`zone`, `^pub`)", True),
        ("LabelRegex(`zone`, `^lic`)", False),
        ("LabelRegex(`other`, `.*`)", False),
        ("Name(`shop-web-1`)", True),
        ("Name(`shop-web`)", False),
        ("NameRegex(`^shop-`)", True),
        ("Network(`edge`)", True),
        ("Network(`default`)", False),
        ("NetworkRegex(`_default$`)", True),
        ("Project(`shop`)", True),
        ("ProjectRegex(`^(shop|blog)$`)", True),
        ("!Label(`zone`)", False),
        ("!!Label(`zone`)", True),
        ("! ( Label(`zone`) )", False),
        ("Label(`zone`) && Name(`x`)", False),
        ("Label(`zone`) || Name(`x`)", True),
        # && binds more closely than ||, and ! than both
        ("Name(`shop-web-1`) || Name(`x`) && Name(`y`)", True),
        ("(Name(`shop-web-1`) || Name(`x`)) && Name(`y`)", False),
        ("!Name(`x`) && !Name(`y`)", True),
        ("!(Name(`x`) || Name(`shop-web-1`))", False),
        ('NameRegex("^shop-web-\\\\d$")', True),
        ('Label("a\\"b")', False),
    ],
)
def test_what_an_expression_means(text: str, is_admitted: bool) -> None:
    assert Constraint.parse(text).admits(WEB) is is_admitted


def test_a_stack_is_a_project() -> None:
    assert Constraint.parse("Project(`blog`)").admits(TASK)
    assert not Constraint.parse("Project(`blog`)").admits(Subject("x", {}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Label(`a`", "column 10: expected ), not the end"),
        ("Label(a)", 'column 7: expected a text in backticks or double quotes, not "a"'),
        ("Label('a')", 'column 7: unexpected "\'", a text is written in backticks or double quotes'),
        ("Label(`a)", "column 7: the text that begins here has no end"),
        ('Name("a', "column 6: the text that begins here has no end"),
        ("Label()", 'column 7: expected a text in backticks or double quotes, not ")"'),
        ("Label(`a`, `b`, `c`)", "column 1: Label takes 1 or 2 texts, not 3"),
        ("Name(`a`, `b`)", "column 1: Name takes 1 text, not 2"),
        ("LabelRegex(`a`)", "column 1: LabelRegex takes 2 texts, not 1"),
        ("Labels(`a`)", 'column 1: no function is named "Labels", did you mean Label'),
        ("LabelRegexp(`a`, `b`)", 'column 1: no function is named "LabelRegexp", did you mean LabelRegex'),
        ("X(`a`)", 'column 1: no function is named "X", there are Label, LabelRegex, Name, '),
        ("Name(`a`) & Name(`b`)", 'column 11: unexpected "&", write &&'),
        ("Name(`a`) | Name(`b`)", 'column 11: unexpected "|", write ||'),
        ("Name(`a`) Name(`b`)", 'column 11: expected && or ||, not "Name"'),
        ("Name(`a`) &&", "column 13: expected one of Label, "),
        ("&& Name(`a`)", "column 1: expected one of Label, "),
        ("()", "column 2: expected one of Label, "),
        ("Name(`a`))", 'column 10: expected && or ||, not ")"'),
        ("Name`a`", "column 5: expected (, not `a`"),
        ("NameRegex(`(`)", "column 11: `(` is no regular expression: "),
        ('Name("a\\d")', 'column 8: unknown escape "\\d", write the text in backticks'),
        ("zone=public", 'column 5: unexpected "="'),
        ("(" * 101 + "Name(`a`)" + ")" * 101, "column 101: more than 100 levels of ! and ("),
    ],
)
def test_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Constraint.parse(text)


LEAVES = st.sampled_from(
    ["Label(`zone`)", "Label(`x`)", "Name(`shop-web-1`)", "Network(`none`)", "Project(`shop`)", "NameRegex(`x`)"]
)
EXPRESSIONS = st.recursive(
    LEAVES.map(lambda text: (text, Constraint.parse(text).admits(WEB))),
    lambda inner: st.one_of(
        inner.map(lambda each: (f"!({each[0]})", not each[1])),
        st.tuples(inner, inner).map(lambda two: (f"({two[0][0]}) && ({two[1][0]})", two[0][1] and two[1][1])),
        st.tuples(inner, inner).map(lambda two: (f"({two[0][0]})||({two[1][0]})", two[0][1] or two[1][1])),
    ),
    max_leaves=20,
)


@given(EXPRESSIONS)
def test_expressions_within_expressions(expression: tuple[str, bool]) -> None:
    text, is_admitted = expression
    assert Constraint.parse(text).admits(WEB) is is_admitted


@given(st.text(alphabet="LabelNm(`\"')!&|, \\x", max_size=40))
def test_any_text_is_a_constraint_or_an_error_with_its_column(text: str) -> None:
    try:
        Constraint.parse(text).admits(WEB)
    except ValueError as error:
        assert re.match(r"column \d+: ", str(error)), text


@given(st.text(alphabet=st.characters(exclude_characters="`")))
def test_a_text_in_backticks_is_itself(name: str) -> None:
    assert Constraint.parse(f"Name(`{name}`)").admits(Subject(name, {}))
