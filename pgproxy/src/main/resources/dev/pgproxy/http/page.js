"use strict";

// What is shown of which table of the console: each is /api/NAME, and most come with every event of /api/live.
// Strict JSON, since a test reads it: it compares names and columns with what the program answers.
const TABLES = {
  "totals": {"columns": ["name", "value"]},
  "latencies": {"columns": ["of", "buckets"]},
  "alerts": {"columns": ["state", "alert", "subject", "severity", "raised_at", "cleared_at", "text", "advice"]},
  "pools": {"columns": ["database", "user", "cl_active", "cl_waiting", "sv_active", "sv_idle", "sv_tested", "sv_login", "maxwait", "maxwait_us", "pool_mode"]},
  "databases": {"columns": ["name", "host", "port", "pool_size", "reserve_pool_size", "current_connections", "max_connections", "current_client_connections", "max_client_connections", "paused", "disabled"]},
  "hosts": {"columns": ["cluster", "host", "port", "role", "timeline", "lag_bytes", "lag_seconds", "connections", "max_connections", "waiting_locks", "cpu", "memory_used", "disk_used"]},
  "replicas": {"columns": ["database", "host", "role", "effective_weight", "share", "reads", "response_us", "lag_bytes", "fresh_ms", "problem"]},
  "breakers": {"columns": ["host", "role", "state", "failures_in_row", "failures", "calls", "times_opened", "state_s", "next_try_s", "last_failure", "last_failure_s"]},
  "failover": {"columns": ["configured", "primary", "timeline", "promotions", "missing", "state"]},
  "retries": {"columns": ["database", "reads", "serialization_failures", "deadlocks", "stale_plans", "given_up"]},
  "cache": {"columns": ["mode", "entries", "bytes", "size", "hits", "misses", "hit_ratio", "stores", "evictions", "expirations", "stale", "too_large"]},
  "cache misses": {"columns": ["database", "reason", "count", "description"]},
  "cache coverage": {"columns": ["database", "table", "level", "bound", "why"]},
  "cache feed": {"columns": ["database", "level", "state", "lag_bytes", "delay_us", "losses", "reason", "hint"]},
  "rate_limits": {"columns": ["scope", "name", "max_transactions", "window_ms", "used", "started", "refused", "shared"]},
  "priorities": {"columns": ["priority", "weight", "waiting", "served", "wait_time"]},
  "rules": {"columns": ["name", "conditions", "actions", "matched", "refused", "running"]},
  "cache fingerprints": {"asked": true, "columns": ["statement", "hits", "misses", "hit_ratio", "fingerprint"]},
  "queries": {"asked": true, "columns": ["query", "host", "calls", "total_us", "mean_us", "p50_us", "p95_us", "p99_us", "max_us", "rows", "bytes", "errors", "sqlstates", "hit_ratio", "retries", "database", "user", "application_name", "tables", "last_seen", "fingerprint"]},
  "slow": {"asked": true, "columns": ["ended_at", "duration_us", "queue_us", "server_us", "query", "database", "user", "application_name", "addr", "host", "rows", "sqlstate", "fingerprint"]},
  "nplusone": {"asked": true, "columns": ["query", "executions", "occurrences", "per_occurrence", "lost_us", "total_us", "parent", "parent_by", "batched", "joined", "tags", "database", "user", "application_name", "last_seen", "fingerprint"]},
  "plans": {"asked": true, "columns": ["query", "plan", "reason", "total_cost", "changes", "changed_at", "plan_before", "how", "host", "database", "user", "captured_at", "hash", "fingerprint"]},
  "active": {"asked": true, "columns": ["query", "state", "duration_us", "wait_event_type", "wait_event", "database", "user", "application_name", "addr", "host", "remote_pid", "id", "fingerprint"]},
  "advice": {"asked": true, "columns": ["kind", "gain_ms_per_hour", "advice", "sql", "why", "table", "pages_before", "pages_after", "size_bytes", "verified", "cost_before", "cost_after", "calls", "query", "database", "fingerprint"]},
  "indexes": {"asked": true, "columns": ["kind", "table", "index", "size_bytes", "scans", "reason", "sql", "database"]},
  "config": {"asked": true, "columns": ["key", "value", "default", "changeable"]}
};

