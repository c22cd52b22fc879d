"""Compile: one uploaded PDF into the template that all its copies are stamped from. Runs in the child process."""

from typing import Any


def compile_pdf(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Facts about the version and its encoded template. Raises `Refused`.

    `parameters["seed"]` (hex) chooses where the marks stand; the same PDF and seed give the same template.
    """
    raise NotImplementedError
