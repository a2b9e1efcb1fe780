"""The paper's claims. ``snakemake claims`` judges each twice: by the paper's numbers and by ours.

To add a claim, add a function. Its decorator says where the paper makes the claim, in what words,
and how it is read where that is a choice. The function returns the claim's margins: a list of
numbers that are all above zero if it is true. It finds numbers in ``r``
(:class:`maskedteeth.report.evidence.Evidence`): ``r.dice(method, fraction)`` and ``r.jaccard(…)``,
in general ``r.mean(metric, …)``, are means over seeds; ``r.spread("sd", metric, …)`` and
``r.spread("range", …)`` are their spread; ``r.pretext(metric, pretext)`` is of a pretext, and
``r.corrections(method)`` of its predictions where annotations have errors. Methods and pretexts
have the names of the settings.
"""
# ruff: noqa: D103 (the words of a claim stand in its decorator)

from collections.abc import Callable
from typing import NamedTuple

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.evidence import Evidence
from maskedteeth.report.verdicts import Quantity, Unavailable

OURS, RESUNET = "random_block_masking", "modified_resunet"
FRACTIONS = (0.1, 0.2, 0.3, 0.8, 0.9)
#: Notes on several claims.
BOTH = "That is, a higher Dice and a higher Jaccard."
WITHIN = "Reached to within 0.001 of the printed value"
BESIDE = f"{BOTH} The paper does not say so in words; its tables show the two side by side."
THESE = "This is about the trained seeds only: so few seeds say little about others."
WITH_ERRORS = "(`config/noise.yaml` does)"
#: A claim's margins, from where its numbers are.
Margins = Callable[[Evidence], list[Quantity]]


class Claim(NamedTuple):
    """A claim: where the paper makes it, what it says, how it is read, and its margins."""

    place: str
    text: str
    note: str
    margins: Margins


#: Name → claim, in the order of the table.
CLAIMS: dict[str, Claim] = {}


def claim(place: str, text: str, note: str = "", name: str = "") -> Callable:
    """Register a claim under its function's name, or under ``name``."""

    def register(margins: Margins) -> Margins:
        CLAIMS[name or margins.__name__] = Claim(place, text, note, margins)
        return margins

    return register


def better(r: Evidence, method: str, fraction: float, than: str, at: float) -> list[Quantity]:
    """Return by how much Dice and Jaccard of a method are higher than those of another one."""
    return [metric(method, fraction) - metric(than, at) for metric in (r.dice, r.jaccard)]


@claim("Abstract", "With 20 % of the samples, ours outperforms U-Net trained on 80 %", BOTH)
def outperforms_unet(r):
    return better(r, OURS, 0.2, "unet", 0.8)


@claim("Abstract", "With 20 % of the samples, ours outperforms PSPNet trained on 80 %", BOTH)
def outperforms_pspnet(r):
    return better(r, OURS, 0.2, "pspnet", 0.8)


@claim(
    "Abstract",
    "With 20 % of the samples, ours performs comparably to LinkNet trained on 80 %",
    '"Comparably" is read as a Dice at most 0.02 lower. The limit is ours: the paper gives none, '
    "but calls leads of 0.027 and 0.030 in Dice outperforming. Jaccard follows from Dice: in "
    "Jaccard the same distance is 0.03.",
)
def comparable_to_linknet(r):
    return [r.dice(OURS, 0.2) - (r.dice("linknet", 0.8) - 0.02)]


@claim(
    "Section 3.2; appendix A",
    "The Sobel-filtered input improves the pretext's reconstruction and helps to avoid blurring",
    "Read as a higher SSIM, a higher FSIM and a lower L1 than those of the same pretext without "
    "this input (`config/ablations.yaml` has one).",
)
def sobel_guides(r):
    if r.side == "paper":
        raise Unavailable("the paper shows no network without it")
    return [
        sign * (r.pretext(metric, OURS) - r.pretext(metric, "without_sobel"))
        for metric, sign in (("ssim", 1), ("fsim", 1), ("l1", -1))
    ]


@claim("Section 3.2", "The masking ratio varies from 15 % to 75 %")
def masking_ratio(r):
    raise r.untestable(
        paper="it is a setting; no result for it is printed",
        ours="it is a setting; the table of the pretext's metrics has the masked share",
    )


@claim("Section 4.1", "The pretext reaches an SSIM of 0.912", f"{WITHIN}.")
def ssim(r):
    return [r.pretext("ssim", OURS) - 0.911]


