"""Every op, each defined in one place; importing this package registers them."""

from symcnn.ops import (  # noqa: F401  (importing registers the builders)
    composite,
    elementwise,
    indexing,
    linalg,
    reduce,
    shape,
)
