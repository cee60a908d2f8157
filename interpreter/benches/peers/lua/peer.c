/* add, echo and sum for Lua 5.4. */
#include <lauxlib.h>
#include <lua.h>

static int add(lua_State *state) {
    lua_Unsigned a = (lua_Unsigned)luaL_checkinteger(state, 1);
    lua_Unsigned b = (lua_Unsigned)luaL_checkinteger(state, 2);
    lua_pushinteger(state, (lua_Integer)(a + b));
    return 1;
}

static int echo(lua_State *state) {
    size_t length;
    const char *text = luaL_checklstring(state, 1, &length);
    lua_pushlstring(state, text, length);
    return 1;
}

static int sum(lua_State *state) {
    luaL_checktype(state, 1, LUA_TTABLE);
    lua_Integer length = luaL_len(state, 1);
    lua_Unsigned total = 0;
    for (lua_Integer i = 1; i <= length; i++) {
        int is_int;
        lua_rawgeti(state, 1, i);
        total += (lua_Unsigned)lua_tointegerx(state, -1, &is_int);
        if (!is_int) return luaL_error(state, "element %d is no integer", (int)i);
        lua_pop(state, 1);
    }
    lua_pushinteger(state, (lua_Integer)total);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"add", add}, {"echo", echo}, {"sum", sum}, {NULL, NULL}};

int luaopen_peer(lua_State *state) {
    luaL_newlib(state, FUNCTIONS);
    return 1;
}
