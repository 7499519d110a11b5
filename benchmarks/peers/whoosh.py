"""Whoosh alone: whole articles, its stemming analyser, its own parser (any word may match) and BM25F."""

from whoosh import index as whoosh_index
from whoosh.analysis import StemmingAnalyzer
from whoosh.fields import ID, TEXT, Schema
from whoosh.qparser import MultifieldParser, OrGroup

from benchmarks.peers.peer import Peer, articles_for

WRITER_MIB = 256  # its documentation: Tips for speeding up batch indexing (`limitmb`, `cachesize=-1`)


class Engine(Peer):
    """An index of titles and bodies."""

    libraries = ("Whoosh",)
    settings = "StemmingAnalyzer, MultifieldParser(group=OrGroup), BM25F, limitmb=256; articles, not passages"

    def build(self) -> None:
        """Add the articles."""
        stemmed = StemmingAnalyzer(cachesize=-1)
        schema = Schema(id=ID(stored=True, unique=True), title=TEXT(analyzer=stemmed), body=TEXT(analyzer=stemmed))
        writer = whoosh_index.create_in(self.index, schema).writer(limitmb=WRITER_MIB)
        for article in self.corpus.articles():
            writer.add_document(id=article["id"], title=article["title"], body=article["body"])
        writer.commit()

    def open(self) -> None:
        """Open it."""
        opened = whoosh_index.open_dir(self.index)
        self._searcher = opened.searcher()
        self._parser = MultifieldParser(["title", "body"], opened.schema, group=OrGroup)

    def search(self, query: str, *, passages: int) -> list[str]:
        """Parse, and collect the best."""
        found = self._searcher.search(self._parser.parse(query), limit=articles_for(passages))
        return [hit["id"] for hit in found]
