"""A contender for the tests of `benchmarks.gpu_worker`: sleeps in place of training, and misbehaves on request."""

import os
import time

MILLISECONDS = {"symcnn": 1, "eager": 40, "channels_last": 10, "compile": 20}


class Job:
    def __init__(self, variant, network, batch):
        print("a library prints something")
        self.seconds = MILLISECONDS[variant] / 1e3 * batch
        if (variant, network) == ("eager", "raises"):
            raise RuntimeError("cannot\ntrain")
        if (variant, network) == ("channels_last", "dies"):
            os._exit(3)
        if (variant, network) == ("compile", "hangs"):
            time.sleep(60)

    def step(self):
        time.sleep(self.seconds)

    def whole_step(self):
        time.sleep(2 * self.seconds)

    def wait(self):
        pass


def prepare(variant, network, batch):
    if batch > 4:
        raise MemoryError("too large")
    return Job(variant, network, batch)


def free():
    pass
