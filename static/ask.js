// Questions to the server that nobody waits for: no answer is no matter, and whoever is told to come later does.
const PAUSE = 5; // seconds, where a busy server does not say
let quietUntil = 0;

export const pause = () => Math.max(0, quietUntil - Date.now()); // milliseconds in which nothing is asked

// `refused`: whether the answer that says why a question is refused is wanted too.
export async function ask(url, signal, { refused = false } = {}) {
  if (Date.now() < quietUntil) return null;
  try {
    const answer = await fetch(url, { signal });
    if (answer.status === 503) quietUntil = Date.now() + 1000 * (Number(answer.headers.get("Retry-After")) || PAUSE);
    return answer.ok || (refused && answer.status === 400) ? answer : null;
  } catch {
    return null; // overtaken, or out of reach
  }
}
