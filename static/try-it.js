// The forms of /api/docs: what is typed becomes a request, which is sent from here and shown with its answer. Without a
// script the browser sends the form itself and shows the answer as a page.
const quoted = (text) => (/^[\w@%+=:,./?&-]*$/.test(text) && !text.includes("&") && !text.includes("?") ? text : `'${text.replaceAll("'", "'\\''")}'`);

const make = (name, text, label) => {
  const element = document.createElement(name);
  if (label) element.className = label;
  element.textContent = text;
  return element;
};

// The path with its values in it, and what else is asked; of several values each is sent.
const asked = (form) => {
  let path = form.dataset.template;
  for (const input of form.querySelectorAll("[data-path]")) path = path.replace(`{${input.dataset.path}}`, encodeURIComponent(input.value.trim()));
  const sent = new URLSearchParams();
  for (const input of form.querySelectorAll("[name]")) {
    const values = "several" in input.dataset ? input.value.split("|") : [input.value];
    for (const value of values) if (value.trim()) sent.append(input.name, value.trim());
  }
  return sent.size ? `${path}?${sent}` : path;
};

const show = (form) => {
  const body = form.querySelector("[data-body]");
  const more = body ? ` -H 'Content-Type: application/json' -d ${quoted(body.value)}` : "";
  form.querySelector(".curl").textContent = `curl ${quoted(form.dataset.server + asked(form))}${more}`;
};

const readable = (text, type) => {
  if (!/json($|;)/.test(type) && !type.includes("+json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // JSON Lines, or what is not JSON after all
  }
};

const send = async (form) => {
  const body = form.querySelector("[data-body]");
  const reply = form.querySelector(".reply");
  const address = asked(form);
  const began = performance.now();
  reply.hidden = false;
  reply.replaceChildren(make("p", form.dataset.sending));
  try {
    const answer = await fetch(address, {
      method: form.dataset.method,
      credentials: "omit",
      ...(body && { body: body.value, headers: { "Content-Type": "application/json" } }),
    });
    const text = await answer.text();
    const took = Math.round(performance.now() - began);
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const line = make("p", `${answer.status} ${answer.statusText} · ${took} ms · ${text.length.toLocaleString()} characters`, answer.ok ? "status" : "status bad");
    const link = make("a", address);
    link.href = address;
    const where = make("p", "");
    where.append(link);
    const head = make("pre", headers, "headers");
    const content = make("pre", readable(text, answer.headers.get("content-type") ?? ""), "content");
    for (const block of [head, content]) block.tabIndex = 0;
    reply.replaceChildren(line, ...(body ? [] : [where]), head, content);
  } catch (error) {
    reply.replaceChildren(make("p", `${form.dataset.failed} ${error.message}`, "status bad"));
  }
};

for (const form of document.querySelectorAll("form.try")) {
  for (const input of form.querySelectorAll("[data-path]")) input.readOnly = false;
  form.querySelector("button").hidden = false;
  form.addEventListener("input", () => show(form));
  form.addEventListener("change", () => show(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
