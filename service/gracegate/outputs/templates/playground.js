// The playground without a button to press: what is written is reviewed when the person pauses, and kept in the address.
// The form works without this script. A review is asked for as the form would, and taken out of the page that answers.
"use strict";

const form = document.getElementById("playground");
const texts = [...form.querySelectorAll("textarea")];
const PAUSE = 700; // milliseconds
const STATE = "#1."; // the format of what follows it in the address
let waiting = 0;
let asking = null;

async function review() {
  clearTimeout(waiting);
  asking?.abort();
  const request = (asking = new AbortController());
  const shown = document.getElementById("review");
  shown.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, signal: request.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("review");
    if (!found) throw new Error("the answer has no review");
    shown.replaceWith(document.adoptNode(found));
    const seconds = Number(answer.headers.get("Retry-After"));
    if (seconds > 0) waiting = setTimeout(review, seconds * 1000);
  } catch (error) {
    if (request.signal.aborted) return;
    shown.removeAttribute("aria-busy");
    const alert = document.createElement("div");
    alert.className = "verdict failure";
    alert.setAttribute("role", "alert");
    alert.textContent = "Not reviewed: the service does not answer. Change something, or press Review, to try again.";
    const heading = document.createElement("h2");
    heading.textContent = "Review";
    shown.replaceChildren(heading, alert);
  }
  markLines();
}

function reviewSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    saveState();
    review();
  }, PAUSE);
}

// Line numbers beside each text, on which findings are marked.
function numberLines(text) {
  const numbers = document.createElement("div");
  numbers.className = "numbers";
  numbers.setAttribute("aria-hidden", "true");
  text.before(numbers);
  text.addEventListener("scroll", () => (numbers.scrollTop = text.scrollTop));
  text.addEventListener("input", () => fillNumbers(text));
  fillNumbers(text);
}

function fillNumbers(text) {
  const numbers = text.previousElementSibling;
  const count = text.value.split("\n").length;
  while (numbers.childElementCount > count) numbers.lastElementChild.remove();
  while (numbers.childElementCount < count) {
    const number = document.createElement("span");
    number.textContent = numbers.childElementCount + 1;
    numbers.append(number);
  }
  numbers.scrollTop = text.scrollTop;
}

function markLines() {
  for (const marked of form.querySelectorAll(".numbers [class]")) {
    marked.removeAttribute("class");
    marked.removeAttribute("title");
  }
  // The worst stand first.
  for (const link of document.querySelectorAll('#review :is(.finding > p, li) > a.place[href^="#"]')) {
    const [id, line] = link.getAttribute("href").slice(1).split(":");
    const number = document.getElementById(id)?.previousElementSibling?.children[line - 1];
    const finding = link.closest(".finding, li");
    const level = finding?.querySelector(".error, .warning, .info");
    if (!number || !level || number.className) continue;
    number.className = ["error", "warning", "info"].find((one) => level.classList.contains(one));
    number.title = finding.querySelector("h4, p")?.textContent.trim() ?? finding.textContent.trim();
  }
}

function showLine(id, line) {
  const text = document.getElementById(id);
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  const height = text.scrollHeight / lines.length;
  text.scrollTop = Math.max(0, (line - 6) * height);
  text.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest('#review a[href^="#"]');
  if (!link) return;
  // The address has what is written, so no link in the review may change it.
  event.preventDefault();
  const [id, line] = link.getAttribute("href").slice(1).split(":");
  if (line) showLine(id, Number(line));
  else document.getElementById(id)?.scrollIntoView();
});

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function saveState() {
  const state = Object.fromEntries(new FormData(form));
  const packed = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(JSON.stringify(state)));
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""));
  const short = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  history.replaceState(null, "", location.pathname + STATE + short);
}

async function loadState() {
  if (!location.hash.startsWith(STATE)) return;
  const text = location.hash.slice(STATE.length).replaceAll("-", "+").replaceAll("_", "/");
  try {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    const state = JSON.parse(new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), bytes)));
    for (const field of form.elements) if (typeof state[field.name] === "string") field.value = state[field.name];
    if (state.before) document.getElementById("before").closest("details").open = true;
    texts.forEach(fillNumbers);
  } catch {
    // An address that was cut off on its way: what the page came with stays.
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  saveState();
  review();
});
form.addEventListener("input", reviewSoon);
addEventListener("hashchange", () => loadState().then(review));
texts.forEach(numberLines);
loadState().then(review);
