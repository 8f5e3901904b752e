#!/usr/bin/env python3
"""What bench_infer.c measures, by its peers: TorchScript, frozen and optimised for inference,
channels last; or ONNX Runtime on the same network, exported, with every graph optimisation. Images are
floats in memory already and the answer is logits, so neither normalisation nor scores are counted.

    python3 benchmarks/peer_infer.py --models FOLDER [--engine torchscript|onnxruntime]
                                     [--bfloat16] [--batch N] [--threads N] [--rounds N] [--cpu]
                                     [--contiguous] NETWORK...

FOLDER holds what `bench_infer --write FOLDER` wrote: each network with its weights, and what eex
answers to some images; answers that differ end the measurement. A network is "mobilenetv2@96": its
name and the side of its images. --cpu counts the processor time of one thread instead of the time that
passes; --contiguous keeps PyTorch's own layout; --bfloat16 turns TorchScript's weights and activations
to bfloat16.
"""
import argparse
import os
import re
import tempfile
import time

import h5py
import numpy as np
import torch

import peer_networks as networks

WARM_UP, IMAGES = 50, 64
CLOSE, CLOSE_BFLOAT16 = 2e-4, 0.1  # of probabilities


class Logits(torch.nn.Module):
    """The network as one that answers with a tensor."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)[-1]


def own_name(network, name):
    """The name that peer_networks.py gives a parameter of torchvision's name."""
    if network != "resnet50":
        return name
    fixed = {"conv1": "layers.0", "bn1": "layers.1", "fc": "layers.22"}
    head, rest = name.split(".", 1)
    if head in fixed:
        return f"{fixed[head]}.{rest}"
    stage, block, rest = re.match(r"layer(\d)\.(\d+)\.(.*)", name).groups()
    return f"layers.{4 + (0, 3, 7, 13)[int(stage) - 1] + int(block)}.{rest}"


def load(name, folder):
    kind = name.split("@")[0]
    net = networks.make(kind)
    with h5py.File(os.path.join(folder, name + ".h5")) as f:
        own = {own_name(kind, n): torch.from_numpy(v[()]) for n, v in f["params"].items()}
    missing = net.load_state_dict(own, strict=False)
    wrong = [k for k in missing.missing_keys if "num_batches" not in k] + missing.unexpected_keys
    if wrong:
        raise SystemExit(f"{name}: weights do not fit: {wrong[:3]}")
    return Logits(net).eval()


def torchscript(net, example, o):
    layout = torch.contiguous_format if o.contiguous else torch.channels_last
    kind = torch.bfloat16 if o.bfloat16 else torch.float32

    def ready(x):
        return torch.as_tensor(x).to(kind).contiguous(memory_format=layout)

    traced = torch.jit.trace(net.to(kind).to(memory_format=layout), ready(example))
    return torch.jit.optimize_for_inference(torch.jit.freeze(traced)), ready


def onnxruntime(net, example, o):
    import onnxruntime as ort
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.onnx")
        torch.onnx.export(net, example, path, input_names=["x"], opset_version=14)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = torch.get_num_threads()
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0], lambda x: x


def check(run, ready, name, o):
    """The network answers as eex does."""
    with h5py.File(os.path.join(o.models, name + "-answers.h5")) as f:
        images, wanted = f["images"][()], f["confidence"][()]
        mean, std = f["images"].attrs["mean"], f["images"].attrs["std"]
    x = ((images / 255 - mean) / std).astype(np.float32).transpose(0, 3, 1, 2)
    x = np.resize(x, (o.batch, *x.shape[1:]))
    logits = torch.as_tensor(run(ready(np.ascontiguousarray(x)))).float()
    p = torch.softmax(logits, 1).max(1).values.numpy()
    count = min(len(wanted), o.batch)
    worst = np.abs(p[:count] - wanted[:count]).max()
    if not worst < (CLOSE_BFLOAT16 if o.bfloat16 else CLOSE):
        raise SystemExit(f"{name}: answers differ from eex's by {worst}")


def measure(name, o):
    side = int(name.split("@")[1])
    net, shape = load(name, o.models), (o.batch, 3, side, side)
    rng, count = np.random.default_rng(0), max(1, min(IMAGES, 1024 // o.batch))
    images = [rng.standard_normal(shape, np.float32) for _ in range(count)]
    now, ms = time.process_time if o.cpu else time.perf_counter, []
    with torch.no_grad():
        make = onnxruntime if o.engine == "onnxruntime" else torchscript
        run, ready = make(net, torch.from_numpy(images[0]), o)
        check(run, ready, name, o)
        images = [ready(x) for x in images]
        for i in range(min(WARM_UP, o.rounds) + o.rounds):
            begin = now()
            run(images[i % count])
            ms.append(1e3 * (now() - begin))
    ms = sorted(ms[-o.rounds:])
    print(f"{name:18} {ms[len(ms) // 2]:8.3f} ms      p99 {ms[len(ms) * 99 // 100]:.3f} ms",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", required=True)
    parser.add_argument("--engine", choices=("torchscript", "onnxruntime"), default="torchscript")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--contiguous", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("networks", nargs="+")
    o = parser.parse_args()
    if o.cpu:
        o.threads = 1
    if o.threads:
        torch.set_num_threads(o.threads)
    version = f"PyTorch {torch.__version__}"
    if o.engine == "onnxruntime":
        import onnxruntime as ort
        version = f"ONNX Runtime {ort.__version__}"
    print(f"# {version}, {torch.get_num_threads()} threads", flush=True)
    for name in o.networks:
        measure(name, o)


if __name__ == "__main__":
    main()
