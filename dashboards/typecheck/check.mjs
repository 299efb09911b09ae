// Writes each dashboard as a typed literal, which tsc then checks: a key that Grafana does not know, a value of the wrong
// type and a key that is missing are errors. Panels get the type of their own options, which a dashboard's type leaves
// open. With a mutation as argument it breaks the dashboards first, and expects tsc to say so.
//
//   node check.mjs                        exit code 0 if all is well
//   node check.mjs 'old text' 'new text'  exit code 0 if tsc finds it
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, "..");
const [old, mutated] = process.argv.slice(2);

const kinds = {
  timeseries: ["timeseries.Options", "common.GraphFieldConfig"],
  stat: ["stat.Options", "never"],
  heatmap: ["heatmap.Options", "heatmap.FieldConfig"],
  table: ["table.Options", "common.TableFieldOptions"],
};

let code = `import type * as common from "@grafana/grafana-foundation-sdk/common";
import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type * as heatmap from "@grafana/grafana-foundation-sdk/heatmap";
import type * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import type * as stat from "@grafana/grafana-foundation-sdk/stat";
import type * as table from "@grafana/grafana-foundation-sdk/table";
import type * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import type { Loose } from "./loose.d.ts";

type Query = Loose<Omit<prometheus.Dataquery, "_implementsDataqueryVariant">>;
type Field<Custom> = Loose<Omit<dashboard.FieldConfig, "custom">> & { custom?: Loose<Partial<Custom>> };
type Panel<Options, Custom> = Loose<Omit<dashboard.Panel, "options" | "targets" | "fieldConfig">> & {
  options: Loose<Options>;
  targets: Query[];
  fieldConfig: { defaults: Field<Custom>; overrides: Loose<dashboard.FieldConfigSource["overrides"]> };
};
`;
let mutations = 0;
let panels = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  let text = readFileSync(join(folder, file), "utf8");
  if (old !== undefined) {
    mutations += text.split(old).length - 1;
    text = text.replaceAll(old, mutated);
  }
  const { panels: list, ...rest } = JSON.parse(text);
  const name = file.replace(/\W/g, "_");
  code += `export const ${name}: Loose<Omit<dashboard.Dashboard, "panels">> = ${JSON.stringify(rest, null, 1)};\n`;
  for (const panel of list) {
    panels++;
    if (panel.type === "row") {
      code += `export const ${name}_${panel.id}: Loose<dashboard.RowPanel> = ${JSON.stringify({ panels: [], ...panel }, null, 1)};\n`;
      continue;
    }
    const [options, custom] = kinds[panel.type] ?? ["never", "never"];
    code += `export const ${name}_${panel.id}: Panel<${options}, ${custom}> = ${JSON.stringify(panel, null, 1)};\n`;
  }
}
if (panels < 50) throw new Error(`only ${panels} panels: are these the dashboards?`);
if (old !== undefined && mutations === 0) throw new Error(`no dashboard has ${old}`);
writeFileSync(join(here, "generated.ts"), code);

let said = "";
try {
  execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), "-p", here], { encoding: "utf8" });
} catch (failed) {
  said = failed.stdout || String(failed);
}
if (old === undefined) {
  if (said) console.error(said);
  else console.log(`${panels} panels are as Grafana's types want them`);
  process.exit(said ? 1 : 0);
}
if (!said.includes("error TS")) {
  console.error(`tsc does not notice ${old} -> ${mutated}\n${said}`);
  process.exit(1);
}
console.log(`found: ${said.split("\n")[0]}`);