const VIEWS = {overview, queries, advice, pools, hosts, cache, limits, settings};
const MOST_ROWS = 200; // of a table at once: the filter finds the others
const HISTORY = 300; // moments behind each curve
const SILENCE_MS = 5000; // an event comes each second
const AGAIN_MS = 2000;
const NEXT_ASK_MS = 10000; // of what does not come by itself

let last = null; // the latest event
let asked = {}; // by table: what was fetched, {rows} or {problem}, and when
let problem = "connecting …";
let source = null;
let heard = 0;
const WINDOW = 10; // moments that percentiles are of
const LONGEST = 1e8; // microseconds: the last bucket with an end
const history = []; // {at, queries, micros, buckets, waiting, clients}
const sorted = {}; // by table: {column, down}

// ---- the document: values of the console become text, never markup

function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null)); // strings become text nodes
  return made;
}

function card(title, ...children) {
  return make("section", {"aria-label": title}, make("h2", {}, title), ...children);
}

// ---- words

function count(value) {
  return value === null ? "" : Number(value).toLocaleString("en");
}

function bytes(value) {
  if (value === null) {
    return "";
  }
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = Number(value);
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return (unit === 0 ? size : size.toFixed(1)) + " " + units[unit];
}

function micros(value) {
  return value === null ? "" : value < 1000 ? Math.round(value) + " µs"
    : value < 1e6 ? (value / 1000).toFixed(1) + " ms" : span(value / 1e6);
}

function span(seconds) {
  if (seconds < 60) {
    return (seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)) + " s";
  }
  return seconds < 3600 ? Math.round(seconds / 60) + " min"
    : seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " days";
}

function moment(text) { // "2026-01-31 12:00:00 UTC", as the console writes it
  return Date.parse(text.replace(" ", "T").replace(" UTC", "Z"));
}

function ago(text) {
  return span(Math.max(0, (Date.parse(last.at) - moment(text)) / 1000)) + " ago";
}

const SHOWN = {
  bytes: bytes, bytes_received: bytes, bytes_sent: bytes, size: bytes, size_bytes: bytes, lag_bytes: bytes,
  response_us: micros, delay_us: micros, wait_time: micros,
  total_us: micros, mean_us: micros, p50_us: micros, p95_us: micros, p99_us: micros, max_us: micros,
  duration_us: micros, queue_us: micros, server_us: micros,
  lag_seconds: (value) => value === null ? "" : span(value), state_s: (value) => value === null ? "" : span(value),
  next_try_s: (value) => value === null ? "" : "in " + span(value),
  last_failure_s: (value) => value === null ? "" : span(value) + " ago",
  fresh_ms: (value) => value === null ? "" : span(value / 1000), window_ms: (value) => span(value / 1000),
  port: String, timeline: (value) => value === null ? "" : String(value),
  paused: (value) => value ? "yes" : "no", disabled: (value) => value ? "yes" : "no"
};

const GRADES = {
  open: "bad", half_open: "warn", closed: "good", primary: "good", replica: "good", unknown: "bad", "left behind": "bad",
  streaming: "good", listening: "good", connecting: "warn", refused: "bad", apart: "warn"
};

// ---- tables

/** Columns of SQL to be run elsewhere. */
const SQL = ["sql", "batched", "joined"];
let copied = null;

function copyButton(text) {
  const button = make("button", {type: "button", class: copied === text ? "copy done" : "copy", "aria-label": "copy the SQL"});
  button.addEventListener("click", () => {
    const marked = () => getSelection().selectAllChildren(button.parentNode); // only pages of https or of this machine may copy
    (navigator.clipboard ? navigator.clipboard.writeText(text).then(() => { copied = text; draw(); }) : Promise.reject()).catch(marked);
  });
  return button;
}

function rowsOf(name) {
  const rows = TABLES[name].asked ? asked[name] && asked[name].rows : last && last.tables[name];
  return rows ? rows.map((row) => only(row, TABLES[name].columns)) : [];
}

/** Nothing is used but what is named above. */
function only(row, columns) {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}

function matches(row) {
  const wanted = document.getElementById("filter").value.trim().toLowerCase();
  return wanted === "" || Object.values(row).some((value) => String(value ?? "").toLowerCase().includes(wanted));
}

