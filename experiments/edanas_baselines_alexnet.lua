-- AlexNet with five exits on CIFAR-10: "AlexNet" and "EEAlexNet" of EDANAS's Table I (73.2 % without
-- exits, 79.9 % with them).
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/edanas_baselines_alexnet.lua
--
-- Some ten minutes on two cores to see all of it work:
--   eex run experiments/edanas_baselines_alexnet.lua --out runs/small --set training.epochs=2 \
--     --set dataset.train=5000 --set dataset.calibration=1000 --set dataset.validation=1000
--
-- The run's base is the network without exits, its best the one with all of them: nothing is searched.
-- EDANAS takes these networks from Scardapane et al. 2020 ("Differentiable branching in deep networks
-- for fast inference") and says of them: "modified to handle 32x32 images", the number of exits, and
-- that an exit is "a convolutional layer with 128 filters, a max-pooling, and a fully-connected layer".
-- What it does not say is ours: kernels of 3x3 with a ReLU, pools of 2x2, exits behind each
-- convolution (behind its pool where it has one), and the training. Theirs learned when to leave; here
-- it is BranchyNet's way (Teerapittayanon et al. 2016): all exits learn at once, and an image leaves
-- where the entropy is low.
local eex = require "eex"

return {
  name = "edanas_baselines_alexnet",

  -- 5,000 images are held out to judge, as in the paper, and 2,500 more set the thresholds.
  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 5000,
    augment = { crop = 4, flip = true },
  },

  backbone = eex.backbones.alexnet { size = 32, classes = 10 },

  -- Behind each of the five convolutions, one exit everywhere.
  saliency = { "features.2", "features.5", "features.7", "features.9", "features.12" },
  gates = eex.gates.pooled({ 1 }, { channels = 128, required = true }),

  -- As cheap as possible while as many calibration images are told right as by running to the end.
  policy = { kind = "entropy", tune = "accuracy", target = 0 },

  -- The recipe by which EDANAS trains its own networks, for more than their 5 epochs: the sum of all
  -- losses with weight 1, SGD from 0.01 by a cosine, gradients of norm 1 at most. Base and network with
  -- exits both start from scratch.
  training = {
    regime = "joint",
    from = "scratch",
    epochs = 60,
    batch = 128,
    lr = 0.01,
    optimizer = { kind = "sgd", momentum = 0.9, weight_decay = 4e-5 },
    schedule = { kind = "cosine", warmup = 1 },
    clip = 1,
    gate_weight = 1,
  },

  -- There is one structure.
  search = { algorithm = "exhaustive", evaluator = "shared", score = "accuracy", trials = 1 },
}
