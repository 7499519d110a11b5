"""A converted model compiled by OpenVINO for this machine: token ids in, vectors out.

Where the processor multiplies bfloat16 matrices, everything between the tokens and the vectors is kept in bfloat16:
asking for bfloat16 vectors is what makes OpenVINO do so, else it keeps all that leads to the output without passing
a matrix product (in a transformer the whole residual stream) in float32, and converts at every layer.
"""

import os
import threading
from pathlib import Path
from typing import Literal

import numpy as np

from index.engine import Vectors
from index.openvino_weights import in_eight_bits
from index.packs import Tokens, padded

Weights = Literal["whole", "light"]
SHORTEST = 16  # tokens of the first inference
# OpenVINO's Python side makes some of its types when they are first needed, and two threads that need one at once wait
# for each other for ever: one holds Python's lock and the other what guards the type. So the first inference is made
# by one thread, before others have the model.
_FIRST = threading.Lock()


class CompiledModel:
    """The model in `folder`, on `threads` threads that work on `streams` inferences at once. Safe from as many.

    With `light` weights they are kept in 8 bits where the processor multiplies nothing shorter than float32. One that
    is only ever asked for one text at a time, `alone`, is told so: then texts of changing lengths take less.
    """

    def __init__(
        self, folder: Path, *, threads: int, streams: int, weights: Weights = "whole", alone: bool = False
    ) -> None:
        """Compile it: .2 to .5 s."""
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / "model.xml")
        if alone:
            model.reshape({place.any_name: [1, -1] for place in model.inputs})
        if core.get_property("CPU", "INFERENCE_PRECISION_HINT") == openvino.Type.bf16:
            wanted = openvino.preprocess.PrePostProcessor(model)
            wanted.output().tensor().set_element_type(openvino.Type.bf16)
            model = wanted.build()
        elif weights == "light":
            model = in_eight_bits(model)
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams, "ENABLE_CPU_PINNING": False}
        self._local = threading.local()
        with _FIRST:
            self._compiled = core.compile_model(model, "CPU", settings)
            self._halved = self._compiled.output().element_type == openvino.Type.bf16
            self.infer([[0]], length=SHORTEST)

    def infer(self, tokens: Tokens, *, length: int) -> Vectors:
        """Return a row for each text, padded to `length` tokens."""
        request = getattr(self._local, "request", None)
        if request is None:  # an inference request serves one thread at a time
            request = self._local.request = self._compiled.create_infer_request()
        # Shared is what is handed over and what comes back, of which a copy is made below.
        output = request.infer(list(padded(tokens, length=length)), share_inputs=True, share_outputs=True)[0]
        return widened(output) if self._halved else np.array(output)


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def widened(output: np.ndarray) -> Vectors:
    """Return bfloat16 numbers, which numpy has no type for, as float32: the upper half of its bits."""
    bits = output.view(np.uint16).astype(np.uint32) << 16
    widened: Vectors = bits.view(np.float32)
    return widened
