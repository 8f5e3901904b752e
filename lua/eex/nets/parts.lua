-- What networks are made of: options, layers, and numbers that may depend on a gene. Names of
-- parameters are torchvision's where the network is.
local core = require "eex.core"

local parts = {}

-- ---- what is said of options ----

-- Those that many networks have; a row of specs may have a text of its own.
local texts = {
  size = "of the square images that it reads",
  channels = "of the images",
  classes = "what it tells apart",
  width = "multiplier of all channels",
  depth = "layers",
  blocks = "in each stage",
  dropout = "in front of the classifier",
  hidden = "units of each hidden linear layer",
  stem = "\"imagenet\": 7x7 with stride 2 and a max pool; \"cifar\": 3x3 with stride 1, for small images",
  stem_stride = "of the first convolution, 1 or 2; the stem's own",
  zero_init_residual = "each residual block is the identity at first",
  batch_norm = "behind each convolution",
  bias = "of convolutions in front of batch norm, too",
  least_depth = "blocks that a stage keeps",
  gates = "of the network that it looks ahead for",
}

local described = setmetatable({}, { __mode = "k" })

local function usual(spec)
  if spec.kind == "flag" then
    return tostring(spec.default or false)
  end
  if spec.min and spec.default < spec.min then
    return nil -- it stands for "the usual one"
  end
  return spec.kind == "choice" and ("%q"):format(spec.default) or tostring(spec.default)
end

-- Says what a function is and which options it takes: those of its specs, and lists besides, each
-- { name, usual, text }. Returns it, as it is called by scripts: with its options alone.
function parts.described(about, make)
  local options = {}
  local function f(given, ...)
    core.arguments("the function of a network", 1, given, ...)
    return make(given)
  end
  for _, spec in ipairs(about.specs) do
    options[#options + 1] = { name = spec.name, usual = usual(spec), text = spec.text or texts[spec.name] }
  end
  table.move(about.lists or {}, 1, #(about.lists or {}), #options + 1, options)
  described[f] = { text = about.text, options = options, specs = about.specs }
  return f
end

-- What was said of it; nil for a function of which nothing was.
function parts.about(f)
  return described[f]
end

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

-- The same, but not more than a tenth below it.
function parts.divisible(channels)
  local rounded = parts.multiple_of_8(channels)
  return rounded < 0.9 * channels and rounded + 8 or rounded
end

-- ---- decisions: a number, or a gene { id, values } with several ----

-- A decision with these values: a gene of the graph where there are several.
function parts.decide(g, name, kind, values)
  if #values == 1 then
    return values[1]
  end
  return { id = g:gene { name = name, kind = kind, values = values }, values = values }
end

-- law(value) of a decision: a number, or one for each option, for g:conv.
function parts.pick(g, decision, law)
  if type(decision) ~= "table" then
    return law(decision)
  end
  local numbers = {}
  for i, value in ipairs(decision.values) do
    numbers[i] = law(value)
  end
  return g:choice(decision.id, numbers)
end

-- The largest of what parts.pick gives, or of a decision.
function parts.largest(number)
  return type(number) == "table" and number.values[#number.values] or number
end

-- Whether two laws say the same for every value of a decision.
function parts.same(decision, law, other)
  local values = type(decision) == "table" and decision.values or { decision }
  for _, value in ipairs(values) do
    if law(value) ~= other(value) then
      return false
    end
  end
  return true
end

-- body(i) for each of the most layers that a depth may have; those that not every option has are
-- there from theirs on.
function parts.repeated(g, depth, body)
  local values = type(depth) == "table" and depth.values or { depth }
  for i = 1, values[#values] do
    if i > values[1] then
      g:present(depth.id, i)
    end
    body(i)
    g:present()
  end
end

-- A list of integers in an option, or one integer for all `count`; `default` when it is absent.
-- Each is one of `known`, or at least 1 without it.
function parts.list(options, field, count, default, known)
  local given = options[field]
  local list = type(given) == "table" and given or {}
  for i = 1, type(given) == "table" and 0 or count do
    list[i] = given or type(default) == "table" and default[i] or default
  end
  if #list ~= count then
    core.fail(("%s: expected %d numbers, got %d"):format(field, count, #list))
  end
  for i, value in ipairs(list) do
    local good = math.type(value) == "integer" and value >= 1
    if good and known then
      good = false
      for _, one in ipairs(known) do
        good = good or one == value
      end
    end
    if not good then
      core.fail(("%s[%d]: expected %s, got %s"):format(field, i,
        known and "one of " .. table.concat(known, ", ") or "a positive integer", tostring(value)))
    end
  end
  return list
end

-- A list of different ascending numbers in an option; `default` when it is absent.
function parts.values(options, field, default, least, most, whole)
  local list = options[field] or default
  if type(list) == "number" then
    list = { list }
  end
  if type(list) ~= "table" or #list < 1 or #list > 32 then
    core.fail(field .. ": expected a list of 1 to 32 ascending numbers")
  end
  for i, value in ipairs(list) do
    if type(value) ~= "number" or whole and math.type(value) ~= "integer" or
      not (value >= least and value <= most) or i > 1 and value <= list[i - 1] then
      core.fail(("%s[%d]: expected %s in %g..%g, each larger than the one before, got %s"):format(
        field, i, whole and "integers" or "numbers", least, most, tostring(value)))
    end
  end
  return list
end

-- Sides of images in the options: a list, or one.
function parts.sizes(options, default)
  return parts.values(options, options.size and "size" or "sizes", default, 8, 4096, true)
end

function parts.resolution(g, sizes)
  local decision = parts.decide(g, "resolution", "resolution", sizes)
  if type(decision) == "table" then
    g:resolution(decision.id)
  end
end

-- How many layers something has: a gene "<name>.depth" where that may differ.
function parts.depth(g, name, least, most)
  local values = {}
  for depth = least, most do
    values[#values + 1] = depth
  end
  return parts.decide(g, name .. ".depth", "depth", values)
end

-- The options without the fields of `own`, which parts.list and parts.values read. What is no table is
-- for core.fields to refuse.
function parts.without(options, own)
  if options ~= nil and type(options) ~= "table" then
    return options
  end
  local rest = {}
  for key, value in pairs(options or {}) do
    rest[key] = value
  end
  for _, key in ipairs(own) do
    rest[key] = nil
  end
  return rest
end

-- ---- layers ----

-- A convolution that keeps the size at stride 1, and its batch norm, with options of its own.
function parts.conv_bn(g, x, conv, bn, options, bn_options)
  options.pad = (parts.largest(options.kernel) - 1) // 2
  x = g:conv(x, conv, options)
  return g:batch_norm(x, bn, bn_options)
end

-- The end of a residual block: x and what came in, which is projected where their shapes differ; the
-- options are the activation's.
function parts.join(g, x, first, name, project, output, stride, relu, options)
  if project then
    first = parts.conv_bn(g, first, name .. ".downsample.0", name .. ".downsample.1",
      { out = output, kernel = 1, stride = stride })
  end
  x = g:add(x, first, name .. ".add")
  return g:act(x, name .. relu, "relu", options)
end

return parts
