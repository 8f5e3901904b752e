#!/usr/bin/env python3
"""Compares what ONNX Runtime makes of a network that `eex export --onnx` wrote with what eex says.

    eex infer MODEL --split test --json --threads 1 >said.jsonl
    python3 scripts/check_onnx.py model.onnx said.jsonl DATA.h5 [--exit K]

DATA.h5 is the data set that the images are of. A network that decides must leave every image at the
same exit, with the same class and decision; of one that gives all exits, or a single one, class and
confidence are compared: those of exit K (of all: where eex left). Ends with 77 where onnxruntime,
onnx or h5py is not installed.
"""
import argparse
import json
import sys

try:
    import h5py
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def images_of(path):
    """A function that gives the image of a sample's number."""
    file = h5py.File(path)
    parts = [file[p]["images"] for p in ("train", "validation", "test") if p in file]

    def image(sample):
        for part in parts:
            if sample < len(part):
                return part[sample][None]
            sample -= len(part)
        raise IndexError
    return image


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("said")
    parser.add_argument("data")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of confidences")
    a = parser.parse_args()
    onnx.checker.check_model(onnx.load(a.model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(a.model, options, ["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    image = images_of(a.data)
    count = wrong = 0
    farthest = 0.0
    exits = set()
    for line in open(a.said):
        said = json.loads(line)
        out = dict(zip(names, session.run(None, {"image": image(said["sample"])})))
        number = f"_{said['exit']}" if "class_1" in out else ""
        got = [int(out["class" + number][0])]
        want = [said["class"]]
        if "exit" in out:
            got += [int(out["exit"][0]), bool(out["accepted"][0])]
            want += [said["exit"], said["accepted"]]
        off = abs(float(out["confidence" + number][0]) - said["confidence"])
        if got != want or not off <= a.tolerance:
            wrong += 1
            print(f"sample {said['sample']}: {got}, expected {want}; confidence off by {off:.2g}")
        logits = out["logits" + number][0]
        if not np.isfinite(logits).all() or int(logits.argmax()) != got[0]:
            wrong += 1
            print(f"sample {said['sample']}: logits {logits}")
        count += 1
        exits.add(said["exit"])
        farthest = max(farthest, off)
    print(f"{a.model}: {count} images, {wrong} differ, left at {len(exits)} exits, "
          f"confidences within {farthest:.2g}")
    return 1 if wrong or not count else 0


sys.exit(main())
