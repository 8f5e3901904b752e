-- compare(a, b, ...): runs, policies and outcomes side by side, a record each.
local core = require "eex.core"

local function is_outcome(x)
  return type(x) == "table" and type(x.accuracy) == "number" and type(x.macs) == "number"
end

-- The things by name: { { name, value }, ... }.
local function named(...)
  local list = {}
  local first = ...
  if select("#", ...) == 1 and type(first) == "table" and not is_outcome(first) then
    for i, value in ipairs(first) do
      list[i] = { value = value }
    end
    local names = {}
    for key in pairs(first) do
      if type(key) == "string" then
        names[#names + 1] = key
      end
    end
    table.sort(names)
    for _, name in ipairs(names) do
      list[#list + 1] = { name = name, value = first[name] }
    end
    return list
  end
  for i = 1, select("#", ...) do
    list[i] = { value = (select(i, ...)) }
  end
  return list
end

local function of_run(r)
  if not r.finished then
    core.fail(("compare: the run %s is not finished: %s"):format(r.folder, r.state))
  end
  return { name = r.folder:match("[^/]+/*$"), split = "test", accuracy = r.best.accuracy,
    macs = r.best.ada_macs_cumulative, exits = #r.best.exits, rejected = r.best.rejected,
    speedup = r.best.speedup, seed = r.seed, dataset = r.dataset, fingerprint = r.fingerprint }
end

local function of_outcome(o, name)
  return { name = name, split = o.split, accuracy = o.accuracy, macs = o.macs, rejected = o.rejected,
    exits = type(o.exits) == "table" and #o.exits or nil }
end

local function record(value, only_runs, i)
  local class = core.class(value)
  if class == "run" and only_runs then
    return of_run(value)
  elseif class == "run" then
    return of_outcome(value:policy():replay(), value.folder:match("[^/]+/*$"))
  elseif class == "policy" then
    return of_outcome(value:replay(), value.kind)
  elseif is_outcome(value) then
    return of_outcome(value, tostring(i))
  end
  core.fail(("compare: expected runs, policies or outcomes of replays, got %s as number %d%s"):format(
    class or type(value), i, type(value) == "string" and ': eex.run("FOLDER") is a run' or ""))
end

-- Runs on other data say which: what one is better by may come from these. By their names, and by
-- their contents where both runs say what theirs is; runs of before do not.
local function tell_data(list)
  local names, contents, known = false, false, nil
  for _, one in ipairs(list) do
    known = known or one.fingerprint
    names = names or one.dataset ~= list[1].dataset
    contents = contents or (one.fingerprint and one.fingerprint ~= known)
  end
  for _, one in ipairs(list) do
    one.dataset = (names or contents) and one.dataset or nil
    one.fingerprint = contents and one.fingerprint or nil
  end
end

-- All are about the same images, or at least the same split.
local function check(list)
  for i = 2, #list do
    if list[i].split ~= list[1].split then
      core.fail(("compare: %s is about the %s split, %s about the %s split"):format(
        list[1].name, list[1].split, list[i].name, list[i].split))
    end
  end
end

return function(...)
  local things, list = named(...), {}
  if #things == 0 then
    core.fail("compare: expected runs, policies or outcomes of replays")
  end
  local only_runs = true
  for _, thing in ipairs(things) do
    only_runs = only_runs and core.class(thing.value) == "run"
  end
  for i, thing in ipairs(things) do
    list[i] = record(thing.value, only_runs, i)
    list[i].name = thing.name or list[i].name
  end
  check(list)
  tell_data(list)
  for i, one in ipairs(list) do
    if i > 1 then
      one.accuracy_change = one.accuracy - list[1].accuracy
      one.macs_change = one.macs / list[1].macs - 1
    end
  end
  return list
end
