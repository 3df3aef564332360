"""What Responses cannot be told."""

from msgspec import structs

from dragoman.core import message as msg
from dragoman.core.call import Words
from dragoman.core.loss import carry
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_responses.terms import LEAST_TOKENS, REASONS, TERMS, fit_terms
from tests.schema import properties


def ask(*parts: msg.Part, limit: int | None = None) -> msg.Request:
    return msg.Request("m", [msg.Message("assistant", [*parts])], sampling=msg.Sampling(max_tokens=limit))


def test_what_has_no_field_is_lost() -> None:
    sampling = msg.Sampling(
        top_k=4, seed=1, stop=["x"], presence_penalty=0.5, frequency_penalty=0.5, logit_bias={"1": 2}
    )
    asked = structs.replace(ask(), sampling=sampling, n=2)
    carried, lost = carry(asked, "openai_chat", Words(), TERMS)
    assert carried.sampling == msg.Sampling()
    assert set(lost) == {"top_k", "seed", "stop", "presence_penalty", "frequency_penalty", "logit_bias", "n"}


def test_no_field_of_the_api_is_called_lost() -> None:
    assert set(TERMS.cannot) & properties("CreateResponse") == set()


def test_the_fields_of_chat_completions_that_are_carried_are_fields_here() -> None:
    kin = TERMS.kin["openai_chat"] or frozenset()
    assert kin - {"verbosity"} <= properties("CreateResponse")


def test_a_limit_that_is_too_low_is_the_lowest() -> None:
    carried, lost = carry(ask(limit=5), "", Words(names={"max_tokens": "limit"}), TERMS)
    assert (carried.sampling.max_tokens, lost) == (LEAST_TOKENS, {"limit": REASONS["max_tokens"]})
    for limit in (None, LEAST_TOKENS):
        assert carry(ask(limit=limit), "", Words(), TERMS) == (ask(limit=limit), {})


def test_only_sealed_reasoning_goes_back() -> None:
    sealed = msg.Thinking("a", "SEAL")
    asked = ask(msg.Thinking("b"), sealed, msg.Thinking("", "X", redacted=True), msg.Text("c"))
    carried, lost = carry(asked, "", Words(), TERMS)
    assert carried.messages[0].parts == [sealed, msg.Text("c")]
    assert lost == {"thinking": REASONS["thinking"], "signature": REASONS["signature"]}


def test_a_model_has_terms_of_its_own() -> None:
    quirks = Quirks(effort="", lacks={"temperature": "no"}, parameters=frozenset({"p"}), fields=frozenset({"f"}))
    terms = fit_terms(quirks)
    assert (terms.cannot["effort"], terms.cannot["temperature"]) == ("this model does not take it", "no")
    assert (terms.parameters, terms.only, terms.narrow) == (quirks.parameters, quirks.fields, TERMS.narrow)
    assert "effort" not in fit_terms(Quirks()).cannot
