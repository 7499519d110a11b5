"""bm25s: BM25 scores computed when indexing and kept as a sparse matrix, memory-mapped."""

import bm25s
import Stemmer

from benchmarks.peers.peer import Peer, articles_for

# Its documentation: README > Quickstart (stop words, a stemmer), > Numba Backend, > Memory Efficient Retrieval (mmap).


class Engine(Peer):
    """An index of whole articles."""

    libraries = ("bm25s", "PyStemmer", "numba", "numpy")
    settings = "numba backend, method lucene (its default), English stop words, PyStemmer, mmap; articles, not passages"

    def build(self) -> None:
        """Tokenise, score, save."""
        texts = [f"{article['title']}\n{article['body']}" for article in self.corpus.articles()]
        tokens = bm25s.tokenize(texts, stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False)
        retriever = bm25s.BM25(backend="numba")
        retriever.index(tokens, show_progress=False)
        retriever.save(str(self.index / "bm25s"))

    def open(self) -> None:
        """Open it memory-mapped."""
        self._retriever = bm25s.BM25.load(str(self.index / "bm25s"), mmap=True)
        self._stemmer = Stemmer.Stemmer("english")
        self._articles = [article["id"] for article in self.corpus.articles()]

    def search(self, query: str, *, passages: int) -> list[str]:
        """Tokenise the query, and take the best."""
        tokens = bm25s.tokenize([query], stopwords="en", stemmer=self._stemmer, show_progress=False)
        if not tokens.vocab:  # nothing but stop words, which bm25s refuses
            return []
        most = min(articles_for(passages), len(self._articles))
        numbers, scores = self._retriever.retrieve(tokens, k=most, show_progress=False)
        return [
            self._articles[n] for n, score in zip(numbers[0].tolist(), scores[0].tolist(), strict=True) if score > 0
        ]
