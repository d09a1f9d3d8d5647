"""Nothing a template does runs for ever or eats memory without bound, and nothing but a TemplateError comes out."""

import pytest
from dockcaddy import gotemplate
from dockcaddy.gotemplate import FunctionTable, TemplateError
from hypothesis import given, settings
from hypothesis import strategies as st

TABLE = FunctionTable({"up": lambda context, *options: "10.0.0.1", "env": lambda context, key: f"<{key}>"})


def render(text: str, data: object = None) -> str:
    return gotemplate.compile(text, TABLE).execute(data)


@pytest.mark.parametrize(
    "text",
    [
        '{{printf "%999999d" 1}}' * 3,
        "{{range 1000000000}}{{end}}",
        "{{range 1000000}}{{range 1000000}}x{{end}}{{end}}",
        '{{$x := "aaaaaaaaaaaaaaaa"}}{{range 64}}{{$x = print $x $x}}{{end}}',
        '{{$x := "aaaaaaaaaaaaaaaa"}}{{range 64}}{{$x = printf "%s%s%s" $x $x $x}}{{end}}',
        '{{$x := "<>"}}{{range 64}}{{$x = html $x $x}}{{end}}',
        '{{define "a"}}{{template "b"}}{{end}}{{define "b"}}{{template "a"}}{{end}}{{template "a"}}',
        '{{define "a"}}{{template "a"}}{{template "a"}}{{end}}{{template "a"}}',
        "{{" + "(" * 50_000 + "1" + ")" * 50_000 + "}}",
        "{{if 1}}" * 20_000 + "{{end}}" * 20_000,
        "{{if 0}}" + "{{else if 0}}" * 20_000 + "{{end}}",
        "x" * 2_000_000 + "{{1}}",
        "{{range 90000}}xxxxxxxxxxxxxxxxxxxxxxxxxxx{{end}}",
        "{{$a := 1}}" * 5_000,
    ],
)
def test_a_bomb_ends_with_a_clear_error(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text)
    assert len(caught.value.reason) < 500


LONG_TEXT = '{{$x := "<\u00e9>"}}{{range 16}}{{$x = print $x $x}}{{end}}'


@pytest.mark.parametrize(
    "work",
    [
        "len $x",
        "slice $x 1",
        "html $x",
        "js $x",
        'printf "%q" $x',
        'lt $x (print $x "a")',
        "eq $x" + " $x" * 500,
        "and" + " 1" * 1000,
        "print" + " 1" * 1000,
    ],
)
def test_work_whose_result_is_thrown_away_counts(work: str) -> None:
    with pytest.raises(TemplateError, match="exceeds the limit of 50000 steps"):
        render(LONG_TEXT + "{{range 90000}}{{$y := " + work + "}}{{end}}")


def test_a_loop_that_is_left_at_once_counts_what_was_sorted_for_it() -> None:
    labels = {f"label.{number}": "x" for number in range(5_000)}
    with pytest.raises(TemplateError, match="steps"):
        render("{{range 90000}}{{range $.labels}}{{break}}{{end}}{{end}}", {"labels": labels})


def test_looking_for_a_far_variable_counts() -> None:
    with pytest.raises(TemplateError, match="steps"):
        render("{{$far := 1}}" + "{{$x := 1}}" * 900 + "{{range 90000}}{{$y := $far}}{{end}}")


def test_a_loop_that_cannot_come_to_its_end_is_not_begun() -> None:
    begun: list[int] = []
    table = FunctionTable({"begin": lambda context: begun.append(1)})
    with pytest.raises(TemplateError, match="exceeds the limit of 50000 steps"):
        gotemplate.compile("{{range 1000000000}}{{begin}}{{end}}", table).execute(None)
    assert begun == []


def test_executions_that_share_their_usage_share_the_limits() -> None:
    usage = gotemplate.Usage()
    template = gotemplate.compile("{{range 30000}}{{end}}", TABLE)
    template.execute(None, usage=usage)
    with pytest.raises(TemplateError, match="steps"):
        template.execute(None, usage=usage)


def test_a_deep_template_counts_its_output_once() -> None:
    usage = gotemplate.Usage()
    text = "x" * 1000 + "{{" + "(" * 300 + "1" + ")" * 300 + "}}"
    assert gotemplate.compile(text, TABLE).execute(None, usage=usage) == "x" * 1000 + "1"
    assert usage.output == 1001


@pytest.mark.parametrize(
    "text", ['{{printf "%1000000000d" 1}}', '{{printf "%.999999999f" 1.5}}', '{{printf "%*d" 1000000000 1}}']
)
def test_an_absurd_width_is_complained_about_as_go_does(text: str) -> None:
    assert len(render(text)) < 100


def test_what_is_within_the_limits_works() -> None:
    assert render("{{" + "(" * 300 + "1" + ")" * 300 + "}}") == "1"
    assert render("{{range 1000}}x{{end}}") == "x" * 1000
    assert render("{{if 1}}" * 400 + "deep" + "{{end}}" * 400) == "deep"


def test_an_unknown_function_is_told_with_the_nearest_known_one() -> None:
    with pytest.raises(gotemplate.ParseError) as caught:
        render("{{evn 1}}")
    assert (caught.value.reason, caught.value.suggestion) == ('function "evn" not defined', "env")


def test_what_a_function_raises_names_the_function() -> None:
    def fails(context: object) -> str:
        raise ValueError("no luck")

    with pytest.raises(gotemplate.ExecError, match="error calling fails: no luck"):
        gotemplate.compile("{{fails}}", FunctionTable({"fails": fails})).execute(None)


def test_arguments_are_held_to_the_annotations() -> None:
    def takes(context: object, count: int, name: str = "x") -> str:
        return name * count

    table = FunctionTable({"takes": takes})
    assert gotemplate.compile('{{takes 2 "a"}}{{takes 1}}', table).execute(None) == "aax"
    with pytest.raises(gotemplate.ExecError, match="expected integer"):
        gotemplate.compile('{{takes "2"}}', table).execute(None)


PIECES = st.sampled_from(
    ["{{", "}}", "{{-", "-}}", "if", " ", "range", "end", "else", "with", ".", "$x", ":=", "=", "|", "(", ")", '"a"']
    + [
        "1",
        "0x1p-2",
        "'a'",
        "up",
        "env",
        "printf",
        "index",
        "slice",
        "len",
        ".a.b",
        "nil",
        "true",
        "/*",
        "*/",
        "\n",
        "`",
    ]
    + ["define", "template", "block", "break", "continue", "%d", "1i", "eq", "and", "not", "html", "call", ","]
)


@settings(max_examples=400)
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=25).map("".join))
def test_any_text_gives_text_or_a_template_error(text: str) -> None:
    try:
        result = render(text, {"a": {"b": [1, "x", None]}})
    except TemplateError as error:
        assert error.reason
    else:
        assert isinstance(result, str)


@pytest.mark.parametrize(
    "use", ["index $d.s 5", "len $d.s", "eq $d.s $d.s", "print $d.s | len", "index $.list 0 | len"]
)
def test_a_long_text_counts_wherever_it_is_held(use: str) -> None:
    data = {"list": ["\u00e9" * 200_000]}
    table = FunctionTable({"holding": lambda context: {"s": "\u00e9" * 200_000}})
    with pytest.raises(TemplateError, match="limit of 50000 steps"):
        gotemplate.compile("{{$d := holding}}{{range 20}}{{$x := " + use + "}}{{end}}", table).execute(data)