function compare(one, other) {
  if (one === null || other === null) {
    return (other === null) - (one === null);
  }
  const a = typeof one === "number" ? one : parseFloat(one);
  const b = typeof other === "number" ? other : parseFloat(other);
  const numbers = /^-?[\d.]+( %)?$/;
  return numbers.test(one) && numbers.test(other) ? a - b : String(one).localeCompare(String(other));
}

function inOrder(name, rows) {
  const by = sorted[name];
  if (!by) {
    return rows;
  }
  const ordered = rows.slice().sort((one, other) => compare(one[by.column], other[by.column]));
  return by.down ? ordered.reverse() : ordered;
}

function heading(name, column, isNumber) {
  const by = sorted[name];
  const button = make("button", {type: "button"}, column.replaceAll("_", " "));
  button.addEventListener("click", () => {
    sorted[name] = {column, down: by && by.column === column ? !by.down : isNumber};
    draw();
  });
  const sort = by && by.column === column ? {"aria-sort": by.down ? "descending" : "ascending"} : {};
  return make("th", {scope: "col", "data-key": name + "." + column, class: isNumber ? "number" : "", ...sort}, button);
}

function isNumeric(value) {
  return typeof value === "number" || /^-?[\d.]+ %$/.test(value);
}

function cell(column, value) {
  const text = SHOWN[column] ? SHOWN[column](value) : typeof value === "number" ? count(value) : value ?? "";
  const long = String(text).length > 30 ? "long " : "";
  const grade = column === "role" || column === "state" ? GRADES[value] || "" : "";
  return make("td", {class: (isNumeric(value) ? "number " : long) + grade, "data-label": column.replaceAll("_", " "), "data-column": column},
    String(text), SQL.includes(column) && value ? copyButton(value) : null);
}

/** A table of the console under a title; without rows the sentence stands for it. */
function table(name, title, empty) {
  const of = asked[name];
  if (TABLES[name].asked && !(of && of.rows)) {
    return card(title, make("p", of && of.problem ? {class: "bad"} : {class: "dim"}, of && of.problem || "is being asked for …"));
  }
  const all = rowsOf(name);
  const found = all.filter(matches);
  if (found.length === 0) {
    return card(title, make("p", {class: "dim"}, all.length === 0 ? empty : "Nothing here fits the filter."));
  }
  const shown = inOrder(name, found).slice(0, MOST_ROWS);
  const columns = TABLES[name].columns;
  const head = make("tr", {}, ...columns.map((column) => heading(name, column, found.some((row) => isNumeric(row[column])))));
  const body = shown.map((row) => make("tr", {}, ...columns.map((column) => cell(column, row[column]))));
  const more = found.length - shown.length + (last && last.leftOut[name] || 0);
  return card(title,
    make("div", {class: "scroll"},
      make("table", {"data-table": name}, make("thead", {}, head), make("tbody", {}, ...body))),
    more === 0 ? null : make("p", {class: "dim"}, count(more) + " more rows: see SHOW " + name.toUpperCase() + " in the console."));
}

// ---- curves

function figure(title, text, values) {
  const made = make("div", {class: "figure", "data-figure": title}, make("span", {class: "dim"}, title), make("b", {}, text));
  if (values && values.length > 1) {
    const most = Math.max(...values, 1e-9);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 100 30");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", title + ", the last " + span(values.length) + ", at most " + most.toFixed(1));
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", values
      .map((value, i) => (100 * i / (values.length - 1)).toFixed(2) + "," + (29 - 28 * value / most).toFixed(2)).join(" "));
    svg.append(line);
    made.append(svg);
  }
  return made;
}

function sum(rows, column) {
  return rows.reduce((total, row) => total + row[column], 0);
}

/** "250:17 300:2" of each row, added up: counts by the longest microseconds of their buckets. */
function bucketsOf(rows) {
  const all = new Map();
  for (const row of rows) {
    for (const bucket of row.buckets.split(" ").filter((text) => text !== "")) {
      const [most, calls] = bucket.split(":");
      const bound = most === "inf" ? LONGEST : Number(most);
      all.set(bound, (all.get(bound) || 0) + Number(calls));
    }
  }
  return all;
}

