-- MobileNetV2 on CIFAR-10 for streams with irrelevant frames: the shared network of
-- mobilenetv2_cifar10.lua, searched for what is cheap at the first exits.
--
--   eex run experiments/mobilenetv2_cifar10.lua
--   eex run experiments/mobilenetv2_stream.lua --from runs/mobilenetv2_cifar10
--
-- A frame that is unlike everything can leave at the first exit and no sooner, so that exit's cost
-- bounds what a stream of such frames gains. The main experiment pays for accuracy and has its
-- first exit after features.5; here a multiply-accumulate weighs twice as much, an exit may lose
-- more, and few gates lie in the way of those that no exit is sure of. What the accuracy above the
-- base's is worth in rejected frames is for `eex tune` to say.
local e = require "mobilenetv2_cifar10"

e.name = "mobilenetv2_stream"
e.gates.max_exits = 4
e.policy.target = -0.03
e.search.weight = 1.0
e.final.epochs = 10

return e
