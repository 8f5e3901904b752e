-- Plain convolutional networks: AlexNet (Krizhevsky et al. 2012) and VGG (Simonyan and Zisserman 2015)
-- with torchvision's parameter names, for small images.
--
-- Options that both read: classes, width (multiplier of all channels), hidden (units of both hidden
-- linear layers) and dropout in front of or behind them.
local parts = require "eex.nets.parts"

local net = {}

local function scaled(o, channels)
  return parts.multiple_of_8(channels * o.width)
end

-- ---- AlexNet ----

-- channels, whether a pool follows, number of the convolution in "features"
local alexnet = {
  { 64, true, 0 },
  { 192, true, 3 },
  { 384, false, 6 },
  { 256, false, 8 },
  { 256, true, 10 },
}

local function hidden(g, x, first, o, options)
  x = g:linear(x, "classifier." .. first, options)
  return g:act(x, "classifier." .. first + 1, "relu")
end

-- All kernels are 3x3; o.stem_stride.
function net.alexnet(g, o)
  local x = g:input()
  for i, layer in ipairs(alexnet) do
    local channels, pool, at = table.unpack(layer)
    local name = "features."
    g:block(name .. at)
    x = g:conv(x, name .. at, { out = scaled(o, channels), kernel = 3, pad = 1, bias = true,
                                stride = i == 1 and o.stem_stride or 1 })
    x = g:act(x, name .. at + 1, "relu")
    x = pool and g:max_pool(x, name .. at + 2, { kernel = 2 }) or x
  end
  g:block("classifier")
  x = g:flatten(x, "flatten", { functional = true })
  for first = 1, 4, 3 do
    x = g:dropout(x, "classifier." .. first - 1, o.dropout)
    x = hidden(g, x, first, o, { out = scaled(o, o.hidden) })
  end
  return g:finish(g:linear(x, "classifier.6", { out = o.classes }))
end

-- ---- VGG ----

-- convolutions in front of each pool, by depth
net.vgg_stages = {
  [11] = { 1, 1, 2, 2, 2 },
  [13] = { 2, 2, 2, 2, 2 },
  [16] = { 2, 2, 3, 3, 3 },
  [19] = { 2, 2, 4, 4, 4 },
}

local function vgg_features(g, x, o)
  local at = 0
  local function name()
    at = at + 1
    return "features." .. at - 1
  end
  for stage, convolutions in ipairs(net.vgg_stages[o.depth]) do
    for _ = 1, convolutions do
      local conv = name()
      g:block(conv)
      x = g:conv(x, conv, { out = scaled(o, math.min(32 << stage, 512)), kernel = 3, pad = 1,
                            bias = o.bias })
      x = o.batch_norm and g:batch_norm(x, name()) or x
      x = g:act(x, name(), "relu")
    end
    x = g:max_pool(x, name(), { kernel = 2 })
  end
  return x
end

-- o.depth, batch_norm, bias (of convolutions).
function net.vgg(g, o)
  local x = vgg_features(g, g:input(), o)
  g:block("classifier")
  x = g:flatten(x, "flatten", { functional = true })
  for first = 0, 3, 3 do
    x = hidden(g, x, first, o, { out = scaled(o, o.hidden) })
    x = g:dropout(x, "classifier." .. first + 2, o.dropout)
  end
  return g:finish(g:linear(x, "classifier.6", { out = o.classes }))
end

return net
