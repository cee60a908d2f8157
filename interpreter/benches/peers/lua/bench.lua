-- Prints how long each case takes: its name, a tab, ns for each turn of the loop. Lua's clock is the process's CPU time.
local m = require("peer")
local clock = os.clock

local short = "0123456789"
local long = ("x"):rep(10000)
local xs = {}
for i = 1, 1000 do xs[i] = i - 1 end

assert(m.add(2, 3) == 5 and m.echo(short) == short and m.echo(long) == long and m.sum(xs) == 499500)

local function tell(name, start, turns)
    local seconds = clock() - start
    print(("%s\t%.3f"):format(name, seconds * 1e9 / turns))
end

for repeated = 1, 50 do
    local i, start = 0, clock()
    while i < 20000 do i = i + 1 end
    tell("loop", start, 20000)

    i, start = 0, clock()
    while i < 20000 do m.add(i, 1) i = i + 1 end
    tell("add", start, 20000)

    i, start = 0, clock()
    while i < 20000 do m.echo(short) i = i + 1 end
    tell("echo_10", start, 20000)

    i, start = 0, clock()
    while i < 5000 do m.echo(long) i = i + 1 end
    tell("echo_10k", start, 5000)

    i, start = 0, clock()
    while i < 500 do m.sum(xs) i = i + 1 end
    tell("sum_1000", start, 500)
end
