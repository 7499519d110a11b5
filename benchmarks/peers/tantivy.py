"""Raw tantivy: whole articles, English stems, its own parser and BM25."""

import tantivy

from benchmarks.peers.peer import Peer, articles_for

HEAP_BYTES = 256 * 1024 * 1024


class Engine(Peer):
    """An index of titles and bodies."""

    libraries = ("tantivy",)
    settings = "title and body with the en_stem tokenizer, Index.parse_query, BM25 as it comes; articles, not passages"

    def build(self) -> None:
        """Add the articles, then merge into as few segments as it will."""
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("id", stored=True, tokenizer_name="raw")
        schema.add_text_field("title", tokenizer_name="en_stem")
        schema.add_text_field("body", tokenizer_name="en_stem")
        made = tantivy.Index(schema.build(), path=str(self.index))
        writer = made.writer(HEAP_BYTES, num_threads=2)
        for article in self.corpus.articles():
            writer.add_document(tantivy.Document(id=article["id"], title=article["title"], body=article["body"]))
        writer.commit()
        writer.wait_merging_threads()

    def open(self) -> None:
        """Open it."""
        self._index = tantivy.Index.open(str(self.index))
        self._searcher = self._index.searcher()

    def search(self, query: str, *, passages: int) -> list[str]:
        """Parse, and collect the best."""
        parsed = self._index.parse_query(query, ["title", "body"])
        hits = self._searcher.search(parsed, articles_for(passages), count=False).hits
        return [self._searcher.doc(address).get_first("id") for _, address in hits]
