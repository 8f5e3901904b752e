#!/usr/bin/env python3
"""What bench_cuda.c measures, in PyTorch, with the same names: training (eager and compiled, bfloat16
autocast and float32, channels last), exit heads and statistics per class composed of PyTorch's own
operations, the copy bandwidth, and one image at a time with every decision read on the host.

    python3 benchmarks/peer_torch_cuda.py [--windows N] [--seconds S] [--compile] [TEXT]

Lines are "eager NAME VALUE UNIT" or "compile NAME VALUE UNIT". Images are on the GPU already and are
not augmented, the optimiser is the fused one: what could slow PyTorch down beside the networks is left
out. Without a GPU it says so and ends with 77.
"""
import argparse
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

import peer_networks as networks

ROWS, MANY_ROWS, OUT_OF_CACHE, MOST_SETS = 65536, 1 << 24, 256 << 20, 32


def now():
    torch.cuda.synchronize()
    return time.perf_counter()


def seconds_of(call, o):
    """Seconds of one call, the median of the windows."""
    for _ in range(10):
        call()
    begin = now()
    for _ in range(10):
        call()
    count = 1 + int(o.seconds * 10 / (now() - begin))
    each = []
    for _ in range(o.windows):
        begin = now()
        for _ in range(count):
            call()
        each.append((now() - begin) / count)
    return statistics.median(each)


def say(how, name, value, unit, note=""):
    print(f"{how} {name:28} {value:12.4f} {unit}  {note}", flush=True)


# ---- training ----

def training_step(name, batch, bf16):
    net = networks.make(name).cuda().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4,
                                fused=True)
    shape = (batch, 3, networks.SIDE, networks.SIDE)
    images = [torch.randn(shape, device="cuda").contiguous(memory_format=torch.channels_last)
              for _ in range(8)]
    labels = torch.arange(batch, device="cuda") % networks.CLASSES
    return net, optimizer, images, labels


def bench_train(o, name, batch, bf16, compiled):
    title = f"train/{name}/{batch}/{'bf16' if bf16 else 'f32'}"
    if o.only not in title:
        return
    net, optimizer, images, labels = training_step(name, batch, bf16)
    model = torch.compile(net, mode="max-autotune") if compiled else net
    done = 0

    def step():
        nonlocal done
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
            loss = sum(F.cross_entropy(z, labels) for z in model(images[done % 8]))
        loss.backward()
        optimizer.step()
        done += 1

    say("compile" if compiled else "eager", title, batch / seconds_of(step, o), "images/s")


# ---- exit heads and statistics ----

