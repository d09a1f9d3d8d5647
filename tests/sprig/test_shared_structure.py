"""A list that holds itself twice, nested n times, has 2^n leaves: whatever looks into it counts what it looks at.

Work is counted in calls of functions, Python's and C's, never timed.
"""

import sys
from types import FrameType

import pytest
from attrs import evolve
from dockcaddy import gotemplate, testing
from dockcaddy.compile.kept_values import KeptValues
from dockcaddy.compile.rendering import ResourceContext

# how many one step may cause
CALLS_PER_STEP = 40

LISTS = "{{$l := list}}{{$m := list}}{{range until 40}}{{$l = list $l $l}}{{$m = list $m $m}}{{end}}"
DICTS = '{{$l := dict}}{{$m := dict}}{{range until 40}}{{$l = dict "a" $l "b" $l}}{{$m = dict "a" $m "b" $m}}{{end}}'
CYCLE = '{{$l := dict "a" (dict)}}{{$_ := set $l.a "b" $l}}{{$m := dict "a" (dict)}}{{$_ := set $m.a "b" $m}}'
CALLS = (
    "{{deepEqual $l $m}}", "{{has $l (list $m)}}", "{{uniq (list $l $m)}}", "{{without (list $l) $m}}", "{{toJson $l}}",
    "{{mustToJson $l}}", "{{toPrettyJson $l}}", "{{toRawJson $l}}", "{{toString $l}}", "{{$l}}", "{{print $l}}", "{{println $l}}",
    '{{printf "%v" $l}}', '{{printf "%.0s" $l}}', '{{printf "%#v %T" $l $l}}', '{{printf "" $l}}', '{{printf "%d" $l}}',
    '{{join "" (list $l $l)}}', "{{toStrings (list $l)}}", "{{sortAlpha (list $l $l)}}", "{{cat $l $l}}", "{{quote $l}}",
    "{{squote $l}}", "{{html $l}}", "{{js $l}}", "{{urlquery $l}}", "{{dict $l 1}}", "{{mustDeepCopy $l}}", "{{deepCopy $l}}",
    "{{toDecimal $l}}", '{{$d := dict "a" $l "c" 1}}{{mergeOverwrite $d (dict "a" $m)}}', "{{eq $l $m}}",
    '{{genSelfSignedCert "a" (list $l) nil 1}}', '{{genSelfSignedCert "a" nil (list $l) 1}}',
    "{{range until 20000}}{{$x := deepEqual $l $l}}{{end}}", "{{range until 20000}}{{$x := toJson (list $l 1.5)}}{{end}}",
)  # fmt: skip
# what costs much each time, and gives little
OFTEN = (
    '{{$l := list}}{{range until 12}}{{$l = list $l $l}}{{end}}{{range until 1000}}{{$x := printf "%v" $l}}{{end}}',
    '{{$l := list "+Inf"}}{{range until 12}}{{$l = list $l $l}}{{end}}{{$l := list $l (divf 1e308 1e-308)}}{{range until 9999}}{{$x := toJson $l}}{{end}}',
    '{{$l := list (float64 "NaN")}}{{range until 12}}{{$l = prepend $l 1}}{{end}}{{range until 9999}}{{$x := toJson $l}}{{end}}',
    '{{$k := repeat 5000 "k"}}{{$d := dict $k 1}}{{range until 14}}{{$d = dict "a" $d "b" $d}}{{end}}{{toJson $d}}',
    '{{$d := dict "a" (dict)}}{{$_ := set $d.a "b" $d}}{{range until 20000}}{{$x := $d' + ".a.b" * 3_000 + "}}{{end}}",
    "{{" + "(call " * 900 + "1 " * 20_000 + ")" * 900 + "}}",
    '{{$d := dict}}{{range until 1500}}{{$_ := set $d (toString .) 1}}{{end}}{{omit $d ' + '"x" ' * 4_000 + "}}",
    '{{$d := dict}}{{range until 150}}{{$_ := set $d (toString .) 1}}{{end}}{{keys ' + "$d " * 4_000 + "}}",
    '{{$s := repeat 200000 "x"}}{{$l := list $s}}{{range until 12}}{{$l = concat $l $l}}{{end}}{{sortAlpha $l | len}}',
    '{{$s := repeat 200000 "x"}}{{$l := list $s}}{{range until 12}}{{$l = concat $l $l}}{{end}}{{has (printf "%sy" $s) $l}}',
    '{{$s := repeat 200000 "x"}}{{$l := list $s}}{{range until 7}}{{$l = concat $l $l}}{{end}}{{join "" $l | len}}',
    '{{$d := dict "s" (repeat 200000 "\u00e9")}}{{range until 20000}}{{$x := initials $d.s}}{{$x = quote $d.s | len}}{{end}}',
    '{{$u := urlParse "http://a@b"}}{{$_ := set $u "userinfo" (repeat 200000 "a")}}{{range until 9999}}{{$x := urlJoin $u}}{{end}}',
    '{{printf (repeat 131072 "%[") 1}}', '{{regexReplaceAll "" "xx" (repeat 60000 "$a") | len}}',
    '{{regexReplaceAll "" (repeat 1000 "x") (repeat 60000 "$a") | len}}', '{{regexReplaceAll "." "x" (printf "$%s" (repeat 200000 "a"))}}',
    '{{regexMatch (repeat 1300 "()") (repeat 5000 "x")}}{{regexMatch (repeat 1300 "(a)|") (repeat 5000 "x")}}',
    '{{regexReplaceAllLiteral "" (repeat 20000 "x") (repeat 12 "y") | len}}', '{{range until 3000}}{{$x := regexMatch (printf "%s(" (repeat 3900 "a")) ""}}{{end}}',
    '{{define "a"}}{{template "a"}}{{template "a"}}{{end}}{{template "a"}}', '{{range until 20000}}{{$x := seq 1 5000}}{{end}}',
    '{{range until 20000}}{{$x := until 10000}}{{end}}', '{{$s := repeat 65536 "aB"}}{{range until 9}}{{$x := snakecase $s}}{{end}}',
)  # fmt: skip


class TooMuchWork(BaseException):
    """Nothing in the project catches it."""


@pytest.fixture(scope="module")
def context() -> ResourceContext:
    return testing.context(testing.container())


def calls_per_step(template: str, shared: ResourceContext, steps: int = gotemplate.DEFAULT.steps) -> float:
    """How many functions were called until the template was rendered or refused, for each step that it may take."""
    calls = 0
    table = gotemplate.FunctionTable(shared.registry.callables())
    context = evolve(shared, usage=gotemplate.Usage(gotemplate.DEFAULT.steps - steps), kept=KeptValues())

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")
        if calls > CALLS_PER_STEP * steps:
            sys.setprofile(None)
            raise TooMuchWork(template[:200])

    sys.setprofile(count)
    try:
        gotemplate.compile(template, table).execute(context.resource.record, context, usage=context.usage)
    except gotemplate.TemplateError:
        pass
    finally:
        sys.setprofile(None)
    return calls / steps


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("structure", [LISTS, DICTS, CYCLE])
def test_shared_structure_costs_no_more_than_the_steps_of_a_template(
    context: ResourceContext, structure: str, call: str
) -> None:
    assert calls_per_step(structure + call, context, 3_000) <= CALLS_PER_STEP


@pytest.mark.parametrize("template", OFTEN)
def test_work_is_counted_although_its_result_is_short(context: ResourceContext, template: str) -> None:
    assert calls_per_step(template, context, 25_000) <= CALLS_PER_STEP
