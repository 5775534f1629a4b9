"""Training: one compiled step, and the loop around it."""

from symcnn.train.evaluate import Evaluation, compile_evaluation, evaluate
from symcnn.train.fit import fit
from symcnn.train.history import History
from symcnn.train.step import Step, compile_step

__all__ = ["Evaluation", "History", "Step", "compile_evaluation", "compile_step", "evaluate", "fit"]
