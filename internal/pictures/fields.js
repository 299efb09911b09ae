// The properties of fields. Grafana registers them with their editors; to draw, it is enough that they are known and kept.
import { Registry } from "@grafana/data";

const standard = ["unit", "decimals", "min", "max", "noValue", "thresholds", "mappings", "color", "links", "displayName"];
const custom = {
  timeseries: ["drawStyle", "lineWidth", "fillOpacity", "showPoints", "spanNulls", "stacking", "thresholdsStyle", "axisSoftMax"],
  table: ["align", "cellOptions", "filterable"],
};

const property = (id, path, isCustom) => ({
  id, path, name: id, isCustom, editor: () => null, override: () => null, process: (value) => value, shouldApply: () => true,
});

export function fieldProperties(type) {
  const registry = new Registry();
  for (const path of standard) registry.register(property(path, path, false));
  for (const path of custom[type] ?? []) registry.register(property(`custom.${path}`, path, true));
  return registry;
}