def sets_for(nbytes):
    return min(MOST_SETS, 1 + OUT_OF_CACHE // nbytes)


def bench_head(o, classes):
    title = f"head/{classes}"
    if o.only not in title:
        return
    sets = [torch.randn(ROWS, classes, device="cuda")
            for _ in range(sets_for(ROWS * (classes * 4 + 17)))]
    high = torch.full((classes,), 0.5, device="cuda")
    low = torch.full((classes,), -float("inf"), device="cuda")
    done = 0

    def head():
        nonlocal done
        logits = sets[done % len(sets)]
        done += 1
        p = torch.softmax(logits / 2, 1)
        best, top = p.max(1) if classes == 1 else p.topk(2, 1)
        confidence = best if classes == 1 else best[:, 0]
        first = top if classes == 1 else top[:, 0]
        margin = confidence if classes == 1 else best[:, 0] - best[:, 1]
        entropy = torch.special.entr(p).sum(1)
        accept, reject = confidence >= high[first], confidence < low[first]
        return first, confidence, margin, entropy, accept, reject

    say("eager", title, 1e6 * seconds_of(head, o), "us")


def bench_stats(o, classes, rows):
    title = f"stats/{classes}/{rows}"
    if o.only not in title:
        return
    sets = [(torch.rand(rows, device="cuda"), torch.randint(classes, (rows,), device="cuda"))
            for _ in range(sets_for(rows * 8))]
    done = 0

    def stats():
        nonlocal done
        score, key = sets[done % len(sets)]
        done += 1
        score = score.double()
        count = torch.bincount(key, minlength=classes)
        mean = torch.zeros(classes, dtype=torch.double, device="cuda").index_add_(0, key, score)
        mean /= count
        deviation = score - mean[key]
        m2 = torch.zeros(classes, dtype=torch.double, device="cuda")
        return count, mean, m2.index_add_(0, key, deviation * deviation)

    say("eager", title, 1e6 * seconds_of(stats, o), "us")


def bench_copy(o):
    if o.only not in "copy":
        return
    a, b = (torch.empty(1 << 30, dtype=torch.uint8, device="cuda") for _ in range(2))
    say("eager", "copy", 2e-9 * (1 << 30) / seconds_of(lambda: a.copy_(b), o), "GB/s")


# ---- one image at a time ----

SHARES = (0.80, 0.09, 0.08)  # of the images, at each gate
PLACES = (5, 6, 8)


class Exits(torch.nn.Module):
    """MobileNetV2 with the three gates of gpu_infer.c, a segment at a time."""

    def __init__(self):
        super().__init__()
        net = networks.MobileNetV2(False)
        cuts = [0] + [p + 1 for p in PLACES] + [len(net.features)]
        self.segments = torch.nn.ModuleList(net.features[a:b] for a, b in zip(cuts, cuts[1:]))
        self.gates = torch.nn.ModuleList(
            [networks.gate(net.features[p].out, 1) for p in PLACES])
        self.classifier = net.classifier

    def scores(self, k, x):
        z = self.gates[k](x) if k < len(PLACES) else self.classifier(x.mean((2, 3)))
        confidence, top = torch.softmax(z / 2, 1).max(1)
        return confidence, top


def bench_single(o):
    title = "single/mobilenetv2"
    if o.only not in title:
        return
    torch.manual_seed(0)
    net = Exits().cuda().to(memory_format=torch.channels_last).eval()
    strength = torch.rand(512, 1, 1, 1, device="cuda") + 0.1
    images = (torch.randn(512, 3, networks.SIDE, networks.SIDE, device="cuda") * strength)
    images = images.contiguous(memory_format=torch.channels_last)
    thresholds, there, done = [], images, 0
    with torch.no_grad():
        for k, share in enumerate(SHARES):  # as many leave as in gpu_infer.c
            there = net.segments[k](there)
            confidence = net.scores(k, there)[0]
            order = confidence.argsort(descending=True)
            leave = int(share * len(images))
            thresholds.append(confidence[order[leave - 1]].item())
            there = there[order[leave:]]

        def one():
            nonlocal done
            x = images[done % 512:done % 512 + 1]
            done += 1
            for k in range(len(SHARES) + 1):
                x = net.segments[k](x)
                confidence, top = net.scores(k, x)
                if k == len(SHARES) or confidence.item() >= thresholds[k]:
                    return top.item()

        say("eager", title, 1e3 * seconds_of(one, o), "ms")


def describe():
    p = torch.cuda.get_device_properties(0)
    print(f"# PyTorch {torch.__version__}, CUDA {torch.version.cuda}, "
          f"cuDNN {torch.backends.cudnn.version()}, {p.name}, {p.major}.{p.minor}")
    try:
        print("# " + subprocess.run(
            ["nvidia-smi", "--format=csv,noheader",
             "--query-gpu=driver_version,clocks.sm,clocks.mem,clocks.max.sm,power.limit"],
            capture_output=True, text=True, check=True).stdout.strip().replace("\n", "\n# "))
    except (OSError, subprocess.CalledProcessError):
        print("# nvidia-smi does not say the clocks")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--compile", action="store_true", help="compiled training alone")
    parser.add_argument("only", nargs="?", default="")
    o = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU to measure on: PyTorch sees none")
        sys.exit(77)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    describe()
    if not o.compile:
        bench_copy(o)
        for classes in (10, 100, 1000):
            bench_head(o, classes)
        for classes in (10, 100, 1000):
            for rows in (ROWS, MANY_ROWS):
                bench_stats(o, classes, rows)
        bench_single(o)
    for name in ("mobilenetv2", "resnet50"):
        for batch in (128, 512):
            for bf16 in (True, False):
                bench_train(o, name, batch, bf16, o.compile)


if __name__ == "__main__":
    main()
