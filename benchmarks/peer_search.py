#!/usr/bin/env python3
"""pymoo's NSGA-II on NAS-Bench-Macro, as bench_search measures ours.

    python3 benchmarks/peer_search.py MACRO.json [SEEDS]

Needs pymoo. 340 networks are scored by their first training; the front of those is worth its hypervolume by
the mean of the other two, over that of the true front. Reference point: the worst of all.
"""
import json
import sys

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.indicators.hv import HV
from pymoo.operators.crossover.pntx import TwoPointCrossover
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

networks = json.load(open(sys.argv[1]))
seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
seen, truth = {}, {}
for name, network in networks.items():
    a, b, c = network["test_acc"]
    seen[name] = (100 - a, network["flops"])
    truth[name] = (100 - (b + c) / 2, network["flops"])
reference = np.max(np.array(list(truth.values())), axis=0)


def front(names, table):
    rows = np.array([table[name] for name in names], dtype=float)
    chosen = NonDominatedSorting().do(rows, only_non_dominated_front=True)
    return HV(ref_point=np.ones(2))(np.array([truth[names[i]] for i in chosen]) / reference)


class Macro(Problem):
    def __init__(self):
        super().__init__(n_var=8, n_obj=2, xl=0, xu=2, vtype=int)
        self.scored = []

    def _evaluate(self, x, out, *args, **kwargs):
        names = ["".join(map(str, row)) for row in x.astype(int)]
        self.scored += names
        out["F"] = np.array([seen[name] for name in names], dtype=float)


best = front(list(truth), truth)
for population in (20, 40, 68):
    volumes = []
    for seed in range(seeds):
        problem = Macro()
        algorithm = NSGA2(pop_size=population, sampling=IntegerRandomSampling(),
                          crossover=TwoPointCrossover(prob=0.9), mutation=PM(eta=1.0, repair=RoundingRepair()),
                          eliminate_duplicates=True)
        minimize(problem, algorithm, ("n_eval", 340), seed=seed)
        volumes.append(front(problem.scored[:340], seen) / best)
    quartiles = " ".join(f"{v:.4f}" for v in np.percentile(volumes, [25, 50, 75]))
    print(f"front, pymoo's nsga2 of {population}: mean {np.mean(volumes):.4f}, quartiles {quartiles}, "
          f"least {min(volumes):.4f}", flush=True)
