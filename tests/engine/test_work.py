"""Calls in threads of their own."""

import threading
import weakref

from dockcaddy.engine.api.work import Threads


class Answer:
    """What a call may return."""


def test_a_thread_that_waits_for_the_next_call_does_not_keep_the_last_answer() -> None:
    work, is_gone = Threads(), threading.Event()

    def ask() -> Answer:
        made = Answer()
        weakref.finalize(made, is_gone.set)
        return made

    taken: list[bool] = []
    work.perform(ask, lambda answer: taken.append(isinstance(answer, Answer)))
    assert is_gone.wait(10)
    assert taken == [True]
    work.close()


def test_what_a_call_raises_is_its_answer() -> None:
    work, is_done = Threads(), threading.Event()
    taken: list[object] = []

    def take(answer: object) -> None:
        taken.append(answer)
        is_done.set()

    error = OSError("no")

    def ask() -> None:
        raise error

    work.perform(ask, take)
    assert is_done.wait(10)
    assert taken == [error]
    work.close()


def test_a_call_that_begins_with_an_answer_takes_no_further_thread() -> None:
    work, is_done = Threads(), threading.Event()
    used: list[str] = []

    def take(left: int) -> None:
        used.append(threading.current_thread().name + str(threading.get_ident()))
        if left:
            work.perform(lambda: left - 1, take)
        else:
            is_done.set()

    work.perform(lambda: 50, take)
    assert is_done.wait(10)
    assert len(used) == 51 and len(set(used)) == 1
    work.close()
