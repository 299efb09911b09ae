// Draws one dashboard with Grafana's own components. What is drawn stands in window.PICTURE: the dashboard, the time range
// and the answers of Prometheus to each query.
import * as React from "react";
import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";
import { applyFieldOverrides, createTheme, dateTime, EventBusSrv, FieldType, getDisplayProcessor, getFieldDisplayName, ThemeContext, toDataFrame } from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, PanelContextProvider, TimeSeries } from "@grafana/ui";
import { fieldProperties } from "./fields.js";

const { dashboard, from, to, answers } = window.PICTURE;
const theme = createTheme({ colors: { mode: "light" } });
const range = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: dateTime(from * 1000), to: dateTime(to * 1000) } };
const unit = 1416 / 24;
const rowHeight = 30;
const gap = 8;

const legend = (format, labels) =>
  format ? format.replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? "") : Object.entries(labels).map(([k, v]) => `${k}="${v}"`).join(", ");

// frames are the answers of a panel's queries as Grafana's Prometheus data source makes them of a range.
function frames(panel) {
  return panel.targets.flatMap((target, i) =>
    (answers[panel.id][i] ?? []).map((series) =>
      toDataFrame({
        refId: target.refId,
        fields: [
          { name: "Time", type: FieldType.time, values: series.values.map(([t]) => t * 1000) },
          {
            name: "Value", type: FieldType.number, labels: series.metric, values: series.values.map(([, v]) => (isFinite(+v) ? +v : null)),
            config: { displayNameFromDS: legend(target.legendFormat, series.metric) || target.refId },
          },
        ],
      }),
    ),
  );
}

const withConfig = (panel, data) =>
  applyFieldOverrides({
    data, theme, fieldConfig: panel.fieldConfig, replaceVariables: (s) => s, timeZone: "utc",
    fieldConfigRegistry: fieldProperties(panel.type),
  });

function Lines({ panel, width, height }) {
  const data = withConfig(panel, frames(panel));
  if (data.length === 0) return <Empty />;
  return (
    <TimeSeries frames={data} timeRange={range} timeZone="utc" width={width} height={height}
      legend={{ ...panel.options.legend }} options={panel.options} />
  );
}

function Empty() {
  return <div style={{ padding: 20, color: theme.colors.text.secondary }} data-empty="true">No data</div>;
}

function Stat({ panel, width, height }) {
  const data = withConfig(panel, frames(panel));
  if (data.length === 0) return <Empty />;
  const each = width / data.length;
  return (
    <div style={{ display: "flex" }}>
      {data.map((frame, i) => {
        const field = frame.fields[1];
        const values = field.values.filter((v) => v !== null);
        const process = field.display ?? getDisplayProcessor({ field, theme, timeZone: "utc" });
        const value = { ...process(values[values.length - 1]), title: data.length > 1 ? getFieldDisplayName(field, frame, data) : "" };
        return (
          <BigValue key={i} theme={theme} width={each} height={height} value={value} colorMode={panel.options.colorMode}
            graphMode={panel.options.graphMode} justifyMode="auto" textMode="auto"
            sparkline={panel.options.graphMode === "none" ? undefined : { x: frame.fields[0], y: field, timeRange: range }} />
        );
      })}
    </div>
  );
}

// rows joins the instant answers of all queries by their labels, and names and orders the columns as the panel says.
function rows(panel) {
  const organize = panel.transformations.find((t) => t.id === "organize").options;
  const names = Object.keys(organize.indexByName).sort((a, b) => organize.indexByName[a] - organize.indexByName[b]);
  const table = new Map();
  panel.targets.forEach((target, i) => {
    for (const series of answers[panel.id][i] ?? []) {
      const key = JSON.stringify(series.metric);
      if (!table.has(key)) table.set(key, { ...series.metric });
      table.get(key)[`Value #${target.refId}`] = +series.value[1];
    }
  });
  const list = [...table.values()];
  const sort = panel.options.sortBy[0];
  const by = names.find((name) => organize.renameByName[name] === sort.displayName);
  list.sort((a, b) => (b[by] ?? 0) - (a[by] ?? 0));
  return toDataFrame({
    fields: names.map((name) => ({
      name: organize.renameByName[name], type: name.startsWith("Value #") ? FieldType.number : FieldType.string,
      values: list.map((row) => row[name] ?? null), config: {},
    })),
  });
}

