"""The shape of every stored table: which columns it has, their meanings, units and ranges."""

from quantum_assets.contracts.columns import Column, TableContract

DATASET = TableContract(
    "dataset/v1",
    (
        Column("sample_id", "string", "Identifies the row across every table of the study.", unique=True),
        Column("label", "string", "Class name."),
        Column("label_index", "int64", "Class index, 0-based.", ge=0),
        Column("group", "int64", "Rows of one group stay in one fold; -1 without groups.", ge=-1),
    ),
    open_columns=Column("x_", "float64", "A raw feature column, in the source's units."),
)
FEATURES = TableContract(
    "features/v1",
    (
        Column("split", "string", "Split id: full, r0f0, r0f0/i1."),
        Column("sample_id", "string", "Row of the dataset."),
        Column("row", "int64", "Row number in the dataset.", ge=0),
        Column("train", "bool", "Whether the preparation of this split was fitted on this row."),
    ),
    open_columns=Column("q_", "float64", "Prepared value for one qubit; angle in radians = bandwidth * value."),
)
GRAM = TableContract(
    "gram/v1",
    (
        Column("row", "int32", "Row number of the matrix.", ge=0),
        Column("sample_id", "string", "Sample of the row; columns are in the same order."),
        Column("k", "vector", "Kernel values against every sample, in row order."),
    ),
)
KERNELS = TableContract(
    "kernels/v1",
    (
        Column("kernel", "string", "Which kernel: rbf, polynomial, linear.", isin=("rbf", "polynomial", "linear")),
        *GRAM.columns,
    ),
)
DIAGNOSTICS = TableContract(
    "diagnostics/v1",
    (
        Column("kernel", "string", "Which matrix."),
        Column("metric", "string", "Name of the diagnostic."),
        Column("value", "float64", "Its value."),
        Column("meaning", "string", "What a reader should conclude."),
    ),
)
EVALUATION = TableContract(
    "evaluation/v1",
    (
        Column("model", "string", "Model name."),
        Column("family", "string", "Its side.", isin=("quantum", "ablation", "classical", "floor")),
        Column("repeat", "int64", "Repetition of the outer cross-validation.", ge=0),
        Column("fold", "int64", "Outer fold.", ge=0),
        Column("score", "float64", "Outer test score.", ge=0, le=1),
        Column("inner_score", "float64", "Mean inner score of the chosen configuration.", ge=0, le=1),
        Column("chosen", "string", "Chosen configuration, canonical JSON."),
        Column("tried", "int64", "Configurations tried.", ge=1),
        Column("n_train", "int64", "Training rows.", ge=1),
        Column("n_test", "int64", "Test rows.", ge=1),
        Column("circuits_needed", "int64", "Circuits a device would have run for this fold.", ge=0),
        Column("cpu_seconds", "float64", "CPU seconds of tuning, fitting and scoring on this machine.", ge=0),
    ),
    volatile=("cpu_seconds",),
)
VERDICT = TableContract(
    "verdict/v1",
    (
        Column("rival", "string", "Compared with the tuned quantum kernel.", unique=True),
        Column("family", "string", "The rival's side.", isin=("ablation", "classical", "floor")),
        Column("quantum_score", "float64", "Mean outer score of the quantum kernel.", ge=0, le=1),
        Column("rival_score", "float64", "Mean outer score of the rival.", ge=0, le=1),
        Column("difference", "float64", "Quantum minus rival.", ge=-1, le=1),
        Column("low", "float64", "Lower end of the corrected interval.", ge=-2, le=2),
        Column("high", "float64", "Upper end of the corrected interval.", ge=-2, le=2),
        Column("p_value", "float64", "Nadeau-Bengio corrected t test, two-sided.", ge=0, le=1),
        Column("p_holm", "float64", "After Holm's correction over all rivals.", ge=0, le=1),
        Column("equivalent", "bool", "Whether the interval lies inside the equivalence band."),
        Column(
            "verdict",
            "string",
            "The verdict of the study, the same on every row.",
            isin=("no evidence of benefit", "benefit within noise", "benefit"),
        ),
        Column("reasons", "string", "Why, one sentence a line; the same on every row."),
    ),
)
JOBS = TableContract(
    "quantum_jobs/v1",
    (
        Column("model", "string", "Who asks: quantum, or no_entanglers for the ablation."),
        Column("split", "string", "Whose matrix: full, r0f0, …"),
        Column("map", "string", "Feature map."),
        Column("bandwidth", "float64", "Angle in radians = bandwidth * value.", ge=0),
        Column("workload", "string", "Fingerprint of the question."),
        Column("circuits", "int64", "Circuits asked for.", ge=0),
        Column("shots", "int64", "Shots of all of them together.", ge=0),
        Column("provider", "string", "Who got it; empty while nobody did."),
        Column("backend", "string", "Its device or simulator."),
        Column("tickets", "string", "Ids in the ledger, in parts; blank-separated."),
        Column("state", "string", "State of the furthest behind of them when this was written."),
        Column("reason", "string", "Why it is in that state."),
    ),
    volatile=("provider", "backend", "tickets", "state", "reason"),
)
MODES = TableContract(
    "modes/v1",
    (
        Column("profile", "string", "Execution profile.", unique=True),
        Column("mode", "string", "As it ran: ideal, noisy, managed or hardware."),
        Column("estimator", "string", "As it ran: exact, binomial or circuits."),
        Column("provider", "string", "Who answered."),
        Column("backend", "string", "Devices or simulators that answered."),
        Column("calibration", "string", "Digests of their calibrations; empty without one."),
        Column("path", "string", "quantum, classical or ensemble."),
        Column("samples", "int64", "Rows of the matrix.", ge=1),
        Column("map", "string", "Feature map."),
        Column("bandwidth", "float64", "Angle in radians = bandwidth * value.", ge=0),
        Column("shots", "int64", "Shots a circuit; 0: exact.", ge=0),
        Column("circuits_run", "int64", "Circuits really run.", ge=0),
        Column("depth", "int64", "Depth as compiled; 0 where nothing was.", ge=0),
        Column("two_qubit_gates", "int64", "Two-qubit gates as compiled; 0 where nothing was.", ge=0),
        Column("rms_difference", "float64", "Root mean square of entry minus exact entry, off the diagonal.", ge=0),
        Column("max_difference", "float64", "Largest absolute difference to the exact entry.", ge=0),
        Column("alignment", "float64", "Cosine between the matrix and its exact twin.", ge=-1.000001, le=1.000001),
        Column("diagonal_mean", "float64", "Mean of the diagonal; below 1 is noise.", ge=0),
        Column("cost", "float64", "What the answers cost.", ge=0),
        Column("currency", "string", "Of cost."),
        Column("quantum_score", "float64", "Mean outer score of the quantum kernel.", nullable=True, ge=0, le=1),
        Column("verdict", "string", "The verdict under this profile; empty before there is one."),
    ),
)
MODEL = TableContract(
    "kernel_model/v1",
    (
        Column("sample_id", "string", "Support vector."),
        Column("row", "int64", "Its row in the dataset and in the Gram matrix.", ge=0),
        Column("class_pair", "string", "Which two classes the coefficient parts, for example 0:1."),
        Column("dual_coef", "float64", "Signed dual coefficient."),
        Column("intercept", "float64", "Intercept of the class pair."),
    ),
)
BREAKERS = TableContract(
    "platform_breakers/v1",
    (
        Column("provider", "string", "Whose breaker."),
        Column("backend", "string", "Its device or simulator; empty where it has only one."),
        Column("state", "string", "closed: calls pass; open: refused; half-open: one call tries."),
        Column("failures", "int64", "Counted failures in a row.", ge=0),
        Column("since", "string", "Moment (UTC) of opening, or of the probe under way; empty while closed."),
        Column("half_opens_at", "string", "Moment (UTC) of the next probe; empty: closed, or now."),
    ),
    volatile=("half_opens_at",),
)
SPENDING = TableContract(
    "platform_spending/v1",
    (
        Column("project", "string", "Who pays."),
        Column("month", "string", "Calendar month (UTC) in which the orders were opened, for example 2026-11."),
        Column(
            "kind",
            "string",
            "What ran: simulators and devices have purses of their own.",
            isin=("simulator", "hardware"),
        ),
        Column("currency", "string", "Of all amounts."),
        Column("limit", "float64", "What may be spent in the month; null: nobody wrote a budget.", nullable=True, ge=0),
        Column("reserved", "float64", "Held for orders whose bill has not come.", ge=0),
        Column("settled", "float64", "Charged; negative for a credit."),
        Column("tickets", "int64", "Tickets behind both.", ge=0),
        Column("shots", "int64", "Shots behind both, as estimated.", ge=0),
    ),
)
TICKETS = TableContract(
    "platform_tickets/v1",
    (
        Column("study", "string", "Who asked; of several, the first."),
        Column("partition", "string", "For which partition."),
        Column("provider", "string", "Who got them; empty while nobody did."),
        Column("state", "string", "Where they stand; retried, fell_back, accepted and rejected are outcomes."),
        Column("tickets", "int64", "How many.", ge=1),
        Column("retries", "int64", "Those that are a second or later try.", ge=0),
        Column("cache_hits", "int64", "Those accepted without being submitted: the answer was known.", ge=0),
        Column("oldest_open", "string", "Moment (UTC) at which the oldest of them was planned; empty: all ended."),
    ),
)
PROBLEM = TableContract(
    "problem/v1",
    (
        Column("part", "string", "Variables first, then the terms of the Ising polynomial.", isin=("variable", "term")),
        Column("name", "string", "The variable's name, or the names in the term joined by a star."),
        Column("members", "string", "Numbers of the variables, increasing, separated by blanks."),
        Column("coefficient", "float64", "Of the term, spins z = 1 - 2 x, energy units; 0 for a variable."),
    ),
)
SOLUTIONS = TableContract(
    "classical_solutions/v1",
    (
        Column("solver", "string", "Name of the rival.", unique=True),
        Column("state", "string", "Whether it ran.", isin=("ran", "declined")),
        Column("reason", "string", "Why it declined; empty where it ran."),
        Column("bits", "string", "Best row, variable 0 first; empty where it declined."),
        Column("energy", "float64", "Of that row, under the encoding; minimised.", nullable=True),
        Column("objective", "float64", "Of that row, recomputed, in the problem's unit.", nullable=True),
        Column("violations", "float64", "By how much it breaks the constraints; 0: feasible.", nullable=True, ge=0),
        Column("bound", "float64", "Proven lower bound of the energy.", nullable=True),
        Column("proven", "bool", "Whether the bound meets the energy."),
        Column("reads", "int64", "Independent reads or restarts.", ge=0),
        Column("seconds", "float64", "Wall seconds that it took.", ge=0),
        Column("incumbents", "string", "JSON list of [wall seconds, energy], one an improvement."),
        Column("settings", "string", "JSON object: what it ran with."),
    ),
    volatile=("seconds", "incumbents"),
)
SAMPLING_JOBS = TableContract(
    "sampling_jobs/v1",
    (
        Column("finalist", "int64", "Number of the angles, exact ones first; samples name the one that won.", ge=0),
        Column("stage", "string", "Where the angles come from.", isin=("exact", "noisy", "start")),
        Column("circuit", "string", "Name of the ansatz."),
        Column("fingerprint", "string", "Of the circuit, parameters unbound."),
        Column("gammas", "string", "JSON list, radians."),
        Column("betas", "string", "JSON list, radians."),
        Column("convention", "string", "What the angles multiply, as a formula."),
        Column("source", "string", "Where the angles come from."),
        Column("value", "float64", "Objective of training at these angles, exact, energy units."),
        Column("start_value", "float64", "The same at the angles that training began with."),
        Column("random_value", "float64", "Objective of training for uniform rows."),
        Column("difference", "float64", "Largest difference of an amplitude between circuit and engine.", ge=0),
        Column("evaluations", "int64", "Exact evaluations that training made.", ge=1),
        Column("refinement", "string", "JSON: the noisy stage, in the first row; empty: there was none."),
        Column("refinement_ending", "string", "Why the noisy stage ended, or did not begin."),
        Column("workload", "string", "Fingerprint of what is asked; empty: asked where it is needed."),
        Column("shots", "int64", "Shots asked for; 0: the exact state.", ge=0),
        Column("provider", "string", "Who got it; empty while nobody did."),
        Column("backend", "string", "Where."),
        Column("tickets", "string", "Ids in the ledger, separated by blanks."),
        Column("state", "string", "Where the ticket behind it stood when the step ended."),
        Column("reason", "string", "Why it stood there."),
    ),
    volatile=("provider", "backend", "tickets", "state", "reason"),
)
SAMPLES = TableContract(
    "quantum_samples/v1",
    (
        Column(
            "part",
            "string",
            "Published samples; the best decoded rows of other angles; the history of training.",
            isin=("sample", "seen", "history"),
        ),
        Column("stage", "string", "Of the training loop.", isin=("exact", "noisy", "final")),
        Column("index", "int64", "Rank by energy; or number of the evaluation.", ge=0),
        Column("bits", "string", "The row, variable 0 first; empty in the history."),
        Column("count", "int64", "Shots that gave it, or behind an evaluation; 0: exact, or only seen.", ge=0),
        Column("probability", "float64", "Exact, where the state is known.", nullable=True, ge=0, le=1.0000001),
        Column("energy", "float64", "Recomputed from the row; or the value of the evaluation."),
        Column("objective", "float64", "Recomputed from the row, in the problem's unit.", nullable=True),
        Column("violations", "float64", "By how much the row breaks the constraints.", nullable=True, ge=0),
        Column("angles", "string", "JSON list of house angles, gammas then betas; empty for samples."),
    ),
)


