"""A class for every pixel: a small FCN-8s on drawn shapes, to a mean IoU above 0.9 in a few minutes of two processor cores.

The network is that of Long, Shelhamer and Darrell (2015) with an eighth of its channels. Theirs begins with the weights of
a classifier that has seen a million photographs; batch norm lets this one begin from nothing.

    python examples/segmentation.py

Mean IoU 0.939 on 200 images apart, after 2 minutes on two cores of a Zen 4 server.
"""

import argparse

import symcnn as sc


def main():
    parser = argparse.ArgumentParser(description="Train a small FCN-8s on circles, squares and triangles.")
    parser.add_argument("--images", type=int, default=3000, help="how many to train on")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    train = sc.data.synthetic_shapes(options.images, seed=options.seed)
    validation, test = (sc.data.synthetic_shapes(200, seed=options.seed + further) for further in (1, 2))
    normalize = sc.data.Normalize.fit(train.images)

    model = sc.models.fcn8s(classes=len(train.classes), batch_norm=True, dropout=0.0, width=1 / 8, seed=options.seed)
    sc.train.fit(
        model,
        train.map(normalize),
        validation.map(normalize),
        epochs=options.epochs,
        batch_size=16,
        optimizer=sc.optim.Adam(options.rate),
        schedule=sc.optim.cosine_decay(options.epochs),
        metrics={"mean_iou": sc.metrics.mean_iou},
        seed=options.seed,
    )
    predicted = model.predict(normalize(test.images)).argmax(axis=1)
    confusion = sc.metrics.confusion_matrix(predicted, test.labels)
    for name, value in zip(train.classes, sc.metrics.iou(confusion), strict=True):
        print(f"IoU of {name}: {value:.3f}")
    print(f"mean IoU: {sc.metrics.mean_iou(confusion):.3f}")


if __name__ == "__main__":
    main()
