"""An index that several machines share, kept by Milvus.

One collection holds what a generation and those that follow it are made of; a row is a passage:

    pk          article and place: "0123456789abcdef/0"
    article     the article's id
    published   as `index.moments` has it
    version, start, end     where the passage stands (`Span`); version NOWHERE in the one row of an article without any
    vector      the passage's embedding, of norm 1
    words       folded words of the title, a line feed, those of the body: in as many rows as they take, on from row 0
    text        the scoring terms of `words`, a title's twice: what Milvus makes its BM25 statistics of
    sparse      made by Milvus of `text`
    terms       in each row with `text`: each different term of the article, so that a filter finds what holds several
    names       in row 0 and every other: "source:the ledger", "author:ada"; what filters compare as a whole

Milvus nominates: by BM25, by meaning, and by filters that leave out nothing that holds. What is nominated is fetched
and scored by the very code that scores an index on this machine (`index.local`, `index.keywords.scoring`), which is
told from the statistics (`index.milvus.statistics`) how rare a word is in the whole archive. So both engines agree,
and neither the IDF of Milvus's segments nor the rounding of its indexes orders anything that is shown.

Invariant: rows follow from the archive's change log and can be written again. Whoever was stopped begins again where
the published generation ends; an article's rows replace those it had.
"""
