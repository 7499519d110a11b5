"""Which models an archive knows, how each is opened, and which one made a generation: the SQL of that.

Invariant: a model is its identity, the hash of its weights. How it is opened is what somebody said last, and whoever
opens it compares.
"""

from dataclasses import dataclass

from archive.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A model by its identity. `reference` is how it is opened: "bundled", a folder or a hub name; None: not known."""

    sha256: str
    name: str
    reference: str | None


def model_of(store: Store, generation: int) -> NamedModel | None:
    """Return the model that made a generation, None of one that was published before that was kept."""
    row = store.one(
        "SELECT sha256, name, reference FROM generation JOIN model USING (model_id) WHERE number = ?", (generation,)
    )
    return NamedModel(sha256=row[0], name=row[1], reference=row[2]) if row else None


def model_in_use(store: Store) -> NamedModel | None:
    """Return the model of the generation that is served."""
    current, _ = store.pointer()
    return model_of(store, current.number) if current else None


def reference_of(store: Store, sha256: str) -> str | None:
    """Return how the model of this identity is opened, None when nobody has said."""
    row = store.one("SELECT reference FROM model WHERE sha256 = ?", (sha256,))
    return row[0] if row else None


def note_made(store: Store, generation: int, *, model_id: int) -> None:
    """Remember which model made a generation that was published before that was kept."""
    store.change("UPDATE generation SET model_id = ? WHERE number = ? AND model_id IS NULL", (model_id, generation))


def refer(store: Store, *, model_id: int, reference: str) -> None:
    """Remember how a model is opened."""
    if store.one("SELECT reference FROM model WHERE model_id = ?", (model_id,)) != (reference,):
        store.change("UPDATE model SET reference = ? WHERE model_id = ?", (reference, model_id))
