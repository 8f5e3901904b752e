#!/usr/bin/env python3
"""What bench_train.c measures, in eager PyTorch: channels last, SGD with momentum (fused where this
PyTorch has that). Images are floats in memory already, so nothing is spent on augmentation.

    python3 benchmarks/peer_torch_train.py [--batch N] [--threads N] [--windows N] [--seconds S]
                                           [--precision P] [--cpu] [NETWORK...]

--precision bfloat16-products is answered by what PyTorch has for that: autocast to bfloat16.
--cpu counts the processor time of one thread instead of the time that passes.
"""
import argparse
import statistics
import time

import torch
import torch.nn.functional as F

import peer_networks as networks

BATCHES, WARM_UP = 8, 5


def make_optimizer(net):
    how = dict(lr=1e-3, momentum=0.9, weight_decay=5e-4)
    try:
        return torch.optim.SGD(net.parameters(), fused=True, **how)
    except (TypeError, RuntimeError):  # older than fused optimisers on the CPU
        return torch.optim.SGD(net.parameters(), **how)


def measure(name, o):
    net = networks.make(name).to(memory_format=torch.channels_last).train()
    optimizer = make_optimizer(net)
    shape = (o.batch, 3, networks.SIDE, networks.SIDE)
    images = [torch.randn(shape).contiguous(memory_format=torch.channels_last)
              for _ in range(BATCHES)]
    labels = torch.arange(o.batch) % networks.CLASSES

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=o.precision != "float32"):
            loss = sum(F.cross_entropy(z, labels) for z in net(images[i % BATCHES]))
        loss.backward()
        optimizer.step()

    for i in range(WARM_UP):
        step(i)
    rates, done = [], 0
    now = time.process_time if o.cpu else time.perf_counter
    for _ in range(o.windows):
        begin, first = now(), done
        while (passed := now() - begin) < o.seconds or done == first:
            step(done)
            done += 1
        rates.append((done - first) * o.batch / passed)
    print(f"{name:18} {statistics.median(rates):8.1f} images/s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--windows", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--precision", default="float32",
                        choices=("float32", "bfloat16-products"))
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("networks", nargs="*", default=networks.ALL)
    o = parser.parse_args()
    if o.cpu:
        o.threads = 1
    if o.threads:
        torch.set_num_threads(o.threads)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    for name in o.networks:
        measure(name, o)


if __name__ == "__main__":
    main()