/** What a share of the statements between two moments took at most, by buckets. */
function percentile(share, before, now) {
  const calls = Array.from(now, ([bound, count]) => [bound, Math.max(0, count - (before.get(bound) || 0))])
    .filter((bucket) => bucket[1] > 0).sort((one, other) => one[0] - other[0]);
  const wanted = share * calls.reduce((total, bucket) => total + bucket[1], 0);
  let below = 0;
  for (const [bound, count] of calls) {
    if (below + count >= wanted) {
      return bound;
    }
    below += count;
  }
  return 0;
}

function remember() {
  const totals = Object.fromEntries(rowsOf("totals").map((row) => [row.name, row.value]));
  const pools = rowsOf("pools");
  history.push({
    at: Date.parse(last.at), queries: totals.total_query_count, micros: totals.total_query_time,
    buckets: bucketsOf(rowsOf("latencies").filter((row) => row.of === "statements")),
    sent: totals.total_server_bytes, waiting: sum(pools, "cl_waiting"),
    clients: sum(pools, "cl_active") + sum(pools, "cl_waiting")
  });
  if (history.length > HISTORY) {
    history.shift();
  }
}

/** What each second had, from what grows. */
function rates() {
  return history.slice(1).map((now, i) => {
    const before = history[i];
    const seconds = Math.max(0.001, (now.at - before.at) / 1000);
    const queries = Math.max(0, now.queries - before.queries);
    return {
      queries: queries / seconds,
      micros: queries === 0 ? 0 : Math.max(0, now.micros - before.micros) / queries,
      sent: Math.max(0, now.sent - before.sent) / seconds,
      percentiles: [0.50, 0.95, 0.99].map((share) => percentile(share, history[Math.max(0, i + 1 - WINDOW)].buckets, now.buckets))
    };
  });
}

// ---- events: what alerts tell, as a story

function event(row) {
  const over = row.cleared_at !== null;
  const when = row.raised_at.slice(11, 19) + " UTC, " + ago(row.raised_at)
    + (over ? "; over after " + span((moment(row.cleared_at) - moment(row.raised_at)) / 1000) : "; still so");
  return make("li", {class: row.state, "data-alert": row.alert},
    make("time", {datetime: new Date(moment(row.raised_at)).toISOString()}, when),
    make("span", {class: over ? "" : row.severity === "critical" ? "bad" : "warn"}, row.alert.replaceAll("_", " ")),
    " " + row.subject + ": " + row.text + (over ? "" : ". " + row.advice));
}

function events(title, rows, empty) {
  const found = rows.filter(matches).sort((one, other) => moment(other.raised_at) - moment(one.raised_at));
  return card(title, found.length === 0
    ? make("p", {class: "dim"}, empty)
    : make("ol", {class: "events"}, ...found.map(event)));
}

function story(row) {
  const moved = row.primary !== null && row.primary !== row.configured;
  const now = row.primary === null
    ? "No host of " + row.configured + " takes writes now: they wait, and fail after failover_wait."
    : "Writes of " + row.configured + " go to " + row.primary + ", on timeline " + row.timeline + ".";
  const words = [moved ? "It took the place of the primary that is configured." : "It is the primary that is configured.",
    row.promotions > 0 ? "pgproxy has promoted " + row.promotions + (row.promotions === 1 ? " replica." : " replicas.") : "",
    row.state === null ? "" : row.state, row.missing === null ? "" : row.missing[0].toUpperCase() + row.missing.slice(1) + "."];
  return make("p", {"data-story": row.configured},
    make("span", {class: row.primary === null ? "bad" : "good"}, now), " "
    + (row.primary === null ? words.slice(1) : words).filter((word) => word !== "").join(" "));
}

// ---- views

