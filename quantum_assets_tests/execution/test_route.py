"""A route follows the policy, and whatever is not the quantum path alone names its reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.execution.route import Route, route


def profile(
    prefer: str = "quantum",
    fallback: str | None = "ideal",
    flag: bool = True,
    providers: tuple[str, ...] = ("first", "second"),
    backend: str | None = "qpu",
) -> ExecutionProfile:
    return ExecutionProfile(
        name="managed",
        mode="managed",
        estimator="circuits",
        shots=100,
        providers=providers,
        backend=backend,
        routing=Routing(prefer=prefer, fallback=fallback, flag=flag),  # type: ignore[arg-type]
    )


def test_nothing_against_it_takes_the_first_provider_without_a_word() -> None:
    assert route(profile()) == Route("quantum", "first", "")
    assert route(profile(fallback=None), flag=True) == Route("quantum", "first", "")


def test_a_provider_that_cannot_is_passed_over_and_remembered() -> None:
    decided = route(profile(), refusals={"first": "too wide"})
    assert decided == Route("quantum", "second", "", ("first: too wide",))


@pytest.mark.parametrize("key", ["first", "first/qpu"])
def test_an_open_breaker_of_the_backend_or_of_the_whole_provider_closes_it(key: str) -> None:
    decided = route(profile(), breaker_open={key: "5 failures in a row"})
    assert decided == Route("quantum", "second", "", (f"{key}: breaker open, 5 failures in a row",))


def test_a_breaker_of_another_backend_does_not_count() -> None:
    assert route(profile(), breaker_open={"first/other": "down"}).provider == "first"
    assert route(profile(backend=None), breaker_open={"first/": "down", "first/qpu": "down"}).provider == "second"


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ({"flag": False}, "switched off by a flag"),
        ({"budget_reason": "1.20 USD does not fit"}, "1.20 USD does not fit"),
        ({"deadline_reason": "12 s left, 40 s of queue"}, "12 s left, 40 s of queue"),
        ({"refusals": {"first": "too wide", "second": ""}}, "first: too wide; second: refuses it without a reason"),
        ({"breaker_open": {"first": "", "second": "down"}}, "first: breaker open; second: breaker open, down"),
        ({"refusals": {"first": "too wide"}, "breaker_open": {"second/qpu": "down"}}, "first: too wide; second/qpu"),
    ],
)
def test_each_objection_goes_to_the_fallback_or_is_refused_with_it(against: dict[str, object], words: str) -> None:
    for prefer in ("quantum", "ensemble"):
        decided = route(profile(prefer), **against)  # type: ignore[arg-type]
        assert (decided.path, decided.provider) == ("classical", None)
        assert words in decided.reason
    alone = route(profile(fallback=None), **against)  # type: ignore[arg-type]
    assert (alone.path, alone.provider) == ("refused", None)
    assert words in alone.reason
    assert alone.reason.endswith("profile managed has no fallback")


def test_all_reasons_are_told() -> None:
    decided = route(
        profile(flag=False, fallback=None),
        flag=False,
        budget_reason="no money",
        deadline_reason="no time",
        refusals={"first": "a", "second": "b"},
    )
    for words in ("off in profile managed", "off by a flag", "no money", "no time", "first: a", "second: b"):
        assert words in decided.reason


def test_off_in_the_profile_stays_off_whatever_the_flag_says() -> None:
    for flag in (None, True, False):
        assert route(profile(flag=False), flag=flag).path == "classical"


def test_the_other_preferences_say_that_they_are() -> None:
    assert route(profile("classical")) == Route("classical", None, "profile managed prefers the classical path: ideal")
    ensemble = route(profile("ensemble"))
    assert (ensemble.path, ensemble.provider) == ("ensemble", "first")
    assert ensemble.reason == "profile managed prefers both, with ideal"


REASON = st.sampled_from(["", "down", "too wide"])
NAMES = st.sampled_from(["first", "second", "third", "first/qpu", "second/qpu", "third/", "first/other"])


@st.composite
def situations(draw: st.DrawFn) -> tuple[ExecutionProfile, dict[str, object]]:
    prefer = draw(st.sampled_from(["quantum", "classical", "ensemble"]))
    fallback = "ideal" if prefer != "quantum" else draw(st.sampled_from([None, "ideal"]))
    providers = tuple(
        draw(st.lists(st.sampled_from(["first", "second", "third"]), min_size=1, max_size=3, unique=True))
    )
    asked = profile(prefer, fallback, draw(st.booleans()), providers, draw(st.sampled_from([None, "qpu"])))
    return asked, {
        "flag": draw(st.sampled_from([None, True, False])),
        "breaker_open": draw(st.dictionaries(NAMES, REASON, max_size=4)),
        "budget_reason": draw(REASON),
        "deadline_reason": draw(REASON),
        "refusals": draw(st.dictionaries(st.sampled_from(["first", "second", "third"]), REASON, max_size=3)),
    }


@settings(max_examples=400, deadline=None)
@given(situations())
def test_every_answer_that_is_not_quantum_names_its_reason(
    situation: tuple[ExecutionProfile, dict[str, object]],
) -> None:
    asked, known = situation
    decided = route(asked, **known)  # type: ignore[arg-type]
    assert decided == route(asked, **known)  # type: ignore[arg-type]
    assert bool(decided.reason) == (decided.path != "quantum")
    assert (decided.provider is not None) == (decided.path in ("quantum", "ensemble"))
    if decided.provider is not None:
        assert decided.provider in asked.providers
        assert decided.provider not in known["refusals"]  # type: ignore[operator]
        keys = {decided.provider, f"{decided.provider}/{asked.backend or ''}"}
        assert not keys & set(known["breaker_open"])  # type: ignore[call-overload]
        assert known["flag"] is not False
        assert asked.routing.flag
        assert not known["budget_reason"]
        assert not known["deadline_reason"]
        assert decided.path == asked.routing.prefer
    if decided.path in ("classical", "ensemble"):
        assert asked.routing.fallback is not None
    if decided.path == "refused":
        assert asked.routing.fallback is None
    if asked.routing.prefer == "classical":
        assert decided.path == "classical"
