"""Evaluation: the same as metrics of all outputs at once, whatever the batches; also per pixel and from disk."""

from functools import partial

import numpy as np
import pytest

import symcnn as sc
from symcnn import metrics
from symcnn.train import compile_evaluation, evaluate

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 4)).astype("float32")
LABELS = rng.integers(0, 6, 50)
model = sc.models.mlp([4, 6])
logits = model.predict(X, device="reference")


@pytest.mark.parametrize("batch_size", [1, 7, 50, 999])
def test_all_metrics_over_batches(batch_size):
    top3, f1 = partial(metrics.top_k_accuracy, k=3), partial(metrics.f1, average="macro")
    evaluation = compile_evaluation(
        model, device="reference", metrics={"top3": top3, "f1": f1, "iou": metrics.mean_iou}
    )
    found = evaluation((X, LABELS), batch_size)
    confusion = metrics.confusion_matrix(logits, LABELS, 6)
    assert (evaluation.confusion == confusion).all()
    p = np.exp(logits.astype("float64"))
    assert found == pytest.approx({
        "loss": -np.log(p[np.arange(50), LABELS] / p.sum(axis=1)).mean(), "accuracy": (logits.argmax(1) == LABELS).mean(),
        "top3": top3(logits, LABELS), "f1": f1(confusion), "iou": metrics.mean_iou(confusion),
    }, rel=1e-5)  # fmt: skip
    assert evaluation((X[:9], LABELS[:9]), batch_size) and evaluation.confusion.sum() == 9  # begins anew


def test_names():
    found = evaluate(model, (X, LABELS), device="reference", metrics=[metrics.top_k_accuracy, metrics.mean_iou])
    assert list(found) == ["loss", "accuracy", "top_k_accuracy", "mean_iou"]
    found = evaluate(model, (X, LABELS), device="reference", metrics=partial(metrics.recall, average="macro"))
    assert list(found) == ["loss", "accuracy", "recall"]


def test_per_pixel():
    network = sc.nn.Sequential(sc.nn.Conv2d(2, 3, 1, seed=0))
    images, labels = rng.normal(size=(5, 2, 4, 6)).astype("float32"), rng.integers(0, 3, (5, 4, 6))
    labels[0, :2] = 255
    loss = partial(sc.losses.cross_entropy, ignore_index=255)
    found = evaluate(network, (images, labels), loss, batch_size=2, device="reference", metrics=metrics.mean_iou)
    scores, kept = network.predict(images, device="reference"), labels != 255
    confusion = metrics.confusion_matrix(scores, labels, 3, ignore_index=255)
    assert found["accuracy"] == pytest.approx((scores.argmax(1) == labels)[kept].mean())
    assert found["mean_iou"] == pytest.approx(metrics.mean_iou(confusion))


def test_data_on_disk_is_read_batch_by_batch(tmp_path):
    np.save(tmp_path / "images.npy", X)

    class OnDisk:
        """Like an array that is larger than memory: it cannot be read whole."""

        rows, shape, dtype, ndim = np.load(tmp_path / "images.npy", mmap_mode="r"), X.shape, X.dtype, 2

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, rows):
            found = self.rows[rows]
            assert len(found) <= 8
            return found

    found = evaluate(model, (OnDisk(), LABELS), batch_size=8, device="reference")
    assert found == evaluate(model, (X, LABELS), batch_size=8, device="reference")


def test_in_fit():
    history = sc.train.fit(
        sc.models.mlp([4, 6]), (X, LABELS), (X, LABELS), epochs=2, metrics={"iou": metrics.mean_iou},
        callbacks=sc.train.EarlyStopping("val_iou"), device="reference", progress=False,
    )  # fmt: skip
    assert len(history["val_iou"]) == 2


@pytest.mark.parametrize(
    "wrong, says",
    [
        (3, "not callable"),
        ([metrics.f1, metrics.f1], "one name"),
        ({"loss": metrics.f1}, "measured anyway"),
        (lambda a, b, c: 0, "takes 3 arguments"),
        (metrics.precision, "gave no number"),
        (lambda outputs, labels: "good", "gave no number"),
    ],
)
def test_complaints(wrong, says):
    with pytest.raises(sc.InputError, match=says):
        evaluate(model, (X, LABELS), device="reference", metrics=wrong)


def test_a_confusion_matrix_needs_classes():
    with pytest.raises(sc.InputError, match="no classes"):
        evaluate(model, (X, logits), sc.losses.squared_error, device="reference", metrics=metrics.mean_iou)
