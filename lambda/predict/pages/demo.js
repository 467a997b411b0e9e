"use strict";

const MOST_TEXTS = 100;
const MOST_CHARACTERS = 20000;
// More scores than this would be a slow answer, and a page that nobody reads.
const MOST_SCORES = 50000;
const SHOWN = 5;

// Instead of the page's own examples, which fit any model.
const REVIEW_EXAMPLES = [
  "The zoom is sharp up to 200 mm, then it gets soft.",
  "This was a Christmas gift for my grandson.",
  "Battery lasts about nine hours with the screen at half brightness.",
  "I have not opened the box yet.",
];

// What an error of the API means on this page: a title, and what to do.
const PROBLEMS = {
  blocked: ["The firewall stopped the request", "Send fewer texts, and wait a few minutes."],
  forbidden: ["Access denied", "Check the API key above, or ask the operator whether your network is allowed."],
  internal: ["The service failed", "Your texts are not at fault. Tell the operator the number below."],
  model_error: ["The model failed", "Classify again. If that does not help, tell the operator the number below."],
  model_not_released: ["There is no model yet", "Classify again as soon as one is released."],
  model_timeout: ["The model took too long", "Classify again, or send fewer or shorter texts."],
  model_warming_up: ["The model is starting", "It sleeps after a pause. Classify again in a moment."],
  payload_too_large: ["The texts are too long together", "Send fewer lines at once."],
  quota_exceeded: ["The API key is used up for today", "Come back tomorrow, or use another key."],
  throttled: ["Too many requests at once", "Wait a moment, then classify again."],
};
const OTHER_PROBLEM = ["The texts could not be classified", "Change them and classify again, or tell the operator the number below."];

// The page may have been opened without the slash behind the stage, where a relative address would leave the stage.
const base = new URL(location.pathname.endsWith("/") ? "." : `${location.pathname.split("/").pop()}/`, location.href);
const at = (path) => new URL(path, base).href;
const byId = (id) => document.getElementById(id);

const needsKey = document.body.dataset.key === "true";
let model = null;
let rows = [];

for (const link of document.querySelectorAll("nav a")) link.href = at(link.getAttribute("href"));
byId("key-field").hidden = !needsKey;

