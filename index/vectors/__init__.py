"""The semantic leg: passage vectors, nominated by codes where there are many, always scored exactly.

On disk, a folder of segments, each written once and never changed:

    SEGMENT.vectors.npy    one row a passage, as the archive keeps its embedding (`archive.packing.embedding_type`)
    SEGMENT.spans.npy      for each row: version, start and end in the body (`SPAN`, or where it suffices `SHORT_SPAN`)
    SEGMENT.articles.npy   for each article: id and first row (`ARTICLE`); its passages stand together
    SEGMENT.sum.npy        the sum of its vectors, float64
    SEGMENT.codes.faiss    of a segment of LARGE passages or more: a product quantiser's codes (`index.vectors.codes`)
    SEGMENT.dead.npy       places of articles no longer served, when there are any; replaced, never written in place

"Exact" means: by the embedding that the archive keeps. All but the codes is memory-mapped. A folder may be made of
hard links to another's files: what is here is replaced by rename, never opened for writing.
"""

from index.vectors.searching import Nearest, PassageScores, VectorIndex
from index.vectors.segments import ARTICLE, SPAN, Content
from index.vectors.updating import LARGE, Wear, count, in_chunks, update, wear

__all__ = [
    "ARTICLE",
    "LARGE",
    "SPAN",
    "Content",
    "Nearest",
    "PassageScores",
    "VectorIndex",
    "Wear",
    "count",
    "in_chunks",
    "update",
    "wear",
]
