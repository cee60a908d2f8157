(#%require-dylib "libpeer" (only-in add))

(displayln (add 2 3))