function make(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

function named(label) {
  return label.replaceAll("_", " ");
}

function isReviewExample(labels) {
  return labels.length === 2 && labels[0] === "not_helpful" && labels[1] === "helpful";
}

// The model, as far as it is known.

async function loadModel() {
  try {
    const response = await fetch(at("v1/model"));
    if (response.ok) showModel(await response.json());
  } catch {
    // The page works without it.
  }
}

function showModel(card) {
  model = card;
  const labels = (card.labels ?? []).map((one) => one.label);
  if (labels.length) introduce(labels, card.objective === "multilabel");
  fact("Version", card.version ?? "unknown");
  if (card.metrics) {
    fact("Accuracy", interval(card.metrics.accuracy));
    fact(labels.length > 2 ? "Macro F1" : "F1", interval(card.metrics.f1));
    fact("Measured on", `${card.metrics.test_rows.toLocaleString("en")} test texts`);
  }
  byId("model").hidden = false;
  byId("classes").hidden = !labels.length;
  byId("classes-title").textContent = `Its ${labels.length} classes`;
  byId("classes-rows").replaceChildren(...(card.labels ?? []).map(classRow));
  showCode();
}

function introduce(labels, several) {
  const classes = `${labels.length} classes`;
  let title = several ? `Which of ${classes} apply?` : `Which of ${classes} is it?`;
  const [last, ...others] = labels.map(named).reverse();
  if (labels.length <= 3 && !several) title = `${others.reverse().join(", ")} or ${last}?`;
  if (isReviewExample(labels)) title = "Is this review helpful?";
  byId("title").textContent = title;
  document.title = `${title} – Text classifier`;
  byId("lead").textContent = isReviewExample(labels)
    ? "Paste sentences from product reviews, one per line. The model says which of them help a buyer decide."
    : `Paste texts, one per line. The model says which of its ${classes} ${several ? "apply to" : "fits"} each of them.`;
  if (labels.length === 2 && !several) {
    const [, most, least] = byId("order").options;
    most.textContent = `most ${named(labels[1])} first`;
    least.textContent = `least ${named(labels[1])} first`;
  }
  if (isReviewExample(labels)) replaceExamples(REVIEW_EXAMPLES);
}

// Only what nobody has touched. Whoever is in the field may have selected it all, to replace it with the next key.
function replaceExamples(examples) {
  const field = byId("texts");
  if (field.value === field.defaultValue && document.activeElement !== field) field.value = examples.join("\n");
}

function fact(name, value) {
  const pair = document.createElement("div");
  pair.append(make("dt", name), make("dd", value));
  byId("model-facts").append(pair);
}

function interval(estimate) {
  return `${estimate.value.toFixed(3)} (${estimate.low.toFixed(3)} to ${estimate.high.toFixed(3)})`;
}

function classRow(one) {
  const row = document.createElement("tr");
  const name = make("th", one.label);
  name.scope = "row";
  name.dir = "auto";
  const figures = [one.precision, one.recall, one.f1].map((value) => make("td", value === null ? "–" : value.toFixed(2)));
  row.append(name, make("td", one.test_rows.toLocaleString("en")), ...figures);
  return row;
}

// The request, and the code that makes it.

function lines() {
  return byId("texts").value.split("\n").map((line) => line.trim()).filter(Boolean);
}

function topK(texts) {
  const labels = model?.labels?.length ?? 0;
  return labels * texts.length > MOST_SCORES ? Math.floor(MOST_SCORES / texts.length) : null;
}

function shellQuoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const CODE = {
  curl(url, texts, top) {
    const key = needsKey ? " \\\n  -H 'x-api-key: YOUR-KEY'" : "";
    const body = JSON.stringify({ inputs: texts, parameters: { top_k: top } });
    return `curl -X POST ${shellQuoted(url)} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d ${shellQuoted(body)}`;
  },
  python(url, texts, top) {
    // A text in JSON is a text in Python, too.
    const inputs = texts.map((text) => `    ${JSON.stringify(text)},\n`).join("");
    const key = needsKey ? `    headers={"x-api-key": "YOUR-KEY"},\n` : "";
    return `import requests

texts = [
${inputs}]
response = requests.post(
    ${JSON.stringify(url)},
    json={"inputs": texts, "parameters": {"top_k": ${top ?? "None"}}},
${key}    timeout=30,
)
response.raise_for_status()
for text, prediction in zip(texts, response.json()["predictions"]):
    print(prediction["label"], prediction["confidence"], text, sep="\\t")`;
  },
  javascript(url, texts, top) {
    const inputs = texts.map((text) => `  ${JSON.stringify(text)},\n`).join("");
    const key = needsKey ? `, "x-api-key": "YOUR-KEY"` : "";
    return `const texts = [
${inputs}];
const response = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: { "Content-Type": "application/json"${key} },
  body: JSON.stringify({ inputs: texts, parameters: { top_k: ${top} } }),
});
const answer = await response.json();
if (!response.ok) throw new Error(answer.detail);
answer.predictions.forEach((prediction, index) => {
  console.log(prediction.label, prediction.confidence, texts[index]);
});`;
  },
};

function showCode() {
  const texts = lines();
  const language = document.querySelector("input[name=language]:checked").value;
  byId("code").textContent = CODE[language](at("v1/predictions"), texts, topK(texts));
}

function showProblem(title, detail, requestId) {
  byId("problem-title").textContent = title;
  byId("problem-detail").textContent = detail;
  byId("problem-id").textContent = requestId ? `Request ${requestId}` : "";
  byId("problem").hidden = false;
  byId("answer").hidden = true;
  byId("problem").focus();
}

function wrongTexts(texts) {
  if (!texts.length) return ["There is nothing to classify", "Paste at least one line of text."];
  if (texts.length > MOST_TEXTS) {
    return ["Too many lines", `There are ${texts.length} lines; up to ${MOST_TEXTS} are classified at once. Remove some.`];
  }
  const long = texts.findIndex((text) => [...text].length > MOST_CHARACTERS);
  if (long < 0) return null;
  const said = `Text ${long + 1} has ${[...texts[long]].length.toLocaleString("en")} characters`;
  return ["A line is too long", `${said}; up to ${MOST_CHARACTERS.toLocaleString("en")} are read. Split it.`];
}

async function ask(texts) {
  const body = JSON.stringify({ inputs: texts, parameters: { top_k: topK(texts) } });
  const headers = { "Content-Type": "application/json" };
  if (needsKey) headers["x-api-key"] = byId("key").value.trim();
  const started = performance.now();
  const response = await fetch(at("v1/predictions"), { method: "POST", headers, body });
  const answer = await response.json();
  return { ok: response.ok, retryAfter: response.headers.get("Retry-After"), answer, took: performance.now() - started };
}

async function send() {
  const texts = lines();
  const wrong = wrongTexts(texts);
  byId("problem").hidden = true;
  if (wrong) return showProblem(...wrong);
  byId("send").disabled = true;
  byId("state").textContent = "Asking the model …";
  try {
    const { ok, retryAfter, answer, took } = await ask(texts);
    if (!ok) {
      const [title, advice] = PROBLEMS[answer.code] ?? OTHER_PROBLEM;
      return showProblem(title, retryAfter ? `${advice} It may work in ${retryAfter} s.` : advice, answer.request_id);
    }
    rows = answer.predictions.map((prediction, index) => ({ ...prediction, text: texts[index] }));
    byId("version").textContent = answer.model.version ?? "unknown";
    byId("latency").textContent = `${Math.round(took)} ms`;
    byId("answer").hidden = false;
    show();
    byId("answer").focus();
    if (!model) loadModel();
  } catch {
    showProblem("There was no answer", "Check your connection, then classify again.");
  } finally {
    byId("send").disabled = false;
    byId("state").textContent = "";
  }
}

// The answers.

// What the order is by: the score, the probability of the second of two classes, or how certain the model is.
function rank(row) {
  if (row.score !== null) return row.score;
  const labels = model?.labels ?? [];
  if (labels.length !== 2 || row.labels) return row.confidence;
  return row.label === labels[1].label ? row.confidence : 1 - row.confidence;
}

function bar(label, confidence) {
  const line = document.createElement("div");
  const name = make("span", named(label));
  const progress = document.createElement("progress");
  const percent = `${(confidence * 100).toFixed(1)} %`;
  line.className = "meter";
  name.dir = "auto";
  progress.value = confidence;
  progress.setAttribute("aria-label", `${named(label)} ${percent}`);
  line.append(name, progress, make("b", percent));
  return line;
}

function bars(row) {
  const scores = row.scores ?? [{ label: row.label, confidence: row.confidence }];
  const box = make("div", "", "meters");
  box.append(...scores.slice(0, SHOWN).map((one) => bar(one.label, one.confidence)));
  if (scores.length <= SHOWN) return [box];
  const more = make("button", `Show all ${scores.length}`, "link");
  more.type = "button";
  more.setAttribute("aria-expanded", "false");
  more.addEventListener("click", () => {
    const open = more.getAttribute("aria-expanded") === "false";
    more.setAttribute("aria-expanded", String(open));
    more.textContent = open ? `Show only ${SHOWN}` : `Show all ${scores.length}`;
    box.replaceChildren(...scores.slice(0, open ? scores.length : SHOWN).map((one) => bar(one.label, one.confidence)));
  });
  return [box, more];
}

function item(row) {
  const entry = document.createElement("li");
  const text = make("p", row.text);
  const chips = make("p", "", "chips");
  text.dir = "auto";
  chips.append(...(row.labels ?? [row.label]).map((label) => make("span", named(label), "label")));
  if (row.labels?.length === 0) chips.append(make("span", "no class applies", "label none"));
  if (row.score !== null) {
    const threshold = model?.score_threshold ?? null;
    const from = threshold === null ? "" : `, ${named(model.labels[1].label)} from ${threshold}`;
    chips.append(make("span", `Score ${row.score.toFixed(2)}${from}`, "hint score"));
  }
  entry.append(text, chips, ...bars(row));
  if (row.truncated) entry.append(make("p", "The end of this text was too long for the model and was ignored.", "hint"));
  return entry;
}

function show() {
  const order = byId("order").value;
  const sorted = [...rows];
  if (order === "most") sorted.sort((one, other) => rank(other) - rank(one));
  if (order === "least") sorted.sort((one, other) => rank(one) - rank(other));
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
byId("texts").addEventListener("input", showCode);
byId("language").addEventListener("change", showCode);
byId("order").addEventListener("change", show);
byId("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(byId("code").textContent);
    byId("copied").textContent = "Copied.";
  } catch {
    byId("copied").textContent = "The browser does not allow it; select the text instead.";
  }
});
showCode();
loadModel();
