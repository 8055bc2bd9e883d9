from quantum_assets.tracking.links import dagster_tags, run_url


def test_a_run_is_linked_directly() -> None:
    assert run_url("http://127.0.0.1:5000/", "12", "abc") == "http://127.0.0.1:5000/#/experiments/12/runs/abc"


def test_the_way_back_needs_a_dagster_ui() -> None:
    assert dagster_tags("http://127.0.0.1:3000", "r1") == {
        "dagster.run_id": "r1",
        "dagster.url": "http://127.0.0.1:3000/runs/r1",
    }
    assert dagster_tags("", "r1") == {"dagster.run_id": "r1"}
