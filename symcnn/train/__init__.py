"""Training: one compiled step, and the loop around it.

Read `step` for what a step is, `fit` for the loop, `callback` for what can be done around its steps; `gradient_check`,
`overfit` and `lr_find` for what to try before the training, `probe`, `diagnosis`, `curves`, `monitor` and `nan_guard` for
how to watch it.
"""

from symcnn.keywords import meant
from symcnn.train.callback import Callback, Run
from symcnn.train.checkpoints import Checkpoints
from symcnn.train.csv_log import CSVLog
from symcnn.train.curves import diagnose_history
from symcnn.train.early_stopping import EarlyStopping
from symcnn.train.evaluate import Evaluation, compile_evaluation, evaluate
from symcnn.train.fit import fit
from symcnn.train.gradient_check import GradientCheck, check_gradients
from symcnn.train.history import History
from symcnn.train.lr_find import RateCurve, lr_find
from symcnn.train.monitor import Monitor
from symcnn.train.nan_guard import Incident, NaNGuard
from symcnn.train.overfit import OverfitCheck, overfit_check
from symcnn.train.probe import Measurement, Probe
from symcnn.train.step import Step, compile_step
from symcnn.train.tensorboard_log import TensorBoardLog

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoints",
    "EarlyStopping",
    "Evaluation",
    "GradientCheck",
    "History",
    "Incident",
    "Measurement",
    "Monitor",
    "NaNGuard",
    "OverfitCheck",
    "Probe",
    "RateCurve",
    "Run",
    "Step",
    "TensorBoardLog",
    "check_gradients",
    "compile_evaluation",
    "compile_step",
    "diagnose_history",
    "evaluate",
    "fit",
    "lr_find",
    "overfit_check",
]


def __getattr__(name: str):
    raise AttributeError(f"symcnn.train has no {name!r}; {meant(name, __all__)}")
