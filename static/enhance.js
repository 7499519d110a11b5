// What has a hand in the contents of a page starts with it, and again when live.js has put others in their place.
export function enhance(start) {
  start();
  document.addEventListener("refreshed", start);
}
