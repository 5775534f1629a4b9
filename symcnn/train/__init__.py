"""Training: one compiled step, and the loop around it.

Read `step` for what a step is, `fit` for the loop, `callback` for what can be done around its steps.
"""

from symcnn.train.callback import Callback, Run
from symcnn.train.early_stopping import EarlyStopping
from symcnn.train.evaluate import Evaluation, compile_evaluation, evaluate
from symcnn.train.fit import fit
from symcnn.train.history import History
from symcnn.train.step import Step, compile_step

__all__ = [
    "Callback",
    "EarlyStopping",
    "Evaluation",
    "History",
    "Run",
    "Step",
    "compile_evaluation",
    "compile_step",
    "evaluate",
    "fit",
]
