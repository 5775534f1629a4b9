"""Every op, each defined in one place; importing this package registers them."""

from symcnn.ops import (  # noqa: F401  (importing registers the builders)
    composite,
    conv,
    elementwise,
    linalg,
    loss,
    normalize,
    pool,
    random,
    reduce,
    shape,
)