function overview() {
  const now = rates();
  const current = now[now.length - 1] || {queries: 0, micros: 0, sent: 0, percentiles: [0, 0, 0]};
  const moments = history[history.length - 1];
  const pools = rowsOf("pools");
  const of = rowsOf("cache")[0];
  const alerts = rowsOf("alerts");
  const raised = alerts.filter((row) => row.state === "raised");
  return [
    card("Traffic", make("div", {class: "figures"},
      figure("queries per second", current.queries.toFixed(1), now.map((each) => each.queries)),
      figure("average query", micros(current.micros), now.map((each) => each.micros)),
      ...["half", "95 %", "99 %"].map((share, i) => figure(share + " of statements within",
        micros(current.percentiles[i]), now.map((each) => each.percentiles[i]))),
      figure("sent per second", bytes(Math.round(current.sent)), now.map((each) => each.sent)),
      figure("clients", count(moments.clients), history.map((each) => each.clients)),
      figure("clients waiting", count(moments.waiting), history.map((each) => each.waiting)),
      figure("servers in use", count(sum(pools, "sv_active")) + " of "
        + count(sum(pools, "sv_active") + sum(pools, "sv_idle") + sum(pools, "sv_tested") + sum(pools, "sv_login"))),
      figure("cache hit rate", of.hit_ratio === null ? "none yet" : of.hit_ratio),
      figure("queries in all", count(moments.queries)))),
    events("Alerts", raised, "Nothing is wrong that pgproxy knows of."),
    events("Recent events", alerts.filter((row) => row.state !== "raised"), "Nothing has happened since the start, or it is not over yet.")
  ];
}

function queries() {
  return [
    table("queries", "Statements, the most time first", "No statement has been answered yet."),
    table("active", "Running or waiting now, the longest first", "No statement runs."),
    table("slow", "Slow of late, the latest first", "No statement took longer than slow_query_threshold."),
    table("plans", "Plans of slow statements", "There are none: plan_capture is off, or nothing was slow since it is on."),
    table("nplusone", "N+1: reads repeated for each row of another, what loses the most time first", "No read is repeated for each row of another one.")
  ];
}

function advice() {
  return [
    table("advice", "What would save most time", "Nothing is known that would make statements faster, or control_user is not set."),
    table("indexes", "Indexes and tables to look at", "Nothing is wrong with indexes, or control_user is not set.")
  ];
}

function pools() {
  return [
    table("pools", "Pools: clients (cl) and servers (sv)", "Nobody has connected yet, or pools were forgotten since nobody used them."),
    table("databases", "Databases", "No database has been used yet.")
  ];
}

function hosts() {
  const about = ["failover", "no_primary", "host_down", "breaker_open", "replication_lag"];
  const clusters = rowsOf("failover");
  return [
    card("Who takes writes", ...(clusters.length === 0
      ? [make("p", {class: "dim"}, "No cluster is watched: set control_user to have roles, lag and failover followed.")]
      : clusters.map(story))),
    events("What happened to hosts", rowsOf("alerts").filter((row) => about.includes(row.alert)), "Nothing, as far as it is remembered."),
    table("hosts", "Hosts", "No host is watched: set control_user."),
    table("replicas", "Share of reads", "No database with replicas has been used yet."),
    table("breakers", "Breakers", "No host has been logged in to yet."),
    table("retries", "Run again before a client heard of it", "No database has been used yet.")
  ];
}

function cache() {
  const of = rowsOf("cache")[0];
  return [
    card("Result cache", make("div", {class: "figures"},
      figure("mode", of.mode), figure("hit rate", of.hit_ratio === null ? "none yet" : of.hit_ratio), figure("hits", count(of.hits)),
      figure("misses", count(of.misses)), figure("entries", count(of.entries)),
      figure("size", bytes(of.bytes) + " of " + bytes(of.size)), figure("stored", count(of.stores)),
      figure("evicted", count(of.evictions)), figure("expired", count(of.expirations)),
      figure("refused as stale", count(of.stale)), figure("too large", count(of.too_large)))),
    table("cache misses", "What became of reads", "Nothing has been read through pgproxy yet."),
    table("cache fingerprints", "Statements", "No statement that may be cached has been seen yet."),
    table("cache coverage", "How writes elsewhere become known", "No database has been used yet, or the cache is off."),
    table("cache feed", "Change feeds", "There is none.")
  ];
}

function limits() {
  return [
    table("priorities", "Priorities", "There are none."),
    table("rate_limits", "Rate limits", "No rate limit is set, or nothing has begun under one lately."),
    table("rules", "Statement rules", "There are no statement_rules.")
  ];
}

