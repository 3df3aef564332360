from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.stages.strict import strict


async def test_every_call_is_all_or_nothing() -> None:
    seen: list[bool] = []

    async def ask(call: Call) -> Answer:
        seen.append(call.strict)
        return Answer(Burst([]), None, lambda: None)

    for insists in (False, True):
        call = Call(b"", "openai_chat", "m", list, stream=False)
        call.strict = insists
        await strict(ask)(call)
    assert seen == [True, True]
