-- The same as kernels.rhai. `lua kernels.lua NAME TURNS` prints the seconds that so many turns took, and the result of the
-- last one.

local function fib(n)
  if n < 2 then return n else return fib(n - 1) + fib(n - 2) end
end

local function sum(n)
  local s, i = 0, 0
  while i < n do
    s = s + i
    i = i + 1
  end
  return s
end

local function escape(cx, cy, limit)
  local x, y, i = 0.0, 0.0, 0
  while i < limit do
    local x2, y2 = x * x, y * y
    if x2 + y2 > 4.0 then break end
    y = 2.0 * x * y + cy
    x = x2 - y2 + cx
    i = i + 1
  end
  return i
end

local function mandelbrot(width, height, limit)
  local total = 0
  for py = 0, height - 1 do
    for px = 0, width - 1 do
      total = total + escape(px / width * 3.0 - 2.0, py / height * 2.0 - 1.0, limit)
    end
  end
  return total
end

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

local function gcd_sums(n)
  local s = 0
  for i = 1, n - 1 do
    for j = 1, n - 1 do s = s + gcd(i, j) end
  end
  return s
end

local function is_prime(n)
  if n < 2 then return false end
  if n % 2 == 0 then return n == 2 end
  local d = 3
  while d * d <= n do
    if n % d == 0 then return false end
    d = d + 2
  end
  return true
end

local function primes(n)
  local count = 0
  for i = 0, n - 1 do
    if is_prime(i) then count = count + 1 end
  end
  return count
end

-- LuaJIT has no operators of bits, and functions for them that it knows.
local is_even = jit and "bit.band(bit.bxor(i, j), 1) == 0" or "(i ~ j) & 1 == 0"
local nested = (loadstring or load)([[
  return function(n)
    local c = 0
    for i = 0, n - 1 do
      for j = 0, n - 1 do
        if ]] .. is_even .. [[ then c = c + (i - j) else c = c + 1 end
      end
    end
    return c
  end
]])()

local function dot(xs, ys)
  local s = 0.0
  for i = 1, #xs do s = s + xs[i] * ys[i] end
  return s
end

local function prefix(xs, sums)
  local s = 0
  for i = 1, #xs do
    s = s + xs[i]
    sums[i] = s
  end
  return s
end

local function normalise(xs)
  local sum = 0.0
  for i = 1, #xs do sum = sum + xs[i] end
  local mean = sum / #xs
  local squares = 0.0
  for i = 1, #xs do squares = squares + (xs[i] - mean) * (xs[i] - mean) end
  local deviation = math.sqrt(squares / #xs)
  for i = 1, #xs do xs[i] = (xs[i] - mean) / deviation end
  return deviation
end

local function numbers(count, of)
  local t = {}
  for i = 1, count do t[i] = of(i - 1) end
  return t
end

local function floats() return numbers(1000000, function(i) return i % 1000 / 8.0 end) end
local function ints() return numbers(1000000, function(i) return i % 1000 end) end

local kernels = {
  fib = function() return fib, 27 end,
  sum = function() return sum, 10000000 end,
  mandelbrot = function() return mandelbrot, 200, 200, 200 end,
  gcd_sums = function() return gcd_sums, 400 end,
  primes = function() return primes, 100000 end,
  nested = function() return nested, 1000 end,
  dot = function() return dot, floats(), floats() end,
  prefix = function() return prefix, ints(), ints() end,
  normalise = function() return normalise, floats() end,
}

local kernel, a, b, c = kernels[arg[1]]()
local result
local start = os.clock()
for _ = 1, tonumber(arg[2]) do result = kernel(a, b, c) end
print(string.format("%.9f %.17g", os.clock() - start, result))
