"""What `--ray` embeds on: a Ray cluster, asked for nothing but that.

Invariant: Ray reports to nobody, and writes nothing to this process's streams.
"""

import os
from typing import TYPE_CHECKING

import click

from web.services import Services, reference_of

if TYPE_CHECKING:
    from archive.models import NamedModel
    from index.embeddings import Bulk

SETTINGS = {  # Ray's own, read when it is imported, here and on what it starts; only where nobody has set them
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # a thread that outlives a connection would open the next one
    "RAY_USAGE_STATS_ENABLED": "0",
}


def on_cluster(parts: Services, model: "NamedModel", *, address: str | None) -> "Bulk | None":
    """Return what embeds by this model on the cluster at `address`, having said what that has; None without one.

    Raises ClusterUnavailable when it cannot be used.
    """
    if address is None:
        return None
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from index.ray_embedding import RayEmbedding, RemoteModel

    reference = model.reference or reference_of(parts.set_model)
    remote = RemoteModel(reference=reference, sha256=model.sha256, runtime=parts.settings.embedder)
    bulk = RayEmbedding(address, remote)
    click.echo(bulk.look(), err=True)
    return bulk