// Grafana's table needs more of Grafana around it than there is here, so this one is our own, with its values as Grafana shows them.
function Rows({ panel, width }) {
  const [data] = withConfig(panel, [rows(panel)]);
  if (data.length === 0) return <Empty />;
  const cell = { padding: "6px 10px", borderBottom: `1px solid ${theme.colors.border.weak}`, whiteSpace: "nowrap" };
  const coloured = (field) => field.config.custom?.cellOptions?.type === "color-text";
  return (
    <table style={{ width, borderCollapse: "collapse", fontSize: 13, color: theme.colors.text.primary }}>
      <thead>
        <tr>{data.fields.map((f) => <th key={f.name} style={{ ...cell, textAlign: f.type === "number" ? "right" : "left", color: theme.colors.text.link, fontWeight: 500 }}>{f.name}</th>)}</tr>
      </thead>
      <tbody>
        {Array.from({ length: data.length }, (_, i) => (
          <tr key={i}>
            {data.fields.map((f) => {
              const raw = f.values[i];
              const shown = f.type === "number" ? f.display(raw) : { text: raw };
              return (
                <td key={f.name} style={{ ...cell, textAlign: f.type === "number" ? "right" : "left", color: coloured(f) ? shown.color : undefined }}>
                  {raw === null ? "" : `${shown.prefix ?? ""}${shown.text}${shown.suffix ?? ""}`}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// Nor is a heatmap a component of @grafana/ui.
function Heatmap({ panel, width, height }) {
  const series = (answers[panel.id][0] ?? []).map((s) => ({ le: s.metric.le, bound: s.metric.le === "+Inf" ? Infinity : +s.metric.le, values: s.values }));
  series.sort((a, b) => a.bound - b.bound);
  const cells = series.map((s, i) => s.values.map(([t, v], j) => [t, Math.max(0, +v - (i ? +(series[i - 1].values.find(([u]) => u === t)?.[1] ?? 0) : 0))]));
  let low = cells.findIndex((row) => row.some(([, v]) => v > 0));
  let high = cells.length - 1 - [...cells].reverse().findIndex((row) => row.some(([, v]) => v > 0));
  if (low < 0) return <Empty />;
  low = Math.max(0, low - 1);
  high = Math.min(cells.length - 1, high + 1);
  const most = Math.max(...cells.flat().map(([, v]) => v));
  const left = 60, bottom = 24, h = (height - bottom) / (high - low + 1);
  const field = { name: "le", type: FieldType.number, config: { unit: panel.options.yAxis.unit }, values: [] };
  const display = getDisplayProcessor({ field, theme, timeZone: "utc" });
  const said = (v) => { const d = display(v); return `${d.text}${d.suffix ?? ""}`; };
  const step = cells[0].length > 1 ? cells[0][1][0] - cells[0][0][0] : 15;
  const x = (t) => left + ((t - from) / (to - from)) * (width - left);
  const w = Math.max(1, (step / (to - from)) * (width - left) - 0.5);
  const every = Math.ceil(14 / h);
  const ticks = [0.1, 0.3, 0.5, 0.7, 0.9].map((f) => from + f * (to - from));
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily} fontSize={12} fill={theme.colors.text.primary}>
      {cells.slice(low, high + 1).map((row, i) => row.filter(([, v]) => v > 0).map(([t, v]) => (
        <rect key={`${i}-${t}`} x={x(t) - w} y={(high - low - i) * h + 0.5} width={w} height={h - 1} fill={theme.visualization.getColorByName("dark-orange")} opacity={0.12 + 0.88 * Math.sqrt(v / most)} />
      )))}
      {series.slice(low, high + 1).map((s, i) => i % every === 0 && (
        <text key={i} x={left - 6} y={(high - low - i) * h + 7} textAnchor="end" dominantBaseline="middle">{s.bound === Infinity ? "∞" : said(s.bound)}</text>
      ))}
      {ticks.map((t) => <text key={t} x={x(t)} y={height - 6} textAnchor="middle">{new Date(t * 1000).toISOString().slice(11, 19)}</text>)}
    </svg>
  );
}

const kinds = { timeseries: Lines, stat: Stat, table: Rows, heatmap: Heatmap };

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const box = { position: "absolute", left: x * unit, top: y * (rowHeight + gap), width: w * unit - gap, height: h * (rowHeight + gap) - gap };
  if (panel.type === "row") {
    return <div style={{ ...box, fontSize: 16, fontWeight: 500, paddingTop: 4, color: theme.colors.text.primary }}>⌄ {panel.title}</div>;
  }
  const Kind = kinds[panel.type];
  return (
    <div style={box}>
      <PanelChrome width={box.width} height={box.height} title={panel.title} padding={panel.type === "table" ? "none" : "md"}>
        {(width, height) => <Kind panel={panel} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
}

const context = { eventsScope: "global", eventBus: new EventBusSrv(), sync: () => 0, app: "dashboard" };

class Fence extends React.Component {
  state = {};
  static getDerivedStateFromError(error) { return { error }; }
  render() {
    return this.state.error ? <pre data-empty="true">{String(this.state.error.stack)}</pre> : this.props.children;
  }
}

createRoot(document.getElementById("root")).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <PanelContextProvider value={context}>
      <div style={{ position: "relative", width: 1416, background: theme.colors.background.canvas, padding: 0, margin: 12 }}>
        <h3 style={{ margin: "0 0 10px", color: theme.colors.text.primary }}>{dashboard.title}</h3>
        <div style={{ position: "relative" }}>
          {dashboard.panels.map((panel) => <Fence key={panel.id}><Panel panel={panel} /></Fence>)}
        </div>
      </div>
    </PanelContextProvider>
  </ThemeContext.Provider>,
);
