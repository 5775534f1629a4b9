"""Right and wrong answers to the exercises of notebook 11."""


def inception(n_in, n1, reduce3, n3, reduce5, n5, pooled, bias=1):
    def conv(channels, filters, window):
        return filters * (channels * window**2 + bias)

    return (
        conv(n_in, n1, 1)
        + conv(n_in, reduce3, 1)
        + conv(reduce3, n3, 3)
        + conv(n_in, reduce5, 1)
        + conv(reduce5, n5, 5)
        + conv(n_in, pooled, 1)
    )


def as_convolution(weight, channels, height, width):
    return weight.T.reshape(-1, channels, height, width)


RIGHT = {"11-2": [inception], "11-3": [as_convolution]}
WRONG = {
    "11-2": [
        lambda *widths: inception(*widths, bias=0),
        lambda n_in, n1, reduce3, n3, reduce5, n5, pooled: inception(n_in, n1, n3, reduce3, n5, reduce5, pooled),
        lambda *widths: ...,
    ],
    "11-3": [
        lambda weight, channels, height, width: weight.reshape(-1, channels, height, width),
        lambda weight, channels, height, width: weight.reshape(channels, height, width, -1),
        lambda weight, channels, height, width: as_convolution(weight[::-1], channels, height, width),
        lambda *operands: ...,
    ],
}
