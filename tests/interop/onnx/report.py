"""How many of ONNX's cases pass, fail and are out of scope, by operator: ``python -m tests.interop.onnx.report``."""

from collections import Counter

from tests.interop.onnx import scope
from tests.interop.onnx.backend import Reference, cases, families, model_of, run


def main() -> None:
    rows = [(title(family), *judged(family)) for family in families()]
    print(f"{'operator':<28}{'pass':>6}{'fail':>6}{'out of scope':>14}")
    for name, count, reasons, failures in rows:
        why = "; ".join(f"{reason}: {n}" for reason, n in sorted(reasons.items()))
        print(f"{name:<28}{count:>6}{len(failures):>6}{reasons.total():>14}  {', '.join(failures) or why}")
    totals = sum(r[1] for r in rows), sum(len(r[3]) for r in rows), sum(r[2].total() for r in rows)
    print(f"{'all':<28}{totals[0]:>6}{totals[1]:>6}{totals[2]:>14}")


def title(family: str) -> str:
    """The operator of a family, or the name of a set of files."""
    first = cases(family)[0]
    return model_of(first).graph.node[0].op_type if first.kind == "node" else family


def judged(family: str) -> tuple[int, Counter[str], list[str]]:
    """How many cases pass, how many are out of scope for each reason, and which fail."""
    passed, reasons, failures = 0, Counter(), []
    for case in cases(family):
        if reason := scope.reason(case):
            reasons[reason] += 1
            continue
        try:
            run(Reference, case)
            passed += 1
        except Exception as error:
            failures.append(f"{case.name} ({type(error).__name__})")
    return passed, reasons, failures


if __name__ == "__main__":
    main()
