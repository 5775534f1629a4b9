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
    parser = argparse.ArgumentParser("symcnn", description="A symbolic autodiff compiler for convolutional networks.")
    commands = parser.add_subparsers(required=True, metavar="command")

    demo = commands.add_parser("demo", help="train a small network on real images and write symcnn-demo.html")
    demo.add_argument("--device", default="cpu", choices=["cpu", "reference"], help="where to compute (cpu)")
    demo.add_argument("--seed", type=int, default=0, help="of weights, split and shuffling (0)")
    # Shorter runs, for tests.
    demo.add_argument("--epochs", type=_count(1, 1000), default=8, help=argparse.SUPPRESS)
    demo.add_argument("--images-per-class", type=_count(10, 600), default=600, help=argparse.SUPPRESS)
    demo.set_defaults(run=_demo)

    bench = commands.add_parser(
        "bench", help="time training steps on this machine, beside PyTorch and JAX if installed"
    )
    bench.add_argument("networks", nargs="*", help="mlp, lenet, cs231n (these by default), alexnet, googlenet")
    bench.add_argument("--batch", type=_count(1, 4096), help="examples per step (each network's own)")
    bench.add_argument("--seconds", type=float, default=1.5, help="of measuring per network and contender (1.5)")
    bench.add_argument("--alone", action="store_true", help="leave the peers out")
    bench.set_defaults(run=_bench)

    info = commands.add_parser("info", help="show versions, processor, devices and the kernel cache")
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
    from symcnn.bench.tasks import NETWORKS
    from symcnn.errors import InputError
    from symcnn.keywords import nearest

    for name in options.networks:
        if name not in NETWORKS:
            raise InputError(f"no benchmark network is called {name!r}", hint=nearest(name, NETWORKS))
    bench(
        options.networks or ("mlp", "lenet", "cs231n"), options.batch, options.seconds, () if options.alone else PEERS
    )
    return 0


def _info(options) -> int:
    import os
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from symcnn.config import config

    def installed(name):
        try:
            return version(name)
        except PackageNotFoundError:
            return "not installed"

    kernels = [path for path in config.cache_dir.rglob("*") if path.is_file()] if config.cache_dir.is_dir() else []
    rows = {
        "symcnn": installed("symcnn"),
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": ", ".join(f"{name} {installed(name)}" for name in ("numpy", "numba", "networkx")),
        "threads": f"{config.threads} of {os.cpu_count()} processors",
        "kernel cache": f"{config.cache_dir} ({len(kernels)} files, {sum(p.stat().st_size for p in kernels) / 1e6:.1f} MB)",
    }
    width = max(map(len, rows))
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
