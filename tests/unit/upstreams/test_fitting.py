"""Which dialect serves a call to one model."""

from dragoman.core.call import Call, Task
from dragoman.core.message import Request
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.dialects import outbound
from dragoman.upstreams.fitting import Fitting

CHATS = [outbound("openai_chat"), outbound("anthropic_messages")]
ALL = [*CHATS, outbound("openai_images")]


def call(dialect: str, task: Task = "chat") -> Call:
    return Call(b"{}", dialect, "m", lambda: [Request("m", [])], False, task=task)


def names(fitting: Fitting, asked: Call) -> tuple[str | None, str | None]:
    """Return what serves the client's own dialect, and what serves those of others."""
    own, main = fitting.own(asked), fitting.main(asked)
    return own.name if own else None, main.name if main else None


def test_a_client_is_served_in_its_own_dialect_or_in_the_first_for_its_task() -> None:
    fitting = Fitting(ALL, NO_QUIRKS, {})
    assert names(fitting, call("anthropic_messages")) == ("anthropic_messages", "openai_chat")
    assert names(fitting, call("ollama_chat")) == (None, "openai_chat")
    assert names(fitting, call("openai_images", "image")) == ("openai_images", "openai_images")
    assert names(fitting, call("openai_embeddings", "embed")) == (None, None)


def test_a_model_is_asked_in_the_dialects_that_serve_it_the_best_first() -> None:
    fitting = Fitting(ALL, Quirks(dialects=("anthropic_messages", "unheard_of")), {})
    assert names(fitting, call("openai_chat")) == (None, "anthropic_messages")
    both = Fitting(ALL, Quirks(dialects=("anthropic_messages", "openai_chat")), {})
    assert names(both, call("openai_chat")) == ("openai_chat", "anthropic_messages")
    assert names(fitting, call("openai_images", "image"))[0] == "openai_images", (
        "other tasks have dialects of their own"
    )


def test_a_model_that_is_served_in_none_of_them_is_asked_all_the_same() -> None:
    assert names(Fitting(ALL, Quirks(dialects=("unheard_of",)), {}), call("ollama_chat")) == (None, "openai_chat")


def test_a_task_may_be_asked_as_another() -> None:
    fitting = Fitting(ALL, NO_QUIRKS, {"image": "chat", "speech": "chat", "embed": "moderation"})
    assert names(fitting, call("openai_images", "image")) == (None, "openai_chat")
    assert names(fitting, call("openai_speech", "speech")) == (None, "openai_chat")
    assert names(fitting, call("openai_embeddings", "embed")) == (None, None)


def test_each_dialect_is_fitted_to_the_quirks_and_left_alone_without_any() -> None:
    fitting = Fitting(CHATS, NO_QUIRKS, {})
    assert fitting.own(call("openai_chat")) is CHATS[0]
    fitted = Fitting(CHATS, Quirks(lacks={"seed": "no"}), {}).own(call("openai_chat"))
    assert fitted is not None
    assert fitted.terms.cannot["seed"] == "no"