def _interval(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(name, "float64", meaning, nullable=True),
        Column(f"{name}_low", "float64", f"Lower end of its interval: {meaning}", nullable=True),
        Column(f"{name}_high", "float64", f"Upper end of its interval: {meaning}", nullable=True),
    )


ATTRIBUTION = TableContract(
    "attribution/v1",
    (
        Column("stage", "string", "Of the decoder.", isin=("raw", "repaired", "polished")),
        Column("rung", "string", "Where the bits came from.", isin=("uniform", "product", "sampler", "greedy")),
        Column("shots", "int64", "Shots that were decoded.", ge=1),
        *_interval("optimum", "Share of shots that are feasible and at least as good as the best known."),
        *_interval("gap", "Mean distance to the best known, in the problem's unit."),
        *_interval("feasible", "Share of feasible shots."),
        *(
            Column(f"{measure}_p_holm_{rival}", "float64", f"Sampler against {rival}: {measure}.", True, 0, 1)
            for measure in ("optimum", "gap", "feasible")
            for rival in ("product", "uniform")
        ),
    ),
)
DECISION = TableContract(
    "decision/v1",
    (
        Column("path", "string", "Who answered.", isin=("quantum", "classical")),
        Column("maker", "string", "Solver or sampler."),
        Column("published", "bool", "Whether this row is the decision; exactly one is."),
        Column("by", "string", "Path of the policy that published it; empty for the others."),
        Column("bits", "string", "The row, variable 0 first."),
        Column("objective", "float64", "Recomputed, in the problem's unit."),
        Column("violations", "float64", "By how much it breaks the constraints; 0: feasible.", ge=0),
        Column("gap_to_best_known", "float64", "Relative; null: nothing is known.", nullable=True),
        Column("gap_to_bound", "float64", "Relative, to the proven bound; null: none is proven.", nullable=True),
        Column("choice", "string", "JSON list: the row in the user's terms."),
        Column("reasons", "string", "Every reason, in order."),
    ),
)
OUTCOME = TableContract(
    "outcome/v2",
    (
        Column("profile", "string", "Execution profile of the decision; empty for equal weight."),
        Column("path", "string", "Whose holding.", isin=("published", "quantum", "classical", "equal_weight")),
        Column("held", "string", "Tickers, separated by blanks."),
        Column("before", "string", "Tickers held the month before, separated by blanks; empty: all was cash."),
        Column("total_return", "float64", "Of the period, before costs: 0.02 is two per cent."),
        Column("volatility", "float64", "Standard deviation of daily returns, a year.", ge=0),
        Column("turnover", "float64", "Share of the holding exchanged on the day of the decision.", ge=0, le=1.0000001),
        Column("days", "int64", "Trading days in the data.", ge=2),
        Column("complete", "bool", "Whether the data go on after the period."),
    ),
)
OPTIMIZATION_MODES = TableContract(
    "optimization_modes/v1",
    (
        Column("profile", "string", "Execution profile.", unique=True),
        Column("mode", "string", "As it ran: ideal, noisy, managed or hardware; empty where nobody answered."),
        Column("estimator", "string", "As it ran: exact, binomial or circuits; empty where nobody answered."),
        Column("provider", "string", "Who answered."),
        Column("backend", "string", "Devices or simulators that answered."),
        Column("calibration", "string", "Digests of their calibrations; empty without one."),
        Column("path", "string", "Of the execution: quantum, classical, ensemble, or none."),
        Column("reason", "string", "Why it was not the quantum path; empty where it was."),
        Column("variables", "int64", "Spins of the quantum step.", ge=1),
        Column("reduced", "bool", "Whether they are fewer than those of the instance."),
        Column("shots", "int64", "Shots that came; 0: nobody answered.", ge=0),
        Column("depth", "int64", "Depth as compiled; 0 where nothing was.", ge=0),
        Column("two_qubit_gates", "int64", "Two-qubit gates as compiled; 0 where nothing was.", ge=0),
        Column("angles_of", "string", "Where the angles of the shots come from: exact, noisy or start of training."),
        Column("exact_energy", "float64", "Mean energy of the trained state, without shots and noise."),
        Column("mean_energy", "float64", "Mean energy of the shots.", nullable=True),
        Column("energy_difference", "float64", "Mean energy of the shots minus the exact one.", nullable=True),
        Column("energy_error", "float64", "Standard error of the difference, from the shots.", nullable=True, ge=0),
        Column("total_variation", "float64", "Distance of the shots from the exact distribution.", True, 0, 1),
        Column("total_variation_expected", "float64", "What shots of that distribution would have.", True, 0, 1),
        Column("total_variation_margin", "float64", "Half-width of its 95 % band.", nullable=True, ge=0),
        Column("fidelity", "float64", "Linear cross-entropy fidelity; null: the exact state is uniform.", True),
        Column("fidelity_error", "float64", "Its standard error.", nullable=True, ge=0),
        *_interval("optimum", "Share of shots that reach the best known after repair."),
        *_interval("gap", "Mean distance to the best known after repair, in the problem's unit."),
        Column("finding", "string", "The sampler against the product of its marginals; empty before the ladder."),
        Column("decided_by", "string", "Path of the policy that published; empty before the decision."),
        Column("maker", "string", "Solver or sampler of the published row."),
        Column("objective", "float64", "Of the published row, in the problem's unit.", nullable=True),
        Column("violations", "float64", "By how much it breaks the constraints; 0: feasible.", nullable=True, ge=0),
        Column("cost", "float64", "What the shots cost; noisy evaluations and other finalists apart.", ge=0),
        Column("currency", "string", "Of cost."),
    ),
)
_OPTIMIZATION = (PROBLEM, SOLUTIONS, SAMPLING_JOBS, SAMPLES, ATTRIBUTION, DECISION, OUTCOME, OPTIMIZATION_MODES)
_STUDIES = (DATASET, FEATURES, JOBS, GRAM, KERNELS, DIAGNOSTICS, EVALUATION, VERDICT, MODES, MODEL)
CONTRACTS = {c.name: c for c in (*_STUDIES, *_OPTIMIZATION, BREAKERS, SPENDING, TICKETS)}
