"""The shape in which sound moves between the parts of the voice path. Says what numpy's arrays are, and imports none."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]
    """float32, full scale at +/-1.0. In the voice path shape `(480,)` at 48 kHz; at a device `(frames, channels)`."""
else:
    Samples = Any
