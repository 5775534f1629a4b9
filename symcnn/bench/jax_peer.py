"""JAX as a contender, jitted, in its own order NHWC."""

from __future__ import annotations

from functools import cache

import numpy as np

from symcnn.bench.tasks import CHAINS, MOMENTUM, NETWORKS, RATE, Convolution

VARIANTS = ("jit",)


def prepare(variant: str, what: str, **task):
    """A call without arguments that does `task` once and waits for its result."""
    return _TASKS[what](**task)


def memory(task: dict) -> dict:
    return {}


def _normal(*shape, deviation=1.0):
    import jax.numpy as jnp

    return jnp.asarray(np.random.default_rng(0).normal(size=shape).astype("float32") * np.float32(deviation))


def _weight(*shape):
    return [_normal(*shape, deviation=(2 / np.prod(shape[:-1])) ** 0.5), _normal(shape[-1], deviation=0)]


def _conv(x, weight, stride=1, padding=0, groups=1):
    from jax import lax

    return lax.conv_general_dilated(
        x, weight, (stride, stride), [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups,
    )  # fmt: skip


def _pool(x):
    from jax import lax

    return lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


@cache
def _network(name):
    """Parameters and the function ``network(parameters, x)``."""
    import jax

    relu = jax.nn.relu
    if name == "mlp":
        sizes = [(784, 512), (512, 512), (512, 10)]

        def network(p, x):
            return relu(relu(x @ p[0][0] + p[0][1]) @ p[1][0] + p[1][1]) @ p[2][0] + p[2][1]
    elif name == "lenet":
        sizes = [(5, 5, 1, 20), (5, 5, 20, 50), (800, 500), (500, 10)]

        def network(p, x):
            for weight, bias in p[:2]:
                x = relu(_pool(_conv(x, weight) + bias))
            x = relu(x.reshape(x.shape[0], -1) @ p[2][0] + p[2][1])
            return x @ p[3][0] + p[3][1]
    elif name == "cs231n":
        widths = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
        sizes = [*((3, 3, n_in, n_out) for n_in, n_out in widths), (2048, 10)]

        def network(p, x):
            for k in range(0, 6, 2):
                for weight, bias in p[k : k + 2]:
                    x = relu(_conv(x, weight, padding=1) + bias)
                x = _pool(x)
            return x.reshape(x.shape[0], -1) @ p[6][0] + p[6][1]
    else:
        raise NotImplementedError(f"{name}: JAX needs minutes for the gradients of its convolutions on a processor")
    return [_weight(*shape) for shape in sizes], network


def _batch(network, batch):
    import jax.numpy as jnp

    of = NETWORKS[network]
    shape = (*of.in_shape[1:], of.in_shape[0]) if len(of.in_shape) == 3 else of.in_shape
    return _normal(batch, *shape), jnp.asarray(np.random.default_rng(0).integers(0, of.classes, batch))


@cache
def _update_function(network):
    """The jitted step ``(parameters, velocities, x, y) -> (parameters, velocities, loss)``."""
    import jax
    import jax.numpy as jnp

    _, apply = _network(network)

    def loss(p, x, y):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(apply(p, x)), y[:, None], 1))

    tree = jax.tree_util.tree_map

    def step(p, v, x, y):
        value, g = jax.value_and_grad(loss)(p, x, y)
        v = tree(lambda a, b: MOMENTUM * a + b, v, g)
        return tree(lambda a, b: a - RATE * b, p, v), v, value

    return jax.jit(step, donate_argnums=(0, 1))


def _train(network, batch):
    import jax

    step, (x, y) = _update_function(network), _batch(network, batch)
    parameters = jax.tree_util.tree_map(lambda a: a + 0, _network(network)[0])  # a step eats what it is given
    state = [parameters, jax.tree_util.tree_map(lambda a: 0 * a, parameters)]

    def call():
        state[0], state[1], value = step(*state, x, y)
        return float(value)

    return call


@cache
def _forward_function(network):
    import jax

    return jax.jit(_network(network)[1])


def _infer(network, batch):
    run, parameters, (x, _) = _forward_function(network), _network(network)[0], _batch(network, batch)
    return lambda: np.asarray(run(parameters, x))


def _chain(chain, size):
    import jax
    import jax.numpy as jnp

    of = CHAINS[chain]
    arrays = [_normal(size) for _ in range(of.operands)]
    run = jax.jit(lambda *arrays: of.formula(jnp, *arrays))
    return lambda: run(*arrays).block_until_ready()


def _update(size):
    import jax

    state, gradient = [_normal(size), _normal(size)], _normal(size)

    def step(p, v, g):
        v = MOMENTUM * v + g
        return p - RATE * v, v

    run = jax.jit(step, donate_argnums=(0, 1))

    def call():
        state[:] = run(*state, gradient)
        state[0].block_until_ready()

    return call


def _convolution(direction, layer):
    import jax

    of = Convolution(**layer)
    x = _normal(of.batch, of.height, of.width, of.in_channels)
    w = _normal(*of.window, of.in_channels // of.groups, of.out_channels)

    def forward(x, w):
        return _conv(x, w, of.stride, of.padding, of.groups)

    if direction == "forward":
        run = jax.jit(forward)
        return lambda: run(x, w).block_until_ready()
    g = _normal(of.batch, *of.out_size, of.out_channels)
    if direction == "input gradient":
        run = jax.jit(lambda x, w, g: jax.vjp(lambda x: forward(x, w), x)[1](g)[0])
    else:
        run = jax.jit(lambda x, w, g: jax.vjp(lambda w: forward(x, w), w)[1](g)[0])
    return lambda: run(x, w, g).block_until_ready()


_TASKS = {"train": _train, "forward": _infer, "chain": _chain, "update": _update, "convolution": _convolution}
