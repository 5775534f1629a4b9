"""Right and wrong answers to the exercises of notebook 07."""


def parameters(channels, filters, window, groups=1, *, biases=True):
    return filters * (channels // groups * window**2) + filters * biases


def field(layers, *, jumps=True):
    size, jump = 1, 1
    for window, stride in layers:
        size += (window - 1) * jump
        if jumps:
            jump *= stride
    return size


NINE = [[0, 0, 0], [0, 10, 0], [0, 0, 0]]
ONE = [[0, 0, 0], [1, 0, 2], [3, 0, 4]]

RIGHT = {"07-2": [parameters], "07-3": [field], "07-4": [(NINE, ONE)]}
WRONG = {
    "07-2": [
        lambda *shape: parameters(*shape, biases=False),
        lambda channels, filters, window, groups: parameters(channels, filters, window),
        lambda *shape: ...,
    ],
    "07-3": [
        lambda layers: field(layers, jumps=False),
        lambda layers: sum(window for window, _ in layers),
        lambda layers: ...,
    ],
    "07-4": [
        (ONE, NINE),
        (NINE, NINE),
        ([[0, 0, 0], [0, 4, 0], [0, 0, 0]], ONE),
        NINE,
        (..., ...),
    ],
}
