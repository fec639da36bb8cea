"""The command ``calibrate site``: noise with the pump off, on, and somebody walking by.

This module must never begin a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from .calibration_bench import BenchOptions, of_a_bench, open_place
from .options import as_json_option
from .say import say, say_json


@click.command("site")
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(20, 3600), help="So long each step.")
@click.option("--certificate", "certificate_path", type=click.Path(path_type=Path), help="The load cell's, for grams.")
@as_json_option
@of_a_bench
def calibrate_site(seconds: int, certificate_path: Path | None, as_json: bool, **options: Unpack[BenchOptions]) -> None:
    """Look at the site: how the load cell scatters with the pump off, on, and somebody walking by."""
    import msgspec

    from calibration.certificate import load_certificate
    from edge.guided_calibration.site import check_site

    certificate = None if certificate_path is None else load_certificate(certificate_path)
    with open_place(options) as place:
        found = check_site(
            place.bench,
            seconds,
            codes_per_g=None if certificate is None else certificate.span.counts_per_g,
            noise_code=None if certificate is None else certificate.stability.noise_counts,
            say=(lambda line: None) if as_json else say,
        )
    if as_json:
        say_json(msgspec.to_builtins(found))
        return
    for line in found.said:
        say(f"-> {line}")
    if found.quiet:
        say("The site is quiet. Next: a test of the rig (docs/suitability.md).")
