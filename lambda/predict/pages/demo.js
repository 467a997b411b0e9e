"use strict";

// The page may have been opened without the slash behind the stage, where a relative address would leave the stage.
const base = new URL(location.pathname.endsWith("/") ? "." : `${location.pathname.split("/").pop()}/`, location.href);
const at = (path) => new URL(path, base).href;
const byId = (id) => document.getElementById(id);

const needsKey = document.body.dataset.key === "true";
let rows = [];

for (const link of document.querySelectorAll("nav a")) link.href = at(link.getAttribute("href"));
byId("key-field").hidden = !needsKey;

function lines() {
  return byId("texts").value.split("\n").map((line) => line.trim()).filter(Boolean);
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function curl(body) {
  const key = needsKey ? ` \\\n  -H 'x-api-key: YOUR-KEY'` : "";
  return `curl -X POST ${quoted(at("v1/predictions"))} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d ${quoted(body)}`;
}

function showProblem(title, detail, requestId) {
  byId("problem-title").textContent = title;
  byId("problem-detail").textContent = detail;
  byId("problem-id").textContent = requestId ? `Request ${requestId}` : "";
  byId("problem").hidden = false;
  byId("answer").hidden = true;
  byId("problem").focus();
}

async function ask(texts) {
  const body = JSON.stringify({ inputs: texts });
  byId("curl").textContent = curl(body);
  byId("request").hidden = false;
  const headers = { "Content-Type": "application/json" };
  if (needsKey) headers["x-api-key"] = byId("key").value.trim();
  const started = performance.now();
  const response = await fetch(at("v1/predictions"), { method: "POST", headers, body });
  const answer = await response.json();
  return { ok: response.ok, retryAfter: response.headers.get("Retry-After"), answer, took: performance.now() - started };
}

async function send() {
  const texts = lines();
  byId("problem").hidden = true;
  if (!texts.length) return showProblem("There is nothing to classify", "Paste at least one line of text.");
  byId("send").disabled = true;
  byId("state").textContent = "Asking the model …";
  try {
    const { ok, retryAfter, answer, took } = await ask(texts);
    if (!ok) {
      const again = retryAfter ? ` Try again in ${retryAfter} s.` : "";
      return showProblem(answer.title, `${answer.detail}${again}`, answer.request_id);
    }
    rows = answer.predictions.map((prediction, index) => ({ ...prediction, text: texts[index] }));
    byId("version").textContent = answer.model.version ?? "unknown";
    byId("latency").textContent = `${Math.round(took)} ms`;
    byId("answer").hidden = false;
    show();
    byId("answer").focus();
  } catch {
    showProblem("The API did not answer", "There is no connection, or the answer was not one of this API's. Try again.");
  } finally {
    byId("send").disabled = false;
    byId("state").textContent = "";
  }
}

// A model without scores is ordered by the probability of its second label, which is what a score stands for.
function helpfulness(row) {
  if (row.score !== null) return row.score;
  return isSecond(row.label) ? row.confidence : 1 - row.confidence;
}

function isSecond(label) {
  return !/^(not_|un|non|negative|LABEL_0)/i.test(label);
}

function meter(name, value, most, text) {
  const line = document.createElement("div");
  const bar = document.createElement("progress");
  const figure = document.createElement("b");
  line.className = "meter";
  bar.max = most;
  bar.value = Math.max(0, Math.min(most, value));
  bar.setAttribute("aria-label", `${name} ${text}`);
  figure.textContent = text;
  line.append(name, bar, figure);
  return line;
}

function item(row) {
  const entry = document.createElement("li");
  const text = document.createElement("p");
  const label = document.createElement("span");
  const meters = document.createElement("div");
  label.className = `label ${isSecond(row.label) ? "second-class" : "first-class"}`;
  label.textContent = row.label.replaceAll("_", " ");
  text.dir = "auto";
  text.append(label, row.text);
  meters.className = "meters";
  meters.append(meter("Confidence", row.confidence, 1, `${(row.confidence * 100).toFixed(1)} %`));
  if (row.score !== null) meters.append(meter("Score", row.score, 2, `${row.score.toFixed(2)}`));
  entry.append(text, meters);
  if (row.truncated) {
    const note = document.createElement("p");
    note.className = "hint";
    note.textContent = "The end of this text was too long for the model and was ignored.";
    entry.append(note);
  }
  return entry;
}

function show() {
  const order = byId("order").value;
  const sorted = [...rows];
  if (order === "best") sorted.sort((one, other) => helpfulness(other) - helpfulness(one));
  if (order === "worst") sorted.sort((one, other) => helpfulness(one) - helpfulness(other));
  byId("results").replaceChildren(...sorted.map(item));
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
byId("texts").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    byId("form").requestSubmit();
  }
});
byId("order").addEventListener("change", show);
byId("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(byId("curl").textContent);
    byId("copied").textContent = "Copied.";
  } catch {
    byId("copied").textContent = "The browser does not allow it; select the text instead.";
  }
});
