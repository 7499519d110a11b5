// <backfile-related>: the panel of related articles on any page. docs/embedding.md says how it is used and styled.
//
// Nothing of the page around it is read but its address, nothing is kept, no cookie is sent. Texts are set as text, links
// must be http or https. The styles are a constructed sheet in a shadow root, which a strict CSP allows.
"use strict";

(() => {
  const HERE = new URL(document.currentScript.src);
  const BASE = HERE.href.replace(/static\/related\.js.*$/, "");
  const USUAL = 5; // articles
  const MOST = 20;
  const ID = /^[0-9a-f]{16}$/;
  const LANES = ["same_story", "background", "follow_up", "other"];
  const TEXTS = { // by language: the element's own, or that of what it stands in
    en: {
      heading: "Related articles", same_story: "Same event elsewhere", background: "What came before", follow_up: "What came after",
      other: "On the same subject", copies: { one: "+{n} copy", other: "+{n} copies" },
    },
    de: {
      heading: "Verwandte Artikel", same_story: "Dasselbe Ereignis anderswo", background: "Was vorausging", follow_up: "Was folgte",
      other: "Zum selben Thema", copies: { one: "+{n} Kopie", other: "+{n} Kopien" },
    },
    ar: {
      heading: "مقالات ذات صلة", same_story: "الحدث نفسه في مواضع أخرى", background: "ما سبق", follow_up: "ما تلا", other: "في الموضوع نفسه",
      copies: { zero: "بلا نسخ أخرى", one: "+نسخة واحدة", two: "+نسختان", few: "+{n} نسخ", many: "+{n} نسخة", other: "+{n} نسخة" },
    },
  };
  const STYLE = `
    :host { display: block; overflow-wrap: anywhere; color: var(--backfile-ink, inherit); font: var(--backfile-font, inherit); }
    :host([hidden]) { display: none; }
    h2 { font-size: 1.05em; line-height: 1.3; margin: 0 0 .5em; }
    h3, p { font-size: .85em; color: var(--backfile-soft, inherit); opacity: var(--backfile-soft-opacity, .75); margin: .2em 0 0; }
    h3 { font-weight: 600; margin-top: 1em; }
    ul { list-style: none; margin: 0; padding: 0; }
    li { padding-block: var(--backfile-gap, .6em); border-bottom: 1px solid var(--backfile-rule, rgb(128 128 128 / .35)); }
    a { color: var(--backfile-link, inherit); text-decoration: none; font-weight: 600; }
    a:hover, a:focus-visible { text-decoration: underline; }
  `;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);

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
  const limitOf = (text) => (/^-?\d+$/.test(text?.trim()) ? Math.min(Math.max(Number(text), 1), MOST) : USUAL);
  const textsOf = (language) => TEXTS[language.slice(0, 2).toLowerCase()] ?? TEXTS.en;
  // Names and days of different directions stay apart from each other.
  const joined = (parts) => parts.filter(Boolean).map((part) => `\u2068${part}\u2069`).join(" · ");
  const counted = (forms, number, locale) =>
    (forms[new Intl.PluralRules(forms.few ? "ar" : locale).select(number)] ?? forms.other).replace("{n}", number.toLocaleString(locale));

  const make = (name, text, part) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    if (part) element.setAttribute("part", part);
    return element;
  };

  class Related extends HTMLElement {
    static observedAttributes = ["article", "url", "limit", "heading", "links", "lang"];

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    }

    connectedCallback() { this.load(); }

    disconnectedCallback() { this.asking?.abort(); }

    attributeChangedCallback(_name, before, now) { if (this.isConnected && before !== now) this.load(); }

    // Which article: the one named, else the one at the address named, else the page's own. Of what cannot be one nothing is asked.
    address() {
      const limit = limitOf(this.getAttribute("limit"));
      const article = this.getAttribute("article");
      if (article && !ID.test(article)) throw new Error(`${article} is no article's id`);
      if (article) return `${BASE}api/articles/${article}/related?limit=${limit}`;
      const canonical = document.querySelector('link[rel~="canonical"]')?.href;
      const url = this.getAttribute("url") ?? canonical ?? location.href;
      if (!web(url)) throw new Error(`${url} is no web address`);
      return `${BASE}api/related?url=${encodeURIComponent(url)}&limit=${limit}`;
    }

    async load() {
      this.asking?.abort();
      const asking = (this.asking = new AbortController());
      this.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(this.address(), { credentials: "omit", referrerPolicy: "no-referrer", signal: asking.signal });
        if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
        const found = await answer.json();
        this.show(found.results);
        this.dispatchEvent(new CustomEvent("backfile-related", { bubbles: true, detail: { count: found.results.length } }));
      } catch (error) {
        if (asking.signal.aborted) return;
        this.show([]); // a panel that has nothing to say takes no room on somebody's page
        this.dispatchEvent(new CustomEvent("backfile-error", { bubbles: true, detail: { message: String(error.message) } }));
      }
      this.removeAttribute("aria-busy");
    }

    show(results) {
      this.hidden = results.length === 0;
      this.texts = textsOf(languageOf(this));
      const section = make("section", "", "panel");
      const heading = make("h2", this.getAttribute("heading") ?? this.texts.heading, "heading");
      heading.id = "heading";
      section.setAttribute("aria-labelledby", "heading");
      section.dir = this.texts === TEXTS.ar ? "rtl" : "";
      section.append(heading);
      for (const lane of LANES) {
        const inside = results.filter((result) => result.lane === lane);
        if (inside.length === 0) continue;
        const list = make("ul", "", "list");
        list.append(...inside.map((result) => this.item(result)));
        section.append(make("h3", this.texts[lane], "lane"), list);
      }
      this.shadowRoot.replaceChildren(section);
    }

    item(result) {
      const item = make("li", "", "item");
      const link = make("a", result.title, "link");
      const own = this.getAttribute("links") === "archive" ? null : web(result.url);
      link.href = own ?? new URL(result.links.page, BASE).href;
      if (result.language) link.lang = result.language;
      item.append(link);
      const day = result.published_at ? new Date(result.published_at) : null;
      const said = [
        result.source,
        day?.toLocaleDateString(localeOf(this), { dateStyle: "long", timeZone: "UTC" }),
        result.copies && counted(this.texts.copies, result.copies.count, localeOf(this)),
      ];
      if (said.some(Boolean)) item.append(make("p", joined(said), "provenance"));
      if (result.reason && this.texts === TEXTS.en) item.append(make("p", result.reason, "reason"));
      return item;
    }
  }

  if (!customElements.get("backfile-related")) customElements.define("backfile-related", Related);
})();
