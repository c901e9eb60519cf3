// SPDX-License-Identifier: Apache-2.0
// The page of pof-view: unpacks its data, draws the map, answers mouse, keys and screen readers.
"use strict";

// --- data ---

// Header and columns out of the packed block; see lib/view/page.h.
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const length = new DataView(bytes).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  let at = 4 + length + (8 - (4 + length) % 8) % 8;
  for (const column of data.columns) {
    const n = column.of === "branch" ? data.branches.length : data.nodes.length;
    column.values = new Map();
    for (const row of column.rows) {
      column.values.set(row, new Float64Array(bytes, at, n));
      at += 8 * n;
    }
  }
  return data;
}

let data;                       // the header, columns with their values
let instant = 0;                // number of the one shown
let chosen = null;              // {of, i} of the element chosen
const view = { x: 0, y: 0, scale: 1 }; // place of the map's origin, pixels of one unit
const at = id => document.getElementById(id);

const nodeName = i => data.nodes[i][0];
const branchName = i => data.branches[i][0];
const elementName = e => (e.of === "node" ? nodeName : branchName)(e.i);

// The columns of a quantity: one, or one for each phase.
const columnsOf = (of, quantity) => data.columns.filter(c => c.of === of && c.quantity === quantity);

// As in pof_view_value: of several phases the voltage furthest from 1, else the largest.
function valueOf(columns, i, when) {
  let best = NaN;
  for (const c of columns) {
    const row = c.values.get(when);
    const v = row ? row[i] : NaN;
    const more = c.quantity === "v_pu" ? Math.abs(v - 1) > Math.abs(best - 1) : v > best;
    if (Number.isNaN(best) || more) best = v;
  }
  return best;
}

// --- colours ---

const unknown = "#9a9a9a";

