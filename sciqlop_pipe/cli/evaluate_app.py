"""The commands `train` and `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, RegistryOpt, StoreOpt

InputOpt = Annotated[
    list[Path],
    typer.Option(
        "--input",
        metavar="FILE...",
        show_default=False,
        help="Data: windows.npz for regions, yearly OMNI2 text files for icme.",
    ),
]
SourceOpt = Annotated[
    str,
    typer.Option(
        help="Only events that a list of several spacecraft ascribes to it, e.g. Wind.",
        show_default=False,
    ),
]
StartOpt = Annotated[
    str,
    typer.Option(
        help="The lists are complete from here on, else from their first event.",
        show_default=False,
    ),
]
StopOpt = Annotated[
    str, typer.Option(help="... to here, else to their last event.", show_default=False)
]
OutJsonOpt = Annotated[
    Path | None, typer.Option("--json", help="Write every number here.", show_default=False)
]
ReportOpt = Annotated[
    Path | None,
    typer.Option(help="Write a page with tables and pictures here.", show_default=False),
]
TableOpt = Annotated[
    Path | None,
    typer.Option(
        help="Put the tables into this Markdown page, in the place of older ones.",
        show_default=False,
    ),
]
SplitOpt = Annotated[
    str,
    typer.Option(help="What stays together: pass, day, year, group or block.", show_default=False),
]
KindOpt = Annotated[str, typer.Option(help="Only events of a kind.", show_default=False)]
AroundOpt = Annotated[
    str,
    typer.Option(
        help="Moments of a list become intervals this far to both sides, e.g. 30s.",
        show_default=False,
    ),
]
OverlapsOpt = Annotated[
    str,
    typer.Option(
        metavar="refuse|merge|keep",
        help="Events of a list that overlap others of their kind: refused, one event, or each.",
    ),
]
SeedOpt = Annotated[int, typer.Option(help="Same seed, same result.")]


def evaluate(
    detector: Annotated[
        str,
        typer.Argument(
            help="regions, icme, or the name of a dataset of events: mms1.boundary_crossings."
        ),
    ],
    input_: InputOpt = [],  # noqa: B006
    catalog: Annotated[
        list[Path],
        typer.Option(
            "--catalog",
            metavar="FILE...",
            show_default=False,
            help="Lists of true events: CSV or Parquet with start and stop, lists of LPP, "
            "ICMECAT, JSON of 'catalog export'.",
        ),
    ] = [],  # noqa: B006
    source: SourceOpt = "",
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of a model instead of the shipped one.", show_default=False),
    ] = None,
    cross_validate: Annotated[
        bool,
        typer.Option("--cross-validate", help="Train anew, leaving out each group in turn."),
    ] = False,
    split: SplitOpt = "",
    tolerance: Annotated[
        str,
        typer.Option(
            help="Match moments this near, e.g. 60s, instead of intervals by overlap.",
            show_default=False,
        ),
    ] = "",
    kind: KindOpt = "",
    around: AroundOpt = "",
    overlaps: OverlapsOpt = "keep",
    start: StartOpt = "",
    stop: StopOpt = "",
    json: OutJsonOpt = None,
    report: ReportOpt = None,
    table: TableOpt = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Write what was found here, as CSV.", show_default=False),
    ] = None,
    seed: SeedOpt = 0,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Score a detector against the truth: precision, recall, F1, timing, false alarms, calibration.

    Only what was both searched and labelled counts. Intervals are 95 %, by pass, year or day.

    Examples
    --------
    `sciqlop-pipe evaluate regions --input windows.npz --json out.json --report out.html`

    `sciqlop-pipe evaluate icme --input omni2_*.dat.gz --catalog icmecat.csv --source Wind`

    `sciqlop-pipe evaluate mms1.boundary_crossings --catalog bow_shocks.csv --kind bow_shock
    --tolerance 60s`
    """
    from . import judging

    truth = judging.Truth(tuple(catalog), source, (start, stop))
    asked = judging.asked(
        truth, input_, model=model, split=split, validate=cross_validate, seed=seed,
        predictions=predictions, kind=kind, around=judging.ns(around), overlaps=overlaps,
    )  # fmt: skip
    found = judging.judged(detector, store, registry, asked, tolerance, kind)
    judging.show(found, json, report, table)


def train(
    detector: Annotated[
        str,
        typer.Argument(help="regions, icme, or a dataset of learned events, or its model's name."),
    ],
    labels: Annotated[
        list[Path],
        typer.Option(
            "--labels",
            metavar="FILE...",
            show_default=False,
            help="Labelled windows (.npz), or lists of events.",
        ),
    ] = [],  # noqa: B006
    input_: InputOpt = [],  # noqa: B006
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder to write the model and its card to.")
    ] = Path("model"),
    source: SourceOpt = "",
    kind: KindOpt = "",
    around: AroundOpt = "",
    overlaps: OverlapsOpt = "refuse",
    split: SplitOpt = "",
    start: StartOpt = "",
    stop: StopOpt = "",
    json: OutJsonOpt = None,
    report: ReportOpt = None,
    table: TableOpt = None,
    seed: SeedOpt = 0,
    verdicts: Annotated[
        str,
        typer.Option(
            help="Dataset of events in the store whose verdicts are learned from as well.",
            show_default=False,
        ),
    ] = "",
    promote: Annotated[
        bool,
        typer.Option(
            "--promote",
            help="Make it the store's model if it is not worse on groups that were left out.",
        ),
    ] = False,
    store: StoreOpt = DEFAULT_STORE,
    registry: RegistryOpt = "",
) -> None:
    """Train a detector, judge it on groups it has not seen, and write it with its card.

    Random splits are refused. 'sciqlop-pipe model promote' makes it the one a store uses. A dataset
    of learned events (declared with learned_products) takes its series from the store. With
    --verdicts, what people accepted, rejected, moved or missed is learned from, and never scored.

    Examples
    --------
    `sciqlop-pipe train regions --labels windows.npz -o my-regions`

    `sciqlop-pipe train icme --input omni2_*.dat.gz --labels icmecat.csv --source Wind -o my-icme`

    `sciqlop-pipe train my.events --labels events.csv -o my-model --store ./store`

    `sciqlop-pipe train icme --input omni2_*.dat.gz --labels icmecat.csv --source Wind -o better
    --verdicts omni.omni2.1h.icmes --promote`
    """
    from . import judging

    truth = judging.Truth(tuple(labels), source, (start, stop))
    words = " ".join(
        ["sciqlop-pipe train", detector, *(f"--input {p.name}" for p in input_),
         *(f"--labels {p.name}" for p in labels), *([f"--source {source}"] if source else []),
         *(f"{k} {v}" for k, v in (("--kind", kind), ("--around", around), ("--split", split),
 ("--overlaps", overlaps if overlaps != "refuse" else ""),
                                   ("--start", start), ("--stop", stop)) if v),
         f"--seed {seed}", *([f"--verdicts {verdicts}"] if verdicts else [])]
    )  # fmt: skip
    said = judging.said(detector, verdicts, store, registry) if verdicts else ()
    asked = judging.asked(
        truth, input_, split=split, seed=seed, command=words, said=said, kind=kind,
        around=judging.ns(around), overlaps=overlaps,
    )  # fmt: skip
    found = judging.trained(detector, store, registry, asked, out)
    judging.show(found, json, report, table)
    typer.echo(f"wrote {out}")
    if promote:
        typer.echo(judging.promoted(detector, asked, out, found, store, registry))
