"""Every op, each defined in one place; importing this package registers them."""

from symcnn.ops import (  # noqa: F401  (importing registers the builders)
    avg_pool,
    composite,
    conv,
    conv_transpose,
    einsum,
    elementwise,
    indexing,
    joining,
    linalg,
    loss,
    lrn,
    normalize,
    pool,
    random,
    reduce,
    resize,
    shape,
)
