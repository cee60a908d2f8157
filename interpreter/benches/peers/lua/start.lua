local m = require("peer")
print(m.add(2, 3))
