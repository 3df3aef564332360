from dragoman.core.ask import Answer, Ask, Stage, chain
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.events import Text


async def answer_nothing(call: Call) -> Answer:
    return Answer(Burst([]), None, lambda: None)


def note(name: str, seen: list[str]) -> Stage:
    def stage(ask: Ask) -> Ask:
        async def noted(call: Call) -> Answer:
            seen.append(f"{name} asks")
            answer = await ask(call)
            seen.append(f"{name} has an answer")
            return answer

        return noted

    return stage


async def test_the_first_stage_is_the_outermost() -> None:
    seen: list[str] = []
    ask = chain(answer_nothing, note("limit", seen), note("retry", seen))
    await ask(Call(b"{}", "openai_chat", "m", list, stream=False))
    assert seen == ["limit asks", "retry asks", "retry has an answer", "limit has an answer"]


def test_no_stage_costs_nothing() -> None:
    assert chain(answer_nothing) is answer_nothing


def test_an_answer_is_closed_by_whoever_holds_it() -> None:
    closed: list[bool] = []
    answer = Answer(Burst([Text("a")]), None, lambda: closed.append(True))
    answer.close()
    assert (answer.first.events, answer.rest, closed) == ([Text("a")], None, [True])
