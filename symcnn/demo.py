"""`symcnn demo`: a convolutional network trained on real images, from expression to report, in a minute."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import symcnn as sc
from symcnn import metrics
from symcnn.nn.weights import write_atomically
from symcnn.viz.report import Report


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
    print(model.summary(), "\n")

    step = sc.train.compile_step(model, optimizer=sc.optim.SGD(0.03, momentum=0.9, weight_decay=1e-3), device=device)
    function = step.compile(train.images[:64], train.labels[:64])
    counts = function.node_counts
    print(f"Nodes in the graph of one training step\n{_table(counts)}\n")

    schedule = sc.optim.cosine_decay(epochs)
    history = sc.train.fit(
        model, train, validation, epochs=epochs, batch_size=64, step=step, schedule=schedule, seed=seed
    )

    logits = model.predict(test.images, device=device)
    confusion = metrics.confusion_matrix(logits, test.labels, len(test.classes))
    accuracy = metrics.accuracy(logits, test.labels)
    print(f"\n{_per_class(confusion, test.classes)}\n")

    seconds, compiling = perf_counter() - start, function.compile_seconds
    report = Report(
        title="symcnn demo: LeNet on Fashion-MNIST",
        subtitle=f"{len(train):,} training images, {epochs} epochs of SGD with momentum; tested on {len(test):,} others.",
        figures={
            "test accuracy": f"{accuracy:.1%}",
            "parameters": f"{model.parameters().count:,}",
            "seconds in all": f"{seconds:.0f}",
            "seconds compiling": f"{compiling:.1f}",
        },
        summary=model.summary(),
        node_counts=counts,
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
    print(f"{seconds:.0f} s in all, of which {compiling:.1f} s compiling the training step.")
    print(f"Test accuracy {accuracy:.3f}. Wrote {path}: open it in a browser.")
    return accuracy


def _data(images_per_class, seed):
    """Training, validation and test images, normalised by what the training images alone look like."""
    train, test = sc.data.fashion_mnist()
    if images_per_class < 600:
        train, _ = train.split(1 - images_per_class / 600, seed)
    train, validation = train.split(0.1, seed)
    normalize = sc.data.Normalize.fit(train.images)
    return train.map(normalize), validation.map(normalize), test.map(normalize), normalize


def _table(counts) -> str:
    width = max(map(len, counts))
    return "\n".join(f"  {stage:<{width}}  {count:>5,}" for stage, count in counts.items())


def _per_class(confusion, classes) -> str:
    width = max(map(len, classes))
    rows = zip(classes, metrics.precision(confusion), metrics.recall(confusion), strict=True)
    header = f"{'test images':<{width}}  precision  recall"
    return "\n".join([header, *(f"{name:<{width}}  {p:9.3f}  {r:6.3f}" for name, p, r in rows)])
