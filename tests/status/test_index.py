"""Names by what they belong to."""

from dockcaddy.status.index import Index


def test_a_name_is_there_once_until_it_is_forgotten() -> None:
    made = Index()
    for name in ("a", "b", "a"):
        made.add("owner", name)
    assert made.at("owner") == ("a", "b")
    made.remove("owner", "a")
    made.remove("owner", "never there")
    assert made.at("owner") == ("b",) and made.at("nobody") == ()
    made.remove("owner", "b")
    assert made == Index()
