"""`dg scaffold defs quantum_assets.components.KernelStudy NAME`: a complete, commented `defs.yaml` that loads.

Dagster's own scaffold writes empty attributes, which do not load. With ``--path data.csv --label outcome`` the study
asks about the user's own table, as wide as that allows; without them it asks about a bundled one.
"""

from pathlib import Path

from dagster.components.scaffold.scaffold import Scaffolder, ScaffoldRequest
from pydantic import BaseModel, ConfigDict, Field

from quantum_assets.components.scaffolding import path_from, quoted, refusing
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets import files
from quantum_assets.datasets.loading import load


class KernelStudyParams(BaseModel):
    """What `dg scaffold defs` can be told on its command line."""

    model_config = ConfigDict(extra="forbid")

    path: str | None = Field(None, description="CSV or Parquet file, or fsspec URL.")
    label: str | None = Field(None, description="Label column of that file.")
    dataset: str = Field("iris", description="A bundled dataset, when no path is given.")
    qubits: int | None = Field(
        None, ge=1, le=16, description="Columns after reduction; 4 when left out, or as many as the data have."
    )
    owner: str = Field("team:data-science", description="team:name or an e-mail address.")


class KernelStudyScaffolder(Scaffolder[KernelStudyParams]):
    """Writes the `defs.yaml` of a new kernel study."""

    @classmethod
    def get_scaffold_params(cls) -> type[KernelStudyParams]:
        """The parameters above, which `dg` turns into options."""
        return KernelStudyParams

    def scaffold(self, request: ScaffoldRequest[KernelStudyParams]) -> None:
        """Write the file.

        Raises:
            PlanError: For a path without a label or that leads nowhere, a label that is no column, more qubits than
                numeric columns, or a format other than YAML; as a ScaffoldRefused.
        """
        with refusing(request.target_path):
            text = self._text(request)
        (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")

    def _text(self, request: ScaffoldRequest[KernelStudyParams]) -> str:
        """The whole file."""
        if request.scaffold_format != "yaml":
            raise PlanError("--format python", "a KernelStudy is YAML", "Leave the option out")
        params = request.params
        if (params.path is None) != (params.label is None):
            raise PlanError("--path and --label", "only one of them is given", "Give both, or neither")
        source = _source_of(params, request.target_path)
        return _TEMPLATE.format(
            type=request.type_name,
            source=_in_yaml(source),
            qubits=_qubits(params.qubits, source, request.target_path),
            owner=params.owner,
        )


def _source_of(params: KernelStudyParams, folder: Path) -> DataSource:
    """Where the rows come from, with a path that works from the study's folder."""
    if params.path is None:
        return DataSource(dataset=params.dataset)
    is_url = files.locate(params.path, folder.name, folder).local is None
    path = params.path if is_url else path_from(folder, params.path)
    return DataSource(path=path, label=params.label)


def _qubits(asked: int | None, source: DataSource, folder: Path) -> int:
    """As many as asked for, or 4, but no more than there are numeric columns.

    A file elsewhere is not fetched for that.
    """
    if source.path is not None and files.locate(source.path, folder.name, folder).local is None:
        return asked or _QUBITS
    columns = len(_columns(source, folder))
    if asked is not None and asked > columns:
        raise PlanError(f"--qubits {asked}", f"the data have {columns} numeric columns", f"Give at most {columns}")
    return asked or min(_QUBITS, columns)


def _columns(source: DataSource, folder: Path) -> tuple[str, ...]:
    if source.path is None:
        return load(source, folder.name, folder).feature_names
    return files.read(source, folder.name, folder).feature_names


def _in_yaml(source: DataSource) -> str:
    if source.path is not None:
        return _FILE.format(path=quoted(source.path), label=quoted(source.label or ""))
    return (
        f"    dataset: {source.dataset}          # or breast_cancer, wine, digits, ad_hoc; or path and label, see below"
    )


_QUBITS = 4

_FILE = """\
    path: {path}        # CSV or Parquet; relative to this file, absolute, or an fsspec URL (s3://...)
    label: {label}      # the label column
    # features: [a, b]  # feature columns; left out: every other numeric column
    # group: patient    # rows of one group stay in one fold
    # sample_id: id     # identifies a row; left out: row numbers
    # positive: "yes"   # this class against the rest; left out: the classes as they are
    max_samples: 200    # stratified sub-sample; left out: every row (a kernel costs the square of the rows)"""

_TEMPLATE = """\
# A kernel study: is a quantum kernel worth anything on these data?
# Check it with `quantum-assets check`, look at it with `quantum-assets ui`, run it with `quantum-assets run <name>`.
type: {type}
attributes:
  description: What this study asks, in a sentence or two.

  source:
{source}

  preparation:          # fitted inside each training fold
    scaling: standard   # none, standard, minmax
    reduction: pca      # none, pca, select (best columns by ANOVA F)
    qubits: {qubits}           # columns after reduction, one a qubit; leave out with reduction: none

  feature_maps:         # the quantum grid: maps x bandwidths x C
    - kind: zz          # z, zz, pauli (with paulis: [Z, YY]), iqp
      reps: 2
      entanglement: linear    # linear, circular, full, none
      bandwidths: [0.05, 0.1, 0.2, 0.5, 1.0]   # angles = bandwidth * prepared value

  profiles: [ideal, sampled]   # from defs/profiles.yaml; the partitions of the study

  baselines: [majority, logistic, svm_rbf, svm_polynomial, forest, boosting, mlp, knn]

  protocol:             # the same folds and the same budget for every model
    outer_folds: 5
    repeats: 2
    inner_folds: 3
    budget: 8           # configurations tried by every tuned model in every fold
    metric: balanced_accuracy
    equivalence_band: 0.01
    alpha: 0.05
    seed: 0

  owner: {owner}
  tags: {{}}
  # schedule: "0 3 * * *"  # off until switched on in the UI
"""
