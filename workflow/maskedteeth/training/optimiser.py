"""Adam, with torch's fused kernel."""

import torch
from torch import Tensor, nn
from torch.optim.adam import adam


class Adam:
    """Adam [Kingma & Ba, 2015] as `torch.optim.Adam` computes it, with that class's defaults.

    The same function of torch does the work. Its class is left out because making one loads
    torch's compiler (torch 2.13: 800 modules, 1.0 s of processor time at each start) and numbers
    its state instead of naming it.

    Args:
        network: whose parameters are trained.
        learning_rate: of the next step; the attribute may be changed between steps.
    """

    def __init__(self, network: nn.Module, learning_rate: float):
        self.learning_rate = learning_rate
        self.parameters = dict(network.named_parameters())
        self.first = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.second = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.steps = {n: torch.zeros((), device=p.device) for n, p in self.parameters.items()}

    def step(self) -> None:
        """Move all parameters that have a gradient by it, and forget the gradients."""
        used = [name for name, p in self.parameters.items() if p.grad is not None]
        columns = (self.parameters, self.first, self.second, self.steps)
        parameters, first, second, steps = ([column[name] for name in used] for column in columns)
        with torch.no_grad():
            adam(
                parameters,
                [p.grad for p in parameters],
                first,
                second,
                [],
                steps,
                fused=True,  # one kernel for all parameters instead of a few for each
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.learning_rate,
                weight_decay=0,
                eps=1e-8,
                maximize=False,
            )
        for parameter in parameters:
            parameter.grad = None

    @property
    def moved(self) -> int:
        """How many numbers had a gradient so far."""
        return sum(p.numel() for name, p in self.parameters.items() if self.steps[name])

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state: both moments and the number of steps of every parameter."""
        moments = {"first": self.first, "second": self.second, "steps": self.steps}
        return {f"{kind}.{name}": v for kind, of in moments.items() for name, v in of.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over a state that :meth:`state_dict` returned."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])
