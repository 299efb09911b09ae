// Draws dashboards from live data: node draw.mjs PROMETHEUS_URL FROM TO OUT [[DASHBOARD/]NAME=VALUE ...]
//
// It asks a real Prometheus what each panel asks, with the variables filled in, and lets Chromium draw the answers with
// the components of @grafana/ui. It is not Grafana. A panel without data is an error.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const [url, from, to, out, ...rest] = process.argv.slice(2);
const folder = process.env.DASHBOARDS ?? join(here, "..", "..", "dashboards");
const variables = Object.fromEntries(rest.map((pair) => pair.split("=")));
const step = Math.max(1, Math.round((to - from) / 150));
const interval = variables.interval ?? "15s";
const chromium = process.env.CHROMIUM ?? "chromium";

async function ask(path, params) {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`);
  const body = await response.json();
  if (body.status !== "success") throw new Error(`${params.query}: ${body.error}`);
  return body.data.result;
}

const fill = (board, expr) =>
  expr.replaceAll("$__rate_interval", interval).replace(/\$(\w+)/g, (_, name) => variables[`${board}/${name}`] ?? variables[name] ?? ".*");

const scratch = mkdtempSync(join(tmpdir(), "stent-pictures-"));
await build({
  entryPoints: [join(here, "page.jsx")], bundle: true, outfile: join(scratch, "page.js"), logLevel: "error",
  loader: { ".svg": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl" }, define: { "process.env.NODE_ENV": '"production"', global: "window" },
});

let empty = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  const dashboard = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const board = file.replace(".json", "");
  const answers = {};
  for (const panel of dashboard.panels.filter((p) => p.type !== "row")) {
    answers[panel.id] = await Promise.all(panel.targets.map((target) =>
      target.instant ? ask("query", { query: fill(board, target.expr), time: to }) : ask("query_range", { query: fill(board, target.expr), start: from, end: to, step })));
    if (answers[panel.id].every((answer) => answer.length === 0)) {
      empty++;
      console.error(`${dashboard.title}: panel "${panel.title}" has no data`);
    }
  }
  const height = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h)) * 38 + 70;
  const picture = JSON.stringify({ dashboard, from: +from, to: +to, answers }).replaceAll("<", "\\u003c");
  const page = join(scratch, file.replace(".json", ".html"));
  writeFileSync(page, `<!doctype html><html><head><meta charset="utf-8"><style>html{font-size:14px}body{margin:0;background:#f4f5f5;font-family:Inter,"DejaVu Sans",sans-serif}</style></head>
<body><div id="root"></div><link rel="stylesheet" href="page.css"><script>window.__grafana_public_path__="";window.PICTURE=${picture}</script><script src="page.js"></script></body></html>`);
  const png = join(out, file.replace(".json", ".png"));
  const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files", `--user-data-dir=${join(scratch, "profile")}`];
  execFileSync(chromium, [...args, `--window-size=1440,${height}`, "--virtual-time-budget=8000", `--screenshot=${png}`, `file://${page}`], { stdio: process.env.VERBOSE ? "inherit" : "ignore" });
  console.log(png);
}
process.exit(empty ? 1 : 0);
