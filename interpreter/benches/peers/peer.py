"""The peers: how each is built, and how its programs are run."""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CC = os.environ.get("CC", "cc")


class Missing(Exception):
    """A peer that cannot be had here, and why."""


@dataclass
class Peer:
    """A peer that is built."""

    name: str
    #: What is compared, with its version.
    version: str
    #: Runs the program whose path follows.
    command: list
    #: Where `bench.SUFFIX` and `start.SUFFIX` are.
    folder: Path
    suffix: str
    environment: dict = field(default_factory=dict)


def said(*command, **options):
    """What a command prints; a peer that needs it is missing if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, **options)
    except OSError as error:
        raise Missing(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        told = next((line for line in lines if "error" in line), lines[-1] if lines else "no message")
        raise Missing(f"`{' '.join(map(str, command))}` failed: {told.strip()}")
    return done.stdout.strip()


def compilers():
    """What builds the peers, with versions."""
    for command in ("rustc", CC):
        try:
            yield said(command, "--version").splitlines()[0]
        except Missing:
            continue


def cargo_build(folder, target=None):
    """Builds a workspace in its own folder, or in `target`; gives where the results are."""
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    target = target or folder / "target"
    print(f"building {folder}", file=sys.stderr)
    said("cargo", "build", "--release", "--target-dir", target, cwd=folder, env=environment)
    return target / "release"


def locked(folder, crate):
    """The version of a crate in a workspace's Cargo.lock."""
    text = (folder / "Cargo.lock").read_text()
    return re.search(rf'name = "{crate}"\nversion = "(.+)"', text)[1]


def c_module(source, library, flags):
    """Compiles a C module."""
    library.parent.mkdir(parents=True, exist_ok=True)
    undefined = ["-undefined", "dynamic_lookup"] if platform.system() == "Darwin" else []
    said(CC, "-std=c11", "-O2", "-Wall", "-shared", "-fPIC", *undefined, *flags, source, "-o", library)


def caraway(_build, repository, binary):
    """The release binary, and the plugin that `native_call.rs` measures."""
    if binary is None:
        print("building caraway", file=sys.stderr)
        target = repository / "target"
        said("cargo", "build", "--release", "-p", "caraway", "--target-dir", target, cwd=repository)
        binary = target / "release/caraway"
    plugin = repository / "tests/plugins/native-bench"
    cargo_build(plugin)
    return Peer(
        "Caraway",
        said(binary, "--version"),
        [binary.resolve(), "run", "--quiet", "--plugin-path", plugin, "--allow", "native=bench"],
        HERE / "caraway",
        "rhai",
    )


def rhai(build, _repository, _binary):
    """The same functions compiled into a host of Rhai; the same programs."""
    folder = HERE / "rhai"
    results = cargo_build(folder, build / "rhai")
    version = f"Rhai {locked(folder, 'rhai')}, functions registered in the host"
    return Peer("Rhai, registered", version, [results / "rhai-registered"], HERE / "caraway", "rhai")


def lua(build, _repository, _binary):
    """Lua 5.4 and a module in C."""
    command = next((found for name in ("lua5.4", "lua54", "lua") if (found := shutil.which(name))), None)
    if command is None:
        raise Missing("no `lua5.4` on the PATH")
    version = said(command, "-v").split("  ")[0]
    if "5.4" not in version:
        raise Missing(f"`{command}` is {version}")
    folder = HERE / "lua"
    c_module(folder / "peer.c", build / "lua/peer.so", lua_headers())
    return Peer("Lua 5.4", version, [command], folder, "lua", {"LUA_CPATH_5_4": f"{build}/lua/?.so"})


def lua_headers():
    for package in ("lua5.4", "lua-5.4", "lua54", "lua"):
        try:
            return said("pkg-config", "--cflags", package).split()
        except Missing:
            continue
    return []


def python(build, _repository, _binary):
    """The interpreter that runs this, and an extension in C."""
    folder = HERE / "python"
    headers = {f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")}
    c_module(folder / "peer.c", build / "python" / f"peer{sysconfig.get_config_var('EXT_SUFFIX')}", sorted(headers))
    version = f"{platform.python_implementation()} {platform.python_version()}"
    return Peer("CPython", version, [sys.executable], folder, "py", {"PYTHONPATH": str(build / "python")})


def steel(build, _repository, _binary):
    """A host of steel-core and a library of the same."""
    folder = HERE / "steel"
    results = cargo_build(folder, build / "steel")
    extension = "dylib" if platform.system() == "Darwin" else "so"
    native = build / "steel-home/native"
    native.mkdir(parents=True, exist_ok=True)
    shutil.copy2(results / f"libpeer.{extension}", native)
    version = f"steel-core {locked(folder, 'steel-core')}"
    home = {"STEEL_HOME": str(build / "steel-home")}
    return Peer("Steel", version, [results / "steel-host"], folder, "scm", home)


#: Builds each peer, given where, the repository and Caraway's binary if it is built already. The first is what the
#: others are compared with.
ALL = {"Caraway": caraway, "Rhai": rhai, "Lua 5.4": lua, "CPython": python, "Steel": steel}
