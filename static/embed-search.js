// <backfile-search>: a search box over the archive, with completion and results, on any page. docs/embedding.md says how
// it is used and styled.
//
// Nothing of the page around it is read, nothing is kept, no cookie is sent. Texts are set as text, links must be http or
// https. The styles are a constructed sheet in a shadow root, which a strict CSP allows.
"use strict";

(() => {
  const HERE = new URL(document.currentScript.src);
  const BASE = HERE.href.replace(/static\/embed-search\.js.*$/, "");
  const PAUSE = 150; // milliseconds without a key before completions are asked for
  const FILTERS = ["source", "section", "author", "language", "from", "to", "mode", "sort"];
  const STYLE = `
    :host { display: block; overflow-wrap: anywhere; color: var(--backfile-ink, inherit); font: var(--backfile-font, inherit); }
    :host([hidden]), [hidden] { display: none !important; }
    form { display: flex; position: relative; gap: .4em; }
    label { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    input { flex: 1; min-width: 0; }
    input, button { font: inherit; color: inherit; box-sizing: border-box; min-height: 2.5em; padding: .35em .7em;
      border: 1px solid var(--backfile-border, rgb(118 118 118)); border-radius: var(--backfile-radius, 3px); background: var(--backfile-paper, Canvas); color: var(--backfile-ink, CanvasText); }
    button { cursor: pointer; font-weight: 600; }
    :focus-visible { outline: 3px solid var(--backfile-focus, Highlight); outline-offset: 1px; }
    [role=listbox] { position: absolute; inset-block-start: 100%; inset-inline: 0; z-index: 10; margin: .2em 0 0; padding: .2em 0; list-style: none;
      background: var(--backfile-paper, Canvas); color: var(--backfile-ink, CanvasText); border: 1px solid var(--backfile-rule, rgb(128 128 128 / .7)); border-radius: var(--backfile-radius, 3px); }
    [role=option] { padding: .4em .7em; cursor: pointer; }
    [role=option] small { opacity: .75; margin-inline-start: .6em; }
    [role=option][aria-selected=true] { background: var(--backfile-chosen, rgb(128 128 128 / .22)); }
    ol { list-style: none; margin: 0; padding: 0; }
    li[part=item] { padding-block: var(--backfile-gap, .6em); border-bottom: 1px solid var(--backfile-rule, rgb(128 128 128 / .35)); }
    p { margin: .2em 0 0; font-size: .85em; color: var(--backfile-soft, inherit); opacity: var(--backfile-soft-opacity, .8); }
    p[part=state] { margin-block: .6em; min-height: 1.4em; }
    p[part=snippet] { font-size: .92em; opacity: 1; color: inherit; }
    mark { background: var(--backfile-mark, rgb(255 214 0 / .4)); color: inherit; }
    a { color: var(--backfile-link, inherit); text-decoration: none; font-weight: 600; }
    a:hover, a:focus-visible, p a { text-decoration: underline; }
    p[part=powered] { margin-block-start: .8em; }
    p[part=powered] a { font-weight: inherit; padding-block: .3em; }
  `;
  const TEXTS = { // by language: the element's own, or that of what it stands in
    en: {
      label: "Search the archive", search: "Search", completions: "{label}: completions", searching: "Searching…", powered: "Powered by Backfile",
      all: "All {n} results, by Backfile", none: "No good match in the archive.", silent: "The archive did not answer: {why}",
      copies: { one: "+{n} copy", other: "+{n} copies" }, found: { one: "{n} article", other: "{n} articles" },
      least: { one: "At least {n} article", other: "At least {n} articles" },
    },
    de: {
      label: "Im Archiv suchen", search: "Suchen", completions: "{label}: Vorschläge", searching: "Wird gesucht …", powered: "Mit Backfile",
      all: "Alle {n} Treffer, mit Backfile", none: "Kein guter Treffer im Archiv.", silent: "Das Archiv hat nicht geantwortet: {why}",
      copies: { one: "+{n} Kopie", other: "+{n} Kopien" }, found: { one: "{n} Artikel", other: "{n} Artikel" },
      least: { one: "Mindestens {n} Artikel", other: "Mindestens {n} Artikel" },
    },
    ar: {
      label: "ابحث في الأرشيف", search: "بحث", completions: "{label}: اقتراحات", searching: "جارٍ البحث…", powered: "يعمل بنظام Backfile",
      all: "كل النتائج ({n})، بنظام Backfile", none: "لا توجد نتيجة مناسبة في الأرشيف.", silent: "لم يُجب الأرشيف: {why}",
      copies: { zero: "بلا نسخ أخرى", one: "+نسخة واحدة", two: "+نسختان", few: "+{n} نسخ", many: "+{n} نسخة", other: "+{n} نسخة" },
      found: { zero: "لا مقالات", one: "مقال واحد", two: "مقالان", few: "{n} مقالات", many: "{n} مقالًا", other: "{n} مقال" },
      least: { zero: "لا مقالات", one: "مقال واحد على الأقل", two: "مقالان على الأقل", few: "{n} مقالات على الأقل", many: "{n} مقالًا على الأقل", other: "{n} مقال على الأقل" },
    },
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  let made = 0;

  const web = (address) => {
    try {
      const url = new URL(address);
      return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
    } catch {
      return null;
    }
  };

  const languageOf = (element) => element.closest("[lang]")?.lang || document.documentElement.lang || "en";
  // Days and numbers as the archive's own pages write them; what is no language is read as English.
  const localeOf = (element) => {
    const language = languageOf(element);
    try {
      return { en: "en-GB", ar: "ar-u-nu-latn" }[new Intl.Locale(language).language] ?? language;
    } catch {
      return "en-GB";
    }
  };
  const textsOf = (language) => TEXTS[language.slice(0, 2).toLowerCase()] ?? TEXTS.en;
  // Names and days of different directions stay apart from each other.
  const joined = (parts) => parts.filter(Boolean).map((part) => `\u2068${part}\u2069`).join(" · ");
  const counted = (forms, number, language) =>
    (forms[new Intl.PluralRules(forms.few ? "ar" : language).select(number)] ?? forms.other).replace("{n}", number.toLocaleString(language));

  const make = (name, text, part) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    if (part) element.setAttribute("part", part);
    return element;
  };

  const ask = async (address, signal) => {
    const answer = await fetch(address, { credentials: "omit", referrerPolicy: "no-referrer", signal });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail ?? `${answer.status} ${answer.statusText}`);
    return body;
  };

  class Search extends HTMLElement {
    static observedAttributes = ["query", "limit", "label", "placeholder", "links", "lang", ...FILTERS];

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      this.offered = [];
      this.chosen = -1;
    }

    connectedCallback() {
      if (!this.box) this.build();
      this.sayHow();
      if (this.getAttribute("query")) this.find(this.getAttribute("query"));
    }

    disconnectedCallback() {
      this.asking?.abort();
      this.completing?.abort();
      clearTimeout(this.waiting);
    }

    attributeChangedCallback(name, before, now) {
      if (!this.isConnected || !this.box || before === now) return;
      this.sayHow();
      const query = name === "query" ? now : this.shown;
      if (query) this.find(query);
    }

    build() {
      const list = `completions-${++made}`;
      this.form = make("form", "", "form");
      this.form.setAttribute("role", "search");
      this.name = make("label");
      this.name.htmlFor = "q";
      this.box = make("input", "", "box");
      Object.assign(this.box, { id: "q", type: "search", autocomplete: "off", maxLength: 2000, enterKeyHint: "search", spellcheck: false });
      for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list })) {
        this.box.setAttribute(name, value);
      }
      this.button = make("button", "", "button");
      this.list = make("ul", "", "completions");
      Object.assign(this.list, { id: list, hidden: true });
      this.list.setAttribute("role", "listbox");
      this.form.append(this.name, this.box, this.button, this.list);
      this.state = make("p", "", "state");
      this.state.setAttribute("role", "status");
      this.results = make("ol", "", "results");
      const powered = make("p", "", "powered");
      this.full = make("a", "", "full");
      powered.append(this.full);
      this.shadowRoot.append(this.form, this.state, this.results, powered);
      this.form.addEventListener("submit", (event) => { event.preventDefault(); this.find(this.box.value); });
      this.box.addEventListener("input", () => this.complete());
      this.box.addEventListener("keydown", (event) => this.onKey(event));
      this.box.addEventListener("blur", () => this.offer([]));
      this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
      this.list.addEventListener("click", (event) => this.take([...this.list.children].indexOf(event.target.closest("[role=option]"))));
    }

    sayHow() {
      this.texts = textsOf(languageOf(this));
      for (const part of this.shadowRoot.children) part.dir = this.texts === TEXTS.ar ? "rtl" : "";
      const label = this.getAttribute("label") ?? this.texts.label;
      this.name.textContent = label;
      this.form.setAttribute("aria-label", label);
      this.button.textContent = this.texts.search;
      this.list.setAttribute("aria-label", this.texts.completions.replace("{label}", label));
      this.full.textContent = this.texts.powered;
      this.box.placeholder = this.getAttribute("placeholder") ?? "";
      this.full.href = this.page(this.shown ?? "");
    }

    // What is asked besides the words; of a filter that may be given several times, values with | between them.
    asked(query) {
      const asked = new URLSearchParams(query ? { q: query } : {});
      for (const name of FILTERS) {
        for (const value of (this.getAttribute(name) ?? "").split("|")) if (value.trim()) asked.append(name, value.trim());
      }
      return asked;
    }

    page(query) { return `${BASE}search?${this.asked(query)}`; }

    async find(query) {
      query = query.trim();
      this.offer([]);
      clearTimeout(this.waiting);
      this.completing?.abort();
      this.asking?.abort();
      if (!query) return;
      const asking = (this.asking = new AbortController());
      this.box.value = this.shown = query;
      this.full.href = this.page(query);
      this.setAttribute("aria-busy", "true");
      this.state.textContent = this.texts.searching;
      const asked = this.asked(query);
      asked.set("page_size", this.getAttribute("limit") ?? "5");
      try {
        const found = await ask(`${BASE}api/search?${asked}`, asking.signal);
        this.show(found);
        this.tell("backfile-results", { query, total: found.total.value });
      } catch (error) {
        if (asking.signal.aborted) return;
        this.results.replaceChildren();
        this.state.textContent = this.texts.silent.replace("{why}", error.message);
        this.tell("backfile-error", { message: String(error.message) });
      }
      this.removeAttribute("aria-busy");
    }

    show(found) {
      const { value, relation } = found.total;
      const language = localeOf(this);
      this.full.textContent = value > found.results.length ? this.texts.all.replace("{n}", value.toLocaleString(language)) : this.texts.powered;
      this.state.textContent = value === 0 ? this.texts.none : counted(relation === "gte" ? this.texts.least : this.texts.found, value, language);
      this.results.replaceChildren(...found.results.map((result) => this.item(result)));
    }

    item(result) {
      const item = make("li", "", "item");
      const link = make("a", result.title, "link");
      const own = this.getAttribute("links") === "archive" ? null : web(result.url);
      link.href = own ?? new URL(result.links.page, BASE).href;
      if (result.language) link.lang = result.language;
      const day = result.published_at ? new Date(result.published_at) : null;
      const said = [
        result.source,
        day?.toLocaleDateString(localeOf(this), { dateStyle: "long", timeZone: "UTC" }),
        result.copies && counted(this.texts.copies, result.copies.count, localeOf(this)),
      ].filter(Boolean);
      item.append(link);
      if (said.length) item.append(make("p", joined(said), "provenance"));
      if (result.snippet.text) item.append(this.snippet(result.snippet, result.language));
      return item;
    }

    // Places in the text are counted in characters, of which JavaScript's strings may have two for one.
    snippet({ text, highlights }, language) {
      const characters = [...text];
      const piece = make("p", "", "snippet");
      if (language) piece.lang = language;
      let at = 0;
      for (const [start, end] of highlights) {
        if (start < at) continue;
        piece.append(characters.slice(at, start).join(""), make("mark", characters.slice(start, end).join(""), "mark"));
        at = end;
      }
      piece.append(characters.slice(at).join(""));
      return piece;
    }

    complete() {
      clearTimeout(this.waiting);
      this.completing?.abort();
      const typed = this.box.value;
      if (!typed.trim()) return this.offer([]);
      const completing = (this.completing = new AbortController());
      this.waiting = setTimeout(async () => {
        try {
          const [, texts, about] = await ask(`${BASE}api/suggest?q=${encodeURIComponent(typed)}`, completing.signal);
          if (!completing.signal.aborted && this.shadowRoot.activeElement === this.box) this.offer(texts.map((text, place) => ({ text, about: about[place] })));
        } catch { /* completion is a help: whoever gets none types on */ }
      }, PAUSE);
      return undefined;
    }

    offer(offered) {
      this.offered = offered;
      this.list.replaceChildren(...offered.map(({ text, about }, place) => {
        const option = make("li", text, "completion");
        option.id = `${this.list.id}-${place}`;
        option.setAttribute("role", "option");
        if (about && this.texts === TEXTS.en) option.append(make("small", about));
        return option;
      }));
      this.list.hidden = offered.length === 0;
      this.box.setAttribute("aria-expanded", String(offered.length > 0));
      this.choose(-1);
    }

    choose(place) {
      this.chosen = place;
      for (const [number, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(number === place));
      if (place < 0) this.box.removeAttribute("aria-activedescendant");
      else this.box.setAttribute("aria-activedescendant", this.list.children[place].id);
    }

    take(place) { if (this.offered[place]) this.find(this.offered[place].text); }

    onKey(event) {
      const count = this.offered.length;
      if (event.isComposing || !count) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const step = event.key === "ArrowDown" ? 1 : -1;
        this.choose(this.chosen < 0 && step < 0 ? count - 1 : this.chosen + step < 0 || this.chosen + step >= count ? -1 : this.chosen + step);
      } else if (event.key === "Enter" && this.chosen >= 0) this.take(this.chosen);
      else if (event.key === "Escape") this.offer([]);
      else return;
      event.preventDefault();
    }

    tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { bubbles: true, detail })); }
  }

  if (!customElements.get("backfile-search")) customElements.define("backfile-search", Search);
})();
