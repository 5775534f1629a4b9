"""Networks as text."""

from symcnn import nn


def test_a_short_network_is_one_line():
    assert repr(nn.Sequential(nn.Dense(4, 3), act=nn.ReLU())) == "Sequential(Dense(4, 3), act=ReLU())"
    assert repr(nn.Residual(nn.ReLU())) == "Residual(body=ReLU())"


def test_a_long_one_has_a_line_per_part():
    block = nn.Parallel(
        a=nn.Conv2d(16, 16, 3, padding=1), b=nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.ReLU())
    )
    model = nn.Sequential(conv=nn.Conv2d(3, 16, 3), act=nn.ReLU(), block=block)
    assert str(model) == (
        "Sequential(\n"
        "  conv=Conv2d(3, 16, 3x3),\n"
        "  act=ReLU(),\n"
        "  block=Parallel(\n"
        "    a=Conv2d(16, 16, 3x3, padding=1),\n"
        "    b=Sequential(MaxPool2d(3, stride=1, padding=1), ReLU()),\n"
        "  ),\n"
        ")"
    )


def test_a_slice_says_where_its_layers_were():
    assert repr(nn.Sequential(nn.Dense(4, 3), nn.ReLU(), nn.Dense(3, 2))[1:]) == "Sequential(1=ReLU(), 2=Dense(3, 2))"
