"""Right and wrong answers to the exercises of notebook 01."""

import symcnn as sc


def capped(x, *, leak=0.1):
    return sc.clip(x, 0, 6) + leak * (x - sc.clip(x, 0, 6))


RIGHT = {
    "01-2": [
        [(1, 1, -0.5), (1, 1, -1.5), (1, -1, -0.5)],
        [(1, -1, 0), (-1, 1, 0), (1, 1, 0)],
    ],
    "01-3": [
        capped,
        lambda x: sc.where(x < 0, 0.1 * x, sc.where(x > 6, 6 + 0.1 * (x - 6), x)),
    ],
}
WRONG = {
    "01-2": [
        [(1, 1, -0.5), (1, 1, -0.5), (1, 1, -0.5)],
        [(1, 1, -0.5), (1, 1, -1.5), (1, 1, -0.5)],
        [(1, 1), (1, 1), (1, 1)],
    ],
    "01-3": [
        lambda x: capped(x, leak=0.0),
        lambda x: sc.clip(x, 0, 6),
        lambda x: sc.where((x < 0) | (x > 6), 0.1 * x, x),
        lambda x: 6.0,
    ],
}