function settings() {
  return [table("config", "Settings", "There are none.")];
}

// ---- what is drawn

const ASKED_BY = {queries: ["queries", "active", "slow", "plans", "nplusone"], advice: ["advice", "indexes"], cache: ["cache fingerprints"], settings: ["config"]};

function viewName() {
  const name = location.hash.slice(1);
  return Object.hasOwn(VIEWS, name) ? name : "overview";
}

function navigation() {
  document.querySelector("nav").replaceChildren(...Object.keys(VIEWS).map((name) => make("a",
    {href: "#" + name, ...(name === viewName() ? {"aria-current": "page"} : {})}, name)));
}

function draw() {
  const line = document.getElementById("problem");
  line.hidden = problem === null;
  line.textContent = problem ?? "";
  document.body.classList.toggle("old", problem !== null);
  const state = document.getElementById("state");
  if (last === null) {
    state.textContent = "";
    return;
  }
  state.textContent = last.version + (last.hindrance === null ? ": ready" : ": not ready, " + last.hindrance)
    + ", " + last.at.slice(11, 19) + " UTC";
  state.className = last.hindrance === null ? "good" : "bad";
  const focus = document.activeElement && document.activeElement.closest("th");
  const key = focus && focus.getAttribute("data-key");
  const places = Array.from(document.querySelectorAll("#view .scroll"), (each) => each.scrollLeft);
  document.getElementById("view").replaceChildren(...VIEWS[viewName()]());
  document.querySelectorAll("#view .scroll").forEach((each, i) => { each.scrollLeft = places[i] || 0; });
  if (key) {
    const again = document.querySelector("th[data-key=\"" + CSS.escape(key) + "\"] button");
    again && again.focus();
  }
}

// ---- where it comes from

function path(name) {
  return "api/" + name.replaceAll(" ", "/");
}

async function ask(name) {
  const known = asked[name];
  if (known && Date.now() - known.at < NEXT_ASK_MS) {
    return;
  }
  asked[name] = {...known, at: Date.now()};
  try {
    const answer = await fetch(path(name));
    if (answer.status === 404) {
      throw new Error("pgproxy has no SHOW " + name.toUpperCase() + " as it is configured");
    }
    if (!answer.ok) {
      throw new Error("HTTP status " + answer.status);
    }
    asked[name] = {rows: await answer.json(), at: Date.now()};
  } catch (e) {
    asked[name] = {rows: known && known.rows, problem: "This could not be asked for: " + e.message, at: Date.now()};
  }
  draw();
}

function hear(message) {
  heard = Date.now();
  problem = null;
  last = JSON.parse(message.data);
  remember();
  (ASKED_BY[viewName()] || []).forEach(ask);
  if (getSelection().isCollapsed) { // else somebody is about to copy it
    draw();
  }
}

function lose(why) {
  problem = why;
  draw();
}

function connect() {
  if (source !== null) {
    source.close();
  }
  heard = Date.now();
  source = new EventSource("api/live");
  source.addEventListener("tables", hear);
  source.addEventListener("problem", (message) => {
    heard = Date.now();
    lose("pgproxy answers, but cannot show its tables: " + JSON.parse(message.data));
  });
  source.addEventListener("error", () => {
    lose("The connection to pgproxy is lost, or it shows this page to as many as it may; it is tried again"
      + (last === null ? " …" : " … What you see is of " + last.at.slice(11, 19) + " UTC."));
    if (source.readyState === EventSource.CLOSED) { // it was refused: the browser would not try again
      heard = Date.now() - SILENCE_MS + AGAIN_MS;
    }
  });
}

function disconnect() {
  if (source !== null) {
    source.close();
    source = null;
  }
}

setInterval(() => {
  if (source !== null && Date.now() - heard > SILENCE_MS) {
    lose(problem ?? "Nothing has been heard of pgproxy for " + span(SILENCE_MS / 1000) + "; it is asked again …");
    connect();
  }
}, 1000);
document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());
document.getElementById("filter").addEventListener("input", draw);
addEventListener("hashchange", () => {
  navigation();
  (ASKED_BY[viewName()] || []).forEach(ask);
  draw();
});
navigation();
connect();
