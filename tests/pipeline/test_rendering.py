"""What one resource may cost, whatever its labels say: time, memory, and what people have to read about it."""

from dockcaddy import testing
from dockcaddy.errors import LONGEST_MESSAGE
from dockcaddy.rendering import MOST_TEMPLATE_TEXT, MOST_WARNINGS, Fragment


def rendered(labels: dict[str, str]) -> Fragment:
    """The fragment of a container with a site and these labels."""
    return testing.fragment(testing.container(labels={"caddy": "x.org", **labels}))


def test_the_templates_of_one_resource_share_their_limits() -> None:
    one = {"caddy.0_respond": "{{range 30000}}{{end}}ok"}
    assert rendered(one).problems == ()
    (problem,) = rendered(one | {"caddy.1_respond": "{{range 30000}}{{end}}ok"}).problems
    assert "the limit of 50000 steps" in problem.message


def test_the_text_of_one_resources_templates_is_bounded() -> None:
    half = "{{1}}" * (MOST_TEMPLATE_TEXT // 9)
    assert rendered({"caddy.0_respond": half}).problems == ()
    (problem,) = rendered({"caddy.0_respond": half, "caddy.1_respond": half + " "}).problems
    assert (problem.label, problem.message) == (
        "caddy.1_respond",
        f"the templates are longer than {MOST_TEMPLATE_TEXT} characters together",
    )


def test_warnings_in_a_loop_are_told_a_few_times() -> None:
    fragment = rendered({"caddy.respond": "{{range $i := 5000}}{{$x := env (print $i)}}{{end}}ok"})
    assert len(fragment.problems) == MOST_WARNINGS
    assert fragment.blocks


def test_what_is_told_is_short_however_long_the_text_is_that_it_is_about() -> None:
    long = "a" * 30_000
    told = [
        *rendered({"caddy.respond": '{{env "' + long + '"}}'}).problems,
        *rendered({"caddy.respond": "{{" + long + "}}"}).problems,
        *rendered({"caddy": '{{print "' + long + '."}}'}).problems,
    ]
    assert len(told) == 3
    assert [each for each in told if len(each.message) > LONGEST_MESSAGE] == []


def test_what_is_told_is_one_line_whatever_the_text_is_that_it_is_about() -> None:
    (problem,) = rendered({"caddy": '{{print "x\\n\\x1b[2J."}}'}).problems
    assert problem.message.isprintable()
    (problem,) = rendered({"caddy.a\nb": "x"}).problems
    assert str(problem).isprintable()
