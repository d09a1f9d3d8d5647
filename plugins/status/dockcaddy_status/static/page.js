// Keeps the page current: when the status changes, the server makes the page again, and the parts that differ are replaced.
"use strict";

// milliseconds from the begin of one look to the next
const GATHERED = 300, LIVE = document.getElementById("live");
let due = 0, begun = -GATHERED, isAsking = false, isDirty = false;

function say(text, kind) {
  LIVE.hidden = false;
  LIVE.className = `live ${kind}`;
  LIVE.textContent = text;
}

// what has the focus is found again by its place among the things that can have it
function places(part) {
  return [...part.querySelectorAll("a, button, input, [tabindex]")];
}

function replace(part, made) {
  const place = places(part).indexOf(document.activeElement);
  part.replaceWith(made);
  if (place >= 0) places(made)[place]?.focus({ preventScroll: true });
}

async function refresh() {
  due = 0;
  begun = performance.now();
  if (isAsking) { isDirty = true; return; }
  isAsking = true;
  isDirty = false;
  try {
    const answer = await fetch(location.href, { cache: "no-cache" });
    if (!answer.ok) throw new Error(answer.statusText);
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = made.querySelector(`[data-live="${part.dataset.live}"]`);
      if (other && other.outerHTML !== part.outerHTML) replace(part, other);
    }
    document.documentElement.dataset.revision = String(Number(document.documentElement.dataset.revision || 0) + 1);
  } catch {
    // the stream says when the server is back
  } finally {
    isAsking = false;
    if (isDirty) later();
  }
}

// at once, or where much changes, together with what comes after it
function later() {
  due ||= setTimeout(refresh, Math.max(0, begun + GATHERED - performance.now()));
}

function listen() {
  const stream = new EventSource("api/v1/events");
  let isBack = false;
  stream.addEventListener("status", later);
  stream.addEventListener("open", () => {
    say("live", "good");
    if (isBack) later();
  });
  stream.addEventListener("error", () => {
    isBack = true;
    say("connection lost, trying again", "unsure");
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
}

listen();
// how long ago something was
setInterval(later, 60000);
