import pytest

from quantum_assets.models.tuning import quiet_machine


@pytest.fixture
def quiet():
    """One BLAS thread, as the protocol runs learners: small products are many times slower on two busy cores."""
    with quiet_machine():
        yield