@claim("Section 4.1", "The pretext reaches an LPIPS of 0.088", f"{WITHIN}; lower is better.")
def lpips(r):
    return [0.089 - r.pretext("lpips", OURS)]


@claim("Section 4.1", "The pretext reaches an FSIM of 0.956", f"{WITHIN}.")
def fsim(r):
    return [r.pretext("fsim", OURS) - 0.955]


@claim(
    "Section 4.2",
    "With 20 % of the samples, ours has a higher Dice and Jaccard than U-Net, LinkNet and PSPNet "
    "trained on 80 %",
)
def beats_all_at_80(r):
    return [d for m in ("unet", "linknet", "pspnet") for d in better(r, OURS, 0.2, m, 0.8)]


for fraction in FRACTIONS:

    @claim(
        "Table 2 (implied)" if fraction in (0.1, 0.9) else "Tables 1 and 2 (implied)",
        f"With {100 * fraction:.0f} % of the samples, the pretext improves Modified ResUNet",
        BESIDE,
        name=f"pretext_helps_at_{100 * fraction:.0f}",
    )
    def pretext_helps_at(r, f=fraction):
        return better(r, OURS, f, RESUNET, f)


@claim("Table 2 (implied)", "The pretext improves Modified ResUNet at every fraction", BESIDE)
def pretext_helps(r):
    return [margin for f in FRACTIONS for margin in better(r, OURS, f, RESUNET, f)]


@claim(
    "Abstract; section 4.3, figures 5 and 9",
    "Ours predicts the correct mask where the ground truth is wrong",
    "Tested on training radiographs whose annotations were given known errors: the prediction's "
    "Dice with the right annotation must be higher than that of the annotation with errors, for "
    "all errors and fractions of the study. The intervals include chance in the choice of these "
    "radiographs and in training.",
)
def correct_despite_errors(r):
    gains = r.corrections(OURS)
    if not gains:
        raise r.untestable(
            paper="it has no corrected masks to compare with (appendix D says so too)",
            ours=f"it trains no method on known errors {WITH_ERRORS}",
        )
    return list(gains.values())


@claim(
    "Section 4.3",
    "It does so due to Random Block Masking",
    "Read as: with the same errors, its gain over its training annotation is higher than the gain "
    "of Modified ResUNet without the pretext.",
)
def due_to_pretext(r):
    ours, without = r.corrections(OURS), r.corrections(RESUNET)
    if not (both := [case for case in ours if case in without]):
        raise r.untestable(
            paper="it shows no network without the pretext on wrong masks",
            ours=f"it does not train both networks on the same known errors {WITH_ERRORS}",
        )
    return [ours[case] - without[case] for case in both]


@claim(
    "Section 5",
    "Ours reaches scores that rival traditional architectures",
    '"Rivaling" is read as a Dice at most 0.02 lower than that of U-Net, PSPNet and LinkNet, each '
    "at the same fraction; the limit is ours.",
)
def rivals_others(r):
    return [
        r.dice(OURS, f) - (r.dice(m, f) - 0.02)
        for f in FRACTIONS
        for m in ("unet", "pspnet", "linknet")
    ]


@claim(
    "Appendix C",
    "With 20 % of the samples, several seeds achieve similar accuracy",
    '"Similar" is read as less than 0.02 between the best and the worst seed, in Dice and in '
    f"Jaccard; the paper names no limit. {THESE}",
)
def similar_over_seeds(r):
    return [0.02 - r.spread("range", m, OURS, 0.2) for m in ("dice", "jaccard")]


@claim(
    "Appendix E",
    "With 20 % of the samples, the variation over seeds is 0.4 %, averaged over the metrics",
    "Read as: the mean of the four metrics' standard deviations is below 0.0045. Read like this, "
    f"the printed seeds give 0.4 %. {THESE}",
)
def variation_mean(r):
    return [0.0045 - 0.25 * sum(r.spread("sd", m, OURS, 0.2) for m in METRICS)]


@claim(
    "Appendix E",
    "With 20 % of the samples, the variation over seeds is at most 0.4 % in every metric",
    '"Across all metrics" is read as: for each of the four, the range over seeds is below 0.0045. '
    f"{THESE}",
)
def variation_every_metric(r):
    return [0.0045 - r.spread("range", m, OURS, 0.2) for m in METRICS]


@claim("Appendix E, table 2", "Trained on 90 %, ours has the highest Jaccard (printed in bold)")
def best_jaccard_at_90(r):
    others = ("unet", "pspnet", "linknet", RESUNET)
    return [r.jaccard(OURS, 0.9) - r.jaccard(m, 0.9) for m in others]
