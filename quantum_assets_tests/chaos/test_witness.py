from dataclasses import replace

import pytest

from quantum_assets.contracts.envelope import AdmittedResult
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import question_of
from quantum_assets.service.prices import Prices
from quantum_assets.service.server import Settings, running
from quantum_assets.trust.admit import admit
from quantum_assets_tests.chaos.witness import Witness, WitnessJob, questions_of, read_witness
from quantum_assets_tests.service.samples import order
from quantum_assets_tests.trust.honest import CIRCUITS

PAID = CIRCUITS.model_copy(update={"providers": ("paid",)})
PRICE = Prices().of(order(profile=PAID))


def ask(witness, key="a" * 32, members=1):
    asked = order(key, members, PAID)
    return witness.submit(asked), asked


def states(witness, job, times):
    return [witness.status(job).state for _ in range(times)]


def test_a_job_moves_by_being_asked_about_and_is_billed_at_its_end():
    witness = Witness(polls=2)
    job, asked = ask(witness)
    assert states(witness, job, 3) == ["queued", "queued", "running"]
    assert witness.books()[0] == WitnessJob(job, asked.key, questions_of(asked), PRICE, "USD", False)
    done = witness.status(job)
    assert (done.state, done.charge) == ("completed", Charge(PRICE))
    assert witness.books()[0].ended
    (claim,) = witness.fetch(job, asked)
    assert isinstance(admit(claim, asked.workloads[0], PAID), AdmittedResult)
    assert (claim.job, claim.cost, claim.effective.versions) == (job, PRICE / 1e6, witness.versions(PAID))


def test_one_key_is_one_job_unless_that_is_not_promised():
    promises, does_not = Witness(), Witness(same_key_same_job=False)
    assert ask(promises)[0] == ask(promises)[0]
    jobs = [ask(does_not)[0] for _ in range(2)]
    assert len(set(jobs)) == 2
    assert does_not.find(order(profile=PAID)) == jobs[0]
    assert [does_not.limits(PAID).same_key_same_job, promises.limits(PAID).same_key_same_job] == [False, True]


def test_a_job_may_be_destined_to_fail_free_of_charge():
    witness = Witness(polls=0, failures={1: "5203"})
    good, bad = ask(witness, "a" * 32)[0], ask(witness, "b" * 32)[0]
    assert states(witness, good, 2) == ["running", "completed"]
    assert states(witness, bad, 2) == ["running", "failed"]
    assert (witness.status(bad).code, witness.status(bad).charge) == ("5203", Charge(0))
    assert [job.micros for job in witness.books()] == [PRICE, 0]
    with pytest.raises(ProviderError, match="has no result"):
        witness.fetch(bad, order(profile=PAID))


def test_its_books_say_how_each_job_ended_and_which_had_not_when_it_came():
    witness = Witness(polls=0, failures={1: "5203"})
    first, _ = ask(witness, "a" * 32)
    second, _ = ask(witness, "b" * 32)
    states(witness, first, 2)
    ask(witness, "c" * 32)
    states(witness, second, 2)
    assert [(job.state, job.beside) for job in witness.books()] == [
        ("completed", ()),
        ("failed", (first,)),
        ("", (second,)),
    ]


def test_cancelling_costs_nothing_before_it_runs():
    witness = Witness(polls=1)
    waits, runs = ask(witness, "a" * 32)[0], ask(witness, "b" * 32)[0]
    states(witness, runs, 2)
    for job in (waits, runs, "nobody"):
        witness.cancel(job)
        witness.cancel(job)
    assert [job.micros for job in witness.books()] == [0, PRICE]
    assert states(witness, waits, 2) == ["cancelled", "cancelled"]


def test_what_it_does_not_know_it_says():
    witness = Witness()
    assert witness.status("nobody").state == "unknown"
    assert witness.find(order(profile=PAID)) is None
    assert witness.supports(order().workloads[0], CIRCUITS) == "the profile does not name paid"
    with pytest.raises(ProviderError):
        witness.submit(order(profile=CIRCUITS))


def test_a_recalibration_is_another_calibration():
    witness = Witness()
    before = witness.calibration(PAID).digest
    witness.version = "2"
    assert witness.calibration(PAID).digest != before


def test_the_sidecar_is_a_witness_too(tmp_path):
    asked = order(members=2)
    with running(Settings(tmp_path, queue_seconds=3600, token="s3cret")) as url:
        import httpx

        from quantum_assets.contracts.wire import pack_order

        headers = {
            "Content-Type": "application/octet-stream",
            "Idempotency-Key": asked.key,
            "Authorization": "Bearer s3cret",
        }
        with httpx.Client(trust_env=False, headers=headers) as client:
            job = client.post(f"{url}/jobs", content=pack_order(asked)).json()["job"]
            (line,) = read_witness(url, "s3cret")
            client.headers["Idempotency-Key"] = "b" * 32
            second = client.post(f"{url}/jobs", content=pack_order(replace(asked, key="b" * 32))).json()["job"]
            client.post(f"{url}/jobs/{job}/cancel").raise_for_status()
            client.headers["Idempotency-Key"] = "c" * 32
            client.post(f"{url}/jobs", content=pack_order(replace(asked, key="c" * 32))).raise_for_status()
            books = read_witness(url, "s3cret")
    assert line == WitnessJob(job, asked.key, questions_of(asked), Prices().of(asked), "USD", False)
    assert [(one.state, one.beside) for one in books] == [("cancelled", ()), ("", (job,)), ("", (second,))]
    assert line.questions[0] == question_of(asked.workloads[0].fingerprint, asked.profile.fingerprint, 0)
