-- Which exit policy is best? The same trained network, the same gates, other ways to decide.
--
--   eex run experiments/ablation_policies.lua
--   eex run experiments/ablation_policies.lua --set policy.kind=margin --out runs/ablation_margin
--   eex repl runs/ablation_policies
--
-- The first command trains one network on the built-in data and searches with the published policy
-- (per-class Gaussian thresholds). Afterwards no training is needed to compare others: what every
-- exit said about every image is stored with the run, and the prompt replays it.
--
--   for _, kind in ipairs { "per_class", "confidence", "margin", "entropy" } do
--     for _, target in ipairs { 0, -0.01, -0.02 } do
--       local r = run:replay {
--         policy = kind, temperature = "fitted", tune = "accuracy", target = target }
--       print(kind, target, r.accuracy, r.macs)
--     end
--   end
--
-- `target` is the accuracy that may be lost on the calibration images; accuracy and macs are those of
-- the validation images. With `tune` left out, `a` is the threshold itself:
--
--   run:replay { policy = "per_class", temperature = 5, a = 0.5 }      -- as published
--   run:replay { policy = "confidence", a = 0.9 }
--   run:replay { policy = "entropy", a = 0.3 }
--   run:replay { policy = "per_class", temperature = 5, a = 0.5, b = 3 }  -- and rejects outliers
local eex = require "eex"

return {
  name = "ablation_policies",

  dataset = {
    name = "synthetic",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 2, flip = true },
  },

  backbone = eex.backbones.resnet_small { size = 32, classes = 10, blocks = 2, stem_stride = 2 },

  -- All gates of one kind at every merge, so that each policy has the same exits to work with.
  saliency = eex.saliency.residual_merges(),
  gates = { blocks = { 0, 1 } },

  -- The published policy, untuned.
  policy = { kind = "per_class", temperature = 5, a = 0.5, by = "label" },

  training = {
    regime = "joint",
    epochs = 20,
    batch = 100,
    lr = 0.1,
    optimizer = { kind = "sgd", momentum = 0.9, nesterov = true, weight_decay = 5e-4 },
    schedule = { kind = "one_cycle", warmup = 4 },
  },

  -- 3^6 structures: all of them. Equation 1 of the paper: latency plus disagreement with the base.
  search = {
    algorithm = "exhaustive",
    evaluator = "shared",
    score = "equation1",
    trials = 729,
  },
}
