"""`symcnn demo`: a convolutional network trained on real images, from expression to report, in a minute."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import symcnn as sc
from symcnn import metrics
from symcnn.nn.weights import write_atomically
from symcnn.viz.report import Report

BATCH = 64


def demo(epochs: int = 8, images_per_class: int = 600, device: str = "cpu", seed: int = 0, folder=".") -> float:
    """Train LeNet on the bundled images, tell about it, write ``symcnn-demo.html`` to `folder`.

    Returns
    -------
    float
        The accuracy on the test images.
    """
    start = perf_counter()
    train, validation, test, normalize = _data(images_per_class, seed)
    print(
        f"LeNet on Fashion-MNIST: {len(train):,} training, {len(validation):,} validation, {len(test):,} test images\n"
    )

    model = sc.models.lenet(seed=seed)
    before = model.parameters()["conv1.weight"].get_value()
    print(f"{model.summary()}\n")

    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.02, momentum=0.9, weight_decay=2e-3), device=device)
    evaluation = sc.train.compile_evaluation(model, device=device)
    compile_start = perf_counter()
    function = step.compile(*next(train.batches(BATCH)))
    evaluation.compile(*next(validation.batches(128)))
    compiling = perf_counter() - compile_start
    print(f"{_story(function)}\n\nCompiling took {compiling:.1f} s.\n")

    history = sc.train.fit(
        model, train, validation, epochs=epochs, batch_size=BATCH, seed=seed,
        step=step, evaluation=evaluation, schedule=sc.optim.cosine_decay(epochs),
    )  # fmt: skip

    logits = model.predict(test.images, device=device)
    accuracy = metrics.accuracy(logits, test.labels)
    print(f"\n{_per_class(logits, test)}\n")

    seconds = perf_counter() - start
    report = Report(
        title="symcnn demo: LeNet on Fashion-MNIST",
        subtitle=f"{len(train):,} training images, {epochs} epochs of SGD with momentum; tested on {len(test):,} others.",
        figures={
            "test accuracy": f"{accuracy:.1%}",
            "parameters": f"{model.parameters().count:,}",
            "kernels per step": str(len(function.kernels)),
            "seconds compiling": f"{compiling:.1f}",
            "seconds in all": f"{seconds:.0f}",
        },
        summary=model.summary(),
        node_counts=function.node_counts,
        history=history,
        filters_before=before,
        filters_after=model.parameters()["conv1.weight"].get_value(),
        images=normalize.inverse(test.images).clip(0, 255).round().astype("uint8"),
        labels=test.labels,
        logits=logits,
        classes=test.classes,
    )
    path = Path(folder) / "symcnn-demo.html"
    write_atomically(path, report.html().encode())
    print(f"Test accuracy {accuracy:.3f} after {seconds:.0f} s. Wrote {path}: open it in a browser.")
    return accuracy


def _data(images_per_class, seed):
    """Training, validation and test images, normalised by what the training images alone look like."""
    train, test = sc.data.fashion_mnist()
    if images_per_class < 600:
        train, _ = train.split(1 - images_per_class / 600, seed=seed)
    train, validation = train.split(0.1, seed=seed)
    normalize = sc.data.Normalize.fit(train.images)
    return train.map(normalize), validation.map(normalize), test.map(normalize), normalize


def _story(function) -> str:
    """What became of the graph of one training step, from the expression to the kernels."""
    rows = {f"nodes, {stage}": f"{count:,}" for stage, count in function.node_counts.items()}
    rows["kernels"] = f"{len(function.kernels):,}"
    rows["peak memory"] = f"{function.memory_plan.peak_bytes / 1e6:.1f} MB for {BATCH} images"
    width = max(map(len, rows))
    return "\n".join(["One training step", *(f"  {name:<{width}}  {value}" for name, value in rows.items())])


def _per_class(logits, test) -> str:
    confusion = metrics.confusion_matrix(logits, test.labels, len(test.classes))
    width = max(map(len, test.classes))
    rows = zip(test.classes, metrics.precision(confusion), metrics.recall(confusion), strict=True)
    header = f"{'test images':<{width}}  precision  recall"
    return "\n".join([header, *(f"{name:<{width}}  {p:9.3f}  {r:6.3f}" for name, p, r in rows)])
