#!/usr/bin/env python3
"""Fronts of searches beside each other, by their hypervolumes against one reference point.

    compare_fronts.py --error PERCENT --macs MACS RUN...
    compare_fronts.py ... --truth RUN RUN...    figures of networks as another run has judged them, which
                                                has judged all of the space
    compare_fronts.py ... --backbones RUN       of a run that has judged all of the space: what exits are
                                                worth on the best backbone alone

For edanas_ablations.sh. Errors are in percent of the validation images."""
import argparse
import os

import h5py
import numpy as np


class Trials:
    def __init__(self, folder):
        with h5py.File(os.path.join(folder, "search.h5"), "r") as file:
            done = file["trials/status"][:] == 0
            self.genomes = file["trials/genome"][:][done]
            self.errors = 100 * (1 - file["trials/accuracy"][:][done])
            self.macs = file["trials/macs"][:][done]
            self.network_genes = len(file["space/genes"]) if "genes" in file["space"] else 0

    def some(self, which):
        part = object.__new__(Trials)
        part.genomes, part.network_genes = self.genomes[which], self.network_genes
        part.errors, part.macs = self.errors[which], self.macs[which]
        return part

    def front(self):
        """Numbers of trials that none beats, cheapest first."""
        best, front = np.inf, []
        for i in np.lexsort((self.errors, self.macs)):
            if self.errors[i] < best:
                best = self.errors[i]
                front.append(i)
        return np.array(front, dtype=int)

    def judged_by(self, truth):
        """The same trials with another judge's figures."""
        at = {genome.tobytes(): i for i, genome in enumerate(truth.genomes)}
        return truth.some(np.array([at[genome.tobytes()] for genome in self.genomes]))


def volume(trials, reference):
    total, error = 0.0, reference[0]
    for i in trials.front():
        if trials.errors[i] < error and trials.macs[i] < reference[1]:
            total += (error - trials.errors[i]) * (reference[1] - trials.macs[i])
            error = trials.errors[i]
    return total / (reference[0] * reference[1])


def show(name, trials, reference):
    front = trials.front()
    print(f"{name:32} {len(trials.errors):6d} trials, {len(front):3d} on the front, least error "
          f"{trials.errors.min():5.2f} %, mean {trials.errors.mean():5.2f} %, hypervolume "
          f"{volume(trials, reference):.4f}")


def kendall(a, b):
    i, j = np.triu_indices(len(a), 1)
    product = np.sign(a[i] - a[j]) * np.sign(b[i] - b[j])
    ties = np.sqrt(np.count_nonzero(a[i] != a[j]) * np.count_nonzero(b[i] != b[j]))
    return product.sum() / ties if ties else float("nan")


def backbones(folder, reference):
    trials = Trials(folder)
    genes = trials.network_genes
    alone = trials.some((trials.genomes[:, genes:] == 0).all(axis=1))
    show("all networks and exits", trials, reference)
    show("all networks, no exits", alone, reference)
    front = alone.front()
    for k, name in ((len(front) - 1, "most accurate"), (len(front) // 2, "middle"), (0, "cheapest")):
        genome = alone.genomes[front[k]]
        on_it = trials.some((trials.genomes[:, :genes] == genome[:genes]).all(axis=1))
        show(f"exits on the {name} one", on_it, reference)
    keep = {alone.genomes[i][:genes].tobytes() for i in front}
    on_all = trials.some(np.array([g[:genes].tobytes() in keep for g in trials.genomes]))
    show(f"exits on each of the {len(front)} best", on_all, reference)


def main():
    parser = argparse.ArgumentParser(description="Fronts of searches beside each other.")
    parser.add_argument("--error", type=float, required=True)
    parser.add_argument("--macs", type=float, required=True)
    parser.add_argument("--truth")
    parser.add_argument("--backbones")
    parser.add_argument("runs", nargs="*")
    given = parser.parse_args()
    reference = given.error, given.macs
    if given.backbones:
        backbones(given.backbones, reference)
    truth = Trials(given.truth) if given.truth else None
    for folder in given.runs:
        trials = Trials(folder)
        show(os.path.basename(folder), trials, reference)
        if truth:
            true = trials.judged_by(truth)
            show("  in truth", true, reference)
            show("  its front, in truth", true.some(trials.front()), reference)
            print(f"  tau of what was said and what is true {kendall(trials.errors, true.errors):.2f}")


if __name__ == "__main__":
    main()
