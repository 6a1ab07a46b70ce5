"""Models that run from their plain weights, as the bundled one does: neither torch nor a conversion.

A folder whose words come from tables and whose image tower is of a kind that
:mod:`~neuroclip_live.model.image_network` builds needs nothing else. What cannot be read this way is left to
torch, which says what is wrong with it.
"""

from __future__ import annotations

import logging
import math

import numpy as np

from neuroclip_live.errors import UserError
from neuroclip_live.extras import have
from neuroclip_live.model.checkpoint_errors import told
from neuroclip_live.model.converted_cache import KeptModel
from neuroclip_live.model.foreign_names import own_names
from neuroclip_live.model.image_network import image_network, is_buildable
from neuroclip_live.model.model_config import FACTS_KEY, preprocess_of, read_config
from neuroclip_live.model.model_info import ModelFacts
from neuroclip_live.model.model_names import ModelSpec, folder_files
from neuroclip_live.model.runtimes.openvino_runtime import OpenVinoRuntime
from neuroclip_live.model.runtimes.runtime import threads_for
from neuroclip_live.model.sentence_encoder import MOST_TOKENS
from neuroclip_live.model.word_targets import WordTargets

logger = logging.getLogger(__name__)

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def read_plain(spec: ModelSpec, words: WordTargets, threads: int | None = None) -> KeptModel | None:
    """Return the model of a folder, ready to run in OpenVINO; None where it takes torch.

    Raises
    ------
    UserError
        If its configuration or, where torch is not installed, its weights cannot be read.
    """
    from safetensors.numpy import load_file

    config, weights = folder_files(spec)
    described = read_config(config)
    if weights.suffix != ".safetensors" or not is_buildable(described):
        return None
    try:
        with told(spec.name, weights), np.errstate(all="ignore"):  # what is no number is told by its answers
            state = own_names(load_file(weights))
            preprocess = preprocess_of(described)
            network = image_network(state, preprocess["size"])
            counted = [value.size for name, value in state.items() if not name.endswith(_STATISTICS)]
            facts = ModelFacts(
                name=spec.name,
                bundled=spec.bundled,
                logit_scale=math.exp(float(state["logit_scale"])),
                context_length=MOST_TOKENS,
                parameters=sum(counted),
                preprocess_cfg=preprocess,
                own=described.get(FACTS_KEY, {}),
            )
            tower = sum(v.size for name, v in state.items() if name.startswith("visual."))
            return KeptModel(facts, OpenVinoRuntime(network, threads_for(tower, threads)), words)
    except UserError as error:
        if not have("torch"):
            raise
        logger.warning("%s is read with torch: %s", spec.name, error)
        return None
