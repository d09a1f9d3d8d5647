"""Labels are not trusted: no argument makes a function run for ever or fill the memory. Work is counted, not timed."""

import pytest
from dockcaddy import gotemplate, testing
from dockcaddy.plugins.registry import Registry
from dockcaddy_sprig.go import LONGEST, MOST_ELEMENTS

STEPS = gotemplate.DEFAULT.steps

TOO_MUCH = (
    '{{repeat 1000000000 "x"}}', '{{"x" | repeat 262145}}', "{{until 1000000000}}", "{{untilStep 0 1000000000 1}}",
    "{{seq 1 1000000000}}", "{{randAlpha 1000000000}}", "{{randBytes 1000000000}}", '{{indent 1000000000 "x"}}',
    '{{wrapWith 1 (repeat 1000 "y") (repeat 1000 "x")}}', '{{replace "x" (repeat 1000 "y") (repeat 1000 "x")}}',
    '{{join (repeat 1000 "y") (until 1000)}}', '{{regexReplaceAll "" (repeat 1000 "x") (repeat 1000 "y")}}',
    '{{splitList "" (repeat 30000 "x")}}', '{{range until 100}}{{genPrivateKey "rsa" | trunc 0}}{{end}}',
    '{{range until 1000}}{{bcrypt "x" | trunc 0}}{{end}}', '{{range until 10000}}{{randAlpha 1}}{{end}}',
    '{{range until 1000}}{{derivePassword 1 "pin" "a" "b" "c"}}{{end}}', '{{uniq (until 20000)}}',
    '{{without (until 20000) 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30}}',
    '{{$d := dict}}{{range until 200}}{{$d = dict "a" $d}}{{end}}{{mustToJson $d}}', '{{$d := dict}}{{$_ := set $d "a" $d}}',
    '{{$d := dict "a" (dict)}}{{$_ := set $d.a "b" $d}}{{mustToJson $d}}', '{{$d := dict "a" (dict)}}{{$_ := set $d.a "b" $d}}{{$d}}',
    '{{$d := dict "a" (dict)}}{{$_ := set $d.a "b" $d}}{{deepCopy $d}}', '{{fromJson (repeat 5000 "[")}}',
    '{{mulf 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300 1e300}}',
    '{{regexMatch "((a{100}){10}){10}" "a"}}{{regexFind "((a{100}){10}){10}" "a"}}', '{{regexFind (repeat 5000 "(") "a"}}',
    '{{regexMatch "(a*)*(b*)*(c*)*[^x]*y" (repeat 200000 "x")}}', '{{regexFindAll "a*b|c*d|[a-z]{1,300}!" (repeat 100000 "a") -1}}',
    '{{dateModify "9223372036s" (dateModify "9223372036s" now) | date (repeat 200000 "2006")}}',
    '{{semverCompare (repeat 10000 "1") "1"}}',
)  # fmt: skip
FINE = (
    ('{{regexMatch "^(a+)+$" (printf "%sb" (repeat 300 "a"))}}', "false"),
    ('{{regexMatch "(x+x+)+y" (repeat 300 "x")}}', "false"),
    ('{{regexReplaceAll "(a|aa)+$" (printf "%sb" (repeat 200 "a")) "" | len}}', "201"),
    ('{{len (repeat 1000 "x")}}', "1000"),
    ("{{len (until 1000)}}", "1000"),
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return testing.registry_with()


@pytest.mark.parametrize("template", TOO_MUCH)
def test_too_much_is_refused(template: str) -> None:
    with pytest.raises(
        gotemplate.TemplateError, match=r"limit|deep|large|more than|itself|invalid repeat|improper|digits|cycle"
    ):
        testing.render(template, testing.container())


@pytest.mark.parametrize(("template", "made"), FINE)
def test_what_labels_need_is_within_the_bounds(template: str, made: str) -> None:
    assert testing.render(template, testing.container()) == made


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(a*)*b", "(.*a){5}", "(x?){20}x{20}"])
def test_an_expressions_work_grows_with_the_text_alone(pattern: str) -> None:
    def work(length: int) -> int:
        counted: list[int] = []
        gotemplate.compile_regexp(pattern, counted.append).search("a" * length + "!", 0)
        return sum(counted)

    assert work(400) < 3 * work(200)


def test_the_bounds_are_far_above_what_labels_hold() -> None:
    assert LONGEST >= 64 * 1024 and MOST_ELEMENTS >= 10_000 and STEPS >= 10_000
