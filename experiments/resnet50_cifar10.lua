-- ResNet50 on CIFAR-10. NASEREX (Table I) has 85.28 % at 4.08 times the speed of a base that
-- reaches 82.73 %.
--
--   eex data get cifar10          (or: eex data import cifar10 PATH, for files you have)
--   eex run experiments/resnet50_cifar10.lua
--
-- ResNet50 costs fourteen times as much as MobileNetV2. Where `eex devices` says that the processor
-- multiplies in bfloat16, this takes about half the time:
--   --set precision=bfloat16-products --set training.precision=bfloat16-products
local eex = require "eex"

return {
  name = "resnet50_cifar10",

  dataset = {
    name = "cifar10",
    calibration = 2500,
    validation = 2500,
    augment = { crop = 4, flip = true },
  },

  -- torchvision's network, 7x7 stem and max pool included: 83 million multiply-accumulates at 32x32.
  backbone = eex.backbones.resnet50 { size = 32, classes = 10 },

  -- Gates may be at all 16 places where residual connections merge, at most 7 of them: log2 of its
  -- 175 layers. Its feature maps have up to 2048 channels, so a gate with a single 3x3 block costs
  -- 38 million, almost half of the whole network. A gate is pooling and a classifier alone, which
  -- costs next to nothing; with { 0, 1 } the others are offered too.
  saliency = eex.saliency.residual_merges(),
  gates = { blocks = { 0 }, max_exits = 7 },

  -- Per class, as published: accept above mu + a sigma. The temperature is fitted and a is set for each
  -- exit, both on the calibration images: as cheap as possible while at most one percent less accurate
  -- than the end of the network.
  policy = { kind = "per_class", temperature = "fitted", tune = "accuracy", target = -0.01 },

  -- The base is trained first; then the same network with all gates goes on from there. Without gates
  -- and warm-up to speak of, SGD at 0.1 (the recipe for MobileNetV2) throws this network about for
  -- epochs; AdamW does not.
  training = {
    regime = "joint",
    from = "base",
    epochs = 20,
    batch = 128,
    lr = 0.002,
    optimizer = { kind = "adamw", weight_decay = 0.05 },
    schedule = { kind = "one_cycle", warmup = 4 },
    label_smoothing = 0.1,
    gate_weight = 0.3,
  },

  search = {
    algorithm = "aging",
    evaluator = "shared",
    score = "weighted",
    weight = 0.3,
    population = 100,
    sample = 20,
    trials = 4000,
  },

  -- The chosen network goes on without the gates that were not chosen.
  final = {
    epochs = 8,
    lr = 0.0005,
    schedule = { kind = "cosine", warmup = 0 },
    gate_weight = 1,
  },
}
