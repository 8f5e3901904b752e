-- A small CNN with one exit on CIFAR-10: "Standalone CNN" and "EECNN" of EDANAS's Table I (77.2 %
-- without its exit, 76.5 % with it). The training is that of edanas_baselines_alexnet.lua.
--
--   eex run experiments/edanas_baselines_cnn.lua
--   eex run experiments/edanas_baselines_cnn.lua --out runs/small --set training.epochs=2 \
--     --set dataset.train=5000 --set dataset.calibration=1000 --set dataset.validation=1000
--
-- EDANAS takes them from Disabato and Roveri 2018. Their multiply-accumulates (25.14 and 7.48 million)
-- do not follow from what it says of them: this network has 19.8 million, its exit costs 10.9 million.
local eex = require "eex"
local e = require "edanas_baselines_alexnet"

e.name = "edanas_baselines_cnn"

-- "A convolutional layer with 32 filters 5x5, a 2x2 max-pooling with stride 2, a convolutional layer
-- with 64 filters 5x5, a 2x2 max-pooling with stride 2 and two fully-connected layers with 1024 and
-- 10 neurons". Padding that keeps the size, and ReLUs, are ours.
local g = eex.graph { name = "cnn", size = 32 }
local x = g:input()
for i, filters in ipairs { 32, 64 } do
  g:block("stage" .. i)
  x = g:conv(x, "conv" .. i, { out = filters, kernel = 5, pad = 2, bias = true })
  x = g:max_pool(g:act(x, "relu" .. i, "relu"), "pool" .. i, { kernel = 2 })
end
g:block("classifier")
x = g:linear(g:flatten(x, "flatten"), "fc1", { out = 1024 })
e.backbone = g:finish(g:linear(g:act(x, "relu3", "relu"), "fc2", { out = 10 }))

-- "Two fully-connected layers with 1024 and 10 neurons placed after the first max-pooling".
e.saliency = { "pool1" }
e.gates = eex.gates.linear({ 1 }, { channels = 1024, required = true })

-- Published with a threshold of 0.1 for the lead of the likeliest class.
e.policy = { kind = "margin", a = 0.1 }

return e
