-- What the backbones have in common: options and layers. Names of parameters are torchvision's.
local parts = {}

-- The options of every backbone: defaults of size and classes, the largest width, then what else
-- there is.
function parts.specs(size, classes, most_width, ...)
  return {
    { name = "size", kind = "integer", default = size, min = 8, max = 4096 },
    { name = "channels", kind = "integer", default = 3, min = 1, max = 64 },
    { name = "classes", kind = "integer", default = classes, min = 2, max = 65536 },
    { name = "width", kind = "number", default = 1.0, min = 0.1, max = most_width },
    ...,
  }
end

-- The multiple of 8 nearest to `channels`, at least 8.
function parts.multiple_of_8(channels)
  return math.tointeger(math.max(8, (channels + 4) // 8 * 8))
end

-- A convolution that keeps the size at stride 1, and its batch norm.
function parts.conv_bn(g, x, conv, bn, options)
  options.pad = (options.kernel - 1) // 2
  x = g:conv(x, conv, options)
  return g:batch_norm(x, bn)
end

-- The end of a residual block: x and what came in, which is projected where their shapes differ.
function parts.join(g, x, first, name, project, output, stride, relu)
  if project then
    first = parts.conv_bn(g, first, name .. ".downsample.0", name .. ".downsample.1",
      { out = output, kernel = 1, stride = stride })
  end
  x = g:add(x, first, name .. ".add")
  return g:act(x, name .. relu, "relu")
end

return parts
