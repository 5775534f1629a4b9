"""The command line: `symcnn demo`, `symcnn bench` and `symcnn info`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name; the exit status."""
    from symcnn.errors import SymcnnError

    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except SymcnnError as error:
        print(f"symcnn: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    from symcnn.bench import arguments

    parser = argparse.ArgumentParser("symcnn", description="A symbolic autodiff compiler for convolutional networks.")
    commands = parser.add_subparsers(required=True, metavar="command")

    demo = commands.add_parser("demo", help="train a small network on real images and write symcnn-demo.html")
    demo.add_argument(
        "--device", default="cpu", choices=["cpu", "cuda", "reference"], help="where to compute (default %(default)s)"
    )
    demo.add_argument("--seed", type=int, default=0, help="of weights, split and shuffling (default %(default)s)")
    # Shorter runs, for tests.
    demo.add_argument("--epochs", type=_count(1, 1000), default=8, help=argparse.SUPPRESS)
    demo.add_argument("--images-per-class", type=_count(10, 600), default=600, help=argparse.SUPPRESS)
    demo.set_defaults(run=_demo)

    bench = commands.add_parser(
        "bench", help="time training steps on this machine, beside PyTorch and JAX if installed"
    )
    bench.add_argument(
        "networks",
        nargs="*",
        type=arguments.network,
        help="of mlp, lenet, cs231n, alexnet, googlenet (default the first 3)",
    )
    bench.add_argument("--batch", type=_count(1, 4096), help="examples per step (default each network's own)")
    bench.add_argument(
        "--seconds",
        type=arguments.seconds,
        default=1.5,
        help="how long to measure each network and contender (default %(default)s)",
    )
    bench.add_argument("--alone", action="store_true", help="leave the peers out")
    bench.set_defaults(run=_bench)

    info = commands.add_parser("info", help="show versions, processor, settings and the kernel cache")
    info.set_defaults(run=_info)
    return parser


def _count(low: int, high: int):
    def count(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return count


def _demo(options) -> int:
    from symcnn.demo import demo

    demo(options.epochs, options.images_per_class, options.device, options.seed)
    return 0


def _bench(options) -> int:
    from symcnn.bench.short import PEERS, bench

    bench(
        options.networks or ("mlp", "lenet", "cs231n"), options.batch, options.seconds, () if options.alone else PEERS
    )
    return 0


def _info(options) -> int:
    from symcnn.backends.cache import KernelCache
    from symcnn.backends.cuda import gpus
    from symcnn.backends.jit import numba_config
    from symcnn.bench import machine
    from symcnn.config import config

    def installed(name):
        return machine.installed(name) or "not installed"

    of = machine.describe()
    available = numba_config.NUMBA_NUM_THREADS
    writable = "writable" if KernelCache(config.cache_dir).is_writable() else "not writable: kernels are not kept"
    kernels = [path for path in config.cache_dir.rglob("*") if path.is_file()] if config.cache_dir.is_dir() else []
    size = sum(path.stat().st_size for path in kernels)
    rows = {
        "symcnn": installed("symcnn"),
        "python": f"{of['python']} on {of['system']}",
        "packages": ", ".join(f"{name} {installed(name)}" for name in ("numpy", "numba", "networkx", "numba-cuda")),
        "processor": f"{of['processor']}, {machine.plural(of['processors'], 'processor')}",
        "vectors": of["vectors"],
        "gpu": gpus.unavailable() or ", ".join(gpus.listed()),
        "threads": f"{min(config.threads, available)} used ({config.threads} asked for, {available} available)",
        "dtype": config.default_dtype,
        "tuned kernels": "on" if config.tuned else "off",
        "winograd": "on" if config.winograd else "off",
        "tf32 on a gpu": "on" if config.tf32 else "off",
        "cuda simulator": "on" if config.simulate_cuda else "off",
        "kernel cache": f"{config.cache_dir} ({writable}; {machine.plural(len(kernels), 'file')}, {size / 1e6:.1f} MB)",
    }
    width = max(map(len, rows))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
