"""The feature maps that every law runs over: each family, entanglement and one to three repetitions."""

from quantum_assets.contracts.study import FeatureMapSpec

ENTANGLEMENTS = ("linear", "circular", "full", "none")

DIAGONAL = tuple(
    [FeatureMapSpec(kind="z", reps=reps) for reps in (1, 2, 3)]
    + [FeatureMapSpec(kind="zz", reps=reps, entanglement=e) for reps in (1, 2, 3) for e in ENTANGLEMENTS]
    + [FeatureMapSpec(kind="iqp", reps=reps, entanglement=e) for reps in (1, 2, 3) for e in ENTANGLEMENTS]
    + [FeatureMapSpec(kind="pauli", reps=2, entanglement=e, paulis=("Z", "ZZ")) for e in ENTANGLEMENTS]
    + [FeatureMapSpec(kind="pauli", reps=2, entanglement=e, paulis=("Z", "ZZZ")) for e in ENTANGLEMENTS]
    + [FeatureMapSpec(kind="pauli", reps=3, entanglement="full", paulis=("ZZ",))]
)
GENERAL = (
    FeatureMapSpec(kind="pauli", reps=1, entanglement="linear", paulis=("Z", "YY")),
    FeatureMapSpec(kind="pauli", reps=2, entanglement="full", paulis=("X", "ZY")),
    FeatureMapSpec(kind="pauli", reps=2, entanglement="circular", paulis=("Z", "XX", "ZXZ")),
    FeatureMapSpec(kind="pauli", reps=2, entanglement="none", paulis=("Y", "ZZ")),
)
EVERY = DIAGONAL + GENERAL


def narrowest(spec: FeatureMapSpec) -> int:
    """The smallest width that the spec fits."""
    if spec.kind == "pauli" and spec.paulis and spec.entanglement != "none":
        return max(map(len, spec.paulis))
    return 1


def cases(specs: tuple[FeatureMapSpec, ...]) -> list[tuple[FeatureMapSpec, int]]:
    """Every spec at every width from its narrowest to four."""
    return [(spec, width) for spec in specs for width in range(narrowest(spec), 5)]


def label(value: object) -> str:
    """Readable test ids."""
    return value.name if isinstance(value, FeatureMapSpec) else str(value)
