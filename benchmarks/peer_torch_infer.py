#!/usr/bin/env python3
"""What bench_infer.c measures, in PyTorch: TorchScript, frozen and optimised for inference, channels
last. Images are floats in memory already and the answer is logits, so that neither normalisation nor
scores are counted.

    python3 benchmarks/peer_torch_infer.py [--batch N] [--threads N] [--rounds N] [--cpu]
                                           [--contiguous] [NETWORK...]

--cpu counts the processor time of one thread instead of the time that passes; --contiguous keeps
PyTorch's own layout.
"""
import argparse
import time

import torch

import peer_networks as networks

WARM_UP, IMAGES = 50, 64


def prepare(name, example, layout):
    net = networks.make(name).to(memory_format=layout).eval()
    traced = torch.jit.trace(net, example, strict=False)
    return torch.jit.optimize_for_inference(torch.jit.freeze(traced))


def measure(name, o):
    layout = torch.contiguous_format if o.contiguous else torch.channels_last
    shape = (o.batch, 3, networks.SIDE, networks.SIDE)
    images = [torch.randn(shape).contiguous(memory_format=layout) for _ in range(IMAGES)]
    now, ms = time.process_time if o.cpu else time.perf_counter, []
    with torch.no_grad():
        net = prepare(name, images[0], layout)
        for i in range(WARM_UP + o.rounds):
            begin = now()
            net(images[i % IMAGES])
            ms.append(1e3 * (now() - begin))
    ms = sorted(ms[WARM_UP:])
    print(f"{name:18} {ms[len(ms) // 2]:8.3f} ms      p99 {ms[len(ms) * 99 // 100]:.3f} ms",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--contiguous", action="store_true")
    parser.add_argument("networks", nargs="*", default=("mobilenetv2", "resnet50"))
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
