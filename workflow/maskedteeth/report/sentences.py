"""The paper's sentences with a number or a comparison, for the audit to check against its tables.

To add one, add a :class:`Sentence`; what ``r`` gives stands in :mod:`maskedteeth.report.claims`.
"""

from collections.abc import Callable
from typing import NamedTuple

from maskedteeth.metrics.segmentation import METRICS
from maskedteeth.report.claims import (
    FRACTIONS,
    OURS,
    RESUNET,
    outperforms_pspnet,
    outperforms_unet,
)
from maskedteeth.report.quantities import Quantity, Results, Statement, all_of, largest, mean


class Sentence(NamedTuple):
    """A sentence of the paper.

    Attributes:
        place: where it stands.
        text: what it says, shortly.
        quoted: the number that it names, with its digits, or "".
        check: returns from the tables what it says; None where nothing printed can confirm it.
        note: on what came out.
    """

    place: str
    text: str
    quoted: str = ""
    check: Callable[[Results], Quantity | Statement | float] | None = None
    note: str = ""


OTHERS = ("unet", "pspnet", "linknet", RESUNET)
COMPARABLE = "ours on 20 % performs comparably to LinkNet on 80 %"
HIGHER = "than U-Net, LinkNet and PSPNet on 80 %"
RIVALLING = "accuracy rivalling traditional architectures"
VARIATION = "0.4 % variation over seeds on 20 %, as"


def _below_linknet(metric: str) -> Callable[[Results], Quantity]:
    return lambda r: r.mean(metric, "linknet", 0.8) - r.mean(metric, OURS, 0.2)


def _above_all(metric: str) -> Callable[[Results], Statement]:
    others = ("unet", "linknet", "pspnet")
    return lambda r: all_of(r.mean(metric, OURS, 0.2) > r.mean(metric, m, 0.8) for m in others)


def _range(metric: str) -> Callable[[Results], Quantity]:
    return lambda r: r.spread("range", metric, OURS, 0.2)


# fmt: off
SENTENCES = (
    Sentence("Abstract", "ours on 20 % outperforms U-Net on 80 %", "", outperforms_unet),
    Sentence("Abstract", "ours on 20 % outperforms PSPNet on 80 %", "", outperforms_pspnet),
    Sentence("Abstract", f"{COMPARABLE}: Dice below by", "", _below_linknet("dice")),
    Sentence("Abstract", f"{COMPARABLE}: Jaccard below by", "", _below_linknet("jaccard")),
    Sentence("Section 3.2", "masking ratio from 15 % (2 blocks of 15 %)", "0.15",
             lambda r: 2 * 0.15, "side by side; 15 % only where the two lie exactly on each other"),
    Sentence("Section 3.2", "masking ratio to 75 % (5 blocks of 15 %)", "0.75",
             lambda r: 5 * 0.15, "only where no blocks overlap"),
    Sentence("Section 3.2", "MAE uses a constant masking ratio of 25 %", "0.25", lambda r: 0.75,
             "reference [6] masks 75 % and keeps 25 %"),
    Sentence("Section 4", "598 radiographs with 15,318 teeth, of up to 32 each", "",
             lambda r: r.number(15318) / 598 <= 32, "25.6 a radiograph"),
    Sentence("Section 4", "Tesla P100 with 3584 CUDA cores", "3584", lambda r: 56 * 64,
             "56 multiprocessors of 64 cores"),
    Sentence("Section 4.1", "SSIM of 0.912", "0.912"),
    Sentence("Section 4.1", "LPIPS of 0.088", "0.088", None,
             "1 − SSIM to the last digit, which different measures have no reason to be"),
    Sentence("Section 4.1", "FSIM of 0.956", "0.956"),
    Sentence("Section 4.2", f"ours on 20 % has a higher Dice {HIGHER}", "",
             _above_all("dice"), "LinkNet's is higher by 0.025"),
    Sentence("Section 4.2", f"ours on 20 % has a higher Jaccard {HIGHER}", "",
             _above_all("jaccard"), "LinkNet's is higher by 0.040"),
    Sentence("Section 5", f"{RIVALLING}: ours above the best other Dice at 90 % by", "",
             lambda r: r.dice(OURS, 0.9) - largest(r.dice(m, 0.9) for m in OTHERS)),
    Sentence("Appendix C", "similar accuracy with several seeds on 20 %: range of Dice", "",
             _range("dice")),
    Sentence("Appendix E", f"{VARIATION} mean standard deviation", "0.004",
             lambda r: mean(r.spread("sd", m, OURS, 0.2) for m in METRICS),
             "the reading that fits"),
    Sentence("Appendix E", f"{VARIATION} range of Dice", "0.004", _range("dice")),
    Sentence("Appendix E", f"{VARIATION} range of recall, the largest of the four", "0.004",
             _range("recall")),
    Sentence("Table 2", "0.827 (bold) is the highest Jaccard", "0.827",
             lambda r: largest(r.jaccard(m, f) for m in (*OTHERS, OURS) for f in FRACTIONS)),
)
# fmt: on
