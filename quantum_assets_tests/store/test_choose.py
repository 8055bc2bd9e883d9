from quantum_assets.store.choose import facts_of, missing_partition


def test_missing_things_are_answered_with_the_nearest() -> None:
    known = [(("wine", "quantum_kernel"), {"profile": f"p{i}"}) for i in range(30)] + [(("iris", "dataset"), {})]
    near = missing_partition(known, ("wine", "quantum_kernl"), "wine/quantum_kernl")
    assert near.mend == "Choose an asset that exists: wine/quantum_kernel"
    far = missing_partition(known, ("zzz",), "zzz")
    assert far.mend == "Choose an asset that exists: iris/dataset, wine/quantum_kernel"
    many = missing_partition(known, ("wine", "quantum_kernel"), "x")
    assert "profile=p0; profile=p1;" in many.mend
    assert many.mend.endswith("and 10 more")
    assert missing_partition(known, ("iris", "dataset"), "x").mend == "Choose one of its partitions: none"


def test_nothing_is_known_of_a_version_never_named() -> None:
    assert facts_of([], "0" * 64) is None