function shade(stops, t) {
  if (Number.isNaN(t)) return unknown;
  const s = Math.min(Math.max(t, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(s), stops.length - 2);
  const part = k => {
    const a = stops[low] >> k & 255, b = stops[low + 1] >> k & 255;
    return Math.round(a + (b - a) * (s - low));
  };
  return "rgb(" + part(16) + "," + part(8) + "," + part(0) + ")";
}

// What a painting needs: its columns, its range, and which stops.
function painting(of, quantity) {
  const columns = columnsOf(of, quantity);
  if (quantity === "v_pu") return { columns, low: 1 - data.voltage_span, high: 1 + data.voltage_span, stops: data.voltage_stops };
  if (quantity === "loading_pct") return { columns, low: 0, high: 100, stops: data.loading_stops };
  let low = Infinity, high = -Infinity;
  for (const c of columns) for (const row of c.values.values()) for (const v of row) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return { columns, low, high: high > low ? high : low + 1, stops: quantity === "price_eur_mwh" ? data.voltage_stops : data.loading_stops };
}

let nodePaint, branchPaint;
const now = { wrong: [], node: [], branch: [], over: [] }; // of the instant shown, worked out once
const colourOf = (paint, value) => shade(paint.stops, (value - paint.low) / (paint.high - paint.low));

// What is wrong with each element now, and its colour.
function workOut() {
  const v = columnsOf("node", "v_pu"), load = columnsOf("branch", "loading_pct");
  const solved = v.some(c => c.values.has(instant));
  now.wrong = data.nodes.map((n, i) => solved ? wrongVoltage(n, valueOf(v, i, instant)) : "");
  now.node = data.nodes.map((_, i) => colourOf(nodePaint, valueOf(nodePaint.columns, i, instant)));
  now.over = data.branches.map((_, i) => valueOf(load, i, instant) > 100);
  now.branch = data.branches.map((_, i) => colourOf(branchPaint, valueOf(branchPaint.columns, i, instant)));
}

const wrongVoltage = (n, v) => Number.isNaN(v) ? "unknown" : v > n[4] ? "high" : v < n[3] ? "low" : "";

// --- the map ---

const canvas = () => at("map");
const px = i => view.x + data.nodes[i][5] * view.scale;
const py = i => view.y + data.nodes[i][6] * view.scale;
const middle = e => e.of === "node" ? [px(e.i), py(e.i)]
  : [(px(data.branches[e.i][2]) + px(data.branches[e.i][3])) / 2, (py(data.branches[e.i][2]) + py(data.branches[e.i][3])) / 2];

let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function fitMap() {
  const box = canvas().getBoundingClientRect();
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  for (const n of data.nodes) {
    x0 = Math.min(x0, n[5]); x1 = Math.max(x1, n[5]);
    y0 = Math.min(y0, n[6]); y1 = Math.max(y1, n[6]);
  }
  const beside = box.width > 900 ? 250 : 0; // the legend's room
  view.scale = 0.88 * Math.min((box.width - beside) / Math.max(x1 - x0, 1), box.height / Math.max(y1 - y0, 1));
  view.x = (box.width + beside) / 2 - view.scale * (x0 + x1) / 2;
  view.y = box.height / 2 - view.scale * (y0 + y1) / 2;
  redraw();
}

// Elements by colour, so that a frame changes colour a few dozen times, not thousands.
function byColour(n, colour) {
  const groups = new Map();
  for (let i = 0; i < n; i++) {
    const c = colour(i);
    if (c === null) continue;
    if (!groups.has(c)) groups.set(c, []);
    groups.get(c).push(i);
  }
  return groups;
}

function drawBranches(ctx, width, height) {
  const many = dotSize() < 3;
  ctx.lineCap = many ? "butt" : "round";
  const outside = b => Math.max(px(b[2]), px(b[3])) < 0 || Math.min(px(b[2]), px(b[3])) > width ||
    Math.max(py(b[2]), py(b[3])) < 0 || Math.min(py(b[2]), py(b[3])) > height;
  const style = i => outside(data.branches[i]) ? null
    : now.branch[i] + "|" + (!data.branches[i][4] ? "open" : now.over[i] ? "over" : "");
  for (const [key, list] of byColour(data.branches.length, style)) {
    const [colour, kind] = key.split("|");
    ctx.strokeStyle = colour;
    ctx.lineWidth = (kind === "over" ? 7 : 2.5) * (many ? 0.6 : 1);
    ctx.setLineDash(kind === "open" ? [2, 6] : kind === "over" ? [10, 4] : []);
    ctx.beginPath();
    for (const i of list) {
      const b = data.branches[i];
      ctx.moveTo(px(b[2]), py(b[2]));
      ctx.lineTo(px(b[3]), py(b[3]));
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

function dotSize() {
  return Math.min(8, Math.max(1.5, 0.35 * view.scale * 10000 / Math.sqrt(data.nodes.length)));
}

function nodeShape(ctx, x, y, r, wrong) {
  ctx.moveTo(x + r, y);
  if (wrong === "high" || wrong === "low") {
    const up = wrong === "high" ? -1 : 1, s = r + 3;
    ctx.moveTo(x, y + 1.8 * up * s);
    ctx.lineTo(x + 1.5 * s, y - up * s);
    ctx.lineTo(x - 1.5 * s, y - up * s);
    ctx.closePath();
  } else if (r < 3) {
    ctx.rect(x - r, y - r, 2 * r, 2 * r); // so small nobody sees a corner, and five times as fast
  } else {
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  }
}

function drawNodes(ctx, width, height) {
  const r = dotSize(), ink = getComputedStyle(document.body).color;
  const wrong = now.wrong;
  const colour = i => px(i) < -20 || px(i) > width + 20 || py(i) < -20 || py(i) > height + 20 || wrong[i] === "unknown" ? null : now.node[i];
  ctx.strokeStyle = ink;
  ctx.lineWidth = 0.8;
  for (const [c, list] of byColour(data.nodes.length, colour)) {
    ctx.fillStyle = c;
    ctx.beginPath();
    for (const i of list) nodeShape(ctx, px(i), py(i), data.nodes[i][1] === "slack" ? r + 2 : r, wrong[i]);
    ctx.fill();
    if (r >= 3) ctx.stroke();
  }
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (let i = 0; i < data.nodes.length; i++) {
    if (wrong[i] !== "unknown") continue;
    ctx.moveTo(px(i) - r, py(i) - r); ctx.lineTo(px(i) + r, py(i) + r);
    ctx.moveTo(px(i) - r, py(i) + r); ctx.lineTo(px(i) + r, py(i) - r);
  }
  ctx.stroke();
  if (data.nodes.length * 4000 > width * height * Math.max(1, (view.scale * 10000 / width) ** 2)) return;
  ctx.fillStyle = ink;
  ctx.font = "12px system-ui, sans-serif";
  for (let i = 0; i < data.nodes.length; i++) ctx.fillText(nodeName(i), px(i) + r + 4, py(i) - r - 2);
}

// Awards of now as triangles beside their nodes, requests as rings around where they lie.
function drawMarket(ctx) {
  const mark = getComputedStyle(document.documentElement).getPropertyValue("--mark");
  ctx.strokeStyle = ctx.fillStyle = mark;
  ctx.lineWidth = 2;
  for (const q of requestsNow()) {
    const e = q.node !== undefined ? { of: "node", i: nodeIndex.get(q.node) }
      : q.branch !== undefined ? { of: "branch", i: branchIndex.get(q.branch) } : null;
    if (!e) continue;
    const [x, y] = middle(e);
    ctx.beginPath();
    ctx.arc(x, y, dotSize() + 8, 0, 2 * Math.PI);
    ctx.stroke();
  }
  for (const [node, w] of awardsByNode()) {
    const i = nodeIndex.get(node), up = w > 0 ? -1 : 1, s = 4 + Math.min(8, Math.log10(1 + Math.abs(w) / 1000) * 3);
    const x = px(i) - dotSize() - s - 3, y = py(i);
    ctx.beginPath();
    ctx.moveTo(x, y + up * s); ctx.lineTo(x + s, y - up * s * 0.6); ctx.lineTo(x - s, y - up * s * 0.6);
    ctx.fill();
  }
}

function draw() {
  const c = canvas(), box = c.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
  if (c.width !== Math.round(box.width * ratio) || c.height !== Math.round(box.height * ratio)) {
    c.width = Math.round(box.width * ratio);
    c.height = Math.round(box.height * ratio);
  }
  const ctx = c.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, box.width, box.height);
  drawBranches(ctx, box.width, box.height);
  drawNodes(ctx, box.width, box.height);
  drawMarket(ctx);
  if (chosen) {
    const [x, y] = middle(chosen);
    ctx.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--mark");
    ctx.lineWidth = 3;
    ctx.beginPath();
    ctx.arc(x, y, dotSize() + 5, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

// The element nearest to a place of the map, within 12 pixels.
function nearest(x, y) {
  let best = null, far = 144;
  for (let i = 0; i < data.nodes.length; i++) {
    const d = (px(i) - x) ** 2 + (py(i) - y) ** 2;
    if (d < far) { far = d; best = { of: "node", i }; }
  }
  if (best) return best;
  for (let i = 0; i < data.branches.length; i++) {
    const b = data.branches[i], ax = px(b[2]), ay = py(b[2]), bx = px(b[3]), by = py(b[3]);
    const len = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = len ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / len)) : 0;
    const d = (ax + t * (bx - ax) - x) ** 2 + (ay + t * (by - ay) - y) ** 2;
    if (d < far) { far = d; best = { of: "branch", i }; }
  }
  return best;
}

function zoom(factor, x, y) {
  view.x = x - (x - view.x) * factor;
  view.y = y - (y - view.y) * factor;
  view.scale *= factor;
  redraw();
}

// --- records ---

let nodeIndex, branchIndex, verdictOf;
const records = schema => data.records.filter(r => r.schema === schema);
const timeOf = text => Date.parse(text) / 1000;
const nowTime = () => data.instants.length ? timeOf(data.instants[instant]) : NaN;

function requestsNow() {
  const t = nowTime();
  return records("pof.request/1").filter(r => timeOf(r.start) <= t && t < timeOf(r.end));
}

// Awards, or where they are known outcomes, in force now.
function awardsNow() {
  const t = nowTime(), done = records("pof.outcome/1");
  return (done.length ? done : records("pof.award/1")).filter(r => timeOf(r.start) <= t && t < timeOf(r.start) + r.duration_s);
}

function awardsByNode() {
  const sum = new Map();
  for (const a of awardsNow()) sum.set(a.node, (sum.get(a.node) || 0) + (a.direction === "up" ? a.p_w : -a.p_w));
  return [...sum].filter(([, w]) => w !== 0);
}

// --- the panel ---

function el(tag, props, ...children) {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
}

const number = v => Number.isNaN(v) ? "not known" : String(v);

function rows(list) {
  const body = el("tbody");
  for (const [name, value, unit, key] of list) {
    const cell = el("td", { className: "number" }, value);
    if (key) cell.dataset.quantity = key;
    body.append(el("tr", {}, el("th", { scope: "row" }, name), cell, el("td", {}, unit || "")));
  }
  return el("table", {}, body);
}

function go(e, text) {
  return el("button", { className: "go", onclick: () => choose(e) }, text || elementName(e));
}

// The course of a quantity over all instants, with its limits.
function series(of, i, quantity, limits) {
  const columns = columnsOf(of, quantity), values = data.instants.map((_, k) => valueOf(columns, i, k));
  const known = values.filter(v => !Number.isNaN(v));
  if (known.length < 2) return "";
  const low = Math.min(...known, ...limits), high = Math.max(...known, ...limits), span = high - low || 1;
  const x = k => 300 * k / Math.max(1, values.length - 1), y = v => 95 - 90 * (v - low) / span;
  let path = "", pen = "M";
  values.forEach((v, k) => {
    if (Number.isNaN(v)) { pen = "M"; return; }
    path += pen + x(k).toFixed(1) + " " + y(v).toFixed(1);
    pen = "L";
  });
  const lines = limits.map(v => `<path class="limit" d="M0 ${y(v).toFixed(1)}H300"/>`).join("");
  const box = el("div", {});
  box.innerHTML = `<svg class="series" viewBox="0 0 300 100" preserveAspectRatio="none" role="img">` +
    `${lines}<path class="now" d="M${x(instant).toFixed(1)} 0V100"/><path d="${path}"/></svg>`;
  box.firstChild.setAttribute("aria-label", `${quantity} of ${elementName({ of, i })}: ${Math.min(...known)} to ${Math.max(...known)}`);
  return el("figure", { style: "margin:.5em 0" }, box,
    el("figcaption", {}, `${quantity}, ${Math.min(...known)} to ${Math.max(...known)}`));
}

function valueRows(of, i) {
  return data.columns.filter(c => c.of === of).map(c => {
    const row = c.values.get(instant), v = row ? row[i] : NaN;
    return [c.quantity + (c.phase ? " " + c.phase : ""), number(v), c.unit, c.quantity + (c.phase && "." + c.phase)];
  });
}

function showElement() {
  const to = at("element");
  if (!chosen) {
    to.replaceChildren(el("p", {}, "Choose a node or branch on the map, or find it by name."));
    return;
  }
  const { of, i } = chosen, parts = [el("h2", {}, `${of === "node" ? "Node" : "Branch"} ${elementName(chosen)}`)];
  if (of === "node") {
    const n = data.nodes[i];
    parts.push(rows([["kind", n[1]], ["nominal voltage", String(n[2]), "V"], ["limits", `${n[3]} to ${n[4]}`, "p.u."], ...valueRows(of, i)]));
    parts.push(series(of, i, "v_pu", [n[3], n[4]]), series(of, i, "p_w", []), series(of, i, "price_eur_mwh", []));
    parts.push(el("h2", {}, "Joined to"), list(data.branches.map((b, k) => [b, k]).filter(([b]) => b[2] === i || b[3] === i)
      .map(([, k]) => go({ of: "branch", i: k }))));
  } else {
    const b = data.branches[i];
    parts.push(rows([["kind", b[1]], ["state", b[4] ? "closed" : "open"], ["rating", b[5] ? String(b[5]) : "none", "VA"], ...valueRows(of, i)]));
    parts.push(series(of, i, "loading_pct", [0, 100]), series(of, i, "p_w", []));
    parts.push(el("h2", {}, "Joins"), list([go({ of: "node", i: b[2] }), go({ of: "node", i: b[3] })]));
  }
  to.replaceChildren(...parts);
}

function list(items) {
  return el("ul", {}, ...items.map(x => el("li", {}, x)));
}

function beyond() {
  const found = [];
  data.nodes.forEach((n, i) => {
    const w = now.wrong[i];
    if (w === "high" || w === "low") found.push([{ of: "node", i }, `voltage ${number(valueOf(columnsOf("node", "v_pu"), i, instant))} p.u., limit ${w === "high" ? n[4] : n[3]}`]);
  });
  const loads = columnsOf("branch", "loading_pct");
  data.branches.forEach((b, i) => {
    const v = valueOf(loads, i, instant);
    if (v > 100) found.push([{ of: "branch", i }, `loading ${number(v)} %`]);
  });
  return found;
}

function recordTable(r) {
  return rows(Object.entries(r).filter(([k]) => k !== "schema").map(([k, v]) => [k, String(v)]));
}

function showFindings() {
  const bad = beyond(), lost = data.nodes.map((_, i) => i).filter(i => now.wrong[i] === "unknown"), t = nowTime();
  const parts = [el("h2", {}, `Beyond limits: ${bad.length}`), list(bad.slice(0, 200).map(([e, text]) => el("span", {}, go(e), " " + text)))];
  parts.push(el("h2", {}, `Nodes without a state: ${lost.length}`), list(lost.slice(0, 200).map(i => go({ of: "node", i }))));
  for (const [schema, title] of [["pof.estimate/1", "Estimate"], ["pof.doubt/1", "Doubt"], ["pof.contingency/1", "Contingency"]]) {
    const own = records(schema).filter(r => timeOf(r.start) === t);
    for (const r of own.slice(0, 100)) parts.push(el("h2", {}, title), recordTable(r));
  }
  at("findings").replaceChildren(...parts);
}

function showMarket() {
  const asked = requestsNow(), taken = awardsNow(), parts = [];
  parts.push(el("h2", {}, `Requests now: ${asked.length}`));
  for (const q of asked.slice(0, 100)) {
    const e = q.node !== undefined ? { of: "node", i: nodeIndex.get(q.node) }
      : q.branch !== undefined ? { of: "branch", i: branchIndex.get(q.branch) } : null;
    parts.push(el("p", {}, `${q.buyer} ${q.direction} ${q.p_w} W `, e ? go(e) : "whole grid", q.reason ? ` (${q.reason})` : ""));
  }
  parts.push(el("h2", {}, `Awards now: ${taken.length}`));
  for (const a of taken.slice(0, 100)) {
    const v = verdictOf.get(a.award || a.id), word = a.decision || (v && v.decision) || "";
    parts.push(el("p", {}, `${a.pod} `, go({ of: "node", i: nodeIndex.get(a.node) }), ` ${a.direction} ${a.p_w} W at ${a.price_eur_mwh} EUR/MWh ${word}`));
  }
  at("market").replaceChildren(...parts);
}

function showAll() {
  workOut();
  showElement();
  showFindings();
  showMarket();
  const wrong = beyond().length;
  at("now").textContent = data.instants.length ? data.instants[instant] : "no states";
  at("time").setAttribute("aria-valuetext", at("now").textContent);
  at("summary").textContent = `${data.nodes.length} nodes, ${data.branches.length} branches, ${data.instants.length} instants` +
    (data.instants.length ? `; now ${wrong ? wrong + " beyond limits" : "all within limits"}` : "");
  redraw();
}

function say(e) {
  const columns = columnsOf(e.of, e.of === "node" ? "v_pu" : "loading_pct"), v = valueOf(columns, e.i, instant);
  const wrong = e.of === "node" ? now.wrong[e.i] : v > 100 ? "overloaded" : "";
  return `${e.of} ${elementName(e)}` + (Number.isNaN(v) ? ", value not known" : e.of === "node" ? `, voltage ${v.toPrecision(5)} p.u.` : `, loading ${v.toPrecision(4)} %`) +
    (wrong ? ", " + wrong : "");
}

function choose(e) {
  chosen = e;
  at("said").textContent = say(e);
  tab("element");
  const [x, y] = middle(e), box = canvas().getBoundingClientRect();
  if (x < 20 || y < 20 || x > box.width - 20 || y > box.height - 20) {
    view.x += box.width / 2 - x;
    view.y += box.height / 2 - y;
  }
  remember();
  showAll();
}

function setInstant(k) {
  instant = Math.min(Math.max(k, 0), Math.max(0, data.instants.length - 1));
  at("time").value = instant;
  remember();
  showAll();
}

function tab(id) {
  for (const b of document.querySelectorAll("[role=tab]")) {
    const on = b.getAttribute("aria-controls") === id;
    b.setAttribute("aria-selected", on);
    b.tabIndex = on ? 0 : -1;
    at(b.getAttribute("aria-controls")).hidden = !on;
  }
}

// What is chosen stays when the page loads itself again.
function remember() {
  const e = chosen ? `${chosen.of}:${encodeURIComponent(elementName(chosen))}` : "";
  history.replaceState(null, "", `#t=${data.instants.length ? data.instants[instant] : ""}&e=${e}`);
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1)), t = data.instants.indexOf(parts.get("t"));
  const [of, name] = (parts.get("e") || "").split(":");
  const i = of === "node" ? nodeIndex.get(decodeURIComponent(name)) : of === "branch" ? branchIndex.get(decodeURIComponent(name)) : undefined;
  if (i !== undefined) chosen = { of, i };
  instant = t >= 0 ? t : 0;
  at("time").value = instant;
}

// --- keys, mouse, controls ---

// The element that lies furthest in a direction for the way aside, seen from the chosen one.
function neighbour(dx, dy) {
  if (!chosen) return { of: "node", i: Math.max(0, data.nodes.findIndex(n => n[1] === "slack")) };
  const [x, y] = middle(chosen);
  let best = null, least = Infinity;
  const look = e => {
    const [ex, ey] = middle(e), along = (ex - x) * dx + (ey - y) * dy, aside = Math.abs((ex - x) * dy - (ey - y) * dx);
    if (along > 1 && along + 2 * aside < least) { least = along + 2 * aside; best = e; }
  };
  data.nodes.forEach((_, i) => look({ of: "node", i }));
  return best || chosen;
}

function onKey(event) {
  const box = canvas().getBoundingClientRect(), way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (way) choose(neighbour(...way));
  else if (event.key === "+" || event.key === "=") zoom(1.25, box.width / 2, box.height / 2);
  else if (event.key === "-") zoom(0.8, box.width / 2, box.height / 2);
  else if (event.key === "0") fitMap();
  else if (event.key === "Enter" && chosen) { tab("element"); at("tab-element").focus(); }
  else return;
  event.preventDefault();
}

function listenToMap() {
  const c = canvas();
  let drag = null;
  const place = e => { const b = c.getBoundingClientRect(); return [e.clientX - b.left, e.clientY - b.top]; };
  c.addEventListener("keydown", onKey);
  c.addEventListener("wheel", e => { e.preventDefault(); zoom(Math.exp(-e.deltaY / 500), ...place(e)); }, { passive: false });
  c.addEventListener("pointerdown", e => { drag = { from: place(e), moved: false }; c.setPointerCapture(e.pointerId); });
  c.addEventListener("pointermove", e => {
    const [x, y] = place(e), hover = at("hover");
    if (drag && (drag.moved || Math.hypot(x - drag.from[0], y - drag.from[1]) > 4)) {
      view.x += x - drag.from[0]; view.y += y - drag.from[1];
      drag = { from: [x, y], moved: true };
      redraw();
      return;
    }
    const e2 = drag ? null : nearest(x, y);
    hover.hidden = !e2;
    if (e2) { hover.textContent = say(e2); hover.style.left = x + 14 + "px"; hover.style.top = y + 10 + "px"; }
  });
  c.addEventListener("pointerup", e => {
    const e2 = drag && !drag.moved ? nearest(...place(e)) : null;
    drag = null;
    if (e2) choose(e2);
  });
  c.addEventListener("pointerleave", () => { at("hover").hidden = true; });
  new ResizeObserver(redraw).observe(c);
}

function listenToTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((b, k) => {
    b.addEventListener("click", () => tab(b.getAttribute("aria-controls")));
    b.addEventListener("keydown", e => {
      const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
      if (!step) return;
      const to = tabs[(k + step + tabs.length) % tabs.length];
      tab(to.getAttribute("aria-controls"));
      to.focus();
    });
  });
}

function listenToFind() {
  at("find").addEventListener("input", () => {
    const text = at("find").value, found = at("found");
    const hit = nodeIndex.has(text) ? { of: "node", i: nodeIndex.get(text) } : branchIndex.has(text) ? { of: "branch", i: branchIndex.get(text) } : null;
    if (hit) choose(hit);
    const names = [...nodeIndex.keys(), ...branchIndex.keys()].filter(n => n.toLowerCase().includes(text.toLowerCase())).slice(0, 50);
    found.replaceChildren(...names.map(n => el("option", { value: n })));
  });
}

function listenToTime() {
  let timer = null;
  at("time").max = Math.max(0, data.instants.length - 1);
  at("time").disabled = at("play").disabled = data.instants.length < 2;
  at("time").addEventListener("input", () => setInstant(Number(at("time").value)));
  at("play").addEventListener("click", () => {
    if (timer) { clearInterval(timer); timer = null; }
    else timer = setInterval(() => setInstant((instant + 1) % data.instants.length), 400);
    at("play").setAttribute("aria-pressed", Boolean(timer));
    at("play").textContent = timer ? "Stop" : "Play";
  });
}

// --- what is painted ---

function legendPart(title, paint) {
  const colours = Array.from({ length: 7 }, (_, k) => shade(paint.stops, k / 6)).join(",");
  return el("div", {}, title, el("i", { style: `background:linear-gradient(to right,${colours})` }),
    el("span", {}, el("b", {}, String(+paint.low.toPrecision(4))), el("b", {}, String(+paint.high.toPrecision(4)))));
}

function paint() {
  nodePaint = painting("node", at("paint-nodes").value);
  branchPaint = painting("branch", at("paint-branches").value);
  at("legend").replaceChildren(...[["paint-nodes", nodePaint], ["paint-branches", branchPaint]]
    .filter(([, p]) => p.columns.length).map(([id, p]) => legendPart(at(id).value, p)),
    el("div", {}, "▲ above, ▼ below limits; ✕ no state; - - overloaded"),
    ...(data.records.length ? [el("div", { className: "market" }, "▲ ▼ awards up, down; ○ requests")] : []));
  if (chosen || data.instants.length) workOut();
  redraw();
}

function offerPaints() {
  for (const [id, of, first] of [["paint-nodes", "node", "v_pu"], ["paint-branches", "branch", "loading_pct"]]) {
    const names = [...new Set(data.columns.filter(c => c.of === of).map(c => c.quantity))];
    if (!names.includes(first)) names.unshift(first);
    at(id).replaceChildren(...names.map(n => el("option", { value: n, selected: n === first }, n)));
    at(id).addEventListener("change", paint);
  }
}

async function start() {
  data = await unpack(at("data").textContent);
  nodeIndex = new Map(data.nodes.map((n, i) => [n[0], i]));
  branchIndex = new Map(data.branches.map((b, i) => [b[0], i]));
  verdictOf = new Map(records("pof.verdict/1").map(v => [v.award, v]));
  offerPaints();
  listenToMap();
  listenToTabs();
  listenToFind();
  listenToTime();
  recall();
  fitMap();
  paint();
  showAll();
  document.documentElement.dataset.ready = "yes";
}

start().catch(e => { at("summary").textContent = "These data cannot be shown: " + e.message; });
